import type {
  AccountId,
  ConversationId,
  EventName,
  EventPayload,
  MembershipId,
  SchoolId,
  SessionId,
} from '@zvonok/shared';
import { transportLimits } from '@zvonok/shared/limits.ts';
import type { Logger } from './logger.ts';

/** Whose devices an event goes to. Members of a conversation, every device of a membership, and so on. */
export type Audience =
  | { readonly conversation: ConversationId }
  | { readonly membership: MembershipId }
  | { readonly account: AccountId }
  | { readonly session: SessionId }
  | { readonly school: SchoolId };

export type AudienceRoom = `${'conversation' | 'membership' | 'account' | 'session' | 'school'}:${string}`;

/** The Socket.IO room of an audience. */
export function roomOf(audience: Audience): AudienceRoom {
  const [kind, id] = Object.entries(audience)[0] as [
    AudienceRoom extends `${infer K}:${string}` ? K : never,
    string,
  ];
  return `${kind}:${id}`;
}

/** What other parts of every node must know at once; in-process subscribers on each node get it, clients never do. */
export type Signal =
  /** The membership's role, rights or state changed: caches drop it, live media asks again. */
  | { readonly name: 'membershipChanged'; readonly membershipIds: readonly MembershipId[] }
  /** The memberships are over: their sockets leave, their media closes. */
  | { readonly name: 'membershipEnded'; readonly membershipIds: readonly MembershipId[] }
  /** The account has new memberships: its sockets join their audience. */
  | { readonly name: 'membershipsStarted'; readonly accountId: AccountId }
  /** The sessions are over: their sockets and media are cut. */
  | { readonly name: 'sessionsEnded'; readonly sessionIds: readonly SessionId[] }
  /** The membership now belongs (or no longer belongs) to these conversations: its sockets join and leave their rooms. */
  | {
      readonly name: 'conversationsChanged';
      readonly membershipId: MembershipId;
      readonly joined: readonly ConversationId[];
      readonly left: readonly ConversationId[];
    }
  /** There is work in this queue: whoever is free takes it. */
  | { readonly name: 'jobAdded'; readonly queue: string };

/**
 * A fact that was announced inside a transaction and leaves after its commit, in the order of announcement; a rolled
 * back transaction releases none. An event goes to clients, a signal to the nodes.
 */
export type Announcement =
  | {
      readonly kind: 'event';
      readonly name: EventName;
      readonly audience: Audience;
      readonly payload: unknown;
    }
  | { readonly kind: 'signal'; readonly signal: Signal };

/** An event of the contract for an audience. */
export function eventFor<N extends EventName>(
  name: N,
  audience: Audience,
  payload: EventPayload<N>,
): Announcement {
  return { kind: 'event', name, audience, payload };
}

export function signal(value: Signal): Announcement {
  return { kind: 'signal', signal: value };
}

/**
 * Sends announcements to devices and nodes. A doorbell: a lost emit costs a client delay (it catches up by revision),
 * never data. `publish` never throws and never waits for the network.
 */
export interface Outbound {
  /**
   * Everything leaves in the order in which it was published. Signals are heard before this returns. Events alone leave
   * in the next turns of the event loop, some in each: acknowledgements and the next statements to the database do not
   * wait until a busy room has heard everything.
   */
  publish(announcements: readonly Announcement[]): void;
  /** Calls the listener on this node for each signal, wherever it was announced. Returns the way to stop. */
  onSignal(listener: (signal: Signal) => void): () => void;
}

/** The sockets of this node and the bus between nodes, as `outbound` needs them. */
export interface OutboundTransport {
  emit(room: AudienceRoom, name: string, payload: unknown, droppable: boolean): void;
  /** To the other nodes; the sender's own listeners are called by `outbound` itself. */
  signalOthers(signal: Signal): void;
}

/** Facts that are stale in a moment: dropped for a client whose buffer is full, never worth a queue. */
const droppable: ReadonlySet<EventName> = new Set(['chat.typingStarted', 'chat.presenceChanged']);

/**
 * Built before the sockets exist, since rooms announce from the first transaction on; `attach` gives it its transport.
 * What is announced earlier reaches local listeners alone: nobody is connected yet.
 */
export function createOutbound(logger: Logger): Outbound & {
  attach(transport: OutboundTransport): void;
  /** A signal that another node sent. */
  receive(signal: Signal): void;
} {
  let transport: OutboundTransport | undefined;
  /** Published and not sent yet, the oldest first. */
  let waiting: Announcement[] = [];
  const listeners = new Set<(signal: Signal) => void>();

  function tell(value: Signal) {
    for (const listener of listeners) {
      try {
        listener(value);
      } catch (error) {
        logger.error({ err: error, signal: value.name }, 'signal listener failed');
      }
    }
  }

  function send(announcement: Announcement) {
    if (announcement.kind === 'signal') {
      tell(announcement.signal);
      transport?.signalOthers(announcement.signal);
    } else {
      const { name, audience, payload } = announcement;
      try {
        transport?.emit(roomOf(audience), name, payload, droppable.has(name));
      } catch (error) {
        // The fact is stored, and clients find it; those behind it must not be lost by it.
        logger.error({ err: error, event: name }, 'an event was not sent');
      }
    }
  }

  function sendSome() {
    const until = performance.now() + transportLimits.eventsTurnMs;
    let sent = 0;
    while (sent < waiting.length && (sent === 0 || performance.now() < until)) {
      send(waiting[sent] as Announcement);
      sent += 1;
    }
    waiting = waiting.slice(sent);
    if (waiting.length > 0) setImmediate(sendSome);
  }

  return {
    attach(to) {
      transport = to;
    },
    receive: tell,
    publish(announcements) {
      if (announcements.some(({ kind }) => kind === 'signal')) {
        const all = [...waiting, ...announcements];
        waiting = [];
        for (const announcement of all) send(announcement);
        return;
      }
      if (waiting.length === 0 && announcements.length > 0) setImmediate(sendSome);
      waiting.push(...announcements);
    },
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
