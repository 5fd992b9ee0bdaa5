import type {
  AccountId,
  GroupId,
  InvitableRole,
  InviteId,
  JoinRequestId,
  JoinRequestState,
  MembershipId,
} from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  foreignKey,
  index,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { accounts } from '../accounts/accounts.tables.ts';
import { groups, invites, memberships, moment, ofSchool } from './school.tables.ts';

/** Who asks to be let in, and what became of it. An open one whose time is over counts as expired. */
export const joinRequests = pgTable(
  'join_requests',
  {
    schoolId: ofSchool(),
    id: uuid().$type<JoinRequestId>().notNull(),
    accountId: uuid('account_id')
      .$type<AccountId>()
      .notNull()
      .references(() => accounts.id),
    role: text().$type<InvitableRole>().notNull(),
    fullName: text('full_name').notNull(),
    groupWords: text('group_words'),
    childWords: text('child_words'),
    message: text(),
    /** The class that the words or the invite name. */
    groupId: uuid('group_id').$type<GroupId>(),
    /** The invite that they came by. */
    inviteId: uuid('invite_id').$type<InviteId>(),
    /** Of those who came by an invite: whether the class's roster knew the name. Null where it had none. */
    onRoster: boolean('on_roster'),
    state: text().$type<JoinRequestState>().notNull().default('open'),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    reason: text(),
    decidedAt: moment('decided_at'),
    decidedBy: uuid('decided_by').$type<MembershipId>(),
    /** Whom it let in. */
    membershipId: uuid('membership_id').$type<MembershipId>(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    foreignKey({
      name: 'join_requests_group',
      columns: [table.schoolId, table.groupId],
      foreignColumns: [groups.schoolId, groups.id],
    }),
    foreignKey({
      name: 'join_requests_invite',
      columns: [table.schoolId, table.inviteId],
      foreignColumns: [invites.schoolId, invites.id],
    }),
    foreignKey({
      name: 'join_requests_decided_by',
      columns: [table.schoolId, table.decidedBy],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    foreignKey({
      name: 'join_requests_member',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    uniqueIndex('join_requests_open_of_person')
      .on(table.schoolId, table.accountId, table.role)
      .where(sql`${table.state} = 'open'`),
    // A person reads their own, of whatever school.
    index('join_requests_of_account').on(table.accountId, table.createdAt),
    index('join_requests_queue').on(table.schoolId, table.id).where(sql`${table.state} = 'open'`),
    index('join_requests_decided').on(table.schoolId, table.id).where(sql`${table.state} <> 'open'`),
    index('join_requests_of_invite').on(table.schoolId, table.inviteId, table.accountId),
    check('join_requests_role', sql`${table.role} in ('head', 'teacher', 'pupil', 'guardian')`),
    check(
      'join_requests_state',
      sql`${table.state} in ('open', 'approved', 'declined', 'withdrawn', 'expired')`,
    ),
    check(
      'join_requests_decision',
      sql`(${table.state} in ('approved', 'declined')) = (${table.decidedBy} is not null)
        and (${table.decidedBy} is null) = (${table.decidedAt} is null)`,
    ),
    check('join_requests_reason', sql`(${table.state} = 'declined') = (${table.reason} is not null)`),
    check('join_requests_let_in', sql`(${table.state} = 'approved') = (${table.membershipId} is not null)`),
  ],
);
