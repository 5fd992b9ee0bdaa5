import { CodedError, type GroupId, type MembershipId, type SchoolId } from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../platform/database.ts';
import { type AuditEntry, type By, record } from './school.audit.store.ts';
import { addGuardianLink, withoutParted } from './school.guardians.store.ts';
import type { PeopleChanged } from './school.ports.ts';
import { addAttachment, addGroup, type StoredAttachment, type StoredGroup } from './school.store.ts';

/** «7Б» is of the seventh year. A group whose name says none is given one by hand. */
const yearOf = (name: string): number | null => {
  const digits = /^(\d{1,2})(?!\d)/.exec(name)?.[1];
  return digits === undefined || Number(digits) < 1 || Number(digits) > 11 ? null : Number(digits);
};

/** Changes of many at once, as an import brings them: those who follow are told once. */
export function createRosterChanges(
  peopleChanged: PeopleChanged,
  announce: {
    readonly groups: (tx: Transaction, groups: readonly StoredGroup[]) => Promise<void>;
    readonly changed: (tx: Transaction, schoolId: SchoolId, ids: readonly MembershipId[]) => Promise<void>;
  },
) {
  return {
    /** In the order of the names. @throws CodedError NAME_TAKEN */
    async createClasses(
      tx: Transaction,
      schoolId: SchoolId,
      names: readonly string[],
      by: By,
    ): Promise<StoredGroup[]> {
      if (names.length === 0) return [];
      const made: StoredGroup[] = [];
      for (const name of names) {
        const id = uuid() as GroupId;
        const group = await addGroup(tx, { schoolId, id, name, kind: 'class', year: yearOf(name) });
        if (group === undefined) throw new CodedError('NAME_TAKEN');
        made.push(group);
      }
      await record(
        tx,
        schoolId,
        by,
        ...made.map(({ id, name, kind, year }) => ({
          action: 'groupCreated' as const,
          groupId: id,
          after: { name, kind, year },
        })),
      );
      await peopleChanged(tx, { schoolId, groupIds: made.map((group) => group.id) });
      await announce.groups(tx, made);
      return made;
    },

    /** Attachments and links. What is there already stays, and who was parted stays parted. */
    async tie(
      tx: Transaction,
      schoolId: SchoolId,
      ties: {
        readonly attachments: readonly Omit<StoredAttachment, 'schoolId'>[];
        readonly links: readonly { readonly guardianId: MembershipId; readonly childId: MembershipId }[];
      },
      by: By,
    ): Promise<void> {
      const entries: AuditEntry[] = [];
      const groupIds = new Set<GroupId>();
      for (const each of ties.attachments) {
        if (!(await addAttachment(tx, { schoolId, ...each }, by?.membershipId ?? null))) continue;
        const { membershipId, groupId, kind, subject } = each;
        groupIds.add(groupId);
        entries.push({ action: 'teacherAttached', membershipId, groupId, after: { kind, subject } });
      }
      for (const { guardianId, childId } of await withoutParted(tx, schoolId, ties.links)) {
        const linkedBy = by?.membershipId ?? null;
        if (!(await addGuardianLink(tx, { schoolId, guardianId, childId, linkedBy }))) continue;
        entries.push({ action: 'guardianLinked', membershipId: guardianId, after: { childId } });
      }
      const membershipIds = [...new Set(entries.flatMap((entry) => entry.membershipId ?? []))];
      if (membershipIds.length === 0) return;
      await record(tx, schoolId, by, ...entries);
      await peopleChanged(tx, { schoolId, groupIds: [...groupIds], membershipIds });
      await announce.changed(tx, schoolId, membershipIds);
    },
  };
}
