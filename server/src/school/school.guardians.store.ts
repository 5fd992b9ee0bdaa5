import type {
  AccountId,
  GroupId,
  GuardianOfPupil,
  MembershipId,
  RosterEntryId,
  SchoolId,
} from '@zvonok/shared';
import { and, asc, eq, isNull } from 'drizzle-orm';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { rosterEntries } from './school.roster.tables.ts';
import type { StoredGuardianLink } from './school.store.ts';
import { guardianLinks, memberships, teacherAttachments } from './school.tables.ts';

/** The active pupils of a class, by name. */
export async function listPupils(
  reader: Reader,
  schoolId: SchoolId,
  groupId: GroupId,
): Promise<{ membershipId: MembershipId; accountId: AccountId; fullName: string }[]> {
  return queryOf(reader)
    .select({
      membershipId: memberships.id,
      accountId: memberships.accountId,
      fullName: memberships.fullName,
    })
    .from(memberships)
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        eq(memberships.groupId, groupId),
        eq(memberships.role, 'pupil'),
        isNull(memberships.endedAt),
      ),
    )
    .orderBy(asc(memberships.fullName), asc(memberships.id));
}

/** Pupils whom the class expects, who have no phone and have not come, by name. */
export async function listPhonelessPupils(
  reader: Reader,
  schoolId: SchoolId,
  groupId: GroupId,
): Promise<{ entryId: RosterEntryId; fullName: string }[]> {
  return queryOf(reader)
    .select({ entryId: rosterEntries.id, fullName: rosterEntries.fullName })
    .from(rosterEntries)
    .where(
      and(
        eq(rosterEntries.schoolId, schoolId),
        eq(rosterEntries.groupId, groupId),
        eq(rosterEntries.role, 'pupil'),
        isNull(rosterEntries.phone),
        isNull(rosterEntries.membershipId),
        isNull(rosterEntries.endedAt),
      ),
    )
    .orderBy(asc(rosterEntries.fullName), asc(rosterEntries.id));
}

/** The active guardians of these children by child, limited ones too. */
export async function guardiansByChild(
  reader: Reader,
  schoolId: SchoolId,
  childIds: readonly MembershipId[],
): Promise<Map<MembershipId, (StoredGuardianLink & { fullName: string })[]>> {
  if (childIds.length === 0) return new Map();
  const rows = await queryOf(reader)
    .select({ link: guardianLinks, fullName: memberships.fullName })
    .from(guardianLinks)
    .innerJoin(
      memberships,
      and(eq(memberships.schoolId, guardianLinks.schoolId), eq(memberships.id, guardianLinks.guardianId)),
    )
    .where(
      and(
        eq(guardianLinks.schoolId, schoolId),
        isAmong(guardianLinks.childId, childIds),
        isNull(memberships.endedAt),
      ),
    )
    .orderBy(asc(memberships.fullName), asc(memberships.id));
  return Map.groupBy(
    rows.map(({ link, fullName }) => ({ ...link, fullName })),
    (row) => row.childId,
  );
}

/** `withReason`: for administrators alone. */
export const describeGuardian = (
  link: StoredGuardianLink & { readonly fullName: string },
  { withReason }: { readonly withReason: boolean },
): GuardianOfPupil => ({
  membershipId: link.guardianId,
  fullName: link.fullName,
  mayBeInformed: link.mayBeInformed,
  mayBeContacted: link.mayBeContacted,
  limitedAt: link.limitedAt?.toISOString() ?? null,
  limitReason: withReason ? link.limitReason : null,
});

type LinkKey = Pick<StoredGuardianLink, 'schoolId' | 'guardianId' | 'childId'>;

const isLink = ({ schoolId, guardianId, childId }: LinkKey) =>
  and(
    eq(guardianLinks.schoolId, schoolId),
    eq(guardianLinks.guardianId, guardianId),
    eq(guardianLinks.childId, childId),
  );

/** The link, which stays as it is until the transaction ends. */
export async function lockGuardianLink(
  tx: Transaction,
  key: LinkKey,
): Promise<StoredGuardianLink | undefined> {
  const [row] = await tx.select().from(guardianLinks).where(isLink(key)).for('update');
  return row;
}

export async function writeLimits(
  tx: Transaction,
  key: LinkKey,
  limits: Pick<
    StoredGuardianLink,
    'mayBeInformed' | 'mayBeContacted' | 'limitReason' | 'limitedAt' | 'limitedBy'
  >,
): Promise<void> {
  await tx.update(guardianLinks).set(limits).where(isLink(key));
}

/** Active teachers with a tie to the pupil's class: with whom their guardians may write changes with each link. */
export async function teachersOfPupil(
  reader: Reader,
  schoolId: SchoolId,
  childId: MembershipId,
): Promise<MembershipId[]> {
  const [child] = await queryOf(reader)
    .select({ groupId: memberships.groupId })
    .from(memberships)
    .where(and(eq(memberships.schoolId, schoolId), eq(memberships.id, childId)));
  const groupId = child?.groupId ?? null;
  return groupId === null ? [] : teachersOf(reader, schoolId, groupId);
}

/** Active teachers with a tie to the group; `only`: of this kind. */
export async function teachersOf(
  reader: Reader,
  schoolId: SchoolId,
  groupId: GroupId,
  only?: 'class',
): Promise<MembershipId[]> {
  const rows = await queryOf(reader)
    .selectDistinct({ id: teacherAttachments.membershipId })
    .from(teacherAttachments)
    .innerJoin(
      memberships,
      and(
        eq(memberships.schoolId, teacherAttachments.schoolId),
        eq(memberships.id, teacherAttachments.membershipId),
      ),
    )
    .where(
      and(
        eq(teacherAttachments.schoolId, schoolId),
        eq(teacherAttachments.groupId, groupId),
        only === undefined ? undefined : eq(teacherAttachments.kind, only),
        isNull(memberships.endedAt),
      ),
    );
  return rows.map((row) => row.id);
}
