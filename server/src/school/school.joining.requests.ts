import { CodedError, type JoinRequestId, joiningLimits, type MembershipId } from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import { loadFacts } from './school.facts.store.ts';
import { teachersOf } from './school.guardians.store.ts';
import {
  addJoinRequest,
  countRequestsOfDay,
  findPause,
  listOwnRequests,
  type NewJoinRequest,
  type StoredJoinRequest,
} from './school.joining.store.ts';
import { normaliseFullName } from './school.names.ts';
import { mayDecide } from './school.policy.ts';
import { findActiveMembership, listByRole } from './school.store.ts';

/**
 * Puts somebody's wish to join before those who decide it.
 *
 * @throws CodedError ALREADY_MEMBER; CONFLICT where the same is open already; ASKED_TOO_SOON after a refusal; RATE_LIMITED
 */
export async function askToJoin(
  tx: Transaction,
  asked: Omit<NewJoinRequest, 'id'>,
): Promise<StoredJoinRequest> {
  const { schoolId, accountId, role } = asked;
  const fullName = normaliseFullName(asked.fullName);
  if ((await findActiveMembership(tx, schoolId, accountId, role)) !== undefined) {
    throw new CodedError('ALREADY_MEMBER');
  }
  const until = await findPause(tx, schoolId, accountId, role);
  if (until !== undefined) throw new CodedError('ASKED_TOO_SOON', { data: { until: until.toISOString() } });
  const { made, retryAfterMs } = await countRequestsOfDay(tx, accountId);
  if (made >= joiningLimits.requestsPerDay) throw new CodedError('RATE_LIMITED', { retryAfterMs });
  const request = await addJoinRequest(tx, { ...asked, fullName, id: uuid() as JoinRequestId });
  if (request === undefined) throw new CodedError('CONFLICT');
  await announceJoinRequest(tx, request);
  return request;
}

/** Tells the sender how the request stands, and those who decide it that their queue is another. */
export async function announceJoinRequest(
  tx: Transaction,
  { schoolId, accountId, id, role, groupId }: StoredJoinRequest,
): Promise<void> {
  for (const request of await listOwnRequests(tx, accountId, id)) {
    tx.announce(eventFor('school.joinRequestChanged', { account: accountId }, { request }));
  }
  const candidates: MembershipId[] = [
    ...(await listByRole(tx, schoolId, ['admin'])),
    ...(groupId === null ? [] : await teachersOf(tx, schoolId, [groupId], 'class')),
  ];
  for (const facts of (await loadFacts(tx, schoolId, candidates)).values()) {
    if (!mayDecide(facts, role, groupId)) continue;
    const { membershipId } = facts;
    tx.announce(eventFor('school.joinQueueChanged', { membership: membershipId }, { membershipId }));
  }
}
