import {
  type ConversationKind,
  type School,
  type SchoolCard,
  type SchoolId,
  type SchoolSettings,
  type SettingName,
  type Settings,
  settingNames,
} from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import { type By, record } from './school.audit.store.ts';
import { normaliseLabel } from './school.names.ts';
import type { PeopleChanged } from './school.ports.ts';
import { describeSchool, lockedSchool, writeSchool } from './school.store.ts';

/** Whose places in conversations a switch decides. What else it decides is asked anew each time. */
const kindsOf: { readonly [Name in SettingName]?: ConversationKind } = {
  'postGeneralChannel.HD': 'channel',
  'readGeneralChannel.TU': 'channel',
  'readGeneralChannel.PU': 'channel',
  'readStaffChannel.TU': 'channel',
  'writeParentsChat.PV': 'parents',
};

/** What the school tells of itself, and what it has set. */
export function createCardChanges(
  peopleChanged: PeopleChanged,
  annulUnfounded: (tx: Transaction, schoolId: SchoolId, by: By) => Promise<void>,
) {
  return {
    /** Fields that are not given stay as they are. */
    async updateSchool(
      tx: Transaction,
      schoolId: SchoolId,
      given: Partial<SchoolCard>,
      by: By,
    ): Promise<School> {
      const before = await lockedSchool(tx, schoolId);
      const wanted = { ...given, ...(given.name !== undefined && { name: normaliseLabel(given.name) }) };
      const changed = (Object.keys(wanted) as (keyof SchoolCard)[]).filter(
        (field) => wanted[field] !== undefined && wanted[field] !== before[field],
      );
      if (changed.length === 0) return describeSchool(before);
      const pick = (from: Partial<SchoolCard>) =>
        Object.fromEntries(changed.map((field) => [field, from[field] ?? null]));
      const school = describeSchool(await writeSchool(tx, schoolId, pick(wanted)));
      // The phone of a school is on its own page, and still it is no business of a log that is exported.
      const { contactPhone: _was, ...was } = pick(before);
      const { contactPhone: _is, ...is } = pick(wanted);
      await record(tx, schoolId, by, { action: 'schoolChanged', before: was, after: is });
      tx.announce(eventFor('school.schoolChanged', { school: schoolId }, { school }));
      return school;
    },

    /** Rights follow in the same transaction: places in conversations, and invites of whoever may not make them any more. */
    async changeSettings(
      tx: Transaction,
      schoolId: SchoolId,
      given: SchoolSettings,
      by: By,
    ): Promise<Settings> {
      const before = await lockedSchool(tx, schoolId);
      const changed = settingNames.filter(
        (name) => given[name] !== undefined && given[name] !== before.settings[name],
      );
      if (changed.length === 0) return before.settings;
      const pick = (from: SchoolSettings) =>
        Object.fromEntries(changed.map((name) => [name, from[name] ?? null]));
      const school = describeSchool(
        await writeSchool(tx, schoolId, {
          settings: { ...before.settings, ...Object.fromEntries(changed.map((name) => [name, given[name]])) },
        }),
      );
      await record(tx, schoolId, by, {
        action: 'settingsChanged',
        before: pick(before.settings),
        after: pick(given),
      });
      const kinds = [...new Set(changed.flatMap((name) => kindsOf[name] ?? []))];
      if (kinds.length > 0) await peopleChanged(tx, { schoolId, kinds });
      await annulUnfounded(tx, schoolId, by);
      tx.announce(eventFor('school.schoolChanged', { school: schoolId }, { school }));
      return school.settings;
    },
  };
}
