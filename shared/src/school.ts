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
  publicProcedure,
  strict,
  Time,
} from './contract.ts';
import { AuditRecordId, GroupId, InviteId, MembershipId, SchoolId } from './ids.ts';
import { schoolLimits } from './limits.ts';

/** What a person is in a school. Class and subject teacher are attachments of a `teacher`, not roles. */
export const roles = ['admin', 'head', 'teacher', 'pupil', 'guardian'] as const;
export const Role = oneOf(roles);
export type Role = (typeof roles)[number];

/** Roles of grown-ups who work in the school; each needs a verification record before it sees a minor. */
export const staffRoles = ['admin', 'head', 'teacher'] as const satisfies readonly Role[];

/** Roles that a link can carry. Administrators are appointed by name instead. */
export const invitableRoles = ['head', 'teacher', 'pupil', 'guardian'] as const satisfies readonly Role[];
export const InvitableRole = oneOf(invitableRoles);
export type InvitableRole = (typeof invitableRoles)[number];

/** Which words the interface uses for groups, pupils and teachers. */
export const vocabularies = ['school', 'college', 'kindergarten'] as const;
export const Vocabulary = oneOf(vocabularies);
export type Vocabulary = (typeof vocabularies)[number];

/** The columns of the permission table; see `permissions.ts`. */
export const standings = ['PO', 'SA', 'HD', 'CT', 'ST', 'TU', 'SU', 'PV', 'PU'] as const;
export const Standing = oneOf(standings);
export type Standing = (typeof standings)[number];

/**
 * A person's name as others see it: letters of any script with few marks, spaces, and the signs that names use. No
 * control, bidirectional or invisible characters. The server also collapses spaces and refuses a word that mixes
 * scripts, so that nobody looks like somebody else.
 */
export const FullName = Type.String({
  minLength: 2,
  maxLength: schoolLimits.nameLength,
  pattern: "^\\p{L}\\p{M}{0,2}(?:\\p{L}\\p{M}{0,2}|[ .'’()-])*$",
});

/** The name of a group or a subject: one line of printable characters, starting with a letter or a digit. */
const label = '^[\\p{L}\\p{N}](?:[\\p{L}\\p{N}]\\p{M}{0,2}|[ .,:+&/№«»"\'’()-])*$';
export const GroupName = Type.String({
  minLength: 1,
  maxLength: schoolLimits.groupNameLength,
  pattern: label,
});
export const Subject = Type.String({ minLength: 1, maxLength: schoolLimits.subjectLength, pattern: label });

/** 256 random bits in base64url. A link carries it behind `#`, so that no server log or preview sees it. */
export const InviteToken = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });

export const groupKinds = ['class', 'staff'] as const;
export const Group = strict({
  id: GroupId,
  name: GroupName,
  /** `class`: where pupils study; `staff`: the staff room, made with the school. */
  kind: oneOf(groupKinds),
  createdAt: Time,
  archivedAt: nullable(Time),
});
export type Group = Static<typeof Group>;

/** The tie of a teacher to a group: as its class teacher, or by a subject. */
export const Attachment = strict({
  groupId: GroupId,
  kind: oneOf(['class', 'subject']),
  /** Named where kind is `subject`, null where it is `class`. */
  subject: nullable(Subject),
});
export type Attachment = Static<typeof Attachment>;

export const School = strict({
  id: SchoolId,
  name: Type.String(),
  vocabulary: Vocabulary,
  createdAt: Time,
  /** Since when the operator keeps it closed; null while it is open. */
  suspendedAt: nullable(Time),
});
export type School = Static<typeof School>;

/** One of the caller's own memberships, as they see it. */
export const MyMembership = strict({
  id: MembershipId,
  schoolId: SchoolId,
  schoolName: Type.String(),
  vocabulary: Vocabulary,
  /** Whether the operator keeps the school closed: it may be shown, and nothing be done in it. */
  suspended: Type.Boolean(),
  role: Role,
  fullName: FullName,
  /** From a verification record; staff alone have one. */
  verified: Type.Boolean(),
  /** Columns of the permission table that hold for this membership. */
  standings: Type.Array(Standing),
  /** A pupil's group; the group that a guardian was invited to; null for staff. */
  groupId: nullable(GroupId),
  groupName: nullable(GroupName),
  attachments: Type.Array(Attachment),
  children: Type.Array(
    strict({ membershipId: MembershipId, fullName: FullName, groupId: GroupId, groupName: GroupName }),
  ),
  startedAt: Time,
});
export type MyMembership = Static<typeof MyMembership>;

/** A member of the school as the directory shows them to somebody who may see them. */
export const Member = strict({
  membershipId: MembershipId,
  fullName: FullName,
  role: Role,
  verified: Type.Boolean(),
  groupId: nullable(GroupId),
  attachments: Type.Array(Attachment),
  /** A guardian's linked children; those that the reader may see. */
  children: Type.Array(MembershipId),
  /** E.164; null where the reader may not know it. */
  phone: nullable(Type.String()),
  startedAt: Time,
});
export type Member = Static<typeof Member>;

export const inviteStates = ['open', 'used', 'expired', 'annulled'] as const;
export const Invite = strict({
  id: InviteId,
  role: InvitableRole,
  /** The class of a pupil or guardian; the staff room for staff. */
  groupId: GroupId,
  /** The child that the guardian is linked to at once. */
  childId: nullable(MembershipId),
  state: oneOf(inviteStates),
  uses: Type.Integer({ minimum: 1 }),
  used: Type.Integer({ minimum: 0 }),
  createdBy: MembershipId,
  createdAt: Time,
  expiresAt: Time,
});
export type Invite = Static<typeof Invite>;

/** Why a membership ended; the history keeps it. */
export const endReasons = ['left', 'expelled', 'graduated', 'moved', 'mistake'] as const;
export const EndReason = oneOf(endReasons);
export type EndReason = (typeof endReasons)[number];

/** What can be done to a school's people, roles, invites and settings; each leaves a record that nobody alters. */
export const auditActions = [
  'schoolCreated',
  'schoolSuspended',
  'schoolResumed',
  'groupCreated',
  'groupArchived',
  'inviteMade',
  'inviteAnnulled',
  'inviteRedeemed',
  'membershipStarted',
  'membershipEnded',
  'staffVerified',
  'teacherAttached',
  'teacherDetached',
  'guardianLinked',
  'guardianUnlinked',
  'noticeSettled',
] as const;
export const AuditAction = oneOf(auditActions);
export type AuditAction = (typeof auditActions)[number];

/** What is known of a thing before or after a change: few plain facts, no phone and no token. */
const Facts = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
);

export const AuditRecord = strict({
  id: AuditRecordId,
  at: Time,
  action: AuditAction,
  /** Who did it; null: the operator of the server. */
  by: nullable(strict({ membershipId: MembershipId, fullName: FullName })),
  /** The person it was done to. */
  member: nullable(strict({ membershipId: MembershipId, fullName: FullName })),
  group: nullable(strict({ groupId: GroupId, name: GroupName })),
  /** Of this invite. */
  inviteId: nullable(InviteId),
  before: nullable(Facts),
  after: nullable(Facts),
  /** The network address it came from; null where the operator's own command did it. */
  address: nullable(Type.String()),
});
export type AuditRecord = Static<typeof AuditRecord>;

export const schoolProcedures = procedures('school', {
  getSchool: memberProcedure({
    summary: 'The school’s card, and what the caller is in it.',
    input: {},
    output: strict({ school: School, me: MyMembership }),
  }),
  listGroups: memberProcedure({
    summary: 'The school’s groups by name, the archived ones last. A pupil or guardian gets their own alone.',
    input: {},
    output: strict({ groups: Type.Array(Group) }),
  }),
  createGroup: memberProcedure({
    summary: 'Makes a class with its conversations.',
    input: { name: GroupName },
    output: strict({ group: Group }),
    errors: ['NAME_TAKEN'],
    limit: perMinute(120),
  }),
  archiveGroup: memberProcedure({
    summary: 'Closes a class: no active pupils may be left in it. Its open invites are annulled.',
    input: { groupId: GroupId },
    output: strict({ group: Group }),
    errors: ['NOT_FOUND', 'CONFLICT'],
  }),
  listMembers: memberProcedure({
    summary: 'The people whom the caller may see, by name; pages of `limit` after the given member.',
    input: {
      groupId: Type.Optional(GroupId),
      role: Type.Optional(Role),
      after: Type.Optional(MembershipId),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: schoolLimits.membersListed })),
    },
    output: strict({ members: Type.Array(Member), hasMore: Type.Boolean() }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  createInvite: memberProcedure({
    summary:
      'Makes a link bound to a role and a group. The token is answered once and never again: the server keeps its hash.',
    input: {
      role: InvitableRole,
      /** Required for pupils and guardians, left out for staff. */
      groupId: Type.Optional(GroupId),
      /** With role guardian: the pupil of that group whom the guardian is linked to; administrators only. */
      childId: Type.Optional(MembershipId),
      uses: Type.Optional(Type.Integer({ minimum: 1, maximum: schoolLimits.inviteUsesMax })),
      lifeMs: Type.Optional(Type.Integer({ minimum: 60_000, maximum: schoolLimits.inviteLifeMaxMs })),
    },
    output: strict({ invite: Invite, token: InviteToken }),
    errors: ['NOT_FOUND', 'CONFLICT'],
    limit: perMinute(60),
  }),
  listInvites: memberProcedure({
    summary: 'The newest invites that the caller may annul.',
    input: {},
    output: strict({ invites: Type.Array(Invite) }),
    limit: perMinute(120),
  }),
  annulInvite: memberProcedure({
    summary: 'Ends an invite before its time. Annulling it again changes nothing.',
    input: { inviteId: InviteId },
    output: strict({ invite: Invite }),
    errors: ['NOT_FOUND'],
  }),
  annulAllInvites: memberProcedure({
    summary: 'Ends every open invite that the caller may annul.',
    input: {},
    output: strict({ annulled: Type.Integer({ minimum: 0 }) }),
    limit: perMinute(10),
  }),
  previewInvite: publicProcedure({
    summary: 'Where an invite leads. Uses nothing up, however often it is asked.',
    input: { token: InviteToken },
    output: strict({
      schoolName: Type.String(),
      vocabulary: Vocabulary,
      role: InvitableRole,
      groupName: GroupName,
    }),
    errors: ['INVITE_INVALID'],
    /** A school of new pupils scans its posters behind one address; a token of 256 bits is not guessed. */
    limit: perMinute(1_200),
  }),
  redeemInvite: accountProcedure({
    summary:
      'Makes the signed-in person a member. Asked again by the same person it answers the first result; a guardian with an invite for another child gets the child linked.',
    input: { token: InviteToken, fullName: FullName },
    output: strict({ membership: MyMembership }),
    errors: ['INVITE_INVALID', 'ALREADY_MEMBER', 'GROUP_TAKEN'],
    limit: perMinute(30),
  }),
  attachTeacher: memberProcedure({
    summary: 'Makes a teacher the class teacher of a group, or a teacher of it by a subject.',
    input: {
      membershipId: MembershipId,
      groupId: GroupId,
      kind: oneOf(['class', 'subject']),
      /** Required with kind `subject`, left out with `class`. */
      subject: Type.Optional(Subject),
    },
    output: strict({ attachments: Type.Array(Attachment) }),
    errors: ['NOT_FOUND', 'WRONG_ROLE'],
  }),
  detachTeacher: memberProcedure({
    summary: 'Takes an attachment back. Detaching again changes nothing.',
    input: {
      membershipId: MembershipId,
      groupId: GroupId,
      kind: oneOf(['class', 'subject']),
      subject: Type.Optional(Subject),
    },
    output: strict({ attachments: Type.Array(Attachment) }),
    errors: ['NOT_FOUND'],
  }),
  linkGuardian: memberProcedure({
    summary: 'Links a guardian to a child. Linking again changes nothing.',
    input: { guardianId: MembershipId, childId: MembershipId },
    output: strict({}),
    errors: ['NOT_FOUND', 'WRONG_ROLE'],
  }),
  unlinkGuardian: memberProcedure({
    summary: 'Takes a link between a guardian and a child back.',
    input: { guardianId: MembershipId, childId: MembershipId },
    output: strict({}),
    errors: ['NOT_FOUND'],
  }),
  verifyTeacher: memberProcedure({
    summary: 'Confirms that a member of staff is who they say; shown as a badge. Never for oneself.',
    input: {
      membershipId: MembershipId,
      /** On what ground: the paper that was seen. Read by administrators alone. */
      basis: Type.String({ minLength: 1, maxLength: schoolLimits.basisLength }),
    },
    output: strict({ verifiedAt: Time }),
    errors: ['NOT_FOUND', 'WRONG_ROLE'],
  }),
  appointAdmin: memberProcedure({
    summary:
      'Makes a verified member of staff an administrator as well: a further membership of the same person.',
    input: { membershipId: MembershipId },
    output: strict({ membershipId: MembershipId }),
    errors: ['NOT_FOUND', 'WRONG_ROLE', 'ALREADY_MEMBER'],
  }),
  listAuditRecords: memberProcedure({
    summary:
      'What was done to the school’s people, roles, invites and settings, the newest first. Administrators and heads read all of it, teachers what concerns their groups, everybody what they did or what was done to them.',
    input: {
      action: Type.Optional(AuditAction),
      /** Done by this member. */
      by: Type.Optional(MembershipId),
      /** Done to this member. */
      member: Type.Optional(MembershipId),
      from: Type.Optional(Time),
      until: Type.Optional(Time),
      after: Type.Optional(AuditRecordId),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: schoolLimits.auditPageSize })),
    },
    output: strict({ records: Type.Array(AuditRecord), hasMore: Type.Boolean() }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  endMembership: memberProcedure({
    summary: 'Ends somebody’s membership; the history keeps it. Their devices leave within a second.',
    input: { membershipId: MembershipId, reason: EndReason },
    output: strict({}),
    errors: ['NOT_FOUND', 'LAST_ADMIN'],
  }),
});

export const schoolEvents = events('school', {
  membershipStarted: contractEvent({
    summary: 'This account has a further membership.',
    audience: 'account',
    payload: strict({ membership: MyMembership }),
  }),
  membershipChanged: contractEvent({
    summary: 'Verification, attachments or children of this membership changed.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, membership: MyMembership }),
  }),
  membershipEnded: contractEvent({
    summary: 'This membership is over; what was kept of it is dropped.',
    audience: 'account',
    payload: strict({ membershipId: MembershipId }),
  }),
  schoolChanged: contractEvent({
    summary:
      'The school’s card changed, or it was suspended or opened again: what was known of it is asked for anew.',
    audience: 'school',
    payload: strict({ school: School }),
  }),
  groupChanged: contractEvent({
    summary: 'A group was made or archived. Goes to administrators and heads.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, group: Group }),
  }),
  inviteChanged: contractEvent({
    summary: 'An invite was made, used or annulled. Goes to its maker and the administrators.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, invite: Invite }),
  }),
  peopleChanged: contractEvent({
    summary: 'The directory changed; asked again if it is shown. Goes to administrators and heads.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId }),
  }),
});
