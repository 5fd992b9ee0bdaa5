import type { Attachment, GroupId, MembershipId, RolloverId } from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import { check, foreignKey, jsonb, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { groups, memberships, moment, ofSchool } from './school.tables.ts';

/** Where a pupil was before: the present class is the membership's own, and no membership has two. */
export const formerGroups = pgTable(
  'former_groups',
  {
    schoolId: ofSchool(),
    membershipId: uuid('membership_id').$type<MembershipId>().notNull(),
    groupId: uuid('group_id').$type<GroupId>().notNull(),
    startedAt: moment('started_at').notNull(),
    endedAt: moment('ended_at').notNull(),
    movedBy: uuid('moved_by').$type<MembershipId>(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.membershipId, table.endedAt] }),
    foreignKey({
      name: 'former_groups_membership',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'former_groups_group',
      columns: [table.schoolId, table.groupId],
      foreignColumns: [groups.schoolId, groups.id],
    }),
    foreignKey({
      name: 'former_groups_moved_by',
      columns: [table.schoolId, table.movedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
  ],
);

/** What a rollover changed, so that it can be taken back: how each thing was, and how it was left. */
export interface RolloverRecord {
  readonly groups: readonly {
    readonly groupId: GroupId;
    readonly before: { readonly name: string; readonly year: number | null };
    readonly after: { readonly name: string; readonly year: number | null; readonly archived: boolean };
  }[];
  readonly created: readonly { readonly groupId: GroupId; readonly name: string }[];
  readonly graduated: readonly MembershipId[];
  readonly reassigned: readonly (Attachment & {
    readonly fromId: MembershipId;
    readonly toId: MembershipId | null;
    /** The successor taught it before already: taking the rollover back leaves them theirs. */
    readonly had: boolean;
  })[];
}

/** The turns of the school year. */
export const rollovers = pgTable(
  'rollovers',
  {
    schoolId: ofSchool(),
    id: uuid().$type<RolloverId>().notNull(),
    appliedAt: moment('applied_at').notNull().defaultNow(),
    appliedBy: uuid('applied_by').$type<MembershipId>().notNull(),
    undoneAt: moment('undone_at'),
    undoneBy: uuid('undone_by').$type<MembershipId>(),
    changes: jsonb().$type<RolloverRecord>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    foreignKey({
      name: 'rollovers_applied_by',
      columns: [table.schoolId, table.appliedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'rollovers_undone_by',
      columns: [table.schoolId, table.undoneBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    check('rollovers_undone', sql`(${table.undoneAt} is null) = (${table.undoneBy} is null)`),
  ],
);
