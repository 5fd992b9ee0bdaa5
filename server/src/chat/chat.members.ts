import { type ConversationId, type MembershipId, type SchoolId, staffRoles } from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../platform/database.ts';
import { eventFor, signal } from '../platform/outbound.ts';
import type { PeopleChange } from '../school/index.ts';
import {
  changeReader,
  insertConversations,
  listConversationsOf,
  listHandPickedOf,
  listMemberRows,
  lockFollowing,
  type NewConversation,
  putMembers,
  refreshMemberCount,
  renameConversation,
  takeOutMembers,
} from './chat.members.store.ts';
import { otherOf } from './chat.policy.ts';
import type { ChatNeighbours } from './index.ts';

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
    for (const conversation of following) {
      const group = conversation.groupId === null ? undefined : groups.get(conversation.groupId);
      if (
        group !== undefined &&
        (group.name !== conversation.title || !sameTime(group.archivedAt, conversation.archivedAt))
      ) {
        await renameConversation(tx, schoolId, conversation.id, group.name, group.archivedAt);
        tx.announce(
          eventFor(
            'chat.conversationChanged',
            { conversation: conversation.id },
            { conversationId: conversation.id, title: group.name, archived: group.archivedAt !== null },
          ),
        );
      }
      // What a closed group said stays readable for those who were in it.
      if (group !== undefined && group.archivedAt !== null) continue;
      const wholeConversation =
        change.schoolCreated === true ||
        change.kinds?.includes(conversation.kind) === true ||
        (conversation.groupId !== null && change.groupIds?.includes(conversation.groupId) === true);
      const only = wholeConversation ? undefined : people;
      if (only?.length === 0) continue;
      const expected = await school.expectedMembersOf(tx, conversation, only);
      await settleMembers(tx, schoolId, conversation.id, expected, only, moves);
    }
    await endForThoseGone(tx, schoolId, people, moves);
    await partStaffFromMinors(tx, schoolId, people, moves);
    announce(tx, moves);
  }

  async function settleMembers(
    tx: Transaction,
    schoolId: SchoolId,
    conversationId: ConversationId,
    expected: readonly { readonly membershipId: MembershipId; readonly reader: boolean }[],
    only: readonly MembershipId[] | undefined,
    moves: Moves,
  ): Promise<void> {
    const rows = await listMemberRows(tx, schoolId, conversationId, only);
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
    for (const { id, membershipId } of await listConversationsOf(tx, schoolId, gone)) {
      await takeOutMembers(tx, schoolId, id, [membershipId]);
      await announceCount(tx, schoolId, id);
      movesOf(moves, membershipId).left.push(id);
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
    await reconcile(tx, change);
  };
}

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
