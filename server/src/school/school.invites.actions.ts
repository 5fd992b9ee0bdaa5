import { randomBytes } from 'node:crypto';
import {
  CodedError,
  type InputOf,
  type Invite,
  type InviteId,
  mayInGroup,
  type OutputOf,
  schoolLimits,
  type schoolProcedures,
} from '@zvonok/shared';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { hashToken } from '../platform/tokens.ts';
import { record } from './school.audit.store.ts';
import { newInviteId, type SchoolChanges } from './school.changes.ts';
import { addInvite, describeInvite, findInvite, listInvites } from './school.invites.store.ts';
import { normaliseLabel } from './school.names.ts';
import { invitePermissionOf, inviteScopeOf, requireEverywhere, requireRight } from './school.policy.ts';
import { requireClass, requireMember, requireSelf } from './school.require.ts';
import { findGroup, findStaffRoom } from './school.store.ts';

type Contract = typeof schoolProcedures;

export function createInviteActions({ database }: Pick<Platform, 'database'>, changes: SchoolChanges) {
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
        const { subject, needsApproval = false, match = 'none' } = input;
        if (subject !== undefined && input.role !== 'teacher') {
          throw new CodedError('VALIDATION', { message: '/subject: is named for teachers only' });
        }
        if ((forStaff && subject === undefined) !== (input.groupId === undefined)) {
          throw new CodedError('VALIDATION', {
            message: '/groupId: is named for pupils, guardians and teachers of a subject, and only for them',
          });
        }
        if (input.childId !== undefined && input.role !== 'guardian') {
          throw new CodedError('VALIDATION', { message: '/childId: is named for guardians only' });
        }
        if (input.childId !== undefined && (needsApproval || match === 'roster')) {
          throw new CodedError('VALIDATION', { message: '/childId: is approval enough' });
        }
        const group =
          input.groupId === undefined
            ? await findStaffRoom(tx, schoolId)
            : await requireClass(tx, actor, input.groupId);
        if (group === undefined) throw new Error('a school without a staff room');
        if (!forStaff && !mayInGroup(permission, self, group.id)) throw new CodedError('FORBIDDEN');
        if (subject !== undefined) requireEverywhere('attachTeachers', self);
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
            subject: subject === undefined ? null : normaliseLabel(subject),
            needsApproval,
            match,
            uses: input.uses ?? 1,
            createdBy: membershipId,
          },
          input.lifeMs ?? schoolLimits.inviteLifeMs,
        );
        await record(tx, schoolId, actor, {
          action: 'inviteMade',
          inviteId: invite.id,
          groupId: group.id,
          after: {
            role: invite.role,
            uses: invite.uses,
            ...(needsApproval && { needsApproval }),
            ...(match !== 'none' && { match }),
            expiresAt: invite.expiresAt.toISOString(),
          },
        });
        await changes.announceInvites(tx, schoolId, [invite]);
        return { invite: describeInvite(invite), token };
      }),

    async listInvites(
      actor: Actor,
      input: Omit<InputOf<Contract['school.listInvites']>, 'as'>,
    ): Promise<OutputOf<Contract['school.listInvites']>> {
      const scope = inviteScopeOf(await requireSelf(database, actor));
      if (scope === undefined) throw new CodedError('FORBIDDEN');
      const { schoolId } = actor;
      const { personal, groupId, after, limit = schoolLimits.invitesListed } = input;
      if (groupId !== undefined && (await findGroup(database, schoolId, groupId)) === undefined) {
        throw new CodedError('NOT_FOUND');
      }
      if (after !== undefined && (await findInvite(database, schoolId, after, scope)) === undefined) {
        throw new CodedError('NOT_FOUND');
      }
      const found = await listInvites(database, schoolId, scope, {
        personal,
        groupId,
        after,
        limit: limit + 1,
      });
      return { invites: found.slice(0, limit).map(describeInvite), hasMore: found.length > limit };
    },

    annulInvite: (actor: Actor, inviteId: InviteId): Promise<Invite> =>
      database.inTransaction(async (tx) => {
        const scope = inviteScopeOf(await requireSelf(tx, actor));
        if (scope === undefined) throw new CodedError('FORBIDDEN');
        const { schoolId } = actor;
        await changes.annul(tx, schoolId, { scope, ids: [inviteId] }, actor);
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
  };
}
