import type { InviteId, RosterEntryId } from '@zvonok/shared';
import { foreignKey, index, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { rosterEntries } from './school.roster.tables.ts';
import { invites, ofSchool } from './school.tables.ts';

/** Invites that are for one person of the roster: whoever redeems one is that person. */
export const personalInvites = pgTable(
  'personal_invites',
  {
    schoolId: ofSchool(),
    inviteId: uuid('invite_id').$type<InviteId>().notNull(),
    entryId: uuid('entry_id').$type<RosterEntryId>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.schoolId, table.inviteId] }),
    foreignKey({
      name: 'personal_invites_invite',
      columns: [table.schoolId, table.inviteId],
      foreignColumns: [invites.schoolId, invites.id],
    }),
    foreignKey({
      name: 'personal_invites_entry',
      columns: [table.schoolId, table.entryId],
      foreignColumns: [rosterEntries.schoolId, rosterEntries.id],
    }),
    index('personal_invites_of_entry').on(table.schoolId, table.entryId),
  ],
);
