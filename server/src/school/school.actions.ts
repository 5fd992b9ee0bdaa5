import { randomBytes } from 'node:crypto';
import {
  type Attachment,
  CodedError,
  type EndReason,
  type Group,
  type GroupId,
  type InputOf,
  type Invite,
  type InviteId,
  type Member,
  type MembershipId,
  type MyMembership,
  mayInGroup,
  type OutputOf,
  ownGroupsOf,
  type School,
  type SchoolId,
  schoolLimits,
  type schoolProcedures,
  standingsOf,
} from '@zvonok/shared';
import type { Accounts } from '../accounts/index.ts';
import { queryOf, type Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor, Caller } from '../platform/procedures.ts';
import { hashToken } from '../platform/tokens.ts';
import { isAuditRecordSeen, listAudit, record } from './school.audit.store.ts';
import {
  describeOwn,
  findOpenClass,
  newInviteId,
  normaliseLabel,
  type SchoolChanges,
} from './school.changes.ts';
import { isSeen, listDirectory } from './school.directory.store.ts';
import { loadFacts, requireSelf } from './school.facts.store.ts';
import { isOpen } from './school.hosting.store.ts';
import {
  addInvite,
  describeInvite,
  findInvite,
  findOpenInvite,
  findRedemption,
  listInvites,
  lockInviteByToken,
  type StoredInvite,
  useInvite,
} from './school.invites.store.ts';
import {
  auditScopeOf,
  canSeePhone,
  directoryScopeOf,
  invitePermissionOf,
  inviteScopeOf,
  isStaff,
  type MemberFacts,
  requireEverywhere,
  requireRight,
} from './school.policy.ts';
import {
  countPupils,
  describeGroup,
  describeMembers,
  describeSchool,
  findActiveMembership,
  findGroup,
  findStaffRoom,
  getSchools,
  getVerifiedAt,
  listGroups,
  wasSentAwaySince,
} from './school.store.ts';

type Contract = typeof schoolProcedures;

/** A moment that the database can hold too. @throws CodedError VALIDATION */
function momentOf(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const moment = new Date(text);
  if (!(moment.getTime() >= 0))
    throw new CodedError('VALIDATION', { message: `/${field}: is no moment of ours` });
  return moment;
}

export type SchoolActions = ReturnType<typeof createSchoolActions>;

export function createSchoolActions(
  platform: Platform,
  accounts: Pick<Accounts, 'phonesOf'>,
  changes: SchoolChanges,
) {
  const { database } = platform;

  /** An active member of the actor's school. */
  async function requireMember(tx: Transaction, actor: Actor, id: MembershipId): Promise<MemberFacts> {
    const facts = (await loadFacts(tx, actor.schoolId, [id])).get(id);
    if (facts === undefined) throw new CodedError('NOT_FOUND');
    return facts;
  }

  async function requireClass(tx: Transaction, actor: Actor, id: GroupId) {
    const group = await findOpenClass(tx, actor.schoolId, id);
    if (group === undefined) throw new CodedError('NOT_FOUND');
    return group;
  }

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

  async function findMembershipOf(
    tx: Transaction,
    schoolId: SchoolId,
    id: MembershipId,
  ): Promise<MyMembership> {
    const [membership] = await describeOwn(tx, [...(await loadFacts(tx, schoolId, [id])).values()]);
    if (membership === undefined) throw new CodedError('INVITE_INVALID');
    return membership;
  }

  const recordRedemption = (
    tx: Transaction,
    invite: StoredInvite,
    membershipId: MembershipId,
    address: string,
  ) =>
    record(
      tx,
      invite.schoolId,
      { membershipId, address },
      {
        action: 'inviteRedeemed',
        membershipId,
        inviteId: invite.id,
        groupId: invite.groupId,
        after: { role: invite.role },
      },
    );

  return {
    async getSchool(actor: Actor): Promise<{ school: School; me: MyMembership }> {
      const facts = await requireSelf(database, actor);
      const school = (await getSchools(database, [actor.schoolId])).get(actor.schoolId);
      const [me] = await describeOwn(database, [facts]);
      if (school === undefined || me === undefined) throw new CodedError('FORBIDDEN');
      return { school: describeSchool(school), me };
    },

    async listGroups(actor: Actor): Promise<Group[]> {
      const facts = await requireSelf(database, actor);
      const own = isStaff(facts.role)
        ? undefined
        : standingsOf(facts).flatMap((standing) => ownGroupsOf(standing, facts));
      const groups = await listGroups(database, actor.schoolId, schoolLimits.groupsListed, own);
      return groups.map(describeGroup);
    },

    createGroup: (actor: Actor, name: string): Promise<Group> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('manageGroups', await requireSelf(tx, actor));
        return describeGroup(await changes.createGroup(tx, actor.schoolId, name, actor));
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

    async listMembers(
      actor: Actor,
      input: Omit<InputOf<Contract['school.listMembers']>, 'as'>,
    ): Promise<{ members: Member[]; hasMore: boolean }> {
      const viewer = await requireSelf(database, actor);
      const scope = directoryScopeOf(viewer);
      const { schoolId } = actor;
      const group =
        input.groupId === undefined ? undefined : await findGroup(database, schoolId, input.groupId);
      const ownGroups = new Set(standingsOf(viewer).flatMap((standing) => ownGroupsOf(standing, viewer)));
      const seesGroup =
        input.groupId === undefined ||
        (group !== undefined && (isStaff(viewer.role) || ownGroups.has(group.id)));
      if (!seesGroup) throw new CodedError('NOT_FOUND');
      if (input.after !== undefined && !(await isSeen(database, schoolId, scope, input.after))) {
        throw new CodedError('NOT_FOUND');
      }
      const { ids, hasMore } = await listDirectory(database, schoolId, scope, {
        group,
        role: input.role,
        after: input.after,
        limit: input.limit ?? schoolLimits.membersListed,
      });
      const facts = await loadFacts(database, schoolId, ids);
      const people = ids.flatMap((id) => facts.get(id) ?? []);
      const known = people.filter((target) => canSeePhone(viewer, target));
      const phones = await accounts.phonesOf(
        queryOf(database),
        known.map((person) => person.accountId),
      );
      const shown = new Set(known.map((person) => person.membershipId));
      const members = people.map((person): Member => {
        const self = person.membershipId === viewer.membershipId;
        return {
          membershipId: person.membershipId,
          fullName: person.fullName,
          role: person.role,
          verified: person.verified,
          groupId: person.groupId,
          attachments: person.attachments.filter(
            (each) => isStaff(viewer.role) || ownGroups.has(each.groupId),
          ),
          children: person.children
            .filter((child) => self || scope === 'everybody' || ownGroups.has(child.groupId))
            .map((child) => child.membershipId),
          phone: shown.has(person.membershipId) ? (phones.get(person.accountId) ?? null) : null,
          startedAt: person.startedAt.toISOString(),
        };
      });
      return { members, hasMore };
    },

    createInvite: (
      actor: Actor,
      input: Omit<InputOf<Contract['school.createInvite']>, 'as'>,
    ): Promise<OutputOf<Contract['school.createInvite']>> =>
      database.inTransaction(async (tx) => {
        const self = await requireSelf(tx, actor);
        const permission = invitePermissionOf(input.role);
        requireRight(permission, self);
        const { schoolId, membershipId } = actor;
        const forStaff = permission === 'inviteStaff';
        if (forStaff !== (input.groupId === undefined)) {
          throw new CodedError('VALIDATION', {
            message: '/groupId: is named for pupils and guardians, and only for them',
          });
        }
        if (input.childId !== undefined && input.role !== 'guardian') {
          throw new CodedError('VALIDATION', { message: '/childId: is named for guardians only' });
        }
        const group =
          input.groupId === undefined
            ? await findStaffRoom(tx, schoolId)
            : await requireClass(tx, actor, input.groupId);
        if (group === undefined) throw new Error('a school without a staff room');
        if (!forStaff && !mayInGroup(permission, self, group.id)) throw new CodedError('FORBIDDEN');
        if (input.childId !== undefined) {
          // To name the child is to link it.
          requireEverywhere('linkGuardian', self);
          const child = await requireMember(tx, actor, input.childId);
          if (child.role !== 'pupil' || child.groupId !== group.id) throw new CodedError('NOT_FOUND');
        }
        const token = randomBytes(schoolLimits.inviteTokenBytes).toString('base64url');
        const invite = await addInvite(
          tx,
          {
            schoolId,
            id: newInviteId(),
            tokenHash: hashToken(token),
            role: input.role,
            groupId: group.id,
            childId: input.childId ?? null,
            uses: input.uses ?? 1,
            createdBy: membershipId,
          },
          input.lifeMs ?? schoolLimits.inviteLifeMs,
        );
        await record(tx, schoolId, actor, {
          action: 'inviteMade',
          inviteId: invite.id,
          groupId: group.id,
          after: { role: invite.role, uses: invite.uses, expiresAt: invite.expiresAt.toISOString() },
        });
        await changes.announceInvites(tx, schoolId, [invite]);
        return { invite: describeInvite(invite), token };
      }),

    async listInvites(actor: Actor): Promise<Invite[]> {
      const scope = inviteScopeOf(await requireSelf(database, actor));
      if (scope === undefined) throw new CodedError('FORBIDDEN');
      return (await listInvites(database, actor.schoolId, scope)).map(describeInvite);
    },

    annulInvite: (actor: Actor, inviteId: InviteId): Promise<Invite> =>
      database.inTransaction(async (tx) => {
        const scope = inviteScopeOf(await requireSelf(tx, actor));
        if (scope === undefined) throw new CodedError('FORBIDDEN');
        const { schoolId } = actor;
        await changes.annul(tx, schoolId, { scope, id: inviteId }, actor);
        const invite = await findInvite(tx, schoolId, inviteId, scope);
        if (invite === undefined) throw new CodedError('NOT_FOUND');
        return describeInvite(invite);
      }),

    annulAllInvites: (actor: Actor): Promise<number> =>
      database.inTransaction(async (tx) => {
        const scope = inviteScopeOf(await requireSelf(tx, actor));
        if (scope === undefined) throw new CodedError('FORBIDDEN');
        return (await changes.annul(tx, actor.schoolId, { scope }, actor)).length;
      }),

    async previewInvite(token: string): Promise<OutputOf<Contract['school.previewInvite']>> {
      const found = await findOpenInvite(database, hashToken(token));
      if (found === undefined) throw new CodedError('INVITE_INVALID');
      return found;
    },

    inviteIsOpen: async (token: string): Promise<boolean> =>
      (await findOpenInvite(database, hashToken(token))) !== undefined,

    /** One transaction, which holds the invite: of two that take its last use at once, one gets INVITE_INVALID. */
    redeemInvite: (
      caller: Caller,
      address: string,
      token: string,
      typedName: string,
    ): Promise<MyMembership> =>
      database.inTransaction(async (tx) => {
        const { accountId } = caller;
        const invite = await lockInviteByToken(tx, hashToken(token));
        if (invite === undefined) throw new CodedError('INVITE_INVALID');
        const { schoolId, role, groupId } = invite;
        const before = await findRedemption(tx, invite, accountId);
        if (before !== undefined) {
          // A lost reply, asked again. Whoever was sent away since does not come back by the same link.
          if (!before.active) throw new CodedError('INVITE_INVALID');
          return findMembershipOf(tx, schoolId, before.membershipId);
        }
        if (invite.state !== 'open' || !(await isOpen(tx, schoolId))) throw new CodedError('INVITE_INVALID');
        // Nor by another that was about already then, such as the link of the whole class: they need a new one.
        if (await wasSentAwaySince(tx, schoolId, accountId, invite.createdAt)) {
          throw new CodedError('INVITE_INVALID');
        }
        const group = await findGroup(tx, schoolId, groupId, 'share');
        if (group === undefined || group.archivedAt !== null) throw new CodedError('INVITE_INVALID');
        const childId = invite.childId ?? undefined;
        if (childId !== undefined && !(await loadFacts(tx, schoolId, [childId])).has(childId)) {
          throw new CodedError('INVITE_INVALID');
        }
        const existing = await findActiveMembership(tx, schoolId, accountId, role);
        if (existing !== undefined) {
          if (role === 'pupil' && existing.groupId !== groupId) throw new CodedError('GROUP_TAKEN');
          const linked =
            childId !== undefined &&
            (await changes.link(
              tx,
              { schoolId, guardianId: existing.id, childId },
              { membershipId: existing.id, address },
              invite.createdBy,
            ));
          if (!linked) throw new CodedError('ALREADY_MEMBER');
          await recordRedemption(tx, invite, existing.id, address);
          await changes.announceInvites(tx, schoolId, [await useInvite(tx, invite, accountId, existing.id)]);
          return findMembershipOf(tx, schoolId, existing.id);
        }
        const membership = await changes.enrol(tx, {
          schoolId,
          accountId,
          role,
          fullName: typedName,
          groupId: isStaff(role) ? null : groupId,
          childId,
          by: { address },
        });
        // Another invite of this person won a moment ago.
        if (membership === undefined) throw new CodedError('ALREADY_MEMBER');
        await recordRedemption(tx, invite, membership.id, address);
        await changes.announceInvites(tx, schoolId, [await useInvite(tx, invite, accountId, membership.id)]);
        return membership;
      }),

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

    async listAuditRecords(
      actor: Actor,
      input: Omit<InputOf<Contract['school.listAuditRecords']>, 'as'>,
    ): Promise<OutputOf<Contract['school.listAuditRecords']>> {
      const scope = auditScopeOf(await requireSelf(database, actor));
      const { schoolId } = actor;
      const { action, by, member, from, until, after, limit = schoolLimits.auditPageSize } = input;
      if (after !== undefined && !(await isAuditRecordSeen(database, schoolId, scope, after))) {
        throw new CodedError('NOT_FOUND');
      }
      // Whoever reads a part finds nothing of others, known or not.
      const named = scope === 'school' ? [by, member].filter((id) => id !== undefined) : [];
      if (named.length > 0) {
        const known = await describeMembers(database, schoolId, named);
        if (named.some((id) => !known.has(id))) throw new CodedError('NOT_FOUND');
      }
      const records = await listAudit(database, schoolId, scope, {
        action,
        by,
        member,
        after,
        from: momentOf('from', from),
        until: momentOf('until', until),
        limit: limit + 1,
      });
      // Where others were is for those who answer for the school.
      const shown = records.slice(0, limit).map((each) => ({
        ...each,
        address: scope === 'school' || each.by?.membershipId === actor.membershipId ? each.address : null,
      }));
      return { records: shown, hasMore: records.length > limit };
    },

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
