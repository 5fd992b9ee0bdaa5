import {
  type Call,
  type CallId,
  type CallTicket,
  CodedError,
  type ConversationId,
  callLimits,
  type MembershipId,
  type SchoolId,
  signallingPath,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { ConversationFacts } from '../chat/index.ts';
import { isUniqueViolation, type Reader } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import type { MemberFacts } from '../school/index.ts';
import { canHost, canStartCall, type DirectOther } from './calls.policy.ts';
import {
  deleteRemoval,
  endLiveCall,
  findCall,
  findLiveCall,
  insertCall,
  insertRemoval,
  isRemoved,
  type StoredCall,
} from './calls.store.ts';
import type { TicketOffice } from './calls.tickets.ts';
import type { CallsNeighbours } from './index.ts';

type Person = Pick<Actor, 'schoolId' | 'membershipId'>;

/** A call with what decides about this member's rights in it. */
export interface CallView {
  readonly call: StoredCall;
  readonly place: ConversationFacts;
  readonly facts: MemberFacts;
}

/** One function for each thing that a person can do with calls. */
export function createCallsActions(
  platform: Platform,
  neighbours: CallsNeighbours,
  tickets: TicketOffice,
  /** Puts everybody out, and whoever is on the way in. */
  closeRoom: (callId: CallId) => void,
) {
  const { database } = platform;
  const { chat, school, media } = neighbours;

  /** The rights of a member now, past any cache. @throws NOT_FOUND where the membership is over */
  async function requireFacts(reader: Reader, person: Person): Promise<MemberFacts> {
    const facts = (await school.loadFacts(reader, person.schoolId, [person.membershipId])).get(
      person.membershipId,
    );
    if (facts === undefined) throw new CodedError('NOT_FOUND');
    return facts;
  }

  /** Asked for each conversation of a list: loaded once for each request, which has an actor of its own. */
  const factsOfRequest = new WeakMap<Actor, Promise<MemberFacts | undefined>>();
  function offeredFacts(actor: Actor): Promise<MemberFacts | undefined> {
    let facts = factsOfRequest.get(actor);
    if (facts === undefined) {
      facts = school
        .loadFacts(database, actor.schoolId, [actor.membershipId])
        .then((found) => found.get(actor.membershipId));
      factsOfRequest.set(actor, facts);
    }
    return facts;
  }

  async function findOther(
    reader: Reader,
    person: Person,
    place: Pick<ConversationFacts, 'firstId' | 'secondId'>,
  ): Promise<DirectOther | undefined> {
    const otherId = place.firstId === person.membershipId ? place.secondId : place.firstId;
    if (otherId === null) return undefined;
    const facts = (await school.loadFacts(reader, person.schoolId, [otherId])).get(otherId);
    if (facts === undefined) return undefined;
    const { schoolId, membershipId } = person;
    return { facts, mayContact: await school.mayContact(reader, schoolId, membershipId, otherId) };
  }

  /**
   * A call that this member may be in: a member of its conversation, of a direct one as long as the two may meet (rule
   * 7). @throws NOT_FOUND, for what is absent and what is not theirs alike
   */
  async function requireCall(reader: Reader, person: Person, callId: CallId): Promise<CallView> {
    const call = await findCall(reader, person.schoolId, callId);
    if (call === undefined) throw new CodedError('NOT_FOUND');
    const place = await chat.requireConversation(person, call.conversationId, reader);
    return { call, place, facts: await requireFacts(reader, person) };
  }

  async function requireLiveCall(reader: Reader, person: Person, callId: CallId): Promise<CallView> {
    const view = await requireCall(reader, person, callId);
    const { call, place, facts } = view;
    // A ticket outlives the gateway's own check by a minute.
    if (!(await school.isOpen(reader, person.schoolId))) throw new CodedError('SCHOOL_SUSPENDED');
    if (call.endedAt !== null) throw new CodedError('CALL_ENDED');
    if (place.kind === 'direct' && !(await mayMeet(reader, person, place, facts))) {
      throw new CodedError('FORBIDDEN');
    }
    return view;
  }

  /** In a direct call either of the two may be the one whose right it is. */
  async function mayMeet(reader: Reader, person: Person, place: ConversationFacts, facts: MemberFacts) {
    const other = await findOther(reader, person, place);
    if (other === undefined) return false;
    if (other.mayContact) return true;
    const { schoolId } = person;
    return school.mayContact(reader, schoolId, other.facts.membershipId, facts.membershipId);
  }

  async function requireHosted(reader: Reader, actor: Actor, callId: CallId): Promise<CallView> {
    const view = await requireCall(reader, actor, callId);
    if (!canHost(view.place, view.facts)) throw new CodedError('FORBIDDEN');
    if (view.call.endedAt !== null) throw new CodedError('CALL_ENDED');
    return view;
  }

  function requireMedia(): void {
    const status = media.status();
    if (status.state === 'preparing') throw new CodedError('CALLS_PREPARING', { retryAfterMs: status.etaMs });
    if (status.state === 'unavailable') throw new CodedError('CALLS_UNAVAILABLE');
  }

  function show(call: StoredCall): Call {
    const { id, schoolId, conversationId, startedBy, startedAt, endedAt } = call;
    return {
      id,
      schoolId,
      conversationId,
      startedBy,
      startedAt: startedAt.toISOString(),
      endedAt: endedAt?.toISOString() ?? null,
      participantCount: media.findRoom(id)?.count ?? 0,
    };
  }

  /** Ends a call in the database and the chat, then in the media. Undefined where it had ended before. */
  async function end(
    schoolId: SchoolId,
    callId: CallId,
    endedBy: MembershipId | null,
  ): Promise<StoredCall | undefined> {
    const ended = await database.inTransaction(async (tx) => {
      const call = await endLiveCall(tx, schoolId, callId, { endedAt: new Date(), endedBy });
      if (call?.endedAt == null) return undefined;
      const { conversationId, endedAt } = call;
      await chat.endCallCard(tx, { schoolId, conversationId, callId, endedAt });
      tx.announce(
        eventFor(
          'calls.callEnded',
          { conversation: conversationId },
          { callId, conversationId, endedAt: endedAt.toISOString() },
        ),
      );
      return call;
    });
    closeRoom(callId);
    if (ended !== undefined) platform.logger.info({ callId, byItself: endedBy === null }, 'call ended');
    return ended;
  }

  return {
    requireLiveCall,
    isRemoved: (person: Person, callId: CallId) =>
      isRemoved(database, person.schoolId, callId, person.membershipId),
    end,

    /** Whether to offer the button; the start itself asks again. */
    async mayStartCall(actor: Actor, place: ConversationFacts): Promise<boolean> {
      const facts = await offeredFacts(actor);
      if (facts === undefined) return false;
      const other = place.kind === 'direct' ? await findOther(database, actor, place) : undefined;
      return canStartCall(place, facts, other);
    },

    async startCall(actor: Actor, conversationId: ConversationId): Promise<Call> {
      const { schoolId, membershipId } = actor;
      try {
        const call = await database.inTransaction(async (tx) => {
          const place = await chat.requireConversation(actor, conversationId, tx);
          const facts = await requireFacts(tx, actor);
          const other = place.kind === 'direct' ? await findOther(tx, actor, place) : undefined;
          if (!canStartCall(place, facts, other)) throw new CodedError('FORBIDDEN');
          requireMedia();
          const started = await insertCall(tx, {
            schoolId,
            id: uuid() as CallId,
            conversationId,
            startedBy: membershipId,
            startedAt: new Date(),
          });
          await chat.postCallCard(tx, {
            schoolId,
            conversationId,
            senderId: membershipId,
            callId: started.id,
          });
          tx.announce(
            eventFor('calls.callStarted', { conversation: conversationId }, { call: show(started) }),
          );
          return started;
        });
        platform.logger.info({ callId: call.id }, 'call started');
        return show(call);
      } catch (error) {
        if (!isUniqueViolation(error, 'calls_live')) throw error;
        const live = await findLiveCall(database, schoolId, conversationId);
        throw new CodedError('CALL_IN_PROGRESS', live === undefined ? {} : { data: { callId: live.id } });
      }
    },

    async getCall(actor: Actor, callId: CallId): Promise<{ call: Call; canHost: boolean }> {
      const { call, place, facts } = await requireCall(database, actor, callId);
      return { call: show(call), canHost: canHost(place, facts) };
    },

    async findLiveCall(actor: Actor, conversationId: ConversationId): Promise<Call | null> {
      await chat.requireConversation(actor, conversationId);
      const call = await findLiveCall(database, actor.schoolId, conversationId);
      return call === undefined ? null : show(call);
    },

    async createTicket(actor: Actor, callId: CallId): Promise<CallTicket> {
      const { schoolId, membershipId, accountId, sessionId } = actor;
      const { call } = await requireLiveCall(database, actor, callId);
      if (await isRemoved(database, schoolId, callId, membershipId))
        throw new CodedError('REMOVED_FROM_CALL');
      requireMedia();
      const room = media.findRoom(call.id);
      if (room?.isFullFor(membershipId) === true) {
        throw new CodedError('CALL_FULL', { retryAfterMs: callLimits.fullRetryMs });
      }
      const { ticket, expiresAt } = tickets.issue({ schoolId, callId, membershipId, accountId, sessionId });
      return { path: signallingPath, ticket, expiresAt: expiresAt.toISOString() };
    },

    async endCall(actor: Actor, callId: CallId): Promise<Call> {
      const { call, place, facts } = await requireCall(database, actor, callId);
      // Whoever began a talk of two may end it, guardians too.
      if (!canHost(place, facts) && call.startedBy !== actor.membershipId) throw new CodedError('FORBIDDEN');
      const ended = await end(actor.schoolId, callId, actor.membershipId);
      return show(ended ?? (await findCall(database, actor.schoolId, callId)) ?? call);
    },

    async removeMember(actor: Actor, callId: CallId, membershipId: MembershipId): Promise<void> {
      const { schoolId } = actor;
      await database.inTransaction(async (tx) => {
        const { call, place } = await requireHosted(tx, actor, callId);
        const target = { schoolId, membershipId };
        const theirs = await chat.requireConversation(target, call.conversationId, tx);
        if (canHost({ ...place, reader: theirs.reader }, await requireFacts(tx, target))) {
          throw new CodedError('FORBIDDEN');
        }
        await insertRemoval(tx, {
          schoolId,
          callId,
          membershipId,
          removedBy: actor.membershipId,
          removedAt: new Date(),
        });
      });
      platform.logger.info({ callId }, 'person removed from a call');
    },

    async readmitMember(actor: Actor, callId: CallId, membershipId: MembershipId): Promise<void> {
      const { schoolId } = actor;
      await database.inTransaction(async (tx) => {
        const { call } = await requireHosted(tx, actor, callId);
        await chat.requireConversation({ schoolId, membershipId }, call.conversationId, tx);
        await deleteRemoval(tx, schoolId, callId, membershipId);
      });
    },
  };
}

export type CallsActions = ReturnType<typeof createCallsActions>;
