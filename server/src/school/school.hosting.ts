import type { AccountId, HostedSchool, MembershipId, SchoolId } from '@zvonok/shared';
import { and, asc, eq, gt, ilike, isNull, or, sql } from 'drizzle-orm';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { eventFor, signal } from '../platform/outbound.ts';
import { describeSchool } from './school.store.ts';
import { memberships, schools } from './school.tables.ts';

/** How the operator lets schools be here: none of it touches people or content. */
export const hosting = {
  /** By name, those whose name or id holds the words; undefined where `after` is no school. */
  async listHosted(
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
  },

  /** Its people leave every room of it, in chats and in calls; they stay signed in. Suspending again changes the reason alone. */
  async suspend(tx: Transaction, schoolId: SchoolId, reason: string): Promise<HostedSchool | undefined> {
    const changed = await tx
      .update(schools)
      .set({ suspendedAt: sql`coalesce(${schools.suspendedAt}, now())`, suspendReason: reason })
      .where(eq(schools.id, schoolId))
      .returning();
    const school = changed[0];
    if (school === undefined) return undefined;
    tx.announce(eventFor('school.schoolChanged', { school: schoolId }, { school: describeSchool(school) }));
    const people = await listPeople(tx, schoolId);
    tx.announce(
      signal({ name: 'membershipEnded', membershipIds: people.map((person) => person.membershipId) }),
    );
    return findHosted(tx, schoolId);
  },

  async resume(tx: Transaction, schoolId: SchoolId): Promise<HostedSchool | undefined> {
    const changed = await tx
      .update(schools)
      .set({ suspendedAt: null, suspendReason: null })
      .where(eq(schools.id, schoolId))
      .returning();
    const school = changed[0];
    if (school === undefined) return undefined;
    const people = await listPeople(tx, schoolId);
    tx.announce(
      signal({ name: 'membershipChanged', membershipIds: people.map((person) => person.membershipId) }),
    );
    // Nobody hears the rooms of the school: each account is told by itself.
    for (const accountId of new Set(people.map((person) => person.accountId))) {
      tx.announce(signal({ name: 'membershipsStarted', accountId }));
      tx.announce(
        eventFor('school.schoolChanged', { account: accountId }, { school: describeSchool(school) }),
      );
    }
    return findHosted(tx, schoolId);
  },
};

/** Whether the school's people may do anything in it now. */
export async function isOpen(reader: Reader, schoolId: SchoolId): Promise<boolean> {
  const rows = await queryOf(reader)
    .select({ id: schools.id })
    .from(schools)
    .where(and(eq(schools.id, schoolId), isNull(schools.suspendedAt)));
  return rows.length > 0;
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

async function findHosted(reader: Reader, schoolId: SchoolId): Promise<HostedSchool | undefined> {
  const [row] = await hosted(reader).where(eq(schools.id, schoolId));
  return row && describeHosted(row);
}

function describeHosted(row: Awaited<ReturnType<typeof hosted>>[number]): HostedSchool {
  return {
    ...row,
    createdAt: row.createdAt.toISOString(),
    suspendedAt: row.suspendedAt?.toISOString() ?? null,
  };
}

function listPeople(
  tx: Transaction,
  schoolId: SchoolId,
): Promise<{ membershipId: MembershipId; accountId: AccountId }[]> {
  return tx
    .select({ membershipId: memberships.id, accountId: memberships.accountId })
    .from(memberships)
    .where(and(eq(memberships.schoolId, schoolId), isNull(memberships.endedAt)));
}
