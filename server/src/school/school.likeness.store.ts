import type { AccountId, MembershipId, NoticeKind, SchoolId } from '@zvonok/shared';
import { and, eq, inArray, isNull } from 'drizzle-orm';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { schoolNotices } from './school.notices.tables.ts';
import { isVerified, verificationJoin } from './school.store.ts';
import { memberships, verifications } from './school.tables.ts';

export interface NamedMember {
  readonly membershipId: MembershipId;
  readonly accountId: AccountId;
  readonly fullName: string;
  readonly verified: boolean;
}

/** What a likeness is told by. */
export type Likeness = Extract<NoticeKind, 'sameName' | 'lookAlikeName'>;
const likenesses: readonly Likeness[] = ['sameName', 'lookAlikeName'];

/** The names of active members: of one of them, of all, or of the verified. */
export async function listNames(
  tx: Transaction,
  schoolId: SchoolId,
  which: 'all' | 'verified' | MembershipId,
): Promise<NamedMember[]> {
  const query = tx
    .select({
      membershipId: memberships.id,
      accountId: memberships.accountId,
      fullName: memberships.fullName,
      verified: isVerified,
    })
    .from(memberships);
  const active = and(eq(memberships.schoolId, schoolId), isNull(memberships.endedAt));
  return which === 'verified'
    ? query.innerJoin(verifications, verificationJoin()).where(active)
    : query
        .leftJoin(verifications, verificationJoin())
        .where(which === 'all' ? active : and(active, eq(memberships.id, which)));
}

/** As what these two were told of already, whoever of them was the one and settled or not. */
export async function toldLikenesses(
  tx: Transaction,
  schoolId: SchoolId,
  pair: readonly MembershipId[],
): Promise<NoticeKind[]> {
  const rows = await tx
    .selectDistinct({ kind: schoolNotices.kind })
    .from(schoolNotices)
    .where(
      and(
        eq(schoolNotices.schoolId, schoolId),
        inArray(schoolNotices.kind, [...likenesses]),
        isAmong(schoolNotices.membershipId, pair),
        isAmong(schoolNotices.otherId, pair),
      ),
    );
  return rows.map((row) => row.kind);
}

/** Of these people those whose names imitate another's, until an administrator has settled it: whose. */
export async function imitationsOf(
  reader: Reader,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
): Promise<Map<MembershipId, MembershipId>> {
  if (ids.length === 0) return new Map();
  const rows = await queryOf(reader)
    .select({ membershipId: schoolNotices.membershipId, otherId: schoolNotices.otherId })
    .from(schoolNotices)
    .where(
      and(
        eq(schoolNotices.schoolId, schoolId),
        isNull(schoolNotices.settledAt),
        inArray(schoolNotices.kind, [...likenesses]),
        isAmong(schoolNotices.membershipId, ids),
      ),
    );
  return new Map(
    rows.flatMap(({ membershipId, otherId }) =>
      membershipId === null || otherId === null ? [] : [[membershipId, otherId]],
    ),
  );
}
