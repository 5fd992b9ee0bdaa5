import type { CallId, ConversationId, MembershipId, SchoolId } from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import { foreignKey, index, pgTable, primaryKey, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { conversations } from '../chat/chat.tables.ts';
import { memberships } from '../school/school.tables.ts';

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

export const calls = pgTable(
  'calls',
  {
    schoolId: uuid('school_id').$type<SchoolId>().notNull(),
    id: uuid('id').$type<CallId>().notNull(),
    conversationId: uuid('conversation_id').$type<ConversationId>().notNull(),
    startedBy: uuid('started_by').$type<MembershipId>().notNull(),
    startedAt: moment('started_at').notNull(),
    /** When somebody was last known to be in it; a call that stays empty ends by itself. */
    activeAt: moment('active_at').notNull(),
    endedAt: moment('ended_at'),
    /** Null where it ended by itself. */
    endedBy: uuid('ended_by').$type<MembershipId>(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    foreignKey({
      name: 'calls_conversation',
      columns: [table.schoolId, table.conversationId],
      foreignColumns: [conversations.schoolId, conversations.id],
    }),
    foreignKey({
      name: 'calls_started_by',
      columns: [table.schoolId, table.startedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'calls_ended_by',
      columns: [table.schoolId, table.endedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    // A conversation has one live call.
    uniqueIndex('calls_live').on(table.schoolId, table.conversationId).where(sql`${table.endedAt} is null`),
    // The sweep looks for those that nobody is in, over all schools: a timer has no school.
    index('calls_to_sweep').on(table.activeAt).where(sql`${table.endedAt} is null`),
  ],
);

/** Who was put out of a call, and so stays out until a host lets them in again. */
export const callRemovals = pgTable(
  'call_removals',
  {
    schoolId: uuid('school_id').$type<SchoolId>().notNull(),
    callId: uuid('call_id').$type<CallId>().notNull(),
    membershipId: uuid('membership_id').$type<MembershipId>().notNull(),
    removedBy: uuid('removed_by').$type<MembershipId>().notNull(),
    removedAt: moment('removed_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.callId, table.membershipId] }),
    foreignKey({
      name: 'call_removals_call',
      columns: [table.schoolId, table.callId],
      foreignColumns: [calls.schoolId, calls.id],
    }),
    foreignKey({
      name: 'call_removals_membership',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'call_removals_removed_by',
      columns: [table.schoolId, table.removedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
  ],
);
