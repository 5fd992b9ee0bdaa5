import { joiningProcedures } from '@zvonok/shared';
import { type MountedProcedure, mount } from '../platform/procedures.ts';
import type { JoiningActions } from './school.joining.actions.ts';
import type { JoinQueueActions } from './school.joining.queue.actions.ts';

export function mountJoining(actions: JoiningActions & JoinQueueActions): MountedProcedure[] {
  return mount(joiningProcedures, {
    'school.getJoinCode': async (_input, { actor }) => ({ code: await actions.getJoinCode(actor) }),
    'school.rotateJoinCode': async (_input, { actor }) => ({ code: await actions.rotateJoinCode(actor) }),
    'school.closeJoinCode': async (_input, { actor }) => {
      await actions.closeJoinCode(actor);
      return {};
    },
    'school.findSchoolByCode': ({ code }, { caller }) => actions.findSchoolByCode(caller, code),
    'school.submitJoinRequest': async (input, { caller }) => ({
      request: await actions.submitJoinRequest(caller, input),
    }),
    'school.listMyJoinRequests': async (_input, { caller }) => ({
      requests: await actions.listMyJoinRequests(caller),
    }),
    'school.withdrawJoinRequest': async ({ requestId }, { caller }) => ({
      request: await actions.withdrawJoinRequest(caller, requestId),
    }),
    'school.listJoinRequests': (input, { actor }) => actions.listJoinRequests(actor, input),
    'school.approveJoinRequest': async (input, { actor }) => ({
      membershipId: await actions.approveJoinRequest(actor, input),
    }),
    'school.declineJoinRequest': async ({ requestId, reason }, { actor }) => {
      await actions.declineJoinRequest(actor, requestId, reason);
      return {};
    },
  });
}
