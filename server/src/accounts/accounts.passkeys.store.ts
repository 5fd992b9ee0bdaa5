import {
  type AccountId,
  accountLimits,
  type ChallengeId,
  type PasskeyId,
  type SessionId,
} from '@zvonok/shared';
import { and, asc, count, eq, gt, gte, isNotNull, isNull, ne, sql } from 'drizzle-orm';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { fromNow, notIdle } from './accounts.store.ts';
import { accounts, passkeyChallenges, passkeys, sessions } from './accounts.tables.ts';

export type StoredPasskey = typeof passkeys.$inferSelect;
type Purpose = (typeof passkeyChallenges.$inferSelect)['purpose'];

/** Writes a question and clears some that are over. */
export async function addPasskeyChallenge(
  tx: Transaction,
  asked: { id: ChallengeId; purpose: Purpose; challenge: string; sessionId: SessionId | null },
): Promise<{ expiresAt: Date }> {
  await tx.execute(sql`
    delete from ${passkeyChallenges} where ${passkeyChallenges.id} in (
      select ${passkeyChallenges.id} from ${passkeyChallenges}
      where ${passkeyChallenges.expiresAt} < now() limit 20 for update skip locked)`);
  const [row] = await tx
    .insert(passkeyChallenges)
    .values({ ...asked, expiresAt: fromNow(accountLimits.passkeyCeremonyMs) })
    .returning({ expiresAt: passkeyChallenges.expiresAt });
  if (row === undefined) throw new Error('a challenge was not stored');
  return row;
}

/** Takes the question away and gives back what was asked; undefined where there is none, it is over or another's. */
export async function takePasskeyChallenge(
  tx: Transaction,
  { id, purpose, sessionId }: { id: ChallengeId; purpose: Purpose; sessionId: SessionId | null },
): Promise<string | undefined> {
  const [row] = await tx
    .delete(passkeyChallenges)
    .where(
      and(
        eq(passkeyChallenges.id, id),
        eq(passkeyChallenges.purpose, purpose),
        sessionId === null ? isNull(passkeyChallenges.sessionId) : eq(passkeyChallenges.sessionId, sessionId),
        gt(passkeyChallenges.expiresAt, sql`now()`),
      ),
    )
    .returning({ challenge: passkeyChallenges.challenge });
  return row?.challenge;
}

export function listPasskeys(reader: Reader, accountId: AccountId): Promise<StoredPasskey[]> {
  return queryOf(reader)
    .select()
    .from(passkeys)
    .where(eq(passkeys.accountId, accountId))
    .orderBy(asc(passkeys.id));
}

/** How many there are. Until the transaction ends no other adds or removes one of this account. */
export async function lockPasskeys(tx: Transaction, accountId: AccountId): Promise<number> {
  await tx.select({ id: accounts.id }).from(accounts).where(eq(accounts.id, accountId)).for('update');
  const [row] = await tx.select({ count: count() }).from(passkeys).where(eq(passkeys.accountId, accountId));
  return row?.count ?? 0;
}

/** By the authenticator's own id. Of two answers at once the second waits here, and finds the counter raised. */
export async function lockPasskey(tx: Transaction, credentialId: string): Promise<StoredPasskey | undefined> {
  const [row] = await tx.select().from(passkeys).where(eq(passkeys.credentialId, credentialId)).for('update');
  return row;
}

/** Whether it is still there; it stays so until the transaction ends. */
export async function holdPasskey(tx: Transaction, id: PasskeyId): Promise<boolean> {
  const rows = await tx
    .select({ id: passkeys.id })
    .from(passkeys)
    .where(eq(passkeys.id, id))
    .for('key share');
  return rows.length > 0;
}

export async function addPasskey(
  tx: Transaction,
  passkey: Omit<typeof passkeys.$inferInsert, 'createdAt' | 'lastUsedAt'>,
): Promise<StoredPasskey> {
  const [row] = await tx.insert(passkeys).values(passkey).returning();
  if (row === undefined) throw new Error('a passkey was not stored');
  return row;
}

/** Notes a use: the authenticator's counter, and when. */
export async function usePasskey(tx: Transaction, id: PasskeyId, counter: number): Promise<void> {
  await tx.update(passkeys).set({ counter, lastUsedAt: sql`now()` }).where(eq(passkeys.id, id));
}

export async function renamePasskey(
  tx: Transaction,
  accountId: AccountId,
  id: PasskeyId,
  name: string,
): Promise<StoredPasskey | undefined> {
  const [row] = await tx
    .update(passkeys)
    .set({ name })
    .where(and(eq(passkeys.accountId, accountId), eq(passkeys.id, id)))
    .returning();
  return row;
}

/** False where this person has no such passkey. Sessions that it confirmed are no longer confirmed. */
export async function deletePasskey(tx: Transaction, accountId: AccountId, id: PasskeyId): Promise<boolean> {
  const rows = await tx
    .delete(passkeys)
    .where(and(eq(passkeys.accountId, accountId), eq(passkeys.id, id)))
    .returning({ id: passkeys.id });
  return rows.length > 0;
}

/** All of them, or those that were added since then. How many there were. */
export async function deletePasskeys(tx: Transaction, accountId: AccountId, since?: Date): Promise<number> {
  const rows = await tx
    .delete(passkeys)
    .where(
      and(
        eq(passkeys.accountId, accountId),
        since === undefined ? undefined : gte(passkeys.createdAt, since),
      ),
    )
    .returning({ id: passkeys.id });
  return rows.length;
}

/** Ends the account's sessions that this passkey began or last confirmed, but for one. Their ids. */
export async function endSessionsOfPasskey(
  tx: Transaction,
  accountId: AccountId,
  passkeyId: PasskeyId,
  allBut: SessionId,
): Promise<SessionId[]> {
  const rows = await tx
    .delete(sessions)
    .where(and(eq(sessions.accountId, accountId), eq(sessions.passkeyId, passkeyId), ne(sessions.id, allBut)))
    .returning({ id: sessions.id });
  return rows.map((row) => row.id);
}

/** From now on the session counts as confirmed, and with this passkey. False where it is over. */
export async function markSession(tx: Transaction, id: SessionId, passkeyId: PasskeyId): Promise<boolean> {
  const rows = await tx
    .update(sessions)
    .set({ passkeyId, confirmedAt: sql`now()` })
    .where(and(eq(sessions.id, id), notIdle()))
    .returning({ id: sessions.id });
  return rows.length > 0;
}

/** Whether the session has seen a passkey of this account, which the account still has. */
export async function hasPasskey(reader: Reader, accountId: AccountId, id: SessionId): Promise<boolean> {
  const rows = await queryOf(reader)
    .select({ id: sessions.id })
    .from(sessions)
    .where(
      and(eq(sessions.id, id), eq(sessions.accountId, accountId), isNotNull(sessions.passkeyId), notIdle()),
    );
  return rows.length > 0;
}
