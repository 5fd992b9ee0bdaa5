import type {
  ConversationId,
  ConversationKind,
  GroupId,
  MembershipId,
  MessageBody,
  MessageId,
  SchoolId,
} from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import {
  boolean,
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
import { memberships } from '../school/school.tables.ts';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

export const conversations = pgTable(
  'conversations',
  {
    schoolId: uuid('school_id').$type<SchoolId>().notNull(),
    id: uuid('id').$type<ConversationId>().notNull(),
    kind: text('kind').$type<ConversationKind>().notNull(),
    channel: text('channel').$type<'general' | 'staff'>(),
    title: text('title'),
    groupId: uuid('group_id').$type<GroupId>(),
    subject: text('subject'),
    /** The two memberships of a direct chat, in order of id: one chat for each pair. */
    firstId: uuid('first_id').$type<MembershipId>(),
    secondId: uuid('second_id').$type<MembershipId>(),
    /** seq of the last message; gapless. */
    lastSeq: integer('last_seq').notNull().default(0),
    /** Number of the last change. */
    rev: integer('rev').notNull().default(0),
    memberCount: integer('member_count').notNull().default(0),
    createdAt: moment('created_at').notNull(),
    archivedAt: moment('archived_at'),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.id] }),
    uniqueIndex('conversations_of_group')
      .on(table.schoolId, table.groupId, table.kind, sql`coalesce(${table.subject}, '')`)
      .where(sql`${table.groupId} is not null`),
    uniqueIndex('conversations_of_pair')
      .on(table.schoolId, table.firstId, table.secondId)
      .where(sql`${table.firstId} is not null`),
    uniqueIndex('conversations_of_school')
      .on(table.schoolId, table.kind, sql`coalesce(${table.channel}, '')`)
      .where(sql`${table.kind} in ('channel', 'staff')`),
  ],
);

export const conversationMembers = pgTable(
  'conversation_members',
  {
    schoolId: uuid('school_id').$type<SchoolId>().notNull(),
    conversationId: uuid('conversation_id').$type<ConversationId>().notNull(),
    membershipId: uuid('membership_id').$type<MembershipId>().notNull(),
    /** Reads and does not write. */
    reader: boolean('reader').notNull(),
    /** last_seq when they joined: what precedes was never unread. */
    joinedSeq: integer('joined_seq').notNull(),
    readSeq: integer('read_seq').notNull(),
    joinedAt: moment('joined_at').notNull(),
    /** Set when they left; the row stays, so that a return finds its read mark. */
    leftAt: moment('left_at'),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.conversationId, table.membershipId] }),
    foreignKey({
      name: 'conversation_members_of_conversation',
      columns: [table.schoolId, table.conversationId],
      foreignColumns: [conversations.schoolId, conversations.id],
    }),
    foreignKey({
      name: 'conversation_members_are_people',
      columns: [table.schoolId, table.membershipId],
      foreignColumns: [memberships.schoolId, memberships.id],
    }),
    index('conversation_members_of_membership')
      .on(table.schoolId, table.membershipId)
      .where(sql`${table.leftAt} is null`),
  ],
);

export const messages = pgTable(
  'messages',
  {
    schoolId: uuid('school_id').$type<SchoolId>().notNull(),
    conversationId: uuid('conversation_id').$type<ConversationId>().notNull(),
    seq: integer('seq').notNull(),
    id: uuid('id').$type<MessageId>().notNull(),
    /** The conversation's rev at this message's last change. */
    rev: integer('rev').notNull(),
    senderId: uuid('sender_id').$type<MembershipId>().notNull(),
    /** Null for what the server wrote. */
    clientMessageId: uuid('client_message_id'),
    /** SHA-256 of the first input: a repeated send is compared with it even after the text is erased. */
    inputHash: bytea('input_hash'),
    body: jsonb('body').$type<MessageBody>().notNull(),
    sentAt: moment('sent_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.conversationId, table.seq] }),
    // Whoever wrote is or was a member: the wall between conversations, and so between schools.
    foreignKey({
      name: 'messages_are_of_members',
      columns: [table.schoolId, table.conversationId, table.senderId],
      foreignColumns: [
        conversationMembers.schoolId,
        conversationMembers.conversationId,
        conversationMembers.membershipId,
      ],
    }),
    uniqueIndex('messages_of_client')
      .on(table.schoolId, table.senderId, table.clientMessageId)
      .where(sql`${table.clientMessageId} is not null`),
    index('messages_of_call')
      .on(table.schoolId, table.conversationId, sql`(${table.body} ->> 'callId')`)
      .where(sql`${table.body} ->> 'kind' = 'call'`),
    index('messages_by_rev').on(table.schoolId, table.conversationId, table.rev),
  ],
);
