import Type, { type Static } from 'typebox';
import { contractEvent, events, memberProcedure, perMinute, procedures, strict, Time } from './contract.ts';
import { CallId, ConversationId, MembershipId, SchoolId } from './ids.ts';

/** A call of a conversation: a lesson, a meeting, a talk of two. A conversation has at most one that is live. */
export const Call = strict({
  id: CallId,
  schoolId: SchoolId,
  conversationId: ConversationId,
  startedBy: MembershipId,
  startedAt: Time,
  /** Null while it is live. */
  endedAt: Type.Union([Time, Type.Null()]),
  /** People in it at the moment; a hint that may lag by a second. */
  participantCount: Type.Integer({ minimum: 0 }),
});
export type Call = Static<typeof Call>;

/**
 * The way into a call's media: open a WebSocket at `path` of the same server and send `ticket` in the first message
 * (`join` of the signalling protocol, see media.ts). It never travels in a URL. Works once, for this session,
 * membership and call.
 */
export const CallTicket = strict({
  /** Path on this server, such as `/media/v1`. */
  path: Type.String(),
  ticket: Type.String(),
  expiresAt: Time,
});
export type CallTicket = Static<typeof CallTicket>;

export const callsProcedures = procedures('calls', {
  startCall: memberProcedure({
    summary:
      'Starts a call in a conversation: the chat shows its card. CALL_IN_PROGRESS names the live one in data.callId; CALLS_PREPARING says in retryAfterMs when to come back.',
    input: { conversationId: ConversationId },
    output: strict({ call: Call }),
    errors: ['NOT_FOUND', 'CALLS_PREPARING', 'CALLS_UNAVAILABLE', 'CALL_IN_PROGRESS'],
    limit: perMinute(20),
  }),
  getCall: memberProcedure({
    summary: 'A call of a conversation that this membership belongs to, live or ended.',
    input: { callId: CallId },
    output: strict({
      call: Call,
      /** Whether this membership may mute, remove and end here. */
      canHost: Type.Boolean(),
    }),
    errors: ['NOT_FOUND'],
  }),
  findLiveCall: memberProcedure({
    summary: 'The live call of a conversation, or null.',
    input: { conversationId: ConversationId },
    output: strict({ call: Type.Union([Call, Type.Null()]) }),
    errors: ['NOT_FOUND'],
  }),
  createTicket: memberProcedure({
    summary:
      'The way into the media of a live call; also the way back after a lost connection. Valid a minute, once.',
    input: { callId: CallId },
    output: CallTicket,
    errors: [
      'NOT_FOUND',
      'CALL_ENDED',
      'CALL_FULL',
      'REMOVED_FROM_CALL',
      'CALLS_PREPARING',
      'CALLS_UNAVAILABLE',
    ],
    limit: perMinute(60),
  }),
  endCall: memberProcedure({
    summary: 'Ends a call for everybody. A host only. Ending an ended call answers the same again.',
    input: { callId: CallId },
    output: strict({ call: Call }),
    errors: ['NOT_FOUND'],
  }),
  removeMember: memberProcedure({
    summary:
      'Puts a person out of a call and keeps them out, whatever device, tab or ticket they come with. A host only; another host can’t be removed.',
    input: { callId: CallId, membershipId: MembershipId },
    output: strict({}),
    errors: ['NOT_FOUND', 'CALL_ENDED'],
  }),
  readmitMember: memberProcedure({
    summary: 'Lets a removed person join the call again. A host only.',
    input: { callId: CallId, membershipId: MembershipId },
    output: strict({}),
    errors: ['NOT_FOUND', 'CALL_ENDED'],
  }),
});

export const callsEvents = events('calls', {
  callStarted: contractEvent({
    summary: 'A call began in the conversation and can be joined.',
    audience: 'conversation',
    payload: strict({ call: Call }),
  }),
  callEnded: contractEvent({
    summary: 'The call is over and can’t be joined any more.',
    audience: 'conversation',
    payload: strict({ callId: CallId, conversationId: ConversationId, endedAt: Time }),
  }),
  participantsChanged: contractEvent({
    summary: 'People came or went; at most about once a second. Not stored.',
    audience: 'conversation',
    payload: strict({
      callId: CallId,
      conversationId: ConversationId,
      participantCount: Type.Integer({ minimum: 0 }),
    }),
  }),
});
