import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import {
  type AccountId,
  accountLimits,
  type accountsProcedures,
  type ChallengeId,
  CodedError,
  type InputOf,
  joiningLimits,
  type OutputOf,
  type SchoolId,
  type SessionId,
} from '@zvonok/shared';
import { v4 as randomUuid, v7 as uuid } from 'uuid';
import { deriveKey } from '../platform/config.ts';
import { createCountedDoor } from '../platform/counted-door.ts';
import type { Transaction } from '../platform/database.ts';
import { normalisePhone } from '../platform/phone.ts';
import type { Platform } from '../platform/platform.ts';
import type { AccountContext, Caller, PublicContext } from '../platform/procedures.ts';
import {
  addChallenge,
  burnChallenge,
  type CountedChallenge,
  confirmSession,
  countTry,
  ensureAccount,
  findAccount,
  findAccountByPhone,
  lockAccount,
} from './accounts.store.ts';
import type { SmsSender } from './sms.ts';

type Contract = typeof accountsProcedures;
type CodeSent = OutputOf<Contract['accounts.requestCode']>;
type TypedCode = InputOf<Contract['accounts.confirm']>;

export interface CodePorts {
  /** Whether an invite with this token can be redeemed now. */
  readonly inviteIsOpen: (token: string) => Promise<boolean>;
  /** The school that takes requests to join by this code now. */
  readonly schoolByJoinCode: (code: string) => Promise<SchoolId | undefined>;
  /** Whether somebody with this phone (E.164) is expected in any school. */
  readonly isExpected: (phone: string) => Promise<boolean>;
  /** Makes the account a member wherever its phone is expected; changes nothing anywhere else. */
  readonly claimRoster: (
    tx: Transaction,
    accountId: AccountId,
    phone: string,
    address: string,
  ) => Promise<void>;
}

export interface CodeActions {
  requestCode(input: InputOf<Contract['accounts.requestCode']>, context: PublicContext): Promise<CodeSent>;
  /**
   * Counts a try. What it answers burns the code, in the transaction that begins the session, and gives the account whose
   * code it is; made if the phone came with an invite or a school's join code, or a school expects it. It is held until the
   * transaction ends. Wherever the phone is expected the account is a member from then on.
   *
   * @throws CodedError CODE_WRONG, both
   */
  checkCode(
    typed: TypedCode,
    context: Pick<PublicContext, 'address'>,
  ): Promise<(tx: Transaction) => Promise<AccountId>>;
  /** Sends a code to the caller's own phone that confirms this session and does nothing else. */
  requestConfirmation(context: AccountContext): Promise<CodeSent>;
  /**
   * Until when the session is confirmed.
   *
   * @throws CodedError CODE_WRONG
   */
  confirm(typed: TypedCode, caller: Caller): Promise<Date>;
}

/** The whole installation: what bounds the bill of its SMS gateway. */
const tenantCounter = 'codes:tenant';

export function createCodeActions(platform: Platform, ports: CodePorts, sms: SmsSender): CodeActions {
  const { database, logger } = platform;
  const door = createCountedDoor(platform);
  const key = deriveKey(platform.secrets, 'one-time-code');

  const hashOf = (challengeId: ChallengeId, code: string) =>
    createHmac('sha256', key).update(`${challengeId} ${code}`).digest();

  async function requireFewCodes(phone: string, address: string) {
    await door.requireBelow('codes:address', accountLimits.codesPerAddress, address);
    await door.requireBelow('codes:phone', accountLimits.codesPerPhone, phone);
  }

  /** Makes a code; `wording`: what is sent with it, or nothing where nobody is sent it. */
  async function issue(
    challenge: { phone: string; sessionId: SessionId | null; mayRegister: boolean },
    wording: ((code: string) => string) | undefined,
    applyingTo?: SchoolId,
  ): Promise<CodeSent> {
    const id = randomUuid() as ChallengeId;
    const code = randomInt(1_000_000).toString().padStart(6, '0');
    const { expiresAt } = await database.inTransaction((tx) =>
      addChallenge(tx, { ...challenge, id, codeHash: hashOf(id, code).toString('base64url') }),
    );
    if (wording !== undefined) {
      // Once the answer is on its way: the work of beginning a delivery would show in its time.
      setImmediate(() => {
        deliver(id, challenge.phone, wording(code), applyingTo).catch((error: unknown) =>
          logger.error({ err: error }, 'a code was not sent'),
        );
      });
    }
    return {
      challengeId: id,
      expiresAt: expiresAt.toISOString(),
      resendAfterMs: accountLimits.codeResendMs,
    };
  }

  /** Never awaited by a request, so that its length tells nobody whether a phone is known. */
  async function deliver(challengeId: ChallengeId, phone: string, text: string, applyingTo?: SchoolId) {
    const tooManyStrangers =
      applyingTo !== undefined &&
      (await door.count('codes:school', joiningLimits.strangersPerSchool, applyingTo)) > 0;
    if (tooManyStrangers || (await door.count(tenantCounter, accountLimits.codesPerTenant)) > 0) {
      logger.error({ schoolId: applyingTo }, 'the hourly limit of codes is reached; a code was not sent');
      // Nobody can type it, so whoever does has guessed: the limit bounds the guesses too.
      await database.inTransaction((tx) => burnChallenge(tx, challengeId));
      return;
    }
    await sms.send(phone, text);
  }

  async function requireRight(
    { challengeId, code }: TypedCode,
    sessionId: SessionId | null,
  ): Promise<CountedChallenge> {
    // Its own transaction: a try counts whatever becomes of the rest.
    const challenge = await database.inTransaction((tx) => countTry(tx, challengeId, sessionId));
    const right =
      challenge !== undefined &&
      timingSafeEqual(hashOf(challengeId, code), Buffer.from(challenge.codeHash, 'base64url'));
    if (!right) throw new CodedError('CODE_WRONG');
    return challenge;
  }

  async function requireBurned(tx: Transaction, challengeId: ChallengeId) {
    if (!(await burnChallenge(tx, challengeId))) throw new CodedError('CODE_WRONG');
  }

  return {
    async requestCode(input, context) {
      const phone = normalisePhone(input.phone);
      await requireFewCodes(phone, context.address);
      const [account, invited, applyingTo, expected] = await Promise.all([
        findAccountByPhone(database.db, phone),
        input.inviteToken === undefined ? false : ports.inviteIsOpen(input.inviteToken),
        input.joinCode === undefined ? undefined : ports.schoolByJoinCode(input.joinCode),
        ports.isExpected(phone),
      ]);
      const awaited = account !== undefined || invited || expected;
      const mayRegister = account === undefined && (awaited || applyingTo !== undefined);
      return issue(
        { phone, sessionId: null, mayRegister },
        account !== undefined || mayRegister
          ? (code) => `Звонок: код ${code}. Никому его не сообщайте.`
          : undefined,
        awaited ? undefined : applyingTo,
      );
    },

    async checkCode(typed, { address }) {
      const challenge = await requireRight(typed, null);
      return async (tx) => {
        const found = challenge.mayRegister
          ? await ensureAccount(tx, uuid() as AccountId, challenge.phone)
          : await findAccountByPhone(tx, challenge.phone);
        // The account before the code, as a report of a strange sign-in takes them: it finds the session or burns the code.
        const account = found && (await lockAccount(tx, found.id));
        // The code of a stranger, guessed: nobody was sent it.
        if (account === undefined) throw new CodedError('CODE_WRONG');
        await requireBurned(tx, typed.challengeId);
        await ports.claimRoster(tx, account.id, challenge.phone, address);
        return account.id;
      };
    },

    async requestConfirmation({ caller, address }) {
      const account = await findAccount(database.db, caller.accountId);
      if (account === undefined) throw new CodedError('UNAUTHENTICATED');
      const { phone } = account;
      // Who signs in with a card does nothing that needs it.
      if (phone === null) throw new CodedError('FORBIDDEN');
      await requireFewCodes(phone, address);
      return issue(
        { phone, sessionId: caller.sessionId, mayRegister: false },
        (code) => `Звонок: код ${code}, чтобы подтвердить важное действие. Никому его не сообщайте.`,
      );
    },

    async confirm(typed, { sessionId }) {
      await requireRight(typed, sessionId);
      return database.inTransaction(async (tx) => {
        await requireBurned(tx, typed.challengeId);
        const until = await confirmSession(tx, sessionId);
        if (until === undefined) throw new CodedError('UNAUTHENTICATED');
        return until;
      });
    },
  };
}
