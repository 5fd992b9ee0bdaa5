import { type AccountId, accountLimits, type MembershipId } from '@zvonok/shared';
import { and, eq, isNull, lt, lte, or, sql } from 'drizzle-orm';
import { isAmong, type Transaction } from '../platform/database.ts';
import { fromNow, type Reader } from './accounts.store.ts';
import { accounts, cards } from './accounts.tables.ts';

/** What is known of a card without holding it. */
export interface CardState {
  readonly issuedAt: Date;
  readonly lastUsedAt: Date | null;
  readonly state: 'good' | 'locked' | 'spent';
}

const stateOf = sql<CardState['state']>`case when ${cards.tries} >= ${accountLimits.cardTries} then 'spent'
  when ${cards.lockedUntil} > now() then 'locked' else 'good' end`;

export async function listCards(
  reader: Reader,
  ids: readonly AccountId[],
): Promise<Map<AccountId, CardState>> {
  if (ids.length === 0) return new Map();
  const rows = await reader
    .select({
      accountId: cards.accountId,
      issuedAt: cards.issuedAt,
      lastUsedAt: cards.lastUsedAt,
      state: stateOf,
    })
    .from(cards)
    .where(isAmong(cards.accountId, ids));
  return new Map(rows.map(({ accountId, ...card }) => [accountId, card]));
}

/** The cards that these memberships have given out. */
export async function listCardsBy(
  reader: Reader,
  issuers: readonly MembershipId[],
): Promise<{ accountId: AccountId; issuedBy: MembershipId }[]> {
  if (issuers.length === 0) return [];
  return reader
    .select({ accountId: cards.accountId, issuedBy: sql<MembershipId>`${cards.issuedBy}` })
    .from(cards)
    .where(isAmong(cards.issuedBy, issuers));
}

/** An account that signs in with a card alone. */
export async function addPhonelessAccount(tx: Transaction, id: AccountId): Promise<void> {
  await tx.insert(accounts).values({ id, phone: null });
}

/** The account must be locked. */
export async function putCard(
  tx: Transaction,
  card: { accountId: AccountId; tokenHash: string; pinHash: string; issuedBy: MembershipId },
): Promise<void> {
  await deleteCards(tx, [card.accountId]);
  await tx.insert(cards).values(card);
}

/** Answers how many there were. */
export async function deleteCards(tx: Transaction, accountIds: readonly AccountId[]): Promise<number> {
  const rows = await tx
    .delete(cards)
    .where(isAmong(cards.accountId, accountIds))
    .returning({ id: cards.accountId });
  return rows.length;
}

/**
 * Counts one try, and gives the card back where a try was left. One statement: of tries that come at once no more than
 * the allowed number are ever compared with the PIN. The last of a round locks the card beforehand.
 */
export async function countCardTry(
  tx: Transaction,
  tokenHash: string,
): Promise<{ accountId: AccountId; pinHash: string; tries: number } | undefined> {
  const isLast = sql`(${cards.tries} + 1) % ${accountLimits.cardTriesAtOnce} = 0`;
  const [row] = await tx
    .update(cards)
    .set({
      tries: sql`${cards.tries} + 1`,
      lockedUntil: sql`case when ${isLast} then ${fromNow(accountLimits.cardRestMs)} else ${cards.lockedUntil} end`,
    })
    .where(
      and(
        eq(cards.tokenHash, tokenHash),
        lt(cards.tries, accountLimits.cardTries),
        or(isNull(cards.lockedUntil), lte(cards.lockedUntil, sql`now()`)),
      ),
    )
    .returning({ accountId: cards.accountId, pinHash: cards.pinHash, tries: cards.tries });
  return row;
}

/** For how long a card is locked: null for good; undefined where there is none or it is not. */
export async function lockOf(reader: Reader, tokenHash: string): Promise<number | null | undefined> {
  const [row] = await reader
    .select({
      state: stateOf,
      ms: sql<number>`greatest(0, extract(epoch from ${cards.lockedUntil} - now()) * 1000)::float8`,
    })
    .from(cards)
    .where(eq(cards.tokenHash, tokenHash));
  if (row === undefined || row.state === 'good') return undefined;
  return row.state === 'spent' ? null : Math.ceil(row.ms);
}

/** The right PIN came: tries are counted anew. False where the card was replaced since. The account must be locked. */
export async function noteCardUse(tx: Transaction, tokenHash: string): Promise<boolean> {
  const rows = await tx
    .update(cards)
    .set({ tries: 0, lockedUntil: null, lastUsedAt: sql`now()` })
    .where(eq(cards.tokenHash, tokenHash))
    .returning({ id: cards.accountId });
  return rows.length === 1;
}
