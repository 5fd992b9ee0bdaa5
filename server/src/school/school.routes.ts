import {
  cardIssueProcedures,
  guardianProcedures,
  inviteProcedures,
  movementProcedures,
  noticeProcedures,
  overviewProcedures,
  peopleProcedures,
  requestProcedures,
  rolloverProcedures,
  schoolProcedures,
} from '@zvonok/shared';
import { type MountedProcedure, mount } from '../platform/procedures.ts';
import type { createSchoolActions } from './school.actions.ts';
import type { createAuditActions } from './school.audit.actions.ts';
import type { CardIssueActions } from './school.cards.actions.ts';
import type { createDirectoryActions } from './school.directory.actions.ts';
import type { GuardianActions } from './school.guardians.actions.ts';
import type { createInviteActions } from './school.invites.actions.ts';
import type { PersonalInviteActions } from './school.invites.personal.ts';
import type { createRedeemActions } from './school.invites.redeem.ts';
import type { MovementActions } from './school.movement.actions.ts';
import type { NoticeActions } from './school.notices.ts';
import type { OverviewActions } from './school.overview.ts';
import type { createPeopleActions } from './school.people.actions.ts';
import type { RequestActions } from './school.requests.ts';

export function mountCardIssue(actions: CardIssueActions): MountedProcedure[] {
  return mount(cardIssueProcedures, {
    'school.issueCard': ({ membershipId }, { actor }) => actions.issueCard(actor, membershipId),
    'school.admitWithCard': ({ entryId }, { actor }) => actions.admitWithCard(actor, entryId),
    'school.revokeCard': async ({ membershipId }, { actor }) => {
      await actions.revokeCard(actor, membershipId);
      return {};
    },
  });
}

export function mountGuardians(actions: GuardianActions): MountedProcedure[] {
  return mount(guardianProcedures, {
    'school.getClassRegister': ({ groupId }, { actor }) => actions.getClassRegister(actor, groupId),
    'school.limitGuardian': async (input, { actor }) => ({
      guardian: await actions.limitGuardian(actor, input),
    }),
  });
}

export function mountNotices(actions: NoticeActions): MountedProcedure[] {
  return mount(noticeProcedures, {
    'school.listNotices': (input, { actor }) => actions.listNotices(actor, input),
    'school.settleNotice': async ({ noticeId }, { actor }) => ({
      notice: await actions.settleNotice(actor, noticeId),
    }),
  });
}

export function mountRequests(actions: RequestActions): MountedProcedure[] {
  return mount(requestProcedures, {
    'school.createRequest': async ({ what, reason }, { actor }) => ({
      request: await actions.createRequest(actor, what, reason ?? null),
    }),
    'school.listRequests': (input, { actor }) => actions.listRequests(actor, input),
    'school.listLikelyChildren': async ({ requestId }, { actor }) => ({
      children: await actions.listLikelyChildren(actor, requestId),
    }),
    'school.approveRequest': async (input, { actor }) => ({
      request: await actions.approveRequest(actor, input),
    }),
    'school.declineRequest': async ({ requestId, comment }, { actor }) => ({
      request: await actions.declineRequest(actor, requestId, comment),
    }),
    'school.withdrawRequest': async ({ requestId }, { actor }) => ({
      request: await actions.withdrawRequest(actor, requestId),
    }),
  });
}

export function mountOverview(actions: OverviewActions): MountedProcedure[] {
  return mount(overviewProcedures, {
    'school.getOverview': (_input, { actor }) => actions.getOverview(actor),
    'school.listClasses': (input, { actor }) => actions.listClasses(actor, input),
    'school.getClass': async ({ groupId }, { actor }) => ({ class: await actions.getClass(actor, groupId) }),
  });
}

export function mountInvites(actions: PersonalInviteActions): MountedProcedure[] {
  return mount(inviteProcedures, {
    'school.createPersonalInvites': (input, { actor }) => actions.createPersonalInvites(actor, input),
    'school.listRedemptions': async ({ inviteId }, { actor }) => ({
      redemptions: await actions.listRedemptions(actor, inviteId),
    }),
    'school.resumeInvite': async ({ inviteId }, { actor }) => ({
      invite: await actions.resumeInvite(actor, inviteId),
    }),
  });
}

export function mountMovement(actions: MovementActions): MountedProcedure[] {
  return [
    ...mount(movementProcedures, {
      'school.transferMembers': async ({ membershipIds, groupId }, { actor }) => ({
        transferred: await actions.transferMembers(actor, membershipIds, groupId),
      }),
      'school.endMemberships': async ({ membershipIds, reason }, { actor }) => ({
        ended: await actions.endMemberships(actor, membershipIds, reason),
      }),
      'school.restoreMembership': async ({ membershipId }, { actor }) => {
        await actions.restoreMembership(actor, membershipId);
        return {};
      },
      'school.planHandOver': ({ membershipId }, { actor }) => actions.planHandOver(actor, membershipId),
      'school.handOver': async (input, { actor }) => {
        await actions.handOver(actor, input);
        return {};
      },
      'school.changeRole': async ({ membershipId, role }, { actor }) => ({
        membershipId: await actions.changeRole(actor, membershipId, role),
      }),
      'school.appointHead': async ({ membershipId }, { actor }) => {
        await actions.appointHead(actor, membershipId);
        return {};
      },
      'school.dismissHead': async ({ membershipId }, { actor }) => {
        await actions.dismissHead(actor, membershipId);
        return {};
      },
    }),
    ...mount(rolloverProcedures, {
      'school.planRollover': async ({ choices }, { actor }) => ({
        plan: await actions.planRollover(actor, choices),
      }),
      'school.applyRollover': async ({ choices, digest }, { actor }) => ({
        rollover: await actions.applyRollover(actor, choices, digest),
      }),
      'school.findRollover': async (_input, { actor }) => ({ rollover: await actions.findRollover(actor) }),
      'school.undoRollover': async (input, { actor }) => ({
        rollover: await actions.undoRollover(actor, input),
      }),
    }),
  ];
}

export function mountPeople(actions: DirectoryActions): MountedProcedure[] {
  return mount(peopleProcedures, {
    'school.countMembers': async (input, { actor }) => ({ counts: await actions.countMembers(actor, input) }),
    'school.getMember': async ({ membershipId }, { actor }) => ({
      card: await actions.getMember(actor, membershipId),
    }),
    'school.correctMember': async ({ membershipId, fullName }, { actor }) => ({
      fullName: await actions.correctMember(actor, membershipId, fullName),
    }),
  });
}

type DirectoryActions = ReturnType<typeof createDirectoryActions>;
export type SchoolActions = ReturnType<typeof createSchoolActions> &
  Pick<DirectoryActions, 'listMembers'> &
  ReturnType<typeof createPeopleActions> &
  ReturnType<typeof createInviteActions> &
  ReturnType<typeof createRedeemActions> &
  ReturnType<typeof createAuditActions>;

export function mountSchool(actions: SchoolActions): MountedProcedure[] {
  return mount(schoolProcedures, {
    'school.getSchool': (_input, { actor }) => actions.getSchool(actor),
    'school.updateSchool': async (input, { actor }) => ({ school: await actions.updateSchool(actor, input) }),
    'school.changeSettings': async ({ settings }, { actor }) => ({
      settings: await actions.changeSettings(actor, settings),
    }),
    'school.listGroups': async (_input, { actor }) => ({ groups: await actions.listGroups(actor) }),
    'school.createGroup': async ({ name, year = null }, { actor }) => ({
      group: await actions.createGroup(actor, { name, year }),
    }),
    'school.updateGroup': async (input, { actor }) => ({ group: await actions.updateGroup(actor, input) }),
    'school.archiveGroup': async ({ groupId }, { actor }) => ({
      group: await actions.archiveGroup(actor, groupId),
    }),
    'school.listMembers': (input, { actor }) => actions.listMembers(actor, input),
    'school.createInvite': (input, { actor }) => actions.createInvite(actor, input),
    'school.listInvites': (input, { actor }) => actions.listInvites(actor, input),
    'school.annulInvite': async ({ inviteId }, { actor }) => ({
      invite: await actions.annulInvite(actor, inviteId),
    }),
    'school.annulAllInvites': async (_input, { actor }) => ({
      annulled: await actions.annulAllInvites(actor),
    }),
    'school.previewInvite': ({ token }) => actions.previewInvite(token),
    'school.listAuditRecords': (input, { actor }) => actions.listAuditRecords(actor, input),
    'school.redeemInvite': (input, { caller, address }) => actions.redeemInvite(caller, address, input),
    'school.attachTeacher': async (input, { actor }) => ({
      attachments: await actions.attachTeacher(actor, input),
    }),
    'school.detachTeacher': async (input, { actor }) => ({
      attachments: await actions.detachTeacher(actor, input),
    }),
    'school.linkGuardian': async (input, { actor }) => {
      await actions.linkGuardian(actor, input);
      return {};
    },
    'school.unlinkGuardian': async (input, { actor }) => {
      await actions.unlinkGuardian(actor, input);
      return {};
    },
    'school.verifyTeacher': async ({ membershipId, basis }, { actor }) => ({
      verifiedAt: (await actions.verifyTeacher(actor, membershipId, basis)).toISOString(),
    }),
    'school.revokeVerification': async ({ membershipId, reason }, { actor }) => {
      await actions.revokeVerification(actor, membershipId, reason);
      return {};
    },
    'school.appointAdmin': async ({ membershipId }, { actor }) => ({
      membershipId: await actions.appointAdmin(actor, membershipId),
    }),
    'school.endMembership': async ({ membershipId, reason }, { actor }) => {
      await actions.endMembership(actor, membershipId, reason);
      return {};
    },
  });
}
