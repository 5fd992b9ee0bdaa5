import type {
  AccountId,
  ApplicationId,
  ApplicationState,
  OperatorAction,
  OperatorRecordId,
  SchoolId,
  Vocabulary,
} from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import {
  check,
  customType,
  date,
  index,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { accounts } from '../accounts/accounts.tables.ts';
import { schools } from '../school/school.tables.ts';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const moment = (name: string) => timestamp(name, { withTimezone: true });

/** Who runs this server. Global, as schools are; an operator is a member of none by this. */
export const operators = pgTable('operators', {
  accountId: uuid('account_id')
    .$type<AccountId>()
    .primaryKey()
    .references(() => accounts.id),
  fullName: text('full_name').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  removedAt: moment('removed_at'),
});

/** A school that asks to be let in. Global: it belongs to no school until one is made of it. */
export const applications = pgTable(
  'applications',
  {
    id: uuid().$type<ApplicationId>().primaryKey(),
    tokenHash: text('token_hash').notNull(),
    state: text().$type<ApplicationState>().notNull().default('submitted'),
    schoolName: text('school_name').notNull(),
    vocabulary: text().$type<Vocabulary>().notNull(),
    address: text().notNull(),
    registerId: text('register_id').notNull(),
    orderNumber: text('order_number').notNull(),
    orderDate: date('order_date', { mode: 'string' }).notNull(),
    adminName: text('admin_name').notNull(),
    adminEmail: text('admin_email').notNull(),
    /** E.164. */
    adminPhone: text('admin_phone').notNull(),
    /** What the operator asks, or why it was declined. */
    note: text(),
    answer: text(),
    submittedAt: moment('submitted_at').notNull().defaultNow(),
    decidedAt: moment('decided_at'),
    decidedBy: uuid('decided_by')
      .$type<AccountId>()
      .references(() => operators.accountId),
    schoolId: uuid('school_id')
      .$type<SchoolId>()
      .references(() => schools.id),
  },
  (table) => [
    uniqueIndex('applications_token').on(table.tokenHash),
    uniqueIndex('applications_school').on(table.schoolId).where(sql`${table.schoolId} is not null`),
    index('applications_queue').on(table.state, table.id),
    index('applications_register_id').on(table.registerId),
    index('applications_admin_phone').on(table.adminPhone),
    check('applications_state', sql`${table.state} in ('submitted', 'questioned', 'approved', 'declined')`),
    check('applications_school_made', sql`(${table.state} = 'approved') = (${table.schoolId} is not null)`),
    check(
      'applications_decision',
      sql`(${table.state} in ('approved', 'declined')) = (${table.decidedAt} is not null)`,
    ),
  ],
);

/** The scan of the order that appoints the administrator: apart, since lists never read it. */
export const applicationOrders = pgTable('application_orders', {
  applicationId: uuid('application_id')
    .$type<ApplicationId>()
    .primaryKey()
    .references(() => applications.id),
  /** As the sender called it. */
  name: text().notNull(),
  /** By its content. */
  type: text().$type<OrderType>().notNull(),
  bytes: bytea().notNull(),
  attachedAt: moment('attached_at').notNull().defaultNow(),
});

/** What operators did. A trigger of the database refuses to alter, remove or empty it. */
export const operatorRecords = pgTable(
  'operator_records',
  {
    id: uuid().$type<OperatorRecordId>().primaryKey(),
    at: moment('at').notNull().defaultNow(),
    action: text().$type<OperatorAction>().notNull(),
    /** Null: a command on the server. */
    byId: uuid('by_id')
      .$type<AccountId>()
      .references(() => operators.accountId),
    operatorId: uuid('operator_id')
      .$type<AccountId>()
      .references(() => operators.accountId),
    applicationId: uuid('application_id')
      .$type<ApplicationId>()
      .references(() => applications.id),
    schoolId: uuid('school_id')
      .$type<SchoolId>()
      .references(() => schools.id),
    note: text(),
    address: text(),
  },
  (table) => [index('operator_records_of_school').on(table.schoolId, table.id)],
);

export type OrderType = 'application/pdf' | 'image/jpeg' | 'image/png';
