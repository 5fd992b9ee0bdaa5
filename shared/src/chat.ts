import Type, { type Static } from 'typebox';
import { contractEvent, events, memberProcedure, perMinute, procedures, strict, Time } from './contract.ts';
import {
  CallId,
  ClientMessageId,
  ConversationId,
  GroupId,
  MembershipId,
  MessageId,
  SchoolId,
} from './ids.ts';
import { chatLimits } from './limits.ts';
import { Role } from './school.objects.ts';

export const conversationKinds = [
  'class',
  'subject',
  'parents',
  'classTeachers',
  'staff',
  'council',
  'management',
  'direct',
  'free',
  'channel',
] as const;
export const ConversationKind = Type.Unsafe<(typeof conversationKinds)[number]>(
  Type.Union(conversationKinds.map((kind) => Type.Literal(kind))),
);
export type ConversationKind = (typeof conversationKinds)[number];

/** Which channel: `general` for all members, `staff` for verified staff; null where the kind is not `channel`. */
export const ChannelKind = Type.Union([Type.Literal('general'), Type.Literal('staff')]);

/** What the database counts with. */
const countMax = 2_147_483_647;

export const Seq = Type.Integer({
  minimum: 0,
  maximum: countMax,
  description: 'position in a conversation, from 1, without gaps',
});
export const Rev = Type.Integer({
  minimum: 0,
  maximum: countMax,
  description: 'number of the last change of a conversation',
});

export const MessageText = Type.String({ minLength: 1, maxLength: chatLimits.textLength });

/** What a message holds. A client shows kinds it does not know as an unsupported message. */
export const MessageBody = Type.Union([
  strict({ kind: Type.Literal('text'), text: MessageText }),
  /** The card of a call; changes to `ended` when the call ends. */
  strict({
    kind: Type.Literal('call'),
    callId: CallId,
    state: Type.Union([Type.Literal('live'), Type.Literal('ended')]),
    endedAt: Type.Union([Time, Type.Null()]),
  }),
  /** Something that the staff must know; the sender is whom it is about. */
  strict({
    kind: Type.Literal('notice'),
    /** `administratorAppointed`: by the operator, since the school had lost all its administrators. */
    notice: Type.Literal('administratorAppointed'),
    /** On what ground. */
    basis: Type.String(),
  }),
]);
export type MessageBody = Static<typeof MessageBody>;

export const Message = strict({
  id: MessageId,
  conversationId: ConversationId,
  seq: Seq,
  /** The conversation's revision at which this message last changed. */
  rev: Rev,
  senderId: MembershipId,
  /** The sender's own id of it; null for what the server wrote (the card of a call, a notice). */
  clientMessageId: Type.Union([ClientMessageId, Type.Null()]),
  body: MessageBody,
  sentAt: Time,
});
export type Message = Static<typeof Message>;

export const Conversation = strict({
  id: ConversationId,
  schoolId: SchoolId,
  /** The caller's membership through which they belong to it. */
  as: MembershipId,
  kind: ConversationKind,
  channel: Type.Union([ChannelKind, Type.Null()]),
  /** Null where the interface names it: channels and the staff room by vocabulary, direct chats by the other person. */
  title: Type.Union([Type.String(), Type.Null()]),
  groupId: Type.Union([GroupId, Type.Null()]),
  subject: Type.Union([Type.String(), Type.Null()]),
  /** The other person of a direct chat. */
  other: Type.Union([
    strict({ membershipId: MembershipId, fullName: Type.String(), role: Role, verified: Type.Boolean() }),
    Type.Null(),
  ]),
  memberCount: Type.Integer(),
  lastSeq: Seq,
  rev: Rev,
  /** Up to where the caller has read; unread = lastSeq - max(readSeq, joinedSeq). */
  readSeq: Seq,
  /** lastSeq when the caller became a member: what precedes is readable and never unread. */
  joinedSeq: Seq,
  canPost: Type.Boolean(),
  canStartCall: Type.Boolean(),
  lastMessage: Type.Union([Message, Type.Null()]),
  createdAt: Time,
});
export type Conversation = Static<typeof Conversation>;

export const ConversationMember = strict({
  membershipId: MembershipId,
  fullName: Type.String(),
  role: Role,
  verified: Type.Boolean(),
  /** Whether they may write here. */
  reader: Type.Boolean(),
  online: Type.Boolean(),
});
export type ConversationMember = Static<typeof ConversationMember>;

export const chatProcedures = procedures('chat', {
  listConversations: memberProcedure({
    summary: 'The conversations of this membership, the last active first.',
    input: {},
    output: strict({ conversations: Type.Array(Conversation) }),
    limit: perMinute(120),
  }),
  getConversation: memberProcedure({
    summary: 'One conversation as this membership sees it.',
    input: { conversationId: ConversationId },
    output: strict({ conversation: Conversation }),
    errors: ['NOT_FOUND'],
  }),
  getHeads: memberProcedure({
    summary: 'The revision of each conversation: a client that is behind asks for the changes.',
    input: {},
    output: strict({
      heads: Type.Array(strict({ conversationId: ConversationId, rev: Rev, lastSeq: Seq, readSeq: Seq })),
    }),
    limit: perMinute(60),
  }),
  listMembers: memberProcedure({
    summary:
      'Who belongs to a conversation. Whoever only reads the general channel is shown those who write there, and themselves.',
    input: { conversationId: ConversationId },
    output: strict({ members: Type.Array(ConversationMember) }),
    errors: ['NOT_FOUND'],
  }),
  sendMessage: memberProcedure({
    summary:
      'Writes a message. The reply means that it is on disk. Sent again under the same clientMessageId it answers the first result, for ever; with another text CONFLICT.',
    input: {
      conversationId: ConversationId,
      clientMessageId: ClientMessageId,
      text: MessageText,
    },
    output: strict({ messageId: MessageId, seq: Seq, rev: Rev, sentAt: Time }),
    errors: ['NOT_FOUND', 'READ_ONLY', 'CONVERSATION_LOCKED', 'CONFLICT'],
    limit: perMinute(240),
  }),
  listMessages: memberProcedure({
    summary:
      'A page of history in rising seq: the last before `before`, the first after `after`, or the newest.',
    input: {
      conversationId: ConversationId,
      before: Type.Optional(Seq),
      after: Type.Optional(Seq),
      limit: Type.Integer({ minimum: 1, maximum: chatLimits.pageSize }),
    },
    output: strict({ messages: Type.Array(Message), hasMore: Type.Boolean() }),
    errors: ['NOT_FOUND'],
  }),
  changesSince: memberProcedure({
    summary:
      'Messages whose last change is later than `rev`, in rising rev, however long ago: the way back after any absence. Ask again from the returned rev while hasMore.',
    input: {
      conversationId: ConversationId,
      rev: Rev,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: chatLimits.changesPageSize })),
    },
    output: strict({ messages: Type.Array(Message), rev: Rev, hasMore: Type.Boolean() }),
    errors: ['NOT_FOUND'],
  }),
  markRead: memberProcedure({
    summary: 'Raises the read mark; a lower one than before changes nothing.',
    input: { conversationId: ConversationId, seq: Seq },
    output: strict({ readSeq: Seq }),
    errors: ['NOT_FOUND'],
  }),
  setTyping: memberProcedure({
    summary: 'Tells the others that this person is writing; they forget it after a few seconds.',
    input: { conversationId: ConversationId },
    output: strict({}),
    errors: ['NOT_FOUND', 'READ_ONLY', 'CONVERSATION_LOCKED'],
    limit: perMinute(40),
  }),
  openDirect: memberProcedure({
    summary:
      'The direct chat with another member of the school, made if it is new; the contact policy decides.',
    input: { membershipId: MembershipId },
    output: strict({ conversation: Conversation }),
    errors: ['NOT_FOUND'],
    limit: perMinute(30),
  }),
});

export const chatEvents = events('chat', {
  messageSent: contractEvent({
    summary: 'A message was written. Its rev follows the last one or tells of a gap.',
    audience: 'conversation',
    payload: strict({ message: Message }),
  }),
  messageChanged: contractEvent({
    summary: 'A message has another body than before (the card of a call that ended).',
    audience: 'conversation',
    payload: strict({ message: Message }),
  }),
  readMarkRaised: contractEvent({
    summary: 'This membership has read up to seq, on some device.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, conversationId: ConversationId, readSeq: Seq }),
  }),
  conversationJoined: contractEvent({
    summary: 'This membership now belongs to the conversation.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, conversationId: ConversationId }),
  }),
  conversationLeft: contractEvent({
    summary: 'This membership no longer belongs to the conversation; what was kept of it is dropped.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, conversationId: ConversationId }),
  }),
  conversationChanged: contractEvent({
    summary:
      'The conversation has another title, or was archived with its group: it is only read from then on.',
    audience: 'conversation',
    payload: strict({
      conversationId: ConversationId,
      title: Type.Union([Type.String(), Type.Null()]),
      archived: Type.Boolean(),
    }),
  }),
  membersChanged: contractEvent({
    summary: 'People joined or left the conversation; ask for the list if it is shown.',
    audience: 'conversation',
    payload: strict({ conversationId: ConversationId, memberCount: Type.Integer() }),
  }),
  typingStarted: contractEvent({
    summary: 'Somebody is writing. Not stored.',
    audience: 'conversation',
    payload: strict({ conversationId: ConversationId, membershipId: MembershipId }),
  }),
  presenceChanged: contractEvent({
    summary: 'A member of the conversation came online or went offline. Not stored.',
    audience: 'conversation',
    payload: strict({ conversationId: ConversationId, membershipId: MembershipId, online: Type.Boolean() }),
  }),
});
