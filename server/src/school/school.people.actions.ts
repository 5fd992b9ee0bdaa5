import {
  type Attachment,
  CodedError,
  type EndReason,
  type InputOf,
  type MembershipId,
  type schoolProcedures,
} from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import type { SchoolChanges } from './school.changes.ts';
import { loadFacts } from './school.facts.store.ts';
import { normaliseLabel } from './school.names.ts';
import { isStaff, type MemberFacts, requireEverywhere } from './school.policy.ts';
import { requireClass, requireMember, requireSelf } from './school.require.ts';
import { findGroup, getVerifiedAt, lockSchool } from './school.store.ts';

type Contract = typeof schoolProcedures;

export function createPeopleActions({ database }: Pick<Platform, 'database'>, changes: SchoolChanges) {
  async function attachmentOf(
    tx: Transaction,
    actor: Actor,
    input: InputOf<Contract['school.attachTeacher']>,
  ) {
    requireEverywhere('attachTeachers', await requireSelf(tx, actor));
    if ((input.kind === 'subject') !== (input.subject !== undefined)) {
      throw new CodedError('VALIDATION', {
        message: '/subject: is named where kind is subject, and only there',
      });
    }
    const member = await requireMember(tx, actor, input.membershipId);
    const { schoolId } = actor;
    const { membershipId, groupId, kind } = input;
    const subject = input.subject === undefined ? null : normaliseLabel(input.subject);
    return { member, attachment: { schoolId, membershipId, groupId, kind, subject } };
  }

  async function attachmentsOf(tx: Transaction, member: MemberFacts): Promise<Attachment[]> {
    const facts = await loadFacts(tx, member.schoolId, [member.membershipId]);
    return [...(facts.get(member.membershipId)?.attachments ?? [])];
  }

  async function requireGuardianAndChild(
    tx: Transaction,
    actor: Actor,
    { guardianId, childId }: { guardianId: MembershipId; childId: MembershipId },
  ): Promise<MemberFacts> {
    requireEverywhere('linkGuardian', await requireSelf(tx, actor));
    const guardian = await requireMember(tx, actor, guardianId);
    const child = await requireMember(tx, actor, childId);
    if (guardian.role !== 'guardian' || child.role !== 'pupil') throw new CodedError('WRONG_ROLE');
    return child;
  }

  return {
    attachTeacher: (actor: Actor, input: InputOf<Contract['school.attachTeacher']>): Promise<Attachment[]> =>
      database.inTransaction(async (tx) => {
        const { member, attachment } = await attachmentOf(tx, actor, input);
        await requireClass(tx, actor, input.groupId);
        if (member.role !== 'teacher') throw new CodedError('WRONG_ROLE');
        await changes.attach(tx, attachment, actor);
        return attachmentsOf(tx, member);
      }),

    detachTeacher: (actor: Actor, input: InputOf<Contract['school.detachTeacher']>): Promise<Attachment[]> =>
      database.inTransaction(async (tx) => {
        const { member, attachment } = await attachmentOf(tx, actor, input);
        if ((await findGroup(tx, actor.schoolId, input.groupId))?.kind !== 'class') {
          throw new CodedError('NOT_FOUND');
        }
        await changes.detach(tx, attachment, actor);
        return attachmentsOf(tx, member);
      }),

    linkGuardian: (actor: Actor, input: { guardianId: MembershipId; childId: MembershipId }): Promise<void> =>
      database.inTransaction(async (tx) => {
        await requireGuardianAndChild(tx, actor, input);
        const { guardianId, childId } = input;
        await changes.link(tx, { schoolId: actor.schoolId, guardianId, childId }, actor);
      }),

    unlinkGuardian: (
      actor: Actor,
      input: { guardianId: MembershipId; childId: MembershipId },
    ): Promise<void> =>
      database.inTransaction(async (tx) => {
        const child = await requireGuardianAndChild(tx, actor, input);
        const { guardianId, childId } = input;
        await changes.unlink(tx, { schoolId: actor.schoolId, guardianId, childId }, child.groupId, actor);
      }),

    verifyTeacher: (actor: Actor, id: MembershipId, basis: string): Promise<Date> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('verifyTeacher', await requireSelf(tx, actor));
        const target = await requireMember(tx, actor, id);
        // By account: a teacher who is also the administrator does not confirm themselves either.
        if (target.accountId === actor.accountId) throw new CodedError('FORBIDDEN');
        if (!isStaff(target.role)) throw new CodedError('WRONG_ROLE');
        await changes.verify(tx, target, basis, actor);
        const verifiedAt = await getVerifiedAt(tx, actor.schoolId, id);
        if (verifiedAt === undefined) throw new Error('a verification record vanished');
        return verifiedAt;
      }),

    revokeVerification: (actor: Actor, id: MembershipId, reason: string): Promise<void> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('verifyTeacher', await requireSelf(tx, actor));
        const target = await requireMember(tx, actor, id);
        if (target.accountId === actor.accountId) throw new CodedError('FORBIDDEN');
        if (!isStaff(target.role)) throw new CodedError('WRONG_ROLE');
        // The person may be an administrator too, and whoever takes the rights of one must still have their own when it is their turn.
        await lockSchool(tx, actor.schoolId);
        requireEverywhere('verifyTeacher', await requireSelf(tx, actor));
        await changes.revoke(tx, target, reason, actor);
      }),

    appointAdmin: (actor: Actor, id: MembershipId): Promise<MembershipId> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('appointAdmin', await requireSelf(tx, actor));
        const { schoolId, accountId, fullName, role, verified } = await requireMember(tx, actor, id);
        if (!isStaff(role) || !verified) throw new CodedError('WRONG_ROLE');
        const membership = await changes.enrol(tx, {
          schoolId,
          accountId,
          fullName,
          role: 'admin',
          groupId: null,
          verified: { by: actor, basis: 'appointed from verified staff' },
          by: actor,
        });
        if (membership === undefined) throw new CodedError('ALREADY_MEMBER');
        return membership.id;
      }),

    endMembership: (actor: Actor, id: MembershipId, reason: EndReason): Promise<void> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('moveMembers', await requireSelf(tx, actor));
        await changes.end(tx, await requireMember(tx, actor, id), reason, actor);
      }),
  };
}
