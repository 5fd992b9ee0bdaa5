import type { Conversation, ConversationId, ConversationMember, MembershipId, Message } from '@zvonok/shared';
import { chatLimits, clientLimits } from '@zvonok/shared/limits.ts';
import type { Api } from '../api.ts';

/** What one membership reads of one conversation. All reject with `CodedError`. */
export class ConversationReader {
  readonly #chat: Api['chat'];
  readonly #place: { readonly as: MembershipId; readonly conversationId: ConversationId };

  constructor(chat: Api['chat'], as: MembershipId, conversationId: ConversationId) {
    this.#chat = chat;
    this.#place = { as, conversationId };
  }

  async conversation(): Promise<Conversation> {
    return (await this.#chat.getConversation(this.#place)).conversation;
  }

  async newest(): Promise<readonly Message[]> {
    return (await this.#chat.listMessages({ ...this.#place, limit: clientLimits.firstPage })).messages;
  }

  async before(seq: number): Promise<readonly Message[]> {
    const page = { ...this.#place, before: seq, limit: chatLimits.pageSize };
    return (await this.#chat.listMessages(page)).messages;
  }

  /** Everything that changed after `since`, and the revision that this leads to; undefined where it is too much to replay. */
  async changesSince(
    since: number,
  ): Promise<{ readonly messages: Message[]; readonly rev: number } | undefined> {
    const messages: Message[] = [];
    let rev = since;
    for (;;) {
      const page = await this.#chat.changesSince({
        ...this.#place,
        rev,
        limit: chatLimits.changesPageSize,
      });
      messages.push(...page.messages);
      if (!page.hasMore || page.rev <= rev) return { messages, rev: Math.max(rev, page.rev) };
      rev = page.rev;
      if (messages.length > clientLimits.healedChanges) return undefined;
    }
  }

  members(): Promise<{ readonly members: readonly ConversationMember[] }> {
    return this.#chat.listMembers(this.#place);
  }
}
