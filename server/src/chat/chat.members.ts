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
  listArchivedOf,
  listConversationsOf,
  listConversationsShowing,
  listHandPicked,
  listHandPickedOf,
  listMemberRows,
  lockFollowing,
  lockOfGroups,
  type NewConversation,
  type Place,
  putMembers,
  refreshMemberCounts,
  renameConversationsOf,
  returnMembers,
  takeOutMembers,
} from './chat.members.store.ts';
import { otherOf } from './chat.policy.ts';
import type { ChatNeighbours } from './index.ts';

type Joining = Place & { readonly reader: boolean };
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
    const renamed = new Set<GroupId>();
    for (const conversation of following) {
      const group = conversation.groupId === null ? undefined : groups.get(conversation.groupId);
      const { title, archivedAt } = conversation;
      if (group !== undefined && !(group.name === title && sameTime(group.archivedAt, archivedAt))) {
        renamed.add(group.id);
      }
      // What a closed group said stays readable for those who were in it, unless they lost what let them.
      if (group !== undefined && group.archivedAt !== null) continue;
      const asWhole =
        change.schoolCreated === true ||
        change.kinds?.includes(conversation.kind) === true ||
        (conversation.groupId !== null && change.groupIds?.includes(conversation.groupId) === true);
      (asWhole ? whole : partly).push(conversation);
    }
    await giveNames(
      tx,
      schoolId,
      [...renamed].flatMap((id) => groups.get(id) ?? []),
    );
    await settleMembers(tx, schoolId, whole, undefined, moves);
    if (people.length > 0) await settleMembers(tx, schoolId, partly, people, moves);
    await endForThoseGone(tx, schoolId, people, moves);
    await leaveWhereBarred(tx, schoolId, people, moves);
    await partStaffFromMinors(tx, schoolId, people, moves);
    announce(tx, moves);
  }

  /** The name and the state of a conversation are its group's. The conversations must be locked. */
  async function giveNames(
    tx: Transaction,
    schoolId: SchoolId,
    groups: readonly {
      readonly id: GroupId;
      readonly name: string;
      readonly archivedAt: Date | null;
    }[],
  ): Promise<void> {
    for (const { id, title, archived } of await renameConversationsOf(tx, schoolId, groups)) {
      tx.announce(
        eventFor('chat.conversationChanged', { conversation: id }, { conversationId: id, title, archived }),
      );
    }
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
    const joined: Joining[] = [];
    const left: Place[] = [];
    const changed: Joining[] = [];
    for (const [index, { id: conversationId }] of conversations.entries()) {
      const active = new Map(
        (rows.get(conversationId) ?? [])
          .filter((row) => row.leftAt === null)
          .map((row) => [row.membershipId, row.reader]),
      );
      for (const { membershipId, reader } of expected[index] ?? []) {
        const was = active.get(membershipId);
        if (was === undefined) joined.push({ conversationId, membershipId, reader });
        else if (was !== reader) changed.push({ conversationId, membershipId, reader });
        active.delete(membershipId);
      }
      for (const membershipId of active.keys()) left.push({ conversationId, membershipId });
    }
    await changeReader(tx, schoolId, changed);
    await moveMembers(tx, schoolId, { joined, left }, moves);
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
    const left = await listConversationsOf(tx, schoolId, gone);
    await moveMembers(tx, schoolId, { joined: [], left }, moves);
  }

  /** Nobody is settled in archived groups: whoever may not be with their people any more goes, and stays away. */
  async function leaveWhereBarred(
    tx: Transaction,
    schoolId: SchoolId,
    people: readonly MembershipId[],
    moves: Moves,
  ): Promise<void> {
    if (people.length === 0) return;
    const places = await listArchivedOf(tx, schoolId, people);
    const left = await school.barredFrom(tx, schoolId, places);
    await moveMembers(tx, schoolId, { joined: [], left }, moves);
  }

  /** Whoever was sent away by mistake is again in what does not follow people. */
  async function bringBack(
    tx: Transaction,
    schoolId: SchoolId,
    { membershipIds, leftAt }: NonNullable<PeopleChange['returned']>,
    moves: Moves,
  ): Promise<void> {
    const places = await returnMembers(tx, schoolId, membershipIds, leftAt);
    await announceCounts(tx, schoolId, places);
    for (const { conversationId, membershipId } of places) {
      movesOf(moves, membershipId).joined.push(conversationId);
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
    await giveNames(tx, schoolId, await school.groupsOf(tx, schoolId, groupIds));
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
    const joined: Joining[] = [];
    const parted: Place[] = [];
    for (const { membershipId, id: conversationId, left, ...row } of rows) {
      const verified = facts.get(membershipId)?.verified === true;
      const otherId = otherOf(row, membershipId);
      const other = otherId === undefined ? undefined : others.get(otherId);
      const amongStaff = other !== undefined && staffRoles.some((role) => role === other.role);
      if (amongStaff || verified !== left || (verified && other === undefined)) continue;
      if (verified) joined.push({ conversationId, membershipId, reader: false });
      else parted.push({ conversationId, membershipId });
    }
    await moveMembers(tx, schoolId, { joined, left: parted }, moves);
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
    const ids = [...new Set(conversationIds)];
    const known = new Map(
      (await listMemberRows(tx, schoolId, ids, [to])).map((row) => [row.conversationId, row]),
    );
    const joined: Joining[] = [];
    const changed: Joining[] = [];
    for (const conversationId of ids) {
      const conversation = own.get(conversationId);
      if (conversation === undefined) throw new CodedError('NOT_FOUND');
      const place = { conversationId, membershipId: to, reader: conversation.reader };
      const row = known.get(conversationId);
      if (row === undefined || row.leftAt !== null) joined.push(place);
      else if (row.reader && !conversation.reader) changed.push(place);
    }
    const left = ids.map((conversationId) => ({ conversationId, membershipId: from }));
    const moves: Moves = new Map();
    await changeReader(tx, schoolId, changed);
    await moveMembers(tx, schoolId, { joined, left }, moves);
    announce(tx, moves);
  },
};

/** Takes people out and puts people in, and notes it for each of them. */
async function moveMembers(
  tx: Transaction,
  schoolId: SchoolId,
  { joined, left }: { readonly joined: readonly Joining[]; readonly left: readonly Place[] },
  moves: Moves,
): Promise<void> {
  await putMembers(tx, schoolId, joined);
  await takeOutMembers(tx, schoolId, left);
  await announceCounts(tx, schoolId, [...joined, ...left]);
  for (const place of joined) movesOf(moves, place.membershipId).joined.push(place.conversationId);
  for (const place of left) movesOf(moves, place.membershipId).left.push(place.conversationId);
}

/** Tells how many are now in each conversation of these places. */
async function announceCounts(tx: Transaction, schoolId: SchoolId, places: readonly Place[]): Promise<void> {
  const ids = [...new Set(places.map((place) => place.conversationId))];
  for (const { id, memberCount } of await refreshMemberCounts(tx, schoolId, ids)) {
    tx.announce(eventFor('chat.membersChanged', { conversation: id }, { conversationId: id, memberCount }));
  }
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
