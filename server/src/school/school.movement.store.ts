import type { AccountId, EndReason, GroupId, MembershipId, Role, SchoolId, Stay } from '@zvonok/shared';
import { and, asc, desc, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { formerGroups } from './school.movement.tables.ts';
import { groups, guardianLinks, memberships, verifications } from './school.tables.ts';

export type StoredMembership = typeof memberships.$inferSelect;

/** One membership, over or not. `lock`: it stays as it is until the transaction ends. */
export async function findMembership(
  reader: Reader,
  schoolId: SchoolId,
  id: MembershipId,
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<StoredMembership | undefined> {
  const query = queryOf(reader)
    .select()
    .from(memberships)
    .where(and(eq(memberships.schoolId, schoolId), eq(memberships.id, id)));
  const [row] = await (lock ? query.for('no key update') : query);
  return row;
}

/** Those of the memberships, over or not. */
export async function listMemberships(
  reader: Reader,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
): Promise<StoredMembership[]> {
  if (ids.length === 0) return [];
  return queryOf(reader)
    .select()
    .from(memberships)
    .where(and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids)));
}

/** The memberships stay as they are until the transaction ends; in order of id, so that two movers never deadlock. */
export async function lockMembers(
  tx: Transaction,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
): Promise<void> {
  await tx
    .select({ id: memberships.id })
    .from(memberships)
    .where(and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids)))
    .orderBy(asc(memberships.id))
    .for('no key update');
}

/** As what pupils these accounts are in the school now. */
export async function pupilsOfAccounts(
  reader: Reader,
  schoolId: SchoolId,
  accountIds: readonly AccountId[],
): Promise<{ membershipId: MembershipId; accountId: AccountId; groupId: GroupId }[]> {
  if (accountIds.length === 0) return [];
  return queryOf(reader)
    .select({
      membershipId: memberships.id,
      accountId: memberships.accountId,
      groupId: sql<GroupId>`${memberships.groupId}`,
    })
    .from(memberships)
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        isAmong(memberships.accountId, accountIds),
        eq(memberships.role, 'pupil'),
        isNotNull(memberships.groupId),
        isNull(memberships.endedAt),
      ),
    );
}

/** Moves active pupils into a class and writes down where they were until now. They must be locked. */
export async function moveToGroup(
  tx: Transaction,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
  groupId: GroupId,
  movedBy: MembershipId | null,
): Promise<void> {
  await tx.insert(formerGroups).select(
    tx
      .select({
        schoolId: memberships.schoolId,
        membershipId: memberships.id,
        groupId: sql<GroupId>`${memberships.groupId}`.as('group_id'),
        startedAt: sql<Date>`coalesce((select max(f.ended_at) from former_groups f
          where f.school_id = memberships.school_id and f.membership_id = memberships.id),
          ${memberships.startedAt})`.as('started_at'),
        endedAt: sql<Date>`now()`.as('ended_at'),
        movedBy: sql<MembershipId | null>`${movedBy}::uuid`.as('moved_by'),
      })
      .from(memberships)
      .where(and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids))),
  );
  await tx
    .update(memberships)
    .set({ groupId })
    .where(and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids)));
}

/** Guardians who were invited to a class that none of their children is in any more: from now on to this one. */
export async function followChildren(
  tx: Transaction,
  schoolId: SchoolId,
  guardianIds: readonly MembershipId[],
  formerGroupIds: readonly GroupId[],
  groupId: GroupId,
): Promise<void> {
  if (guardianIds.length === 0 || formerGroupIds.length === 0) return;
  await tx
    .update(memberships)
    .set({ groupId })
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        isAmong(memberships.id, guardianIds),
        isAmong(memberships.groupId, formerGroupIds),
        sql`not exists (select 1 from guardian_links l
          join memberships c on c.school_id = l.school_id and c.id = l.child_id
          where l.school_id = memberships.school_id and l.guardian_id = memberships.id
            and c.role = 'pupil' and c.ended_at is null and c.group_id = memberships.group_id)`,
      ),
    );
}

/** Of these memberships those that were active; they are over now. */
export async function endMemberships(
  tx: Transaction,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
  endReason: EndReason,
  endedBy: MembershipId,
): Promise<MembershipId[]> {
  const rows = await tx
    .update(memberships)
    .set({ endedAt: sql`now()`, endReason, endedBy })
    .where(and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids), isNull(memberships.endedAt)))
    .returning({ id: memberships.id });
  return rows.map((row) => row.id);
}

/** Makes ended memberships active again. */
export async function reviveMemberships(
  tx: Transaction,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .update(memberships)
    .set({ endedAt: null, endReason: null, endedBy: null })
    .where(and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids)));
}

/** Every membership of the person that bears the name gets the other one. */
export async function renamePerson(
  tx: Transaction,
  of: Pick<StoredMembership, 'schoolId' | 'accountId' | 'fullName'>,
  fullName: string,
): Promise<MembershipId[]> {
  const rows = await tx
    .update(memberships)
    .set({ fullName })
    .where(
      and(
        eq(memberships.schoolId, of.schoolId),
        eq(memberships.accountId, of.accountId),
        eq(memberships.fullName, of.fullName),
      ),
    )
    .returning({ id: memberships.id });
  return rows.map((row) => row.id);
}

/** The school's head, if one is marked. */
export async function findHead(reader: Reader, schoolId: SchoolId): Promise<MembershipId | undefined> {
  const [row] = await queryOf(reader)
    .select({ id: memberships.id })
    .from(memberships)
    .where(
      and(eq(memberships.schoolId, schoolId), eq(memberships.isHead, true), isNull(memberships.endedAt)),
    );
  return row?.id;
}

export async function markHead(
  tx: Transaction,
  schoolId: SchoolId,
  id: MembershipId,
  isHead: boolean,
): Promise<void> {
  await tx
    .update(memberships)
    .set({ isHead })
    .where(and(eq(memberships.schoolId, schoolId), eq(memberships.id, id)));
}

/** A new membership of a verified person is verified by the same record: who, when, on what ground. */
export async function copyVerification(
  tx: Transaction,
  schoolId: SchoolId,
  from: MembershipId,
  to: MembershipId,
): Promise<void> {
  const [record] = await tx
    .select({
      schoolId: verifications.schoolId,
      verifiedBy: verifications.verifiedBy,
      basis: verifications.basis,
      verifiedAt: verifications.verifiedAt,
    })
    .from(verifications)
    .where(
      and(
        eq(verifications.schoolId, schoolId),
        eq(verifications.membershipId, from),
        isNull(verifications.revokedAt),
      ),
    );
  if (record === undefined) throw new Error('a verified member has no verification');
  await tx.insert(verifications).values({ ...record, membershipId: to });
}

/** Who confirmed this member of staff, when, on what ground. */
export async function findVerification(reader: Reader, schoolId: SchoolId, id: MembershipId) {
  const verifiers = alias(memberships, 'verifiers');
  const [row] = await queryOf(reader)
    .select({
      verifiedAt: verifications.verifiedAt,
      basis: verifications.basis,
      byId: verifications.verifiedBy,
      byName: verifiers.fullName,
    })
    .from(verifications)
    .leftJoin(
      verifiers,
      and(eq(verifiers.schoolId, verifications.schoolId), eq(verifiers.id, verifications.verifiedBy)),
    )
    .where(
      and(
        eq(verifications.schoolId, schoolId),
        eq(verifications.membershipId, id),
        isNull(verifications.revokedAt),
      ),
    );
  return row;
}

/** The active people at the other end of somebody's links. */
export async function listRelatives(
  reader: Reader,
  schoolId: SchoolId,
  id: MembershipId,
  side: 'guardians' | 'children',
): Promise<StoredMembership[]> {
  const [own, other] =
    side === 'guardians'
      ? [guardianLinks.childId, guardianLinks.guardianId]
      : [guardianLinks.guardianId, guardianLinks.childId];
  const rows = await queryOf(reader)
    .select({ person: memberships })
    .from(guardianLinks)
    .innerJoin(memberships, and(eq(memberships.schoolId, guardianLinks.schoolId), eq(memberships.id, other)))
    .where(and(eq(guardianLinks.schoolId, schoolId), eq(own, id), isNull(memberships.endedAt)))
    .orderBy(asc(memberships.fullName), asc(memberships.id));
  return rows.map((row) => row.person);
}

/** Everything that the person behind a membership was and is in the school, the newest first. */
export async function listStays(
  reader: Reader,
  { schoolId, accountId }: Pick<StoredMembership, 'schoolId' | 'accountId'>,
): Promise<Stay[]> {
  const query = queryOf(reader);
  const own = await query
    .select()
    .from(memberships)
    .where(and(eq(memberships.schoolId, schoolId), eq(memberships.accountId, accountId)))
    .orderBy(desc(memberships.startedAt), desc(memberships.id));
  const former = await query
    .select()
    .from(formerGroups)
    .where(
      and(
        eq(formerGroups.schoolId, schoolId),
        inArray(
          formerGroups.membershipId,
          own.map((each) => each.id),
        ),
      ),
    )
    .orderBy(desc(formerGroups.endedAt));
  const stays = (each: StoredMembership): Stay[] => {
    const before = former.filter((stay) => stay.membershipId === each.id);
    const base = { membershipId: each.id, role: each.role };
    return [
      {
        ...base,
        groupId: each.groupId,
        startedAt: (before[0]?.endedAt ?? each.startedAt).toISOString(),
        endedAt: each.endedAt?.toISOString() ?? null,
        endReason: each.endReason,
      },
      ...before.map((stay) => ({
        ...base,
        groupId: stay.groupId,
        startedAt: stay.startedAt.toISOString(),
        endedAt: stay.endedAt.toISOString(),
        endReason: 'moved' as const,
      })),
    ];
  };
  return own.flatMap(stays);
}

/** Active pupils by class. */
export async function pupilsByGroup(
  reader: Reader,
  schoolId: SchoolId,
): Promise<Map<GroupId, MembershipId[]>> {
  const rows = await queryOf(reader)
    .select({ id: memberships.id, groupId: sql<GroupId>`${memberships.groupId}` })
    .from(memberships)
    .innerJoin(groups, and(eq(groups.schoolId, memberships.schoolId), eq(groups.id, memberships.groupId)))
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        eq(memberships.role, 'pupil' satisfies Role),
        isNull(memberships.endedAt),
        isNotNull(memberships.groupId),
      ),
    )
    .orderBy(asc(memberships.id));
  const byGroup = Map.groupBy(rows, (row) => row.groupId);
  return new Map([...byGroup].map(([groupId, pupils]) => [groupId, pupils.map((row) => row.id)]));
}
