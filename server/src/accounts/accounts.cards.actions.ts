import {
  createHmac,
  randomBytes,
  randomInt,
  scrypt as scryptWithCallback,
  timingSafeEqual,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type AccountId, accountLimits, CodedError, type MembershipId } from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import { deriveKey } from '../platform/config.ts';
import type { Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import { hashToken } from '../platform/tokens.ts';
import {
  addPhonelessAccount,
  type CardState,
  countCardTry,
  deleteCards,
  listCards,
  listCardsBy,
  lockOf,
  noteCardUse,
  putCard,
} from './accounts.cards.store.ts';
import { announceEnded } from './accounts.sessions.actions.ts';
import { endCardSessions, lockAccount, lockAccounts, type Reader } from './accounts.store.ts';

const scrypt = promisify(scryptWithCallback) as (
  key: Buffer,
  salt: Buffer,
  length: number,
) => Promise<Buffer>;
const pinHashBytes = 32;

export interface CardPorts {
  /** Called once for each time that wrong PINs have locked a card. */
  readonly cardLocked: (tx: Transaction, accountId: AccountId) => Promise<void>;
}

export interface CardActions {
  /**
   * Compares a PIN, and counts the try. What it answers begins a session in its transaction, and refuses where the card was
   * replaced meanwhile.
   *
   * @throws CodedError CARD_WRONG, both; CARD_LOCKED
   */
  checkCard(token: string, pin: string): Promise<(tx: Transaction) => Promise<AccountId>>;
  /** An account without a phone. */
  createAccount(tx: Transaction): Promise<AccountId>;
  /**
   * A new card, which nobody is told again; an earlier one and the sessions begun by it end.
   *
   * @throws CodedError CARD_REFUSED where the account has a phone to sign in by
   */
  issue(
    tx: Transaction,
    accountId: AccountId,
    issuedBy: MembershipId,
  ): Promise<{ token: string; pin: string }>;
  /** Ends the cards of these accounts and the sessions begun by them. False where there was none. */
  revoke(tx: Transaction, accountIds: readonly AccountId[]): Promise<boolean>;
  /**
   * The account's person is more than one pupil from now on: the card that one class teacher holds must not open all of it.
   *
   * @throws CodedError FORBIDDEN where it could not sign in any more
   */
  outgrow(tx: Transaction, accountId: AccountId): Promise<void>;
  of(reader: Reader, accountIds: readonly AccountId[]): Promise<Map<AccountId, CardState>>;
  /** The cards that these memberships have given out, and nobody has since. */
  issuedBy(
    reader: Reader,
    issuers: readonly MembershipId[],
  ): Promise<{ accountId: AccountId; issuedBy: MembershipId }[]>;
}

/** Cards for children without a phone. */
export function createCardActions(platform: Platform, ports: CardPorts): CardActions {
  const { database, logger } = platform;
  const key = deriveKey(platform.secrets, 'card-pin');
  const keyed = (pin: string) => createHmac('sha256', key).update(pin).digest();

  async function hashPin(pin: string): Promise<string> {
    const salt = randomBytes(16);
    const hash = await scrypt(keyed(pin), salt, pinHashBytes);
    return `${salt.toString('base64url')}.${hash.toString('base64url')}`;
  }

  async function isPin(pin: string, pinHash: string): Promise<boolean> {
    const [salt = '', hash = ''] = pinHash.split('.');
    const typed = await scrypt(keyed(pin), Buffer.from(salt, 'base64url'), pinHashBytes);
    return timingSafeEqual(typed, Buffer.from(hash, 'base64url'));
  }

  async function revoke(tx: Transaction, accountIds: readonly AccountId[]): Promise<boolean> {
    if (accountIds.length === 0) return false;
    // Whoever signs in with one at this moment waits here, or has their session ended below.
    await lockAccounts(tx, accountIds);
    const ended = Map.groupBy(await endCardSessions(tx, accountIds), (session) => session.accountId);
    for (const [accountId, sessions] of ended) {
      announceEnded(
        tx,
        accountId,
        sessions.map((session) => session.id),
      );
    }
    return (await deleteCards(tx, accountIds)) > 0;
  }

  return {
    async checkCard(token, pin) {
      const tokenHash = hashToken(token);
      // Its own transaction: a try counts whatever becomes of the rest.
      const card = await database.inTransaction((tx) => countCardTry(tx, tokenHash));
      if (card === undefined) {
        const lockedMs = await lockOf(database.db, tokenHash);
        if (lockedMs === undefined) throw new CodedError('CARD_WRONG');
        throw new CodedError('CARD_LOCKED', lockedMs === null ? {} : { retryAfterMs: lockedMs });
      }
      const { accountId, tries } = card;
      if (!(await isPin(pin, card.pinHash))) {
        if (tries % accountLimits.cardTriesAtOnce === 0) {
          logger.info({ accountId }, 'wrong PINs have locked a card');
          await database.inTransaction((tx) => ports.cardLocked(tx, accountId));
        }
        throw new CodedError('CARD_WRONG');
      }
      return async (tx) => {
        const account = await lockAccount(tx, accountId);
        if (account === undefined || !(await noteCardUse(tx, tokenHash))) throw new CodedError('CARD_WRONG');
        return accountId;
      };
    },

    async createAccount(tx) {
      const id = uuid() as AccountId;
      await addPhonelessAccount(tx, id);
      return id;
    },

    async issue(tx, accountId, issuedBy) {
      // A second way in, past a phone, on a paper that others have held.
      if ((await lockAccount(tx, accountId))?.phone !== null) throw new CodedError('CARD_REFUSED');
      const token = randomBytes(32).toString('base64url');
      const { cardPinLength } = accountLimits;
      const pin = randomInt(10 ** cardPinLength)
        .toString()
        .padStart(cardPinLength, '0');
      const pinHash = await hashPin(pin);
      await revoke(tx, [accountId]);
      await putCard(tx, { accountId, tokenHash: hashToken(token), pinHash, issuedBy });
      return { token, pin };
    },

    revoke,

    async outgrow(tx, accountId) {
      const account = await lockAccount(tx, accountId);
      if (account?.phone === null) throw new CodedError('FORBIDDEN');
      await revoke(tx, [accountId]);
    },

    of: listCards,
    issuedBy: listCardsBy,
  };
}
