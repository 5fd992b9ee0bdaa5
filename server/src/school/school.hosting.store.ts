import type { AccountId, HostedSchool, MembershipId, Role, SchoolId } from '@zvonok/shared';
import { and, asc, eq, gt, ilike, isNull, or, sql } from 'drizzle-orm';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import type { StoredSchool } from './school.store.ts';
import { memberships, schools } from './school.tables.ts';

/** By name, those whose name or id holds the words; undefined where `after` is no school. */
export async function listHosted(
  reader: Reader,
  input: { search: string | undefined; after: SchoolId | undefined; limit: number },
): Promise<HostedSchool[] | undefined> {
  const { search, after, limit } = input;
  const [mark] =
    after === undefined
      ? []
      : await queryOf(reader).select({ name: schools.name }).from(schools).where(eq(schools.id, after));
  if (after !== undefined && mark === undefined) return undefined;
  const words =
    search === undefined || search === '' ? undefined : `%${search.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const rows = await hosted(reader)
    .where(
      and(
        words === undefined
          ? undefined
          : or(ilike(schools.name, words), ilike(sql`${schools.id}::text`, words)),
        mark === undefined || after === undefined
          ? undefined
          : or(gt(schools.name, mark.name), and(eq(schools.name, mark.name), gt(schools.id, after))),
      ),
    )
    .orderBy(asc(schools.name), asc(schools.id))
    .limit(limit);
  return rows.map(describeHosted);
}

export async function findHosted(reader: Reader, schoolId: SchoolId): Promise<HostedSchool | undefined> {
  const [row] = await hosted(reader).where(eq(schools.id, schoolId));
  return row && describeHosted(row);
}

/** Null opens it. A school that is suspended already stays so since then. */
export async function setSuspension(
  tx: Transaction,
  schoolId: SchoolId,
  reason: string | null,
): Promise<StoredSchool | undefined> {
  const [row] = await tx
    .update(schools)
    .set({
      suspendedAt: reason === null ? null : sql`coalesce(${schools.suspendedAt}, now())`,
      suspendReason: reason,
    })
    .where(eq(schools.id, schoolId))
    .returning();
  return row;
}

/** Whether the school's people may do anything in it now. */
export async function isOpen(reader: Reader, schoolId: SchoolId): Promise<boolean> {
  const rows = await queryOf(reader)
    .select({ id: schools.id })
    .from(schools)
    .where(and(eq(schools.id, schoolId), isNull(schools.suspendedAt)));
  return rows.length > 0;
}

/** Active memberships; of one role, where given. */
export function listPeople(
  tx: Transaction,
  schoolId: SchoolId,
  role?: Role,
): Promise<{ membershipId: MembershipId; accountId: AccountId }[]> {
  return tx
    .select({ membershipId: memberships.id, accountId: memberships.accountId })
    .from(memberships)
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        isNull(memberships.endedAt),
        role === undefined ? undefined : eq(memberships.role, role),
      ),
    );
}

const hosted = (reader: Reader) =>
  queryOf(reader)
    .select({
      id: schools.id,
      name: schools.name,
      vocabulary: schools.vocabulary,
      createdAt: schools.createdAt,
      suspendedAt: schools.suspendedAt,
      suspendReason: schools.suspendReason,
      // By name: the builder leaves the table out of columns where it selects from one table alone.
      memberCount: sql<number>`(
        select count(*)::int from memberships m where m.school_id = schools.id and m.ended_at is null)`,
    })
    .from(schools)
    .$dynamic();

const describeHosted = (row: Awaited<ReturnType<typeof hosted>>[number]): HostedSchool => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
  suspendedAt: row.suspendedAt?.toISOString() ?? null,
});
