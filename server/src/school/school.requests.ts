import { createHash } from 'node:crypto';
import {
  CodedError,
  type InputOf,
  type LikelyChild,
  type MembershipId,
  may,
  type OutputOf,
  permissionAskedFor,
  permissions,
  type RequestedAction,
  type RequestId,
  requestLimits,
  type requestProcedures,
  type SchoolRequest,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import { joining, type Reader, type Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { createSchoolActions } from './school.actions.ts';
import { record } from './school.audit.store.ts';
import type { SchoolChanges } from './school.changes.ts';
import { seenAmong } from './school.directory.store.ts';
import { loadFacts } from './school.facts.store.ts';
import { createMovementActions } from './school.movement.actions.ts';
import { createPeopleActions } from './school.people.actions.ts';
import { directoryScopeOf, isStaff, type MemberFacts } from './school.policy.ts';
import type { HandPicked, PostToChannel } from './school.ports.ts';
import { announceRequests, stateOf } from './school.requests.announce.ts';
import { aboutOf, requireMayAsk } from './school.requests.policy.ts';
import {
  addRequest,
  closeExpired,
  closeRequest,
  countOpenRequests,
  findOpenWish,
  findRequest,
  isOpenRequest,
  listPupils,
  listRequests,
  lockAsker,
  type RequestScope,
  type StoredRequest,
} from './school.requests.store.ts';
import { requireMember, requireSelf } from './school.require.ts';
import { groupKeyOf, matchKeyOf, mayBeSamePerson } from './school.roster.names.ts';
import { describeMembers, listGroups } from './school.store.ts';

type Contract = typeof requestProcedures;

/** Refusals of the decision itself; every other says that the request fits no more. */
const ofTheDecision = new Set(['FORBIDDEN', 'VALIDATION', 'RATE_LIMITED', 'UNAVAILABLE']);

/** One wish has one spelling. A member's own verification is one wish, whatever the paper. */
const wishOf = (what: RequestedAction): string =>
  what.kind === 'ownVerification'
    ? what.kind
    : `${what.kind} ${createHash('sha256').update(canonical(what)).digest('base64url')}`;

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );

export function createRequestActions(
  { database }: Pick<Platform, 'database'>,
  changes: SchoolChanges,
  ports: { readonly postToChannel: PostToChannel; readonly handPicked: HandPicked },
) {
  /** Does what was asked for by the room's own actions, with the rights of whoever decides, in the decision's transaction. */
  async function carryOut(
    tx: Transaction,
    actor: Actor,
    request: StoredRequest,
    asker: MemberFacts,
    childId: MembershipId | undefined,
  ): Promise<void> {
    const platform = { database: joining(database, tx) };
    const people = createPeopleActions(platform, changes);
    const { what } = request;
    switch (what.kind) {
      case 'ownVerification':
        await people.verifyTeacher(actor, asker.membershipId, what.basis);
        return;
      case 'verifyTeacher':
        await people.verifyTeacher(actor, what.membershipId, what.basis);
        return;
      case 'editSchool':
        await createSchoolActions(platform, changes).updateSchool(actor, {
          as: actor.membershipId,
          ...what.card,
        });
        return;
      case 'attachTeacher': {
        const { membershipId, groupId, subject } = what;
        await people.attachTeacher(actor, {
          as: actor.membershipId,
          membershipId,
          groupId,
          ...(subject === null ? { kind: 'class' } : { kind: 'subject', subject }),
        });
        return;
      }
      case 'transferMember': {
        const { transferMembers } = createMovementActions(platform, changes, ports.handPicked);
        await transferMembers(actor, [what.membershipId], what.groupId);
        return;
      }
      case 'endMembership':
        return people.endMembership(actor, what.membershipId, what.endReason);
      case 'linkGuardian':
        return people.linkGuardian(actor, { guardianId: what.guardianId, childId: what.childId });
      case 'linkOwnChild':
        if (childId === undefined) {
          throw new CodedError('VALIDATION', { message: '/childId: says which child is meant' });
        }
        return people.linkGuardian(actor, { guardianId: asker.membershipId, childId });
      case 'post':
        return ports.postToChannel(tx, actor, {
          channel: what.channel,
          text: what.text,
          author: asker.fullName,
        });
    }
  }

  /**
   * Requests as this reader sees them: of people whom they may not see (any more) the name is left out, and staff who lost
   * their verification are not reminded of such people at all.
   */
  async function describe(
    reader: Reader,
    viewer: MemberFacts,
    rows: readonly StoredRequest[],
  ): Promise<SchoolRequest[]> {
    const { schoolId } = viewer;
    const scope = directoryScopeOf(viewer);
    const about = rows.flatMap(({ aboutId, what }) => [
      ...(aboutId === null ? [] : [aboutId]),
      ...('childId' in what ? [what.childId] : []),
    ]);
    const seen = scope === 'everybody' ? new Set(about) : await seenAmong(reader, schoolId, scope, about);
    const people = await describeMembers(reader, schoolId, [
      ...new Set([
        ...about,
        ...rows.flatMap((row) => [row.askedBy, ...(row.decidedBy === null ? [] : [row.decidedBy])]),
      ]),
    ]);
    const groupIds = [...new Set(rows.flatMap(({ what }) => ('groupId' in what ? [what.groupId] : [])))];
    const groups = new Map(
      (await listGroups(reader, schoolId, groupIds.length, groupIds)).map((group) => [group.id, group.name]),
    );
    const nameOf = (membershipId: MembershipId) => {
      const person = people.get(membershipId);
      return person === undefined ? null : { membershipId, fullName: person.fullName };
    };
    return rows.flatMap((row): SchoolRequest[] => {
      const { what, aboutId } = row;
      const askedBy = people.get(row.askedBy);
      if (askedBy === undefined) return [];
      const named = [aboutId, 'childId' in what ? what.childId : null].filter((id) => id !== null);
      if (!viewer.verified && isStaff(viewer.role) && !named.every((id) => seen.has(id))) return [];
      const member = aboutId !== null && seen.has(aboutId) ? people.get(aboutId) : undefined;
      const groupName = 'groupId' in what ? groups.get(what.groupId) : undefined;
      return [
        {
          id: row.id,
          what,
          state: stateOf(row),
          askedBy: { membershipId: row.askedBy, ...askedBy },
          member:
            member === undefined || aboutId === null
              ? null
              : { membershipId: aboutId, fullName: member.fullName, role: member.role },
          child: 'childId' in what && seen.has(what.childId) ? nameOf(what.childId) : null,
          group:
            'groupId' in what && groupName !== undefined ? { groupId: what.groupId, name: groupName } : null,
          reason: row.reason,
          createdAt: row.createdAt.toISOString(),
          expiresAt: row.expiresAt.toISOString(),
          decidedAt: row.outcome === 'expired' ? null : (row.decidedAt?.toISOString() ?? null),
          decidedBy: row.decidedBy === null ? null : nameOf(row.decidedBy),
          comment: row.comment,
        },
      ];
    });
  }

  async function describeOne(reader: Reader, viewer: MemberFacts, row: StoredRequest) {
    const [request] = await describe(reader, viewer, [row]);
    if (request === undefined) throw new Error('whoever asked has vanished');
    return request;
  }

  /** One that the actor may decide. @throws CodedError NOT_FOUND for any other */
  async function requireToDecide(reader: Reader, actor: Actor, id: RequestId, lock: boolean) {
    const self = await requireSelf(reader, actor);
    const request = await findRequest(reader, actor.schoolId, id, lock);
    if (request === undefined || !may(request.permission, self)) throw new CodedError('NOT_FOUND');
    return { self, request };
  }

  function requireOpen(request: StoredRequest): void {
    if (!isOpenRequest(request)) throw new CodedError('REQUEST_CLOSED');
  }

  return {
    createRequest: (actor: Actor, what: RequestedAction, reason: string | null): Promise<SchoolRequest> =>
      database.inTransaction(async (tx) => {
        const { schoolId, membershipId } = actor;
        const self = await requireSelf(tx, actor);
        await requireMayAsk(tx, self, what);
        await lockAsker(tx, schoolId, membershipId);
        await closeExpired(tx, schoolId, membershipId);
        const wish = wishOf(what);
        const open = await findOpenWish(tx, schoolId, membershipId, wish);
        if (open !== undefined) {
          if (canonical(open.what) !== canonical(what)) throw new CodedError('CONFLICT');
          return describeOne(tx, self, open);
        }
        const scope = { askedBy: membershipId };
        if ((await countOpenRequests(tx, schoolId, scope)) >= requestLimits.openPerMember) {
          throw new CodedError('REQUESTS_FULL');
        }
        const request = await addRequest(tx, {
          schoolId,
          id: uuid() as RequestId,
          permission: permissionAskedFor(what),
          what,
          wish,
          aboutId: aboutOf(what, membershipId),
          askedBy: membershipId,
          reason,
          expiresAt: new Date(Date.now() + requestLimits.lifeMs),
        });
        await record(tx, schoolId, actor, {
          action: 'requestMade',
          membershipId,
          after: { kind: what.kind },
        });
        await announceRequests(tx, [request]);
        return describeOne(tx, self, request);
      }),

    async listRequests(
      actor: Actor,
      input: Omit<InputOf<Contract['school.listRequests']>, 'as'>,
    ): Promise<OutputOf<Contract['school.listRequests']>> {
      const self = await requireSelf(database, actor);
      const { schoolId, membershipId } = actor;
      const { which, state, permission, after, limit = requestLimits.pageSize } = input;
      const wanted = permission === undefined ? permissions : [permission];
      const decides = wanted.filter((each) => may(each, self));
      const scope: RequestScope =
        which === 'mine'
          ? { askedBy: membershipId, ...(permission !== undefined && { permissions: wanted }) }
          : { permissions: decides };
      if (after !== undefined) {
        const place = await findRequest(database, schoolId, after);
        const known =
          place !== undefined &&
          (which === 'mine' ? place.askedBy === membershipId : decides.includes(place.permission));
        if (!known) throw new CodedError('NOT_FOUND');
      }
      const [rows, openCount] = await Promise.all([
        listRequests(database, schoolId, scope, { state, after, limit: limit + 1 }),
        countOpenRequests(database, schoolId, scope),
      ]);
      const shown = await describe(database, self, rows.slice(0, limit));
      return { requests: shown, hasMore: rows.length > limit, openCount };
    },

    async listLikelyChildren(actor: Actor, id: RequestId): Promise<LikelyChild[]> {
      const { request } = await requireToDecide(database, actor, id, false);
      const { what, schoolId } = request;
      if (what.kind !== 'linkOwnChild') throw new CodedError('NOT_FOUND');
      const [nameKey, groupKey] = [matchKeyOf(what.childName), groupKeyOf(what.groupName)];
      const pupils = (await listPupils(database, schoolId)).filter((pupil) =>
        mayBeSamePerson(matchKeyOf(pupil.fullName), nameKey),
      );
      const groupIds = [...new Set(pupils.map((pupil) => pupil.groupId))];
      const groups = await listGroups(database, schoolId, groupIds.length, groupIds);
      const names = new Map(groups.map((group) => [group.id, group.name]));
      return pupils
        .map((pupil) => {
          const groupName = names.get(pupil.groupId) ?? '';
          return { ...pupil, groupName, sameGroup: groupKeyOf(groupName) === groupKey };
        })
        .sort((one, other) => Number(other.sameGroup) - Number(one.sameGroup))
        .slice(0, requestLimits.likelyChildren);
    },

    approveRequest: (
      actor: Actor,
      input: Omit<InputOf<Contract['school.approveRequest']>, 'as'>,
    ): Promise<SchoolRequest> =>
      database.inTransaction(async (tx) => {
        const { self, request } = await requireToDecide(tx, actor, input.requestId, true);
        requireOpen(request);
        const { schoolId, askedBy, what } = request;
        if (input.childId !== undefined) await requireMember(tx, actor, input.childId);
        // Closed before it is done: what is done may look at what is open.
        const closed = await closeRequest(tx, request, {
          outcome: 'approved',
          decidedBy: actor.membershipId,
          comment: input.comment ?? null,
        });
        await record(tx, schoolId, actor, {
          action: 'requestApproved',
          membershipId: askedBy,
          after: { kind: what.kind },
        });
        try {
          const asker = (await loadFacts(tx, schoolId, [askedBy])).get(askedBy);
          if (asker === undefined) throw new CodedError('NOT_FOUND');
          // Whoever may do it themselves by now needs no leave; nobody else does what they may not even ask for.
          if (!may(request.permission, asker)) await requireAsked(tx, asker, what);
          await carryOut(tx, actor, request, asker, input.childId);
        } catch (error) {
          if (!(error instanceof CodedError) || ofTheDecision.has(error.code)) throw error;
          throw new CodedError('REQUEST_STALE', { data: { code: error.code } });
        }
        await announceRequests(tx, [closed]);
        return describeOne(tx, self, closed);
      }),

    declineRequest: (actor: Actor, id: RequestId, comment: string): Promise<SchoolRequest> =>
      database.inTransaction(async (tx) => {
        const { self, request } = await requireToDecide(tx, actor, id, true);
        requireOpen(request);
        const decidedBy = actor.membershipId;
        const closed = await closeRequest(tx, request, { outcome: 'declined', decidedBy, comment });
        await record(tx, request.schoolId, actor, {
          action: 'requestDeclined',
          membershipId: request.askedBy,
          after: { kind: request.what.kind, comment },
        });
        await announceRequests(tx, [closed]);
        return describeOne(tx, self, closed);
      }),

    withdrawRequest: (actor: Actor, id: RequestId): Promise<SchoolRequest> =>
      database.inTransaction(async (tx) => {
        const { schoolId, membershipId } = actor;
        const self = await requireSelf(tx, actor);
        const request = await findRequest(tx, schoolId, id, true);
        if (request === undefined || request.askedBy !== membershipId) throw new CodedError('NOT_FOUND');
        requireOpen(request);
        const closed = await closeRequest(tx, request, {
          outcome: 'withdrawn',
          decidedBy: membershipId,
          comment: null,
        });
        await record(tx, schoolId, actor, {
          action: 'requestWithdrawn',
          membershipId,
          before: { kind: request.what.kind },
        });
        await announceRequests(tx, [closed]);
        return describeOne(tx, self, closed);
      }),
  };
}

/** Whether it may still be asked for; that it may not is no refusal of the decision. */
async function requireAsked(tx: Transaction, asker: MemberFacts, what: RequestedAction): Promise<void> {
  try {
    await requireMayAsk(tx, asker, what);
  } catch (error) {
    if (error instanceof CodedError && error.code === 'FORBIDDEN') {
      throw new CodedError('WRONG_ROLE', { cause: error });
    }
    throw error;
  }
}

export type RequestActions = ReturnType<typeof createRequestActions>;
