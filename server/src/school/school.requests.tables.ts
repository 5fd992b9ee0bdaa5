import type { MembershipId, Permission, RequestedAction, RequestId, RequestOutcome } from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import {
  check,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { memberships, moment, ofSchool } from './school.tables.ts';

/** What people ask of those who may do it. */
export const requests = pgTable(
  'requests',
  {
    schoolId: ofSchool(),
    id: uuid().$type<RequestId>().notNull(),
    /** The row of the permission table whose holders decide. */
    permission: text().$type<Permission>().notNull(),
    what: jsonb().$type<RequestedAction>().notNull(),
    /** The same for what is the same wish: of one person only one of them is open. */
    wish: text().notNull(),
    /** The person whom it is about, where it is about one. */
    aboutId: uuid('about_id').$type<MembershipId>(),
    askedBy: uuid('asked_by').$type<MembershipId>().notNull(),
    reason: text(),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    /** Null while it is open; an open one beyond `expires_at` has expired. */
    decidedAt: moment('decided_at'),
    outcome: text().$type<RequestOutcome>(),
    /** Null where it expired. */
    decidedBy: uuid('decided_by').$type<MembershipId>(),
    comment: text(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    foreignKey({
      name: 'requests_about',
      columns: [table.schoolId, table.aboutId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'requests_asked_by',
      columns: [table.schoolId, table.askedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'requests_decided_by',
      columns: [table.schoolId, table.decidedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    uniqueIndex('requests_once')
      .on(table.schoolId, table.askedBy, table.wish)
      .where(sql`${table.decidedAt} is null`),
    index('requests_of_asker').on(table.schoolId, table.askedBy, table.id),
    index('requests_open').on(table.schoolId, table.id).where(sql`${table.decidedAt} is null`),
    index('requests_about_member').on(table.schoolId, table.aboutId).where(sql`${table.decidedAt} is null`),
    check('requests_outcome', sql`${table.outcome} in ('approved', 'declined', 'withdrawn', 'expired')`),
    check('requests_decision', sql`(${table.decidedAt} is null) = (${table.outcome} is null)`),
    check(
      'requests_decided',
      sql`${table.outcome} is null or (${table.outcome} = 'expired') = (${table.decidedBy} is null)`,
    ),
  ],
);
