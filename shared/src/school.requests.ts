import Type, { type Static } from 'typebox';
import {
  contractEvent,
  events,
  memberProcedure,
  nullable,
  oneOf,
  perMinute,
  procedures,
  strict,
  Time,
} from './contract.ts';
import { GroupId, MembershipId, RequestId } from './ids.ts';
import { requestLimits, schoolLimits } from './limits.ts';
import type { Permission } from './permissions.ts';
import { line, paragraph } from './schemas.ts';
import { EndReason, FullName, GroupName, Role, SchoolCard, Subject } from './school.objects.ts';

const card = SchoolCard.properties;

/** What can be asked for. Who may ask follows from the permission table: its `rq` cells; what is beyond them says so. */
const requested = {
  /** By staff who are not verified yet, for themselves. */
  ownVerification: strict({
    kind: Type.Literal('ownVerification'),
    /** On what ground: a paper that the administrator can look at. */
    basis: line(schoolLimits.basisLength),
  }),
  verifyTeacher: strict({
    kind: Type.Literal('verifyTeacher'),
    membershipId: MembershipId,
    basis: line(schoolLimits.basisLength),
  }),
  editSchool: strict({
    kind: Type.Literal('editSchool'),
    card: strict({
      name: Type.Optional(card.name),
      vocabulary: Type.Optional(card.vocabulary),
      address: Type.Optional(card.address),
      contactEmail: Type.Optional(card.contactEmail),
      contactPhone: Type.Optional(card.contactPhone),
      journalUrl: Type.Optional(card.journalUrl),
    }),
  }),
  attachTeacher: strict({
    kind: Type.Literal('attachTeacher'),
    membershipId: MembershipId,
    groupId: GroupId,
    /** Null: as its class teacher. */
    subject: nullable(Subject),
  }),
  /** A pupil into another class. */
  transferMember: strict({
    kind: Type.Literal('transferMember'),
    membershipId: MembershipId,
    groupId: GroupId,
  }),
  endMembership: strict({
    kind: Type.Literal('endMembership'),
    membershipId: MembershipId,
    endReason: EndReason,
  }),
  /** By a class teacher, about a guardian and a pupil of the own class. */
  linkGuardian: strict({
    kind: Type.Literal('linkGuardian'),
    guardianId: MembershipId,
    childId: MembershipId,
  }),
  /** By a guardian, in words: whether there is such a child is told to nobody but those who decide. */
  linkOwnChild: strict({
    kind: Type.Literal('linkOwnChild'),
    childName: FullName,
    groupName: GroupName,
  }),
  /** A text for a channel; posted by whoever approves it, with the name of whoever wrote it. */
  post: strict({
    kind: Type.Literal('post'),
    channel: oneOf(['general', 'staff']),
    text: paragraph(requestLimits.postLength),
  }),
};
export const RequestedAction = Type.Union([
  requested.ownVerification,
  requested.verifyTeacher,
  requested.editSchool,
  requested.attachTeacher,
  requested.transferMember,
  requested.endMembership,
  requested.linkGuardian,
  requested.linkOwnChild,
  requested.post,
]);
export type RequestedAction = Static<typeof RequestedAction>;

/** The row of the table that decides: whoever has `Y` in it may approve. */
export function permissionAskedFor(what: RequestedAction): (typeof requestPermissions)[number] {
  switch (what.kind) {
    case 'ownVerification':
    case 'verifyTeacher':
      return 'verifyTeacher';
    case 'editSchool':
      return 'editSchool';
    case 'attachTeacher':
      return 'attachTeachers';
    case 'transferMember':
    case 'endMembership':
      return 'moveMembers';
    case 'linkGuardian':
    case 'linkOwnChild':
      return 'linkGuardian';
    case 'post':
      return what.channel === 'general' ? 'postGeneralChannel' : 'postStaffChannel';
  }
}

/** The rights that requests ask for. */
export const requestPermissions = [
  'verifyTeacher',
  'editSchool',
  'attachTeachers',
  'moveMembers',
  'linkGuardian',
  'postGeneralChannel',
  'postStaffChannel',
] as const satisfies readonly Permission[];

export const requestOutcomes = ['approved', 'declined', 'withdrawn', 'expired'] as const;
export type RequestOutcome = (typeof requestOutcomes)[number];
export const RequestState = oneOf(['open', ...requestOutcomes]);
export type RequestState = Static<typeof RequestState>;

const named = strict({ membershipId: MembershipId, fullName: FullName });

/** Somebody asks for what they may not do themselves. */
export const SchoolRequest = strict({
  id: RequestId,
  what: RequestedAction,
  state: RequestState,
  askedBy: strict({ membershipId: MembershipId, fullName: FullName, role: Role, verified: Type.Boolean() }),
  /** The person whom it is about, and the child; null where there is none, or the reader may not see them. */
  member: nullable(strict({ membershipId: MembershipId, fullName: FullName, role: Role })),
  child: nullable(named),
  group: nullable(strict({ groupId: GroupId, name: GroupName })),
  /** Why, in the words of whoever asks. */
  reason: nullable(Type.String()),
  createdAt: Time,
  expiresAt: Time,
  /** Null while it is open, and where it expired. */
  decidedAt: nullable(Time),
  decidedBy: nullable(named),
  /** What was said to it. */
  comment: nullable(Type.String()),
});
export type SchoolRequest = Static<typeof SchoolRequest>;

export const LikelyChild = strict({
  membershipId: MembershipId,
  fullName: FullName,
  groupId: GroupId,
  groupName: GroupName,
  /** Whether it is the class that the guardian named. */
  sameGroup: Type.Boolean(),
});
export type LikelyChild = Static<typeof LikelyChild>;

const words = paragraph(schoolLimits.reasonLength);

export const requestProcedures = procedures('school', {
  createRequest: memberProcedure({
    summary:
      'Asks those who may for something that the caller may not do. It waits for 14 days. Asked again while it is open it answers the same request.',
    input: { what: RequestedAction, reason: Type.Optional(words) },
    output: strict({ request: SchoolRequest }),
    errors: ['NOT_FOUND', 'WRONG_ROLE', 'CONFLICT', 'REQUESTS_FULL'],
    limit: perMinute(30),
  }),
  listRequests: memberProcedure({
    summary:
      'Requests that the caller made, or those that they may decide, the newest first, in pages after the given one.',
    input: {
      which: oneOf(['mine', 'toDecide']),
      state: oneOf(['open', 'closed']),
      /** Those that need this right alone; all, where it is left out. */
      permission: Type.Optional(oneOf(requestPermissions)),
      after: Type.Optional(RequestId),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: requestLimits.pageSize })),
    },
    output: strict({
      requests: Type.Array(SchoolRequest),
      hasMore: Type.Boolean(),
      /** How many are open, whichever are listed. */
      openCount: Type.Integer({ minimum: 0 }),
    }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  listLikelyChildren: memberProcedure({
    summary:
      'The pupils whom a guardian may mean who asks to be linked to a child. For those who decide the request.',
    input: { requestId: RequestId },
    output: strict({ children: Type.Array(LikelyChild) }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  approveRequest: memberProcedure({
    summary:
      'Does what was asked for, as if the caller did it. Of two who decide at once one does. Where it can’t be done as things are now, REQUEST_STALE says why in data.code, and it stays open.',
    input: {
      requestId: RequestId,
      /** Of `linkOwnChild`, where it is required: the child whom the guardian means. */
      childId: Type.Optional(MembershipId),
      comment: Type.Optional(words),
    },
    output: strict({ request: SchoolRequest }),
    errors: ['NOT_FOUND', 'REQUEST_CLOSED', 'REQUEST_STALE'],
    // What is approved may be what needs it.
    confirmed: true,
    limit: perMinute(120),
  }),
  declineRequest: memberProcedure({
    summary: 'Refuses a request, for a reason that whoever asked reads.',
    input: { requestId: RequestId, comment: words },
    output: strict({ request: SchoolRequest }),
    errors: ['NOT_FOUND', 'REQUEST_CLOSED'],
    limit: perMinute(120),
  }),
  withdrawRequest: memberProcedure({
    summary: 'Takes one’s own request back.',
    input: { requestId: RequestId },
    output: strict({ request: SchoolRequest }),
    errors: ['NOT_FOUND', 'REQUEST_CLOSED'],
    limit: perMinute(60),
  }),
});

export const requestEvents = events('school', {
  requestChanged: contractEvent({
    summary:
      'A request was made, decided or withdrawn. Goes to whoever asked and to whoever may decide; asked for anew if it is shown.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, requestId: RequestId, state: RequestState }),
  }),
});
