import type { CallId, ConversationId, MembershipId, SchoolId } from '@zvonok/shared';
import { and, eq, inArray, isNull, lt } from 'drizzle-orm';
import { type Database, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { callRemovals, calls } from './calls.tables.ts';

export type StoredCall = typeof calls.$inferSelect;

export async function insertCall(
  tx: Transaction,
  call: Pick<StoredCall, 'schoolId' | 'id' | 'conversationId' | 'startedBy' | 'startedAt'>,
): Promise<StoredCall> {
  const row: StoredCall = { ...call, activeAt: call.startedAt, endedAt: null, endedBy: null };
  await tx.insert(calls).values(row);
  return row;
}

export async function findCall(
  reader: Reader,
  schoolId: SchoolId,
  id: CallId,
): Promise<StoredCall | undefined> {
  const [row] = await queryOf(reader)
    .select()
    .from(calls)
    .where(and(eq(calls.schoolId, schoolId), eq(calls.id, id)));
  return row;
}

export async function findLiveCall(
  reader: Reader,
  schoolId: SchoolId,
  conversationId: ConversationId,
): Promise<StoredCall | undefined> {
  const [row] = await queryOf(reader)
    .select()
    .from(calls)
    .where(
      and(eq(calls.schoolId, schoolId), eq(calls.conversationId, conversationId), isNull(calls.endedAt)),
    );
  return row;
}

/** Undefined where it had ended before. */
export async function endLiveCall(
  tx: Transaction,
  schoolId: SchoolId,
  id: CallId,
  end: { readonly endedAt: Date; readonly endedBy: MembershipId | null },
): Promise<StoredCall | undefined> {
  const [row] = await tx
    .update(calls)
    .set(end)
    .where(and(eq(calls.schoolId, schoolId), eq(calls.id, id), isNull(calls.endedAt)))
    .returning();
  return row;
}

export async function touchCalls(database: Database, ids: readonly CallId[], at: Date): Promise<void> {
  if (ids.length === 0) return;
  // By id alone, which is unique among all schools: a node tells of all the rooms it holds in one statement.
  await database.db
    .update(calls)
    .set({ activeAt: at })
    .where(and(inArray(calls.id, [...ids]), isNull(calls.endedAt)));
}

/** Live calls of any school that nobody has been in since. */
export async function listDeserted(database: Database, since: Date, limit: number): Promise<StoredCall[]> {
  return database.db
    .select()
    .from(calls)
    .where(and(isNull(calls.endedAt), lt(calls.activeAt, since)))
    .limit(limit);
}

export async function isRemoved(
  reader: Reader,
  schoolId: SchoolId,
  callId: CallId,
  membershipId: MembershipId,
): Promise<boolean> {
  const rows = await queryOf(reader)
    .select({ at: callRemovals.removedAt })
    .from(callRemovals)
    .where(
      and(
        eq(callRemovals.schoolId, schoolId),
        eq(callRemovals.callId, callId),
        eq(callRemovals.membershipId, membershipId),
      ),
    );
  return rows.length > 0;
}

export async function insertRemoval(
  tx: Transaction,
  removal: typeof callRemovals.$inferInsert,
): Promise<void> {
  await tx.insert(callRemovals).values(removal).onConflictDoNothing();
}

export async function deleteRemoval(
  tx: Transaction,
  schoolId: SchoolId,
  callId: CallId,
  membershipId: MembershipId,
): Promise<void> {
  await tx
    .delete(callRemovals)
    .where(
      and(
        eq(callRemovals.schoolId, schoolId),
        eq(callRemovals.callId, callId),
        eq(callRemovals.membershipId, membershipId),
      ),
    );
}
