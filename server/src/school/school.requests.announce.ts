import { may, type RequestState } from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import { loadFacts } from './school.facts.store.ts';
import { isOpenRequest, type StoredRequest } from './school.requests.store.ts';
import { listByRole } from './school.store.ts';

export const stateOf = (request: StoredRequest): RequestState =>
  request.outcome ?? (isOpenRequest(request) ? 'open' : 'expired');

/** Tells whoever asked, and whoever may decide, that there is something new with these requests. */
export async function announceRequests(tx: Transaction, changed: readonly StoredRequest[]): Promise<void> {
  const [first] = changed;
  if (first === undefined) return;
  const { schoolId } = first;
  const leaders = await loadFacts(tx, schoolId, await listByRole(tx, schoolId, ['admin', 'head']));
  for (const request of changed) {
    const deciders = [...leaders.values()].filter((facts) => may(request.permission, facts));
    const ids = new Set([request.askedBy, ...deciders.map((facts) => facts.membershipId)]);
    for (const membershipId of ids) {
      tx.announce(
        eventFor(
          'school.requestChanged',
          { membership: membershipId },
          { membershipId, requestId: request.id, state: stateOf(request) },
        ),
      );
    }
  }
}
