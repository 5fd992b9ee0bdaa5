import {
  CodedError,
  type Group,
  type GroupId,
  type InputOf,
  type MyMembership,
  ownGroupsOf,
  type School,
  type Settings,
  schoolLimits,
  type schoolProcedures,
  standingsOf,
} from '@zvonok/shared';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { describeOwn, type NewGroup, type SchoolChanges } from './school.changes.ts';
import { isStaff, requireEverywhere } from './school.policy.ts';
import { requireSelf } from './school.require.ts';
import {
  countPupils,
  describeGroup,
  describeSchool,
  findGroup,
  getSchools,
  listGroups,
} from './school.store.ts';

type Contract = typeof schoolProcedures;

/** The school itself: its card, its settings, its groups. */
export function createSchoolActions({ database }: Pick<Platform, 'database'>, changes: SchoolChanges) {
  return {
    async getSchool(actor: Actor): Promise<{ school: School; me: MyMembership }> {
      const facts = await requireSelf(database, actor);
      const school = (await getSchools(database, [actor.schoolId])).get(actor.schoolId);
      const [me] = await describeOwn(database, [facts]);
      if (school === undefined || me === undefined) throw new CodedError('FORBIDDEN');
      return { school: describeSchool(school), me };
    },

    /** Fields that are left out stay as they are. */
    updateSchool: (
      actor: Actor,
      { as: _as, ...card }: InputOf<Contract['school.updateSchool']>,
    ): Promise<School> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('editSchool', await requireSelf(tx, actor));
        return changes.updateSchool(tx, actor.schoolId, card, actor);
      }),

    changeSettings: (actor: Actor, settings: Settings): Promise<Settings> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('editSchool', await requireSelf(tx, actor));
        return changes.changeSettings(tx, actor.schoolId, settings, actor);
      }),

    async listGroups(actor: Actor): Promise<Group[]> {
      const facts = await requireSelf(database, actor);
      const own = isStaff(facts.role)
        ? undefined
        : standingsOf(facts).flatMap((standing) => ownGroupsOf(standing, facts));
      const groups = await listGroups(database, actor.schoolId, schoolLimits.groupsListed, own);
      return groups.map(describeGroup);
    },

    createGroup: (actor: Actor, group: Pick<NewGroup, 'name' | 'year'>): Promise<Group> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('manageGroups', await requireSelf(tx, actor));
        return describeGroup(await changes.createGroup(tx, actor.schoolId, group, actor));
      }),

    updateGroup: (
      actor: Actor,
      { groupId, name, year }: Omit<InputOf<Contract['school.updateGroup']>, 'as'>,
    ): Promise<Group> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('manageGroups', await requireSelf(tx, actor));
        const group = await findGroup(tx, actor.schoolId, groupId, 'update');
        if (group?.kind !== 'class' || group.archivedAt !== null) throw new CodedError('NOT_FOUND');
        const given = { ...(name !== undefined && { name }), ...(year !== undefined && { year }) };
        return describeGroup(await changes.updateGroup(tx, group, given, actor));
      }),

    archiveGroup: (actor: Actor, groupId: GroupId): Promise<Group> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('manageGroups', await requireSelf(tx, actor));
        // Whoever redeems an invite to it waits, and then finds it closed.
        const group = await findGroup(tx, actor.schoolId, groupId, 'update');
        if (group?.kind !== 'class') throw new CodedError('NOT_FOUND');
        if (group.archivedAt !== null) return describeGroup(group);
        if ((await countPupils(tx, actor.schoolId, groupId)) > 0) {
          throw new CodedError('CONFLICT', { message: 'The class still has pupils.' });
        }
        return describeGroup(await changes.archiveGroup(tx, group, actor));
      }),
  };
}
