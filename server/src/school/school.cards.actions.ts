import {
  type AccountId,
  CodedError,
  type cardIssueProcedures,
  type MembershipId,
  mayInGroup,
  type OutputOf,
  type RosterEntryId,
} from '@zvonok/shared';
import type { Accounts } from '../accounts/index.ts';
import type { Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { record } from './school.audit.store.ts';
import { loadFacts } from './school.facts.store.ts';
import { announceRegister } from './school.guardians.actions.ts';
import { lockMembers } from './school.movement.store.ts';
import { raiseNotice } from './school.notices.ts';
import { type MemberFacts, requireRight } from './school.policy.ts';
import { requireSelf } from './school.require.ts';
import type { RosterClaims } from './school.roster.claims.ts';
import { findRosterEntry } from './school.roster.store.ts';
import { listActiveMemberships, listGroups } from './school.store.ts';

type Contract = typeof cardIssueProcedures;

/** Cards with which pupils sign in without a phone: given out, given anew and ended by whoever answers for the class. */
export function createCardIssueActions(
  { database }: Pick<Platform, 'database'>,
  accounts: Pick<Accounts, 'cards'>,
  claims: Pick<RosterClaims, 'claim'>,
) {
  /** The giver, whose rights nobody takes until the transaction ends: with them go the cards. */
  async function requireIssuer(tx: Transaction, actor: Actor): Promise<MemberFacts> {
    await lockMembers(tx, actor.schoolId, [actor.membershipId]);
    const self = await requireSelf(tx, actor);
    requireRight('issueCards', self);
    return self;
  }

  /** A pupil to whom this person gives cards. @throws CodedError NOT_FOUND */
  async function requirePupil(
    tx: Transaction,
    actor: Actor,
    self: MemberFacts,
    id: MembershipId,
  ): Promise<MemberFacts & { readonly groupId: NonNullable<MemberFacts['groupId']> }> {
    const pupil = (await loadFacts(tx, actor.schoolId, [id])).get(id);
    const groupId = pupil?.groupId ?? null;
    if (pupil?.role !== 'pupil' || groupId === null || !mayInGroup('issueCards', self, groupId)) {
      throw new CodedError('NOT_FOUND');
    }
    return { ...pupil, groupId };
  }

  /** Lets an expected pupil in who has no phone to come with. */
  async function letIn(
    tx: Transaction,
    actor: Actor,
    self: MemberFacts,
    entryId: RosterEntryId,
  ): Promise<MembershipId> {
    const { schoolId, address } = actor;
    const entry = await findRosterEntry(tx, schoolId, entryId);
    if (
      entry?.role !== 'pupil' ||
      entry.groupId === null ||
      entry.membershipId !== null ||
      !mayInGroup('issueCards', self, entry.groupId)
    ) {
      throw new CodedError('NOT_FOUND');
    }
    // Who has a phone comes with it: two ways in would make two people of one child.
    if (entry.phone !== null) throw new CodedError('CARD_REFUSED');
    const accountId = await accounts.cards.createAccount(tx);
    const membership = await claims.claim(tx, { schoolId, entryId, accountId, address });
    // Somebody came as this child a moment ago, or the class was closed.
    if (membership === undefined) throw new CodedError('NOT_FOUND');
    return membership.id;
  }

  async function issue(
    tx: Transaction,
    actor: Actor,
    self: MemberFacts,
    id: MembershipId,
  ): Promise<OutputOf<Contract['school.issueCard']>> {
    const { schoolId } = actor;
    const { accountId, groupId, fullName } = await requirePupil(tx, actor, self, id);
    // It holds the account, so that who becomes more than a pupil at this moment is seen here or ends the card there.
    const secrets = await accounts.cards.issue(tx, accountId, actor.membershipId);
    const known = await listActiveMemberships(tx, accountId, { inOpenSchools: false });
    // The card opens the whole account, and its paper passed through a teacher's hands.
    if (known.length !== 1) throw new CodedError('CARD_REFUSED');
    await record(tx, schoolId, actor, { action: 'cardIssued', membershipId: id, groupId });
    await announceRegister(tx, schoolId, groupId);
    const [group] = await listGroups(tx, schoolId, 1, [groupId]);
    return { membershipId: id, fullName, groupName: group?.name ?? '', ...secrets };
  }

  return {
    issueCard: (actor: Actor, id: MembershipId): Promise<OutputOf<Contract['school.issueCard']>> =>
      database.inTransaction(async (tx) => issue(tx, actor, await requireIssuer(tx, actor), id)),

    admitWithCard: (
      actor: Actor,
      entryId: RosterEntryId,
    ): Promise<OutputOf<Contract['school.admitWithCard']>> =>
      database.inTransaction(async (tx) => {
        const self = await requireIssuer(tx, actor);
        return issue(tx, actor, self, await letIn(tx, actor, self, entryId));
      }),

    revokeCard: (actor: Actor, id: MembershipId): Promise<void> =>
      database.inTransaction(async (tx) => {
        const self = await requireSelf(tx, actor);
        requireRight('issueCards', self);
        const { accountId, groupId } = await requirePupil(tx, actor, self, id);
        if (!(await accounts.cards.revoke(tx, [accountId]))) return;
        await record(tx, actor.schoolId, actor, { action: 'cardRevoked', membershipId: id, groupId });
        await announceRegister(tx, actor.schoolId, groupId);
      }),
  };
}

export type CardIssueActions = ReturnType<typeof createCardIssueActions>;

/** Wrong PINs have locked the card of this account: tells those who answer for the class and for the school. */
export async function tellCardLocked(tx: Transaction, accountId: AccountId): Promise<void> {
  for (const { schoolId, membershipId } of await listActiveMemberships(tx, accountId, {
    inOpenSchools: false,
  })) {
    await raiseNotice(tx, schoolId, { kind: 'cardLocked', membershipId });
    const groupId = (await loadFacts(tx, schoolId, [membershipId])).get(membershipId)?.groupId ?? null;
    if (groupId !== null) await announceRegister(tx, schoolId, groupId);
  }
}
