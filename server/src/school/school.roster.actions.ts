import {
  CodedError,
  type Import,
  type ImportId,
  type InputOf,
  invitableRoles,
  type OutputOf,
  type RosterEntry,
  rosterLimits,
  type rosterProcedures,
  type SchoolId,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Accounts } from '../accounts/index.ts';
import type { Reader } from '../platform/database.ts';
import { formatPhone } from '../platform/phone.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { record } from './school.audit.store.ts';
import type { SchoolChanges } from './school.changes.ts';
import { mayEditRoster } from './school.policy.ts';
import { requireSelf } from './school.require.ts';
import {
  childLabel,
  type KnownPerson,
  ledLabel,
  type RosterState,
  taughtLabel,
} from './school.roster.diff.ts';
import {
  addImport,
  changeImport,
  describeImport,
  findImport,
  listImportRows,
  listImports,
} from './school.roster.imports.store.ts';
import { createRosterImports } from './school.roster.imports.ts';
import { headerOf, roleWord } from './school.roster.sheet.ts';
import {
  childrenOf,
  countRoster,
  findRosterEntry,
  listRosterEntries,
  type StoredRosterEntry,
} from './school.roster.store.ts';
import { findGroup, getSchools } from './school.store.ts';

type Contract = typeof rosterProcedures;
type Input<Name extends keyof Contract> = Omit<InputOf<Contract[Name]>, 'as'>;

export type RosterActions = ReturnType<typeof createRosterActions>;

/** What administrators do with the people whom they expect: read who has not come, import them, give them out as a table. */
export function createRosterActions(
  platform: Platform,
  accounts: Pick<Accounts, 'phonesOf'>,
  changes: Pick<SchoolChanges, 'createClasses' | 'tie' | 'transfer'>,
) {
  const { database, counters, config } = platform;
  const imports = createRosterImports(platform, accounts, changes);

  async function requireRosterRight(reader: Reader, actor: Actor): Promise<void> {
    if (!mayEditRoster(await requireSelf(reader, actor))) throw new CodedError('FORBIDDEN');
  }

  async function requireBelow(what: string, schoolId: SchoolId) {
    if (!config.rateLimits) return;
    const retryAfterMs = await counters.hit(`${what}:school:${schoolId}`, rosterLimits.importsPerSchool);
    if (retryAfterMs > 0) throw new CodedError('RATE_LIMITED', { retryAfterMs });
  }

  return {
    async listRoster(
      actor: Actor,
      input: Input<'school.listRoster'>,
    ): Promise<OutputOf<Contract['school.listRoster']>> {
      await requireRosterRight(database, actor);
      const { schoolId } = actor;
      const { role, groupId, come, limit = rosterLimits.pageSize } = input;
      if (groupId !== undefined && (await findGroup(database, schoolId, groupId))?.kind !== 'class') {
        throw new CodedError('NOT_FOUND');
      }
      const after =
        input.after === undefined ? undefined : await findRosterEntry(database, schoolId, input.after);
      if (input.after !== undefined && after === undefined) throw new CodedError('NOT_FOUND');
      const found = await listRosterEntries(database, schoolId, {
        role,
        groupId,
        claimed: come,
        after,
        limit: limit + 1,
      });
      const shown = found.slice(0, limit);
      const children = await childrenOf(
        database,
        schoolId,
        shown.map((entry) => entry.id),
      );
      const counts = new Map((await countRoster(database, schoolId)).map((each) => [each.role, each]));
      return {
        entries: shown.map((entry) =>
          describe(
            entry,
            (children.get(entry.id) ?? []).map((child) => child.fullName),
          ),
        ),
        hasMore: found.length > limit,
        counts: invitableRoles.map((each) => counts.get(each) ?? { role: each, expected: 0, come: 0 }),
      };
    },

    async listImports(actor: Actor): Promise<Import[]> {
      await requireRosterRight(database, actor);
      return (await listImports(database, actor.schoolId)).map(describeImport);
    },

    async listImportRows(
      actor: Actor,
      input: Input<'school.listImportRows'>,
    ): Promise<OutputOf<Contract['school.listImportRows']>> {
      await requireRosterRight(database, actor);
      const found = await findImport(database, actor.schoolId, input.importId);
      if (found === undefined) throw new CodedError('NOT_FOUND');
      const { kind, role, after, limit = rosterLimits.rowsPage } = input;
      const query = { kind, role, after, limit: limit + 1 };
      const rows = await listImportRows(database, actor.schoolId, input.importId, query);
      return { import: describeImport(found), rows: rows.slice(0, limit), hasMore: rows.length > limit };
    },

    /** Before a byte of the file is taken. @throws CodedError FORBIDDEN, RATE_LIMITED */
    async requireImport(actor: Actor): Promise<void> {
      await requireRosterRight(database, actor);
      await requireBelow('imports', actor.schoolId);
    },

    /** Keeps the file and has it read. */
    addImport: (actor: Actor, fileName: string, file: Buffer): Promise<Import> =>
      database.inTransaction(async (tx) => {
        await requireRosterRight(tx, actor);
        const { schoolId, membershipId: createdBy } = actor;
        const id = uuid() as ImportId;
        const added = describeImport(await addImport(tx, { schoolId, id, fileName, file, createdBy }));
        await imports.reading.enqueue(tx, { schoolId, importId: id });
        await imports.forgetting.enqueue(
          tx,
          { schoolId, importId: id },
          { delayMs: rosterLimits.importLifeMs },
        );
        await imports.announce(tx, schoolId, added);
        return added;
      }),

    applyImport: (actor: Actor, importId: ImportId): Promise<Import> =>
      database.inTransaction(async (tx) => {
        await requireRosterRight(tx, actor);
        const { schoolId, membershipId, address } = actor;
        const found = await findImport(tx, schoolId, importId, { lock: true });
        if (found === undefined) throw new CodedError('NOT_FOUND');
        if (found.state === 'applying' || found.state === 'applied') return describeImport(found);
        if (found.state === 'stale') throw new CodedError('IMPORT_STALE');
        if (found.state !== 'ready') {
          throw new CodedError('CONFLICT', { message: 'There is no preview to be applied.' });
        }
        const set = { state: 'applying', appliedBy: membershipId, appliedFrom: address } as const;
        const changed = describeImport(await changeImport(tx, schoolId, importId, set));
        await imports.applying.enqueue(tx, { schoolId, importId });
        await imports.announce(tx, schoolId, changed);
        return changed;
      }),

    /** The header of a table to be filled in. */
    async getBlank(actor: Actor): Promise<string[]> {
      await requireRosterRight(database, actor);
      return headerOf(await vocabularyOf(actor.schoolId));
    },

    /**
     * Everybody, members and expected, as the table that an import takes: taken in again it changes nothing. That it was
     * given out is on record before its first line leaves.
     */
    async exportRoster(actor: Actor): Promise<{ people: number; rows: AsyncIterable<readonly string[]> }> {
      await requireBelow('exports', actor.schoolId);
      const vocabulary = await vocabularyOf(actor.schoolId);
      const state = await database.inTransaction(async (tx) => {
        await requireRosterRight(tx, actor);
        const loaded = await imports.loadState(tx, actor.schoolId);
        const after = { people: loaded.people.length };
        await record(tx, actor.schoolId, actor, { action: 'rosterExported', after });
        return loaded;
      });
      async function* rows() {
        yield headerOf(vocabulary);
        yield* tableOf(state, (role) => roleWord(role, vocabulary));
      }
      return { people: state.people.length, rows: rows() };
    },
  };

  async function vocabularyOf(schoolId: SchoolId) {
    return (await getSchools(database, [schoolId])).get(schoolId)?.vocabulary ?? 'school';
  }
}

function describe(entry: StoredRosterEntry, children: string[]): RosterEntry {
  return {
    id: entry.id,
    role: entry.role,
    fullName: entry.fullName,
    groupId: entry.groupId,
    phone: entry.phone,
    externalId: entry.externalId,
    children,
    membershipId: entry.membershipId,
    claimedAt: entry.claimedAt?.toISOString() ?? null,
    createdAt: entry.createdAt.toISOString(),
  };
}

/** Staff first, pupils by class, then guardians; in each by name. */
function* tableOf(state: RosterState, wordOf: (role: KnownPerson['role']) => string): Generator<string[]> {
  const groups = new Map(state.groups.map((group) => [group.id, group.name]));
  const nameOf = (id: KnownPerson['groupId']) => (id === null ? '' : (groups.get(id) ?? ''));
  const byKey = new Map(state.people.map((person) => [person.key, person]));
  const places = new Map(invitableRoles.map((role, index) => [role, index]));
  const ordered = state.people.toSorted(
    (one, other) =>
      (places.get(one.role) ?? 0) - (places.get(other.role) ?? 0) ||
      nameOf(one.groupId).localeCompare(nameOf(other.groupId), 'ru', { numeric: true }) ||
      one.fullName.localeCompare(other.fullName, 'ru'),
  );
  for (const person of ordered) {
    const children = person.children.flatMap((key) => byKey.get(key) ?? []);
    const taught = person.attachments.flatMap(({ subject, groupId }) =>
      subject === null ? [] : [{ subject, group: nameOf(groupId) }],
    );
    const led = person.attachments.filter((each) => each.subject === null);
    yield [
      person.fullName,
      wordOf(person.role),
      nameOf(person.groupId),
      person.phones[0] === undefined ? '' : formatPhone(person.phones[0]),
      person.externalId ?? '',
      children.map((child) => childLabel(child.fullName, nameOf(child.groupId))).join(' | '),
      ledLabel(led.map((each) => nameOf(each.groupId))),
      taughtLabel(taught),
    ];
  }
}
