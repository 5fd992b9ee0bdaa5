import {
  type GroupId,
  type MemberCounts,
  type MemberFilter,
  type MembershipId,
  type Role,
  roles,
  type SchoolId,
  staffRoles,
} from '@zvonok/shared';
import { and, asc, eq, inArray, isNotNull, isNull, not, or, type SQL, sql } from 'drizzle-orm';
import { isAmong, queryOf, type Reader } from '../platform/database.ts';
import type { DirectoryScope, PhoneScope } from './school.policy.ts';
import { isVerified, type StoredGroup, verificationJoin } from './school.store.ts';
import { memberships, verifications } from './school.tables.ts';

/** Ids of the active memberships with a tie to the group: pupils, attached teachers, guardians of its pupils. */
export const listGroupPeople = (reader: Reader, schoolId: SchoolId, groupId: GroupId) =>
  listPeopleOfGroups(reader, schoolId, [groupId]);

/** The same for any of several groups. */
export async function listPeopleOfGroups(
  reader: Reader,
  schoolId: SchoolId,
  groupIds: readonly GroupId[],
): Promise<MembershipId[]> {
  if (groupIds.length === 0) return [];
  const rows = await queryOf(reader)
    .select({ id: memberships.id })
    .from(memberships)
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        isNull(memberships.endedAt),
        or(
          and(eq(memberships.role, 'pupil'), isAmong(memberships.groupId, groupIds)),
          attachedTo(groupIds),
          guardianOfPupilsIn(groupIds),
        ),
      ),
    );
  return rows.map((row) => row.id);
}

/** A light reading of everybody, for conversations of the whole school. */
export async function listEverybody(
  reader: Reader,
  schoolId: SchoolId,
  only?: readonly MembershipId[],
): Promise<{ membershipId: MembershipId; role: Role; verified: boolean; linked: boolean }[]> {
  if (only?.length === 0) return [];
  return queryOf(reader)
    .select({
      membershipId: memberships.id,
      role: memberships.role,
      verified: isVerified,
      linked: sql<boolean>`${hasChild()}`,
    })
    .from(memberships)
    .leftJoin(verifications, verificationJoin())
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        isNull(memberships.endedAt),
        only === undefined ? undefined : isAmong(memberships.id, only),
      ),
    );
}

/** An attachment row of the membership at hand; correlated, so the columns are spelled out. */
function attachedTo(groupIds: readonly GroupId[]): SQL {
  if (groupIds.length === 0) return sql`false`;
  return sql`exists (select 1 from teacher_attachments a
    where a.school_id = ${memberships.schoolId} and a.membership_id = ${memberships.id}
      and a.group_id = any(${sql.param(groupIds)}::uuid[]))`;
}

/** A link of the membership at hand to a pupil of these groups, however limited; or one of which `that` holds (as `l`). */
function guardianOfPupilsIn(groupIds: readonly GroupId[], that: SQL = sql`true`): SQL {
  if (groupIds.length === 0) return sql`false`;
  return sql`exists (select 1 from guardian_links l
    join memberships c on c.school_id = l.school_id and c.id = l.child_id
    where l.school_id = ${memberships.schoolId} and l.guardian_id = ${memberships.id} and ${that}
      and c.role = 'pupil' and c.ended_at is null and c.group_id = any(${sql.param(groupIds)}::uuid[]))`;
}
const mayBeContacted = sql`l.may_be_contacted`;

function hasChild(): SQL {
  return sql`exists (select 1 from guardian_links l
    join memberships c on c.school_id = l.school_id and c.id = l.child_id
    where l.school_id = ${memberships.schoolId} and l.guardian_id = ${memberships.id}
      and l.may_be_informed and c.role = 'pupil' and c.ended_at is null)`;
}

const tiedTo = (groupId: GroupId) =>
  or(eq(memberships.groupId, groupId), attachedTo([groupId]), guardianOfPupilsIn([groupId]));

const verifiedStaff = () =>
  and(inArray(memberships.role, [...staffRoles]), isNotNull(verifications.membershipId));

/** Whom a scope lets see. */
function seenIn(scope: DirectoryScope): SQL | undefined {
  if (scope === 'everybody') return undefined;
  const parts: (SQL | undefined)[] = [isAmong(memberships.id, scope.members)];
  if (scope.staff === 'all') parts.push(inArray(memberships.role, [...staffRoles]));
  if (scope.staff === 'verified') parts.push(verifiedStaff());
  if (scope.staff === 'leadership') {
    parts.push(
      and(inArray(memberships.role, ['admin', 'head']), isNotNull(verifications.membershipId)),
      and(
        eq(memberships.role, 'teacher'),
        isNotNull(verifications.membershipId),
        attachedTo(scope.teachersOf),
      ),
    );
  }
  if (scope.staff === 'admins') parts.push(eq(memberships.role, 'admin'));
  if (scope.pupilsOf.length > 0) {
    parts.push(and(eq(memberships.role, 'pupil'), isAmong(memberships.groupId, scope.pupilsOf)));
  }
  if (scope.guardiansOf.length > 0) {
    parts.push(and(eq(memberships.role, 'guardian'), guardianOfPupilsIn(scope.guardiansOf, mayBeContacted)));
  }
  if (scope.invitedGuardiansOf.length > 0) {
    parts.push(
      and(
        eq(memberships.role, 'guardian'),
        isAmong(memberships.groupId, scope.invitedGuardiansOf),
        // Whom a limit keeps away does not come back as somebody who is only not linked yet.
        not(guardianOfPupilsIn(scope.invitedGuardiansOf, sql`not ${mayBeContacted}`)),
      ),
    );
  }
  return or(...parts);
}

/** What somebody typed to find a person: beginnings of words of a name, or digits of a phone. */
export interface DirectorySearch {
  readonly words: readonly string[];
  readonly digits: string | undefined;
  /** Whose phones whoever searches may know. */
  readonly phonesOf: PhoneScope;
}

function found({ words, digits, phonesOf }: DirectorySearch): SQL | undefined {
  const byName = words.map((word) => sql`${memberships.searchName} like ${`% ${word}%`}`);
  const byPhone =
    digits === undefined || phonesOf === 'nobody'
      ? undefined
      : and(
          phonesOf === 'everybody'
            ? undefined
            : phonesOf === 'staff'
              ? inArray(memberships.role, [...staffRoles])
              : and(eq(memberships.role, 'guardian'), guardianOfPupilsIn(phonesOf.guardiansOf)),
          sql`exists (select 1 from accounts a
            where a.id = ${memberships.accountId} and a.phone like ${`%${digits}%`})`,
        );
  return or(byName.length === 0 ? sql`false` : and(...byName), byPhone ?? sql`false`);
}

function hasGuardian(): SQL {
  return sql`exists (select 1 from guardian_links l
    join memberships g on g.school_id = l.school_id and g.id = l.guardian_id
    where l.school_id = ${memberships.schoolId} and l.child_id = ${memberships.id} and g.ended_at is null)`;
}

/** People of whom something is missing; of active memberships all but `ended`. */
function missing(filter: MemberFilter): SQL | undefined {
  switch (filter) {
    case 'unverifiedStaff':
      return and(inArray(memberships.role, [...staffRoles]), isNull(verifications.membershipId));
    case 'guardiansWithoutChild':
      return and(eq(memberships.role, 'guardian'), sql`not ${hasChild()}`);
    case 'pupilsWithoutGuardian':
      return and(eq(memberships.role, 'pupil'), sql`not ${hasGuardian()}`);
    case 'ended':
      return isNotNull(memberships.endedAt);
  }
}

const inGroup = (group: Pick<StoredGroup, 'id' | 'kind'> | undefined) =>
  group === undefined ? undefined : group.kind === 'staff' ? verifiedStaff() : tiedTo(group.id);

/** What a list is narrowed to. */
export interface DirectoryFilter {
  /** People tied to a class; in the staff room everybody who works in the school and is verified. */
  readonly group: Pick<StoredGroup, 'id' | 'kind'> | undefined;
  readonly search: DirectorySearch | undefined;
}

/** How many people each narrower list would hold. `countEnded`: whether whoever asks may know of those who are gone. */
export async function countDirectory(
  reader: Reader,
  schoolId: SchoolId,
  { group, search, countEnded }: DirectoryFilter & { readonly countEnded: boolean },
): Promise<MemberCounts> {
  const narrowed = and(
    eq(memberships.schoolId, schoolId),
    inGroup(group),
    search === undefined ? undefined : found(search),
  );
  const countIf = (which: SQL | undefined) => sql<number>`count(*) filter (where ${which})::int`;
  const query = queryOf(reader);
  const [[active], [over]] = await Promise.all([
    query
      .select({
        all: sql<number>`count(*)::int`,
        ...Object.fromEntries(roles.map((role) => [role, countIf(eq(memberships.role, role))])),
        unverifiedStaff: countIf(missing('unverifiedStaff')),
        guardiansWithoutChild: countIf(missing('guardiansWithoutChild')),
        pupilsWithoutGuardian: countIf(missing('pupilsWithoutGuardian')),
      } as Record<string, SQL<number>>)
      .from(memberships)
      .leftJoin(verifications, verificationJoin())
      .where(and(narrowed, isNull(memberships.endedAt))),
    countEnded
      ? query
          .select({ ended: sql<number>`count(*)::int` })
          .from(memberships)
          .leftJoin(verifications, verificationJoin())
          .where(and(narrowed, isNotNull(memberships.endedAt)))
      : [],
  ]);
  const counted = (name: string): number => active?.[name] ?? 0;
  return {
    all: counted('all'),
    roles: Object.fromEntries(roles.map((role) => [role, counted(role)])) as MemberCounts['roles'],
    filters: {
      unverifiedStaff: counted('unverifiedStaff'),
      guardiansWithoutChild: counted('guardiansWithoutChild'),
      pupilsWithoutGuardian: counted('pupilsWithoutGuardian'),
      ended: over?.ended ?? 0,
    },
  };
}

/** A page of the directory by name, of ids; and whether more follow. */
export async function listDirectory(
  reader: Reader,
  schoolId: SchoolId,
  scope: DirectoryScope,
  filter: DirectoryFilter & {
    readonly role: Role | undefined;
    readonly filter: MemberFilter | undefined;
    readonly after: MembershipId | undefined;
    readonly limit: number;
  },
): Promise<{ ids: MembershipId[]; hasMore: boolean }> {
  const { group, role, after, limit, search } = filter;
  const rows = await queryOf(reader)
    .select({ id: memberships.id })
    .from(memberships)
    .leftJoin(verifications, verificationJoin())
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        filter.filter === 'ended' ? undefined : isNull(memberships.endedAt),
        filter.filter === undefined ? undefined : missing(filter.filter),
        seenIn(scope),
        role === undefined ? undefined : eq(memberships.role, role),
        inGroup(group),
        search === undefined ? undefined : found(search),
        after === undefined
          ? undefined
          : sql`(${memberships.fullName}, ${memberships.id}) >
              (select p.full_name, p.id from memberships p
                where p.school_id = ${schoolId} and p.id = ${after})`,
      ),
    )
    .orderBy(asc(memberships.fullName), asc(memberships.id))
    .limit(limit + 1);
  return { ids: rows.slice(0, limit).map((row) => row.id), hasMore: rows.length > limit };
}

/** Of these the active members whom the scope lets see. */
export async function seenAmong(
  reader: Reader,
  schoolId: SchoolId,
  scope: DirectoryScope,
  ids: readonly MembershipId[],
  state: 'active' | 'ended' = 'active',
): Promise<Set<MembershipId>> {
  if (ids.length === 0) return new Set();
  const rows = await queryOf(reader)
    .select({ id: memberships.id })
    .from(memberships)
    .leftJoin(verifications, verificationJoin())
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        isAmong(memberships.id, ids),
        state === 'active' ? isNull(memberships.endedAt) : isNotNull(memberships.endedAt),
        seenIn(scope),
      ),
    );
  return new Set(rows.map((row) => row.id));
}
