import {
  CodedError,
  type InputOf,
  type Member,
  type MemberCard,
  type MemberCounts,
  type MembershipId,
  may,
  ownGroupsOf,
  type peopleProcedures,
  schoolLimits,
  type schoolProcedures,
  standingsOf,
} from '@zvonok/shared';
import type { Accounts } from '../accounts/index.ts';
import { queryOf, type Reader } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import type { SchoolChanges } from './school.changes.ts';
import { countDirectory, type DirectorySearch, listDirectory, seenAmong } from './school.directory.store.ts';
import { loadFacts } from './school.facts.store.ts';
import { imitationsOf } from './school.likeness.store.ts';
import {
  findMembership,
  findVerification,
  listMemberships,
  listRelatives,
  listStays,
  type StoredMembership,
} from './school.movement.store.ts';
import {
  canSeePhone,
  directoryScopeOf,
  isStaff,
  type MemberFacts,
  phoneScopeOf,
  requireEverywhere,
} from './school.policy.ts';
import { requireSelf } from './school.require.ts';
import { matchKeyOf } from './school.roster.names.ts';
import { findGroup } from './school.store.ts';

type Contract = typeof schoolProcedures & typeof peopleProcedures;

/** What was typed, as the directory looks for it. A Russian phone is typed with +7 and with 8. */
function searchOf(typed: string, viewer: MemberFacts): DirectorySearch {
  const words = matchKeyOf(typed)
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== '');
  const digits = /^[\d\s()+-]+$/.test(typed) ? typed.replaceAll(/\D/g, '') : '';
  return {
    words,
    digits: digits.length < schoolLimits.searchDigits ? undefined : digits.replace(/^8(?=9)/, '7'),
    phonesOf: phoneScopeOf(viewer),
  };
}

export function createDirectoryActions(
  { database }: Pick<Platform, 'database'>,
  accounts: Pick<Accounts, 'phonesOf'>,
  changes: SchoolChanges,
) {
  /** @throws CodedError NOT_FOUND for a group that is absent or that this person has no business with */
  async function findSeenGroup(
    viewer: MemberFacts,
    groupId: InputOf<Contract['school.listMembers']>['groupId'],
  ) {
    if (groupId === undefined) return undefined;
    const group = await findGroup(database, viewer.schoolId, groupId);
    if (group === undefined || !(isStaff(viewer.role) || ownGroups(viewer).has(group.id))) {
      throw new CodedError('NOT_FOUND');
    }
    return group;
  }

  const ownGroups = (viewer: MemberFacts) =>
    new Set(standingsOf(viewer).flatMap((standing) => ownGroupsOf(standing, viewer)));

  const phonesOf = (ids: readonly MemberFacts['accountId'][]) => accounts.phonesOf(queryOf(database), ids);

  /** Active people as this viewer may see them, in the order given. */
  async function describe(viewer: MemberFacts, people: readonly MemberFacts[]): Promise<Member[]> {
    const seesAll = directoryScopeOf(viewer) === 'everybody';
    const own = ownGroups(viewer);
    const known = people.filter((target) => canSeePhone(viewer, target));
    const phones = await phonesOf(known.map((person) => person.accountId));
    const shown = new Set(known.map((person) => person.membershipId));
    // For those who answer for the school.
    const imitations = seesAll
      ? await imitationsOf(
          database,
          viewer.schoolId,
          people.map((person) => person.membershipId),
        )
      : new Map<MembershipId, MembershipId>();
    return people.map((person): Member => {
      const self = person.membershipId === viewer.membershipId;
      return {
        membershipId: person.membershipId,
        fullName: person.fullName,
        role: person.role,
        verified: person.verified,
        groupId: person.groupId,
        attachments: person.attachments.filter((each) => isStaff(viewer.role) || own.has(each.groupId)),
        children: [
          ...person.children
            .filter((child) => self || seesAll || own.has(child.groupId))
            .map((child) => child.membershipId),
          ...(seesAll ? person.childrenOnRecord : []),
        ],
        phone: shown.has(person.membershipId) ? (phones.get(person.accountId) ?? null) : null,
        imitates: imitations.get(person.membershipId) ?? null,
        isHead: person.isHead,
        startedAt: person.startedAt.toISOString(),
        endedAt: null,
        endReason: null,
      };
    });
  }

  /** People who are gone, for administrators: their ties counted while they were here. */
  async function describeEnded(people: readonly StoredMembership[]): Promise<Member[]> {
    const phones = await phonesOf(people.map((person) => person.accountId));
    return people.map((person) => ({
      membershipId: person.id,
      fullName: person.fullName,
      role: person.role,
      verified: false,
      groupId: person.groupId,
      attachments: [],
      children: [],
      phone: phones.get(person.accountId) ?? null,
      imitates: null,
      isHead: false,
      startedAt: person.startedAt.toISOString(),
      endedAt: person.endedAt?.toISOString() ?? null,
      endReason: person.endReason,
    }));
  }

  /** Whoever works with the whole list. @throws CodedError FORBIDDEN */
  async function requireOverview(reader: Reader, actor: Actor): Promise<MemberFacts> {
    const viewer = await requireSelf(reader, actor);
    if (directoryScopeOf(viewer) !== 'everybody') throw new CodedError('FORBIDDEN');
    return viewer;
  }

  return {
    async listMembers(
      actor: Actor,
      input: Omit<InputOf<Contract['school.listMembers']>, 'as'>,
    ): Promise<{ members: Member[]; hasMore: boolean }> {
      const viewer = await requireSelf(database, actor);
      const scope = directoryScopeOf(viewer);
      const { schoolId } = actor;
      const { filter, role, after, search } = input;
      if (filter === 'ended') requireEverywhere('moveMembers', viewer);
      else if (filter !== undefined && scope !== 'everybody') throw new CodedError('FORBIDDEN');
      const group = await findSeenGroup(viewer, input.groupId);
      const state = filter === 'ended' ? 'ended' : 'active';
      if (after !== undefined && !(await seenAmong(database, schoolId, scope, [after], state)).has(after)) {
        throw new CodedError('NOT_FOUND');
      }
      const { ids, hasMore } = await listDirectory(database, schoolId, scope, {
        group,
        role,
        filter,
        after,
        search: search === undefined ? undefined : searchOf(search, viewer),
        limit: input.limit ?? schoolLimits.membersListed,
      });
      if (state === 'ended') {
        const rows = new Map((await listMemberships(database, schoolId, ids)).map((row) => [row.id, row]));
        return { members: await describeEnded(ids.flatMap((id) => rows.get(id) ?? [])), hasMore };
      }
      const facts = await loadFacts(database, schoolId, ids);
      return {
        members: await describe(
          viewer,
          ids.flatMap((id) => facts.get(id) ?? []),
        ),
        hasMore,
      };
    },

    async countMembers(
      actor: Actor,
      input: Omit<InputOf<Contract['school.countMembers']>, 'as'>,
    ): Promise<MemberCounts> {
      const viewer = await requireOverview(database, actor);
      return countDirectory(database, actor.schoolId, {
        group: await findSeenGroup(viewer, input.groupId),
        search: input.search === undefined ? undefined : searchOf(input.search, viewer),
        countEnded: may('moveMembers', viewer),
      });
    },

    async getMember(actor: Actor, id: MembershipId): Promise<MemberCard> {
      const viewer = await requireOverview(database, actor);
      const { schoolId } = actor;
      const isAdmin = viewer.standings.includes('SA');
      const found = await findMembership(database, schoolId, id);
      // Who is gone is the administrators' business alone.
      if (found === undefined || (found.endedAt !== null && !isAdmin)) throw new CodedError('NOT_FOUND');
      const facts = await loadFacts(database, schoolId, [id]);
      const [member] =
        found.endedAt === null ? await describe(viewer, [...facts.values()]) : await describeEnded([found]);
      if (member === undefined) throw new CodedError('NOT_FOUND');
      const verification = await findVerification(database, schoolId, id);
      const relatives = async (side: 'guardians' | 'children') => {
        const people = await listRelatives(database, schoolId, id, side);
        const phones = await phonesOf(isAdmin ? people.map((each) => each.accountId) : []);
        return people.map(({ id: membershipId, fullName, groupId, accountId }) => ({
          membershipId,
          fullName,
          groupId,
          phone: phones.get(accountId) ?? null,
        }));
      };
      const restorable = found.endedAt !== null && found.endReason !== 'moved';
      const until = new Date((found.endedAt?.getTime() ?? 0) + schoolLimits.restoreMs);
      return {
        member,
        verification:
          verification === undefined
            ? null
            : {
                verifiedAt: verification.verifiedAt.toISOString(),
                by:
                  verification.byId === null || verification.byName === null
                    ? null
                    : { membershipId: verification.byId, fullName: verification.byName },
                basis: isAdmin ? verification.basis : null,
              },
        guardians: found.role === 'pupil' ? await relatives('guardians') : [],
        children: found.role === 'guardian' ? await relatives('children') : [],
        history: await listStays(database, found),
        restorableUntil: restorable && until.getTime() > Date.now() ? until.toISOString() : null,
      };
    },

    correctMember: (actor: Actor, id: MembershipId, fullName: string): Promise<string> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('moveMembers', await requireSelf(tx, actor));
        const found = await findMembership(tx, actor.schoolId, id, { lock: true });
        if (found === undefined) throw new CodedError('NOT_FOUND');
        return changes.correct(tx, found, fullName, actor);
      }),
  };
}
