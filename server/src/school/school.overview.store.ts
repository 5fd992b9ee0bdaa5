import type { GroupId, SchoolClass, SchoolId } from '@zvonok/shared';
import { and, asc, count, eq, inArray, isNotNull, isNull, type SQL, sql } from 'drizzle-orm';
import { isAmong, queryOf, type Reader } from '../platform/database.ts';
import { rosterEntries } from './school.roster.tables.ts';
import { describeGroup, isVerified, type StoredGroup, verificationJoin } from './school.store.ts';
import { groups, invites, memberships, teacherAttachments, verifications } from './school.tables.ts';

export interface ClassQuery {
  /** Undefined: every class. */
  readonly only: readonly GroupId[] | undefined;
  readonly state: 'open' | 'archived';
  readonly search: string | undefined;
}

/** As people type: «пчелки» finds «Пчёлки». */
const plain = (text: SQL) => sql`replace(lower(${text}), 'ё', 'е')`;

const isListed = (schoolId: SchoolId, { only, state, search }: ClassQuery) =>
  and(
    eq(groups.schoolId, schoolId),
    eq(groups.kind, 'class'),
    state === 'archived' ? isNotNull(groups.archivedAt) : isNull(groups.archivedAt),
    only === undefined ? undefined : isAmong(groups.id, only),
    search === undefined
      ? undefined
      : sql`position(${plain(sql`${search}::text`)} in ${plain(sql`${groups.name}`)}) > 0`,
  );

export async function listClasses(
  reader: Reader,
  schoolId: SchoolId,
  query: ClassQuery & { readonly after: GroupId | undefined; readonly limit: number },
): Promise<StoredGroup[]> {
  if (query.only?.length === 0) return [];
  return queryOf(reader)
    .select()
    .from(groups)
    .where(
      and(
        isListed(schoolId, query),
        query.after === undefined
          ? undefined
          : sql`(coalesce(${groups.year}, 99), lower(${groups.name}), ${groups.id}) >
              (select coalesce(p.year, 99), lower(p.name), p.id from groups p
                where p.school_id = ${schoolId} and p.id = ${query.after})`,
      ),
    )
    .orderBy(sql`coalesce(${groups.year}, 99)`, sql`lower(${groups.name})`, asc(groups.id))
    .limit(query.limit);
}

export async function countClasses(reader: Reader, schoolId: SchoolId, query: ClassQuery): Promise<number> {
  if (query.only?.length === 0) return 0;
  const [row] = await queryOf(reader)
    .select({ classes: count() })
    .from(groups)
    .where(isListed(schoolId, query));
  return row?.classes ?? 0;
}

/** The same classes with their pupils counted and their teachers. */
export async function describeClasses(
  reader: Reader,
  schoolId: SchoolId,
  listed: readonly StoredGroup[],
): Promise<SchoolClass[]> {
  if (listed.length === 0) return [];
  const ids = listed.map((group) => group.id);
  const [pupils, teachers] = await Promise.all([
    queryOf(reader)
      .select({ groupId: memberships.groupId, pupils: count() })
      .from(memberships)
      .where(
        and(
          eq(memberships.schoolId, schoolId),
          isAmong(memberships.groupId, ids),
          eq(memberships.role, 'pupil'),
          isNull(memberships.endedAt),
        ),
      )
      .groupBy(memberships.groupId),
    queryOf(reader)
      .select({
        groupId: teacherAttachments.groupId,
        membershipId: memberships.id,
        fullName: memberships.fullName,
        verified: isVerified,
        kind: teacherAttachments.kind,
        subject: teacherAttachments.subject,
      })
      .from(teacherAttachments)
      .innerJoin(
        memberships,
        and(
          eq(memberships.schoolId, teacherAttachments.schoolId),
          eq(memberships.id, teacherAttachments.membershipId),
          isNull(memberships.endedAt),
        ),
      )
      .leftJoin(verifications, verificationJoin())
      .where(and(eq(teacherAttachments.schoolId, schoolId), isAmong(teacherAttachments.groupId, ids)))
      .orderBy(
        asc(teacherAttachments.kind),
        asc(teacherAttachments.subject),
        asc(memberships.fullName),
        asc(memberships.id),
      ),
  ]);
  const counted = new Map(pupils.map((row) => [row.groupId, row.pupils]));
  const taught = Map.groupBy(teachers, (row) => row.groupId);
  return listed.map((group) => ({
    group: describeGroup(group),
    pupils: counted.get(group.id) ?? 0,
    teachers: (taught.get(group.id) ?? []).map(({ groupId: _of, subject, ...teacher }) => ({
      ...teacher,
      subject: subject === '' ? null : subject,
    })),
  }));
}

/** Active staff without a verification record. */
export async function countUnverifiedStaff(reader: Reader, schoolId: SchoolId): Promise<number> {
  const [row] = await queryOf(reader)
    .select({ people: count() })
    .from(memberships)
    .leftJoin(verifications, verificationJoin())
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        isNull(memberships.endedAt),
        inArray(memberships.role, ['head', 'teacher']),
        isNull(verifications.membershipId),
      ),
    );
  return row?.people ?? 0;
}

export async function countNotCome(reader: Reader, schoolId: SchoolId): Promise<number> {
  const [row] = await queryOf(reader)
    .select({ people: count() })
    .from(rosterEntries)
    .where(
      and(
        eq(rosterEntries.schoolId, schoolId),
        isNull(rosterEntries.endedAt),
        isNull(rosterEntries.membershipId),
      ),
    );
  return row?.people ?? 0;
}

/** Whether the school has classes, pupils and teachers: here, expected, or (teachers) at least invited. */
export async function findBeginnings(
  reader: Reader,
  schoolId: SchoolId,
): Promise<{ classes: boolean; pupils: boolean; teachers: boolean }> {
  const member = (role: 'pupil' | 'teacher') =>
    sql`exists (select 1 from ${memberships} where ${memberships.schoolId} = ${schoolId}
      and ${memberships.role} = ${role} and ${memberships.endedAt} is null)`;
  const expected = (role: 'pupil' | 'teacher') =>
    sql`exists (select 1 from ${rosterEntries} where ${rosterEntries.schoolId} = ${schoolId}
      and ${rosterEntries.role} = ${role} and ${rosterEntries.endedAt} is null)`;
  const [row] = await queryOf(reader).execute<{ classes: boolean; pupils: boolean; teachers: boolean }>(sql`
    select
      exists (select 1 from ${groups} where ${groups.schoolId} = ${schoolId}
        and ${groups.kind} = 'class') as classes,
      ${member('pupil')} or ${expected('pupil')} as pupils,
      ${member('teacher')} or ${expected('teacher')}
        or exists (select 1 from ${invites} where ${invites.schoolId} = ${schoolId}
          and ${invites.role} = 'teacher') as teachers`);
  return row ?? { classes: false, pupils: false, teachers: false };
}
