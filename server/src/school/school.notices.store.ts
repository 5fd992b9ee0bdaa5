import type { InviteId, MembershipId, NoticeId, NoticeKind, SchoolId, SchoolNotice } from '@zvonok/shared';
import { and, count, desc, eq, isNotNull, isNull, lt, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { v7 as uuid } from 'uuid';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { schoolNotices } from './school.notices.tables.ts';
import { groups, invites, memberships } from './school.tables.ts';

export interface NewNotice {
  readonly kind: NoticeKind;
  /** What it is about: a person, an invite, or both. */
  readonly membershipId?: MembershipId;
  /** The other person, of a kind that is about two. */
  readonly otherId?: MembershipId;
  readonly inviteId?: InviteId;
}

/** Undefined where the same is open already. */
export async function addNotice(
  tx: Transaction,
  schoolId: SchoolId,
  notice: NewNotice,
): Promise<SchoolNotice | undefined> {
  const [row] = await tx
    .insert(schoolNotices)
    .values({ ...notice, schoolId, id: uuid() as NoticeId })
    .onConflictDoNothing()
    .returning({ id: schoolNotices.id });
  return row && findNotice(tx, schoolId, row.id);
}

export async function findNotice(
  reader: Reader,
  schoolId: SchoolId,
  id: NoticeId,
): Promise<SchoolNotice | undefined> {
  const [notice] = await readNotices(reader, schoolId, eq(schoolNotices.id, id), 1);
  return notice;
}

/** Newest first: ids are made in the order of time. */
export function listNotices(
  reader: Reader,
  schoolId: SchoolId,
  query: { readonly state: 'open' | 'settled'; readonly after: NoticeId | undefined; readonly limit: number },
): Promise<SchoolNotice[]> {
  const { state, after, limit } = query;
  return readNotices(
    reader,
    schoolId,
    and(
      state === 'open' ? isNull(schoolNotices.settledAt) : isNotNull(schoolNotices.settledAt),
      after === undefined ? undefined : lt(schoolNotices.id, after),
    ),
    limit,
  );
}

export async function countOpenNotices(reader: Reader, schoolId: SchoolId): Promise<number> {
  const [row] = await queryOf(reader)
    .select({ open: count() })
    .from(schoolNotices)
    .where(and(eq(schoolNotices.schoolId, schoolId), isNull(schoolNotices.settledAt)));
  return row?.open ?? 0;
}

/** False where it was settled before. */
export async function settleNotice(
  tx: Transaction,
  schoolId: SchoolId,
  id: NoticeId,
  settledBy: MembershipId,
): Promise<boolean> {
  const rows = await tx
    .update(schoolNotices)
    .set({ settledAt: sql`now()`, settledBy })
    .where(
      and(eq(schoolNotices.schoolId, schoolId), eq(schoolNotices.id, id), isNull(schoolNotices.settledAt)),
    )
    .returning({ id: schoolNotices.id });
  return rows.length > 0;
}

async function readNotices(
  reader: Reader,
  schoolId: SchoolId,
  which: SQL | undefined,
  limit: number,
): Promise<SchoolNotice[]> {
  const settlers = alias(memberships, 'settlers');
  const others = alias(memberships, 'others');
  const rows = await queryOf(reader)
    .select({
      notice: schoolNotices,
      member: { membershipId: memberships.id, fullName: memberships.fullName, role: memberships.role },
      other: { membershipId: others.id, fullName: others.fullName, role: others.role },
      invite: { inviteId: invites.id, role: invites.role },
      groupName: groups.name,
      settledBy: { membershipId: settlers.id, fullName: settlers.fullName },
    })
    .from(schoolNotices)
    .leftJoin(
      memberships,
      and(eq(memberships.schoolId, schoolId), eq(memberships.id, schoolNotices.membershipId)),
    )
    .leftJoin(others, and(eq(others.schoolId, schoolId), eq(others.id, schoolNotices.otherId)))
    .leftJoin(invites, and(eq(invites.schoolId, schoolId), eq(invites.id, schoolNotices.inviteId)))
    .leftJoin(groups, and(eq(groups.schoolId, schoolId), eq(groups.id, invites.groupId)))
    .leftJoin(settlers, and(eq(settlers.schoolId, schoolId), eq(settlers.id, schoolNotices.settledBy)))
    .where(and(eq(schoolNotices.schoolId, schoolId), which))
    .orderBy(desc(schoolNotices.id))
    .limit(limit);
  return rows.map(({ notice, member, other, invite, groupName, settledBy }) => ({
    id: notice.id,
    kind: notice.kind,
    createdAt: notice.createdAt.toISOString(),
    member,
    other,
    invite: invite === null || groupName === null ? null : { ...invite, groupName },
    settledAt: notice.settledAt?.toISOString() ?? null,
    settledBy,
  }));
}
