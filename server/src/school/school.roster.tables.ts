import type {
  GroupId,
  ImportCounts,
  ImportFailure,
  ImportId,
  ImportRow,
  ImportRowKind,
  ImportState,
  InvitableRole,
  MembershipId,
  RosterEntryId,
  SchoolId,
} from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import {
  check,
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { ParsedRow } from './school.roster.sheet.ts';
import { groups, memberships, schools } from './school.tables.ts';

const moment = (name: string) => timestamp(name, { withTimezone: true });
const ofSchool = () =>
  uuid('school_id')
    .$type<SchoolId>()
    .notNull()
    .references(() => schools.id);

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

/**
 * The people whom a school expects. An entry opens no door by itself: whoever comes with its phone, or by an invite that
 * names it, claims it and is a member from then on.
 */
export const rosterEntries = pgTable(
  'roster_entries',
  {
    schoolId: ofSchool(),
    id: uuid().$type<RosterEntryId>().notNull(),
    role: text().$type<InvitableRole>().notNull(),
    fullName: text('full_name').notNull(),
    /** The name as names are compared: see `matchKeyOf`. */
    matchKey: text('match_key').notNull(),
    /** A pupil's class. Guardians have those of their children. */
    groupId: uuid('group_id').$type<GroupId>(),
    /** E.164. Administrators alone ever read it. */
    phone: text(),
    /** The school's own number of the person. */
    externalId: text('external_id'),
    /** Who came. Where they were moved since, their account has another membership of the role. */
    membershipId: uuid('membership_id').$type<MembershipId>(),
    claimedAt: moment('claimed_at'),
    createdAt: moment('created_at').notNull().defaultNow(),
    endedAt: moment('ended_at'),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    foreignKey({
      name: 'roster_entries_group',
      columns: [table.schoolId, table.groupId],
      foreignColumns: [groups.schoolId, groups.id],
    }),
    foreignKey({
      name: 'roster_entries_membership',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    uniqueIndex('roster_entries_member')
      .on(table.schoolId, table.membershipId)
      .where(sql`${table.endedAt} is null`),
    uniqueIndex('roster_entries_external_id')
      .on(table.schoolId, table.externalId)
      .where(sql`${table.endedAt} is null`),
    // One account has a role once: two expected people with one phone could not both come.
    uniqueIndex('roster_entries_phone_of_role')
      .on(table.schoolId, table.role, table.phone)
      .where(sql`${table.endedAt} is null`),
    // Whoever signs in does not say of which school they are.
    index('roster_entries_phone')
      .on(table.phone)
      .where(sql`${table.endedAt} is null and ${table.membershipId} is null`),
    index('roster_entries_name')
      .on(table.schoolId, table.matchKey, table.role)
      .where(sql`${table.endedAt} is null`),
    index('roster_entries_list')
      .on(table.schoolId, table.fullName, table.id)
      .where(sql`${table.endedAt} is null`),
    index('roster_entries_of_group')
      .on(table.schoolId, table.groupId, table.fullName, table.id)
      .where(sql`${table.endedAt} is null`),
    check('roster_entries_role', sql`${table.role} in ('head', 'teacher', 'pupil', 'guardian')`),
    check('roster_entries_pupil_in_group', sql`(${table.role} = 'pupil') = (${table.groupId} is not null)`),
    check('roster_entries_phone_e164', sql`${table.phone} ~ '^\\+[1-9][0-9]{6,14}$'`),
    check('roster_entries_claim', sql`(${table.membershipId} is null) = (${table.claimedAt} is null)`),
  ],
);

/** Which expected guardian answers for which expected child: the link is made once both have come. */
export const rosterChildren = pgTable(
  'roster_children',
  {
    schoolId: ofSchool(),
    guardianId: uuid('guardian_id').$type<RosterEntryId>().notNull(),
    childId: uuid('child_id').$type<RosterEntryId>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.guardianId, table.childId] }),
    foreignKey({
      name: 'roster_children_guardian',
      columns: [table.schoolId, table.guardianId],
      foreignColumns: [rosterEntries.schoolId, rosterEntries.id],
    }),
    foreignKey({
      name: 'roster_children_child',
      columns: [table.schoolId, table.childId],
      foreignColumns: [rosterEntries.schoolId, rosterEntries.id],
    }),
    index('roster_children_of_child').on(table.schoolId, table.childId),
    check('roster_children_two_people', sql`${table.guardianId} <> ${table.childId}`),
  ],
);

/** What an expected teacher will teach: attached when they come. */
export const rosterAttachments = pgTable(
  'roster_attachments',
  {
    schoolId: ofSchool(),
    entryId: uuid('entry_id').$type<RosterEntryId>().notNull(),
    groupId: uuid('group_id').$type<GroupId>().notNull(),
    kind: text().$type<'class' | 'subject'>().notNull(),
    /** Empty for a class teacher: a key holds no nulls. */
    subject: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.entryId, table.groupId, table.kind, table.subject] }),
    foreignKey({
      name: 'roster_attachments_entry',
      columns: [table.schoolId, table.entryId],
      foreignColumns: [rosterEntries.schoolId, rosterEntries.id],
    }),
    foreignKey({
      name: 'roster_attachments_group',
      columns: [table.schoolId, table.groupId],
      foreignColumns: [groups.schoolId, groups.id],
    }),
    check('roster_attachments_kind', sql`${table.kind} in ('class', 'subject')`),
    check('roster_attachments_subject', sql`(${table.kind} = 'class') = (${table.subject} = '')`),
  ],
);

/** Files that people are imported from, each until a day after it came. */
export const rosterImports = pgTable(
  'roster_imports',
  {
    schoolId: ofSchool(),
    id: uuid().$type<ImportId>().notNull(),
    state: text().$type<ImportState>().notNull(),
    fileName: text('file_name').notNull(),
    /** Until it was read. */
    file: bytea(),
    /** What it says, since then. */
    parsed: jsonb().$type<readonly ParsedRow[]>(),
    /** Of the preview: what is applied must be what was shown. */
    fingerprint: text(),
    counts: jsonb().$type<ImportCounts>(),
    failure: text().$type<ImportFailure>(),
    failureLine: integer('failure_line'),
    createdBy: uuid('created_by').$type<MembershipId>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** Who confirmed it, and from where: for the audit records that applying it leaves. */
    appliedBy: uuid('applied_by').$type<MembershipId>(),
    appliedFrom: text('applied_from'),
    appliedAt: moment('applied_at'),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    foreignKey({
      name: 'roster_imports_created_by',
      columns: [table.schoolId, table.createdBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'roster_imports_applied_by',
      columns: [table.schoolId, table.appliedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    check(
      'roster_imports_state',
      sql`${table.state} in ('reading', 'ready', 'applying', 'applied', 'stale', 'failed')`,
    ),
  ],
);

/** The lines of a preview, as they are shown. */
export const rosterImportRows = pgTable(
  'roster_import_rows',
  {
    schoolId: ofSchool(),
    importId: uuid('import_id').$type<ImportId>().notNull(),
    position: integer().notNull(),
    kind: text().$type<ImportRowKind>().notNull(),
    role: text().$type<InvitableRole>(),
    row: jsonb().$type<Omit<ImportRow, 'position'>>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.importId, table.position] }),
    foreignKey({
      name: 'roster_import_rows_import',
      columns: [table.schoolId, table.importId],
      foreignColumns: [rosterImports.schoolId, rosterImports.id],
    }).onDelete('cascade'),
    index('roster_import_rows_of_kind').on(table.schoolId, table.importId, table.kind, table.position),
  ],
);
