import type { AccountId } from '@zvonok/shared';
import { and, eq, sql } from 'drizzle-orm';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { identityLinks } from './accounts.tables.ts';

export interface Identity {
  /** The provider's issuer identifier: a subject means nothing without it. */
  readonly issuer: string;
  readonly subject: string;
}

/** The account that this identity opens. */
export async function findLinked(
  reader: Reader,
  { issuer, subject }: Identity,
): Promise<AccountId | undefined> {
  const [row] = await queryOf(reader)
    .select({ accountId: identityLinks.accountId })
    .from(identityLinks)
    .where(and(eq(identityLinks.issuer, issuer), eq(identityLinks.subject, subject)));
  return row?.accountId;
}

/** The same, and notes that it does. */
export async function useIdentity(
  tx: Transaction,
  { issuer, subject }: Identity,
): Promise<AccountId | undefined> {
  const [row] = await tx
    .update(identityLinks)
    .set({ lastUsedAt: sql`now()` })
    .where(and(eq(identityLinks.issuer, issuer), eq(identityLinks.subject, subject)))
    .returning({ accountId: identityLinks.accountId });
  return row?.accountId;
}

/** Changes nothing where the account is another identity's of this issuer already, or the identity another account's. */
export async function linkIdentity(
  tx: Transaction,
  { issuer, subject }: Identity,
  accountId: AccountId,
): Promise<void> {
  await tx.insert(identityLinks).values({ issuer, subject, accountId }).onConflictDoNothing();
}

/** Since when an identity of this issuer opens the account. */
export async function findIdentity(
  reader: Reader,
  issuer: string,
  accountId: AccountId,
): Promise<Date | undefined> {
  const [row] = await queryOf(reader)
    .select({ createdAt: identityLinks.createdAt })
    .from(identityLinks)
    .where(and(eq(identityLinks.accountId, accountId), eq(identityLinks.issuer, issuer)));
  return row?.createdAt;
}

/** False where there was no such link. */
export async function unlinkIdentity(
  tx: Transaction,
  issuer: string,
  accountId: AccountId,
): Promise<boolean> {
  const rows = await tx
    .delete(identityLinks)
    .where(and(eq(identityLinks.accountId, accountId), eq(identityLinks.issuer, issuer)))
    .returning({ issuer: identityLinks.issuer });
  return rows.length > 0;
}

/** No identity of any issuer opens the account any more. */
export async function unlinkIdentities(tx: Transaction, accountId: AccountId): Promise<void> {
  await tx.delete(identityLinks).where(eq(identityLinks.accountId, accountId));
}
