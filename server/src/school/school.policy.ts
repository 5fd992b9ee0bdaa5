import {
  type AccountId,
  CodedError,
  type ConversationKind,
  type GroupId,
  type Holder,
  type InvitableRole,
  type MembershipId,
  may,
  mayInGroup,
  mightDo,
  ownGroupsOf,
  type Permission,
  type Role,
  rightOf,
  type SchoolId,
  type SchoolSettings,
  type Standing,
  type StandingFacts,
  staffRoles,
  standingsOf,
} from '@zvonok/shared';

/** An active membership with everything that decides its rights. */
export interface MemberFacts extends StandingFacts, Holder {
  readonly membershipId: MembershipId;
  readonly schoolId: SchoolId;
  readonly accountId: AccountId;
  readonly fullName: string;
  /** The one among the heads who leads the school. */
  readonly isHead: boolean;
  readonly startedAt: Date;
  /** Those of whom the guardian may be informed: a limited link gives no standing. */
  readonly children: readonly {
    readonly membershipId: MembershipId;
    readonly fullName: string;
    readonly groupId: GroupId;
    /** Whether anybody may write to the guardian about this child, and the guardian about it. */
    readonly mayBeContacted: boolean;
  }[];
  /** Linked on record alone, with no standing: for administrators and heads to see. */
  readonly childrenOnRecord: readonly MembershipId[];
}

export const isStaff = (role: Role): boolean => staffRoles.some((each) => each === role);

/** Refuses whoever the table gives the action in no case: it says nothing about the object, which nobody has looked up. */
export function requireRight(permission: Permission, facts: Holder): void {
  if (!mightDo(permission, facts)) throw new CodedError('FORBIDDEN');
}

/** For actions that have no object narrower than the school. */
export function requireEverywhere(permission: Permission, facts: Holder): void {
  if (!may(permission, facts)) throw new CodedError('FORBIDDEN');
}

/**
 * Whether somebody imports and exports people and reads the roster with its phones. It makes groups and says who is in which,
 * so it takes the rights to both.
 */
export const mayEditRoster = (facts: Holder): boolean =>
  may('manageGroups', facts) && may('moveMembers', facts);

export const invitePermissionOf = (role: InvitableRole): Permission =>
  role === 'pupil' ? 'invitePupils' : role === 'guardian' ? 'inviteGuardians' : 'inviteStaff';

/** Whether somebody may make an invite of this role to this group; for staff the group is the staff room. */
export function mayInvite(maker: MemberFacts, role: InvitableRole, groupId: GroupId): boolean {
  const permission = invitePermissionOf(role);
  return permission === 'inviteStaff' ? may(permission, maker) : mayInGroup(permission, maker, groupId);
}

/** Whose invites somebody may list and annul; undefined: nobody's. */
export function inviteScopeOf(
  facts: MemberFacts,
): 'all' | { createdBy: MembershipId; ofGroups: GroupId[] } | undefined {
  if (may('annulInvites', facts)) return 'all';
  if (!mightDo('annulInvites', facts)) return undefined;
  // Own: what they made; a class teacher answers for every invite of pupils and guardians to the class.
  return { createdBy: facts.membershipId, ofGroups: ownGroupsOf('CT', facts) };
}

export const decidePermissionOf = (role: InvitableRole): Permission =>
  role === 'pupil' || role === 'guardian' ? 'decidePupilRequests' : 'decideStaffRequests';

/** Whether somebody decides requests to join as this role; the class, where it is known. */
export function mayDecide(facts: MemberFacts, role: InvitableRole, groupId: GroupId | null): boolean {
  const permission = decidePermissionOf(role);
  return permission === 'decidePupilRequests' && groupId !== null
    ? mayInGroup(permission, facts, groupId)
    : may(permission, facts);
}

/** Whose requests to join somebody decides; undefined: nobody's. */
export function queueScopeOf(facts: MemberFacts): { staff: boolean; pupils: 'all' | GroupId[] } | undefined {
  if (!mightDo('decideStaffRequests', facts) && !mightDo('decidePupilRequests', facts)) return undefined;
  const own = facts.standings.filter(
    (standing) => rightOf('decidePupilRequests', standing, facts.settings) === 'own',
  );
  return {
    staff: may('decideStaffRequests', facts),
    pupils: may('decidePupilRequests', facts)
      ? 'all'
      : own.flatMap((standing) => ownGroupsOf(standing, facts)),
  };
}

/** Whose records somebody reads: all of the school's, or those of these groups and this person's own. */
export type AuditScope =
  | 'school'
  | {
      readonly groupIds: readonly GroupId[];
      readonly self: MembershipId;
      /** Staff who are not verified, or not any more, read nothing of pupils and guardians, of what they did themselves neither. */
      readonly staffAlone: boolean;
    };

/**
 * Whose records of the audit log somebody reads. The cells name scopes: the school for administrators and heads, their own
 * groups for verified teachers, themselves for everybody else.
 */
export function auditScopeOf(facts: MemberFacts): AuditScope {
  const rights = facts.standings.map((standing) => rightOf('seeAuditLog', standing, facts.settings));
  if (rights.includes('school')) return 'school';
  const own = facts.standings.filter((_standing, index) => rights[index] === 'own');
  return {
    groupIds: [...new Set(own.flatMap((standing) => ownGroupsOf(standing, facts)))],
    self: facts.membershipId,
    staffAlone: isStaff(facts.role) && !facts.verified,
  };
}

/** The same person with the children alone about whom they may be written to and write. */
const inTouch = <Facts extends Pick<MemberFacts, 'children'>>(facts: Facts): Facts => ({
  ...facts,
  children: facts.children.filter((child) => child.mayBeContacted),
});

/** What part of the school's people somebody sees in the directory. Everything is closed that is not named. */
export type DirectoryScope =
  | 'everybody'
  | {
      /** Which staff: all, the verified, admins and heads with the teachers of `teachersOf`, or admins alone. */
      readonly staff: 'all' | 'verified' | 'leadership' | 'admins';
      readonly teachersOf: readonly GroupId[];
      readonly pupilsOf: readonly GroupId[];
      /** Guardians of pupils of these groups. */
      readonly guardiansOf: readonly GroupId[];
      /** Guardians who were invited to these groups, linked or not. */
      readonly invitedGuardiansOf: readonly GroupId[];
      /** These besides: oneself, one's children. */
      readonly members: readonly MembershipId[];
    };

/**
 * Who may see whom, from the contact policy: whoever one may write to, and the people of the groups one works with.
 * Staff who are not verified see no minor and no guardian.
 */
export function directoryScopeOf(facts: MemberFacts): DirectoryScope {
  const nobody = { teachersOf: [], pupilsOf: [], guardiansOf: [], invitedGuardiansOf: [] };
  const members = [facts.membershipId];
  switch (facts.standings[0]) {
    case 'SA':
    case 'HD':
      return 'everybody';
    case 'CT':
    case 'ST': {
      const led = ownGroupsOf('CT', facts);
      const own = [...new Set([...led, ...ownGroupsOf('ST', facts)])];
      return {
        ...nobody,
        staff: 'all',
        pupilsOf: own,
        guardiansOf: own,
        invitedGuardiansOf: led,
        members,
      };
    }
    case 'SU': {
      const own = ownGroupsOf('SU', facts);
      return { ...nobody, staff: 'leadership', teachersOf: own, pupilsOf: own, members };
    }
    case 'PV':
      return {
        ...nobody,
        staff: 'leadership',
        teachersOf: ownGroupsOf('PV', inTouch(facts)),
        members: [...members, ...facts.children.map((child) => child.membershipId)],
      };
    case 'TU':
      return { ...nobody, staff: 'verified', members };
    default:
      return { ...nobody, staff: 'admins', members };
  }
}

/** Whose phones somebody may know besides their own. */
export type PhoneScope = 'everybody' | 'staff' | { readonly guardiansOf: readonly GroupId[] } | 'nobody';

export function phoneScopeOf(facts: MemberFacts): PhoneScope {
  if (may('seeContacts', facts)) return 'everybody';
  if (facts.standings.includes('HD')) return 'staff';
  const led = ownGroupsOf('CT', facts);
  return mightDo('seeContacts', facts) && led.length > 0 ? { guardiansOf: led } : 'nobody';
}

/** Whether `viewer` may know `target`'s phone, given that they see them at all. */
export function canSeePhone(viewer: MemberFacts, target: MemberFacts): boolean {
  if (viewer.membershipId === target.membershipId) return true;
  // The head's cell says `staff`.
  if (viewer.standings.includes('HD')) return isStaff(target.role);
  return may(
    'seeContacts',
    viewer,
    (standing) =>
      target.role === 'guardian' &&
      inTouch(target).children.some((child) => ownGroupsOf(standing, viewer).includes(child.groupId)),
  );
}

const teaches = (facts: StandingFacts, groupIds: readonly GroupId[]): boolean =>
  facts.role === 'teacher' &&
  facts.verified &&
  facts.attachments.some((attachment) => groupIds.includes(attachment.groupId));

/** Whether `from` may begin or continue a direct conversation with `to`, both active in one school. */
export function canContact(from: MemberFacts, to: MemberFacts): boolean {
  if (from.schoolId !== to.schoolId || from.accountId === to.accountId) return false;
  if (isStaff(to.role)) return may('directWithStaff', from, (standing) => isOwnStaff(standing, from, to));
  if (to.role === 'pupil') {
    const { groupId } = to;
    if (groupId === null) return false;
    if (isStaff(from.role)) return mayInGroup('directStaffToPupil', from, groupId);
    return from.role === 'pupil' && mayInGroup('directPupilToPupil', from, groupId);
  }
  // The table says whom a guardian may write to, and staff may write to exactly those guardians. Guardians among
  // themselves need an opt-in of both, which nobody can give yet.
  return isStaff(from.role) && from.verified && canContact(to, from);
}

function isOwnStaff(standing: Standing, from: MemberFacts, to: MemberFacts): boolean {
  // Whom teachers may not contact about a child still reaches the administration, which has limited them. Nobody outside the staff is reached by, or reaches, staff that is not verified.
  if (!to.verified) return false;
  switch (standing) {
    case 'TU':
    case 'PU':
      return to.role === 'admin';
    case 'SU':
      return teaches(to, ownGroupsOf(standing, from));
    case 'PV':
      return to.role === 'admin' || to.role === 'head' || teaches(to, ownGroupsOf(standing, inTouch(from)));
    default:
      return false;
  }
}

export interface ConversationDescriptor {
  readonly schoolId: SchoolId;
  readonly kind: ConversationKind;
  readonly channel: 'general' | 'staff' | null;
  readonly groupId: GroupId | null;
  readonly subject: string | null;
}

/**
 * Whether somebody belongs by themselves to a conversation of a group: `writer`, `reader`, or not at all. Kinds that
 * are filled by hand have nobody by themselves.
 */
export function placeInGroup(
  { kind, groupId, subject }: Pick<ConversationDescriptor, 'kind' | 'groupId' | 'subject'>,
  facts: MemberFacts,
): 'writer' | 'reader' | undefined {
  if (groupId === null) return undefined;
  const holds = (standing: Standing) =>
    facts.standings.includes(standing) && ownGroupsOf(standing, facts).includes(groupId);
  const teachesIt =
    holds('ST') &&
    facts.attachments.some(
      (each) => each.groupId === groupId && each.kind === 'subject' && each.subject === subject,
    );
  switch (kind) {
    case 'class':
      return holds('SU') || holds('CT') ? writerIf(mayInGroup('writeClassChat', facts, groupId)) : undefined;
    case 'subject':
      if (holds('SU') || teachesIt) return writerIf(mayInGroup('writeClassChat', facts, groupId));
      return holds('CT') ? 'reader' : undefined;
    case 'parents':
      return holds('PV') || holds('CT')
        ? writerIf(mayInGroup('writeParentsChat', inTouch(facts), groupId))
        : undefined;
    case 'classTeachers':
      return holds('CT') || holds('ST') ? 'writer' : undefined;
    default:
      return undefined;
  }
}

/** The same for the conversations of the whole school. `linked`: a guardian with a child. */
export function placeInSchool(
  { kind, channel }: Pick<ConversationDescriptor, 'kind' | 'channel'>,
  person: { readonly role: Role; readonly verified: boolean; readonly linked: boolean },
  settings: SchoolSettings,
): 'writer' | 'reader' | undefined {
  const holder = { standings: coarseStandingsOf(person), settings };
  if (kind === 'staff') return isStaff(person.role) && person.verified ? 'writer' : undefined;
  if (kind !== 'channel') return undefined;
  const [read, post] =
    channel === 'staff'
      ? (['readStaffChannel', 'postStaffChannel'] as const)
      : (['readGeneralChannel', 'postGeneralChannel'] as const);
  return may(read, holder) ? writerIf(may(post, holder)) : undefined;
}

/** Without groups: a class teacher stands as any verified teacher, which for the whole school's channels is the same. */
function coarseStandingsOf(person: { role: Role; verified: boolean; linked: boolean }): Standing[] {
  if (person.role === 'guardian') return [person.linked ? 'PV' : 'PU'];
  return standingsOf({ ...person, groupId: null, attachments: [], children: [] });
}

const writerIf = (writes: boolean) => (writes ? 'writer' : 'reader');
