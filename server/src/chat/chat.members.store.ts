import type { ConversationId, ConversationKind, GroupId, MembershipId, SchoolId } from '@zvonok/shared';
import { and, asc, eq, gte, inArray, isNull, lte, ne, or, sql } from 'drizzle-orm';
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

/** Puts people in. Those who were there before come back: what was said meanwhile is not unread. */
export async function putMembers(
  tx: Transaction,
  schoolId: SchoolId,
  conversationId: ConversationId,
  people: readonly { readonly membershipId: MembershipId; readonly reader: boolean }[],
): Promise<void> {
  if (people.length === 0) return;
  const [counters] = await tx
    .select({ lastSeq: conversations.lastSeq })
    .from(conversations)
    .where(and(eq(conversations.schoolId, schoolId), eq(conversations.id, conversationId)));
  const joinedSeq = counters?.lastSeq ?? 0;
  const joinedAt = new Date();
  await tx
    .insert(conversationMembers)
    .values(
      people.map((person) => ({
        schoolId,
        conversationId,
        ...person,
        joinedSeq,
        readSeq: joinedSeq,
        joinedAt,
      })),
    )
    .onConflictDoUpdate({
      target: [
        conversationMembers.schoolId,
        conversationMembers.conversationId,
        conversationMembers.membershipId,
      ],
      set: { leftAt: null, joinedAt, joinedSeq, readSeq: joinedSeq, reader: sql`excluded.reader` },
    });
}

export async function takeOutMembers(
  tx: Transaction,
  schoolId: SchoolId,
  conversationId: ConversationId,
  membershipIds: readonly MembershipId[],
): Promise<void> {
  if (membershipIds.length === 0) return;
  await tx
    .update(conversationMembers)
    // The moment of the transaction, which is also when a membership ended with it.
    .set({ leftAt: sql`now()` })
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        eq(conversationMembers.conversationId, conversationId),
        isAmong(conversationMembers.membershipId, membershipIds),
      ),
    );
}

export async function changeReader(
  tx: Transaction,
  schoolId: SchoolId,
  conversationId: ConversationId,
  membershipIds: readonly MembershipId[],
  reader: boolean,
): Promise<void> {
  if (membershipIds.length === 0) return;
  await tx
    .update(conversationMembers)
    .set({ reader })
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        eq(conversationMembers.conversationId, conversationId),
        isAmong(conversationMembers.membershipId, membershipIds),
      ),
    );
}

/** Counts again, so that no sequence of changes lets the number drift. */
export async function refreshMemberCount(
  tx: Transaction,
  schoolId: SchoolId,
  id: ConversationId,
): Promise<number> {
  const [row] = await tx
    .update(conversations)
    .set({
      memberCount: sql`(select count(*) from conversation_members m where m.school_id = ${schoolId}
        and m.conversation_id = ${id} and m.left_at is null)`,
    })
    .where(and(eq(conversations.schoolId, schoolId), eq(conversations.id, id)))
    .returning({ memberCount: conversations.memberCount });
  return row?.memberCount ?? 0;
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
    .select({ id: conversationMembers.conversationId, membershipId: conversationMembers.membershipId })
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

/** All conversations of a group bear its name and its state; answers which. They must be locked. */
export async function renameConversationsOf(
  tx: Transaction,
  schoolId: SchoolId,
  groupId: GroupId,
  title: string,
  archivedAt: Date | null,
): Promise<ConversationId[]> {
  const rows = await tx
    .update(conversations)
    .set({ title, archivedAt })
    .where(and(eq(conversations.schoolId, schoolId), eq(conversations.groupId, groupId)))
    .returning({ id: conversations.id });
  return rows.map((row) => row.id);
}

export async function renameConversation(
  tx: Transaction,
  schoolId: SchoolId,
  id: ConversationId,
  title: string,
  archivedAt: Date | null,
): Promise<void> {
  await tx
    .update(conversations)
    .set({ title, archivedAt })
    .where(and(eq(conversations.schoolId, schoolId), eq(conversations.id, id)));
}
