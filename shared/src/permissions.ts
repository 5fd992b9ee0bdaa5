import type { GroupId } from './ids.ts';
import { type Role, type Standing, standings } from './school.words.ts';

/**
 * One cell of the table. `Y` yes; `own` within what the standing is tied to (its groups, subjects, conversations,
 * children, what it made itself); `rq` may ask somebody who has `Y`; `-` no. `set(x)` is a school setting whose
 * default is x. The others name the scope of what is seen, or a condition that its own room checks: `case` only in an
 * open case, `reset` only for a school that lost all its administrators, `granted` while the host allows, `limits`
 * within the school's types and sizes.
 */
export type Cell = Right | `set(${Right})`;
export type Right =
  | 'Y'
  | 'own'
  | 'rq'
  | '-'
  | 'case'
  | 'reset'
  | 'granted'
  | 'limits'
  | 'staff'
  | 'totals'
  | 'school'
  | 'platform'
  | 'self'
  | 'SA contact';

type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];

/**
 * Who may do what. Columns: PO operator, SA admin, HD head, CT class teacher, ST subject teacher and other verified
 * staff, TU staff not yet verified, SU pupil, PV guardian of a linked child, PU guardian not linked yet. The server
 * enforces it and the interface asks it; where an action has a rule beyond its cell, a comment says so.
 */
export const permissionTable = {
  approveSchool: ['Y', '-', '-', '-', '-', '-', '-', '-', '-'],
  readForeignConversation: ['-', 'case', 'case', '-', '-', '-', '-', '-', '-'],
  editSchool: ['-', 'Y', 'rq', '-', '-', '-', '-', '-', '-'],
  manageGroups: ['-', 'Y', '-', '-', '-', '-', '-', '-', '-'],
  inviteStaff: ['-', 'Y', '-', '-', '-', '-', '-', '-', '-'],
  invitePupils: ['-', 'Y', '-', 'own', 'set(own)', '-', '-', '-', '-'],
  inviteGuardians: ['-', 'Y', 'set(Y)', 'own', 'set(-)', '-', '-', '-', '-'],
  annulInvites: ['-', 'Y', 'own', 'own', 'own', '-', '-', '-', '-'],
  decideStaffRequests: ['-', 'Y', '-', '-', '-', '-', '-', '-', '-'],
  decidePupilRequests: ['-', 'Y', '-', 'set(-)', '-', '-', '-', '-', '-'],
  verifyTeacher: ['-', 'Y', 'rq', '-', '-', '-', '-', '-', '-'], // never oneself
  appointAdmin: ['reset', 'Y', '-', '-', '-', '-', '-', '-', '-'], // of verified staff
  attachTeachers: ['-', 'Y', 'rq', '-', '-', '-', '-', '-', '-'],
  moveMembers: ['-', 'Y', 'rq', 'rq', '-', '-', '-', '-', '-'], // never the last admin
  linkGuardian: ['-', 'Y', '-', 'rq', '-', '-', '-', 'rq', 'rq'], // and limit the link
  issueCards: ['-', 'Y', '-', 'own', '-', '-', '-', '-', '-'],
  seeClassRegister: ['-', 'Y', 'Y', 'own', '-', '-', '-', '-', '-'], // guardians with their limits; why, administrators alone
  postGeneralChannel: ['-', 'Y', 'set(Y)', 'rq', 'rq', '-', '-', '-', '-'],
  readGeneralChannel: ['-', 'Y', 'Y', 'Y', 'Y', 'set(-)', 'Y', 'Y', 'set(-)'],
  postStaffChannel: ['-', 'Y', 'Y', 'rq', 'rq', '-', '-', '-', '-'],
  readStaffChannel: ['-', 'Y', 'Y', 'Y', 'Y', 'set(-)', '-', '-', '-'],
  createCouncilChats: ['-', 'Y', 'Y', '-', '-', '-', '-', '-', '-'],
  createClassChats: ['-', 'Y', 'Y', 'own', '-', '-', '-', '-', '-'], // class, parents, classTeachers
  createGroupChats: ['-', 'Y', 'Y', 'own', 'own', '-', '-', '-', '-'], // subject and other
  writeClassChat: ['-', 'Y', 'Y', 'own', 'own', '-', 'own', '-', '-'], // class and subject; members only
  writeParentsChat: ['-', 'Y', 'Y', 'own', 'rq', '-', '-', 'set(own)', '-'], // members only
  moderateConversation: ['-', 'Y', 'own', 'own', 'own', '-', '-', '-', '-'], // members only
  directWithStaff: ['-', 'Y', 'Y', 'Y', 'Y', 'own', 'set(own)', 'own', 'own'], // own of TU, PU: SA; SU: own teachers; PV: own child's teachers, HD, SA
  directStaffToPupil: ['-', 'Y', 'Y', 'own', 'own', '-', '-', '-', '-'],
  directPupilToPupil: ['-', '-', '-', '-', '-', '-', 'set(own)', '-', '-'], // own: the same group
  directGuardianToOthersChild: ['-', '-', '-', '-', '-', '-', '-', '-', '-'],
  directGuardianToGuardian: ['-', '-', '-', '-', '-', '-', '-', 'set(own)', '-'], // own: the same group, and both opted in
  createPoll: ['-', 'Y', 'Y', 'own', 'own', '-', 'set(-)', 'set(-)', '-'],
  votePoll: ['-', 'Y', 'Y', 'Y', 'Y', '-', 'own', 'own', '-'],
  sendFiles: ['-', 'Y', 'Y', 'Y', 'Y', 'set(-)', 'set(limits)', 'set(limits)', '-'],
  sendAnnouncement: ['-', 'Y', 'Y', 'own', 'own', '-', '-', '-', '-'],
  acknowledgeAnnouncement: ['-', 'Y', 'Y', 'Y', 'Y', '-', 'Y', 'Y', '-'], // PV per child
  startDirectCall: ['-', 'Y', 'Y', 'own', 'own', '-', 'set(-)', 'own', '-'], // own of PV: own child's staff, HD, SA
  startGroupCall: ['-', 'Y', 'Y', 'own', 'own', '-', '-', '-', '-'],
  useLessonMedia: ['-', 'Y', 'Y', 'Y', 'Y', '-', 'granted', 'granted', '-'],
  hostLesson: ['-', 'Y', 'Y', 'own', 'own', '-', '-', '-', '-'], // admit, mute, remove, lock, end
  recordCall: ['-', 'set(-)', 'set(-)', 'set(own)', 'set(own)', '-', '-', '-', '-'],
  runBroadcast: ['-', 'Y', 'Y', 'rq', 'rq', '-', '-', '-', '-'],
  watchBroadcast: ['-', 'Y', 'Y', 'Y', 'Y', 'set(-)', 'Y', 'Y', 'set(-)'],
  report: ['-', 'Y', 'Y', 'Y', 'Y', 'Y', 'Y', 'Y', 'Y'],
  seeStatistics: ['totals', 'school', 'school', 'own', 'own', '-', '-', '-', '-'],
  seeAuditLog: ['platform', 'school', 'school', 'own', 'own', 'self', 'self', 'self', 'self'],
  seeContacts: ['SA contact', 'Y', 'staff', 'own', '-', '-', '-', '-', '-'], // own of CT: own group's guardians
  manageOwnSessions: ['Y', 'Y', 'Y', 'Y', 'Y', 'Y', 'Y', 'Y', 'Y'],
} as const satisfies Record<string, Row>;

export type Permission = keyof typeof permissionTable;
export const permissions = Object.keys(permissionTable) as Permission[];

/** What each cell that a school may set grants where it is on; off grants nothing. Which of the two holds unless set, the table says. */
export const settingRights = {
  'invitePupils.ST': 'own',
  'inviteGuardians.HD': 'Y',
  'inviteGuardians.ST': 'own',
  'decidePupilRequests.CT': 'own',
  'postGeneralChannel.HD': 'Y',
  'readGeneralChannel.TU': 'Y',
  'readGeneralChannel.PU': 'Y',
  'readStaffChannel.TU': 'Y',
  'writeParentsChat.PV': 'own',
  'directWithStaff.SU': 'own',
  'directPupilToPupil.SU': 'own',
  'directGuardianToGuardian.PV': 'own',
  'createPoll.SU': 'own',
  'createPoll.PV': 'own',
  'sendFiles.TU': 'limits',
  'sendFiles.SU': 'limits',
  'sendFiles.PV': 'limits',
  'startDirectCall.SU': 'own',
  'recordCall.SA': 'Y',
  'recordCall.HD': 'Y',
  'recordCall.CT': 'own',
  'recordCall.ST': 'own',
  'watchBroadcast.TU': 'Y',
  'watchBroadcast.PU': 'Y',
} as const satisfies Partial<Record<`${Permission}.${Standing}`, Right>>;

/** A cell that a school may set: `permission.standing`. */
export type SettingName = keyof typeof settingRights;

/** Those whose actions exist: an administrator is shown no switch that moves nothing. */
export const settingNames = [
  'invitePupils.ST',
  'inviteGuardians.HD',
  'inviteGuardians.ST',
  'decidePupilRequests.CT',
  'postGeneralChannel.HD',
  'readGeneralChannel.TU',
  'readGeneralChannel.PU',
  'readStaffChannel.TU',
  'writeParentsChat.PV',
  'directWithStaff.SU',
  'directPupilToPupil.SU',
  'startDirectCall.SU',
] as const satisfies readonly SettingName[];

/** What a school has set otherwise than the table does; everything else is as the table has it. */
export type SchoolSettings = { readonly [Name in SettingName]?: boolean };

/** Somebody whose rights are asked: the columns that hold for them, and what their school has set. */
export interface Holder {
  readonly standings: readonly Standing[];
  readonly settings: SchoolSettings;
}

/** The cell as the table has it. */
export function cellOf(permission: Permission, standing: Standing): Cell {
  return permissionTable[permission][standings.indexOf(standing)] ?? '-';
}

const isSettingName = (name: string): name is SettingName => Object.hasOwn(settingRights, name);

/** What a cell grants in a school with these settings. */
export function rightOf(permission: Permission, standing: Standing, settings: SchoolSettings): Right {
  const cell = cellOf(permission, standing);
  if (!cell.startsWith('set(')) return cell as Right;
  const name = `${permission}.${standing}`;
  const on = isSettingName(name) ? settings[name] : undefined;
  if (on === undefined || !isSettingName(name)) return cell.slice('set('.length, -1) as Right;
  return on ? settingRights[name] : '-';
}

/** Whether the switch is on in a school with these settings. */
export function isSet(name: SettingName, settings: SchoolSettings): boolean {
  const [permission, standing] = name.split('.') as [Permission, Standing];
  return rightOf(permission, standing, settings) !== '-';
}

/**
 * Whether one of the standings grants the action. `isOwn` is asked for each standing whose cell says `own`: whether
 * the object in question is within what that standing is tied to. Rights of a person's other memberships never count.
 */
export function may(
  permission: Permission,
  holder: Holder,
  isOwn: (standing: Standing) => boolean = () => false,
): boolean {
  return holder.standings.some((standing) => {
    const right = rightOf(permission, standing, holder.settings);
    return right === 'Y' || (right === 'own' && isOwn(standing));
  });
}

/** Whether the action is open to them at all, on at least some objects: what an interface asks before it shows a door. */
export function mightDo(permission: Permission, holder: Holder): boolean {
  return may(permission, holder, () => true);
}

/** Whether they may ask somebody who has the right. */
export function mayRequest(permission: Permission, holder: Holder): boolean {
  return holder.standings.some((standing) => rightOf(permission, standing, holder.settings) === 'rq');
}

/** What decides somebody's standings, whoever loaded it. */
export interface StandingFacts {
  readonly role: Role;
  readonly verified: boolean;
  /** A pupil's group. */
  readonly groupId: GroupId | null;
  readonly attachments: readonly {
    readonly groupId: GroupId;
    readonly kind: 'class' | 'subject';
    readonly subject: string | null;
  }[];
  /** A guardian's linked children with an active membership. */
  readonly children: readonly { readonly groupId: GroupId }[];
}

/** The columns that hold for a membership: several where a teacher is both class and subject teacher. */
export function standingsOf(facts: StandingFacts): Standing[] {
  switch (facts.role) {
    case 'admin':
      return facts.verified ? ['SA'] : ['TU'];
    case 'head':
      return facts.verified ? ['HD'] : ['TU'];
    case 'teacher':
      if (!facts.verified) return ['TU'];
      return facts.attachments.some((each) => each.kind === 'class') ? ['CT', 'ST'] : ['ST'];
    case 'pupil':
      return ['SU'];
    case 'guardian':
      return facts.children.length > 0 ? ['PV'] : ['PU'];
  }
}

/**
 * The groups that a standing is tied to: those a class teacher leads, those a subject teacher teaches, a pupil's own,
 * those of a guardian's children. A head and an administrator are tied to none: their rights name the whole school.
 */
export function ownGroupsOf(
  standing: Standing,
  facts: Pick<StandingFacts, 'groupId' | 'attachments' | 'children'>,
): GroupId[] {
  switch (standing) {
    case 'CT':
      return facts.attachments.filter((each) => each.kind === 'class').map((each) => each.groupId);
    case 'ST':
      return facts.attachments.filter((each) => each.kind === 'subject').map((each) => each.groupId);
    case 'SU':
      return facts.groupId === null ? [] : [facts.groupId];
    case 'PV':
      return facts.children.map((each) => each.groupId);
    default:
      return [];
  }
}

/** `may` for an action on a group. */
export function mayInGroup(
  permission: Permission,
  holder: Holder & Pick<StandingFacts, 'groupId' | 'attachments' | 'children'>,
  groupId: GroupId,
): boolean {
  return may(permission, holder, (standing) => ownGroupsOf(standing, holder).includes(groupId));
}
