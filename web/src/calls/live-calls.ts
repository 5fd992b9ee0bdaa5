import type { ConversationId, EventPayload, MembershipId } from '@zvonok/client-sdk';
import { client, useSource } from '../platform/client.ts';

export type LiveCall = EventPayload<'calls.callStarted'>['call'];
type Live = ReadonlyMap<ConversationId, LiveCall>;

/** Chats that were quiet for longer are not asked about: a lesson announces itself there by its card. */
const recentMs = 12 * 60 * 60_000;

/** The calls that are on in the conversations of one membership: asked once, after reconnects, then kept by events. */
class LiveCalls {
  readonly #as: MembershipId;
  readonly #listeners = new Set<() => void>();
  readonly #asked = new Set<ConversationId>();
  #live: Live = new Map();

  constructor(as: MembershipId) {
    this.#as = as;
    client.on('calls.callStarted', ({ call }) => this.#put(call));
    client.on('calls.callEnded', ({ conversationId }) => this.#drop(conversationId));
    client.on('calls.participantsChanged', ({ conversationId, participantCount }) => {
      const call = this.#live.get(conversationId);
      if (call !== undefined) this.#put({ ...call, participantCount });
    });
    let wasOnline = false;
    const follow = () => {
      const online = client.connection.getSnapshot() === 'online';
      if (online && !wasOnline) {
        this.#asked.clear();
        this.#askRecent();
      }
      wasOnline = online;
    };
    client.connection.subscribe(follow);
    client.messenger(as).subscribe(() => this.#askRecent());
    follow();
    this.#askRecent();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): Live => this.#live;

  /** Asks the server about one conversation. */
  async ask(conversationId: ConversationId): Promise<LiveCall | undefined> {
    this.#asked.add(conversationId);
    const { call } = await client.calls.findLiveCall({ as: this.#as, conversationId });
    if (call === null) this.#drop(conversationId);
    else this.#put(call);
    return call ?? undefined;
  }

  #askRecent() {
    if (client.connection.getSnapshot() !== 'online') return;
    const since = Date.now() - recentMs;
    for (const conversation of client.messenger(this.#as).getSnapshot().conversations) {
      const last = conversation.lastMessage;
      if (last === null || Date.parse(last.sentAt) < since || this.#asked.has(conversation.id)) continue;
      // A mark in a list is no reason for an error message: it is asked again after the next reconnect.
      this.ask(conversation.id).catch(() => undefined);
    }
  }

  #put(call: LiveCall) {
    this.#set(new Map(this.#live).set(call.conversationId, call));
  }

  #drop(conversationId: ConversationId) {
    if (!this.#live.has(conversationId)) return;
    const next = new Map(this.#live);
    next.delete(conversationId);
    this.#set(next);
  }

  #set(live: Live) {
    this.#live = live;
    for (const listener of this.#listeners) listener();
  }
}

const made = new Map<MembershipId, LiveCalls>();

export function liveCalls(as: MembershipId): LiveCalls {
  let calls = made.get(as);
  if (calls === undefined) {
    calls = new LiveCalls(as);
    made.set(as, calls);
  }
  return calls;
}

export function useLiveCalls(as: MembershipId): Live {
  return useSource(liveCalls(as));
}
