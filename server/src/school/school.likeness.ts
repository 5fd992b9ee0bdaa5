import type { MembershipId, SchoolId } from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';
import { likenessOf } from './school.likeness.names.ts';
import { listNames, type NamedMember, toldLikenesses } from './school.likeness.store.ts';
import { raiseNotice } from './school.notices.ts';

/**
 * Tells the administrators where an active member's name could be taken for that of a verified member of staff who is
 * somebody else. Asked for whoever is new, renamed, or newly verified. A pair of which they were told is not told again:
 * honest namesakes exist, and an administrator has said so.
 */
export async function noteLikeness(tx: Transaction, schoolId: SchoolId, id: MembershipId): Promise<void> {
  const [person] = await listNames(tx, schoolId, id);
  if (person === undefined) return;
  const others = async (which: 'all' | 'verified') =>
    (await listNames(tx, schoolId, which)).filter((each) => each.accountId !== person.accountId);
  for (const original of await others('verified')) await compare(tx, schoolId, person, original);
  if (!person.verified) return;
  for (const imitator of await others('all')) await compare(tx, schoolId, imitator, person);
}

async function compare(
  tx: Transaction,
  schoolId: SchoolId,
  { membershipId, fullName }: NamedMember,
  original: NamedMember,
): Promise<void> {
  const kind = likenessOf(fullName, original.fullName);
  if (kind === undefined) return;
  const told = await toldLikenesses(tx, schoolId, [membershipId, original.membershipId]);
  // Of namesakes, that one is now written in look-alike letters is news.
  if (told.includes(kind) || told.includes('lookAlikeName')) return;
  await raiseNotice(tx, schoolId, { kind, membershipId, otherId: original.membershipId });
}
