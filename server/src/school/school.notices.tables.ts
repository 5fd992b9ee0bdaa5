import type { InviteId, MembershipId, NoticeId, NoticeKind } from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import { check, foreignKey, index, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { invites, memberships, moment, ofSchool } from './school.tables.ts';

/** What a school's administrators are told, until one of them has looked after it. */
export const schoolNotices = pgTable(
  'school_notices',
  {
    schoolId: ofSchool(),
    id: uuid().$type<NoticeId>().notNull(),
    kind: text().$type<NoticeKind>().notNull(),
    /** What it is about: a person, an invite, or both. */
    membershipId: uuid('membership_id').$type<MembershipId>(),
    otherId: uuid('other_id').$type<MembershipId>(),
    inviteId: uuid('invite_id').$type<InviteId>(),
    createdAt: moment('created_at').notNull().defaultNow(),
    settledAt: moment('settled_at'),
    settledBy: uuid('settled_by').$type<MembershipId>(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    foreignKey({
      name: 'school_notices_member',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'school_notices_other',
      columns: [table.schoolId, table.otherId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'school_notices_invite',
      columns: [table.schoolId, table.inviteId],
      foreignColumns: [invites.schoolId, invites.id],
    }),
    foreignKey({
      name: 'school_notices_settled_by',
      columns: [table.schoolId, table.settledBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    // What goes on is told once, however often it is noticed.
    uniqueIndex('school_notices_once')
      .on(
        table.schoolId,
        table.kind,
        sql`coalesce(${table.inviteId}, ${table.membershipId})`,
        sql`coalesce(${table.otherId}, ${table.membershipId}, ${table.inviteId})`,
      )
      .where(sql`${table.settledAt} is null`),
    index('school_notices_open').on(table.schoolId, table.id).where(sql`${table.settledAt} is null`),
    index('school_notices_settled').on(table.schoolId, table.id).where(sql`${table.settledAt} is not null`),
    check('school_notices_subject', sql`${table.membershipId} is not null or ${table.inviteId} is not null`),
    check('school_notices_settlement', sql`(${table.settledAt} is null) = (${table.settledBy} is null)`),
  ],
);
