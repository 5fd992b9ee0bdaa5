import type {
  AccountId,
  GroupId,
  Invite,
  InviteId,
  MembershipId,
  SchoolId,
  Vocabulary,
} from '@zvonok/shared';
import { schoolLimits } from '@zvonok/shared';
import { and, desc, eq, gt, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { groups, inviteRedemptions, invites, memberships, schools } from './school.tables.ts';

/** An invite as the rooms use it: without its hash, with the state that the database's clock gives it. */
export interface StoredInvite extends Omit<Invite, 'createdAt' | 'expiresAt'> {
  readonly schoolId: SchoolId;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

const stateNow = sql<Invite['state']>`case
  when ${invites.annulledAt} is not null then 'annulled'
  when ${invites.used} >= ${invites.uses} then 'used'
  when ${invites.expiresAt} <= now() then 'expired' else 'open' end`;

const columns = {
  schoolId: invites.schoolId,
  id: invites.id,
  role: invites.role,
  groupId: invites.groupId,
  childId: invites.childId,
  state: stateNow,
  uses: invites.uses,
  used: invites.used,
  createdBy: invites.createdBy,
  createdAt: invites.createdAt,
  expiresAt: invites.expiresAt,
};

const isOpen = () =>
  and(isNull(invites.annulledAt), lt(invites.used, invites.uses), gt(invites.expiresAt, sql`now()`));

export const describeInvite = ({ schoolId: _schoolId, ...invite }: StoredInvite): Invite => ({
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
  readonly uses: number;
  readonly createdBy: MembershipId;
}

export async function addInvite(tx: Transaction, invite: NewInvite, lifeMs: number): Promise<StoredInvite> {
  const [row] = await tx
    .insert(invites)
    .values({ ...invite, expiresAt: sql`now() + make_interval(secs => ${lifeMs / 1_000})` })
    .returning(columns);
  if (row === undefined) throw new Error('an invite was not stored');
  return row;
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
): Promise<StoredInvite[]> {
  return queryOf(reader)
    .select(columns)
    .from(invites)
    .where(and(eq(invites.schoolId, schoolId), within(scope)))
    .orderBy(desc(invites.id))
    .limit(schoolLimits.invitesListed);
}

export async function findInvite(
  reader: Reader,
  schoolId: SchoolId,
  id: InviteId,
  scope: InviteScope,
): Promise<StoredInvite | undefined> {
  const [row] = await queryOf(reader)
    .select(columns)
    .from(invites)
    .where(and(eq(invites.schoolId, schoolId), eq(invites.id, id), within(scope)));
  return row;
}

/** Those that can still be redeemed; of one maker, where given. */
export async function listOpenInvites(
  reader: Reader,
  schoolId: SchoolId,
  createdBy: MembershipId | undefined,
): Promise<StoredInvite[]> {
  return queryOf(reader)
    .select(columns)
    .from(invites)
    .where(
      and(
        eq(invites.schoolId, schoolId),
        isOpen(),
        createdBy === undefined ? undefined : eq(invites.createdBy, createdBy),
      ),
    );
}

/** Ends what is still open of the invites that the narrowing names. */
export async function annulInvites(
  tx: Transaction,
  schoolId: SchoolId,
  which: {
    readonly scope?: InviteScope;
    readonly id?: InviteId;
    readonly createdBy?: MembershipId;
    readonly groupId?: GroupId;
    readonly childId?: MembershipId;
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
        isOpen(),
        within(which.scope ?? 'all'),
        which.id === undefined ? undefined : eq(invites.id, which.id),
        which.createdBy === undefined ? undefined : eq(invites.createdBy, which.createdBy),
        which.groupId === undefined ? undefined : eq(invites.groupId, which.groupId),
        which.childId === undefined ? undefined : eq(invites.childId, which.childId),
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

/** Where an open invite leads; undefined for any other. Changes nothing. */
export async function findOpenInvite(
  reader: Reader,
  tokenHash: string,
): Promise<
  { schoolName: string; vocabulary: Vocabulary; role: Invite['role']; groupName: string } | undefined
> {
  const [row] = await queryOf(reader)
    .select({
      schoolName: schools.name,
      vocabulary: schools.vocabulary,
      role: invites.role,
      groupName: groups.name,
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

/** Takes one use and notes by whom. The invite must be locked. */
export async function useInvite(
  tx: Transaction,
  invite: Pick<StoredInvite, 'schoolId' | 'id'>,
  accountId: AccountId,
  membershipId: MembershipId,
): Promise<StoredInvite> {
  await tx
    .insert(inviteRedemptions)
    .values({ schoolId: invite.schoolId, inviteId: invite.id, accountId, membershipId });
  const [row] = await tx
    .update(invites)
    .set({ used: sql`${invites.used} + 1` })
    .where(and(eq(invites.schoolId, invite.schoolId), eq(invites.id, invite.id)))
    .returning(columns);
  if (row === undefined) throw new Error('a locked invite vanished');
  return row;
}
