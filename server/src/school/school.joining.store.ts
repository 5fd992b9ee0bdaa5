import type {
  AccountId,
  GroupId,
  InvitableRole,
  InviteId,
  JoinRequestId,
  JoinRequestState,
  MembershipId,
  OwnJoinRequest,
  Role,
  SchoolId,
  Vocabulary,
} from '@zvonok/shared';
import { joiningLimits } from '@zvonok/shared';
import { and, asc, count, desc, eq, gt, inArray, isNull, lte, or, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { joinRequests } from './school.joining.tables.ts';
import { groupKeyOf } from './school.roster.names.ts';
import { groups, memberships, schools } from './school.tables.ts';

/** A request with the state that the database's clock gives it. */
export type StoredJoinRequest = typeof joinRequests.$inferSelect;

const isWaiting = () => and(eq(joinRequests.state, 'open'), gt(joinRequests.expiresAt, sql`now()`));

const columns = {
  schoolId: joinRequests.schoolId,
  id: joinRequests.id,
  accountId: joinRequests.accountId,
  role: joinRequests.role,
  fullName: joinRequests.fullName,
  groupWords: joinRequests.groupWords,
  childWords: joinRequests.childWords,
  message: joinRequests.message,
  groupId: joinRequests.groupId,
  inviteId: joinRequests.inviteId,
  onRoster: joinRequests.onRoster,
  state: sql<JoinRequestState>`case when ${joinRequests.state} = 'open' and ${joinRequests.expiresAt} <= now()
    then 'expired' else ${joinRequests.state} end`,
  createdAt: joinRequests.createdAt,
  expiresAt: joinRequests.expiresAt,
  reason: joinRequests.reason,
  decidedAt: joinRequests.decidedAt,
  decidedBy: joinRequests.decidedBy,
  membershipId: joinRequests.membershipId,
};

export interface SchoolByCode {
  readonly id: SchoolId;
  readonly name: string;
  readonly vocabulary: Vocabulary;
}

/** The school that takes requests by this code now; never a suspended one. */
export async function findSchoolByCode(reader: Reader, code: string): Promise<SchoolByCode | undefined> {
  const [row] = await queryOf(reader)
    .select({ id: schools.id, name: schools.name, vocabulary: schools.vocabulary })
    .from(schools)
    .where(and(eq(schools.joinCode, code), isNull(schools.suspendedAt)));
  return row;
}

export async function findJoinCode(reader: Reader, schoolId: SchoolId): Promise<string | null> {
  const [row] = await queryOf(reader)
    .select({ code: schools.joinCode })
    .from(schools)
    .where(eq(schools.id, schoolId));
  return row?.code ?? null;
}

export async function writeJoinCode(tx: Transaction, schoolId: SchoolId, code: string | null): Promise<void> {
  await tx.update(schools).set({ joinCode: code }).where(eq(schools.id, schoolId));
}

/** The open class that somebody means by these words. */
export async function findClassByWords(
  reader: Reader,
  schoolId: SchoolId,
  words: string,
): Promise<GroupId | undefined> {
  const key = groupKeyOf(words);
  const rows = await queryOf(reader)
    .select({ id: groups.id, name: groups.name })
    .from(groups)
    .where(and(eq(groups.schoolId, schoolId), eq(groups.kind, 'class'), isNull(groups.archivedAt)));
  return rows.find((row) => groupKeyOf(row.name) === key)?.id;
}

export interface NewJoinRequest {
  readonly schoolId: SchoolId;
  readonly id: JoinRequestId;
  readonly accountId: AccountId;
  readonly role: InvitableRole;
  readonly fullName: string;
  readonly groupWords: string | null;
  readonly childWords: string | null;
  readonly message: string | null;
  readonly groupId: GroupId | null;
  readonly inviteId: InviteId | null;
  readonly onRoster: boolean | null;
}

/** Undefined where the person has an open one of this role: one of two that come at once. */
export async function addJoinRequest(
  tx: Transaction,
  request: NewJoinRequest,
): Promise<StoredJoinRequest | undefined> {
  const { schoolId, accountId, role } = request;
  // Nobody decided the last one: it makes room.
  await tx
    .update(joinRequests)
    .set({ state: 'expired' })
    .where(
      and(
        eq(joinRequests.schoolId, schoolId),
        eq(joinRequests.accountId, accountId),
        eq(joinRequests.role, role),
        eq(joinRequests.state, 'open'),
        lte(joinRequests.expiresAt, sql`now()`),
      ),
    );
  const [row] = await tx
    .insert(joinRequests)
    .values({
      ...request,
      expiresAt: sql`now() + make_interval(secs => ${joiningLimits.requestLifeMs / 1_000})`,
    })
    .onConflictDoNothing()
    .returning(columns);
  return row;
}

/** How many this person has made of all schools in a day. */
export async function countRequestsOfDay(
  reader: Reader,
  accountId: AccountId,
): Promise<{ made: number; retryAfterMs: number }> {
  const [row] = await queryOf(reader)
    .select({
      made: count(),
      /** Until the first of them is a day old. */
      retryAfterMs: sql<number>`coalesce(extract(epoch from
        min(${joinRequests.createdAt}) + make_interval(days => 1) - now()) * 1000, 0)`.mapWith(Math.ceil),
    })
    .from(joinRequests)
    .where(
      and(
        eq(joinRequests.accountId, accountId),
        gt(joinRequests.createdAt, sql`now() - make_interval(days => 1)`),
      ),
    );
  return row ?? { made: 0, retryAfterMs: 0 };
}

const pauseEnd = sql<Date>`${joinRequests.decidedAt} + make_interval(secs => ${joiningLimits.pauseMs / 1_000})`;

/** Until when the school wants no further request of this person for this role; undefined: it does not mind. */
export async function findPause(
  reader: Reader,
  schoolId: SchoolId,
  accountId: AccountId,
  role: InvitableRole,
): Promise<Date | undefined> {
  const [row] = await queryOf(reader)
    .select({ until: pauseEnd.mapWith(joinRequests.decidedAt) })
    .from(joinRequests)
    .where(
      and(
        eq(joinRequests.accountId, accountId),
        eq(joinRequests.schoolId, schoolId),
        eq(joinRequests.role, role),
        eq(joinRequests.state, 'declined'),
        sql`${pauseEnd} > now()`,
      ),
    )
    .orderBy(desc(joinRequests.decidedAt))
    .limit(1);
  return row?.until;
}

/** A person's own, the newest first; one of them, where given. */
export async function listOwnRequests(
  reader: Reader,
  accountId: AccountId,
  only?: JoinRequestId,
): Promise<OwnJoinRequest[]> {
  const rows = await queryOf(reader)
    .select({
      request: columns,
      schoolName: schools.name,
      vocabulary: schools.vocabulary,
      mayAskAgainAt: sql<Date | null>`case when ${joinRequests.state} = 'declined' and ${pauseEnd} > now()
        then ${pauseEnd} end`.mapWith(joinRequests.decidedAt),
    })
    .from(joinRequests)
    .innerJoin(schools, eq(schools.id, joinRequests.schoolId))
    .where(
      and(eq(joinRequests.accountId, accountId), only === undefined ? undefined : eq(joinRequests.id, only)),
    )
    .orderBy(desc(joinRequests.createdAt), desc(joinRequests.id))
    .limit(joiningLimits.ownListed);
  return rows.map(({ request, schoolName, vocabulary, mayAskAgainAt }) => ({
    ...describeAsked(request),
    schoolName,
    vocabulary,
    mayAskAgainAt: mayAskAgainAt?.toISOString() ?? null,
  }));
}

/** What sender and school see alike. */
export const describeAsked = (request: StoredJoinRequest) => ({
  id: request.id,
  role: request.role,
  fullName: request.fullName,
  groupWords: request.groupWords,
  childWords: request.childWords,
  message: request.message,
  state: request.state,
  createdAt: request.createdAt.toISOString(),
  expiresAt: request.expiresAt.toISOString(),
  reason: request.reason,
});

/** Of this person, whatever school it went to; it stays as it is until the transaction ends. */
export async function lockOwnRequest(
  tx: Transaction,
  accountId: AccountId,
  id: JoinRequestId,
): Promise<StoredJoinRequest | undefined> {
  const [row] = await tx
    .select(columns)
    .from(joinRequests)
    .where(and(eq(joinRequests.accountId, accountId), eq(joinRequests.id, id)))
    .for('update');
  return row;
}

/** What this person asked by this invite last. */
export async function findRequestByInvite(
  reader: Reader,
  invite: { readonly schoolId: SchoolId; readonly id: InviteId },
  accountId: AccountId,
): Promise<StoredJoinRequest | undefined> {
  const [row] = await queryOf(reader)
    .select(columns)
    .from(joinRequests)
    .where(
      and(
        eq(joinRequests.schoolId, invite.schoolId),
        eq(joinRequests.inviteId, invite.id),
        eq(joinRequests.accountId, accountId),
      ),
    )
    .orderBy(desc(joinRequests.id))
    .limit(1);
  return row;
}

/** Whose requests somebody decides: of these roles, of all the school or of these classes. */
export interface QueueScope {
  readonly staff: boolean;
  /** Those of pupils and guardians: all, or for these classes. */
  readonly pupils: 'all' | readonly GroupId[];
}

function within({ staff, pupils }: QueueScope): SQL | undefined {
  const ofStaff = inArray(joinRequests.role, ['head', 'teacher']);
  const ofPupils = inArray(joinRequests.role, ['pupil', 'guardian']);
  return or(
    staff ? ofStaff : sql`false`,
    pupils === 'all'
      ? ofPupils
      : pupils.length === 0
        ? sql`false`
        : and(ofPupils, isAmong(joinRequests.groupId, pupils)),
  );
}

/** Undefined where it is absent or not theirs to decide. `lock`: it stays as it is until the transaction ends. */
export async function findQueued(
  reader: Reader,
  schoolId: SchoolId,
  scope: QueueScope,
  id: JoinRequestId,
  lock?: 'lock',
): Promise<StoredJoinRequest | undefined> {
  const query = queryOf(reader)
    .select(columns)
    .from(joinRequests)
    .where(and(eq(joinRequests.schoolId, schoolId), eq(joinRequests.id, id), within(scope)));
  const [row] = await (lock === undefined ? query : query.for('update'));
  return row;
}

export interface QueuedRequest {
  readonly request: StoredJoinRequest;
  readonly groupName: string | null;
  readonly decider: string | null;
}

/** Those that wait, the oldest first; or those that wait no more, the newest first: ids are made in the order of time. */
export async function listQueue(
  reader: Reader,
  schoolId: SchoolId,
  scope: QueueScope,
  query: {
    readonly state: 'open' | 'decided';
    readonly after: JoinRequestId | undefined;
    readonly limit: number;
  },
): Promise<QueuedRequest[]> {
  const { state, after, limit } = query;
  const open = state === 'open';
  const deciders = alias(memberships, 'deciders');
  return queryOf(reader)
    .select({ request: columns, groupName: groups.name, decider: deciders.fullName })
    .from(joinRequests)
    .leftJoin(groups, and(eq(groups.schoolId, joinRequests.schoolId), eq(groups.id, joinRequests.groupId)))
    .leftJoin(
      deciders,
      and(eq(deciders.schoolId, joinRequests.schoolId), eq(deciders.id, joinRequests.decidedBy)),
    )
    .where(
      and(
        eq(joinRequests.schoolId, schoolId),
        within(scope),
        open ? isWaiting() : inArray(joinRequests.state, ['approved', 'declined']),
        after === undefined
          ? undefined
          : open
            ? gt(joinRequests.id, after)
            : sql`${joinRequests.id} < ${after}`,
      ),
    )
    .orderBy(open ? asc(joinRequests.id) : desc(joinRequests.id))
    .limit(limit);
}

export async function countQueue(reader: Reader, schoolId: SchoolId, scope: QueueScope): Promise<number> {
  const [row] = await queryOf(reader)
    .select({ waiting: count() })
    .from(joinRequests)
    .where(and(eq(joinRequests.schoolId, schoolId), within(scope), isWaiting()));
  return row?.waiting ?? 0;
}

export type Decision =
  | { readonly state: 'approved'; readonly membershipId: MembershipId }
  | { readonly state: 'declined'; readonly reason: string };

/** The request must be locked. */
export async function writeDecision(
  tx: Transaction,
  { schoolId, id }: Pick<StoredJoinRequest, 'schoolId' | 'id'>,
  decision: Decision,
  decidedBy: MembershipId,
): Promise<void> {
  await tx
    .update(joinRequests)
    .set({ ...decision, decidedBy, decidedAt: sql`now()` })
    .where(and(eq(joinRequests.schoolId, schoolId), eq(joinRequests.id, id)));
}

/** The request must be locked. */
export async function writeWithdrawal(
  tx: Transaction,
  { schoolId, id }: Pick<StoredJoinRequest, 'schoolId' | 'id'>,
): Promise<void> {
  await tx
    .update(joinRequests)
    .set({ state: 'withdrawn' })
    .where(and(eq(joinRequests.schoolId, schoolId), eq(joinRequests.id, id)));
}

export interface Namesake {
  readonly membershipId: MembershipId;
  readonly accountId: AccountId;
  readonly fullName: string;
  readonly role: Role;
  readonly groupName: string | null;
}

/** Active members with one of these very names, and other memberships of these accounts. */
export async function listNamesakes(
  reader: Reader,
  schoolId: SchoolId,
  requests: readonly Pick<StoredJoinRequest, 'fullName' | 'accountId'>[],
): Promise<Namesake[]> {
  if (requests.length === 0) return [];
  return queryOf(reader)
    .select({
      membershipId: memberships.id,
      accountId: memberships.accountId,
      fullName: memberships.fullName,
      role: memberships.role,
      groupName: groups.name,
    })
    .from(memberships)
    .leftJoin(groups, and(eq(groups.schoolId, memberships.schoolId), eq(groups.id, memberships.groupId)))
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        isNull(memberships.endedAt),
        or(
          isAmong(memberships.fullName, [...new Set(requests.map((each) => each.fullName))]),
          isAmong(memberships.accountId, [...new Set(requests.map((each) => each.accountId))]),
        ),
      ),
    )
    .orderBy(asc(memberships.fullName), asc(memberships.id));
}
