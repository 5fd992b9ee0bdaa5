import {
  type AccountId,
  accountLimits,
  type ChallengeId,
  type PasskeyId,
  type SessionId,
} from '@zvonok/shared';
import { and, asc, desc, eq, gt, isNull, lt, max, ne, not, or, sql } from 'drizzle-orm';
import { type Database, isAmong, type Transaction } from '../platform/database.ts';
import { accounts, codeChallenges, sessions } from './accounts.tables.ts';

/** Reads outside a transaction or within one. */
export type Reader = Database['db'] | Transaction;

/** `now()` plus so many milliseconds: every time is the database's, whichever node asks. */
export const fromNow = (ms: number) => sql`now() + make_interval(secs => ${ms / 1_000})`;
export const notIdle = () =>
  and(
    gt(sessions.lastUsedAt, fromNow(-accountLimits.sessionIdleMs)),
    or(not(sessions.shared), gt(sessions.lastUsedAt, fromNow(-accountLimits.sharedIdleMs))),
  );

export interface StoredAccount {
  readonly id: AccountId;
  /** Null: a child who signs in with a card. */
  readonly phone: string | null;
  readonly createdAt: Date;
}

export async function findAccount(reader: Reader, id: AccountId): Promise<StoredAccount | undefined> {
  const [row] = await reader.select().from(accounts).where(eq(accounts.id, id));
  return row;
}

export async function findAccountByPhone(reader: Reader, phone: string): Promise<StoredAccount | undefined> {
  const [row] = await reader.select().from(accounts).where(eq(accounts.phone, phone));
  return row;
}

/** Holds the account until the transaction ends: its sessions begin and end one after the other. */
export async function lockAccount(tx: Transaction, id: AccountId): Promise<StoredAccount | undefined> {
  const [row] = await tx.select().from(accounts).where(eq(accounts.id, id)).for('update');
  return row;
}

/** The accounts stay as they are until the transaction ends; in order of id, so that two who lock several never deadlock. */
export async function lockAccounts(tx: Transaction, ids: readonly AccountId[]): Promise<void> {
  await tx
    .select({ id: accounts.id })
    .from(accounts)
    .where(isAmong(accounts.id, ids))
    .orderBy(asc(accounts.id))
    .for('update');
}

/** The account of this phone, made under the given id if there is none. Two at once get the same one. */
export async function ensureAccount(tx: Transaction, id: AccountId, phone: string): Promise<StoredAccount> {
  await tx.insert(accounts).values({ id, phone }).onConflictDoNothing({ target: accounts.phone });
  const account = await findAccountByPhone(tx, phone);
  if (account === undefined) throw new Error('an account vanished in the transaction that made it');
  return account;
}

/** When any of these accounts was last here; undefined where none ever was. */
export async function lastSeenAt(reader: Reader, ids: readonly AccountId[]): Promise<Date | undefined> {
  if (ids.length === 0) return undefined;
  const [row] = await reader
    .select({ at: max(accounts.lastSeenAt) })
    .from(accounts)
    .where(isAmong(accounts.id, ids));
  return row?.at ?? undefined;
}

/** The phones of accounts, by account. */
export async function phonesOf(reader: Reader, ids: readonly AccountId[]): Promise<Map<AccountId, string>> {
  if (ids.length === 0) return new Map();
  const rows = await reader
    .select({ id: accounts.id, phone: accounts.phone })
    .from(accounts)
    .where(isAmong(accounts.id, ids));
  return new Map(rows.flatMap(({ id, phone }) => (phone === null ? [] : [[id, phone] as const])));
}

/** Writes a challenge and clears some that are over. */
export async function addChallenge(
  tx: Transaction,
  challenge: {
    id: ChallengeId;
    phone: string;
    sessionId: SessionId | null;
    codeHash: string;
    mayRegister: boolean;
  },
): Promise<{ expiresAt: Date }> {
  await tx.execute(sql`
    delete from ${codeChallenges} where ${codeChallenges.id} in (
      select ${codeChallenges.id} from ${codeChallenges}
      where ${codeChallenges.expiresAt} < now() limit 20 for update skip locked)`);
  const [row] = await tx
    .insert(codeChallenges)
    .values({ ...challenge, expiresAt: fromNow(accountLimits.codeLifeMs) })
    .returning({ expiresAt: codeChallenges.expiresAt });
  if (row === undefined) throw new Error('a challenge was not stored');
  return row;
}

export interface CountedChallenge {
  readonly phone: string;
  readonly codeHash: string;
  readonly mayRegister: boolean;
}

/**
 * Counts one try, and gives the challenge back where a try was left. One statement: of tries that come at once no more
 * than the allowed number are ever compared with the code. `sessionId`: what it must have been asked for; null: to sign
 * in. One that was asked for something else counts nothing and is not there.
 */
export async function countTry(
  tx: Transaction,
  id: ChallengeId,
  sessionId: SessionId | null,
): Promise<CountedChallenge | undefined> {
  const [row] = await tx
    .update(codeChallenges)
    .set({ tries: sql`${codeChallenges.tries} + 1` })
    .where(
      and(
        eq(codeChallenges.id, id),
        sessionId === null ? isNull(codeChallenges.sessionId) : eq(codeChallenges.sessionId, sessionId),
        lt(codeChallenges.tries, accountLimits.codeTries),
        gt(codeChallenges.expiresAt, sql`now()`),
        sql`${codeChallenges.usedAt} is null`,
      ),
    )
    .returning({
      phone: codeChallenges.phone,
      codeHash: codeChallenges.codeHash,
      mayRegister: codeChallenges.mayRegister,
    });
  return row;
}

/** Burns the challenge. False where another request has burned it. */
export async function burnChallenge(tx: Transaction, id: ChallengeId): Promise<boolean> {
  const burned = await tx
    .update(codeChallenges)
    .set({ usedAt: sql`now()` })
    .where(and(eq(codeChallenges.id, id), sql`${codeChallenges.usedAt} is null`))
    .returning({ id: codeChallenges.id });
  return burned.length === 1;
}

/** Burns every open challenge of the phone, whatever it was asked for. */
export async function burnChallengesOf(tx: Transaction, phone: string): Promise<void> {
  await tx
    .update(codeChallenges)
    .set({ usedAt: sql`now()` })
    .where(and(eq(codeChallenges.phone, phone), isNull(codeChallenges.usedAt)));
}

export interface StoredSession {
  readonly id: SessionId;
  readonly accountId: AccountId;
  readonly carrier: 'cookie' | 'bearer';
  readonly deviceName: string;
  readonly createdAt: Date;
  readonly rotatedAt: Date;
  readonly lastUsedAt: Date;
  /** The passkey that it was begun or last confirmed with; null without one, and once that one is removed. */
  readonly passkeyId: PasskeyId | null;
  readonly byCard: boolean;
  readonly shared: boolean;
}

const sessionColumns = {
  id: sessions.id,
  accountId: sessions.accountId,
  carrier: sessions.carrier,
  deviceName: sessions.deviceName,
  createdAt: sessions.createdAt,
  rotatedAt: sessions.rotatedAt,
  lastUsedAt: sessions.lastUsedAt,
  passkeyId: sessions.passkeyId,
  byCard: sessions.byCard,
  shared: sessions.shared,
};

/** Signing in confirms it. */
export async function addSession(
  tx: Transaction,
  session: Pick<
    StoredSession,
    'id' | 'accountId' | 'carrier' | 'deviceName' | 'passkeyId' | 'byCard' | 'shared'
  > & {
    tokenHash: string;
  },
): Promise<StoredSession> {
  const [row] = await tx
    .insert(sessions)
    .values({ ...session, confirmedAt: sql`now()` })
    .returning(sessionColumns);
  if (row === undefined) throw new Error('a session was not stored');
  await noteSeen(tx, session.accountId);
  return row;
}

export interface TokenMatch {
  readonly id: SessionId;
  readonly accountId: AccountId;
  /** Which of the session's tokens was shown. */
  readonly token: 'current' | 'next' | 'previous';
  /**
   * The last use was written long enough ago to write it again. Never on a shared device: an open tab that connects anew is
   * nobody's presence.
   */
  readonly touchDue: boolean;
}

/** The session that a token opens now, if any. */
export async function findSessionByToken(reader: Reader, tokenHash: string): Promise<TokenMatch | undefined> {
  const [row] = await reader
    .select({
      id: sessions.id,
      accountId: sessions.accountId,
      token: sql<TokenMatch['token']>`case
        when ${sessions.tokenHash} = ${tokenHash} then 'current'
        when ${sessions.nextTokenHash} = ${tokenHash} then 'next' else 'previous' end`,
      touchDue: sql<boolean>`not ${sessions.shared}
        and ${sessions.lastUsedAt} < ${fromNow(-accountLimits.sessionTouchMs)}`,
    })
    .from(sessions)
    .where(
      and(
        or(
          eq(sessions.tokenHash, tokenHash),
          eq(sessions.nextTokenHash, tokenHash),
          and(eq(sessions.previousTokenHash, tokenHash), gt(sessions.previousUntil, sql`now()`)),
        ),
        notIdle(),
      ),
    );
  return row;
}

export async function findSessionById(reader: Reader, id: SessionId): Promise<StoredSession | undefined> {
  const [row] = await reader
    .select(sessionColumns)
    .from(sessions)
    .where(and(eq(sessions.id, id), notIdle()));
  return row;
}

/**
 * Whoever holds the session has just proved again to be the person. Until when that vouches for dangerous actions;
 * undefined where the session is over.
 */
export async function confirmSession(tx: Transaction, id: SessionId): Promise<Date | undefined> {
  const [row] = await tx
    .update(sessions)
    .set({ confirmedAt: sql`now()` })
    .where(and(eq(sessions.id, id), notIdle()))
    .returning({ confirmedAt: sessions.confirmedAt });
  return row?.confirmedAt == null
    ? undefined
    : new Date(row.confirmedAt.getTime() + accountLimits.confirmationMs);
}

/** Whether the session was confirmed a moment ago. */
export async function isConfirmed(reader: Reader, id: SessionId): Promise<boolean> {
  const rows = await reader
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.id, id), gt(sessions.confirmedAt, fromNow(-accountLimits.confirmationMs))));
  return rows.length > 0;
}

/** Notes that a device is in use. */
export async function touchSession(tx: Transaction, id: SessionId): Promise<void> {
  const [row] = await tx
    .update(sessions)
    .set({ lastUsedAt: sql`now()` })
    .where(eq(sessions.id, id))
    .returning({ accountId: sessions.accountId });
  if (row !== undefined) await noteSeen(tx, row.accountId);
}

const noteSeen = (tx: Transaction, accountId: AccountId) =>
  tx.update(accounts).set({ lastSeenAt: sql`now()` }).where(eq(accounts.id, accountId));

/** The hash of the session's current token; the session stays as it is until the transaction ends. */
export async function lockSessionToken(tx: Transaction, id: SessionId): Promise<string | undefined> {
  const [row] = await tx
    .select({ tokenHash: sessions.tokenHash })
    .from(sessions)
    .where(and(eq(sessions.id, id), notIdle()))
    .for('update');
  return row?.tokenHash;
}

/** Puts a further token beside the current one; an earlier one that nobody used is forgotten. */
export async function offerNextToken(
  tx: Transaction,
  id: SessionId,
  nextTokenHash: string,
): Promise<StoredSession | undefined> {
  const [row] = await tx
    .update(sessions)
    .set({ nextTokenHash })
    .where(eq(sessions.id, id))
    .returning(sessionColumns);
  return row;
}

/** The next token was shown for the first time: it is the current one now, and the old one is good for a little longer. */
export async function promoteNextToken(tx: Transaction, id: SessionId, nextTokenHash: string): Promise<void> {
  await tx
    .update(sessions)
    .set({
      tokenHash: nextTokenHash,
      nextTokenHash: null,
      previousTokenHash: sql`${sessions.tokenHash}`,
      previousUntil: fromNow(accountLimits.sessionRotateGraceMs),
      rotatedAt: sql`now()`,
      lastUsedAt: sql`case when ${sessions.shared} then ${sessions.lastUsedAt} else now() end`,
    })
    .where(and(eq(sessions.id, id), eq(sessions.nextTokenHash, nextTokenHash)));
}

export async function listSessions(reader: Reader, accountId: AccountId): Promise<StoredSession[]> {
  return reader
    .select(sessionColumns)
    .from(sessions)
    .where(and(eq(sessions.accountId, accountId), notIdle()))
    .orderBy(desc(sessions.lastUsedAt), asc(sessions.id));
}

/** Ends sessions of the account: one, all but one, those begun with a card, or all. The ids of those that were there. */
export async function endSessions(
  tx: Transaction,
  accountId: AccountId,
  which: { readonly only: SessionId } | { readonly allBut: SessionId } | 'all',
): Promise<SessionId[]> {
  const rows = await tx
    .delete(sessions)
    .where(
      and(
        eq(sessions.accountId, accountId),
        which === 'all'
          ? undefined
          : 'only' in which
            ? eq(sessions.id, which.only)
            : ne(sessions.id, which.allBut),
      ),
    )
    .returning({ id: sessions.id });
  return rows.map((row) => row.id);
}

/** Ends the sessions of these accounts that were begun with a card. */
export async function endCardSessions(
  tx: Transaction,
  accountIds: readonly AccountId[],
): Promise<{ id: SessionId; accountId: AccountId }[]> {
  return tx
    .delete(sessions)
    .where(and(isAmong(sessions.accountId, accountIds), eq(sessions.byCard, true)))
    .returning({ id: sessions.id, accountId: sessions.accountId });
}

/** Ends what lies past the number of devices that one account may have, and what is idle for too long. */
export async function endSurplusSessions(tx: Transaction, accountId: AccountId): Promise<SessionId[]> {
  // Two sign-ins at once would each count without the other.
  await lockAccount(tx, accountId);
  const kept = tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.accountId, accountId), notIdle()))
    .orderBy(desc(sessions.lastUsedAt), desc(sessions.id))
    .limit(accountLimits.sessionsPerAccount);
  const rows = await tx
    .delete(sessions)
    .where(and(eq(sessions.accountId, accountId), sql`${sessions.id} not in ${kept}`))
    .returning({ id: sessions.id });
  return rows.map((row) => row.id);
}
