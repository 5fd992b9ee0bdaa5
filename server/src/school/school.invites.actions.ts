import { randomBytes } from 'node:crypto';
import {
  CodedError,
  type InputOf,
  type Invite,
  type InviteId,
  type MembershipId,
  type MyMembership,
  mayInGroup,
  type OutputOf,
  type SchoolId,
  schoolLimits,
  type schoolProcedures,
} from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor, Caller } from '../platform/procedures.ts';
import { hashToken } from '../platform/tokens.ts';
import { record } from './school.audit.store.ts';
import { describeOwn, newInviteId, type SchoolChanges } from './school.changes.ts';
import { loadFacts } from './school.facts.store.ts';
import { isOpen } from './school.hosting.store.ts';
import {
  addInvite,
  describeInvite,
  findInvite,
  findOpenInvite,
  findRedemption,
  listInvites,
  lockInviteByToken,
  type StoredInvite,
  useInvite,
} from './school.invites.store.ts';
import {
  invitePermissionOf,
  inviteScopeOf,
  isStaff,
  requireEverywhere,
  requireRight,
} from './school.policy.ts';
import { requireClass, requireMember, requireSelf } from './school.require.ts';
import { findActiveMembership, findGroup, findStaffRoom, wasSentAwaySince } from './school.store.ts';

type Contract = typeof schoolProcedures;

export function createInviteActions({ database }: Pick<Platform, 'database'>, changes: SchoolChanges) {
  async function findMembershipOf(
    tx: Transaction,
    schoolId: SchoolId,
    id: MembershipId,
  ): Promise<MyMembership> {
    const [membership] = await describeOwn(tx, [...(await loadFacts(tx, schoolId, [id])).values()]);
    if (membership === undefined) throw new CodedError('INVITE_INVALID');
    return membership;
  }

  const recordRedemption = (
    tx: Transaction,
    invite: StoredInvite,
    membershipId: MembershipId,
    address: string,
  ) =>
    record(
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

  return {
    createInvite: (
      actor: Actor,
      input: Omit<InputOf<Contract['school.createInvite']>, 'as'>,
    ): Promise<OutputOf<Contract['school.createInvite']>> =>
      database.inTransaction(async (tx) => {
        const self = await requireSelf(tx, actor);
        const permission = invitePermissionOf(input.role);
        requireRight(permission, self);
        const { schoolId, membershipId } = actor;
        const forStaff = permission === 'inviteStaff';
        if (forStaff !== (input.groupId === undefined)) {
          throw new CodedError('VALIDATION', {
            message: '/groupId: is named for pupils and guardians, and only for them',
          });
        }
        if (input.childId !== undefined && input.role !== 'guardian') {
          throw new CodedError('VALIDATION', { message: '/childId: is named for guardians only' });
        }
        const group =
          input.groupId === undefined
            ? await findStaffRoom(tx, schoolId)
            : await requireClass(tx, actor, input.groupId);
        if (group === undefined) throw new Error('a school without a staff room');
        if (!forStaff && !mayInGroup(permission, self, group.id)) throw new CodedError('FORBIDDEN');
        if (input.childId !== undefined) {
          // To name the child is to link it.
          requireEverywhere('linkGuardian', self);
          const child = await requireMember(tx, actor, input.childId);
          if (child.role !== 'pupil' || child.groupId !== group.id) throw new CodedError('NOT_FOUND');
        }
        const token = randomBytes(schoolLimits.inviteTokenBytes).toString('base64url');
        const invite = await addInvite(
          tx,
          {
            schoolId,
            id: newInviteId(),
            tokenHash: hashToken(token),
            role: input.role,
            groupId: group.id,
            childId: input.childId ?? null,
            uses: input.uses ?? 1,
            createdBy: membershipId,
          },
          input.lifeMs ?? schoolLimits.inviteLifeMs,
        );
        await record(tx, schoolId, actor, {
          action: 'inviteMade',
          inviteId: invite.id,
          groupId: group.id,
          after: { role: invite.role, uses: invite.uses, expiresAt: invite.expiresAt.toISOString() },
        });
        await changes.announceInvites(tx, schoolId, [invite]);
        return { invite: describeInvite(invite), token };
      }),

    async listInvites(actor: Actor): Promise<Invite[]> {
      const scope = inviteScopeOf(await requireSelf(database, actor));
      if (scope === undefined) throw new CodedError('FORBIDDEN');
      return (await listInvites(database, actor.schoolId, scope)).map(describeInvite);
    },

    annulInvite: (actor: Actor, inviteId: InviteId): Promise<Invite> =>
      database.inTransaction(async (tx) => {
        const scope = inviteScopeOf(await requireSelf(tx, actor));
        if (scope === undefined) throw new CodedError('FORBIDDEN');
        const { schoolId } = actor;
        await changes.annul(tx, schoolId, { scope, id: inviteId }, actor);
        const invite = await findInvite(tx, schoolId, inviteId, scope);
        if (invite === undefined) throw new CodedError('NOT_FOUND');
        return describeInvite(invite);
      }),

    annulAllInvites: (actor: Actor): Promise<number> =>
      database.inTransaction(async (tx) => {
        const scope = inviteScopeOf(await requireSelf(tx, actor));
        if (scope === undefined) throw new CodedError('FORBIDDEN');
        return (await changes.annul(tx, actor.schoolId, { scope }, actor)).length;
      }),

    async previewInvite(token: string): Promise<OutputOf<Contract['school.previewInvite']>> {
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
      token: string,
      typedName: string,
    ): Promise<MyMembership> =>
      database.inTransaction(async (tx) => {
        const { accountId } = caller;
        const invite = await lockInviteByToken(tx, hashToken(token));
        if (invite === undefined) throw new CodedError('INVITE_INVALID');
        const { schoolId, role, groupId } = invite;
        const before = await findRedemption(tx, invite, accountId);
        if (before !== undefined) {
          // A lost reply, asked again. Whoever was sent away since does not come back by the same link.
          if (!before.active) throw new CodedError('INVITE_INVALID');
          return findMembershipOf(tx, schoolId, before.membershipId);
        }
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
        const existing = await findActiveMembership(tx, schoolId, accountId, role);
        if (existing !== undefined) {
          if (role === 'pupil' && existing.groupId !== groupId) throw new CodedError('GROUP_TAKEN');
          const linked =
            childId !== undefined &&
            (await changes.link(
              tx,
              { schoolId, guardianId: existing.id, childId },
              { membershipId: existing.id, address },
              invite.createdBy,
            ));
          if (!linked) throw new CodedError('ALREADY_MEMBER');
          await recordRedemption(tx, invite, existing.id, address);
          await changes.announceInvites(tx, schoolId, [await useInvite(tx, invite, accountId, existing.id)]);
          return findMembershipOf(tx, schoolId, existing.id);
        }
        const membership = await changes.enrol(tx, {
          schoolId,
          accountId,
          role,
          fullName: typedName,
          groupId: isStaff(role) ? null : groupId,
          childId,
          by: { address },
        });
        // Another invite of this person won a moment ago.
        if (membership === undefined) throw new CodedError('ALREADY_MEMBER');
        await recordRedemption(tx, invite, membership.id, address);
        await changes.announceInvites(tx, schoolId, [await useInvite(tx, invite, accountId, membership.id)]);
        return membership;
      }),
  };
}
