import {
  type CallId,
  CodedError,
  type ConversationId,
  callLimits,
  type MembershipId,
  type SchoolId,
  type SessionId,
} from '@zvonok/shared';
import type { Admission, Media, PeerFacts, Room } from '../media/index.ts';
import type { Signal } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import type { CallsActions, CallView } from './calls.actions.ts';
import { canHost, mediaRightsOf, needsHost } from './calls.policy.ts';
import type { TicketClaims, TicketOffice } from './calls.tickets.ts';

/** Somebody who is being judged: what changes meanwhile makes the judgement stale. */
interface Pending extends TicketClaims {
  conversationId: ConversationId | undefined;
  stale: boolean;
}

/**
 * The door between rights and media: lets people into rooms by ticket, and follows every change of rights into the
 * rooms within a second (promise P14). What can't be judged in time is put out: the way back is judged anew.
 */
export class CallDoor {
  readonly #platform: Platform;
  readonly #actions: CallsActions;
  readonly #tickets: TicketOffice;
  readonly #media: Media;
  readonly #pending = new Set<Pending>();
  /** Sessions that ended while their tickets may still be about; insertion order is age order. */
  readonly #endedSessions = new Map<SessionId, number>();
  /** Of the rooms on this node. */
  readonly #places = new Map<
    string,
    { readonly schoolId: SchoolId; readonly conversationId: ConversationId }
  >();

  constructor(platform: Platform, actions: CallsActions, tickets: TicketOffice, media: Media) {
    this.#platform = platform;
    this.#actions = actions;
    this.#tickets = tickets;
    this.#media = media;
  }

  /** See `SignallingOptions.admit`. */
  async admit(ticket: string): Promise<Admission> {
    const claims = this.#tickets.redeem(ticket);
    const pending: Pending = { ...claims, conversationId: undefined, stale: false };
    this.#pending.add(pending);
    try {
      const view = await this.#judge(claims);
      // Judged by what was so a moment ago; a room opened now would be the room of a call that is over.
      if (pending.stale) throw new CodedError('UNAVAILABLE', { retryAfterMs: 200 });
      pending.conversationId = view.call.conversationId;
      const { schoolId, callId } = claims;
      this.#places.set(callId, { schoolId, conversationId: view.call.conversationId });
      return {
        room: this.#media.openRoom(callId),
        facts: factsOf(claims, view),
        isStale: () => pending.stale,
        settled: () => this.#pending.delete(pending),
      };
    } catch (error) {
      this.#pending.delete(pending);
      throw error;
    }
  }

  async #judge(claims: TicketClaims): Promise<CallView> {
    if (this.#endedSessions.has(claims.sessionId)) throw new CodedError('UNAUTHENTICATED');
    const view = await this.#actions.requireLiveCall(this.#platform.database, claims, claims.callId);
    if (await this.#actions.isRemoved(claims, claims.callId)) throw new CodedError('REMOVED_FROM_CALL');
    return view;
  }

  /** The call is over, in the database already: everybody leaves, and who is on the way in is judged again. */
  closeRoom(callId: CallId): void {
    this.#markStale((pending) => pending.callId === callId);
    this.#media.findRoom(callId)?.close('CALL_ENDED');
  }

  /** Puts a removed person out; who is on the way in is judged again. */
  putOut(callId: CallId, membershipId: MembershipId): void {
    for (const pending of this.#pending) {
      if (pending.callId === callId && pending.membershipId === membershipId) pending.stale = true;
    }
    this.#media.findRoom(callId)?.evict(membershipId, 'REMOVED_FROM_CALL');
  }

  placeOf(room: Room): { readonly schoolId: SchoolId; readonly conversationId: ConversationId } | undefined {
    return this.#places.get(room.id);
  }

  forget(room: Room): void {
    this.#places.delete(room.id);
  }

  /** What was committed somewhere about people's rights. */
  hear(signal: Signal): void {
    switch (signal.name) {
      case 'sessionsEnded':
        for (const sessionId of signal.sessionIds) this.#endSession(sessionId);
        return;
      case 'membershipEnded':
        for (const membershipId of signal.membershipIds) {
          this.#markStale((pending) => pending.membershipId === membershipId);
          for (const peer of this.#media.peersOf(membershipId)) peer.room.evict(membershipId, 'ACCESS_ENDED');
        }
        return;
      case 'membershipChanged':
        for (const membershipId of signal.membershipIds) {
          this.#markStale((pending) => pending.membershipId === membershipId);
          this.#judgeAgain(membershipId);
        }
        return;
      case 'conversationsChanged': {
        const { membershipId } = signal;
        const left = new Set(signal.left);
        if (left.size === 0) return;
        this.#markStale((pending) => pending.membershipId === membershipId);
        for (const { room } of this.#media.peersOf(membershipId)) {
          const place = this.#places.get(room.id);
          if (place === undefined || left.has(place.conversationId)) room.evict(membershipId, 'ACCESS_ENDED');
        }
      }
    }
  }

  #endSession(sessionId: SessionId): void {
    const now = Date.now();
    for (const [ended, until] of this.#endedSessions) {
      if (until > now) break;
      this.#endedSessions.delete(ended);
    }
    this.#endedSessions.set(sessionId, now + 2 * callLimits.ticketLifeMs);
    this.#markStale((pending) => pending.sessionId === sessionId);
    for (const peer of this.#media.peersOfSession(sessionId)) {
      peer.room.evict(peer.facts.membershipId, 'SESSION_ENDED');
    }
  }

  #markStale(concerns: (pending: Pending) => boolean): void {
    for (const pending of this.#pending) if (concerns(pending)) pending.stale = true;
  }

  /** Other rights for whoever is in a room; out with whom nothing can be found out about in time. */
  #judgeAgain(membershipId: MembershipId): void {
    for (const { room, facts } of this.#media.peersOf(membershipId)) {
      const place = this.#places.get(room.id);
      if (place === undefined) {
        room.evict(membershipId, 'ROOM_MOVED');
        continue;
      }
      const person = { schoolId: place.schoolId, membershipId };
      const callId = room.id as CallId;
      void within(
        callLimits.judgeMs,
        this.#actions.requireLiveCall(this.#platform.database, person, callId),
      ).then(
        (view) =>
          room
            .changeFacts(membershipId, factsOf({ membershipId, sessionId: facts.sessionId }, view))
            .catch(() => room.evict(membershipId, 'ROOM_MOVED')),
        (error: unknown) => {
          const refused = error instanceof CodedError && error.code !== 'UNAVAILABLE';
          room.evict(membershipId, refused ? 'ACCESS_ENDED' : 'ROOM_MOVED');
        },
      );
    }
  }
}

function factsOf(
  { membershipId, sessionId }: Pick<TicketClaims, 'membershipId' | 'sessionId'>,
  { place, facts }: CallView,
): PeerFacts {
  return {
    membershipId,
    sessionId,
    caption: { fullName: facts.fullName, role: facts.role, verified: facts.verified },
    host: canHost(place, facts),
    needsHost: needsHost(facts),
    ...mediaRightsOf(facts),
  };
}

async function within<T>(ms: number, asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new CodedError('UNAVAILABLE')), ms);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
