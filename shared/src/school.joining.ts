import Type, { type Static } from 'typebox';
import {
  accountProcedure,
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
import { GroupId, InviteId, JoinRequestId, MembershipId, RosterEntryId } from './ids.ts';
import { joiningLimits } from './limits.ts';
import { line, paragraph } from './schemas.ts';
import { FullName, GroupName, InvitableRole, Role, Vocabulary } from './school.objects.ts';

/**
 * What a school gives to whoever may ask to join it: eight letters and digits that nobody takes for one another. As it is
 * typed: in any case, with spaces and dashes.
 */
export const JoinCode = Type.String({
  pattern: `^[${joiningLimits.codeAlphabet}]{${joiningLimits.codeLength}}$`,
});
export const TypedJoinCode = Type.String({ minLength: 1, maxLength: 32, pattern: '^[0-9A-Za-z \\-]+$' });

/** `expired`: nobody decided it in time. */
export const joinRequestStates = ['open', 'approved', 'declined', 'withdrawn', 'expired'] as const;
export const JoinRequestState = oneOf(joinRequestStates);
export type JoinRequestState = Static<typeof JoinRequestState>;

const asked = {
  id: JoinRequestId,
  role: InvitableRole,
  fullName: FullName,
  /** The class, as the applicant wrote it; of a request by an invite, its name. */
  groupWords: nullable(Type.String()),
  /** Whose guardian they are, as they wrote it. */
  childWords: nullable(Type.String()),
  message: nullable(Type.String()),
  state: JoinRequestState,
  createdAt: Time,
  expiresAt: Time,
  /** Why it was declined. */
  reason: nullable(Type.String()),
};

/** A request as its sender sees it. */
export const OwnJoinRequest = strict({
  ...asked,
  schoolName: Type.String(),
  vocabulary: Vocabulary,
  /** After a refusal: from when on they may ask this school for this role again. Null where nothing is in the way. */
  mayAskAgainAt: nullable(Time),
});
export type OwnJoinRequest = Static<typeof OwnJoinRequest>;

/** Somebody whom the school expects and who may be the applicant. */
export const RosterMatch = strict({
  entryId: RosterEntryId,
  fullName: Type.String(),
  /** A pupil's class. */
  groupName: nullable(GroupName),
  /** `exact`: the same name; `likely`: one leaves words of the other out, or has them in another order. */
  name: oneOf(['exact', 'likely']),
  /** Whether they belong to the class that was asked for. True where none was. */
  inGroup: Type.Boolean(),
  /** Whether somebody came as this person already. */
  claimed: Type.Boolean(),
  /** Whether the roster has a phone of theirs and the applicant signed in with another one. */
  otherPhone: Type.Boolean(),
});

/** A request as those see it who decide it. */
export const JoinRequest = strict({
  ...asked,
  /** The class it is for, where the words name one. */
  group: nullable(strict({ groupId: GroupId, name: GroupName })),
  /** E.164; null for those who may not see contacts. */
  phone: nullable(Type.String()),
  /** The invite that they came by; null: by the school's code. */
  inviteId: nullable(InviteId),
  /** Who of the roster they may be, the best match first. Empty once it is decided. */
  matches: Type.Array(RosterMatch),
  /** Members with this very name. Empty once it is decided. */
  namesakes: Type.Array(
    strict({
      membershipId: MembershipId,
      role: Role,
      groupName: nullable(GroupName),
      /** Whether it is the applicant's own membership, in another role. */
      own: Type.Boolean(),
    }),
  ),
  decidedAt: nullable(Time),
  decidedBy: nullable(strict({ membershipId: MembershipId, fullName: FullName })),
});
export type JoinRequest = Static<typeof JoinRequest>;

const Words = line(joiningLimits.wordsLength);

export const joiningProcedures = procedures('school', {
  getJoinCode: memberProcedure({
    summary:
      'The code by which people ask to join; null while the school is closed to requests. For administrators.',
    input: {},
    output: strict({ code: nullable(JoinCode) }),
  }),
  rotateJoinCode: memberProcedure({
    summary: 'Opens the school to requests by a new code. The one before is worth nothing from then on.',
    input: {},
    output: strict({ code: JoinCode }),
    limit: perMinute(10),
  }),
  closeJoinCode: memberProcedure({
    summary: 'Takes the code back: nobody asks to join by it any more. Requests that were made stay.',
    input: {},
    output: strict({}),
    limit: perMinute(10),
  }),
  findSchoolByCode: accountProcedure({
    summary: 'Which school has this code.',
    input: { code: TypedJoinCode },
    output: strict({ schoolName: Type.String(), vocabulary: Vocabulary }),
    errors: ['NOT_FOUND'],
    limit: perMinute(20),
  }),
  submitJoinRequest: accountProcedure({
    summary: 'Asks the school with this code to be let in. One open request of a person for each role.',
    input: {
      code: TypedJoinCode,
      role: InvitableRole,
      fullName: FullName,
      groupWords: Type.Optional(Words),
      childWords: Type.Optional(Words),
      message: Type.Optional(paragraph(joiningLimits.messageLength)),
    },
    output: strict({ request: OwnJoinRequest }),
    errors: ['NOT_FOUND', 'CONFLICT', 'ALREADY_MEMBER', 'ASKED_TOO_SOON'],
    limit: perMinute(20),
  }),
  listMyJoinRequests: accountProcedure({
    summary: 'What the signed-in person has asked of schools, the newest first.',
    input: {},
    output: strict({ requests: Type.Array(OwnJoinRequest) }),
    limit: perMinute(120),
  }),
  withdrawJoinRequest: accountProcedure({
    summary: 'Takes one’s own request back. Again, it changes nothing.',
    input: { requestId: JoinRequestId },
    output: strict({ request: OwnJoinRequest }),
    errors: ['NOT_FOUND', 'CONFLICT'],
  }),
  listJoinRequests: memberProcedure({
    summary:
      'The requests that the caller decides: open ones, those that wait longest first; decided ones the newest first.',
    input: {
      state: oneOf(['open', 'decided']),
      after: Type.Optional(JoinRequestId),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: joiningLimits.pageSize })),
    },
    output: strict({
      requests: Type.Array(JoinRequest),
      hasMore: Type.Boolean(),
      /** How many wait, whichever are listed. */
      openCount: Type.Integer({ minimum: 0 }),
    }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  approveJoinRequest: memberProcedure({
    summary:
      'Lets the applicant in, as what and where the caller says. Staff who are let in are not verified by it.',
    input: {
      requestId: JoinRequestId,
      /** Where the applicant chose a wrong one. */
      role: Type.Optional(InvitableRole),
      /** Required for pupils and guardians unless `entryId` is given. */
      groupId: Type.Optional(GroupId),
      /** Of a guardian: their child in that class; for whoever may link guardians. */
      childId: Type.Optional(MembershipId),
      /** Who of the roster they are: name, role, class and links are the roster’s. */
      entryId: Type.Optional(RosterEntryId),
    },
    output: strict({ membershipId: MembershipId }),
    errors: ['NOT_FOUND', 'CONFLICT', 'ALREADY_MEMBER'],
  }),
  declineJoinRequest: memberProcedure({
    summary: 'Refuses the request; the applicant reads the reason.',
    input: { requestId: JoinRequestId, reason: paragraph(joiningLimits.reasonLength) },
    output: strict({}),
    errors: ['NOT_FOUND', 'CONFLICT'],
  }),
});

export const joiningEvents = events('school', {
  joinRequestChanged: contractEvent({
    summary: 'One’s own request was made, decided or taken back.',
    audience: 'account',
    payload: strict({ request: OwnJoinRequest }),
  }),
  joinQueueChanged: contractEvent({
    summary:
      'There is another request, or one fewer; asked again if the queue is shown. Goes to those who decide it.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId }),
  }),
});
