import { pgTable, text, timestamp } from 'drizzle-orm/pg-core';

/** Facts about the installation itself, one row each: that it holds demo data, which version wrote it last. */
export const platformFacts = pgTable('platform_facts', {
  key: text().primaryKey(),
  value: text().notNull(),
  changedAt: timestamp('changed_at', { withTimezone: true }).notNull().defaultNow(),
});
