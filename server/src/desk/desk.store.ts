import type { AccountId, ApplicationForm, ApplicationId, ApplicationState } from '@zvonok/shared';
import { and, asc, count, desc, eq, gt, inArray, isNull, lt, or, sql } from 'drizzle-orm';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { applicationOrders, applications, type OrderType, operators } from './desk.tables.ts';

export type StoredApplication = typeof applications.$inferSelect & { readonly orderFile: string | null };

export async function isOperator(reader: Reader, accountId: AccountId): Promise<boolean> {
  const rows = await queryOf(reader)
    .select({ id: operators.accountId })
    .from(operators)
    .where(and(eq(operators.accountId, accountId), isNull(operators.removedAt)));
  return rows.length > 0;
}

/** Asked again it changes the name, and lets one in again who was removed. */
export async function addOperator(tx: Transaction, accountId: AccountId, fullName: string): Promise<void> {
  await tx
    .insert(operators)
    .values({ accountId, fullName })
    .onConflictDoUpdate({ target: operators.accountId, set: { fullName, removedAt: null } });
}

/** False where they were none. Their decisions keep their name: the row stays, closed. */
export async function removeOperator(tx: Transaction, accountId: AccountId): Promise<boolean> {
  const rows = await tx
    .update(operators)
    .set({ removedAt: sql`now()` })
    .where(and(eq(operators.accountId, accountId), isNull(operators.removedAt)))
    .returning({ id: operators.accountId });
  return rows.length > 0;
}

/** Undefined where the token is known already. */
export async function addApplication(
  tx: Transaction,
  application: ApplicationForm & { readonly id: ApplicationId; readonly tokenHash: string },
): Promise<StoredApplication | undefined> {
  const [row] = await tx
    .insert(applications)
    .values(application)
    .onConflictDoNothing({ target: applications.tokenHash })
    .returning();
  return row === undefined ? undefined : { ...row, orderFile: null };
}

const withOrder = (reader: Reader) =>
  queryOf(reader)
    .select({ application: applications, orderFile: applicationOrders.name })
    .from(applications)
    .leftJoin(applicationOrders, eq(applicationOrders.applicationId, applications.id))
    .$dynamic();

export async function findByToken(reader: Reader, tokenHash: string): Promise<StoredApplication | undefined> {
  const [row] = await withOrder(reader).where(eq(applications.tokenHash, tokenHash));
  return row && { ...row.application, orderFile: row.orderFile };
}

export async function findApplication(
  reader: Reader,
  id: ApplicationId,
): Promise<StoredApplication | undefined> {
  const [row] = await withOrder(reader).where(eq(applications.id, id));
  return row && { ...row.application, orderFile: row.orderFile };
}

/** Of two who decide at once the second waits here, and then finds it decided. */
export async function lockApplication(
  tx: Transaction,
  id: ApplicationId,
): Promise<StoredApplication | undefined> {
  const found = await tx
    .select({ id: applications.id })
    .from(applications)
    .where(eq(applications.id, id))
    .for('update');
  return found.length === 0 ? undefined : findApplication(tx, id);
}

/** Not decided yet. */
export const isWaiting = (state: ApplicationState): boolean =>
  state === 'submitted' || state === 'questioned';

/** A page of one state: the waiting by age, the decided with the newest first. */
export async function listApplications(
  reader: Reader,
  { state, after, limit }: { state: ApplicationState; after: ApplicationId | undefined; limit: number },
): Promise<{ rows: StoredApplication[]; hasMore: boolean }> {
  const waiting = isWaiting(state);
  const beyond =
    after === undefined ? undefined : waiting ? gt(applications.id, after) : lt(applications.id, after);
  const rows = await withOrder(reader)
    .where(and(eq(applications.state, state), beyond))
    .orderBy(waiting ? asc(applications.id) : desc(applications.id))
    .limit(limit + 1);
  return {
    rows: rows.slice(0, limit).map((row) => ({ ...row.application, orderFile: row.orderFile })),
    hasMore: rows.length > limit,
  };
}

export async function countApplications(reader: Reader): Promise<Record<ApplicationState, number>> {
  const rows = await queryOf(reader)
    .select({ state: applications.state, count: count() })
    .from(applications)
    .groupBy(applications.state);
  return {
    submitted: 0,
    questioned: 0,
    approved: 0,
    declined: 0,
    ...Object.fromEntries(rows.map((row) => [row.state, row.count])),
  };
}

/** Names of the other applications with the same register id or phone, by application. */
export async function listSimilar(
  reader: Reader,
  of: readonly Pick<StoredApplication, 'id' | 'registerId' | 'adminPhone'>[],
): Promise<Map<ApplicationId, string[]>> {
  if (of.length === 0) return new Map();
  const rows = await queryOf(reader)
    .select({
      id: applications.id,
      registerId: applications.registerId,
      adminPhone: applications.adminPhone,
      schoolName: applications.schoolName,
    })
    .from(applications)
    .where(
      or(
        inArray(
          applications.registerId,
          of.map((each) => each.registerId),
        ),
        inArray(
          applications.adminPhone,
          of.map((each) => each.adminPhone),
        ),
      ),
    )
    .orderBy(asc(applications.id));
  return new Map(
    of.map((each) => [
      each.id,
      rows
        .filter(
          (row) =>
            row.id !== each.id && (row.registerId === each.registerId || row.adminPhone === each.adminPhone),
        )
        .map((row) => row.schoolName),
    ]),
  );
}

export async function changeApplication(
  tx: Transaction,
  id: ApplicationId,
  change: Partial<
    Pick<
      typeof applications.$inferInsert,
      'state' | 'note' | 'answer' | 'decidedAt' | 'decidedBy' | 'schoolId'
    >
  >,
): Promise<void> {
  await tx.update(applications).set(change).where(eq(applications.id, id));
}

/** A later scan takes the place of an earlier one. */
export async function putOrder(
  tx: Transaction,
  order: { applicationId: ApplicationId; name: string; type: OrderType; bytes: Buffer },
): Promise<void> {
  const { name, type, bytes } = order;
  await tx
    .insert(applicationOrders)
    .values(order)
    .onConflictDoUpdate({
      target: applicationOrders.applicationId,
      set: { name, type, bytes, attachedAt: sql`now()` },
    });
}

export async function removeOrder(tx: Transaction, applicationId: ApplicationId): Promise<void> {
  await tx.delete(applicationOrders).where(eq(applicationOrders.applicationId, applicationId));
}

export async function findOrder(reader: Reader, applicationId: ApplicationId) {
  const [row] = await queryOf(reader)
    .select()
    .from(applicationOrders)
    .where(eq(applicationOrders.applicationId, applicationId));
  return row;
}
