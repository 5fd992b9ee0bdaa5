import type {
  ClientMessageId,
  ErrorCode,
  MembershipId,
  Message,
  MessageBody,
  MessageId,
} from '@zvonok/shared';
import type { PendingMessage } from './outbox.ts';

/** One message as a list shows it: confirmed by the server, or this device's own on its way. */
export interface ShownMessage {
  /** The same from `sending` to confirmed. */
  readonly key: string;
  readonly state: 'sending' | 'sent' | 'failed';
  readonly mine: boolean;
  readonly senderId: MembershipId;
  readonly body: MessageBody;
  /** The server's time; this device's until the server has answered. */
  readonly sentAt: string;
  /** Null until confirmed. */
  readonly seq: number | null;
  readonly id: MessageId | null;
  readonly clientMessageId: ClientMessageId | null;
  /** Why it was refused, with state `failed`. */
  readonly failure: ErrorCode | null;
}

/** One object for each version of a message, so that a list renders anew only what changed. */
const shownMessages = new WeakMap<Message, ShownMessage>();
export function shownMessage(message: Message, as: MembershipId): ShownMessage {
  const cached = shownMessages.get(message);
  // The same account may look at a channel as two of its memberships.
  if (cached !== undefined && cached.mine === (message.senderId === as)) return cached;
  const shown: ShownMessage = {
    key: keyOf(message.senderId, message.clientMessageId ?? message.id),
    state: 'sent',
    mine: message.senderId === as,
    senderId: message.senderId,
    body: message.body,
    sentAt: message.sentAt,
    seq: message.seq,
    id: message.id,
    clientMessageId: message.clientMessageId,
    failure: null,
  };
  shownMessages.set(message, shown);
  return shown;
}

const shownPendings = new WeakMap<PendingMessage, ShownMessage>();
export function shownPending(message: PendingMessage, as: MembershipId): ShownMessage {
  const cached = shownPendings.get(message);
  if (cached !== undefined) return cached;
  const shown: ShownMessage = {
    key: keyOf(as, message.clientMessageId),
    state: message.state,
    mine: true,
    senderId: as,
    body: { kind: 'text', text: message.text },
    sentAt: message.sent?.sentAt ?? message.createdAt,
    seq: null,
    id: null,
    clientMessageId: message.clientMessageId,
    failure: message.failure,
  };
  shownPendings.set(message, shown);
  return shown;
}

/** With the sender: anybody may choose somebody else's client id for a message of their own. */
function keyOf(senderId: MembershipId, id: string): string {
  return `${senderId}:${id}`;
}
