import type {
  ClientMessageId,
  Conversation,
  ConversationId,
  ConversationMember,
  MembershipId,
} from '@zvonok/shared';
import type { Source } from '../source.ts';
import type { ShownMessage } from './shown-message.ts';

/** A conversation with what this membership has not read of it. Everything but the title and rights is live. */
export type ConversationItem = Conversation & { readonly unread: number };

export interface ConversationSnapshot {
  /** `gone`: left, ended, or never this membership's. */
  readonly status: 'loading' | 'ready' | 'gone';
  readonly conversation: ConversationItem | undefined;
  /** In rising seq without holes, then this device's own unconfirmed ones in the order of composing. */
  readonly messages: readonly ShownMessage[];
  readonly hasOlder: boolean;
  readonly loadingOlder: boolean;
  /** Other people who write at the moment. */
  readonly typing: readonly MembershipId[];
  /** Undefined until `loadMembers`. */
  readonly members: readonly ConversationMember[] | undefined;
  /** What is shown is whole but not the newest. */
  readonly catchingUp: boolean;
  /** Rises when the window was replaced by the newest page because too much was missed. */
  readonly generation: number;
}

/** One conversation, live. Its functions are bound and never throw for want of a network. */
export interface ConversationView extends Source<ConversationSnapshot> {
  readonly conversationId: ConversationId;
  /** Composes a message of 1 to `chatLimits.textLength` characters; it is shown at once and sent until it arrives. */
  readonly send: (text: string) => ClientMessageId;
  readonly retry: (clientMessageId: ClientMessageId) => void;
  readonly discard: (clientMessageId: ClientMessageId) => void;
  /** Puts an older page before the shown messages. Nothing where there is none or one is on its way. Rejects with `CodedError`. */
  readonly loadOlder: () => Promise<void>;
  /** Everything up to `seq` (the newest, where left out) has been seen. Told to the server once in a while. */
  readonly markRead: (seq?: number) => void;
  /** To be called on each keystroke; the others are told every few seconds. */
  readonly notifyTyping: () => void;
  /** Reads who belongs here; kept live from then on. Rejects with `CodedError`. */
  readonly loadMembers: () => Promise<void>;
}
