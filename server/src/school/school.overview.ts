import {
  CodedError,
  type GroupId,
  type InputOf,
  may,
  mayRequest,
  mightDo,
  type OutputOf,
  type overviewProcedures,
  ownGroupsOf,
  permissions,
  type SchoolClass,
  schoolLimits,
} from '@zvonok/shared';
import type { Reader } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { countQueue } from './school.joining.store.ts';
import { countOpenNotices } from './school.notices.store.ts';
import {
  countClasses,
  countNotCome,
  countUnverifiedStaff,
  describeClasses,
  findBeginnings,
  listClasses,
} from './school.overview.store.ts';
import { auditScopeOf, isStaff, type MemberFacts, queueScopeOf } from './school.policy.ts';
import { countOpenRequests } from './school.requests.store.ts';
import { requireSelf } from './school.require.ts';
import { findGroup, getSchools } from './school.store.ts';

type Contract = typeof overviewProcedures;

/**
 * The classes that somebody sees with their teachers and numbers: all, where they put teachers there or ask for it; their
 * own as a teacher; nobody else's business.
 */
function classScopeOf(facts: MemberFacts): readonly GroupId[] | undefined {
  if (may('attachTeachers', facts) || mayRequest('attachTeachers', facts)) return undefined;
  return [...new Set(facts.standings.flatMap((standing) => ownGroupsOf(standing, facts)))];
}

async function requireStaff(reader: Reader, actor: Actor): Promise<MemberFacts> {
  const facts = await requireSelf(reader, actor);
  if (!isStaff(facts.role)) throw new CodedError('FORBIDDEN');
  return facts;
}

export function createOverviewActions({ database }: Pick<Platform, 'database'>) {
  return {
    async getOverview(actor: Actor): Promise<OutputOf<Contract['school.getOverview']>> {
      const facts = await requireSelf(database, actor);
      const { schoolId } = actor;
      const answers = auditScopeOf(facts) === 'school';
      const verifies = mightDo('verifyTeacher', facts) || mayRequest('verifyTeacher', facts);
      const decides = permissions.filter((permission) => may(permission, facts));
      const queue = queueScopeOf(facts);
      const [notices, verification, requests, joinRequests, roster, begun] = await Promise.all([
        answers ? countOpenNotices(database, schoolId) : undefined,
        verifies ? countUnverifiedStaff(database, schoolId) : undefined,
        decides.length > 0 && isStaff(facts.role)
          ? countOpenRequests(database, schoolId, { permissions: decides })
          : undefined,
        queue === undefined ? undefined : countQueue(database, schoolId, queue),
        may('moveMembers', facts) ? countNotCome(database, schoolId) : undefined,
        may('editSchool', facts) ? findBeginnings(database, schoolId) : undefined,
      ]);
      const school = begun && (await getSchools(database, [schoolId])).get(schoolId);
      return {
        waiting: {
          ...(notices !== undefined && { notices }),
          ...(verification !== undefined && { verification }),
          ...(requests !== undefined && { requests }),
          ...(joinRequests !== undefined && { joinRequests }),
          ...(roster !== undefined && { roster }),
        },
        begun:
          begun === undefined || school === undefined
            ? null
            : {
                ...begun,
                card:
                  school.address !== null && (school.contactEmail !== null || school.contactPhone !== null),
              },
      };
    },

    async listClasses(
      actor: Actor,
      input: Omit<InputOf<Contract['school.listClasses']>, 'as'>,
    ): Promise<OutputOf<Contract['school.listClasses']>> {
      const only = classScopeOf(await requireStaff(database, actor));
      const { schoolId } = actor;
      const { state, search, after, limit = schoolLimits.classesPageSize } = input;
      if (after !== undefined) await requireSeenClass(database, actor, after, only);
      const query = { only, state, search: search?.trim() };
      const [listed, total] = await Promise.all([
        listClasses(database, schoolId, { ...query, after, limit: limit + 1 }),
        countClasses(database, schoolId, query),
      ]);
      return {
        classes: await describeClasses(database, schoolId, listed.slice(0, limit)),
        hasMore: listed.length > limit,
        total,
      };
    },

    async getClass(actor: Actor, groupId: GroupId): Promise<SchoolClass> {
      const only = classScopeOf(await requireStaff(database, actor));
      const group = await requireSeenClass(database, actor, groupId, only);
      const [described] = await describeClasses(database, actor.schoolId, [group]);
      if (described === undefined) throw new Error('a class was not described');
      return described;
    },
  };
}

/** @throws CodedError NOT_FOUND where it is absent, or none that they see */
async function requireSeenClass(
  reader: Reader,
  { schoolId }: Actor,
  id: GroupId,
  only: readonly GroupId[] | undefined,
) {
  const group = await findGroup(reader, schoolId, id);
  if (group?.kind !== 'class' || (only !== undefined && !only.includes(id)))
    throw new CodedError('NOT_FOUND');
  return group;
}

export type OverviewActions = ReturnType<typeof createOverviewActions>;
