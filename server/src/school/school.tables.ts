import type {
  AccountId,
  AuditAction,
  AuditRecordId,
  EndReason,
  Group,
  GroupId,
  InvitableRole,
  Invite,
  InviteId,
  MembershipId,
  Role,
  SchoolId,
  SchoolSettings,
  Vocabulary,
} from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { accounts } from '../accounts/accounts.tables.ts';

export const moment = (name: string) => timestamp(name, { withTimezone: true });
export const ofSchool = () =>
  uuid('school_id')
    .$type<SchoolId>()
    .notNull()
    .references(() => schools.id);

/** The list of schools is global; every other table here starts its keys with `school_id`. */
export const schools = pgTable(
  'schools',
  {
    id: uuid().$type<SchoolId>().primaryKey(),
    name: text().notNull(),
    vocabulary: text().$type<Vocabulary>().notNull(),
    address: text(),
    contactEmail: text('contact_email'),
    contactPhone: text('contact_phone'),
    journalUrl: text('journal_url'),
    /** Switches of the permission table that stand otherwise than the table has them. */
    settings: jsonb().$type<SchoolSettings>().notNull().default({}),
    /** By which people ask to join; null: they can't. */
    joinCode: text('join_code'),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** Since when the operator keeps it closed, and why. */
    suspendedAt: moment('suspended_at'),
    suspendReason: text('suspend_reason'),
  },
  (table) => [
    uniqueIndex('schools_join_code').on(table.joinCode),
    check('schools_suspension', sql`(${table.suspendedAt} is null) = (${table.suspendReason} is null)`),
    check('schools_vocabulary', sql`${table.vocabulary} in ('school', 'college', 'kindergarten')`),
  ],
);

export const groups = pgTable(
  'groups',
  {
    schoolId: ofSchool(),
    id: uuid().$type<GroupId>().notNull(),
    name: text().notNull(),
    kind: text().$type<Group['kind']>().notNull(),
    /** Of study: 7 of «7Б», 2 of a college's second course. Null where it has none. */
    year: smallint(),
    createdAt: moment('created_at').notNull().defaultNow(),
    archivedAt: moment('archived_at'),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    // Next year's 1А may be called as last year's was.
    uniqueIndex('groups_name')
      .on(table.schoolId, sql`lower(${table.name})`)
      .where(sql`${table.archivedAt} is null`),
    // As a school lists them: by year, those without one last.
    index('groups_open')
      .on(table.schoolId, sql`coalesce(${table.year}, 99)`, sql`lower(${table.name})`, table.id)
      .where(sql`${table.archivedAt} is null`),
    index('groups_archived')
      .on(table.schoolId, sql`coalesce(${table.year}, 99)`, sql`lower(${table.name})`, table.id)
      .where(sql`${table.archivedAt} is not null`),
    uniqueIndex('groups_staff_room').on(table.schoolId).where(sql`${table.kind} = 'staff'`),
    check('groups_kind', sql`${table.kind} in ('class', 'staff')`),
    check('groups_year', sql`${table.year} between 0 and 20`),
  ],
);

/** One person's role in a school. A change of role is a further row; rows are ended and never deleted. */
export const memberships = pgTable(
  'memberships',
  {
    schoolId: ofSchool(),
    id: uuid().$type<MembershipId>().notNull(),
    accountId: uuid('account_id')
      .$type<AccountId>()
      .notNull()
      .references(() => accounts.id),
    role: text().$type<Role>().notNull(),
    fullName: text('full_name').notNull(),
    /** The name as it is searched: a space before each word, in lower case, ё as е. */
    searchName: text('search_name')
      .notNull()
      .generatedAlwaysAs(sql`translate(' ' || lower(full_name), 'ё-.()''’', 'е      ')`),
    /** A pupil's group; the group that a guardian was invited to; null for staff. */
    groupId: uuid('group_id').$type<GroupId>(),
    /** The one among the heads who leads the school; the others are deputies. */
    isHead: boolean('is_head').notNull().default(false),
    startedAt: moment('started_at').notNull().defaultNow(),
    endedAt: moment('ended_at'),
    endReason: text('end_reason').$type<EndReason>(),
    endedBy: uuid('ended_by').$type<MembershipId>(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    foreignKey({
      name: 'memberships_group',
      columns: [table.schoolId, table.groupId],
      foreignColumns: [groups.schoolId, groups.id],
    }),
    foreignKey({
      name: 'memberships_ended_by',
      columns: [table.schoolId, table.endedBy],
      foreignColumns: [table.schoolId, table.id],
    }),
    // One active membership for each role; since a pupil's names their one group, no pupil is in two.
    uniqueIndex('memberships_active')
      .on(table.schoolId, table.accountId, table.role)
      .where(sql`${table.endedAt} is null`),
    index('memberships_account').on(table.accountId).where(sql`${table.endedAt} is null`),
    index('memberships_group_members').on(table.schoolId, table.groupId).where(sql`${table.endedAt} is null`),
    index('memberships_directory')
      .on(table.schoolId, table.fullName, table.id)
      .where(sql`${table.endedAt} is null`),
    index('memberships_by_role')
      .on(table.schoolId, table.role, table.fullName, table.id)
      .where(sql`${table.endedAt} is null`),
    index('memberships_ended')
      .on(table.schoolId, table.fullName, table.id)
      .where(sql`${table.endedAt} is not null`),
    // Whom the card of a person calls the same person.
    index('memberships_of_person').on(table.schoolId, table.accountId),
    uniqueIndex('memberships_head')
      .on(table.schoolId)
      .where(sql`${table.isHead} and ${table.endedAt} is null`),
    check('memberships_head_is_head', sql`not ${table.isHead} or ${table.role} = 'head'`),
    check('memberships_role', sql`${table.role} in ('admin', 'head', 'teacher', 'pupil', 'guardian')`),
    check('memberships_pupil_in_group', sql`${table.role} <> 'pupil' or ${table.groupId} is not null`),
    check(
      'memberships_staff_in_none',
      sql`${table.role} not in ('admin', 'head', 'teacher') or ${table.groupId} is null`,
    ),
    check('memberships_end', sql`(${table.endedAt} is null) = (${table.endReason} is null)`),
  ],
);

/** The tie of a teacher to a group. Counts while the membership is active and verified. */
export const teacherAttachments = pgTable(
  'teacher_attachments',
  {
    schoolId: ofSchool(),
    membershipId: uuid('membership_id').$type<MembershipId>().notNull(),
    groupId: uuid('group_id').$type<GroupId>().notNull(),
    kind: text().$type<'class' | 'subject'>().notNull(),
    /** Empty for a class teacher: a key holds no nulls. */
    subject: text().notNull(),
    attachedBy: uuid('attached_by').$type<MembershipId>(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.membershipId, table.groupId, table.kind, table.subject] }),
    foreignKey({
      name: 'teacher_attachments_membership',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'teacher_attachments_group',
      columns: [table.schoolId, table.groupId],
      foreignColumns: [groups.schoolId, groups.id],
    }),
    foreignKey({
      name: 'teacher_attachments_attached_by',
      columns: [table.schoolId, table.attachedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    index('teacher_attachments_of_group').on(table.schoolId, table.groupId),
    check('teacher_attachments_kind', sql`${table.kind} in ('class', 'subject')`),
    check('teacher_attachments_subject', sql`(${table.kind} = 'class') = (${table.subject} = '')`),
  ],
);

/**
 * Which guardian answers for which child. Counts while both memberships are active, and as far as it is not limited: see
 * `school.guardians.ts` in shared.
 */
export const guardianLinks = pgTable(
  'guardian_links',
  {
    schoolId: ofSchool(),
    guardianId: uuid('guardian_id').$type<MembershipId>().notNull(),
    childId: uuid('child_id').$type<MembershipId>().notNull(),
    linkedBy: uuid('linked_by').$type<MembershipId>(),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** False: the link is on record and gives nothing. */
    mayBeInformed: boolean('may_be_informed').notNull().default(true),
    /** False: they read what the class is told, and nobody writes to them about this child, nor they to anybody. */
    mayBeContacted: boolean('may_be_contacted').notNull().default(true),
    /** Read by administrators alone. */
    limitReason: text('limit_reason'),
    limitedAt: moment('limited_at'),
    limitedBy: uuid('limited_by').$type<MembershipId>(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.guardianId, table.childId] }),
    foreignKey({
      name: 'guardian_links_guardian',
      columns: [table.schoolId, table.guardianId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'guardian_links_child',
      columns: [table.schoolId, table.childId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'guardian_links_linked_by',
      columns: [table.schoolId, table.linkedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'guardian_links_limited_by',
      columns: [table.schoolId, table.limitedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    index('guardian_links_of_child').on(table.schoolId, table.childId),
    check('guardian_links_contact', sql`${table.mayBeInformed} or not ${table.mayBeContacted}`),
    check(
      'guardian_links_limit',
      sql`(${table.mayBeInformed} and ${table.mayBeContacted}) = (${table.limitedAt} is null)
        and (${table.limitedAt} is null) = (${table.limitReason} is null)`,
    ),
  ],
);

/**
 * Links that somebody took back, with what limited them: the two are linked again by whoever may say so, never by
 * themselves, and then as they were limited.
 */
export const partedLinks = pgTable(
  'parted_links',
  {
    schoolId: ofSchool(),
    guardianId: uuid('guardian_id').$type<MembershipId>().notNull(),
    childId: uuid('child_id').$type<MembershipId>().notNull(),
    partedAt: moment('parted_at').notNull().defaultNow(),
    mayBeInformed: boolean('may_be_informed').notNull(),
    mayBeContacted: boolean('may_be_contacted').notNull(),
    limitReason: text('limit_reason'),
    limitedAt: moment('limited_at'),
    limitedBy: uuid('limited_by').$type<MembershipId>(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.guardianId, table.childId] }),
    foreignKey({
      name: 'parted_links_guardian',
      columns: [table.schoolId, table.guardianId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'parted_links_child',
      columns: [table.schoolId, table.childId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'parted_links_limited_by',
      columns: [table.schoolId, table.limitedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
  ],
);

/**
 * Who confirmed a member of staff, when, and on what ground: where a badge comes from. A history: what was revoked
 * stays, and may be followed by another.
 */
export const verifications = pgTable(
  'verifications',
  {
    schoolId: ofSchool(),
    membershipId: uuid('membership_id').$type<MembershipId>().notNull(),
    /** Null: the operator, who made the school. */
    verifiedBy: uuid('verified_by').$type<MembershipId>(),
    basis: text().notNull(),
    verifiedAt: moment('verified_at').notNull().defaultNow(),
    revokedAt: moment('revoked_at'),
    revokedBy: uuid('revoked_by').$type<MembershipId>(),
    revokeReason: text('revoke_reason'),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.membershipId, table.verifiedAt] }),
    uniqueIndex('verifications_active')
      .on(table.schoolId, table.membershipId)
      .where(sql`${table.revokedAt} is null`),
    foreignKey({
      name: 'verifications_membership',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'verifications_verified_by',
      columns: [table.schoolId, table.verifiedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'verifications_revoked_by',
      columns: [table.schoolId, table.revokedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    check('verifications_not_self', sql`${table.verifiedBy} <> ${table.membershipId}`),
    check('verifications_revoked_by_others', sql`${table.revokedBy} <> ${table.membershipId}`),
    check(
      'verifications_revocation',
      sql`(${table.revokedAt} is null) = (${table.revokedBy} is null)
        and (${table.revokedAt} is null) = (${table.revokeReason} is null)`,
    ),
  ],
);

/** Links that make members. The token itself is known to those who hold the link alone. */
export const invites = pgTable(
  'invites',
  {
    schoolId: ofSchool(),
    id: uuid().$type<InviteId>().notNull(),
    /** SHA-256 in base64url. */
    tokenHash: text('token_hash').notNull(),
    role: text().$type<InvitableRole>().notNull(),
    /** The class of a pupil or guardian; the staff room for staff. */
    groupId: uuid('group_id').$type<GroupId>().notNull(),
    childId: uuid('child_id').$type<MembershipId>(),
    /** By which a teacher is attached to the class. */
    subject: text(),
    needsApproval: boolean('needs_approval').notNull().default(false),
    match: text().$type<Invite['match']>().notNull().default('none'),
    uses: integer().notNull(),
    used: integer().notNull().default(0),
    createdBy: uuid('created_by').$type<MembershipId>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    /** Since when it waits for an administrator: see the leak alarm. */
    suspendedAt: moment('suspended_at'),
    /** When one opened it again: who came before does not count any more. */
    resumedAt: moment('resumed_at'),
    annulledAt: moment('annulled_at'),
    /** Null where it ended with the rights of its maker or with its group. */
    annulledBy: uuid('annulled_by').$type<MembershipId>(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    uniqueIndex('invites_token_of_school').on(table.schoolId, table.tokenHash),
    // Whoever redeems a link does not say of which school it is.
    index('invites_token').on(table.tokenHash),
    foreignKey({
      name: 'invites_group',
      columns: [table.schoolId, table.groupId],
      foreignColumns: [groups.schoolId, groups.id],
    }),
    foreignKey({
      name: 'invites_child',
      columns: [table.schoolId, table.childId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'invites_created_by',
      columns: [table.schoolId, table.createdBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'invites_annulled_by',
      columns: [table.schoolId, table.annulledBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    check('invites_role', sql`${table.role} in ('head', 'teacher', 'pupil', 'guardian')`),
    check('invites_uses', sql`${table.used} between 0 and ${table.uses}`),
    check('invites_subject_of_teacher', sql`${table.subject} is null or ${table.role} = 'teacher'`),
    check('invites_match', sql`${table.match} in ('none', 'roster')`),
    check('invites_child_of_guardian', sql`${table.childId} is null or ${table.role} = 'guardian'`),
  ],
);

/** Who came by which invite. */
export const inviteRedemptions = pgTable(
  'invite_redemptions',
  {
    schoolId: ofSchool(),
    inviteId: uuid('invite_id').$type<InviteId>().notNull(),
    accountId: uuid('account_id')
      .$type<AccountId>()
      .notNull()
      .references(() => accounts.id),
    membershipId: uuid('membership_id').$type<MembershipId>().notNull(),
    /** Whether the class's roster knew the name; null where it had none, or nobody asked. */
    onRoster: boolean('on_roster'),
    redeemedAt: moment('redeemed_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.inviteId, table.accountId] }),
    foreignKey({
      name: 'invite_redemptions_invite',
      columns: [table.schoolId, table.inviteId],
      foreignColumns: [invites.schoolId, invites.id],
    }),
    foreignKey({
      name: 'invite_redemptions_membership',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
  ],
);

/** What was done, by whom, to what, from where. A trigger of the database refuses to alter, remove or empty it. */
export const auditRecords = pgTable(
  'audit_records',
  {
    schoolId: ofSchool(),
    id: uuid().$type<AuditRecordId>().notNull(),
    at: moment('at').notNull().defaultNow(),
    action: text().$type<AuditAction>().notNull(),
    /** Null: the operator of the server. */
    actorId: uuid('actor_id').$type<MembershipId>(),
    membershipId: uuid('membership_id').$type<MembershipId>(),
    groupId: uuid('group_id').$type<GroupId>(),
    inviteId: uuid('invite_id').$type<InviteId>(),
    before: jsonb().$type<AuditFacts>(),
    after: jsonb().$type<AuditFacts>(),
    address: text(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    foreignKey({
      name: 'audit_records_actor',
      columns: [table.schoolId, table.actorId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'audit_records_member',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'audit_records_group',
      columns: [table.schoolId, table.groupId],
      foreignColumns: [groups.schoolId, groups.id],
    }),
    foreignKey({
      name: 'audit_records_invite',
      columns: [table.schoolId, table.inviteId],
      foreignColumns: [invites.schoolId, invites.id],
    }),
    index('audit_records_of_actor').on(table.schoolId, table.actorId, table.id),
    index('audit_records_of_member').on(table.schoolId, table.membershipId, table.id),
    index('audit_records_of_group').on(table.schoolId, table.groupId, table.id),
    index('audit_records_of_action').on(table.schoolId, table.action, table.id),
  ],
);

export type AuditFacts = Readonly<Record<string, string | number | boolean | null>>;
