import { randomBytes } from 'node:crypto';
import {
  CodedError,
  type InputOf,
  type InviteId,
  type inviteProcedures,
  mayInGroup,
  type OutputOf,
  type PersonalCode,
  type RosterEntryId,
  schoolLimits,
} from '@zvonok/shared';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { hashToken } from '../platform/tokens.ts';
import { record } from './school.audit.store.ts';
import { newInviteId, type SchoolChanges } from './school.changes.ts';
import {
  addPersonalInvites,
  describeInvite,
  findInvite,
  listRedemptions,
  resumeInvite,
} from './school.invites.store.ts';
import { invitePermissionOf, inviteScopeOf, requireEverywhere, requireRight } from './school.policy.ts';
import { requireClass, requireSelf } from './school.require.ts';
import { childrenOf, listRosterEntries } from './school.roster.store.ts';

type Contract = typeof inviteProcedures;

export function createPersonalInviteActions(
  { database }: Pick<Platform, 'database'>,
  changes: SchoolChanges,
) {
  return {
    createPersonalInvites: (
      actor: Actor,
      input: Omit<InputOf<Contract['school.createPersonalInvites']>, 'as'>,
    ): Promise<OutputOf<Contract['school.createPersonalInvites']>> =>
      database.inTransaction(async (tx) => {
        const self = await requireSelf(tx, actor);
        const wanted = input.role === undefined ? (['pupil', 'guardian'] as const) : ([input.role] as const);
        for (const role of wanted) requireRight(invitePermissionOf(role), self);
        const { id: groupId } = await requireClass(tx, actor, input.groupId);
        if (!wanted.every((role) => mayInGroup(invitePermissionOf(role), self, groupId))) {
          throw new CodedError('FORBIDDEN');
        }
        const { schoolId, membershipId: createdBy } = actor;
        const limit = schoolLimits.personalInvites;
        const waiting = await listRosterEntries(tx, schoolId, { groupId, claimed: false, limit: limit + 1 });
        if (waiting.length > limit) throw new CodedError('TOO_LARGE');
        const entries = waiting.filter((entry) => wanted.some((role) => role === entry.role));
        if (entries.length === 0) return { codes: [], expiresAt: null, annulled: 0 };
        const annulled = await changes.annul(
          tx,
          schoolId,
          { entryIds: entries.map((entry) => entry.id) },
          actor,
        );
        const made = entries.map((entry) => {
          const token = randomBytes(schoolLimits.inviteTokenBytes).toString('base64url');
          return { entry, token, id: newInviteId() };
        });
        const invites = await addPersonalInvites(
          tx,
          schoolId,
          made.map(({ entry, token, id }) => ({
            schoolId,
            id,
            tokenHash: hashToken(token),
            role: entry.role,
            groupId,
            childId: null,
            subject: null,
            needsApproval: false,
            match: 'none' as const,
            uses: 1,
            createdBy,
            entryId: entry.id,
          })),
          input.lifeMs ?? schoolLimits.inviteLifeMs,
        );
        await record(
          tx,
          schoolId,
          actor,
          ...invites.map(({ id, role, expiresAt }) => ({
            action: 'inviteMade' as const,
            inviteId: id,
            groupId,
            after: { role, uses: 1, personal: true, expiresAt: expiresAt.toISOString() },
          })),
        );
        await changes.announceInvites(tx, schoolId, invites);
        const children = await childrenOf(
          tx,
          schoolId,
          entries.map((entry) => entry.id),
        );
        // A class teacher reads nothing of a brother in another class.
        const namesOf = (entryId: RosterEntryId) =>
          (children.get(entryId) ?? [])
            .filter((child) => child.groupId !== null && mayInGroup('inviteGuardians', self, child.groupId))
            .map((child) => child.fullName);
        return {
          codes: made.map(
            ({ entry, token, id }): PersonalCode => ({
              inviteId: id,
              token,
              role: entry.role === 'guardian' ? 'guardian' : 'pupil',
              fullName: entry.fullName,
              children: namesOf(entry.id),
            }),
          ),
          expiresAt: invites[0]?.expiresAt.toISOString() ?? null,
          annulled: annulled.length,
        };
      }),

    async listRedemptions(
      actor: Actor,
      inviteId: InviteId,
    ): Promise<OutputOf<Contract['school.listRedemptions']>['redemptions']> {
      const scope = inviteScopeOf(await requireSelf(database, actor));
      if (scope === undefined) throw new CodedError('FORBIDDEN');
      const invite = await findInvite(database, actor.schoolId, inviteId, scope);
      if (invite === undefined) throw new CodedError('NOT_FOUND');
      return listRedemptions(database, invite);
    },

    resumeInvite: (actor: Actor, inviteId: InviteId) =>
      database.inTransaction(async (tx) => {
        requireEverywhere('annulInvites', await requireSelf(tx, actor));
        const { schoolId } = actor;
        const invite = await findInvite(tx, schoolId, inviteId, 'all', 'lock');
        if (invite === undefined) throw new CodedError('NOT_FOUND');
        if (invite.state !== 'suspended') return describeInvite(invite);
        const resumed = await resumeInvite(tx, invite);
        await record(tx, schoolId, actor, {
          action: 'inviteResumed',
          inviteId,
          groupId: invite.groupId,
          before: { role: invite.role },
        });
        await changes.announceInvites(tx, schoolId, [resumed]);
        return describeInvite(resumed);
      }),
  };
}

export type PersonalInviteActions = ReturnType<typeof createPersonalInviteActions>;
