import {
  CodedError,
  type GroupId,
  type MembershipId,
  type RolloverId,
  type RolloverPlan,
  type SchoolId,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../platform/database.ts';
import { eventFor, signal } from '../platform/outbound.ts';
import { type AuditEntry, type By, record } from './school.audit.store.ts';
import type { ChangeKit } from './school.changes.kit.ts';
import { listPeopleOfGroups } from './school.directory.store.ts';
import { loadFacts } from './school.facts.store.ts';
import { guardiansOf, teachersOf } from './school.guardians.store.ts';
import type { MovementChanges } from './school.movement.changes.ts';
import { listMemberships, pupilsByGroup, reviveMemberships } from './school.movement.store.ts';
import type { RolloverRecord } from './school.movement.tables.ts';
import { describeOwn } from './school.own.ts';
import {
  activePupilsOf,
  addRollover,
  archiveGroups,
  freeNames,
  listOpenGroups,
  lockGroups,
  markUndone,
  type StoredRollover,
  setGroups,
} from './school.rollover.store.ts';
import {
  addAttachment,
  listOfSeveralMemberships,
  removeAttachment,
  type StoredGroup,
} from './school.store.ts';

/** How many of the things that stand in the way of taking a rollover back are named. */
const namedChanges = 20;

type GroupChange = RolloverRecord['groups'][number];

/** The turn of the school year and the way back, each in the given transaction. */
export function createRolloverChanges(kit: ChangeKit, movement: MovementChanges) {
  const { peopleChanged } = kit;

  /** Their own cards name the class, which has another name; their rights are as they were. */
  async function announceNames(tx: Transaction, schoolId: SchoolId, groupIds: readonly GroupId[]) {
    const ids = await listPeopleOfGroups(tx, schoolId, groupIds);
    await kit.announceOwn(tx, await loadFacts(tx, schoolId, ids));
  }

  const recordGroups = (
    tx: Transaction,
    schoolId: SchoolId,
    by: By,
    groups: readonly GroupChange[],
    back: boolean,
  ) =>
    record(
      tx,
      schoolId,
      by,
      ...groups.map(({ groupId, before, after }) => {
        const [was, is] = back ? [after, { ...before, archived: false }] : [before, after];
        return is.archived
          ? { action: 'groupArchived' as const, groupId, before: { name: was.name } }
          : {
              action: 'groupChanged' as const,
              groupId,
              before: { name: was.name, year: was.year },
              after: { name: is.name, year: is.year },
            };
      }),
    );

  /** Passes attachments on. */
  async function reassign(
    tx: Transaction,
    schoolId: SchoolId,
    plan: RolloverPlan,
    by: NonNullable<By>,
  ): Promise<RolloverRecord['reassigned']> {
    const reassigned: RolloverRecord['reassigned'][number][] = [];
    const entries: AuditEntry[] = [];
    for (const { groupId, action, teachers } of plan.classes) {
      if (action === 'graduate') continue;
      for (const { membershipId: fromId, kind, subject, to } of teachers) {
        const toId = to?.membershipId ?? null;
        if (toId === fromId) continue;
        const attachment = { schoolId, groupId, kind, subject };
        await removeAttachment(tx, { ...attachment, membershipId: fromId });
        const had =
          toId !== null && !(await addAttachment(tx, { ...attachment, membershipId: toId }, by.membershipId));
        reassigned.push({ groupId, kind, subject, fromId, toId, had });
        const facts = { kind, subject };
        entries.push({ action: 'teacherDetached', membershipId: fromId, groupId, before: facts });
        if (toId !== null) {
          entries.push({ action: 'teacherAttached', membershipId: toId, groupId, after: facts });
        }
      }
    }
    await record(tx, schoolId, by, ...entries);
    return reassigned;
  }

  return {
    /** What the plan says, in a school whose groups are locked. @throws CodedError NAME_TAKEN */
    async applyRollover(
      tx: Transaction,
      schoolId: SchoolId,
      plan: RolloverPlan,
      by: NonNullable<By>,
    ): Promise<RolloverId> {
      if (plan.problems > 0) throw new CodedError('NAME_TAKEN');
      const graduating = plan.classes.filter((each) => each.action === 'graduate');
      const promoted = plan.classes.filter(
        (each) => each.action === 'promote' && (each.name !== each.newName || each.year !== each.newYear),
      );
      const graduatingIds = graduating.map((each) => each.groupId);
      const promotedIds = promoted.map((each) => each.groupId);
      // As they are stored: a plan may have read the year from the name.
      const stored = new Map(
        (await lockGroups(tx, schoolId, [...graduatingIds, ...promotedIds])).map((group) => [
          group.id,
          group,
        ]),
      );
      const byGroup = await pupilsByGroup(tx, schoolId);
      const pupilIds = graduatingIds.flatMap((id) => byGroup.get(id) ?? []);
      const pupils = [...(await loadFacts(tx, schoolId, pupilIds)).values()];
      const graduated = await movement.endQuietly(tx, pupils, 'graduated', by);
      const graduatedIds = graduated.map((person) => person.membershipId);
      const guardians = await guardiansOf(tx, schoolId, graduatedIds);
      const formerTeachers = await teachersOf(tx, schoolId, graduatingIds);

      const changed: StoredGroup[] = [...(await archiveGroups(tx, schoolId, graduatingIds))];
      await kit.annul(tx, schoolId, { groupIds: graduatingIds }, by);
      await freeNames(tx, schoolId, promotedIds);
      changed.push(
        ...(await setGroups(
          tx,
          schoolId,
          promoted.map(({ groupId, newName: name, newYear: year }) => ({ groupId, name, year })),
        )),
      );
      const asStored = ({ groupId, name }: (typeof plan.classes)[number]) => ({
        name,
        year: stored.get(groupId)?.year ?? null,
      });
      const groups: GroupChange[] = [...graduating, ...promoted].map((each) => ({
        groupId: each.groupId,
        before: asStored(each),
        after:
          each.action === 'graduate'
            ? { ...asStored(each), archived: true }
            : { name: each.newName, year: each.newYear, archived: false },
      }));
      await recordGroups(tx, schoolId, by, groups, false);
      const created: { groupId: GroupId; name: string }[] = [];
      for (const { name, year } of plan.newClasses) {
        const group = await kit.createGroup(tx, schoolId, { name, year }, by);
        created.push({ groupId: group.id, name: group.name });
      }
      const reassigned = await reassign(tx, schoolId, plan, by);

      const id = uuid() as RolloverId;
      const changes: RolloverRecord = { groups, created, graduated: graduatedIds, reassigned };
      await addRollover(tx, { schoolId, id, appliedBy: by.membershipId, changes });
      await record(tx, schoolId, by, {
        action: 'rolloverApplied',
        after: {
          promoted: promoted.length,
          archived: graduating.length,
          created: created.length,
          graduates: graduatedIds.length,
        },
      });

      const teachers = [
        ...new Set(reassigned.flatMap((each) => [each.fromId, ...(each.toId === null ? [] : [each.toId])])),
      ];
      if (teachers.length > 0) await kit.endUnfounded(tx, schoolId, by, teachers);
      await peopleChanged(tx, {
        schoolId,
        groupIds: [...new Set(reassigned.map((each) => each.groupId))],
        membershipIds: [...graduatedIds, ...teachers],
        renamedGroupIds: [...graduatingIds, ...promotedIds],
        // A guardian whose last child has left reads other channels than before.
        kinds: ['channel'],
      });
      movement.announceEnded(tx, graduated);
      await kit.announceGroups(tx, changed);
      await kit.announceChanged(tx, schoolId, [...new Set([...guardians, ...teachers, ...formerTeachers])]);
      await announceNames(tx, schoolId, promotedIds);
      return id;
    },

    /**
     * Takes a rollover back, whose row must be locked and open.
     *
     * @throws CodedError ROLLOVER_CHANGED with `data.changes`, where something it touched was changed since
     */
    async undoRollover(tx: Transaction, rollover: StoredRollover, by: NonNullable<By>): Promise<void> {
      const { schoolId, changes, appliedAt } = rollover;
      const standing = await inTheWay(tx, schoolId, changes);
      if (standing.length > 0) {
        throw new CodedError('ROLLOVER_CHANGED', {
          data: { changes: standing.slice(0, namedChanges), count: standing.length },
        });
      }
      const createdIds = changes.created.map((each) => each.groupId);
      const groupIds = changes.groups.map((each) => each.groupId);
      const changed: StoredGroup[] = [...(await archiveGroups(tx, schoolId, createdIds))];
      await kit.annul(tx, schoolId, { groupIds: createdIds }, by);
      await freeNames(tx, schoolId, groupIds);
      changed.push(
        ...(await setGroups(
          tx,
          schoolId,
          changes.groups.map(({ groupId, before }) => ({ groupId, ...before })),
        )),
      );
      await recordGroups(tx, schoolId, by, changes.groups, true);
      const graduated = await listMemberships(tx, schoolId, changes.graduated);
      const back = graduated.filter((each) => each.endedAt !== null).map((each) => each.id);
      await reviveMemberships(tx, schoolId, back);
      const isBack = new Set(back);
      const accountsBack = graduated.filter(({ id }) => isBack.has(id)).map(({ accountId }) => accountId);
      // Who came to be something else meanwhile: a card must not open all of it.
      await kit.cards.revoke(tx, await listOfSeveralMemberships(tx, accountsBack));
      const guardians = await guardiansOf(tx, schoolId, back);
      for (const { fromId, toId, had, groupId, kind, subject } of changes.reassigned) {
        const attachment = { schoolId, groupId, kind, subject };
        if (toId !== null && !had) await removeAttachment(tx, { ...attachment, membershipId: toId });
        await addAttachment(tx, { ...attachment, membershipId: fromId }, by.membershipId);
      }
      await markUndone(tx, schoolId, rollover.id, by.membershipId);
      await record(tx, schoolId, by, {
        action: 'rolloverUndone',
        before: { appliedAt: appliedAt.toISOString() },
        after: { restored: back.length },
      });

      const teachers = [
        ...new Set(
          changes.reassigned.flatMap((each) => [each.fromId, ...(each.toId === null ? [] : [each.toId])]),
        ),
      ];
      if (teachers.length > 0) await kit.endUnfounded(tx, schoolId, by, teachers);
      const reopened = changes.groups.filter((each) => each.after.archived).map((each) => each.groupId);
      for (const accountId of accountsBack) tx.announce(signal({ name: 'membershipsStarted', accountId }));
      await peopleChanged(tx, {
        schoolId,
        groupIds: [...reopened, ...new Set(changes.reassigned.map((each) => each.groupId))],
        membershipIds: [...back, ...teachers],
        renamedGroupIds: [...groupIds, ...createdIds],
        kinds: ['channel'],
        returned: { membershipIds: back, leftAt: appliedAt },
      });
      await kit.announceGroups(tx, changed);
      const revived = await describeOwn(tx, [...(await loadFacts(tx, schoolId, back)).values()]);
      const accounts = new Map(graduated.map((each) => [each.id, each.accountId]));
      for (const membership of revived) {
        const account = accounts.get(membership.id);
        if (account !== undefined) {
          tx.announce(eventFor('school.membershipStarted', { account }, { membership }));
        }
      }
      const formerTeachers = await teachersOf(tx, schoolId, reopened);
      await kit.announceChanged(tx, schoolId, [...new Set([...guardians, ...teachers, ...formerTeachers])]);
      await announceNames(
        tx,
        schoolId,
        groupIds.filter((id) => !reopened.includes(id)),
      );
    },
  };
}

/** What was changed since a rollover and would be lost, or can't be, by taking it back. Locks its groups. */
async function inTheWay(
  tx: Transaction,
  schoolId: SchoolId,
  changes: RolloverRecord,
): Promise<{ kind: 'class' | 'member' | 'teacher'; name: string }[]> {
  const standing: { kind: 'class' | 'member' | 'teacher'; name: string }[] = [];
  const ids = [...changes.groups, ...changes.created].map((each) => each.groupId);
  const groups = new Map((await lockGroups(tx, schoolId, ids)).map((group) => [group.id, group]));
  for (const { groupId, after } of changes.groups) {
    const group = groups.get(groupId);
    const isSame =
      group?.name === after.name &&
      group.year === after.year &&
      (group.archivedAt !== null) === after.archived;
    if (!isSame) standing.push({ kind: 'class', name: group?.name ?? after.name });
  }
  const pupils = await pupilsByGroup(tx, schoolId);
  for (const { groupId, name } of changes.created) {
    const group = groups.get(groupId);
    const isEmpty = (pupils.get(groupId)?.length ?? 0) === 0;
    if (group?.archivedAt === null && !isEmpty) standing.push({ kind: 'class', name: group.name ?? name });
  }
  // Somebody may have given a class that was made since the name that another one must get back.
  const own = new Set<GroupId>(ids);
  const others = new Map(
    (await listOpenGroups(tx, schoolId, { lock: false }))
      .filter((group) => !own.has(group.id))
      .map((group) => [group.name.toLowerCase(), group.name]),
  );
  for (const { before } of changes.groups) {
    const other = others.get(before.name.toLowerCase());
    if (other !== undefined) standing.push({ kind: 'class', name: other });
  }
  const graduated = await listMemberships(tx, schoolId, changes.graduated);
  const elsewhere = await activePupilsOf(
    tx,
    schoolId,
    graduated.filter((each) => each.endedAt !== null).map((each) => each.id),
  );
  for (const { id, fullName, endedAt, endReason } of graduated) {
    if (endedAt === null || endReason !== 'graduated' || elsewhere.has(id)) {
      standing.push({ kind: 'member', name: fullName });
    }
  }
  const teacherIds = [
    ...new Set(
      changes.reassigned.flatMap((each) => [each.fromId, ...(each.toId === null ? [] : [each.toId])]),
    ),
  ];
  const names = new Map(
    (await listMemberships(tx, schoolId, teacherIds)).map((each) => [each.id, each.fullName]),
  );
  const facts = await loadFacts(tx, schoolId, teacherIds);
  for (const { fromId, toId, groupId, kind, subject } of changes.reassigned) {
    const holds = (id: MembershipId) =>
      facts
        .get(id)
        ?.attachments.some(
          (each) => each.groupId === groupId && each.kind === kind && each.subject === subject,
        ) === true;
    if (!facts.has(fromId)) standing.push({ kind: 'teacher', name: names.get(fromId) ?? '' });
    else if (toId !== null && !holds(toId)) standing.push({ kind: 'teacher', name: names.get(toId) ?? '' });
  }
  return standing;
}
