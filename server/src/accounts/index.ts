import { type AccountId, CodedError, type MyMembership, type Role } from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../platform/database.ts';
import { normalisePhone } from '../platform/phone.ts';
import type { Platform } from '../platform/platform.ts';
import type { Caller, MountedProcedure } from '../platform/procedures.ts';
import { type CardActions, type CardPorts, createCardActions } from './accounts.cards.actions.ts';
import { type CodePorts, createCodeActions } from './accounts.codes.actions.ts';
import { createIdentityActions } from './accounts.identity.actions.ts';
import { type HttpDoor, identityReturnPath, mountIdentity } from './accounts.identity.http.ts';
import { createPasskeyActions } from './accounts.passkeys.actions.ts';
import { mountAccounts } from './accounts.routes.ts';
import { createSessionActions, type SessionPorts } from './accounts.sessions.actions.ts';
import { ensureAccount, isConfirmed, lastSeenAt, phonesOf, type Reader } from './accounts.store.ts';
import { createConsoleSender, createHttpSender, type SmsSender } from './sms.ts';

export { normalisePhone } from '../platform/phone.ts';
export type { CardState } from './accounts.cards.store.ts';
export type { StrangeSignIn } from './accounts.sessions.actions.ts';
export { createConsoleSender, createHttpSender, type SmsSender } from './sms.ts';

/** What accounts needs of rooms to its right. */
export interface AccountsPorts extends CodePorts, SessionPorts, CardPorts {
  /** The active memberships of an account, as their owner sees them. */
  readonly membershipsOf: (accountId: AccountId) => Promise<MyMembership[]>;
  /** The origin at which browsers reach this server. */
  readonly origin: () => string;
  /** Takes codes to phones; by config when left out. */
  readonly sms?: SmsSender;
}

/** Who people are and how they prove it: phones, one-time codes, sessions. */
export interface Accounts {
  readonly procedures: MountedProcedure[];
  /** Whose session a token opens. Up to a second old; at once after a revocation that this node heard of. */
  findSession(token: string): Promise<Caller | undefined>;
  /** Whether the session was confirmed a moment ago. Asked of the database each time: dangerous actions are few. */
  isConfirmed(caller: Caller): Promise<boolean>;
  /**
   * The account of a phone, made if there is none.
   *
   * @throws CodedError PHONE_INVALID
   */
  ensureAccount(tx: Transaction, phone: string): Promise<AccountId>;
  /** E.164 by account. Whoever asks answers for whom it is shown to. */
  phonesOf(reader: Reader, accountIds: readonly AccountId[]): Promise<Map<AccountId, string>>;
  /** When any of these accounts was last here; undefined where none ever was. */
  lastSeenAt(reader: Reader, accountIds: readonly AccountId[]): Promise<Date | undefined>;
  /**
   * What an operator's session must have shown: a passkey. Asked of the database each time.
   *
   * @throws CodedError PASSKEY_REQUIRED outside demo mode, which is to be tried on any machine
   */
  requirePasskey(caller: Caller): Promise<void>;
  /** Ways in without a phone. Whoever asks answers for who gets one. */
  readonly cards: Omit<CardActions, 'checkCard'>;
  /** Forgets an account's passkeys and ends its sessions. How many passkeys there were. */
  resetPasskeys(tx: Transaction, accountId: AccountId): Promise<number>;
  /** Adds the way in by the identity provider, where one is configured. */
  mountHttp(door: HttpDoor): void;
  close(): void;
}

const staffRoles: ReadonlySet<Role> = new Set(['admin', 'head', 'teacher']);

export function createAccounts(platform: Platform, ports: AccountsPorts): Accounts {
  const sms = ports.sms ?? smsSenderOf(platform);
  const codes = createCodeActions(platform, ports, sms);
  const sessions = createSessionActions(platform, ports);
  const passkeys = createPasskeyActions(platform, {
    origin: ports.origin,
    isOperator: ports.isOperator,
    isStaff: async (accountId) =>
      (await ports.membershipsOf(accountId)).some(({ role }) => staffRoles.has(role)),
  });
  const identity = createIdentityActions(platform, {
    isOperator: ports.isOperator,
    returnUrl: () => ports.origin() + identityReturnPath,
  });
  const cards = createCardActions(platform, ports);
  return {
    procedures: mountAccounts(platform.database, ports, codes, sessions, passkeys, identity, cards),
    cards,
    findSession: sessions.findSession,
    isConfirmed: ({ sessionId }) => isConfirmed(platform.database.db, sessionId),
    ensureAccount: async (tx, phone) =>
      (await ensureAccount(tx, uuid() as AccountId, normalisePhone(phone))).id,
    phonesOf,
    lastSeenAt,
    async requirePasskey(caller) {
      if (passkeys.obligatory && !(await passkeys.hasPasskey(caller)))
        throw new CodedError('PASSKEY_REQUIRED');
    },
    resetPasskeys: passkeys.reset,
    mountHttp(door) {
      if (identity !== undefined) mountIdentity(door, platform, identity, sessions);
    },
    close: sessions.close,
  };
}

function smsSenderOf({ config, secrets }: Platform): SmsSender {
  if (secrets.smsUrlTemplate !== undefined) return createHttpSender(secrets.smsUrlTemplate);
  // Config refuses this already; a code on a screen that others can read is worth asking twice.
  if (!config.demo) throw new Error('Sign-in codes are printed to the terminal in demo mode alone.');
  return createConsoleSender();
}
