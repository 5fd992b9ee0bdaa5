import type {
  AccountId,
  GroupId,
  GuardianOfPupil,
  MembershipId,
  RosterEntryId,
  SchoolId,
} from '@zvonok/shared';
import { and, asc, desc, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { rosterEntries } from './school.roster.tables.ts';
import { guardianLinks, memberships, partedLinks, teacherAttachments } from './school.tables.ts';

export type StoredGuardianLink = typeof guardianLinks.$inferSelect;

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
  return teachersOf(reader, schoolId, child?.groupId == null ? [] : [child.groupId]);
}

/** Active teachers with a tie to any of these groups; `only`: of this kind. */
export async function teachersOf(
  reader: Reader,
  schoolId: SchoolId,
  groupIds: readonly GroupId[],
  only?: 'class',
): Promise<MembershipId[]> {
  if (groupIds.length === 0) return [];
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
        isAmong(teacherAttachments.groupId, groupIds),
        only === undefined ? undefined : eq(teacherAttachments.kind, only),
        isNull(memberships.endedAt),
      ),
    );
  return rows.map((row) => row.id);
}

/** Every row of links, or of links taken back, of the same two people, whatever memberships they have or had. */
function sameTwo(
  tx: Transaction,
  links: typeof guardianLinks | typeof partedLinks,
  { schoolId, guardianId, childId }: Pick<StoredGuardianLink, 'schoolId' | 'guardianId' | 'childId'>,
) {
  const those = alias(memberships, 'those');
  const self = alias(memberships, 'self');
  const like = (id: MembershipId, isSame: SQL | undefined) =>
    tx
      .select({ id: those.id })
      .from(those)
      .innerJoin(self, and(eq(self.schoolId, those.schoolId), eq(self.id, id)))
      .where(and(eq(those.schoolId, schoolId), isSame));
  const sameAccount = eq(those.accountId, self.accountId);
  return and(
    eq(links.schoolId, schoolId),
    inArray(links.guardianId, like(guardianId, sameAccount)),
    // A child who left and comes back with a card has another account.
    inArray(
      links.childId,
      like(childId, or(sameAccount, and(eq(those.role, 'pupil'), eq(those.searchName, self.searchName)))),
    ),
  );
}

/**
 * The new link; undefined where it was there. What limited an earlier link of the same two people limits it too, also one
 * that was taken back: they may have other memberships since, by a transfer or a new invite.
 */
export async function addGuardianLink(
  tx: Transaction,
  link: Pick<StoredGuardianLink, 'schoolId' | 'guardianId' | 'childId' | 'linkedBy'>,
): Promise<StoredGuardianLink | undefined> {
  const limitsOf = (links: typeof guardianLinks | typeof partedLinks) => ({
    mayBeInformed: links.mayBeInformed,
    mayBeContacted: links.mayBeContacted,
    limitReason: links.limitReason,
    limitedAt: links.limitedAt,
    limitedBy: links.limitedBy,
  });
  const [parted] = await tx
    .select(limitsOf(partedLinks))
    .from(partedLinks)
    .where(sameTwo(tx, partedLinks, link))
    .orderBy(desc(partedLinks.partedAt))
    .limit(1);
  const [linked] = await tx
    .select(limitsOf(guardianLinks))
    .from(guardianLinks)
    .where(sameTwo(tx, guardianLinks, link))
    .orderBy(desc(guardianLinks.createdAt))
    .limit(1);
  // What was taken back is newer than every link that is there: whoever links the two again makes it forgotten.
  const earlier = parted ?? linked;
  const [row] = await tx
    .insert(guardianLinks)
    .values({ ...link, ...earlier })
    .onConflictDoNothing()
    .returning();
  if (row !== undefined && parted !== undefined) {
    await tx.delete(partedLinks).where(sameTwo(tx, partedLinks, link));
  }
  return row;
}

/** Of these links those that nobody took back: what is only expected does not bring the others back. `sameTwo`, of many. */
export async function withoutParted<Link extends Pick<StoredGuardianLink, 'guardianId' | 'childId'>>(
  tx: Transaction,
  schoolId: SchoolId,
  links: readonly Link[],
): Promise<Link[]> {
  if (links.length === 0) return [];
  const rows = await queryOf(tx).execute<{ place: number }>(sql`
    select l.place::int from unnest(
      ${sql.param(links.map((link) => link.guardianId))}::uuid[],
      ${sql.param(links.map((link) => link.childId))}::uuid[]) with ordinality as l (guardian_id, child_id, place)
    join memberships g on g.school_id = ${schoolId} and g.id = l.guardian_id
    join memberships c on c.school_id = ${schoolId} and c.id = l.child_id
    where exists (select 1 from parted_links p
      join memberships pg on pg.school_id = p.school_id and pg.id = p.guardian_id
      join memberships pc on pc.school_id = p.school_id and pc.id = p.child_id
      where p.school_id = ${schoolId} and pg.account_id = g.account_id
        and (pc.account_id = c.account_id or (pc.role = 'pupil' and pc.search_name = c.search_name)))`);
  const parted = new Set(rows.map((row) => row.place));
  return links.filter((_link, index) => !parted.has(index + 1));
}

/** Takes the link back and remembers it. False where it was not there. */
export async function removeGuardianLink(
  tx: Transaction,
  schoolId: SchoolId,
  guardianId: MembershipId,
  childId: MembershipId,
): Promise<boolean> {
  const [link] = await tx
    .delete(guardianLinks)
    .where(
      and(
        eq(guardianLinks.schoolId, schoolId),
        eq(guardianLinks.guardianId, guardianId),
        eq(guardianLinks.childId, childId),
      ),
    )
    .returning();
  if (link === undefined) return false;
  const { mayBeInformed, mayBeContacted, limitReason, limitedAt, limitedBy } = link;
  const limits = { mayBeInformed, mayBeContacted, limitReason, limitedAt, limitedBy };
  await tx
    .insert(partedLinks)
    .values({ schoolId, guardianId, childId, ...limits })
    .onConflictDoUpdate({
      target: [partedLinks.schoolId, partedLinks.guardianId, partedLinks.childId],
      set: { ...limits, partedAt: sql`now()` },
    });
  return true;
}

/** The active guardians who may be informed of any of these children: what happens to them is nothing to the others. */
export async function guardiansOf(
  reader: Reader,
  schoolId: SchoolId,
  childIds: readonly MembershipId[],
): Promise<MembershipId[]> {
  if (childIds.length === 0) return [];
  const rows = await queryOf(reader)
    .selectDistinct({ id: guardianLinks.guardianId })
    .from(guardianLinks)
    .innerJoin(
      memberships,
      and(eq(memberships.schoolId, guardianLinks.schoolId), eq(memberships.id, guardianLinks.guardianId)),
    )
    .where(
      and(
        eq(guardianLinks.schoolId, schoolId),
        isAmong(guardianLinks.childId, childIds),
        eq(guardianLinks.mayBeInformed, true),
        isNull(memberships.endedAt),
      ),
    );
  return rows.map((row) => row.id);
}
