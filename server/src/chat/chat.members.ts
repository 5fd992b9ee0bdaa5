import {
  CodedError,
  type ConversationId,
  type GroupId,
  type MembershipId,
  type SchoolId,
  staffRoles,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../platform/database.ts';
import { eventFor, signal } from '../platform/outbound.ts';
import type { HandPicked, PeopleChange } from '../school/index.ts';
import {
  changeReader,
  insertConversations,
  listConversationsOf,
  listConversationsShowing,
  listHandPicked,
  listHandPickedOf,
  listMemberRows,
  lockFollowing,
  lockOfGroups,
  type NewConversation,
  putMembers,
  refreshMemberCount,
  renameConversation,
  renameConversationsOf,
  returnMembers,
  takeOutMembers,
} from './chat.members.store.ts';
import { otherOf } from './chat.policy.ts';
import type { ChatNeighbours } from './index.ts';

type Following = Awaited<ReturnType<typeof lockFollowing>>[number];

const newId = () => uuid() as ConversationId;

/** What a change of members has to tell, gathered over all conversations so that each device hears once. */
type Moves = Map<MembershipId, { joined: ConversationId[]; left: ConversationId[] }>;

/**
 * Makes conversations and their members follow the school's people, in the transaction that changed the people: nobody
 * is ever in a chat a moment longer, or shut out of it, because two writes went apart.
 */
export function createFollowing(school: ChatNeighbours['school']) {
  async function createMissing(tx: Transaction, change: PeopleChange): Promise<void> {
    const { schoolId } = change;
    const rows: NewConversation[] = [];
    if (change.schoolCreated) {
      rows.push(
        { schoolId, id: newId(), kind: 'channel', channel: 'general' },
        { schoolId, id: newId(), kind: 'channel', channel: 'staff' },
        { schoolId, id: newId(), kind: 'staff' },
      );
    }
    const groupIds = change.groupIds ?? [];
    if (groupIds.length > 0) {
      const groups = await school.groupsOf(tx, schoolId, groupIds);
      const classes = groups.filter((group) => group.kind === 'class' && group.archivedAt === null);
      for (const { id: groupId, name: title } of classes) {
        for (const kind of ['class', 'parents', 'classTeachers'] as const) {
          rows.push({ schoolId, id: newId(), kind, groupId, title });
        }
      }
      const titles = new Map(classes.map((group) => [group.id, group.name]));
      for (const { groupId, subject } of await school.subjectsOf(tx, schoolId, [...titles.keys()])) {
        const title = titles.get(groupId);
        if (title !== undefined)
          rows.push({ schoolId, id: newId(), kind: 'subject', groupId, subject, title });
      }
    }
    await insertConversations(tx, rows);
  }

  async function reconcile(tx: Transaction, change: PeopleChange): Promise<void> {
    const { schoolId } = change;
    const people = change.membershipIds ?? [];
    const groupIds = [
      ...new Set([...(change.groupIds ?? []), ...(await school.groupsOfMembers(tx, schoolId, people))]),
    ];
    const following = await lockFollowing(tx, schoolId, groupIds, change.kinds ?? []);
    const named = [...new Set(following.flatMap((each) => each.groupId ?? []))];
    const groups = new Map((await school.groupsOf(tx, schoolId, named)).map((group) => [group.id, group]));
    const moves: Moves = new Map();
    // First, with their marks: whoever settles the members afterwards finds them there.
    if (change.returned !== undefined) await bringBack(tx, schoolId, change.returned, moves);
    const whole: Following[] = [];
    const partly: Following[] = [];
    for (const conversation of following) {
      const group = conversation.groupId === null ? undefined : groups.get(conversation.groupId);
      if (group !== undefined) await followGroup(tx, conversation, group);
      // What a closed group said stays readable for those who were in it.
      if (group !== undefined && group.archivedAt !== null) continue;
      const asWhole =
        change.schoolCreated === true ||
        change.kinds?.includes(conversation.kind) === true ||
        (conversation.groupId !== null && change.groupIds?.includes(conversation.groupId) === true);
      (asWhole ? whole : partly).push(conversation);
    }
    await settleMembers(tx, schoolId, whole, undefined, moves);
    if (people.length > 0) await settleMembers(tx, schoolId, partly, people, moves);
    await endForThoseGone(tx, schoolId, people, moves);
    await partStaffFromMinors(tx, schoolId, people, moves);
    announce(tx, moves);
  }

  /** The name and the state of a conversation are its group's. */
  async function followGroup(
    tx: Transaction,
    { schoolId, id, title, archivedAt }: Following,
    group: { readonly name: string; readonly archivedAt: Date | null },
  ): Promise<void> {
    if (group.name === title && sameTime(group.archivedAt, archivedAt)) return;
    await renameConversation(tx, schoolId, id, group.name, group.archivedAt);
    tx.announce(
      eventFor(
        'chat.conversationChanged',
        { conversation: id },
        { conversationId: id, title: group.name, archived: group.archivedAt !== null },
      ),
    );
  }

  /** Settles who is in these conversations; of `only` these people where given. */
  async function settleMembers(
    tx: Transaction,
    schoolId: SchoolId,
    conversations: readonly Following[],
    only: readonly MembershipId[] | undefined,
    moves: Moves,
  ): Promise<void> {
    if (conversations.length === 0) return;
    const expected = await school.expectedMembersOf(tx, conversations, only);
    const ids = conversations.map((conversation) => conversation.id);
    const rows = Map.groupBy(await listMemberRows(tx, schoolId, ids, only), (row) => row.conversationId);
    for (const [index, { id }] of conversations.entries()) {
      await settle(tx, schoolId, id, expected[index] ?? [], rows.get(id) ?? [], moves);
    }
  }

  async function settle(
    tx: Transaction,
    schoolId: SchoolId,
    conversationId: ConversationId,
    expected: readonly { readonly membershipId: MembershipId; readonly reader: boolean }[],
    rows: Awaited<ReturnType<typeof listMemberRows>>,
    moves: Moves,
  ): Promise<void> {
    const active = new Map(rows.filter((row) => row.leftAt === null).map((row) => [row.membershipId, row]));
    const wanted = new Map(expected.map((person) => [person.membershipId, person]));
    const joined = expected.filter((person) => !active.has(person.membershipId));
    const left = [...active.keys()].filter((id) => !wanted.has(id));
    for (const reader of [true, false]) {
      const changed = expected.filter(
        (person) => person.reader === reader && active.get(person.membershipId)?.reader === !reader,
      );
      await changeReader(
        tx,
        schoolId,
        conversationId,
        changed.map((person) => person.membershipId),
        reader,
      );
    }
    if (joined.length === 0 && left.length === 0) return;
    await putMembers(tx, schoolId, conversationId, joined);
    await takeOutMembers(tx, schoolId, conversationId, left);
    await announceCount(tx, schoolId, conversationId);
    for (const person of joined) movesOf(moves, person.membershipId).joined.push(conversationId);
    for (const id of left) movesOf(moves, id).left.push(conversationId);
  }

  /** Whoever is gone from the school is gone from what does not follow people too: direct, hand-picked, archived. */
  async function endForThoseGone(
    tx: Transaction,
    schoolId: SchoolId,
    people: readonly MembershipId[],
    moves: Moves,
  ): Promise<void> {
    if (people.length === 0) return;
    const still = await school.activeOf(tx, schoolId, people);
    const gone = people.filter((id) => !still.has(id));
    if (gone.length === 0) return;
    const places = Map.groupBy(await listConversationsOf(tx, schoolId, gone), (row) => row.id);
    for (const [id, rows] of places) {
      const left = rows.map((row) => row.membershipId);
      await takeOutMembers(tx, schoolId, id, left);
      await announceCount(tx, schoolId, id);
      for (const membershipId of left) movesOf(moves, membershipId).left.push(id);
    }
  }

  /** Whoever was sent away by mistake is again in what does not follow people. */
  async function bringBack(
    tx: Transaction,
    schoolId: SchoolId,
    { membershipIds, leftAt }: NonNullable<PeopleChange['returned']>,
    moves: Moves,
  ): Promise<void> {
    const places = Map.groupBy(
      await returnMembers(tx, schoolId, membershipIds, leftAt),
      (row) => row.conversationId,
    );
    for (const [id, rows] of places) {
      await announceCount(tx, schoolId, id);
      for (const { membershipId } of rows) movesOf(moves, membershipId).joined.push(id);
    }
  }

  /** Groups with another name: their conversations bear it, and nobody comes or goes. */
  async function followNames(
    tx: Transaction,
    schoolId: SchoolId,
    groupIds: readonly GroupId[],
  ): Promise<void> {
    if (groupIds.length === 0) return;
    await lockOfGroups(tx, schoolId, groupIds);
    for (const { id: groupId, name: title, archivedAt } of await school.groupsOf(tx, schoolId, groupIds)) {
      for (const id of await renameConversationsOf(tx, schoolId, groupId, title, archivedAt)) {
        tx.announce(
          eventFor(
            'chat.conversationChanged',
            { conversation: id },
            { conversationId: id, title, archived: archivedAt !== null },
          ),
        );
      }
    }
  }

  /** People with another name: who shows a list with them reads it anew. Nobody lists the readers of a channel. */
  async function tellOfNames(
    tx: Transaction,
    schoolId: SchoolId,
    ids: readonly MembershipId[],
  ): Promise<void> {
    if (ids.length === 0) return;
    for (const { id, memberCount } of await listConversationsShowing(tx, schoolId, ids)) {
      tx.announce(eventFor('chat.membersChanged', { conversation: id }, { conversationId: id, memberCount }));
    }
  }

  /**
   * Staff who are not verified, or not any more, are in no chat with a pupil or a guardian, nor in one that was filled by
   * hand. Verified again they come back to whom they talked with; into the others somebody puts them anew.
   */
  async function partStaffFromMinors(
    tx: Transaction,
    schoolId: SchoolId,
    people: readonly MembershipId[],
    moves: Moves,
  ): Promise<void> {
    const facts = await school.loadFacts(tx, schoolId, people);
    const staff = [...facts.values()].filter((person) => staffRoles.some((role) => role === person.role));
    const rows = await listHandPickedOf(
      tx,
      schoolId,
      staff.map((person) => person.membershipId),
    );
    const others = await school.describeMembers(
      schoolId,
      rows.flatMap((row) => otherOf(row, row.membershipId) ?? []),
      tx,
    );
    for (const { membershipId, id, left, ...row } of rows) {
      const verified = facts.get(membershipId)?.verified === true;
      const otherId = otherOf(row, membershipId);
      const other = otherId === undefined ? undefined : others.get(otherId);
      const amongStaff = other !== undefined && staffRoles.some((role) => role === other.role);
      if (amongStaff || verified !== left || (verified && other === undefined)) continue;
      if (verified) {
        await putMembers(tx, schoolId, id, [{ membershipId, reader: false }]);
        movesOf(moves, membershipId).joined.push(id);
      } else {
        await takeOutMembers(tx, schoolId, id, [membershipId]);
        movesOf(moves, membershipId).left.push(id);
      }
      await announceCount(tx, schoolId, id);
    }
  }

  return async function followPeople(tx: Transaction, change: PeopleChange): Promise<void> {
    await createMissing(tx, change);
    await followNames(tx, change.schoolId, change.renamedGroupIds ?? []);
    await tellOfNames(tx, change.schoolId, change.renamedIds ?? []);
    await reconcile(tx, change);
  };
}

/** What no group decides passes from hand to hand. */
export const handPicked: HandPicked = {
  async list(reader, person) {
    const found = await listHandPicked(reader, person);
    return found.map(({ id, title }) => ({ conversationId: id, title }));
  },
  async handOver(tx, { schoolId, from, to }, conversationIds) {
    if (conversationIds.length === 0) return;
    const own = new Map(
      (await listHandPicked(tx, { schoolId, membershipId: from })).map((each) => [each.id, each]),
    );
    const moves: Moves = new Map();
    for (const id of new Set(conversationIds)) {
      const conversation = own.get(id);
      if (conversation === undefined) throw new CodedError('NOT_FOUND');
      const [known] = await listMemberRows(tx, schoolId, [id], [to]);
      if (known === undefined || known.leftAt !== null) {
        await putMembers(tx, schoolId, id, [{ membershipId: to, reader: conversation.reader }]);
        movesOf(moves, to).joined.push(id);
      } else if (known.reader && !conversation.reader) {
        await changeReader(tx, schoolId, id, [to], false);
      }
      await takeOutMembers(tx, schoolId, id, [from]);
      movesOf(moves, from).left.push(id);
      await announceCount(tx, schoolId, id);
    }
    announce(tx, moves);
  },
};

async function announceCount(
  tx: Transaction,
  schoolId: SchoolId,
  conversationId: ConversationId,
): Promise<void> {
  const memberCount = await refreshMemberCount(tx, schoolId, conversationId);
  tx.announce(
    eventFor('chat.membersChanged', { conversation: conversationId }, { conversationId, memberCount }),
  );
}

function movesOf(moves: Moves, membershipId: MembershipId) {
  const known = moves.get(membershipId);
  if (known !== undefined) return known;
  const fresh = { joined: [], left: [] };
  moves.set(membershipId, fresh);
  return fresh;
}

/** Rooms first, then the words: whoever hears that they joined already hears what is said. */
export function announce(tx: Transaction, moves: Moves): void {
  for (const [membershipId, { joined, left }] of moves) {
    tx.announce(signal({ name: 'conversationsChanged', membershipId, joined, left }));
    for (const conversationId of joined) {
      tx.announce(
        eventFor('chat.conversationJoined', { membership: membershipId }, { membershipId, conversationId }),
      );
    }
    for (const conversationId of left) {
      tx.announce(
        eventFor('chat.conversationLeft', { membership: membershipId }, { membershipId, conversationId }),
      );
    }
  }
}

function sameTime(a: Date | null, b: Date | null): boolean {
  return a?.getTime() === b?.getTime();
}
