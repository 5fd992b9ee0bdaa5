import type {
  AccountId,
  GroupId,
  Invite,
  InviteId,
  MembershipId,
  Redemption,
  RosterEntryId,
  SchoolId,
  Vocabulary,
} from '@zvonok/shared';
import { schoolLimits } from '@zvonok/shared';
import { and, desc, eq, gt, inArray, isNotNull, isNull, lt, ne, not, or, type SQL, sql } from 'drizzle-orm';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { personalInvites } from './school.invites.tables.ts';
import { joinRequests } from './school.joining.tables.ts';
import { groups, inviteRedemptions, invites, memberships, schools } from './school.tables.ts';

/** An invite as the rooms use it: without its hash, with the state that the database's clock gives it. */
export interface StoredInvite extends Omit<Invite, 'createdAt' | 'expiresAt'> {
  readonly schoolId: SchoolId;
  /** Whom of the roster it is for. */
  readonly entryId: RosterEntryId | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

const stateNow = sql<Invite['state']>`case
  when ${invites.annulledAt} is not null then 'annulled'
  when ${invites.used} >= ${invites.uses} then 'used'
  when ${invites.expiresAt} <= now() then 'expired'
  when ${invites.suspendedAt} is not null then 'suspended' else 'open' end`;

/** The entry that an invite is for; asked by its table's full name, as every statement over invites has it. */
const entryOfInvite = sql`from personal_invites p join roster_entries e on e.school_id = p.school_id and e.id = p.entry_id
  where p.school_id = "invites"."school_id" and p.invite_id = "invites"."id"`;

const columns = {
  schoolId: invites.schoolId,
  id: invites.id,
  role: invites.role,
  groupId: invites.groupId,
  subject: invites.subject,
  needsApproval: invites.needsApproval,
  match: invites.match,
  entryId: sql<RosterEntryId | null>`(select e.id ${entryOfInvite})`,
  personName: sql<string | null>`(select e.full_name ${entryOfInvite})`,
  childId: invites.childId,
  state: stateNow,
  uses: invites.uses,
  used: invites.used,
  createdBy: invites.createdBy,
  createdAt: invites.createdAt,
  expiresAt: invites.expiresAt,
};

/** Open or suspended. */
const isUnclaimed = () =>
  and(isNull(invites.annulledAt), lt(invites.used, invites.uses), gt(invites.expiresAt, sql`now()`));
const isOpen = () => and(isUnclaimed(), isNull(invites.suspendedAt));

export const describeInvite = ({
  schoolId: _schoolId,
  entryId: _entryId,
  ...invite
}: StoredInvite): Invite => ({
  ...invite,
  createdAt: invite.createdAt.toISOString(),
  expiresAt: invite.expiresAt.toISOString(),
});

export interface NewInvite {
  readonly schoolId: SchoolId;
  readonly id: InviteId;
  readonly tokenHash: string;
  readonly role: Invite['role'];
  readonly groupId: GroupId;
  readonly childId: MembershipId | null;
  readonly subject: string | null;
  readonly needsApproval: boolean;
  readonly match: Invite['match'];
  readonly uses: number;
  readonly createdBy: MembershipId;
}

export async function addInvite(tx: Transaction, invite: NewInvite, lifeMs: number): Promise<StoredInvite> {
  const [row] = await tx
    .insert(invites)
    .values({ ...invite, expiresAt: fromNow(lifeMs) })
    .returning(columns);
  if (row === undefined) throw new Error('an invite was not stored');
  return row;
}

const fromNow = (ms: number) => sql`now() + make_interval(secs => ${ms / 1_000})`;

/** Each for one person of the roster. */
export async function addPersonalInvites(
  tx: Transaction,
  schoolId: SchoolId,
  made: readonly (NewInvite & { readonly entryId: RosterEntryId })[],
  lifeMs: number,
): Promise<StoredInvite[]> {
  if (made.length === 0) return [];
  const expiresAt = fromNow(lifeMs);
  await tx.insert(invites).values(made.map(({ entryId: _entryId, ...invite }) => ({ ...invite, expiresAt })));
  await tx
    .insert(personalInvites)
    .values(made.map(({ id, entryId }) => ({ schoolId, inviteId: id, entryId })));
  return tx
    .select(columns)
    .from(invites)
    .where(
      and(
        eq(invites.schoolId, schoolId),
        inArray(
          invites.id,
          made.map((each) => each.id),
        ),
      ),
    );
}

/** Which invites of a school somebody may list and annul. */
export type InviteScope = 'all' | { readonly createdBy: MembershipId; readonly ofGroups: readonly GroupId[] };

function within(scope: InviteScope): SQL | undefined {
  if (scope === 'all') return undefined;
  const ofGroups = scope.ofGroups.map((groupId) =>
    and(eq(invites.groupId, groupId), sql`${invites.role} in ('pupil', 'guardian')`),
  );
  return or(eq(invites.createdBy, scope.createdBy), ...ofGroups);
}

export async function listInvites(
  reader: Reader,
  schoolId: SchoolId,
  scope: InviteScope,
  query: {
    readonly personal: boolean | undefined;
    readonly groupId: GroupId | undefined;
    readonly after: InviteId | undefined;
    readonly limit: number;
  },
): Promise<StoredInvite[]> {
  const { personal, groupId, after, limit } = query;
  const ofPerson = sql`exists (select 1 ${entryOfInvite})`;
  return queryOf(reader)
    .select(columns)
    .from(invites)
    .where(
      and(
        eq(invites.schoolId, schoolId),
        within(scope),
        personal === undefined ? undefined : personal ? ofPerson : not(ofPerson),
        groupId === undefined ? undefined : eq(invites.groupId, groupId),
        after === undefined ? undefined : lt(invites.id, after),
      ),
    )
    .orderBy(desc(invites.id))
    .limit(limit);
}

export async function findInvite(
  reader: Reader,
  schoolId: SchoolId,
  id: InviteId,
  scope: InviteScope,
  lock?: 'lock',
): Promise<StoredInvite | undefined> {
  const query = queryOf(reader)
    .select(columns)
    .from(invites)
    .where(and(eq(invites.schoolId, schoolId), eq(invites.id, id), within(scope)));
  const [row] = await (lock === undefined ? query : query.for('update'));
  return row;
}

/** Whether somebody has annulled or suspended it, used up or over as it may be besides. */
export async function isWithdrawn(
  reader: Reader,
  { schoolId, id }: Pick<StoredInvite, 'schoolId' | 'id'>,
): Promise<boolean> {
  const rows = await queryOf(reader)
    .select({ id: invites.id })
    .from(invites)
    .where(
      and(
        eq(invites.schoolId, schoolId),
        eq(invites.id, id),
        or(isNotNull(invites.annulledAt), isNotNull(invites.suspendedAt)),
      ),
    );
  return rows.length > 0;
}

/** Those that are neither used up nor over; of these makers, where given. */
export async function listUnclaimedInvites(
  reader: Reader,
  schoolId: SchoolId,
  makerIds: readonly MembershipId[] | undefined,
): Promise<StoredInvite[]> {
  return queryOf(reader)
    .select(columns)
    .from(invites)
    .where(
      and(
        eq(invites.schoolId, schoolId),
        isUnclaimed(),
        makerIds === undefined ? undefined : isAmong(invites.createdBy, makerIds),
      ),
    );
}

/** Ends what is still unclaimed of the invites that the narrowing names. */
export async function annulInvites(
  tx: Transaction,
  schoolId: SchoolId,
  which: {
    readonly scope?: InviteScope;
    readonly ids?: readonly InviteId[];
    /** Those for one of these people of the roster. */
    readonly entryIds?: readonly RosterEntryId[];
    readonly makerIds?: readonly MembershipId[];
    readonly groupIds?: readonly GroupId[];
    readonly childIds?: readonly MembershipId[];
    readonly role?: Invite['role'];
  },
  annulledBy: MembershipId | null,
): Promise<StoredInvite[]> {
  return tx
    .update(invites)
    .set({ annulledAt: sql`now()`, annulledBy })
    .where(
      and(
        eq(invites.schoolId, schoolId),
        isUnclaimed(),
        within(which.scope ?? 'all'),
        which.ids === undefined ? undefined : isAmong(invites.id, which.ids),
        which.entryIds === undefined
          ? undefined
          : inArray(
              invites.id,
              tx
                .select({ id: personalInvites.inviteId })
                .from(personalInvites)
                .where(
                  and(
                    eq(personalInvites.schoolId, schoolId),
                    isAmong(personalInvites.entryId, which.entryIds),
                  ),
                ),
            ),
        which.makerIds === undefined ? undefined : isAmong(invites.createdBy, which.makerIds),
        which.groupIds === undefined ? undefined : isAmong(invites.groupId, which.groupIds),
        which.childIds === undefined ? undefined : isAmong(invites.childId, which.childIds),
        which.role === undefined ? undefined : eq(invites.role, which.role),
      ),
    )
    .returning(columns);
}

/** The invite behind a token, whatever its state. It and its uses stay as they are until the transaction ends. */
export async function lockInviteByToken(
  tx: Transaction,
  tokenHash: string,
): Promise<StoredInvite | undefined> {
  const [row] = await tx.select(columns).from(invites).where(eq(invites.tokenHash, tokenHash)).for('update');
  return row;
}

/** Where an invite leads, as whoever has its link is told. */
export interface OpenInvite {
  readonly schoolName: string;
  readonly vocabulary: Vocabulary;
  readonly role: Invite['role'];
  readonly groupName: string;
  readonly subject: string | null;
  readonly needsApproval: boolean;
  readonly match: Invite['match'];
  readonly personal: boolean;
}

/** Undefined for one that is not open. Changes nothing. */
export async function findOpenInvite(reader: Reader, tokenHash: string): Promise<OpenInvite | undefined> {
  const [row] = await queryOf(reader)
    .select({
      schoolName: schools.name,
      vocabulary: schools.vocabulary,
      role: invites.role,
      groupName: groups.name,
      subject: invites.subject,
      needsApproval: invites.needsApproval,
      match: invites.match,
      personal: sql<boolean>`exists (select 1 ${entryOfInvite})`,
    })
    .from(invites)
    .innerJoin(schools, eq(schools.id, invites.schoolId))
    .innerJoin(groups, and(eq(groups.schoolId, invites.schoolId), eq(groups.id, invites.groupId)))
    .where(
      and(eq(invites.tokenHash, tokenHash), isOpen(), isNull(groups.archivedAt), isNull(schools.suspendedAt)),
    );
  return row;
}

/** What this person got by this invite before. */
export async function findRedemption(
  reader: Reader,
  invite: Pick<StoredInvite, 'schoolId' | 'id'>,
  accountId: AccountId,
): Promise<{ membershipId: MembershipId; active: boolean } | undefined> {
  const [row] = await queryOf(reader)
    .select({
      membershipId: inviteRedemptions.membershipId,
      active: sql<boolean>`${memberships.endedAt} is null`,
    })
    .from(inviteRedemptions)
    .innerJoin(
      memberships,
      and(
        eq(memberships.schoolId, inviteRedemptions.schoolId),
        eq(memberships.id, inviteRedemptions.membershipId),
      ),
    )
    .where(
      and(
        eq(inviteRedemptions.schoolId, invite.schoolId),
        eq(inviteRedemptions.inviteId, invite.id),
        eq(inviteRedemptions.accountId, accountId),
      ),
    );
  return row;
}

/** Takes one use. The invite must be locked. */
export async function takeUse(
  tx: Transaction,
  invite: Pick<StoredInvite, 'schoolId' | 'id'>,
): Promise<StoredInvite> {
  return writeInvite(tx, invite, { used: sql`${invites.used} + 1` });
}

/** Notes who came by it. */
export async function addRedemption(
  tx: Transaction,
  invite: Pick<StoredInvite, 'schoolId' | 'id'>,
  redemption: {
    readonly accountId: AccountId;
    readonly membershipId: MembershipId;
    readonly onRoster: boolean | null;
  },
): Promise<void> {
  await tx
    .insert(inviteRedemptions)
    .values({ schoolId: invite.schoolId, inviteId: invite.id, ...redemption })
    .onConflictDoNothing();
}

/** Closes it until an administrator opens it again. */
export const suspendInvite = (
  tx: Transaction,
  invite: Pick<StoredInvite, 'schoolId' | 'id'>,
): Promise<StoredInvite> => writeInvite(tx, invite, { suspendedAt: sql`now()` });

export const resumeInvite = (
  tx: Transaction,
  invite: Pick<StoredInvite, 'schoolId' | 'id'>,
): Promise<StoredInvite> => writeInvite(tx, invite, { suspendedAt: null, resumedAt: sql`now()` });

async function writeInvite(
  tx: Transaction,
  { schoolId, id }: Pick<StoredInvite, 'schoolId' | 'id'>,
  values: { readonly used?: SQL; readonly suspendedAt?: SQL | null; readonly resumedAt?: SQL },
): Promise<StoredInvite> {
  const [row] = await tx
    .update(invites)
    .set(values)
    .where(and(eq(invites.schoolId, schoolId), eq(invites.id, id)))
    .returning(columns);
  if (row === undefined) throw new Error('a locked invite vanished');
  return row;
}

/** How many came by it or asked to, since an administrator looked at it last; and how many of them its class's roster did not know. */
export async function countRedeemers(
  tx: Transaction,
  { schoolId, id }: Pick<StoredInvite, 'schoolId' | 'id'>,
): Promise<{ redeemers: number; strangers: number }> {
  const [row] = await tx.execute<{ redeemers: number; strangers: number }>(sql`
    with came as (
      select account_id, on_roster, redeemed_at as at from invite_redemptions
      where school_id = ${schoolId} and invite_id = ${id}
      union all
      select account_id, on_roster, created_at from join_requests
      where school_id = ${schoolId} and invite_id = ${id}
    ), people as (
      select account_id, bool_or(on_roster) as known from came
      where at > coalesce(
        (select resumed_at from invites where school_id = ${schoolId} and id = ${id}), '-infinity')
      group by account_id
    )
    select count(*)::int as redeemers, (count(*) filter (where not known))::int as strangers from people`);
  return row ?? { redeemers: 0, strangers: 0 };
}

/** Who came by it, and who asked to; the newest first. */
export async function listRedemptions(
  reader: Reader,
  { schoolId, id }: Pick<StoredInvite, 'schoolId' | 'id'>,
): Promise<Redemption[]> {
  const [came, asked] = await Promise.all([
    queryOf(reader)
      .select({
        fullName: memberships.fullName,
        at: inviteRedemptions.redeemedAt,
        active: sql<boolean>`${memberships.endedAt} is null`,
        onRoster: inviteRedemptions.onRoster,
      })
      .from(inviteRedemptions)
      .innerJoin(
        memberships,
        and(
          eq(memberships.schoolId, inviteRedemptions.schoolId),
          eq(memberships.id, inviteRedemptions.membershipId),
        ),
      )
      .where(and(eq(inviteRedemptions.schoolId, schoolId), eq(inviteRedemptions.inviteId, id)))
      .limit(schoolLimits.inviteUsesMax),
    queryOf(reader)
      .select({
        fullName: joinRequests.fullName,
        at: joinRequests.createdAt,
        open: sql<boolean>`${joinRequests.state} = 'open' and ${joinRequests.expiresAt} > now()`,
        onRoster: joinRequests.onRoster,
      })
      .from(joinRequests)
      .where(
        and(
          eq(joinRequests.schoolId, schoolId),
          eq(joinRequests.inviteId, id),
          ne(joinRequests.state, 'approved'),
        ),
      )
      .limit(schoolLimits.inviteUsesMax),
  ]);
  return [
    ...came.map(({ active, ...row }) => ({
      ...row,
      state: active ? ('member' as const) : ('left' as const),
    })),
    ...asked.map(({ open, ...row }) => ({
      ...row,
      state: open ? ('waiting' as const) : ('refused' as const),
    })),
  ]
    .sort((one, other) => other.at.getTime() - one.at.getTime())
    .map(({ at, ...row }) => ({ ...row, at: at.toISOString() }));
}
