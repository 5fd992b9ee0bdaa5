import { createHmac, randomBytes } from 'node:crypto';
import {
  type AccountId,
  accountLimits,
  CodedError,
  type PasskeyId,
  type Session,
  type SessionId,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import { deriveKey } from '../platform/config.ts';
import type { Transaction } from '../platform/database.ts';
import { eventFor, signal } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import type { AccountContext, Caller, PublicContext } from '../platform/procedures.ts';
import { hashToken } from '../platform/tokens.ts';
import { deleteCards } from './accounts.cards.store.ts';
import { unlinkIdentities } from './accounts.identity.store.ts';
import { deletePasskeys, holdPasskey } from './accounts.passkeys.store.ts';
import {
  addSession,
  burnChallengesOf,
  endSessions,
  endSurplusSessions,
  findSessionById,
  findSessionByToken,
  listSessions,
  lockAccount,
  lockSessionToken,
  offerNextToken,
  promoteNextToken,
  type StoredSession,
  touchSession,
} from './accounts.store.ts';

export interface SessionStart {
  readonly token: string | null;
  readonly sessionId: SessionId;
  readonly refreshAt: string;
}

export interface SessionActions {
  /** Whose token this is. Up to a second old, and at once after a revocation that this node heard of. */
  findSession(token: string): Promise<Caller | undefined>;
  /**
   * Begins a session and carries its token as asked. `prove` answers whose it is, in the transaction that begins it.
   *
   * @throws CodedError PASSKEY_INVALID where the passkey by which they proved it has been removed meanwhile
   */
  startSession(
    prove: (tx: Transaction) => Promise<AccountId>,
    options: {
      carrier: 'cookie' | 'bearer';
      deviceName: string | undefined;
      /** The passkey by which they did. */
      passkeyId?: PasskeyId | null;
      /** They did by a card. */
      byCard?: boolean;
      /** The device is used by several people. */
      shared?: boolean | undefined;
    },
    context: PublicContext,
  ): Promise<SessionStart & { readonly accountId: AccountId }>;
  refreshSession(context: AccountContext): Promise<SessionStart>;
  /** When the caller's token should be exchanged, and whether several people use the device. */
  getTimes(caller: Caller): Promise<{ refreshAt: string; shared: boolean }>;
  /** Somebody is at the device. */
  keep(caller: Caller): Promise<void>;
  listSessions(caller: Caller): Promise<Session[]>;
  revokeSession(caller: Caller, sessionId: SessionId): Promise<void>;
  revokeOtherSessions(caller: Caller): Promise<number>;
  signOut(context: AccountContext): Promise<void>;
  /**
   * Ends all sessions of the caller's account, burns the codes under way to its phone, unlinks it from the identity provider,
   * removes the passkeys that were added since the strange device came, and tells the schools.
   */
  reportStrangeSignIn(context: AccountContext, strange: SessionId | undefined): Promise<void>;
  close(): void;
}

/** What is known of a sign-in that its owner does not recognise. */
export interface StrangeSignIn {
  readonly accountId: AccountId;
  /** Where the report came from. */
  readonly address: string;
  /** The device that is not theirs, where they named one. */
  readonly device: { readonly name: string; readonly signedInAt: Date } | undefined;
}

export interface SessionPorts {
  /** Called in the transaction that ends the account's sessions. */
  readonly strangeSignInReported: (tx: Transaction, report: StrangeSignIn) => Promise<void>;
  /** Whether this person runs the server. */
  readonly isOperator: (caller: Pick<Caller, 'accountId'>) => Promise<boolean>;
}

export function createSessionActions(platform: Platform, ports: SessionPorts): SessionActions {
  const { database, logger, outbound } = platform;
  const rotationKey = deriveKey(platform.secrets, 'session-rotation');
  const cache = createSessionCache();
  const stopListening = outbound.onSignal((value) => {
    if (value.name === 'sessionsEnded') cache.forget(value.sessionIds);
  });

  async function loadSession(tokenHash: string): Promise<Caller | undefined> {
    const found = await findSessionByToken(database.db, tokenHash);
    if (found === undefined) return undefined;
    if (found.token === 'next') {
      await database.inTransaction((tx) => promoteNextToken(tx, found.id, tokenHash));
    } else if (found.touchDue) {
      database
        .inTransaction((tx) => touchSession(tx, found.id))
        .catch((error: unknown) => logger.warn({ err: error }, 'the last use of a session was not written'));
    }
    return { sessionId: found.id, accountId: found.accountId };
  }

  /** Hands the token over as the session asks; what the reply may hold of it is the result. */
  function carry(session: StoredSession, token: string, context: PublicContext): string | null {
    if (session.carrier === 'bearer') return token;
    requireCookieCarrier(context).set(token, { untilClosed: session.shared });
    return null;
  }

  return {
    findSession: (token) => {
      const tokenHash = hashToken(token);
      return cache.get(tokenHash, () => loadSession(tokenHash));
    },

    async startSession(
      prove,
      { carrier, deviceName, passkeyId = null, byCard = false, shared = false },
      context,
    ) {
      if (carrier === 'cookie') requireCookieCarrier(context);
      const token = randomBytes(32).toString('base64url');
      const session = await database.inTransaction(async (tx) => {
        const accountId = await prove(tx);
        // Removed since it answered.
        if (passkeyId !== null && !(await holdPasskey(tx, passkeyId)))
          throw new CodedError('PASSKEY_INVALID');
        const added = await addSession(tx, {
          id: uuid() as SessionId,
          accountId,
          carrier,
          deviceName: cleanDeviceName(deviceName) ?? deviceNameOf(context.userAgent),
          tokenHash: hashToken(token),
          passkeyId,
          byCard,
          shared,
        });
        announceEnded(tx, accountId, await endSurplusSessions(tx, accountId));
        tx.announce(
          eventFor(
            'accounts.sessionStarted',
            { account: accountId },
            { session: describe(added, undefined) },
          ),
        );
        return added;
      });
      return {
        accountId: session.accountId,
        token: carry(session, token, context),
        sessionId: session.id,
        refreshAt: refreshTimeOf(session.rotatedAt),
      };
    },

    async refreshSession(context) {
      const { sessionId } = context.caller;
      const { session, token } = await database.inTransaction(async (tx) => {
        const current = await lockSessionToken(tx, sessionId);
        if (current === undefined) throw new CodedError('UNAUTHENTICATED');
        // Follows from the current token, so that two tabs that ask at once get the same one and neither locks the other out.
        const next = createHmac('sha256', rotationKey).update(`${sessionId} ${current}`).digest('base64url');
        const offered = await offerNextToken(tx, sessionId, hashToken(next));
        if (offered === undefined) throw new CodedError('UNAUTHENTICATED');
        return { session: offered, token: next };
      });
      return {
        token: carry(session, token, context),
        sessionId,
        refreshAt: refreshTimeOf(new Date()),
      };
    },

    async getTimes({ sessionId }) {
      const session = await findSessionById(database.db, sessionId);
      if (session === undefined) throw new CodedError('UNAUTHENTICATED');
      return { refreshAt: refreshTimeOf(session.rotatedAt), shared: session.shared };
    },

    async keep({ sessionId }) {
      await database.inTransaction(async (tx) => {
        if ((await findSessionById(tx, sessionId)) === undefined) throw new CodedError('UNAUTHENTICATED');
        await touchSession(tx, sessionId);
      });
    },

    async listSessions(caller) {
      const found = await listSessions(database.db, caller.accountId);
      return found.map((session) => describe(session, caller.sessionId));
    },

    async revokeSession({ accountId }, sessionId) {
      await database.inTransaction(async (tx) => {
        const ended = await endSessions(tx, accountId, { only: sessionId });
        if (ended.length === 0) throw new CodedError('NOT_FOUND');
        announceEnded(tx, accountId, ended);
      });
    },

    revokeOtherSessions: ({ accountId, sessionId }) =>
      database.inTransaction(async (tx) => {
        const ended = await endSessions(tx, accountId, { allBut: sessionId });
        announceEnded(tx, accountId, ended);
        return ended.length;
      }),

    async signOut({ caller: { accountId, sessionId }, carrier }) {
      await database.inTransaction(async (tx) => {
        announceEnded(tx, accountId, await endSessions(tx, accountId, { only: sessionId }));
      });
      carrier?.clear();
    },

    async reportStrangeSignIn({ caller, carrier, address }, strange) {
      const { accountId, sessionId } = caller;
      const operator = await ports.isOperator(caller);
      await database.inTransaction(async (tx) => {
        // First of all: a code that is being redeemed at this moment has begun its session before, or will find itself burned.
        const account = await lockAccount(tx, accountId);
        const found = strange === undefined ? undefined : await findSessionById(tx, strange);
        const named = found?.accountId === accountId ? found : undefined;
        const ended = await endSessions(tx, accountId, 'all');
        if (account === undefined || !ended.includes(sessionId)) throw new CodedError('UNAUTHENTICATED');
        if (account.phone !== null) await burnChallengesOf(tx, account.phone);
        // Who has the paper would come in again; the teacher gives a new one.
        await deleteCards(tx, [accountId]);
        // Linked anew by whoever shows this phone, verified, at the provider.
        await unlinkIdentities(tx, accountId);
        // A key that the intruder left behind would let them in again. An operator's are added by a key alone, and whoever has
        // taken over the phone number must not get rid of them in this way.
        if (named !== undefined && !operator && (await deletePasskeys(tx, accountId, named.createdAt)) > 0) {
          tx.announce(eventFor('accounts.passkeysChanged', { account: accountId }, {}));
        }
        await ports.strangeSignInReported(tx, {
          accountId,
          address,
          device: named && { name: named.deviceName, signedInAt: named.createdAt },
        });
        announceEnded(tx, accountId, ended);
      });
      logger.info({ accountId }, 'a strange sign-in was reported; every session of the account was ended');
      carrier?.clear();
    },

    close: stopListening,
  };
}

/** Tells the person's devices, and every node, that these sessions are over. */
export function announceEnded(tx: Transaction, accountId: AccountId, sessionIds: readonly SessionId[]) {
  if (sessionIds.length === 0) return;
  for (const sessionId of sessionIds) {
    tx.announce(eventFor('accounts.sessionEnded', { account: accountId }, { sessionId }));
  }
  tx.announce(signal({ name: 'sessionsEnded', sessionIds }));
}

/** Sessions begin and rotate where a cookie can be set: over HTTP. */
function requireCookieCarrier({ carrier }: PublicContext) {
  if (carrier === undefined) {
    throw new CodedError('FORBIDDEN', { message: 'A cookie can only be set over HTTP.' });
  }
  return carrier;
}

const refreshTimeOf = (rotatedAt: Date) =>
  new Date(rotatedAt.getTime() + accountLimits.sessionRotateMs).toISOString();

function describe(session: StoredSession, current: SessionId | undefined): Session {
  return {
    id: session.id,
    deviceName: session.deviceName,
    createdAt: session.createdAt.toISOString(),
    lastUsedAt: session.lastUsedAt.toISOString(),
    current: session.id === current,
    passkey: session.passkeyId !== null,
    card: session.byCard,
    shared: session.shared,
  };
}

/** Without control, invisible and direction-changing characters; undefined where nothing is left. */
function cleanDeviceName(name: string | undefined): string | undefined {
  const clean = name?.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '').trim();
  return clean === undefined || clean === '' ? undefined : clean.slice(0, accountLimits.deviceNameLength);
}

/** «Chrome, Android» out of a User-Agent: enough to know one's own phone in a list. */
export function deviceNameOf(userAgent: string): string {
  const pick = (names: readonly (readonly [RegExp, string])[]) =>
    names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const program = pick([
    [/YaBrowser\//, 'Yandex Browser'],
    [/Edg(?:A|iOS)?\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/Firefox\/|FxiOS\//, 'Firefox'],
    [/Chrome\/|CriOS\//, 'Chrome'],
    [/Safari\//, 'Safari'],
    [/node/i, 'Node.js'],
  ]);
  const system = pick([
    [/Android/, 'Android'],
    [/iPhone|iPad/, 'iOS'],
    [/Windows/, 'Windows'],
    [/Mac OS X/, 'macOS'],
    [/CrOS/, 'ChromeOS'],
    [/Linux/, 'Linux'],
  ]);
  return [program, system].filter((part) => part !== undefined).join(', ') || '—';
}

interface CachedSession {
  /** When the question was put, not when it was answered: a revocation in between can't be outlived by more. */
  readonly askedAt: number;
  readonly answer: Promise<Caller | undefined>;
  sessionId: SessionId | undefined;
}

/** Answers of the last second by token hash. Unknown tokens are not kept: they must not crowd out known ones. */
function createSessionCache() {
  const entries = new Map<string, CachedSession>();

  function sweep(now: number) {
    // Insertion order is age order.
    for (const [tokenHash, entry] of entries) {
      if (
        now - entry.askedAt < accountLimits.sessionCacheMs &&
        entries.size <= accountLimits.sessionsCached
      ) {
        return;
      }
      entries.delete(tokenHash);
    }
  }

  return {
    get(tokenHash: string, load: () => Promise<Caller | undefined>): Promise<Caller | undefined> {
      const now = performance.now();
      const kept = entries.get(tokenHash);
      if (kept !== undefined && now - kept.askedAt < accountLimits.sessionCacheMs) return kept.answer;
      entries.delete(tokenHash);
      const entry: CachedSession = { askedAt: now, answer: load(), sessionId: undefined };
      entries.set(tokenHash, entry);
      sweep(now);
      const dropUnless = (caller: Caller | undefined) => {
        entry.sessionId = caller?.sessionId;
        if (caller === undefined && entries.get(tokenHash) === entry) entries.delete(tokenHash);
      };
      entry.answer.then(dropUnless, () => dropUnless(undefined));
      return entry.answer;
    },
    /** Also drops questions under way: whoever asks next gets an answer from after the revocation. */
    forget(sessionIds: readonly SessionId[]) {
      const ended = new Set(sessionIds);
      for (const [tokenHash, entry] of entries) {
        if (entry.sessionId === undefined || ended.has(entry.sessionId)) entries.delete(tokenHash);
      }
    },
  };
}
