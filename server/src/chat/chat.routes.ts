import { chatProcedures } from '@zvonok/shared';
import { type MountedProcedure, mount } from '../platform/procedures.ts';
import type { ChatActions } from './chat.actions.ts';

export function mountChat(actions: ChatActions): MountedProcedure[] {
  return mount(chatProcedures, {
    'chat.listConversations': async (_input, { actor }) => ({
      conversations: await actions.listConversations(actor),
    }),
    'chat.getConversation': async (input, { actor }) => ({
      conversation: await actions.getConversation(actor, input.conversationId),
    }),
    'chat.getHeads': async (_input, { actor }) => ({ heads: await actions.listHeads(actor) }),
    'chat.listMembers': async (input, { actor }) => ({
      members: await actions.listMembers(actor, input.conversationId),
    }),
    'chat.sendMessage': (input, { actor }) => actions.sendMessage(actor, input),
    'chat.listMessages': ({ conversationId, before, after, limit }, { actor }) =>
      actions.listMessages(actor, conversationId, { before, after, limit }),
    'chat.changesSince': (input, { actor }) =>
      actions.changesSince(actor, input.conversationId, input.rev, input.limit),
    'chat.markRead': async (input, { actor }) => ({
      readSeq: await actions.markRead(actor, input.conversationId, input.seq),
    }),
    'chat.setTyping': async (input, { actor }) => {
      await actions.setTyping(actor, input.conversationId);
      return {};
    },
    'chat.openDirect': async (input, { actor }) => ({
      conversation: await actions.openDirect(actor, input.membershipId),
    }),
  });
}
