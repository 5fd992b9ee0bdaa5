import {
  type AccountId,
  CodedError,
  type InputOf,
  type MembershipId,
  type MyMembership,
  type OutputOf,
  type RosterEntryId,
  type schoolProcedures,
} from '@zvonok/shared';
import type { Accounts } from '../accounts/index.ts';
import { queryOf, type Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Caller } from '../platform/procedures.ts';
import { hashToken } from '../platform/tokens.ts';
import { record } from './school.audit.store.ts';
import { describeOwn, type SchoolChanges } from './school.changes.ts';
import { loadFacts } from './school.facts.store.ts';
import { isOpen } from './school.hosting.store.ts';
import { type ClassRoster, isFamiliar, rosterOfInvite, suspendIfLeaking } from './school.invites.leak.ts';
import {
  addRedemption,
  findOpenInvite,
  findRedemption,
  lockInviteByToken,
  type OpenInvite,
  type StoredInvite,
  takeUse,
} from './school.invites.store.ts';
import { askToJoin } from './school.joining.requests.ts';
import { findRequestByInvite, listOwnRequests, type StoredJoinRequest } from './school.joining.store.ts';
import { isStaff } from './school.policy.ts';
import type { RosterClaims } from './school.roster.claims.ts';
import {
  childrenOf,
  findRosterEntry,
  findRosterMatches,
  type StoredRosterEntry,
} from './school.roster.store.ts';
import {
  findAccountOf,
  findActiveMembership,
  findGroup,
  type StoredGroup,
  wasSentAwaySince,
} from './school.store.ts';

type Contract = typeof schoolProcedures;
type Redeemed = OutputOf<Contract['school.redeemInvite']>;

/** What whoever has a link does with it. */
export function createRedeemActions(
  { database }: Pick<Platform, 'database'>,
  accounts: Pick<Accounts, 'phonesOf'>,
  changes: SchoolChanges,
  claims: Pick<RosterClaims, 'claim'>,
) {
  async function describe(tx: Transaction, { schoolId }: StoredInvite, id: MembershipId): Promise<Redeemed> {
    const [membership] = await describeOwn(tx, [...(await loadFacts(tx, schoolId, [id])).values()]);
    if (membership === undefined) throw new CodedError('INVITE_INVALID');
    return { membership, request: null };
  }

  async function describeRequest(
    tx: Transaction,
    { accountId, id }: Pick<StoredJoinRequest, 'accountId' | 'id'>,
  ): Promise<Redeemed> {
    const [request] = await listOwnRequests(tx, accountId, id);
    if (request === undefined) throw new Error('a request vanished in the transaction that holds it');
    return { membership: null, request };
  }

  /** What the same person got by this invite before; undefined: nothing that still holds. */
  async function findEarlier(
    tx: Transaction,
    invite: StoredInvite,
    accountId: AccountId,
  ): Promise<{ asked: boolean; result: Redeemed | undefined }> {
    const before = await findRedemption(tx, invite, accountId);
    if (before !== undefined) {
      // A lost reply, asked again. Whoever was sent away since does not come back by the same link.
      if (!before.active) throw new CodedError('INVITE_INVALID');
      return { asked: true, result: await describe(tx, invite, before.membershipId) };
    }
    const request = await findRequestByInvite(tx, invite, accountId);
    return {
      asked: request !== undefined,
      result: request?.state === 'open' ? await describeRequest(tx, request) : undefined,
    };
  }

  /** Notes that this person came by it; makes its uses, its record and its listeners follow. */
  async function letIn(
    tx: Transaction,
    invite: StoredInvite,
    membership: Pick<MyMembership, 'id'>,
    came: { readonly accountId: AccountId; readonly address: string; readonly onRoster: boolean | null },
    used: StoredInvite,
  ): Promise<void> {
    const { accountId, address, onRoster } = came;
    const { id: membershipId } = membership;
    await addRedemption(tx, invite, { accountId, membershipId, onRoster });
    await record(
      tx,
      invite.schoolId,
      { membershipId, address },
      {
        action: 'inviteRedeemed',
        membershipId,
        inviteId: invite.id,
        groupId: invite.groupId,
        after: { role: invite.role },
      },
    );
    await changes.announceInvites(tx, invite.schoolId, [
      await suspendIfLeaking(tx, used, await rosterOfInvite(tx, invite)),
    ]);
  }

  /** Puts them before those who decide; takes a use, unless they asked by it before. */
  async function ask(
    tx: Transaction,
    invite: StoredInvite,
    group: Pick<StoredGroup, 'id' | 'name' | 'kind'>,
    who: { readonly accountId: AccountId; readonly fullName: string; readonly onRoster: boolean | null },
    { asked, roster }: { readonly asked: boolean; readonly roster: ClassRoster | undefined },
  ): Promise<Redeemed> {
    const { schoolId, role, id: inviteId } = invite;
    const request = await askToJoin(tx, {
      ...who,
      schoolId,
      role,
      groupWords: group.kind === 'class' ? group.name : null,
      childWords: null,
      message: null,
      groupId: group.kind === 'class' ? group.id : null,
      inviteId,
    });
    const used = asked ? invite : await takeUse(tx, invite);
    await changes.announceInvites(tx, schoolId, [await suspendIfLeaking(tx, used, roster)]);
    return describeRequest(tx, request);
  }

  /**
   * Whom a personal code is for; never its maker, who has read it. Undefined where the school expects them no longer in
   * the class for which it was made: whoever made it answers for that class alone.
   */
  async function findNamed(
    tx: Transaction,
    { schoolId, groupId, createdBy }: StoredInvite,
    entryId: RosterEntryId,
    accountId: AccountId,
  ): Promise<StoredRosterEntry | undefined> {
    if ((await findAccountOf(tx, schoolId, createdBy)) === accountId) return undefined;
    const entry = await findRosterEntry(tx, schoolId, entryId);
    if (entry === undefined) return undefined;
    const groupIds =
      entry.role === 'pupil'
        ? [entry.groupId]
        : ((await childrenOf(tx, schoolId, [entryId])).get(entryId) ?? []).map((child) => child.groupId);
    return groupIds.includes(groupId) ? entry : undefined;
  }

  /** Whether the roster has a phone of theirs and it is not this account's. */
  async function hasOtherPhone(tx: Transaction, { phone }: StoredRosterEntry, accountId: AccountId) {
    return phone !== null && (await accounts.phonesOf(queryOf(tx), [accountId])).get(accountId) !== phone;
  }

  /**
   * Whom of the roster the name can only be; undefined where it is nobody's, or two people's. Names are no secret among
   * those who hold a class's link: whoever has a phone on the roster comes with it, or is looked at by somebody.
   */
  async function findExpected(tx: Transaction, invite: StoredInvite, accountId: AccountId, fullName: string) {
    const { schoolId, role, groupId } = invite;
    const found = await findRosterMatches(tx, schoolId, {
      accountId,
      fullName,
      role,
      groupId: isStaff(role) ? null : groupId,
    });
    const free = found.filter((match) => !match.claimed && match.inGroup);
    const exact = free.filter((match) => match.name === 'exact');
    const [only, another] = exact.length > 0 ? exact : free;
    return another === undefined && only?.otherPhone === false ? only : undefined;
  }

  return {
    async previewInvite(token: string): Promise<OpenInvite> {
      const found = await findOpenInvite(database, hashToken(token));
      if (found === undefined) throw new CodedError('INVITE_INVALID');
      return found;
    },

    inviteIsOpen: async (token: string): Promise<boolean> =>
      (await findOpenInvite(database, hashToken(token))) !== undefined,

    /** One transaction, which holds the invite: of two that take its last use at once, one gets INVITE_INVALID. */
    redeemInvite: (
      caller: Caller,
      address: string,
      { token, fullName }: InputOf<Contract['school.redeemInvite']>,
    ): Promise<Redeemed> =>
      database.inTransaction(async (tx) => {
        const { accountId } = caller;
        const invite = await lockInviteByToken(tx, hashToken(token));
        if (invite === undefined) throw new CodedError('INVITE_INVALID');
        const { schoolId, role, groupId, entryId } = invite;
        const { asked, result } = await findEarlier(tx, invite, accountId);
        if (result !== undefined) return result;
        if (invite.state !== 'open' || !(await isOpen(tx, schoolId))) throw new CodedError('INVITE_INVALID');
        // Nor by another that was about already then, such as the link of the whole class: they need a new one.
        if (await wasSentAwaySince(tx, schoolId, accountId, invite.createdAt)) {
          throw new CodedError('INVITE_INVALID');
        }
        const group = await findGroup(tx, schoolId, groupId, 'share');
        if (group === undefined || group.archivedAt !== null) throw new CodedError('INVITE_INVALID');
        const childId = invite.childId ?? undefined;
        if (childId !== undefined && !(await loadFacts(tx, schoolId, [childId])).has(childId)) {
          throw new CodedError('INVITE_INVALID');
        }

        if (entryId !== null) {
          const entry = await findNamed(tx, invite, entryId, accountId);
          if (entry === undefined) throw new CodedError('INVITE_INVALID');
          // Paper passes through hands: somebody looks at whoever comes with another phone than the school knows.
          if (entry.membershipId === null && (await hasOtherPhone(tx, entry, accountId))) {
            const who = { accountId, fullName: entry.fullName, onRoster: null };
            return ask(tx, invite, group, who, { asked, roster: undefined });
          }
          const membership = await claims.claim(tx, { schoolId, entryId, accountId, address });
          // They came by another way, or are no longer expected.
          if (membership === undefined) throw new CodedError('INVITE_INVALID');
          await letIn(
            tx,
            invite,
            membership,
            { accountId, address, onRoster: true },
            await takeUse(tx, invite),
          );
          return describe(tx, invite, membership.id);
        }
        if (fullName === undefined) {
          throw new CodedError('VALIDATION', { message: '/fullName: is needed for this invite' });
        }

        const existing = await findActiveMembership(tx, schoolId, accountId, role);
        if (existing !== undefined) {
          if (role === 'pupil' && existing.groupId !== groupId) throw new CodedError('GROUP_TAKEN');
          const { id: membershipId } = existing;
          const by = { membershipId, address };
          const { subject } = invite;
          const gained =
            childId !== undefined
              ? await changes.link(tx, { schoolId, guardianId: membershipId, childId }, by, invite.createdBy)
              : subject !== null &&
                (await changes.attach(
                  tx,
                  { schoolId, membershipId, groupId, kind: 'subject', subject },
                  by,
                  invite.createdBy,
                ));
          if (!gained) throw new CodedError('ALREADY_MEMBER');
          await letIn(
            tx,
            invite,
            existing,
            { accountId, address, onRoster: null },
            await takeUse(tx, invite),
          );
          return describe(tx, invite, membershipId);
        }

        const roster = await rosterOfInvite(tx, invite);
        const onRoster = roster === undefined ? null : isFamiliar(fullName, roster);
        const expected =
          invite.match === 'roster' && !invite.needsApproval
            ? await findExpected(tx, invite, accountId, fullName)
            : undefined;
        const claimed =
          expected && (await claims.claim(tx, { schoolId, entryId: expected.entryId, accountId, address }));
        if (invite.needsApproval || (invite.match === 'roster' && claimed === undefined)) {
          return ask(tx, invite, group, { accountId, fullName, onRoster }, { asked, roster });
        }

        const membership =
          claimed ??
          (await changes.enrol(tx, {
            schoolId,
            accountId,
            role,
            fullName,
            groupId: isStaff(role) ? null : groupId,
            childId,
            by: { address },
          }));
        // Another invite of this person won a moment ago.
        if (membership === undefined) throw new CodedError('ALREADY_MEMBER');
        if (invite.subject !== null) {
          await changes.attach(
            tx,
            { schoolId, membershipId: membership.id, groupId, kind: 'subject', subject: invite.subject },
            { membershipId: membership.id, address },
            invite.createdBy,
          );
        }
        await letIn(tx, invite, membership, { accountId, address, onRoster }, await takeUse(tx, invite));
        return describe(tx, invite, membership.id);
      }),
  };
}
