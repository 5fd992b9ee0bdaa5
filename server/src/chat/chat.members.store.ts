import type { ConversationId, ConversationKind, GroupId, MembershipId, SchoolId } from '@zvonok/shared';
import { and, asc, eq, inArray, isNull, or, sql } from 'drizzle-orm';
import type { Transaction } from '../platform/database.ts';
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
          groupIds.length === 0 ? undefined : inArray(conversations.groupId, [...groupIds]),
        ),
      ),
    )
    .orderBy(asc(conversations.id))
    .for('update');
}

/** Also those who left, with their marks; of `only` these people where given. */
export async function listMemberRows(
  tx: Transaction,
  schoolId: SchoolId,
  conversationId: ConversationId,
  only: readonly MembershipId[] | undefined,
) {
  return tx
    .select()
    .from(conversationMembers)
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        eq(conversationMembers.conversationId, conversationId),
        only === undefined ? undefined : inArray(conversationMembers.membershipId, [...only]),
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
    .set({ leftAt: new Date() })
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        eq(conversationMembers.conversationId, conversationId),
        inArray(conversationMembers.membershipId, [...membershipIds]),
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
        inArray(conversationMembers.membershipId, [...membershipIds]),
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
        inArray(conversationMembers.membershipId, [...membershipIds]),
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
        inArray(conversationMembers.membershipId, [...membershipIds]),
        inArray(conversations.kind, ['direct', 'council', 'management', 'free']),
      ),
    )
    .orderBy(asc(conversations.id));
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
