import type { GroupId, MembershipId, Permission, RequestId, RequestOutcome, SchoolId } from '@zvonok/shared';
import { and, count, desc, eq, gt, inArray, isNull, lt, lte, or, type SQL, sql } from 'drizzle-orm';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { requests } from './school.requests.tables.ts';
import { memberships } from './school.tables.ts';

export type StoredRequest = typeof requests.$inferSelect;

const isOpenNow = () => and(isNull(requests.decidedAt), gt(requests.expiresAt, sql`now()`));

export const isOpenRequest = (request: StoredRequest, now = Date.now()): boolean =>
  request.decidedAt === null && request.expiresAt.getTime() > now;

/** Nobody else adds a request of this person until the transaction ends. */
export async function lockAsker(tx: Transaction, schoolId: SchoolId, id: MembershipId): Promise<void> {
  await tx
    .select({ id: memberships.id })
    .from(memberships)
    .where(and(eq(memberships.schoolId, schoolId), eq(memberships.id, id)))
    .for('no key update');
}

/** Writes down that those of this person have expired whose time is over: their wishes may be asked for anew. */
export async function closeExpired(
  tx: Transaction,
  schoolId: SchoolId,
  askedBy: MembershipId,
): Promise<void> {
  await tx
    .update(requests)
    .set({ outcome: 'expired', decidedAt: requests.expiresAt })
    .where(
      and(
        eq(requests.schoolId, schoolId),
        eq(requests.askedBy, askedBy),
        isNull(requests.decidedAt),
        lte(requests.expiresAt, sql`now()`),
      ),
    );
}

export async function addRequest(
  tx: Transaction,
  request: Omit<typeof requests.$inferInsert, 'decidedAt' | 'outcome' | 'decidedBy'>,
): Promise<StoredRequest> {
  const [row] = await tx.insert(requests).values(request).returning();
  if (row === undefined) throw new Error('a request was not stored');
  return row;
}

/** The open request of this person for the same. */
export async function findOpenWish(
  tx: Transaction,
  schoolId: SchoolId,
  askedBy: MembershipId,
  wish: string,
): Promise<StoredRequest | undefined> {
  const [row] = await tx
    .select()
    .from(requests)
    .where(
      and(
        eq(requests.schoolId, schoolId),
        eq(requests.askedBy, askedBy),
        eq(requests.wish, wish),
        isNull(requests.decidedAt),
      ),
    );
  return row;
}

/** `lock`: nobody else decides it until the transaction ends. */
export async function findRequest(
  reader: Reader,
  schoolId: SchoolId,
  id: RequestId,
  lock = false,
): Promise<StoredRequest | undefined> {
  const query = queryOf(reader)
    .select()
    .from(requests)
    .where(and(eq(requests.schoolId, schoolId), eq(requests.id, id)));
  const [row] = await (lock ? query.for('update') : query);
  return row;
}

export async function closeRequest(
  tx: Transaction,
  { schoolId, id }: Pick<StoredRequest, 'schoolId' | 'id'>,
  decision: {
    readonly outcome: RequestOutcome;
    readonly decidedBy: MembershipId;
    readonly comment: string | null;
  },
): Promise<StoredRequest> {
  const [row] = await tx
    .update(requests)
    .set({ ...decision, decidedAt: sql`now()` })
    .where(and(eq(requests.schoolId, schoolId), eq(requests.id, id), isNull(requests.decidedAt)))
    .returning();
  if (row === undefined) throw new Error('a locked request was decided by somebody else');
  return row;
}

/** Closes what asks for the verification of this person, since it was given. */
export async function closeVerificationRequests(
  tx: Transaction,
  schoolId: SchoolId,
  aboutId: MembershipId,
  decidedBy: MembershipId,
): Promise<StoredRequest[]> {
  return tx
    .update(requests)
    .set({ outcome: 'approved', decidedBy, decidedAt: sql`now()` })
    .where(
      and(
        eq(requests.schoolId, schoolId),
        eq(requests.aboutId, aboutId),
        eq(requests.permission, 'verifyTeacher'),
        isOpenNow(),
      ),
    )
    .returning();
}

/** Whose requests: those of one person, or those that holders of these permissions decide, of people who are still there. */
export type RequestScope =
  | { readonly askedBy: MembershipId; readonly permissions?: readonly Permission[] }
  | { readonly permissions: readonly Permission[] };

const inScope = (scope: RequestScope): SQL | undefined =>
  'askedBy' in scope
    ? and(
        eq(requests.askedBy, scope.askedBy),
        scope.permissions === undefined ? undefined : inArray(requests.permission, [...scope.permissions]),
      )
    : and(
        inArray(requests.permission, [...scope.permissions]),
        // Who is gone asks for nothing any more.
        sql`exists (select 1 from memberships m where m.school_id = ${requests.schoolId}
          and m.id = ${requests.askedBy} and m.ended_at is null)`,
      );

/** Newest first: ids are made in the order of time. */
export async function listRequests(
  reader: Reader,
  schoolId: SchoolId,
  scope: RequestScope,
  query: {
    readonly state: 'open' | 'closed';
    readonly after: RequestId | undefined;
    readonly limit: number;
  },
): Promise<StoredRequest[]> {
  const { state, after, limit } = query;
  return queryOf(reader)
    .select()
    .from(requests)
    .where(
      and(
        eq(requests.schoolId, schoolId),
        inScope(scope),
        state === 'open'
          ? isOpenNow()
          : or(sql`${requests.decidedAt} is not null`, lte(requests.expiresAt, sql`now()`)),
        after === undefined ? undefined : lt(requests.id, after),
      ),
    )
    .orderBy(desc(requests.id))
    .limit(limit);
}

export async function countOpenRequests(
  reader: Reader,
  schoolId: SchoolId,
  scope: RequestScope,
): Promise<number> {
  const [row] = await queryOf(reader)
    .select({ open: count() })
    .from(requests)
    .where(and(eq(requests.schoolId, schoolId), inScope(scope), isOpenNow()));
  return row?.open ?? 0;
}

/** All active pupils by name: whom words may mean is not looked up by index. */
export async function listPupils(
  reader: Reader,
  schoolId: SchoolId,
): Promise<{ membershipId: MembershipId; fullName: string; groupId: GroupId }[]> {
  return queryOf(reader)
    .select({
      membershipId: memberships.id,
      fullName: memberships.fullName,
      groupId: sql<GroupId>`${memberships.groupId}`,
    })
    .from(memberships)
    .where(
      and(eq(memberships.schoolId, schoolId), eq(memberships.role, 'pupil'), isNull(memberships.endedAt)),
    )
    .orderBy(memberships.fullName, memberships.id);
}
