import {
  type AccountId,
  CodedError,
  type GroupId,
  type InviteId,
  type MembershipId,
  type MyMembership,
  type Role,
  type SchoolId,
  schoolLimits,
  type Vocabulary,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Accounts } from '../accounts/index.ts';
import type { Transaction } from '../platform/database.ts';
import { eventFor, signal } from '../platform/outbound.ts';
import { type By, record } from './school.audit.store.ts';
import { createCardChanges } from './school.card.changes.ts';
import { endUnfoundedCards } from './school.cards.changes.ts';
import type { ChangeKit, NewGroup } from './school.changes.kit.ts';
import { listGroupPeople } from './school.directory.store.ts';
import { loadFacts } from './school.facts.store.ts';
import {
  addGuardianLink,
  removeGuardianLink,
  type StoredGuardianLink,
  teachersOfPupil,
} from './school.guardians.store.ts';
import {
  annulInvites,
  describeInvite,
  listUnclaimedInvites,
  type StoredInvite,
} from './school.invites.store.ts';
import { noteLikeness } from './school.likeness.ts';
import { createMovementChanges } from './school.movement.changes.ts';
import { normaliseFullName, normaliseLabel } from './school.names.ts';
import { describeOwn } from './school.own.ts';
import { type MemberFacts, mayInvite } from './school.policy.ts';
import type { PeopleChanged } from './school.ports.ts';
import { announceRequests } from './school.requests.announce.ts';
import { closeVerificationRequests } from './school.requests.store.ts';
import { createRolloverChanges } from './school.rollover.changes.ts';
import { createRosterChanges } from './school.roster.changes.ts';
import { closeGuardianEntries } from './school.roster.store.ts';
import {
  addAttachment,
  addGroup,
  addMembership,
  addSchool,
  addVerification,
  archiveGroup,
  countOtherAdmins,
  describeGroup,
  listActiveMemberships,
  listByRole,
  listVerifiedStaff,
  lockSchool,
  removeAttachment,
  revokeVerifications,
  type StoredAttachment,
  type StoredGroup,
  writeGroup,
} from './school.store.ts';

export type { NewGroup } from './school.changes.kit.ts';
export { describeOwn } from './school.own.ts';

/**
 * The ways in which a school's people change, without asking whether one may: that is the actions' part, and the
 * operator's commands need no right. Each writes, lets the neighbours follow, and announces, in the given transaction.
 */
export type SchoolChanges = ReturnType<typeof createSchoolChanges>;

export function createSchoolChanges(
  peopleChanged: PeopleChanged,
  cards: Pick<Accounts['cards'], 'issuedBy' | 'outgrow' | 'revoke'>,
) {
  /** Tells those whose rights may have changed, and the administrators whose directory did. */
  async function announceChanged(tx: Transaction, schoolId: SchoolId, ids: readonly MembershipId[]) {
    const present = await loadFacts(tx, schoolId, ids);
    if (present.size > 0) {
      tx.announce(signal({ name: 'membershipChanged', membershipIds: [...present.keys()] }));
    }
    await announceOwn(tx, present);
    await announceDirectory(tx, schoolId);
  }

  /** Shows people what their memberships are now. */
  async function announceOwn(tx: Transaction, present: ReadonlyMap<MembershipId, MemberFacts>) {
    for (const membership of await describeOwn(tx, [...present.values()])) {
      tx.announce(
        eventFor(
          'school.membershipChanged',
          { membership: membership.id },
          { membershipId: membership.id, membership },
        ),
      );
    }
  }

  async function announceDirectory(tx: Transaction, schoolId: SchoolId) {
    for (const membershipId of await listByRole(tx, schoolId, ['admin', 'head'])) {
      tx.announce(eventFor('school.peopleChanged', { membership: membershipId }, { membershipId }));
    }
  }

  /** Groups of one school. */
  async function announceGroups(tx: Transaction, groups: readonly StoredGroup[]) {
    const [first] = groups;
    if (first === undefined) return;
    const membershipIds = await listByRole(tx, first.schoolId, ['admin', 'head']);
    for (const group of groups.map(describeGroup)) {
      for (const membershipId of membershipIds) {
        tx.announce(eventFor('school.groupChanged', { membership: membershipId }, { membershipId, group }));
      }
    }
  }

  async function announceInvites(tx: Transaction, schoolId: SchoolId, invites: readonly StoredInvite[]) {
    if (invites.length === 0) return;
    const admins = await listByRole(tx, schoolId, ['admin']);
    if (invites.length > schoolLimits.invitesToldSingly) {
      for (const membershipId of new Set([...invites.map((invite) => invite.createdBy), ...admins])) {
        tx.announce(eventFor('school.invitesChanged', { membership: membershipId }, { membershipId }));
      }
      return;
    }
    for (const invite of invites) {
      for (const membershipId of new Set([invite.createdBy, ...admins])) {
        tx.announce(
          eventFor(
            'school.inviteChanged',
            { membership: membershipId },
            { membershipId, invite: describeInvite(invite) },
          ),
        );
      }
    }
  }

  async function annul(
    tx: Transaction,
    schoolId: SchoolId,
    which: Parameters<typeof annulInvites>[2],
    by: By,
  ): Promise<StoredInvite[]> {
    const annulled = await annulInvites(tx, schoolId, which, by?.membershipId ?? null);
    await record(
      tx,
      schoolId,
      by,
      ...annulled.map(({ id, groupId, role }) => ({
        action: 'inviteAnnulled' as const,
        inviteId: id,
        groupId,
        before: { role },
      })),
    );
    await announceInvites(tx, schoolId, annulled);
    return annulled;
  }

  /** Ends open invites whose makers may not make them any more; of these makers, where given. */
  async function annulUnfounded(
    tx: Transaction,
    schoolId: SchoolId,
    by: By,
    makerIds?: readonly MembershipId[],
  ): Promise<void> {
    const open = await listUnclaimedInvites(tx, schoolId, makerIds);
    const makers = await loadFacts(tx, schoolId, [...new Set(open.map((invite) => invite.createdBy))]);
    const unfounded = open.filter(({ createdBy: makerId, role, groupId }) => {
      const maker = makers.get(makerId);
      return maker === undefined || !mayInvite(maker, role, groupId);
    });
    if (unfounded.length > 0) await annul(tx, schoolId, { ids: unfounded.map(({ id }) => id) }, by);
  }

  /** See `ChangeKit`: links and papers that somebody gave by a right they no longer have must not outlive it. */
  async function endUnfounded(
    tx: Transaction,
    schoolId: SchoolId,
    by: By,
    makerIds: readonly MembershipId[],
  ): Promise<void> {
    await annulUnfounded(tx, schoolId, by, makerIds);
    await endUnfoundedCards(tx, cards, schoolId, by, makerIds);
  }

  async function verify(
    tx: Transaction,
    of: { schoolId: SchoolId; membershipId: MembershipId },
    basis: string,
    by: By,
  ): Promise<void> {
    // Whoever waits for it need not be asked again. First these, then the record: as when a request is approved.
    if (by !== null) {
      const { schoolId, membershipId } = of;
      await announceRequests(
        tx,
        await closeVerificationRequests(tx, schoolId, membershipId, by.membershipId),
      );
    }
    if (!(await addVerification(tx, { ...of, basis, verifiedBy: by?.membershipId ?? null }))) return;
    await record(tx, of.schoolId, by, {
      action: 'staffVerified',
      membershipId: of.membershipId,
      after: { basis },
    });
    await noteLikeness(tx, of.schoolId, of.membershipId);
    await peopleChanged(tx, { schoolId: of.schoolId, membershipIds: [of.membershipId] });
    await announceChanged(tx, of.schoolId, [of.membershipId]);
  }

  /**
   * Takes the verification of a person back, in each of their roles at this school: a document that was somebody else's
   * was so for all. The records of it stay. Rights follow at once, invites and cards given by them included.
   *
   * @throws CodedError LAST_ADMIN; of two administrators that revoke each other at once, one gets it
   */
  async function revoke(
    tx: Transaction,
    of: Pick<MemberFacts, 'schoolId' | 'accountId' | 'membershipId'>,
    reason: string,
    by: NonNullable<By>,
  ): Promise<void> {
    const { schoolId, accountId } = of;
    await lockSchool(tx, schoolId);
    const staff = await listVerifiedStaff(tx, schoolId, accountId);
    const ids = staff.map((each) => each.membershipId);
    if (!ids.includes(of.membershipId)) return;
    const isAdmin = staff.some((each) => each.role === 'admin');
    if (isAdmin && (await countOtherAdmins(tx, schoolId, ids)) === 0) throw new CodedError('LAST_ADMIN');
    const revocation = { revokedBy: by.membershipId, revokeReason: reason };
    const revoked = await revokeVerifications(tx, schoolId, ids, revocation);
    await record(
      tx,
      schoolId,
      by,
      ...revoked.map((membershipId) => ({
        action: 'verificationRevoked' as const,
        membershipId,
        after: { reason },
      })),
    );
    await endUnfounded(tx, schoolId, by, revoked);
    await peopleChanged(tx, { schoolId, membershipIds: revoked });
    await announceChanged(tx, schoolId, revoked);
  }

  /** Whoever is kept from a child may hold another link or code to it; who else waits for one gets a new one. */
  async function closeOtherWays(
    tx: Transaction,
    {
      schoolId,
      guardianId,
      childId,
    }: { schoolId: SchoolId; guardianId: MembershipId; childId: MembershipId },
    by: By,
  ): Promise<void> {
    await annul(tx, schoolId, { childIds: [childId] }, by);
    const people = await loadFacts(tx, schoolId, [guardianId, childId]);
    const [guardian, child] = [people.get(guardianId), people.get(childId)];
    if (guardian === undefined || child === undefined) return;
    const entryIds = await closeGuardianEntries(tx, schoolId, guardian, child);
    if (entryIds.length > 0) await annul(tx, schoolId, { entryIds }, by);
  }

  async function recordLink(
    tx: Transaction,
    link: StoredGuardianLink | undefined,
    groupId: GroupId | null,
    by: By,
  ): Promise<void> {
    if (link === undefined) return;
    const { schoolId, guardianId: membershipId, childId, limitedAt, mayBeInformed, mayBeContacted } = link;
    await record(
      tx,
      schoolId,
      by,
      limitedAt === null
        ? { action: 'guardianLinked', membershipId, groupId, after: { childId } }
        : {
            action: 'guardianLimited',
            membershipId,
            groupId,
            after: { childId, mayBeInformed, mayBeContacted },
          },
    );
  }

  /** The new membership; undefined where the person already has this role here. */
  async function enrol(
    tx: Transaction,
    person: {
      readonly schoolId: SchoolId;
      readonly accountId: AccountId;
      readonly role: Role;
      readonly fullName: string;
      readonly groupId: GroupId | null;
      /** Staff who are verified from the start: by whom and on what ground. */
      readonly verified?: { readonly by: By; readonly basis: string };
      /** A guardian's child. */
      readonly childId?: MembershipId | undefined;
      /** Who lets them in; themselves, by an invite, where an address is given instead; null: the operator. */
      readonly by: By | { readonly address: string };
    },
  ): Promise<MyMembership | undefined> {
    const { schoolId, accountId, role, groupId } = person;
    const id = uuid() as MembershipId;
    const fullName = normaliseFullName(person.fullName);
    if (!(await addMembership(tx, { schoolId, id, accountId, role, fullName, groupId }))) return undefined;
    const memberships = await listActiveMemberships(tx, accountId, { inOpenSchools: false });
    if (memberships.length > 1) await cards.outgrow(tx, accountId);
    const by =
      person.by === null || 'membershipId' in person.by ? person.by : { membershipId: id, ...person.by };
    await record(tx, schoolId, by, {
      action: 'membershipStarted',
      membershipId: id,
      groupId,
      after: { role },
    });
    if (person.verified !== undefined) {
      const { by: verifier, basis } = person.verified;
      await addVerification(tx, {
        schoolId,
        membershipId: id,
        verifiedBy: verifier?.membershipId ?? null,
        basis,
      });
      await record(tx, schoolId, verifier, { action: 'staffVerified', membershipId: id, after: { basis } });
    }
    if (person.childId !== undefined) {
      const link = { schoolId, guardianId: id, childId: person.childId, linkedBy: null };
      await recordLink(tx, await addGuardianLink(tx, link), groupId, by);
    }
    await noteLikeness(tx, schoolId, id);
    tx.announce(signal({ name: 'membershipsStarted', accountId }));
    await peopleChanged(tx, { schoolId, membershipIds: [id] });
    const [membership] = await describeOwn(tx, [...(await loadFacts(tx, schoolId, [id])).values()]);
    if (membership === undefined) throw new Error('a membership vanished in the transaction that made it');
    tx.announce(eventFor('school.membershipStarted', { account: accountId }, { membership }));
    await announceDirectory(tx, schoolId);
    return membership;
  }

  async function createGroup(
    tx: Transaction,
    schoolId: SchoolId,
    { name, year = null, kind = 'class' }: NewGroup,
    by: By,
  ): Promise<StoredGroup> {
    const group = await addGroup(tx, {
      schoolId,
      id: uuid() as GroupId,
      name: normaliseLabel(name),
      kind,
      year,
    });
    if (group === undefined) throw new CodedError('NAME_TAKEN');
    await record(tx, schoolId, by, {
      action: 'groupCreated',
      groupId: group.id,
      after: { name: group.name, kind, year },
    });
    await peopleChanged(tx, { schoolId, groupIds: [group.id] });
    await announceGroups(tx, [group]);
    return group;
  }

  const kit: ChangeKit = {
    cards,
    peopleChanged,
    announceChanged,
    announceOwn,
    announceDirectory,
    announceGroups,
    createGroup,
    annul,
    endUnfounded,
  };
  const movement = createMovementChanges(kit, enrol);

  return {
    announceInvites,
    closeOtherWays,
    announceChanged,
    annul,
    createGroup,
    enrol,
    revoke,
    verify,
    ...createCardChanges(peopleChanged, annulUnfounded),
    ...createRosterChanges(peopleChanged, { groups: announceGroups, changed: announceChanged }),
    ...movement,
    ...createRolloverChanges(kit, movement),

    /** A school with its staff room, its channels (by the neighbours) and its first administrator. */
    async createSchool(
      tx: Transaction,
      school: {
        readonly name: string;
        readonly vocabulary?: Vocabulary;
        readonly address?: string;
        readonly admin: { readonly accountId: AccountId; readonly fullName: string };
        readonly basis: string;
      },
    ): Promise<{ schoolId: SchoolId; admin: MyMembership }> {
      const schoolId = uuid() as SchoolId;
      const vocabulary = school.vocabulary ?? 'school';
      await addSchool(tx, { id: schoolId, name: school.name, vocabulary, address: school.address ?? null });
      await peopleChanged(tx, { schoolId, schoolCreated: true });
      await record(tx, schoolId, null, { action: 'schoolCreated', after: { name: school.name, vocabulary } });
      await createGroup(
        tx,
        schoolId,
        { name: vocabulary === 'school' ? 'Учительская' : 'Сотрудники', kind: 'staff' },
        null,
      );
      const admin = await enrol(tx, {
        schoolId,
        ...school.admin,
        role: 'admin',
        groupId: null,
        verified: { by: null, basis: school.basis },
        by: null,
      });
      if (admin === undefined) throw new Error('a new school has members already');
      return { schoolId, admin };
    },

    /** The group must be locked for update. @throws CodedError NAME_TAKEN */
    async updateGroup(
      tx: Transaction,
      group: StoredGroup,
      given: Partial<Pick<NewGroup, 'name' | 'year'>>,
      by: By,
    ): Promise<StoredGroup> {
      const name = given.name === undefined ? group.name : normaliseLabel(given.name);
      const year = given.year === undefined ? group.year : given.year;
      if (name === group.name && year === group.year) return group;
      const changed = await writeGroup(tx, group, { name, year });
      if (changed === undefined) throw new CodedError('NAME_TAKEN');
      await record(tx, group.schoolId, by, {
        action: 'groupChanged',
        groupId: group.id,
        before: { name: group.name, year: group.year },
        after: { name, year },
      });
      await peopleChanged(tx, { schoolId: group.schoolId, groupIds: [group.id] });
      await announceGroups(tx, [changed]);
      // They carry its name.
      await announceChanged(tx, group.schoolId, await listGroupPeople(tx, group.schoolId, group.id));
      return changed;
    },

    async archiveGroup(tx: Transaction, group: StoredGroup, by: By): Promise<StoredGroup> {
      const archived = await archiveGroup(tx, group.schoolId, group.id);
      if (archived === undefined) return group;
      await record(tx, group.schoolId, by, {
        action: 'groupArchived',
        groupId: group.id,
        before: { name: group.name },
      });
      await annul(tx, group.schoolId, { groupIds: [group.id] }, by);
      await peopleChanged(tx, { schoolId: group.schoolId, groupIds: [group.id] });
      await announceGroups(tx, [archived]);
      return archived;
    },

    /** False where the attachment was there. */
    async attach(
      tx: Transaction,
      attachment: StoredAttachment,
      by: By,
      /** Whose right it was, where somebody else used it: who made the invite. */
      attachedBy: MembershipId | null = by?.membershipId ?? null,
    ): Promise<boolean> {
      if (!(await addAttachment(tx, attachment, attachedBy))) return false;
      const { schoolId, membershipId, groupId, kind, subject } = attachment;
      await record(tx, schoolId, by, {
        action: 'teacherAttached',
        membershipId,
        groupId,
        after: { kind, subject },
      });
      await peopleChanged(tx, { schoolId, groupIds: [groupId], membershipIds: [membershipId] });
      await announceChanged(tx, schoolId, [membershipId]);
      return true;
    },

    async detach(tx: Transaction, attachment: StoredAttachment, by: By): Promise<void> {
      if (!(await removeAttachment(tx, attachment))) return;
      const { schoolId, membershipId, groupId, kind, subject } = attachment;
      await record(tx, schoolId, by, {
        action: 'teacherDetached',
        membershipId,
        groupId,
        before: { kind, subject },
      });
      await endUnfounded(tx, schoolId, by, [membershipId]);
      await peopleChanged(tx, { schoolId, groupIds: [groupId], membershipIds: [membershipId] });
      await announceChanged(tx, schoolId, [membershipId]);
    },

    /** False where the link was there. */
    async link(
      tx: Transaction,
      link: { schoolId: SchoolId; guardianId: MembershipId; childId: MembershipId },
      by: By,
      /** Whose right it was, where somebody else used it: who made the invite. */
      linkedBy: MembershipId | null = by?.membershipId ?? null,
    ): Promise<boolean> {
      const added = await addGuardianLink(tx, { ...link, linkedBy });
      if (added === undefined) return false;
      await recordLink(tx, added, null, by);
      const { schoolId, guardianId, childId } = link;
      await peopleChanged(tx, { schoolId, membershipIds: [guardianId] });
      await announceChanged(tx, schoolId, [guardianId, ...(await teachersOfPupil(tx, schoolId, childId))]);
      return true;
    },

    async unlink(
      tx: Transaction,
      link: { schoolId: SchoolId; guardianId: MembershipId; childId: MembershipId },
      groupId: GroupId | null,
      by: By,
    ): Promise<void> {
      const { schoolId, guardianId, childId } = link;
      if (!(await removeGuardianLink(tx, schoolId, guardianId, childId))) return;
      await record(tx, schoolId, by, {
        action: 'guardianUnlinked',
        membershipId: guardianId,
        groupId,
        before: { childId },
      });
      await closeOtherWays(tx, link, by);
      await peopleChanged(tx, {
        schoolId,
        membershipIds: [guardianId],
        // The guardian has no tie to the child's group any more, so nobody would look there.
        groupIds: groupId === null ? [] : [groupId],
      });
      await announceChanged(tx, schoolId, [guardianId, ...(await teachersOfPupil(tx, schoolId, childId))]);
    },
  };
}

export const newInviteId = (): InviteId => uuid() as InviteId;
