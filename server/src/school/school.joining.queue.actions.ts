import {
  CodedError,
  type InputOf,
  type InviteId,
  type JoinRequest,
  type JoinRequestId,
  joiningLimits,
  type joiningProcedures,
  type MembershipId,
  may,
  type OutputOf,
} from '@zvonok/shared';
import type { Accounts } from '../accounts/index.ts';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { record } from './school.audit.store.ts';
import type { SchoolChanges } from './school.changes.ts';
import { seenAmong } from './school.directory.store.ts';
import { loadFacts } from './school.facts.store.ts';
import { addRedemption, findInvite, isWithdrawn } from './school.invites.store.ts';
import { announceJoinRequest } from './school.joining.requests.ts';
import {
  countQueue,
  describeAsked,
  findQueued,
  listNamesakes,
  listQueue,
  type Namesake,
  type QueuedRequest,
  type QueueScope,
  type StoredJoinRequest,
  writeDecision,
} from './school.joining.store.ts';
import {
  decidePermissionOf,
  directoryScopeOf,
  type MemberFacts,
  mayDecide,
  queueScopeOf,
  requireEverywhere,
} from './school.policy.ts';
import { requireClass, requireMember, requireSelf } from './school.require.ts';
import type { RosterClaims } from './school.roster.claims.ts';
import {
  findRosterEntry,
  findRosterMatches,
  listRosterMatches,
  type RosterMatch,
} from './school.roster.store.ts';
import { listGroups } from './school.store.ts';

type Contract = typeof joiningProcedures;
type Approval = Omit<InputOf<Contract['school.approveJoinRequest']>, 'as'>;

interface Decider {
  readonly self: MemberFacts;
  readonly scope: QueueScope;
}

/** The queue of those who ask to be let in. */
export function createJoinQueueActions(
  { database }: Pick<Platform, 'database'>,
  accounts: Pick<Accounts, 'phonesOf'>,
  changes: Pick<SchoolChanges, 'attach' | 'enrol'>,
  claims: Pick<RosterClaims, 'claim'>,
) {
  /** The caller, and which requests are theirs to decide. @throws CodedError FORBIDDEN */
  async function requireDecider(reader: Reader, actor: Actor): Promise<Decider> {
    const self = await requireSelf(reader, actor);
    const scope = queueScopeOf(self);
    if (scope === undefined) throw new CodedError('FORBIDDEN');
    return { self, scope };
  }

  /** Locked and still to be decided: of two who decide it at once, one gets CONFLICT. */
  async function requireOpen(
    tx: Transaction,
    actor: Actor,
    scope: QueueScope,
    id: JoinRequestId,
  ): Promise<StoredJoinRequest> {
    const request = await findQueued(tx, actor.schoolId, scope, id, 'lock');
    if (request === undefined) throw new CodedError('NOT_FOUND');
    return request;
  }

  const matchesOf = (reader: Reader, request: StoredJoinRequest): Promise<RosterMatch[]> =>
    findRosterMatches(reader, request.schoolId, request);

  async function seenBy(self: MemberFacts, known: readonly Namesake[]): Promise<readonly Namesake[]> {
    const scope = directoryScopeOf(self);
    if (scope === 'everybody') return known;
    const ids = known.map((each) => each.membershipId);
    const seen = await seenAmong(database, self.schoolId, scope, ids);
    return known.filter((each) => seen.has(each.membershipId));
  }

  async function describe(
    actor: Actor,
    { self, scope }: Decider,
    queued: readonly QueuedRequest[],
  ): Promise<JoinRequest[]> {
    const { schoolId } = actor;
    const open = queued.map((each) => each.request).filter((request) => request.state === 'open');
    const [phones, known, likely] = await Promise.all([
      may('seeContacts', self)
        ? accounts.phonesOf(
            queryOf(database),
            queued.map((each) => each.request.accountId),
          )
        : new Map<never, string>(),
      listNamesakes(database, schoolId, open),
      listRosterMatches(database, schoolId, open),
    ]);
    // Who decides for their own classes alone reads nothing here of the people of others.
    const found =
      scope.pupils === 'all' ? likely : likely.map((each) => each.filter((match) => match.inGroup));
    const namesakes = await seenBy(self, known);
    const matches = new Map(open.map((request, index) => [request.id, found[index] ?? []]));
    const groupIds = [...new Set(found.flatMap((each) => each.flatMap(({ groupId }) => groupId ?? [])))];
    const groups = await listGroups(database, schoolId, groupIds.length, groupIds);
    const nameOf = (id: string | null) => groups.find((group) => group.id === id)?.name ?? null;
    return queued.map(({ request, groupName, decider }): JoinRequest => {
      const isOpen = request.state === 'open';
      return {
        ...describeAsked(request),
        group:
          request.groupId === null || groupName === null
            ? null
            : { groupId: request.groupId, name: groupName },
        phone: phones.get(request.accountId as never) ?? null,
        inviteId: request.inviteId,
        matches: (matches.get(request.id) ?? []).map(({ groupId, ...match }) => ({
          ...match,
          groupName: nameOf(groupId),
        })),
        namesakes: isOpen ? namesakesOf(request, namesakes) : [],
        decidedAt: request.decidedAt?.toISOString() ?? null,
        decidedBy:
          request.decidedBy === null || decider === null
            ? null
            : { membershipId: request.decidedBy, fullName: decider },
      };
    });
  }

  /** Makes the applicant the person of the roster that the decider took them for. */
  async function letInByRoster(
    tx: Transaction,
    actor: Actor,
    self: MemberFacts,
    request: StoredJoinRequest,
    { entryId }: { readonly entryId: NonNullable<Approval['entryId']> },
  ): Promise<MembershipId> {
    const entry = await findRosterEntry(tx, actor.schoolId, entryId);
    if (entry === undefined) throw new CodedError('NOT_FOUND');
    // A class teacher takes an applicant for somebody of the class alone, and for nobody of another name.
    const allowed =
      may(decidePermissionOf(entry.role), self) ||
      (entry.role === request.role &&
        mayDecide(self, entry.role, request.groupId) &&
        (await matchesOf(tx, request)).some((match) => match.entryId === entryId && match.inGroup));
    if (!allowed) throw new CodedError('FORBIDDEN');
    const { schoolId, accountId } = request;
    const membership = await claims.claim(tx, {
      schoolId,
      entryId,
      accountId,
      address: actor.address,
      by: actor,
    });
    if (membership === undefined) throw new CodedError('CONFLICT');
    return membership.id;
  }

  /** Makes the applicant what and where the decider says. */
  async function letIn(
    tx: Transaction,
    actor: Actor,
    self: MemberFacts,
    request: StoredJoinRequest,
    { groupId, childId, ...given }: Approval,
  ): Promise<MembershipId> {
    const role = given.role ?? request.role;
    const ofClass = role === 'pupil' || role === 'guardian';
    if (ofClass !== (groupId !== undefined)) {
      throw new CodedError('VALIDATION', {
        message: '/groupId: is named for pupils and guardians, and only for them',
      });
    }
    if (childId !== undefined && role !== 'guardian') {
      throw new CodedError('VALIDATION', { message: '/childId: is named for guardians only' });
    }
    if (!mayDecide(self, role, groupId ?? null)) throw new CodedError('FORBIDDEN');
    if (childId !== undefined) requireEverywhere('linkGuardian', self);
    const { schoolId, accountId, fullName } = request;
    const membership = await changes.enrol(tx, {
      schoolId,
      accountId,
      role,
      fullName,
      groupId: groupId ?? null,
      childId,
      by: actor,
    });
    if (membership === undefined) throw new CodedError('ALREADY_MEMBER');
    return membership.id;
  }

  /** What the invite by which they asked says besides. */
  async function keepInvite(
    tx: Transaction,
    actor: Actor,
    request: StoredJoinRequest,
    inviteId: InviteId,
    membershipId: MembershipId,
  ): Promise<void> {
    const { schoolId, accountId, onRoster } = request;
    const invite = await findInvite(tx, schoolId, inviteId, 'all');
    if (invite === undefined) throw new Error('an invite vanished');
    await addRedemption(tx, invite, { accountId, membershipId, onRoster });
    const { groupId, subject } = invite;
    const role = (await loadFacts(tx, schoolId, [membershipId])).get(membershipId)?.role;
    // Approved as a person; what the school has taken back with the invite since, nobody gets by it.
    if (subject !== null && role === 'teacher' && !(await isWithdrawn(tx, invite))) {
      await changes.attach(tx, { schoolId, membershipId, groupId, kind: 'subject', subject }, actor);
    }
  }

  return {
    async listJoinRequests(
      actor: Actor,
      input: Omit<InputOf<Contract['school.listJoinRequests']>, 'as'>,
    ): Promise<OutputOf<Contract['school.listJoinRequests']>> {
      const { self, scope } = await requireDecider(database, actor);
      const { schoolId } = actor;
      const { state, after, limit = joiningLimits.pageSize } = input;
      if (after !== undefined && (await findQueued(database, schoolId, scope, after)) === undefined) {
        throw new CodedError('NOT_FOUND');
      }
      const [queued, openCount] = await Promise.all([
        listQueue(database, schoolId, scope, { state, after, limit: limit + 1 }),
        countQueue(database, schoolId, scope),
      ]);
      return {
        requests: await describe(actor, { self, scope }, queued.slice(0, limit)),
        hasMore: queued.length > limit,
        openCount,
      };
    },

    approveJoinRequest: (actor: Actor, input: Approval): Promise<MembershipId> =>
      database.inTransaction(async (tx) => {
        const { self, scope } = await requireDecider(tx, actor);
        const request = await requireOpen(tx, actor, scope, input.requestId);
        // A class teacher lets others in, not themselves: an administrator could invite themselves anyway.
        if (request.accountId === self.accountId && !may(decidePermissionOf(request.role), self)) {
          throw new CodedError('FORBIDDEN');
        }
        const { role, groupId, childId, entryId } = input;
        // What is absent or of another school is nothing, whatever else is wrong.
        if (groupId !== undefined) await requireClass(tx, actor, groupId);
        const child = childId === undefined ? undefined : await requireMember(tx, actor, childId);
        if (entryId !== undefined && (await findRosterEntry(tx, actor.schoolId, entryId)) === undefined) {
          throw new CodedError('NOT_FOUND');
        }
        if (child !== undefined && (child.role !== 'pupil' || child.groupId !== groupId)) {
          throw new CodedError('NOT_FOUND');
        }
        if (entryId !== undefined && (role ?? groupId ?? childId) !== undefined) {
          throw new CodedError('VALIDATION', { message: '/entryId: says role and class by itself' });
        }
        if (request.state !== 'open') throw new CodedError('CONFLICT');
        const membershipId =
          entryId === undefined
            ? await letIn(tx, actor, self, request, input)
            : await letInByRoster(tx, actor, self, request, { entryId });
        await writeDecision(tx, request, { state: 'approved', membershipId }, actor.membershipId);
        if (request.inviteId !== null) await keepInvite(tx, actor, request, request.inviteId, membershipId);
        await record(tx, actor.schoolId, actor, {
          action: 'joinRequestApproved',
          membershipId,
          groupId: groupId ?? request.groupId,
          before: { role: request.role },
          after: { requestId: request.id },
        });
        await announceJoinRequest(tx, request);
        return membershipId;
      }),

    declineJoinRequest: (actor: Actor, id: JoinRequestId, reason: string): Promise<void> =>
      database.inTransaction(async (tx) => {
        const { scope } = await requireDecider(tx, actor);
        const request = await requireOpen(tx, actor, scope, id);
        if (request.state !== 'open') throw new CodedError('CONFLICT');
        await writeDecision(tx, request, { state: 'declined', reason }, actor.membershipId);
        await record(tx, actor.schoolId, actor, {
          action: 'joinRequestDeclined',
          groupId: request.groupId,
          before: { role: request.role },
          after: { requestId: request.id },
        });
        await announceJoinRequest(tx, request);
      }),
  };
}

export type JoinQueueActions = ReturnType<typeof createJoinQueueActions>;

function namesakesOf(request: StoredJoinRequest, known: readonly Namesake[]): JoinRequest['namesakes'] {
  return known
    .filter((each) => each.fullName === request.fullName || each.accountId === request.accountId)
    .slice(0, joiningLimits.namesakesAnswered)
    .map(({ membershipId, role, groupName, accountId }) => ({
      membershipId,
      role,
      groupName,
      own: accountId === request.accountId,
    }));
}
