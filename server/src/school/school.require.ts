import { CodedError, type GroupId, type MembershipId } from '@zvonok/shared';
import type { Reader, Transaction } from '../platform/database.ts';
import type { Actor } from '../platform/procedures.ts';
import { loadFacts } from './school.facts.store.ts';
import type { MemberFacts } from './school.policy.ts';
import { findOpenClass, type StoredGroup } from './school.store.ts';

/** The actor's rights as they are now: the actor itself may be a second old. */
export async function requireSelf(
  reader: Reader,
  actor: Pick<Actor, 'schoolId' | 'membershipId'>,
): Promise<MemberFacts> {
  const facts = (await loadFacts(reader, actor.schoolId, [actor.membershipId])).get(actor.membershipId);
  if (facts === undefined) throw new CodedError('FORBIDDEN');
  return facts;
}

/** An active member of the actor's school. @throws CodedError NOT_FOUND */
export async function requireMember(reader: Reader, actor: Actor, id: MembershipId): Promise<MemberFacts> {
  const facts = (await loadFacts(reader, actor.schoolId, [id])).get(id);
  if (facts === undefined) throw new CodedError('NOT_FOUND');
  return facts;
}

/** An open class of the actor's school, which stays so until the transaction ends. @throws CodedError NOT_FOUND */
export async function requireClass(tx: Transaction, actor: Actor, id: GroupId): Promise<StoredGroup> {
  const group = await findOpenClass(tx, actor.schoolId, id);
  if (group === undefined) throw new CodedError('NOT_FOUND');
  return group;
}
