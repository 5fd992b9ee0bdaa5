/** What a school is made of, as it crosses the wire: roles, people, groups, invites, audit records. */
import Type, { type Static } from 'typebox';
import { nullable, oneOf, strict, Time } from './contract.ts';
import { AuditRecordId, GroupId, InviteId, MembershipId, SchoolId } from './ids.ts';
import { schoolLimits } from './limits.ts';
import { settingNames } from './permissions.ts';
import { line } from './schemas.ts';
import { fullNameForm, groupNameForm, subjectForm } from './school.forms.ts';
import { invitableRoles, roles, standings, vocabularies } from './school.words.ts';

export const Role = oneOf(roles);
export type Role = Static<typeof Role>;
export const InvitableRole = oneOf(invitableRoles);
export type InvitableRole = Static<typeof InvitableRole>;
export const Vocabulary = oneOf(vocabularies);
export type Vocabulary = Static<typeof Vocabulary>;
export const Standing = oneOf(standings);
export type Standing = Static<typeof Standing>;

/**
 * A person's name as others see it: letters of any script with few marks, spaces, and the signs that names use. No
 * control, bidirectional or invisible characters. The server also collapses spaces and refuses a word that mixes
 * scripts, so that nobody looks like somebody else.
 */
export const FullName = Type.String(fullNameForm);
/** The name of a group or a subject: one line of printable characters, starting with a letter or a digit. */
export const GroupName = Type.String(groupNameForm);
export const Subject = Type.String(subjectForm);

/** 256 random bits in base64url. A link carries it behind `#`, so that no server log or preview sees it. */
export const InviteToken = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });

export const GroupYear = Type.Integer({ minimum: 0, maximum: schoolLimits.groupYearMax });

export const groupKinds = ['class', 'staff'] as const;
export const Group = strict({
  id: GroupId,
  name: GroupName,
  /** `class`: where pupils study; `staff`: the staff room, made with the school. */
  kind: oneOf(groupKinds),
  /** Of study: 7 of «7Б», 2 of a college's second course. Null where it has none. */
  year: nullable(GroupYear),
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

/** A school's name: one line that people read. */
export const SchoolName = line(schoolLimits.nameLength);

/** The switches of the permission table that the school has set; the others are as the table has them. */
export const Settings = strict(
  Object.fromEntries(settingNames.map((name) => [name, Type.Optional(Type.Boolean())])) as {
    [Name in (typeof settingNames)[number]]: Type.TOptional<Type.TBoolean>;
  },
);
export type Settings = Static<typeof Settings>;

/** What a school tells of itself. Its members read it; outsiders the name alone. */
const card = {
  name: SchoolName,
  vocabulary: Vocabulary,
  address: nullable(line(schoolLimits.addressLength)),
  /** Where people ask: of the school, not of a person. */
  contactEmail: nullable(Type.String({ format: 'email', maxLength: schoolLimits.emailLength })),
  contactPhone: nullable(Type.String({ pattern: '^[+0-9 ()-]{5,25}$' })),
  /** The electronic journal and diary. */
  journalUrl: nullable(
    Type.String({ format: 'uri', pattern: '^https://', maxLength: schoolLimits.urlLength }),
  ),
};
export const SchoolCard = strict(card);
export type SchoolCard = Static<typeof SchoolCard>;

export const School = strict({
  id: SchoolId,
  ...card,
  settings: Settings,
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
  /** The school's, for asking the permission table. */
  settings: Settings,
  /** The school's electronic journal and diary. */
  journalUrl: card.journalUrl,
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

/** Why a membership ended; the history keeps it. `moved`: to another class, or to another role. */
export const endReasons = ['left', 'expelled', 'graduated', 'moved', 'mistake'] as const;
export const EndReason = oneOf(endReasons);
export type EndReason = (typeof endReasons)[number];

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
  /**
   * Whose name theirs could be taken for, a verified member of staff's, until somebody has settled the notice of it. Told
   * to administrators and heads; null for everybody else.
   */
  imitates: nullable(MembershipId),
  /** Whether this is the one among the heads who leads the school. */
  isHead: Type.Boolean(),
  startedAt: Time,
  /** Null while the membership is active. */
  endedAt: nullable(Time),
  endReason: nullable(EndReason),
});
export type Member = Static<typeof Member>;

/** `suspended`: people came by it whom the roster does not know; an administrator may open it again. */
export const inviteStates = ['open', 'suspended', 'used', 'expired', 'annulled'] as const;
/** `roster`: whoever redeems it must have the name of somebody expected; anybody else asks to join. */
export const inviteMatches = ['none', 'roster'] as const;
export const Invite = strict({
  id: InviteId,
  role: InvitableRole,
  /** The class of a pupil or guardian; the staff room for staff, the class for a teacher with a subject. */
  groupId: GroupId,
  /** By which a teacher is attached to the class. */
  subject: nullable(Subject),
  /** Whether those who redeem it ask to join and come in by approval. */
  needsApproval: Type.Boolean(),
  match: oneOf(inviteMatches),
  /** Whom of the roster it is for; null: for anybody who has it. */
  personName: nullable(Type.String()),
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

/** What can be done to a school's people, roles, invites and settings; each leaves a record that nobody alters. */
export const auditActions = [
  'schoolCreated',
  'schoolChanged',
  'settingsChanged',
  'schoolSuspended',
  'schoolResumed',
  'groupCreated',
  'groupChanged',
  'groupArchived',
  'inviteMade',
  'inviteSuspended',
  'inviteResumed',
  'inviteAnnulled',
  'inviteRedeemed',
  'joinCodeRotated',
  'joinCodeClosed',
  'joinRequestApproved',
  'joinRequestDeclined',
  'membershipStarted',
  'membershipEnded',
  'membershipRestored',
  'memberCorrected',
  'memberTransferred',
  'roleChanged',
  'headAppointed',
  'headDismissed',
  'handedOver',
  'rolloverApplied',
  'rolloverUndone',
  'staffVerified',
  'verificationRevoked',
  'teacherAttached',
  'teacherDetached',
  'guardianLinked',
  'guardianUnlinked',
  'strangeSignInReported',
  'rosterImported',
  'rosterExported',
  'guardianLimited',
  'cardIssued',
  'cardRevoked',
  'noticeSettled',
  'requestMade',
  'requestApproved',
  'requestDeclined',
  'requestWithdrawn',
  'auditExported',
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
  /** Who did it; null: the operator of the server, or the server by itself. */
  by: nullable(strict({ membershipId: MembershipId, fullName: FullName })),
  /** The person it was done to. */
  member: nullable(strict({ membershipId: MembershipId, fullName: FullName })),
  group: nullable(strict({ groupId: GroupId, name: GroupName })),
  /** Of this invite. */
  inviteId: nullable(InviteId),
  before: nullable(Facts),
  after: nullable(Facts),
  /** Names of the people and groups whose ids stand among the facts, by id. */
  names: Type.Record(Type.String(), Type.String()),
  /** The network address it came from; null where the operator's own command did it. */
  address: nullable(Type.String()),
});
export type AuditRecord = Static<typeof AuditRecord>;

/** Which records of the audit log are asked for. */
export const AuditFilter = strict({
  action: Type.Optional(AuditAction),
  /** Done by this member. */
  by: Type.Optional(MembershipId),
  /** Done to this member. */
  member: Type.Optional(MembershipId),
  from: Type.Optional(Time),
  until: Type.Optional(Time),
});
export type AuditFilter = Static<typeof AuditFilter>;
