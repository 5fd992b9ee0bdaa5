import type {
  AccountId,
  Group,
  GroupId,
  MembershipId,
  Role,
  School,
  SchoolCard,
  SchoolId,
  SchoolSettings,
  staffRoles,
  Vocabulary,
} from '@zvonok/shared';
import { and, asc, count, eq, gt, gte, inArray, isNull, ne, notInArray, sql } from 'drizzle-orm';
import { type Database, isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import type { Caller } from '../platform/procedures.ts';
import { groups, memberships, schools, teacherAttachments, verifications } from './school.tables.ts';

export type StoredSchool = typeof schools.$inferSelect;
export type StoredGroup = typeof groups.$inferSelect;

export const describeSchool = (school: StoredSchool): School => ({
  id: school.id,
  name: school.name,
  vocabulary: school.vocabulary,
  address: school.address,
  contactEmail: school.contactEmail,
  contactPhone: school.contactPhone,
  journalUrl: school.journalUrl,
  settings: school.settings,
  createdAt: school.createdAt.toISOString(),
  suspendedAt: school.suspendedAt?.toISOString() ?? null,
});

export const describeGroup = (group: StoredGroup): Group => ({
  id: group.id,
  name: group.name,
  kind: group.kind,
  year: group.year,
  createdAt: group.createdAt.toISOString(),
  archivedAt: group.archivedAt?.toISOString() ?? null,
});

export async function addSchool(
  tx: Transaction,
  school: { id: SchoolId; name: string; vocabulary: Vocabulary; address: string | null },
): Promise<void> {
  await tx.insert(schools).values(school);
}

export async function getSchools(
  reader: Reader,
  ids: readonly SchoolId[],
): Promise<Map<SchoolId, StoredSchool>> {
  if (ids.length === 0) return new Map();
  const rows = await queryOf(reader).select().from(schools).where(isAmong(schools.id, ids));
  return new Map(rows.map((row) => [row.id, row]));
}

/** The school as it is; nobody else changes it, or who administers it, until the transaction ends. */
export async function lockedSchool(tx: Transaction, schoolId: SchoolId): Promise<StoredSchool> {
  const [row] = await tx.select().from(schools).where(eq(schools.id, schoolId)).for('no key update');
  if (row === undefined) throw new Error('a school vanished under one of its members');
  return row;
}

export async function writeSchool(
  tx: Transaction,
  schoolId: SchoolId,
  values: Partial<SchoolCard & { settings: SchoolSettings }>,
): Promise<StoredSchool> {
  const [row] = await tx.update(schools).set(values).where(eq(schools.id, schoolId)).returning();
  if (row === undefined) throw new Error('a locked school vanished');
  return row;
}

/** Nobody else changes who administers the school until the transaction ends. */
export async function lockSchool(tx: Transaction, schoolId: SchoolId): Promise<void> {
  await tx.select({ id: schools.id }).from(schools).where(eq(schools.id, schoolId)).for('no key update');
}

/** The new group; undefined where an active one has the name. */
export async function addGroup(
  tx: Transaction,
  group: { schoolId: SchoolId; id: GroupId; name: string; kind: Group['kind']; year: number | null },
): Promise<StoredGroup | undefined> {
  const [row] = await tx.insert(groups).values(group).onConflictDoNothing().returning();
  return row;
}

export async function listGroups(
  reader: Reader,
  schoolId: SchoolId,
  limit: number,
  only?: readonly GroupId[],
): Promise<StoredGroup[]> {
  if (only?.length === 0) return [];
  return queryOf(reader)
    .select()
    .from(groups)
    .where(and(eq(groups.schoolId, schoolId), only === undefined ? undefined : isAmong(groups.id, only)))
    .orderBy(
      sql`${groups.archivedAt} is not null`,
      // 2А before 11А, whether or not somebody has said which year they are in.
      sql`coalesce(${groups.year}, substring(${groups.name} from '^[0-9]{1,4}')::int, 9999)`,
      sql`lower(${groups.name})`,
      asc(groups.id),
    )
    .limit(limit);
}

/** One group of the school. `lock`: it stays as it is until the transaction ends. */
export async function findGroup(
  reader: Reader,
  schoolId: SchoolId,
  id: GroupId,
  lock?: 'share' | 'update',
): Promise<StoredGroup | undefined> {
  const query = queryOf(reader)
    .select()
    .from(groups)
    .where(and(eq(groups.schoolId, schoolId), eq(groups.id, id)));
  const [row] = await (lock === undefined ? query : query.for(lock));
  return row;
}

/** A group that people may be put into: an active class of the school, which stays so until the transaction ends. */
export async function findOpenClass(
  tx: Transaction,
  schoolId: SchoolId,
  groupId: GroupId,
): Promise<StoredGroup | undefined> {
  const group = await findGroup(tx, schoolId, groupId, 'share');
  return group?.kind === 'class' && group.archivedAt === null ? group : undefined;
}

export async function findStaffRoom(reader: Reader, schoolId: SchoolId): Promise<StoredGroup | undefined> {
  const [row] = await queryOf(reader)
    .select()
    .from(groups)
    .where(and(eq(groups.schoolId, schoolId), eq(groups.kind, 'staff')));
  return row;
}

/** The group as it became; undefined where another open one has the name. */
export async function writeGroup(
  tx: Transaction,
  { schoolId, id }: Pick<StoredGroup, 'schoolId' | 'id'>,
  values: { readonly name?: string; readonly year?: number | null },
): Promise<StoredGroup | undefined> {
  const [taken] =
    values.name === undefined
      ? []
      : await tx
          .select({ id: groups.id })
          .from(groups)
          .where(
            and(
              eq(groups.schoolId, schoolId),
              sql`lower(${groups.name}) = lower(${values.name})`,
              isNull(groups.archivedAt),
              ne(groups.id, id),
            ),
          );
  if (taken !== undefined) return undefined;
  const [row] = await tx
    .update(groups)
    .set(values)
    .where(and(eq(groups.schoolId, schoolId), eq(groups.id, id)))
    .returning();
  return row;
}

export async function archiveGroup(
  tx: Transaction,
  schoolId: SchoolId,
  id: GroupId,
): Promise<StoredGroup | undefined> {
  const [row] = await tx
    .update(groups)
    .set({ archivedAt: sql`now()` })
    .where(and(eq(groups.schoolId, schoolId), eq(groups.id, id), isNull(groups.archivedAt)))
    .returning();
  return row;
}

export async function countPupils(reader: Reader, schoolId: SchoolId, groupId: GroupId): Promise<number> {
  const [row] = await queryOf(reader)
    .select({ pupils: count() })
    .from(memberships)
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        eq(memberships.groupId, groupId),
        eq(memberships.role, 'pupil'),
        isNull(memberships.endedAt),
      ),
    );
  return row?.pupils ?? 0;
}

export interface NewMembership {
  readonly schoolId: SchoolId;
  readonly id: MembershipId;
  readonly accountId: AccountId;
  readonly role: Role;
  readonly fullName: string;
  readonly groupId: GroupId | null;
}

/** False where the person already has this role here: one of two that come at once. */
export async function addMembership(tx: Transaction, membership: NewMembership): Promise<boolean> {
  const rows = await tx
    .insert(memberships)
    .values(membership)
    .onConflictDoNothing()
    .returning({ id: memberships.id });
  return rows.length === 1;
}

/** False where they are verified already. */
export async function addVerification(
  tx: Transaction,
  verification: Pick<typeof verifications.$inferInsert, 'schoolId' | 'membershipId' | 'basis' | 'verifiedBy'>,
): Promise<boolean> {
  const rows = await tx.insert(verifications).values(verification).onConflictDoNothing().returning();
  return rows.length === 1;
}

/** The verified memberships of staff that a person has in the school. */
export async function listVerifiedStaff(
  reader: Reader,
  schoolId: SchoolId,
  accountId: AccountId,
): Promise<{ membershipId: MembershipId; role: Role }[]> {
  return queryOf(reader)
    .select({ membershipId: memberships.id, role: memberships.role })
    .from(memberships)
    .innerJoin(verifications, verificationJoin())
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        eq(memberships.accountId, accountId),
        isNull(memberships.endedAt),
      ),
    )
    .orderBy(asc(memberships.id));
}

/** Answers which of them were verified until now. */
export async function revokeVerifications(
  tx: Transaction,
  schoolId: SchoolId,
  membershipIds: readonly MembershipId[],
  revocation: { readonly revokedBy: MembershipId; readonly revokeReason: string },
): Promise<MembershipId[]> {
  const rows = await tx
    .update(verifications)
    .set({ ...revocation, revokedAt: sql`now()` })
    .where(
      and(
        eq(verifications.schoolId, schoolId),
        isAmong(verifications.membershipId, membershipIds),
        isNull(verifications.revokedAt),
      ),
    )
    .returning({ membershipId: verifications.membershipId });
  return rows.map((row) => row.membershipId);
}

export async function getVerifiedAt(
  reader: Reader,
  schoolId: SchoolId,
  membershipId: MembershipId,
): Promise<Date | undefined> {
  const [row] = await queryOf(reader)
    .select({ verifiedAt: verifications.verifiedAt })
    .from(verifications)
    .where(
      and(
        eq(verifications.schoolId, schoolId),
        eq(verifications.membershipId, membershipId),
        isNull(verifications.revokedAt),
      ),
    );
  return row?.verifiedAt;
}

export interface StoredAttachment {
  readonly schoolId: SchoolId;
  readonly membershipId: MembershipId;
  readonly groupId: GroupId;
  readonly kind: 'class' | 'subject';
  /** Null for a class teacher. */
  readonly subject: string | null;
}

/** False where it was there. */
export async function addAttachment(
  tx: Transaction,
  attachment: StoredAttachment,
  attachedBy: MembershipId | null,
): Promise<boolean> {
  const rows = await tx
    .insert(teacherAttachments)
    .values({ ...attachment, subject: attachment.subject ?? '', attachedBy })
    .onConflictDoNothing()
    .returning({ groupId: teacherAttachments.groupId });
  return rows.length === 1;
}

/** False where it was not there. */
export async function removeAttachment(tx: Transaction, attachment: StoredAttachment): Promise<boolean> {
  const rows = await tx
    .delete(teacherAttachments)
    .where(
      and(
        eq(teacherAttachments.schoolId, attachment.schoolId),
        eq(teacherAttachments.membershipId, attachment.membershipId),
        eq(teacherAttachments.groupId, attachment.groupId),
        eq(teacherAttachments.kind, attachment.kind),
        eq(teacherAttachments.subject, attachment.subject ?? ''),
      ),
    )
    .returning({ groupId: teacherAttachments.groupId });
  return rows.length === 1;
}

/** The verification that holds; what was revoked is history. */
export const verificationJoin = () =>
  and(
    eq(verifications.schoolId, memberships.schoolId),
    eq(verifications.membershipId, memberships.id),
    isNull(verifications.revokedAt),
  );
export const isVerified = sql<boolean>`${verifications.membershipId} is not null`;

/**
 * What a caller acts as; undefined unless the membership is active and theirs. Asked for nearly every message: prepared by the
 * driver, where the builder would put the statement together, and the database plan it, each time.
 */
export async function findActor(
  { client }: Pick<Database, 'client'>,
  { accountId }: Pick<Caller, 'accountId'>,
  membershipId: MembershipId,
) {
  const [row] = await client<{ schoolId: SchoolId; role: Role; verified: boolean; suspended: boolean }[]>`
    select m.school_id as "schoolId", m.role, v.membership_id is not null as verified,
           s.suspended_at is not null as suspended
    from memberships m
    join schools s on s.id = m.school_id
    left join verifications v
      on v.school_id = m.school_id and v.membership_id = m.id and v.revoked_at is null
    where m.account_id = ${accountId} and m.id = ${membershipId} and m.ended_at is null`;
  return row;
}

/** The oldest first; `inOpenSchools`: none of a school that the operator has suspended. */
export async function listActiveMemberships(
  reader: Reader,
  accountId: AccountId,
  { inOpenSchools }: { readonly inOpenSchools: boolean },
): Promise<{ schoolId: SchoolId; membershipId: MembershipId }[]> {
  return queryOf(reader)
    .select({ schoolId: memberships.schoolId, membershipId: memberships.id })
    .from(memberships)
    .innerJoin(schools, eq(schools.id, memberships.schoolId))
    .where(
      and(
        eq(memberships.accountId, accountId),
        isNull(memberships.endedAt),
        inOpenSchools ? isNull(schools.suspendedAt) : undefined,
      ),
    )
    .orderBy(asc(memberships.startedAt), asc(memberships.id));
}

/** Of these accounts those that have several active memberships. */
export async function listOfSeveralMemberships(
  reader: Reader,
  accountIds: readonly AccountId[],
): Promise<AccountId[]> {
  if (accountIds.length === 0) return [];
  const rows = await queryOf(reader)
    .select({ accountId: memberships.accountId })
    .from(memberships)
    .where(and(isAmong(memberships.accountId, accountIds), isNull(memberships.endedAt)))
    .groupBy(memberships.accountId)
    .having(gt(count(), 1));
  return rows.map((row) => row.accountId);
}

/** The person's active membership of this role. */
export async function findActiveMembership(
  reader: Reader,
  schoolId: SchoolId,
  accountId: AccountId,
  role: Role,
): Promise<{ id: MembershipId; groupId: GroupId | null } | undefined> {
  const [row] = await queryOf(reader)
    .select({ id: memberships.id, groupId: memberships.groupId })
    .from(memberships)
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        eq(memberships.accountId, accountId),
        eq(memberships.role, role),
        isNull(memberships.endedAt),
      ),
    );
  return row;
}

/** Whose membership it is, or was. */
export async function findAccountOf(
  reader: Reader,
  schoolId: SchoolId,
  id: MembershipId,
): Promise<AccountId | undefined> {
  const [row] = await queryOf(reader)
    .select({ accountId: memberships.accountId })
    .from(memberships)
    .where(and(eq(memberships.schoolId, schoolId), eq(memberships.id, id)));
  return row?.accountId;
}

/** Whether the school has ended any membership of this person since; a transfer to another class does not count. */
export async function wasSentAwaySince(
  reader: Reader,
  schoolId: SchoolId,
  accountId: AccountId,
  since: Date,
): Promise<boolean> {
  const rows = await queryOf(reader)
    .select({ id: memberships.id })
    .from(memberships)
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        eq(memberships.accountId, accountId),
        gte(memberships.endedAt, since),
        ne(memberships.endReason, 'moved'),
      ),
    )
    .limit(1);
  return rows.length > 0;
}

/** Active and verified memberships of these roles of staff: whoever is not verified answers for nobody and is told nothing. */
export async function listByRole(
  reader: Reader,
  schoolId: SchoolId,
  roles: readonly (typeof staffRoles)[number][],
): Promise<MembershipId[]> {
  const rows = await queryOf(reader)
    .select({ id: memberships.id })
    .from(memberships)
    .innerJoin(verifications, verificationJoin())
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        inArray(memberships.role, [...roles]),
        isNull(memberships.endedAt),
      ),
    )
    .orderBy(asc(memberships.id));
  return rows.map((row) => row.id);
}

/** Of these memberships the active ones. */
export async function activeOf(
  reader: Reader,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
): Promise<Set<MembershipId>> {
  if (ids.length === 0) return new Set();
  const rows = await queryOf(reader)
    .select({ id: memberships.id })
    .from(memberships)
    .where(
      and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids), isNull(memberships.endedAt)),
    );
  return new Set(rows.map((row) => row.id));
}

/** Names and badges, of ended memberships too: they wrote what is still read. */
export async function describeMembers(
  reader: Reader,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
): Promise<Map<MembershipId, { fullName: string; role: Role; verified: boolean }>> {
  if (ids.length === 0) return new Map();
  const rows = await queryOf(reader)
    .select({
      id: memberships.id,
      fullName: memberships.fullName,
      role: memberships.role,
      verified: isVerified,
    })
    .from(memberships)
    .leftJoin(verifications, verificationJoin())
    .where(and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids)));
  return new Map(rows.map(({ id, ...rest }) => [id, rest]));
}

/** How many active and verified administrators there are besides these. */
export async function countOtherAdmins(
  reader: Reader,
  schoolId: SchoolId,
  besides: readonly MembershipId[],
): Promise<number> {
  const [row] = await queryOf(reader)
    .select({ admins: count() })
    .from(memberships)
    .innerJoin(verifications, verificationJoin())
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        eq(memberships.role, 'admin'),
        isNull(memberships.endedAt),
        notInArray(memberships.id, [...besides]),
      ),
    );
  return row?.admins ?? 0;
}
