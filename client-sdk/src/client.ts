import type { Account, EventName, EventPayload, MembershipId, MyMembership, SessionId } from '@zvonok/shared';
import { CodedError } from '@zvonok/shared/errors.ts';
import { clientLimits } from '@zvonok/shared/limits.ts';
import { v7 as uuid } from 'uuid';
import { type Api, type Call, createApi, EventHub, needsHttp, type ProcedureInput } from './api.ts';
import { LiveMessenger, type Messenger } from './chat/messenger.ts';
import { Outbox, type OutboxSnapshot } from './chat/outbox.ts';
import {
  choosingOutboxStorage,
  createIndexedDbOutboxStorage,
  createMemoryOutboxStorage,
  type OutboxStorage,
} from './chat/outbox-storage.ts';
import { type AskForConfirmation, Confirmation } from './confirmation.ts';
import { Connection, type ConnectionState } from './connection.ts';
import { createOrders, type Orders } from './desk.ts';
import { createEnvironment, createTab } from './environment.ts';
import { callOverHttp, type HttpOptions, type SessionCarrier } from './http.ts';
import { createClientLogger, type LogLevel } from './logger.ts';
import { createRosterTables, type RosterTables } from './roster.ts';
import { type Source, ValueSource } from './source.ts';
import { createBrowserStorage, createMemoryStorage, type KeyValueStorage } from './storage.ts';

export interface ClientOptions {
  /** Origin of the server, as `https://school.example`. In a browser left out: the page's own. */
  readonly url?: string;
  /** Keeps the token of a bearer session. Default: localStorage in a browser, memory elsewhere. */
  readonly storage?: KeyValueStorage;
  /** Keeps unsent messages. Default: IndexedDB in a browser, memory elsewhere. */
  readonly outboxStorage?: OutboxStorage;
  /** The language in which the server may write to this person. */
  readonly locale?: string;
  /** Default `warn`. No level tells personal data. */
  readonly logLevel?: LogLevel;
  /** A session token to begin with; makes the carrier `bearer`. */
  readonly token?: string;
  /** Default: `cookie` in a browser, `bearer` elsewhere. */
  readonly carrier?: SessionCarrier;
}

/** Who ended the session: the person here, the server (from another device, or for its age), a report of a strange sign-in from here. */
type SessionEnd = 'byUser' | 'byServer' | 'strangeSignIn';

export type SessionState =
  /** Not asked yet, or the server could not be reached so far. */
  | { readonly state: 'unknown' }
  | { readonly state: 'signedOut'; readonly reason: 'none' | SessionEnd }
  | {
      readonly state: 'signedIn';
      readonly account: Account;
      readonly sessionId: SessionId;
      readonly memberships: readonly MyMembership[];
      /** Whether this person runs the server and may use `client.desk`. */
      readonly operator: boolean;
      /** Several people use this device: the SDK keeps nothing on it. */
      readonly shared: boolean;
    };

type Own =
  | 'getMe'
  | 'verifyCode'
  | 'finishPasskeySignIn'
  | 'signInByCard'
  | 'signOut'
  | 'reportStrangeSignIn';

type Accounts = Omit<Api['accounts'], Own> & {
  /** Asks who is signed in; `session` follows the answer. */
  readonly getMe: Api['accounts']['getMe'];
  /** Exchanges the code for a session and connects. */
  readonly verifyCode: (
    input: Omit<ProcedureInput<'accounts.verifyCode'>, 'carrier'>,
  ) => ReturnType<Api['accounts']['verifyCode']>;
  /** Exchanges a passkey's answer for a session and connects. */
  readonly finishPasskeySignIn: (
    input: Omit<ProcedureInput<'accounts.finishPasskeySignIn'>, 'carrier'>,
  ) => ReturnType<Api['accounts']['finishPasskeySignIn']>;
  /** Exchanges a card and its PIN for a session and connects. */
  readonly signInByCard: (
    input: Omit<ProcedureInput<'accounts.signInByCard'>, 'carrier'>,
  ) => ReturnType<Api['accounts']['signInByCard']>;
  /**
   * Ends the session and clears everything that the SDK keeps on this device, unsent messages too. Without a network
   * it rejects and changes nothing: a session that lives on must not look ended.
   */
  readonly signOut: () => Promise<void>;
  /** Signs every device of the account out, this one included; `session` says why. What is unsent waits for its owner. */
  readonly reportStrangeSignIn: (input?: ProcedureInput<'accounts.reportStrangeSignIn'>) => Promise<void>;
};

/** One person's link to one server. Calls reject with `CodedError` alone. */
export interface Client extends Omit<Api, 'accounts' | 'school' | 'desk'> {
  readonly url: string;
  readonly accounts: Accounts;
  readonly school: Api['school'] & RosterTables;
  readonly desk: Api['desk'] & Orders;
  readonly session: Source<SessionState>;
  readonly connection: Source<ConnectionState>;
  /** What this account has composed on this device and the server does not have yet. */
  readonly outbox: Source<OutboxSnapshot>;
  /**
   * Asks who is signed in and connects; resolves once that is known or the first attempt has failed, and never
   * rejects: without a network it goes on trying by itself. Idempotent.
   */
  readonly start: () => Promise<void>;
  /** A call that needs a confirmed session asks for it (`onConfirmationRequired`) and is then made once more. */
  readonly call: Call;
  /**
   * Who asks the person for a code or a passkey when a call needs a confirmed session: once for all calls that wait. Without
   * it, and where it resolves to false, they reject with CONFIRMATION_REQUIRED. Returns the way to stop.
   */
  readonly onConfirmationRequired: (ask: AskForConfirmation) => () => void;
  /** Calls back for each event of this name; returns the way to stop. */
  readonly on: <N extends EventName>(name: N, handler: (payload: EventPayload<N>) => void) => () => void;
  /** The conversations of one of the account's memberships; the same object for the same id while signed in. */
  readonly messenger: (membershipId: MembershipId) => Messenger;
  /** Disconnects and stops every timer; what is stored stays. */
  readonly close: () => void;
}

const tokenKey = 'token';

/** Makes a client; it does nothing until `start` or a call. */
export function createClient(options: ClientOptions = {}): Client {
  const environment = createEnvironment();
  const logger = createClientLogger(options.logLevel ?? 'warn');
  const url = (options.url ?? globalThis.location?.origin ?? '').replace(/\/+$/, '');
  if (url === '') throw new TypeError('createClient needs a url outside of a browser');
  const carrier: SessionCarrier =
    options.carrier ?? (environment.isBrowser && options.token === undefined ? 'cookie' : 'bearer');
  const storage = options.storage ?? (environment.isBrowser ? createBrowserStorage() : createMemoryStorage());
  const keptOutbox =
    options.outboxStorage ??
    (typeof indexedDB === 'undefined' ? createMemoryOutboxStorage() : createIndexedDbOutboxStorage());
  /** Of a shared device, where nothing outlives the tab. */
  const passingOutbox = createMemoryOutboxStorage();
  let onSharedDevice = false;

  let token = options.token;
  let started: Promise<void> | undefined;
  let isClosed = false;
  let stopStarting: () => void = () => undefined;
  let isSigningOut = false;
  let refreshTimer: ReturnType<typeof setTimeout> | undefined;
  let identifyTimer: ReturnType<typeof setTimeout> | undefined;
  const messengers = new Map<MembershipId, LiveMessenger>();
  const events = new EventHub();
  const confirmation = new Confirmation();
  const session = new ValueSource<SessionState>({ state: 'unknown' });

  const http: HttpOptions = { url, carrier, token: () => token, locale: options.locale };
  const connection = new Connection({
    ...http,
    environment,
    logger,
    onEvent: (name, payload) => events.deliver(name, payload),
    onOnline: () => void identify(),
    onSessionRefused: () => void endSession('byServer'),
    onOutdated: () => connection.disconnect('outdated'),
  });

  const call: Call = async (name, input) => {
    try {
      return await callOnce(name, input);
    } catch (error) {
      const needsConfirmation = error instanceof CodedError && error.code === 'CONFIRMATION_REQUIRED';
      if (!needsConfirmation || !(await confirmation.obtain())) throw error;
      return callOnce(name, input);
    }
  };
  const callOnce: Call = async (name, input) => {
    try {
      const overSocket = connection.isOnline && !needsHttp(name);
      const result = overSocket ? await connection.call(name, input) : await callOverHttp(http, name, input);
      return result as never;
    } catch (error) {
      if (error instanceof CodedError) {
        if (error.code === 'UNAUTHENTICATED' && session.getSnapshot().state === 'signedIn')
          void endSession('byServer');
        // With `data.code` it is one unknown refusal, not a refusal of this whole version.
        if (error.code === 'CLIENT_OUTDATED' && error.data?.code === undefined)
          connection.disconnect('outdated');
        if (error.code === 'SCHOOL_SUSPENDED') noticeSuspension(input);
      }
      throw error;
    }
  };
  const api = createApi(call);

  const outbox = new Outbox({
    storage: choosingOutboxStorage(keptOutbox, () => (onSharedDevice ? passingOutbox : keptOutbox)),
    tab: createTab(uuid()),
    logger,
    canSend: () => connection.isOnline && session.getSnapshot().state === 'signedIn',
    send: ({ as, conversationId, clientMessageId, text }) =>
      api.chat.sendMessage({ as, conversationId, clientMessageId, text }),
  });

  async function getMe(): ReturnType<Api['accounts']['getMe']> {
    const me = await api.accounts.getMe();
    if (isClosed || isSigningOut) return me;
    await becomeSignedIn(me);
    wake();
    return me;
  }

  /** The socket is up, or a right has changed: who are we, and what has changed since? */
  async function identify(): Promise<void> {
    clearTimeout(identifyTimer);
    try {
      await getMe();
    } catch (error) {
      if (isClosed || !connection.isOnline) return;
      // The link lives and the server is short of something: asked again, until the link itself ends.
      logger.info('the session could not be read', { code: (error as CodedError).code });
      identifyTimer = setTimeout(
        () => {
          if (connection.isOnline) void identify();
        },
        (error as CodedError).retryAfterMs ?? clientLimits.resendMaxMs,
      );
    }
  }

  function wake(): void {
    outbox.wake();
    for (const messenger of messengers.values()) messenger.wake();
  }

  async function becomeSignedIn(me: {
    readonly account: Account;
    readonly sessionId: SessionId;
    readonly memberships: readonly MyMembership[];
    readonly operator: boolean;
    readonly shared: boolean;
    readonly refreshAt: string;
  }): Promise<void> {
    const { account, sessionId, memberships, operator, shared } = me;
    onSharedDevice = shared;
    const before = session.getSnapshot();
    if (before.state === 'signedIn' && before.account.id !== account.id) closeMessengers();
    session.set({ state: 'signedIn', account, sessionId, memberships, operator, shared });
    closeMessengers(new Set(memberships.map(({ id }) => id)));
    scheduleRefresh(me.refreshAt);
    await outbox.setAccount(account.id);
  }

  async function endSession(reason: SessionEnd): Promise<void> {
    // Our own ending of it makes the server cut the socket before its answer arrives: not a matter of its own.
    if (isSigningOut && reason === 'byServer') return;
    clearTimeout(refreshTimer);
    clearTimeout(identifyTimer);
    connection.disconnect('signedOut');
    const before = session.getSnapshot();
    token = undefined;
    closeMessengers();
    session.set({ state: 'signedOut', reason: before.state === 'unknown' ? 'none' : reason });
    await storage.remove(tokenKey).catch(warnOfStorage);
    await outbox.setAccount(undefined);
    if (reason === 'byUser' || onSharedDevice) await outbox.clear();
  }

  function closeMessengers(kept?: ReadonlySet<MembershipId>): void {
    for (const [id, messenger] of messengers) {
      if (kept?.has(id)) continue;
      messenger.close();
      messengers.delete(id);
    }
  }

  async function keepToken(fresh: string | null): Promise<void> {
    if (fresh === null || carrier === 'cookie') return;
    token = fresh;
    await storage.set(tokenKey, fresh).catch(warnOfStorage);
  }

  function warnOfStorage(error: unknown): void {
    logger.warn('the device’s storage failed', { error: String(error) });
  }

  /**
   * NOTE: by this device's clock. A wrong clock makes the session be refreshed at each connection or never, and the
   * server allows both: it ends a session by its own clock.
   */
  function scheduleRefresh(refreshAt: string): void {
    clearTimeout(refreshTimer);
    const inMs = Math.max(0, Date.parse(refreshAt) - Date.now());
    // Some of the delay is random: the tabs of one session must not all ask at once.
    const wait = inMs + Math.random() * 10_000;
    const longest = 2 ** 31 - 1;
    refreshTimer = setTimeout(
      () => (wait > longest ? scheduleRefresh(refreshAt) : void refresh()),
      Math.min(wait, longest),
    );
  }

  async function refresh(): Promise<void> {
    try {
      const { token: fresh, refreshAt } = await api.accounts.refreshSession();
      await keepToken(fresh);
      scheduleRefresh(refreshAt);
    } catch (error) {
      // The old session works on; the next connection tells when to try again.
      logger.info('the session was not refreshed', { code: (error as CodedError).code });
    }
  }

  function changeMemberships(
    change: (memberships: readonly MyMembership[]) => readonly MyMembership[],
  ): void {
    const current = session.getSnapshot();
    if (current.state !== 'signedIn') return;
    session.set({ ...current, memberships: change(current.memberships) });
  }

  /** A call was refused for a school that was suspended unheard. Asked once for all calls that hear it at a time. */
  function noticeSuspension(input: object): void {
    const current = session.getSnapshot();
    if (current.state !== 'signedIn' || !('as' in input)) return;
    if (!current.memberships.some(({ id, suspended }) => id === input.as && !suspended)) return;
    clearTimeout(identifyTimer);
    identifyTimer = setTimeout(() => void identify(), clientLimits.resendMinMs);
  }

  function upsertMembership(membership: MyMembership): void {
    changeMemberships((memberships) =>
      memberships.some(({ id }) => id === membership.id)
        ? memberships.map((held) => (held.id === membership.id ? membership : held))
        : [...memberships, membership],
    );
  }

  events.on('school.membershipStarted', ({ membership }) => upsertMembership(membership));
  events.on('school.membershipChanged', ({ membership }) => upsertMembership(membership));
  events.on('school.membershipEnded', ({ membershipId }) => {
    messengers.get(membershipId)?.close();
    messengers.delete(membershipId);
    changeMemberships((memberships) => memberships.filter(({ id }) => id !== membershipId));
  });
  events.on('school.schoolChanged', ({ school }) => {
    const held = session.getSnapshot();
    const known =
      held.state === 'signedIn' ? held.memberships.filter(({ schoolId }) => schoolId === school.id) : [];
    // Suspended or opened again: what holds for the memberships in it is asked anew. A card and its settings are all here,
    // and hundreds who hear of them at once need not ask.
    if (known.some(({ suspended }) => suspended !== (school.suspendedAt !== null))) {
      void identify();
      return;
    }
    changeMemberships((memberships) =>
      memberships.map((membership) =>
        membership.schoolId === school.id
          ? {
              ...membership,
              schoolName: school.name,
              vocabulary: school.vocabulary,
              settings: school.settings,
              journalUrl: school.journalUrl,
            }
          : membership,
      ),
    );
  });
  const stopWatching = environment.watch(() => {
    if (environment.isVisible() && connection.isOnline) wake();
  });

  async function start(): Promise<void> {
    if (carrier === 'bearer') {
      token ??= await storage.get(tokenKey).catch((error: unknown) => {
        warnOfStorage(error);
        return undefined;
      });
      if (token === undefined) {
        connection.disconnect('signedOut');
        session.set({ state: 'signedOut', reason: 'none' });
        return;
      }
    }
    if (isClosed || session.getSnapshot().state !== 'unknown') return;
    connection.connect();
    await new Promise<void>((resolve) => {
      const stops: (() => void)[] = [];
      const look = () => {
        const isTrying = ['connecting', 'online'].includes(connection.state.getSnapshot());
        if (!isTrying || session.getSnapshot().state !== 'unknown') stopStarting();
      };
      stopStarting = () => {
        for (const stop of stops) stop();
        resolve();
      };
      stops.push(session.subscribe(look), connection.state.subscribe(look));
    });
  }

  async function beginSession<
    Started extends Parameters<typeof becomeSignedIn>[0] & { readonly token: string | null },
  >(started: Started): Promise<Started> {
    await keepToken(started.token);
    await becomeSignedIn(started);
    connection.connect();
    return started;
  }

  const verbs: Pick<Accounts, Own> = {
    getMe,
    verifyCode: async (input) => beginSession(await call('accounts.verifyCode', { ...input, carrier })),
    finishPasskeySignIn: async (input) =>
      beginSession(await call('accounts.finishPasskeySignIn', { ...input, carrier })),
    signInByCard: async (input) => beginSession(await call('accounts.signInByCard', { ...input, carrier })),
    async signOut() {
      isSigningOut = true;
      try {
        await api.accounts.signOut();
      } catch (error) {
        if (!(error instanceof CodedError) || error.code !== 'UNAUTHENTICATED') throw error;
      } finally {
        isSigningOut = false;
      }
      await endSession('byUser');
    },
    async reportStrangeSignIn(input = {}) {
      isSigningOut = true;
      try {
        await api.accounts.reportStrangeSignIn(input);
      } catch (error) {
        isSigningOut = false;
        // Over already: somebody else was quicker, and the next sign-in shows what is left.
        if (error instanceof CodedError && error.code === 'UNAUTHENTICATED') await endSession('byServer');
        throw error;
      } finally {
        isSigningOut = false;
      }
      await endSession('strangeSignIn');
    },
  };
  const schoolVerbs: Pick<Api['school'], 'redeemInvite'> & RosterTables = {
    ...createRosterTables(http),
    async redeemInvite(input) {
      const result = await call('school.redeemInvite', input);
      if (result.membership !== null) upsertMembership(result.membership);
      return result;
    },
  };

  return {
    ...api,
    accounts: overlay(api.accounts, verbs),
    school: overlay(api.school, schoolVerbs),
    desk: overlay(api.desk, createOrders(url)),
    url,
    session,
    connection: connection.state,
    outbox: outbox.summary,
    start: () => {
      started ??= start();
      return started;
    },
    call,
    onConfirmationRequired: confirmation.onRequired,
    on: (name, handler) => events.on(name, handler),
    messenger(membershipId) {
      let messenger = messengers.get(membershipId);
      if (messenger === undefined) {
        messenger = new LiveMessenger({
          membershipId,
          chat: api.chat,
          events,
          outbox,
          logger,
          isOnline: () => connection.isOnline,
          isVisible: environment.isVisible,
        });
        messengers.set(membershipId, messenger);
      }
      return messenger;
    },
    close() {
      isClosed = true;
      stopStarting();
      clearTimeout(refreshTimer);
      clearTimeout(identifyTimer);
      stopWatching();
      closeMessengers();
      connection.close();
      outbox.close();
    },
  };
}

/** The verbs of a noun, some of them ours: they do more than call. */
function overlay<Noun extends object, Own extends object>(noun: Noun, own: Own): Omit<Noun, keyof Own> & Own {
  return new Proxy(own, {
    get: (target, verb) =>
      Object.hasOwn(target, verb) ? Reflect.get(target, verb) : Reflect.get(noun, verb),
  }) as Omit<Noun, keyof Own> & Own;
}
