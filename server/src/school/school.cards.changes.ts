import { type GroupId, type MembershipId, mayInGroup, type SchoolId } from '@zvonok/shared';
import type { Accounts } from '../accounts/index.ts';
import type { Transaction } from '../platform/database.ts';
import { type By, record } from './school.audit.store.ts';
import { loadFacts } from './school.facts.store.ts';
import { announceRegister } from './school.guardians.actions.ts';
import { lockMembers, pupilsOfAccounts } from './school.movement.store.ts';

/**
 * Ends the cards that these people gave to pupils for whom they no longer answer, with the sessions begun by them: their
 * papers went through hands that have no business with the child any more. Called once the rights are what they are now.
 */
export async function endUnfoundedCards(
  tx: Transaction,
  cards: Pick<Accounts['cards'], 'issuedBy' | 'revoke'>,
  schoolId: SchoolId,
  by: By,
  issuerIds: readonly MembershipId[],
): Promise<void> {
  // Whoever gives a card at this moment is waited for, or finds the right gone.
  await lockMembers(tx, schoolId, issuerIds);
  const given = await cards.issuedBy(tx, issuerIds);
  if (given.length === 0) return;
  const issuers = await loadFacts(tx, schoolId, issuerIds);
  const pupils = new Map(
    (
      await pupilsOfAccounts(
        tx,
        schoolId,
        given.map((card) => card.accountId),
      )
    ).map((pupil) => [pupil.accountId, pupil]),
  );
  const unfounded = given.filter(({ accountId, issuedBy }) => {
    const issuer = issuers.get(issuedBy);
    const groupId = pupils.get(accountId)?.groupId;
    return issuer === undefined || groupId === undefined || !mayInGroup('issueCards', issuer, groupId);
  });
  if (unfounded.length === 0) return;
  await cards.revoke(
    tx,
    unfounded.map((card) => card.accountId),
  );
  const ended = unfounded.flatMap((card) => pupils.get(card.accountId) ?? []);
  await record(
    tx,
    schoolId,
    by,
    ...ended.map(({ membershipId, groupId }) => ({ action: 'cardRevoked' as const, membershipId, groupId })),
  );
  for (const groupId of new Set<GroupId>(ended.map((pupil) => pupil.groupId))) {
    await announceRegister(tx, schoolId, groupId);
  }
}
