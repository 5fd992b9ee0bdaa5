import type { Attachment, GroupId, MembershipId, RolloverId, SchoolId } from '@zvonok/shared';
import { and, asc, desc, eq, isNull, sql } from 'drizzle-orm';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { type RolloverRecord, rollovers } from './school.movement.tables.ts';
import { type StoredGroup, verificationJoin } from './school.store.ts';
import { groups, memberships, teacherAttachments, verifications } from './school.tables.ts';

/** A rollover with the name of whoever did it. */
export type StoredRollover = typeof rollovers.$inferSelect & { readonly appliedByName: string };

/** Every group of the school that is not archived. `lock`: nobody joins, leaves or renames one meanwhile. */
export async function listOpenGroups(
  reader: Reader,
  schoolId: SchoolId,
  { lock }: { readonly lock: boolean },
): Promise<StoredGroup[]> {
  const query = queryOf(reader)
    .select()
    .from(groups)
    .where(and(eq(groups.schoolId, schoolId), isNull(groups.archivedAt)))
    .orderBy(asc(groups.id));
  return lock ? query.for('update') : query;
}

/** Groups, archived ones too; they stay as they are until the transaction ends. */
export async function lockGroups(
  tx: Transaction,
  schoolId: SchoolId,
  ids: readonly GroupId[],
): Promise<StoredGroup[]> {
  if (ids.length === 0) return [];
  return tx
    .select()
    .from(groups)
    .where(and(eq(groups.schoolId, schoolId), isAmong(groups.id, ids)))
    .orderBy(asc(groups.id))
    .for('update');
}

/** Who teaches the open classes, active teachers alone. */
export async function listClassTeachers(
  reader: Reader,
  schoolId: SchoolId,
): Promise<(Attachment & { membershipId: MembershipId; fullName: string })[]> {
  const rows = await queryOf(reader)
    .select({
      membershipId: teacherAttachments.membershipId,
      fullName: memberships.fullName,
      groupId: teacherAttachments.groupId,
      kind: teacherAttachments.kind,
      subject: teacherAttachments.subject,
    })
    .from(teacherAttachments)
    .innerJoin(
      memberships,
      and(
        eq(memberships.schoolId, teacherAttachments.schoolId),
        eq(memberships.id, teacherAttachments.membershipId),
      ),
    )
    .innerJoin(
      groups,
      and(eq(groups.schoolId, teacherAttachments.schoolId), eq(groups.id, teacherAttachments.groupId)),
    )
    .where(
      and(eq(teacherAttachments.schoolId, schoolId), isNull(memberships.endedAt), isNull(groups.archivedAt)),
    )
    .orderBy(asc(teacherAttachments.kind), asc(teacherAttachments.subject), asc(memberships.fullName));
  return rows.map((row) => ({ ...row, subject: row.kind === 'subject' ? row.subject : null }));
}

/** Active verified teachers by id. */
export async function listVerifiedTeachers(
  reader: Reader,
  schoolId: SchoolId,
): Promise<Map<MembershipId, string>> {
  const rows = await queryOf(reader)
    .select({ id: memberships.id, fullName: memberships.fullName })
    .from(memberships)
    .innerJoin(verifications, verificationJoin())
    .where(
      and(eq(memberships.schoolId, schoolId), eq(memberships.role, 'teacher'), isNull(memberships.endedAt)),
    );
  return new Map(rows.map((row) => [row.id, row.fullName]));
}

/** A name that no class can have: each of several classes may then take the name that another one gives up. */
export async function freeNames(tx: Transaction, schoolId: SchoolId, ids: readonly GroupId[]): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .update(groups)
    .set({ name: sql`'~' || ${groups.id}::text` })
    .where(and(eq(groups.schoolId, schoolId), isAmong(groups.id, ids)));
}

/** Gives open groups these names and years; those that were archived are open again. They must be locked. */
export async function setGroups(
  tx: Transaction,
  schoolId: SchoolId,
  given: readonly { readonly groupId: GroupId; readonly name: string; readonly year: number | null }[],
): Promise<StoredGroup[]> {
  if (given.length === 0) return [];
  const ids = given.map((each) => each.groupId);
  const valuesOf = (field: 'name' | 'year') => sql`(select g.value from unnest(${sql.param(ids)}::uuid[],
    ${sql.param(given.map((each) => each[field]))}::${sql.raw(groups[field].getSQLType())}[]) as g (id, value)
    where g.id = ${groups.id})`;
  const rows = await tx
    .update(groups)
    .set({ name: valuesOf('name'), year: valuesOf('year'), archivedAt: null })
    .where(and(eq(groups.schoolId, schoolId), isAmong(groups.id, ids)))
    .returning();
  if (rows.length !== ids.length) throw new Error('a locked group vanished');
  return rows;
}

export async function archiveGroups(
  tx: Transaction,
  schoolId: SchoolId,
  ids: readonly GroupId[],
): Promise<StoredGroup[]> {
  if (ids.length === 0) return [];
  return tx
    .update(groups)
    .set({ archivedAt: sql`now()` })
    .where(and(eq(groups.schoolId, schoolId), isAmong(groups.id, ids), isNull(groups.archivedAt)))
    .returning();
}

export async function addRollover(
  tx: Transaction,
  rollover: {
    readonly schoolId: SchoolId;
    readonly id: RolloverId;
    readonly appliedBy: MembershipId;
    readonly changes: RolloverRecord;
  },
): Promise<void> {
  await tx.insert(rollovers).values(rollover);
}

const withName = (reader: Reader) =>
  queryOf(reader)
    .select({ rollover: rollovers, appliedByName: memberships.fullName })
    .from(rollovers)
    .innerJoin(
      memberships,
      and(eq(memberships.schoolId, rollovers.schoolId), eq(memberships.id, rollovers.appliedBy)),
    );

/** The last one. */
export async function findLastRollover(
  reader: Reader,
  schoolId: SchoolId,
): Promise<StoredRollover | undefined> {
  const [row] = await withName(reader)
    .where(eq(rollovers.schoolId, schoolId))
    .orderBy(desc(rollovers.appliedAt))
    .limit(1);
  return row === undefined ? undefined : { ...row.rollover, appliedByName: row.appliedByName };
}

export async function findRollover(
  reader: Reader,
  schoolId: SchoolId,
  id: RolloverId,
): Promise<StoredRollover | undefined> {
  const [row] = await withName(reader).where(and(eq(rollovers.schoolId, schoolId), eq(rollovers.id, id)));
  return row === undefined ? undefined : { ...row.rollover, appliedByName: row.appliedByName };
}

export async function markUndone(
  tx: Transaction,
  schoolId: SchoolId,
  id: RolloverId,
  undoneBy: MembershipId,
): Promise<void> {
  await tx
    .update(rollovers)
    .set({ undoneAt: sql`now()`, undoneBy })
    .where(and(eq(rollovers.schoolId, schoolId), eq(rollovers.id, id)));
}

/** Which of these accounts' people are active pupils now. */
export async function activePupilsOf(
  reader: Reader,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
): Promise<Set<MembershipId>> {
  if (ids.length === 0) return new Set();
  const rows = await queryOf(reader)
    .select({ id: memberships.id })
    .from(memberships)
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        isAmong(memberships.id, ids),
        sql`exists (select 1 from memberships other where other.school_id = memberships.school_id
          and other.account_id = memberships.account_id and other.role = 'pupil' and other.ended_at is null)`,
      ),
    );
  return new Set(rows.map((row) => row.id));
}
