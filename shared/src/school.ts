import Type from 'typebox';
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
import { AuditRecordId, GroupId, InviteId, MembershipId } from './ids.ts';
import { schoolLimits } from './limits.ts';
import { paragraph } from './schemas.ts';
import { OwnJoinRequest } from './school.joining.ts';
import {
  Attachment,
  AuditFilter,
  AuditRecord,
  EndReason,
  FullName,
  Group,
  GroupName,
  GroupYear,
  InvitableRole,
  Invite,
  InviteToken,
  inviteMatches,
  Member,
  MyMembership,
  Role,
  School,
  SchoolCard,
  Settings,
  Subject,
  Vocabulary,
} from './school.objects.ts';
import { MemberFilter, MemberSearch } from './school.people.ts';

export const schoolProcedures = procedures('school', {
  getSchool: memberProcedure({
    summary: 'The school’s card, and what the caller is in it.',
    input: {},
    output: strict({ school: School, me: MyMembership }),
  }),
  updateSchool: memberProcedure({
    summary:
      'Corrects the school’s card: the fields that are given. Everybody in the school sees it at once.',
    input: {
      name: Type.Optional(SchoolCard.properties.name),
      vocabulary: Type.Optional(SchoolCard.properties.vocabulary),
      address: Type.Optional(SchoolCard.properties.address),
      contactEmail: Type.Optional(SchoolCard.properties.contactEmail),
      contactPhone: Type.Optional(SchoolCard.properties.contactPhone),
      journalUrl: Type.Optional(SchoolCard.properties.journalUrl),
    },
    output: strict({ school: School }),
    limit: perMinute(60),
  }),
  changeSettings: memberProcedure({
    summary:
      'Turns switches of the permission table on or off: those that are given. Rights follow at once, chats included.',
    input: { settings: Settings },
    output: strict({ settings: Settings }),
    limit: perMinute(60),
  }),
  listGroups: memberProcedure({
    summary:
      'The school’s groups by year and name, the archived ones last. A pupil or guardian gets their own alone.',
    input: {},
    output: strict({ groups: Type.Array(Group) }),
  }),
  createGroup: memberProcedure({
    summary: 'Makes a class with its conversations.',
    input: { name: GroupName, year: Type.Optional(nullable(GroupYear)) },
    output: strict({ group: Group }),
    errors: ['NAME_TAKEN'],
    limit: perMinute(120),
  }),
  updateGroup: memberProcedure({
    summary: 'Renames a class or corrects its year: what is given. Its conversations are renamed with it.',
    input: {
      groupId: GroupId,
      name: Type.Optional(GroupName),
      year: Type.Optional(nullable(GroupYear)),
    },
    output: strict({ group: Group }),
    errors: ['NOT_FOUND', 'NAME_TAKEN'],
  }),
  archiveGroup: memberProcedure({
    summary: 'Closes a class: no active pupils may be left in it. Its open invites are annulled.',
    input: { groupId: GroupId },
    output: strict({ group: Group }),
    errors: ['NOT_FOUND', 'CONFLICT'],
  }),
  listMembers: memberProcedure({
    summary:
      'The people whom the caller may see, by name; pages of `limit` after the given member. `search`: beginnings of words of a name, or digits of a phone for whoever may know it. `filter`: for administrators and heads; `ended` for administrators.',
    input: {
      groupId: Type.Optional(GroupId),
      role: Type.Optional(Role),
      search: Type.Optional(MemberSearch),
      filter: Type.Optional(MemberFilter),
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
      /** Required for pupils, guardians and teachers with a subject, left out for other staff. */
      groupId: Type.Optional(GroupId),
      /** With role teacher: they are attached to the class by it, which counts once they are verified. */
      subject: Type.Optional(Subject),
      needsApproval: Type.Optional(Type.Boolean()),
      match: Type.Optional(oneOf(inviteMatches)),
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
    summary: 'The invites that the caller may annul, the newest first, in pages after the given invite.',
    input: {
      /** Those for one person of the roster, or those for anybody who has them. */
      personal: Type.Optional(Type.Boolean()),
      groupId: Type.Optional(GroupId),
      after: Type.Optional(InviteId),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: schoolLimits.invitesListed })),
    },
    output: strict({ invites: Type.Array(Invite), hasMore: Type.Boolean() }),
    errors: ['NOT_FOUND'],
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
      subject: nullable(Subject),
      needsApproval: Type.Boolean(),
      match: oneOf(inviteMatches),
      /** Whether it is for one person of the roster: no name is asked for. */
      personal: Type.Boolean(),
    }),
    errors: ['INVITE_INVALID'],
    /** A school of new pupils scans its posters behind one address; a token of 256 bits is not guessed. */
    limit: perMinute(1_200),
  }),
  redeemInvite: accountProcedure({
    summary:
      'Makes the signed-in person a member. Asked again by the same person it answers the first result; a guardian with an invite for another child gets the child linked. Where the invite needs approval, or a name on the roster that this is not, or is for somebody of whom the roster has another phone, it makes a request to join.',
    input: {
      token: InviteToken,
      /** Left out where the invite is for one person of the roster. */
      fullName: Type.Optional(FullName),
    },
    /** One of them. */
    output: strict({ membership: nullable(MyMembership), request: nullable(OwnJoinRequest) }),
    errors: ['INVITE_INVALID', 'ALREADY_MEMBER', 'GROUP_TAKEN', 'CONFLICT', 'ASKED_TOO_SOON'],
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
  revokeVerification: memberProcedure({
    summary:
      'Takes a verification back, for a reason that the record keeps. Rights fall at once: chats and calls with minors are left, open invites annulled. Never one’s own.',
    input: {
      membershipId: MembershipId,
      reason: paragraph(schoolLimits.reasonLength),
    },
    output: strict({}),
    errors: ['NOT_FOUND', 'WRONG_ROLE', 'LAST_ADMIN'],
    confirmed: true,
  }),
  appointAdmin: memberProcedure({
    summary:
      'Makes a verified member of staff an administrator as well: a further membership of the same person.',
    input: { membershipId: MembershipId },
    output: strict({ membershipId: MembershipId }),
    errors: ['NOT_FOUND', 'WRONG_ROLE', 'ALREADY_MEMBER'],
    confirmed: true,
  }),
  listAuditRecords: memberProcedure({
    summary:
      'What was done to the school’s people, roles, invites and settings, the newest first. Administrators and heads read all of it, teachers what concerns their groups, everybody what they did or what was done to them.',
    input: {
      ...AuditFilter.properties,
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
    confirmed: true,
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
