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
import { InviteId, MembershipId, NoticeId } from './ids.ts';
import { schoolLimits } from './limits.ts';
import { FullName, GroupName, InvitableRole, Role } from './school.objects.ts';

/**
 * What a school's administrators are told:
 * `cardLocked` wrong PINs have locked a pupil’s card;
 * `inviteLeak` people come by an invite whom the roster of its class does not know; the invite is suspended.
 * `strangeSignIn` a member found a device among theirs that is not theirs; all their sessions were ended.
 * `lookAlikeName` a member's name looks like that of a verified member of staff and is written otherwise;
 * `sameName` a member has the name of a verified member of staff: a namesake, or somebody who passes for them.
 */
export const noticeKinds = [
  'cardLocked',
  'inviteLeak',
  'lookAlikeName',
  'sameName',
  'strangeSignIn',
] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** Something that administrators are told and look after, until one of them says that it is settled. */
export const SchoolNotice = strict({
  id: NoticeId,
  kind: oneOf(noticeKinds),
  createdAt: Time,
  /** The person it is about. */
  member: nullable(strict({ membershipId: MembershipId, fullName: FullName, role: Role })),
  /** The other person it is about: whose name it is. */
  other: nullable(strict({ membershipId: MembershipId, fullName: FullName, role: Role })),
  /** The invite it is about. */
  invite: nullable(strict({ inviteId: InviteId, role: InvitableRole, groupName: GroupName })),
  /** Null while it is open. */
  settledAt: nullable(Time),
  settledBy: nullable(strict({ membershipId: MembershipId, fullName: FullName })),
});
export type SchoolNotice = Static<typeof SchoolNotice>;

export const noticeProcedures = procedures('school', {
  listNotices: memberProcedure({
    summary:
      'What the administrators are told, open or settled, the newest first, in pages after the given notice. For administrators and heads.',
    input: {
      state: oneOf(['open', 'settled']),
      after: Type.Optional(NoticeId),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: schoolLimits.noticesPageSize })),
    },
    output: strict({
      notices: Type.Array(SchoolNotice),
      hasMore: Type.Boolean(),
      /** How many are open, whichever are listed. */
      openCount: Type.Integer({ minimum: 0 }),
    }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  settleNotice: memberProcedure({
    summary: 'Says that a notice was looked after. Settling it again changes nothing.',
    input: { noticeId: NoticeId },
    output: strict({ notice: SchoolNotice }),
    errors: ['NOT_FOUND'],
  }),
});

export const noticeEvents = events('school', {
  noticeRaised: contractEvent({
    summary: 'There is a new notice. Goes to administrators and heads.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, notice: SchoolNotice }),
  }),
  noticeSettled: contractEvent({
    summary: 'A notice was settled. Goes to administrators and heads.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, notice: SchoolNotice }),
  }),
});
