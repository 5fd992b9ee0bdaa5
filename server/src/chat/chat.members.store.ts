import type { ConversationId, ConversationKind, GroupId, MembershipId, SchoolId } from '@zvonok/shared';
import { and, asc, eq, gte, inArray, isNotNull, isNull, lte, ne, or, sql } from 'drizzle-orm';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { conversationMembers, conversations } from './chat.tables.ts';

export interface NewConversation {
  readonly schoolId: SchoolId;
  readonly id: ConversationId;
  readonly kind: ConversationKind;
  readonly channel?: 'general' | 'staff';
  readonly title?: string;
  readonly groupId?: GroupId;
  readonly subject?: string;
  readonly firstId?: MembershipId;
  readonly secondId?: MembershipId;
}

/** Makes conversations; those that exist already (same group and kind, same pair, same channel) are left as they are. */
export async function insertConversations(tx: Transaction, rows: readonly NewConversation[]): Promise<void> {
  if (rows.length === 0) return;
  const createdAt = new Date();
  await tx
    .insert(conversations)
    .values(rows.map((row) => ({ ...row, createdAt })))
    .onConflictDoNothing();
}

export async function findDirect(
  tx: Transaction,
  schoolId: SchoolId,
  firstId: MembershipId,
  secondId: MembershipId,
) {
  const [row] = await tx
    .select({ id: conversations.id })
    .from(conversations)
    .where(
      and(
        eq(conversations.schoolId, schoolId),
        eq(conversations.firstId, firstId),
        eq(conversations.secondId, secondId),
      ),
    );
  return row?.id;
}

/**
 * Locks the school's own conversations and those of the given groups, in order of id: all whose members follow from
 * the people of these groups.
 */
export async function lockFollowing(
  tx: Transaction,
  schoolId: SchoolId,
  groupIds: readonly GroupId[],
  kinds: readonly ConversationKind[],
) {
  return tx
    .select()
    .from(conversations)
    .where(
      and(
        eq(conversations.schoolId, schoolId),
        or(
          inArray(conversations.kind, ['channel', 'staff', ...kinds]),
          groupIds.length === 0 ? undefined : isAmong(conversations.groupId, groupIds),
        ),
      ),
    )
    .orderBy(asc(conversations.id))
    .for('update');
}

/** The conversations of these groups, locked in order of id. */
export async function lockOfGroups(tx: Transaction, schoolId: SchoolId, groupIds: readonly GroupId[]) {
  return tx
    .select()
    .from(conversations)
    .where(and(eq(conversations.schoolId, schoolId), isAmong(conversations.groupId, groupIds)))
    .orderBy(asc(conversations.id))
    .for('update');
}

/** Also those who left, with their marks; of `only` these people where given. */
export async function listMemberRows(
  tx: Transaction,
  schoolId: SchoolId,
  conversationIds: readonly ConversationId[],
  only: readonly MembershipId[] | undefined,
) {
  return tx
    .select()
    .from(conversationMembers)
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        isAmong(conversationMembers.conversationId, conversationIds),
        only === undefined ? undefined : isAmong(conversationMembers.membershipId, only),
      ),
    );
}

/** Somebody's place in a conversation. */
export interface Place {
  readonly conversationId: ConversationId;
  readonly membershipId: MembershipId;
}

/** Places as two parameters, however many. */
const placesOf = (places: readonly Place[]) => [
  places.map((place) => place.conversationId),
  places.map((place) => place.membershipId),
];

/** As texts: the driver knows no array of truths. */
const readersOf = (people: readonly { readonly reader: boolean }[]) =>
  people.map((person) => String(person.reader));

/**
 * Puts people in; the conversations must be locked. Those who were there before come back: what was said meanwhile is not
 * unread.
 */
export async function putMembers(
  tx: Transaction,
  schoolId: SchoolId,
  people: readonly (Place & { readonly reader: boolean })[],
): Promise<void> {
  if (people.length === 0) return;
  const [conversationIds = [], membershipIds = []] = placesOf(people);
  await tx.raw`
    insert into conversation_members
      (school_id, conversation_id, membership_id, reader, joined_seq, read_seq, joined_at)
    select ${schoolId}, c.id, p.membership_id, p.reader, c.last_seq, c.last_seq, ${new Date().toISOString()}::timestamptz
    from unnest(${conversationIds}::uuid[], ${membershipIds}::uuid[], ${readersOf(people)}::text[]::boolean[])
      as p (conversation_id, membership_id, reader)
    join conversations c on c.school_id = ${schoolId} and c.id = p.conversation_id
    on conflict (school_id, conversation_id, membership_id) do update
      set left_at = null, joined_at = excluded.joined_at, joined_seq = excluded.joined_seq, read_seq = excluded.read_seq,
        reader = excluded.reader`;
}

export async function takeOutMembers(
  tx: Transaction,
  schoolId: SchoolId,
  places: readonly Place[],
): Promise<void> {
  if (places.length === 0) return;
  const [conversationIds = [], membershipIds = []] = placesOf(places);
  // The moment of the transaction, which is also when a membership ended with it.
  await tx.raw`
    update conversation_members m set left_at = now()
    from unnest(${conversationIds}::uuid[], ${membershipIds}::uuid[]) as p (conversation_id, membership_id)
    where m.school_id = ${schoolId} and m.conversation_id = p.conversation_id and m.membership_id = p.membership_id`;
}

/** Lets these people write, or read alone. */
export async function changeReader(
  tx: Transaction,
  schoolId: SchoolId,
  people: readonly (Place & { readonly reader: boolean })[],
): Promise<void> {
  if (people.length === 0) return;
  const [conversationIds = [], membershipIds = []] = placesOf(people);
  await tx.raw`
    update conversation_members m set reader = p.reader
    from unnest(${conversationIds}::uuid[], ${membershipIds}::uuid[], ${readersOf(people)}::text[]::boolean[])
      as p (conversation_id, membership_id, reader)
    where m.school_id = ${schoolId} and m.conversation_id = p.conversation_id and m.membership_id = p.membership_id`;
}

/** Counts again, so that no sequence of changes lets the number drift. */
export async function refreshMemberCounts(
  tx: Transaction,
  schoolId: SchoolId,
  ids: readonly ConversationId[],
): Promise<{ id: ConversationId; memberCount: number }[]> {
  if (ids.length === 0) return [];
  return tx.raw<{ id: ConversationId; memberCount: number }[]>`
    update conversations c set member_count = counted.members
    from (
      select i.id, count(m.membership_id) as members from unnest(${[...ids]}::uuid[]) as i (id)
      left join conversation_members m
        on m.school_id = ${schoolId} and m.conversation_id = i.id and m.left_at is null
      group by i.id
    ) counted
    where c.school_id = ${schoolId} and c.id = counted.id
    returning c.id, c.member_count as "memberCount"`;
}

/** Puts people back into what they left at that moment, with their marks; answers where. */
export async function returnMembers(
  tx: Transaction,
  schoolId: SchoolId,
  membershipIds: readonly MembershipId[],
  leftAt: Date,
): Promise<{ conversationId: ConversationId; membershipId: MembershipId }[]> {
  if (membershipIds.length === 0) return [];
  return tx
    .update(conversationMembers)
    .set({ leftAt: null })
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        isAmong(conversationMembers.membershipId, membershipIds),
        // Stored in whole milliseconds, and rounded.
        gte(conversationMembers.leftAt, leftAt),
        lte(conversationMembers.leftAt, new Date(leftAt.getTime() + 1)),
      ),
    )
    .returning({
      conversationId: conversationMembers.conversationId,
      membershipId: conversationMembers.membershipId,
    });
}

/** Conversations in whose lists any of these people are shown: all of theirs but the channels that they only read. */
export async function listConversationsShowing(
  tx: Transaction,
  schoolId: SchoolId,
  membershipIds: readonly MembershipId[],
): Promise<{ id: ConversationId; memberCount: number }[]> {
  return tx
    .selectDistinct({ id: conversations.id, memberCount: conversations.memberCount })
    .from(conversationMembers)
    .innerJoin(
      conversations,
      and(
        eq(conversations.schoolId, conversationMembers.schoolId),
        eq(conversations.id, conversationMembers.conversationId),
      ),
    )
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        isAmong(conversationMembers.membershipId, membershipIds),
        isNull(conversationMembers.leftAt),
        or(ne(conversations.kind, 'channel'), eq(conversationMembers.reader, false)),
      ),
    );
}

/** Open conversations filled by hand in which this person is. */
export async function listHandPicked(
  reader: Reader,
  { schoolId, membershipId }: { readonly schoolId: SchoolId; readonly membershipId: MembershipId },
): Promise<{ id: ConversationId; title: string | null; reader: boolean }[]> {
  return queryOf(reader)
    .select({ id: conversations.id, title: conversations.title, reader: conversationMembers.reader })
    .from(conversationMembers)
    .innerJoin(
      conversations,
      and(
        eq(conversations.schoolId, conversationMembers.schoolId),
        eq(conversations.id, conversationMembers.conversationId),
      ),
    )
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        eq(conversationMembers.membershipId, membershipId),
        isNull(conversationMembers.leftAt),
        isNull(conversations.archivedAt),
        inArray(conversations.kind, ['council', 'management', 'free']),
      ),
    )
    .orderBy(asc(conversations.title), asc(conversations.id));
}

/** Where these people are members now. */
export async function listConversationsOf(
  tx: Transaction,
  schoolId: SchoolId,
  membershipIds: readonly MembershipId[],
) {
  return tx
    .select({
      conversationId: conversationMembers.conversationId,
      membershipId: conversationMembers.membershipId,
    })
    .from(conversationMembers)
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        isAmong(conversationMembers.membershipId, membershipIds),
        isNull(conversationMembers.leftAt),
      ),
    )
    .orderBy(asc(conversationMembers.conversationId));
}

/** The conversations of archived groups in which these people are now. */
export async function listArchivedOf(
  tx: Transaction,
  schoolId: SchoolId,
  membershipIds: readonly MembershipId[],
): Promise<(Place & { readonly groupId: GroupId })[]> {
  return tx
    .select({
      conversationId: conversationMembers.conversationId,
      membershipId: conversationMembers.membershipId,
      groupId: sql<GroupId>`${conversations.groupId}`,
    })
    .from(conversationMembers)
    .innerJoin(
      conversations,
      and(
        eq(conversations.schoolId, conversationMembers.schoolId),
        eq(conversations.id, conversationMembers.conversationId),
      ),
    )
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        isAmong(conversationMembers.membershipId, membershipIds),
        isNull(conversationMembers.leftAt),
        isNotNull(conversations.groupId),
        isNotNull(conversations.archivedAt),
      ),
    )
    .orderBy(asc(conversationMembers.conversationId));
}

/** The conversations that these people were put into by hand or opened between two, also those that they left. */
export async function listHandPickedOf(
  tx: Transaction,
  schoolId: SchoolId,
  membershipIds: readonly MembershipId[],
) {
  if (membershipIds.length === 0) return [];
  return tx
    .select({
      id: conversations.id,
      kind: conversations.kind,
      firstId: conversations.firstId,
      secondId: conversations.secondId,
      membershipId: conversationMembers.membershipId,
      left: sql<boolean>`${conversationMembers.leftAt} is not null`,
    })
    .from(conversationMembers)
    .innerJoin(
      conversations,
      and(
        eq(conversations.schoolId, conversationMembers.schoolId),
        eq(conversations.id, conversationMembers.conversationId),
      ),
    )
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        isAmong(conversationMembers.membershipId, membershipIds),
        inArray(conversations.kind, ['direct', 'council', 'management', 'free']),
      ),
    )
    .orderBy(asc(conversations.id));
}

/** All conversations of these groups bear their names and their states; answers which. They must be locked. */
export async function renameConversationsOf(
  tx: Transaction,
  schoolId: SchoolId,
  groups: readonly { readonly id: GroupId; readonly name: string; readonly archivedAt: Date | null }[],
): Promise<{ id: ConversationId; title: string; archived: boolean }[]> {
  if (groups.length === 0) return [];
  return tx.raw<{ id: ConversationId; title: string; archived: boolean }[]>`
    update conversations c set title = g.name, archived_at = g.archived_at
    from unnest(${groups.map((group) => group.id)}::uuid[], ${groups.map((group) => group.name)}::text[],
      ${groups.map((group) => group.archivedAt?.toISOString() ?? null)}::text[]::timestamptz[]) as g (id, name, archived_at)
    where c.school_id = ${schoolId} and c.group_id = g.id
    returning c.id, c.title, c.archived_at is not null as archived`;
}
