import type { GroupId, Import, ImportId, MembershipId, RosterEntryId, SchoolId } from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Accounts } from '../accounts/index.ts';
import { isUniqueViolation, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import { type By, record } from './school.audit.store.ts';
import type { SchoolChanges } from './school.changes.ts';
import { loadFacts } from './school.facts.store.ts';
import { lockMembers } from './school.movement.store.ts';
import { mayEditRoster } from './school.policy.ts';
import type { Plan } from './school.roster.diff.ts';
import {
  addRosterEntries,
  addRosterTies,
  changeImport,
  changeRosterEntries,
  describeImport,
  endEntriesOfThoseWhoLeft,
  findImport,
  findImportContent,
  loadRosterState,
  putImportRows,
  removeImport,
  type WrittenPerson,
} from './school.roster.imports.store.ts';
import { membersOfEntries } from './school.roster.store.ts';
import { compareRoster } from './school.roster.thread.ts';
import { findOpenClass, listByRole, lockSchool } from './school.store.ts';

interface OneImport {
  readonly schoolId: SchoolId;
  readonly importId: ImportId;
}

export type RosterImports = ReturnType<typeof createRosterImports>;

/** The long work of an import, as jobs: reading a file into a preview, applying it, and forgetting it after a day. */
export function createRosterImports(
  platform: Platform,
  accounts: Pick<Accounts, 'phonesOf'>,
  changes: Pick<SchoolChanges, 'createClasses' | 'tie' | 'transfer'>,
) {
  const { database, jobs, logger } = platform;

  const loadState = (reader: Reader, schoolId: SchoolId) =>
    loadRosterState(reader, schoolId, (ids) => accounts.phonesOf(queryOf(reader), ids));

  async function announce(tx: Transaction, schoolId: SchoolId, found: Import) {
    for (const membershipId of await listByRole(tx, schoolId, ['admin'])) {
      tx.announce(
        eventFor('school.importChanged', { membership: membershipId }, { membershipId, import: found }),
      );
    }
  }

  async function change(
    tx: Transaction,
    { schoolId, importId }: OneImport,
    set: Parameters<typeof changeImport>[3],
  ) {
    const changed = describeImport(await changeImport(tx, schoolId, importId, set));
    await announce(tx, schoolId, changed);
    return changed;
  }

  /** Fails it where it still waits for what could not be done. */
  const fail = ({ schoolId, importId }: OneImport, waiting: Import['state']) =>
    database.inTransaction(async (tx) => {
      const found = await findImport(tx, schoolId, importId, { lock: true });
      if (found?.state !== waiting) return;
      await change(
        tx,
        { schoolId, importId },
        { state: 'failed', failure: 'INTERNAL', file: null, parsed: null },
      );
    });

  const reading = jobs.define<OneImport>({
    name: 'school.readImport',
    async run({ schoolId, importId }, stopping) {
      const found = await findImport(database, schoolId, importId);
      const content = await findImportContent(database, schoolId, importId);
      if (found?.state !== 'reading' || content?.file == null) return;
      const state = await loadState(database, schoolId);
      const outcome = await compareRoster({ bytes: content.file, state }, stopping);
      await database.inTransaction(async (tx) => {
        if ((await findImport(tx, schoolId, importId, { lock: true }))?.state !== 'reading') return;
        if ('failure' in outcome) {
          const { failure, line } = outcome;
          await change(
            tx,
            { schoolId, importId },
            { state: 'failed', failure, failureLine: line, file: null },
          );
          return;
        }
        const { parsed, fingerprint, counts, batches } = outcome;
        await putImportRows(tx, schoolId, importId, batches);
        await change(tx, { schoolId, importId }, { state: 'ready', parsed, fingerprint, counts, file: null });
      });
      logger.info({ importId, schoolId }, 'a roster was read');
    },
    giveUp: (which) => fail(which, 'reading'),
  });

  const applying = jobs.define<OneImport>({
    name: 'school.applyImport',
    async run(which, stopping) {
      try {
        await database.inTransaction((tx) => apply(tx, which, stopping));
      } catch (error) {
        // Somebody took the name of a class, a number or a phone at this very moment.
        if (!isUniqueViolation(error)) throw error;
        await database.inTransaction((tx) => change(tx, which, { state: 'stale' }));
      }
    },
    giveUp: (which) => fail(which, 'applying'),
  });

  const forgetting = jobs.define<OneImport>({
    name: 'school.forgetImport',
    run: ({ schoolId, importId }) => database.inTransaction((tx) => removeImport(tx, schoolId, importId)),
    // It counts as gone already; the next attempt is somebody looking why the disk fills.
    giveUp: async ({ importId }) => logger.error({ importId }, 'an import could not be removed'),
  });

  async function apply(tx: Transaction, which: OneImport, stopping: AbortSignal): Promise<void> {
    const { schoolId, importId } = which;
    await lockSchool(tx, schoolId);
    const found = await findImport(tx, schoolId, importId, { lock: true });
    const content = await findImportContent(tx, schoolId, importId);
    if (found?.state !== 'applying' || content?.parsed == null || found.appliedBy === null) return;
    const by = { membershipId: found.appliedBy, address: found.appliedFrom ?? '' };
    // Whoever confirmed may have lost the right since.
    const self = (await loadFacts(tx, schoolId, [by.membershipId])).get(by.membershipId);
    const outcome = await compareRoster(
      { parsed: content.parsed, state: await loadState(tx, schoolId) },
      stopping,
    );
    if (
      'failure' in outcome ||
      self === undefined ||
      !mayEditRoster(self) ||
      outcome.fingerprint !== found.fingerprint
    ) {
      await change(tx, which, { state: 'stale' });
      return;
    }
    await write(tx, schoolId, outcome.plan, by);
    const { group = 0, new: added = 0, changed = 0, moved = 0 } = found.counts ?? {};
    await record(tx, schoolId, by, {
      action: 'rosterImported',
      after: { groups: group, added, changed, moved },
    });
    await change(tx, which, { state: 'applied', appliedNow: true });
    for (const membershipId of await listByRole(tx, schoolId, ['admin'])) {
      tx.announce(eventFor('school.rosterChanged', { membership: membershipId }, { membershipId }));
    }
    logger.info({ importId, schoolId, added, changed }, 'a roster was applied');
  }

  async function write(tx: Transaction, schoolId: SchoolId, plan: Plan, by: NonNullable<By>): Promise<void> {
    await endEntriesOfThoseWhoLeft(tx, schoolId);
    const made = await changes.createClasses(
      tx,
      schoolId,
      plan.groups.map((group) => group.name),
      by,
    );
    const madeIds = new Map(plan.groups.map((group, index) => [group.ref, made[index]?.id]));
    const groupIdOf = (ref: string) => madeIds.get(ref) ?? (ref as NonNullable<WrittenPerson['groupId']>);
    const people = plan.people.map(({ group, ...person }) => ({
      ...person,
      id: person.entryId ?? (uuid() as RosterEntryId),
      groupId: group === null ? null : groupIdOf(group),
      attachments: person.attachments.map((each) => ({
        groupId: groupIdOf(each.group),
        subject: each.subject,
      })),
    }));
    const idOf = new Map(people.map((person) => [person.ref, person.id]));
    const childIdOf = (ref: string) => idOf.get(ref) ?? (ref as RosterEntryId);
    await addRosterEntries(
      tx,
      schoolId,
      people.filter((person) => person.entryId === null),
    );
    await changeRosterEntries(
      tx,
      schoolId,
      people.filter((person) => person.entryId !== null && person.isChanged),
    );
    const children = people.flatMap((person) =>
      person.children.map((ref) => ({ guardianId: person.id, childId: childIdOf(ref) })),
    );
    const attachments = people.flatMap((person) =>
      person.attachments.map((each) => ({ entryId: person.id, ...each })),
    );
    await addRosterTies(tx, schoolId, { children, attachments });
    await tieMembers(tx, schoolId, { people, children }, by);
    await transferMembers(
      tx,
      schoolId,
      people.filter((person) => person.isTransferred),
      by,
    );
  }

  /** Whoever came is moved as by hand: with their chats, their invites and a record for each. */
  async function transferMembers(
    tx: Transaction,
    schoolId: SchoolId,
    people: readonly Pick<WrittenPerson, 'membershipId' | 'groupId'>[],
    by: NonNullable<By>,
  ): Promise<void> {
    const ids = people.flatMap((person) => person.membershipId ?? []);
    if (ids.length === 0) return;
    await lockMembers(tx, schoolId, ids);
    const facts = await loadFacts(tx, schoolId, ids);
    for (const [groupId, some] of Map.groupBy(people, (person) => person.groupId)) {
      const group = groupId === null ? undefined : await findOpenClass(tx, schoolId, groupId);
      if (group === undefined) throw new Error('a class of a plan is not open');
      const pupils = some.flatMap(({ membershipId }) => facts.get(membershipId as MembershipId) ?? []);
      await changes.transfer(tx, pupils, group, by);
    }
  }

  /** What the roster ties together is tied at once where both sides have come. */
  async function tieMembers(
    tx: Transaction,
    schoolId: SchoolId,
    written: {
      readonly children: readonly { guardianId: RosterEntryId; childId: RosterEntryId }[];
      readonly people: readonly {
        readonly membershipId: MembershipId | null;
        readonly attachments: readonly { groupId: GroupId; subject: string | null }[];
      }[];
    },
    by: By,
  ): Promise<void> {
    const tied = new Set(written.children.flatMap((tie) => [tie.guardianId, tie.childId]));
    const members = await membersOfEntries(tx, schoolId, [...tied]);
    const links = written.children.flatMap(({ guardianId, childId }) => {
      const [guardian, child] = [members.get(guardianId), members.get(childId)];
      return guardian === undefined || child === undefined
        ? []
        : [{ guardianId: guardian.membershipId, childId: child.membershipId }];
    });
    const attachments = written.people.flatMap(({ membershipId, attachments: list }) =>
      membershipId === null
        ? []
        : list.map(({ groupId, subject }) => {
            const kind = subject === null ? ('class' as const) : ('subject' as const);
            return { membershipId, groupId, kind, subject };
          }),
    );
    await changes.tie(tx, schoolId, { attachments, links }, by);
  }

  return { reading, applying, forgetting, announce, loadState };
}
