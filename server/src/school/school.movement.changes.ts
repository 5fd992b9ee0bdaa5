import {
  type AccountId,
  type Attachment,
  CodedError,
  type ConversationId,
  type EndReason,
  type GroupId,
  type MembershipId,
  type MyMembership,
  type Role,
  type SchoolId,
  schoolLimits,
} from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';
import { eventFor, signal } from '../platform/outbound.ts';
import { type AuditEntry, type By, record } from './school.audit.store.ts';
import type { ChangeKit } from './school.changes.kit.ts';
import { loadFacts } from './school.facts.store.ts';
import { guardiansOf, teachersOf } from './school.guardians.store.ts';
import { noteLikeness } from './school.likeness.ts';
import {
  copyVerification,
  endMemberships,
  findHead,
  followChildren,
  listMemberships,
  markHead,
  moveToGroup,
  renamePerson,
  reviveMemberships,
  type StoredMembership,
} from './school.movement.store.ts';
import { normaliseFullName } from './school.names.ts';
import { describeOwn } from './school.own.ts';
import { type MemberFacts, requireEverywhere } from './school.policy.ts';
import type { HandPicked } from './school.ports.ts';
import { requireSelf } from './school.require.ts';
import {
  addAttachment,
  countOtherAdmins,
  listActiveMemberships,
  listGroups,
  lockSchool,
  removeAttachment,
  type StoredGroup,
} from './school.store.ts';

type Enrol = (
  tx: Transaction,
  person: {
    readonly schoolId: SchoolId;
    readonly accountId: AccountId;
    readonly role: Role;
    readonly fullName: string;
    readonly groupId: GroupId | null;
    readonly by: By;
  },
) => Promise<MyMembership | undefined>;

export type MovementChanges = ReturnType<typeof createMovementChanges>;

/** How people move through a school: in it, out of it, back, and into one another's places. */
export function createMovementChanges(kit: ChangeKit, enrol: Enrol) {
  const { cards, peopleChanged, announceChanged, announceDirectory, annul, endUnfounded } = kit;

  /** Tells devices and nodes that memberships are over. */
  function announceEnded(
    tx: Transaction,
    people: readonly Pick<MemberFacts, 'membershipId' | 'accountId'>[],
  ) {
    for (const { accountId, membershipId } of people) {
      tx.announce(eventFor('school.membershipEnded', { account: accountId }, { membershipId }));
    }
    // A signal stays small, however many go.
    for (let from = 0; from < people.length; from += schoolLimits.movedAtOnce) {
      const some = people.slice(from, from + schoolLimits.movedAtOnce);
      const membershipIds = some.map((person) => person.membershipId);
      tx.announce(signal({ name: 'membershipEnded', membershipIds }));
    }
  }

  /**
   * Ends memberships of one school in the tables, the log and the invites; the neighbours and the devices are told by
   * whoever calls.
   *
   * @throws CodedError LAST_ADMIN; of two that end the last two administrators at once, one gets it
   */
  async function endQuietly(
    tx: Transaction,
    people: readonly MemberFacts[],
    reason: EndReason,
    by: NonNullable<By>,
  ): Promise<MemberFacts[]> {
    const schoolId = people[0]?.schoolId;
    if (schoolId === undefined) return [];
    const admins = people.filter((person) => person.role === 'admin').map((person) => person.membershipId);
    if (admins.length > 0) {
      await lockSchool(tx, schoolId);
      if ((await countOtherAdmins(tx, schoolId, admins)) === 0) throw new CodedError('LAST_ADMIN');
      // Whoever was dismissed a moment ago, or lost the verification, dismisses nobody.
      requireEverywhere('moveMembers', await requireSelf(tx, { schoolId, ...by }));
    }
    const ids = people.map((person) => person.membershipId);
    const over = new Set(await endMemberships(tx, schoolId, ids, reason, by.membershipId));
    const ended = people.filter((person) => over.has(person.membershipId));
    await record(
      tx,
      schoolId,
      by,
      ...ended.map(({ membershipId, groupId, role }) => ({
        action: 'membershipEnded' as const,
        membershipId,
        groupId,
        before: { role },
        after: { reason },
      })),
    );
    const idsOf = (list: readonly MemberFacts[]) => list.map((person) => person.membershipId);
    const pupils = ended.filter((person) => person.role === 'pupil');
    const others = ended.filter((person) => person.role !== 'pupil');
    if (pupils.length > 0) await annul(tx, schoolId, { childIds: idsOf(pupils) }, by);
    if (others.length > 0) {
      await annul(tx, schoolId, { makerIds: idsOf(others) }, by);
      await endUnfounded(tx, schoolId, by, idsOf(others));
    }
    // Who only changes class keeps theirs.
    if (reason !== 'moved') {
      await cards.revoke(
        tx,
        pupils.map((person) => person.accountId),
      );
    }
    return ended;
  }

  /** Ends memberships of one school, with the invites they made or that were for them. See `endQuietly`. */
  async function endAll(
    tx: Transaction,
    people: readonly MemberFacts[],
    reason: EndReason,
    by: NonNullable<By>,
  ): Promise<number> {
    const ended = await endQuietly(tx, people, reason, by);
    const schoolId = ended[0]?.schoolId;
    if (schoolId === undefined) return 0;
    const ids = ended.map((person) => person.membershipId);
    // Whose only child this was is a guardian of nobody now.
    const pupils = ended.filter((person) => person.role === 'pupil').map((person) => person.membershipId);
    const guardians = (await guardiansOf(tx, schoolId, pupils)).filter((id) => !ids.includes(id));
    await peopleChanged(tx, { schoolId, membershipIds: [...ids, ...guardians] });
    announceEnded(tx, ended);
    await announceChanged(tx, schoolId, guardians);
    return ended.length;
  }

  return {
    announceEnded,
    endQuietly,
    endAll,
    end: async (tx: Transaction, of: MemberFacts, reason: EndReason, by: NonNullable<By>): Promise<void> => {
      await endAll(tx, [of], reason, by);
    },

    /** Moves pupils, who must be locked and of one school, into an open class of it. Answers how many were elsewhere. */
    async transfer(
      tx: Transaction,
      people: readonly MemberFacts[],
      group: StoredGroup,
      by: NonNullable<By>,
    ): Promise<number> {
      const { schoolId } = group;
      const moved = people.filter((person) => person.groupId !== group.id);
      if (moved.length === 0) return 0;
      const ids = moved.map((person) => person.membershipId);
      const formerIds = [...new Set(moved.flatMap((person) => person.groupId ?? []))];
      const names = new Map(
        (await listGroups(tx, schoolId, formerIds.length, formerIds)).map((each) => [each.id, each.name]),
      );
      await moveToGroup(tx, schoolId, ids, group.id, by.membershipId);
      const guardians = await guardiansOf(tx, schoolId, ids);
      await followChildren(tx, schoolId, guardians, formerIds, group.id);
      await record(
        tx,
        schoolId,
        by,
        ...moved.map(({ membershipId, groupId }) => ({
          action: 'memberTransferred' as const,
          membershipId,
          groupId: group.id,
          before: { group: groupId === null ? null : (names.get(groupId) ?? null) },
          after: { group: group.name },
        })),
      );
      // They lead to the class that the child was in.
      await annul(tx, schoolId, { childIds: ids }, by);
      const groupIds = [...formerIds, group.id];
      await peopleChanged(tx, { schoolId, groupIds, membershipIds: [...ids, ...guardians] });
      // Whoever taught or teaches them may write to others from now on.
      const teachers = await teachersOf(tx, schoolId, groupIds);
      await announceChanged(tx, schoolId, [...new Set([...ids, ...guardians, ...teachers])]);
      return moved.length;
    },

    /**
     * Makes an ended membership, which must be locked, what it was.
     *
     * @throws CodedError FORBIDDEN where somebody who signs in with a card alone would be more than a pupil by it
     */
    async restore(tx: Transaction, of: StoredMembership & { readonly endedAt: Date }, by: By): Promise<void> {
      const { schoolId, id, accountId, role, groupId, endReason } = of;
      await reviveMemberships(tx, schoolId, [id]);
      await record(tx, schoolId, by, {
        action: 'membershipRestored',
        membershipId: id,
        groupId,
        before: { reason: endReason },
        after: { role },
      });
      const memberships = await listActiveMemberships(tx, accountId, { inOpenSchools: false });
      if (memberships.length > 1) await cards.outgrow(tx, accountId);
      const guardians = role === 'pupil' ? await guardiansOf(tx, schoolId, [id]) : [];
      tx.announce(signal({ name: 'membershipsStarted', accountId }));
      await peopleChanged(tx, {
        schoolId,
        membershipIds: [id, ...guardians],
        returned: { membershipIds: [id], leftAt: of.endedAt },
      });
      const [membership] = await describeOwn(tx, [...(await loadFacts(tx, schoolId, [id])).values()]);
      if (membership === undefined)
        throw new Error('a membership vanished in the transaction that revived it');
      tx.announce(eventFor('school.membershipStarted', { account: accountId }, { membership }));
      await announceChanged(tx, schoolId, guardians);
    },

    /** Gives what is named of one teacher to another; what the first does not have is passed over. */
    async handOver(
      tx: Transaction,
      { from, to }: { readonly from: MemberFacts; readonly to: MemberFacts },
      attachments: readonly Attachment[],
      handPicked: { readonly port: HandPicked; readonly conversationIds: readonly ConversationId[] },
      by: NonNullable<By>,
    ): Promise<void> {
      const { schoolId } = from;
      const groupIds = new Set<GroupId>();
      const entries: AuditEntry[] = [];
      for (const { groupId, kind, subject } of attachments) {
        const attachment = { schoolId, groupId, kind, subject };
        if (!(await removeAttachment(tx, { ...attachment, membershipId: from.membershipId }))) continue;
        await addAttachment(tx, { ...attachment, membershipId: to.membershipId }, by.membershipId);
        groupIds.add(groupId);
        const facts = { kind, subject };
        entries.push(
          { action: 'teacherDetached', membershipId: from.membershipId, groupId, before: facts },
          { action: 'teacherAttached', membershipId: to.membershipId, groupId, after: facts },
        );
      }
      await record(tx, schoolId, by, ...entries);
      await handPicked.port.handOver(
        tx,
        { schoolId, from: from.membershipId, to: to.membershipId },
        handPicked.conversationIds,
      );
      await record(tx, schoolId, by, {
        action: 'handedOver',
        membershipId: from.membershipId,
        after: {
          toId: to.membershipId,
          groups: groupIds.size,
          conversations: handPicked.conversationIds.length,
        },
      });
      await endUnfounded(tx, schoolId, by, [from.membershipId]);
      const membershipIds = [from.membershipId, to.membershipId];
      await peopleChanged(tx, { schoolId, groupIds: [...groupIds], membershipIds });
      await announceChanged(tx, schoolId, membershipIds);
    },

    /**
     * Another role for verified staff: a new membership, verified by the same record, with the hand-filled
     * conversations of the old one, which ends.
     *
     * @throws CodedError ALREADY_MEMBER, LAST_ADMIN
     */
    async changeRole(
      tx: Transaction,
      of: MemberFacts,
      role: 'head' | 'teacher',
      handPicked: HandPicked,
      by: NonNullable<By>,
    ): Promise<MembershipId> {
      const { schoolId, accountId, fullName, membershipId: formerId } = of;
      const membership = await enrol(tx, { schoolId, accountId, role, fullName, groupId: null, by });
      if (membership === undefined) throw new CodedError('ALREADY_MEMBER');
      await copyVerification(tx, schoolId, formerId, membership.id);
      await record(tx, schoolId, by, {
        action: 'roleChanged',
        membershipId: membership.id,
        before: { role: of.role },
        after: { role },
      });
      await peopleChanged(tx, { schoolId, membershipIds: [membership.id] });
      const taken = await handPicked.list(tx, { schoolId, membershipId: formerId });
      await handPicked.handOver(
        tx,
        { schoolId, from: formerId, to: membership.id },
        taken.map((each) => each.conversationId),
      );
      await announceChanged(tx, schoolId, [membership.id]);
      await endAll(tx, [of], 'moved', by);
      return membership.id;
    },

    /** Marks a head as the school's, or nobody. */
    async appointHead(tx: Transaction, schoolId: SchoolId, id: MembershipId | null, by: By): Promise<void> {
      await lockSchool(tx, schoolId);
      const former = await findHead(tx, schoolId);
      if (former === (id ?? undefined)) return;
      if (former !== undefined) {
        await markHead(tx, schoolId, former, false);
        await record(tx, schoolId, by, { action: 'headDismissed', membershipId: former });
      }
      if (id !== null) {
        await markHead(tx, schoolId, id, true);
        await record(tx, schoolId, by, { action: 'headAppointed', membershipId: id });
      }
      await announceDirectory(tx, schoolId);
    },

    /** The name as it is now. `of` must be locked. */
    async correct(tx: Transaction, of: StoredMembership, typed: string, by: By): Promise<string> {
      const { schoolId } = of;
      const fullName = normaliseFullName(typed);
      if (fullName === of.fullName) return fullName;
      const renamed = await renamePerson(tx, of, fullName);
      await record(tx, schoolId, by, {
        action: 'memberCorrected',
        membershipId: of.id,
        groupId: of.groupId,
        before: { fullName: of.fullName },
        after: { fullName },
      });
      for (const id of renamed) await noteLikeness(tx, schoolId, id);
      await peopleChanged(tx, { schoolId, renamedIds: renamed });
      // A child's name stands on its guardians' own cards.
      const children = (await listMemberships(tx, schoolId, renamed))
        .filter((each) => each.role === 'pupil' && each.endedAt === null)
        .map((each) => each.id);
      await announceChanged(tx, schoolId, [...renamed, ...(await guardiansOf(tx, schoolId, children))]);
      return fullName;
    },
  };
}
