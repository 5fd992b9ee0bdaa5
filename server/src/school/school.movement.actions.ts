import {
  CodedError,
  type EndReason,
  type GroupId,
  type InputOf,
  type MembershipId,
  type movementProcedures,
  type OutputOf,
  type Rollover,
  type RolloverChoices,
  type RolloverPlan,
  type rolloverProcedures,
  schoolLimits,
} from '@zvonok/shared';
import { isUniqueViolation, type Reader, type Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import type { SchoolChanges } from './school.changes.ts';
import { loadFacts } from './school.facts.store.ts';
import { findMembership, lockMembers, pupilsByGroup } from './school.movement.store.ts';
import { isStaff, type MemberFacts, requireEverywhere } from './school.policy.ts';
import type { HandPicked } from './school.ports.ts';
import { requireClass, requireMember, requireSelf } from './school.require.ts';
import {
  findLastRollover,
  findRollover,
  listClassTeachers,
  listOpenGroups,
  listVerifiedTeachers,
  type StoredRollover,
} from './school.rollover.store.ts';
import { planRollover, type RolloverGround } from './school.rollover.ts';
import { findActiveMembership, findOpenClass, getSchools, lockSchool } from './school.store.ts';

type Movement = typeof movementProcedures;
type Turn = typeof rolloverProcedures;
type Input<P> = Omit<InputOf<P>, 'as'>;

/** What an administrator does when people move, and when the year turns. */
export function createMovementActions(
  { database }: Pick<Platform, 'database'>,
  changes: SchoolChanges,
  handPicked: HandPicked,
) {
  const requireMover = async (reader: Reader, actor: Actor) =>
    requireEverywhere('moveMembers', await requireSelf(reader, actor));

  /** Active members, who stay as they are until the transaction ends. @throws CodedError NOT_FOUND, for all of them */
  async function requireLocked(
    tx: Transaction,
    { schoolId }: Actor,
    ids: readonly MembershipId[],
  ): Promise<MemberFacts[]> {
    await lockMembers(tx, schoolId, ids);
    const facts = await loadFacts(tx, schoolId, ids);
    return ids.map((id) => {
      const person = facts.get(id);
      if (person === undefined) throw new CodedError('NOT_FOUND');
      return person;
    });
  }

  async function requireStaff(tx: Transaction, actor: Actor, id: MembershipId): Promise<MemberFacts> {
    const person = await requireMember(tx, actor, id);
    if (!isStaff(person.role)) throw new CodedError('WRONG_ROLE');
    return person;
  }

  /** The school as a plan needs it; with `lock` nobody changes its classes until the transaction ends. */
  async function groundOf(
    reader: Reader,
    { schoolId }: Actor,
    { lock }: { readonly lock: boolean },
  ): Promise<RolloverGround> {
    const groups = await listOpenGroups(reader, schoolId, { lock });
    const vocabulary = (await getSchools(reader, [schoolId])).get(schoolId)?.vocabulary ?? 'school';
    const pupils = await pupilsByGroup(reader, schoolId);
    return {
      vocabulary,
      groups,
      pupils: new Map([...pupils].map(([groupId, ids]) => [groupId, ids.length])),
      teachers: await listClassTeachers(reader, schoolId),
      successors: await listVerifiedTeachers(reader, schoolId),
    };
  }

  async function requireRollover(
    reader: Reader,
    { schoolId }: Actor,
    id: InputOf<Turn['school.undoRollover']>['rolloverId'],
  ): Promise<StoredRollover> {
    const rollover = await findRollover(reader, schoolId, id);
    if (rollover === undefined) throw new CodedError('NOT_FOUND');
    return rollover;
  }

  return {
    transferMembers: (actor: Actor, ids: readonly MembershipId[], groupId: GroupId): Promise<number> =>
      database.inTransaction(async (tx) => {
        await requireMover(tx, actor);
        const group = await requireClass(tx, actor, groupId);
        const people = await requireLocked(tx, actor, ids);
        if (people.some((person) => person.role !== 'pupil')) throw new CodedError('WRONG_ROLE');
        return changes.transfer(tx, people, group, actor);
      }),

    endMemberships: (actor: Actor, ids: readonly MembershipId[], reason: EndReason): Promise<number> =>
      database.inTransaction(async (tx) => {
        await requireMover(tx, actor);
        return changes.endAll(tx, await requireLocked(tx, actor, ids), reason, actor);
      }),

    async restoreMembership(actor: Actor, id: MembershipId): Promise<void> {
      try {
        await database.inTransaction(async (tx) => {
          await requireMover(tx, actor);
          const { schoolId } = actor;
          const found = await findMembership(tx, schoolId, id, { lock: true });
          if (found === undefined) throw new CodedError('NOT_FOUND');
          const { endedAt } = found;
          // Brought back already, by another administrator at the same moment.
          if (endedAt === null) return;
          if (found.endReason === 'moved') throw new CodedError('CONFLICT');
          if (Date.now() - endedAt.getTime() > schoolLimits.restoreMs) throw new CodedError('UNDO_EXPIRED');
          if ((await findActiveMembership(tx, schoolId, found.accountId, found.role)) !== undefined) {
            throw new CodedError('ALREADY_MEMBER');
          }
          if (found.role === 'pupil' && found.groupId !== null) {
            const group = await findOpenClass(tx, schoolId, found.groupId);
            if (group === undefined) throw new CodedError('CONFLICT', { message: 'The class is closed.' });
          }
          await changes.restore(tx, { ...found, endedAt }, actor);
        });
      } catch (error) {
        // They joined anew, or another became the head, while this was under way.
        if (isUniqueViolation(error, 'memberships_active')) throw new CodedError('ALREADY_MEMBER');
        if (isUniqueViolation(error, 'memberships_head')) throw new CodedError('CONFLICT');
        throw error;
      }
    },

    async planHandOver(actor: Actor, id: MembershipId): Promise<OutputOf<Movement['school.planHandOver']>> {
      await requireMover(database, actor);
      const person = await requireMember(database, actor, id);
      if (!isStaff(person.role)) throw new CodedError('WRONG_ROLE');
      const conversations = await handPicked.list(database, person);
      return { attachments: [...person.attachments], conversations: [...conversations] };
    },

    handOver: (actor: Actor, input: Input<Movement['school.handOver']>): Promise<void> =>
      database.inTransaction(async (tx) => {
        await requireMover(tx, actor);
        const { membershipId, toId, attachments, conversationIds, leaves } = input;
        await lockMembers(tx, actor.schoolId, [membershipId, toId]);
        const from = await requireStaff(tx, actor, membershipId);
        const to = await requireStaff(tx, actor, toId);
        const isFit = to.verified && (attachments.length === 0 || to.role === 'teacher');
        if (!isFit || to.membershipId === from.membershipId) throw new CodedError('WRONG_ROLE');
        await changes.handOver(tx, { from, to }, attachments, { port: handPicked, conversationIds }, actor);
        if (leaves) await changes.end(tx, from, 'left', actor);
      }),

    changeRole: (actor: Actor, id: MembershipId, role: 'head' | 'teacher'): Promise<MembershipId> =>
      database.inTransaction(async (tx) => {
        await requireMover(tx, actor);
        await lockMembers(tx, actor.schoolId, [id]);
        const person = await requireStaff(tx, actor, id);
        if (!person.verified) throw new CodedError('WRONG_ROLE');
        if (person.role === role) throw new CodedError('ALREADY_MEMBER');
        return changes.changeRole(tx, person, role, handPicked, actor);
      }),

    appointHead: (actor: Actor, id: MembershipId): Promise<void> =>
      database.inTransaction(async (tx) => {
        await requireMover(tx, actor);
        await lockMembers(tx, actor.schoolId, [id]);
        const person = await requireStaff(tx, actor, id);
        if (person.role !== 'head' || !person.verified) throw new CodedError('WRONG_ROLE');
        await changes.appointHead(tx, actor.schoolId, id, actor);
      }),

    dismissHead: (actor: Actor, id: MembershipId): Promise<void> =>
      database.inTransaction(async (tx) => {
        await requireMover(tx, actor);
        await requireMember(tx, actor, id);
        const found = await findMembership(tx, actor.schoolId, id);
        if (found?.isHead === true) await changes.appointHead(tx, actor.schoolId, null, actor);
      }),

    async planRollover(actor: Actor, choices: RolloverChoices): Promise<RolloverPlan> {
      await requireMover(database, actor);
      return planRollover(await groundOf(database, actor, { lock: false }), choices);
    },

    async applyRollover(actor: Actor, choices: RolloverChoices, digest: string): Promise<Rollover> {
      try {
        return await database.inTransaction(async (tx) => {
          await requireMover(tx, actor);
          await lockSchool(tx, actor.schoolId);
          const plan = planRollover(await groundOf(tx, actor, { lock: true }), choices);
          if (plan.digest !== digest) throw new CodedError('ROLLOVER_CHANGED');
          const id = await changes.applyRollover(tx, actor.schoolId, plan, actor);
          return describeRollover(await requireRollover(tx, actor, id));
        });
      } catch (error) {
        if (isUniqueViolation(error, 'groups_name')) throw new CodedError('NAME_TAKEN');
        throw error;
      }
    },

    async findRollover(actor: Actor): Promise<Rollover | null> {
      await requireMover(database, actor);
      const rollover = await findLastRollover(database, actor.schoolId);
      return rollover === undefined ? null : describeRollover(rollover);
    },

    undoRollover: (actor: Actor, { rolloverId }: Input<Turn['school.undoRollover']>): Promise<Rollover> =>
      database.inTransaction(async (tx) => {
        await requireMover(tx, actor);
        await lockSchool(tx, actor.schoolId);
        const rollover = await requireRollover(tx, actor, rolloverId);
        if (rollover.undoneAt !== null) return describeRollover(rollover);
        if (Date.now() - rollover.appliedAt.getTime() > schoolLimits.undoRolloverMs) {
          throw new CodedError('UNDO_EXPIRED');
        }
        await changes.undoRollover(tx, rollover, actor);
        return describeRollover(await requireRollover(tx, actor, rolloverId));
      }),
  };
}

function describeRollover({
  id,
  appliedAt,
  appliedBy,
  appliedByName,
  undoneAt,
  changes,
}: StoredRollover): Rollover {
  const archived = changes.groups.filter((each) => each.after.archived).length;
  return {
    id,
    appliedAt: appliedAt.toISOString(),
    appliedBy: { membershipId: appliedBy, fullName: appliedByName },
    promoted: changes.groups.length - archived,
    archived,
    created: changes.created.length,
    graduates: changes.graduated.length,
    undoneAt: undoneAt?.toISOString() ?? null,
    undoableUntil: new Date(appliedAt.getTime() + schoolLimits.undoRolloverMs).toISOString(),
  };
}

export type MovementActions = ReturnType<typeof createMovementActions>;
