import { callsProcedures } from '@zvonok/shared';
import { type MountedProcedure, mount } from '../platform/procedures.ts';
import type { CallsActions } from './calls.actions.ts';
import type { CallDoor } from './calls.door.ts';

export function mountCalls(actions: CallsActions, door: CallDoor): MountedProcedure[] {
  return mount(callsProcedures, {
    'calls.startCall': async (input, { actor }) => ({
      call: await actions.startCall(actor, input.conversationId),
    }),
    'calls.getCall': (input, { actor }) => actions.getCall(actor, input.callId),
    'calls.findLiveCall': async (input, { actor }) => ({
      call: await actions.findLiveCall(actor, input.conversationId),
    }),
    'calls.createTicket': (input, { actor }) => actions.createTicket(actor, input.callId),
    'calls.endCall': async (input, { actor }) => ({ call: await actions.endCall(actor, input.callId) }),
    'calls.removeMember': async (input, { actor }) => {
      await actions.removeMember(actor, input.callId, input.membershipId);
      door.putOut(input.callId, input.membershipId);
      return {};
    },
    'calls.readmitMember': async (input, { actor }) => {
      await actions.readmitMember(actor, input.callId, input.membershipId);
      return {};
    },
  });
}
