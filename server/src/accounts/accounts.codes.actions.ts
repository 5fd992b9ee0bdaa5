import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import {
  type AccountId,
  accountLimits,
  type accountsProcedures,
  type ChallengeId,
  CodedError,
  type InputOf,
  type OutputOf,
  type RateLimit,
} from '@zvonok/shared';
import { v4 as randomUuid, v7 as uuid } from 'uuid';
import { deriveKey } from '../platform/config.ts';
import type { Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { PublicContext } from '../platform/procedures.ts';
import {
  addChallenge,
  burnChallenge,
  countTry,
  ensureAccount,
  findAccountByPhone,
  type StoredAccount,
} from './accounts.store.ts';
import { normalisePhone } from './phone.ts';
import type { SmsSender } from './sms.ts';

type RequestCode = (typeof accountsProcedures)['accounts.requestCode'];
type VerifyCode = (typeof accountsProcedures)['accounts.verifyCode'];

export interface CodePorts {
  /** Whether an invite with this token can be redeemed now. */
  readonly inviteIsOpen: (token: string) => Promise<boolean>;
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
  requestCode(input: InputOf<RequestCode>, context: PublicContext): Promise<OutputOf<RequestCode>>;
  /**
   * The account whose code this is; made if the phone came with an invite or a school expects it. The challenge is burned,
   * and wherever the phone is expected the account is a member from now on.
   *
   * @throws CodedError CODE_WRONG
   */
  redeemCode(
    input: Pick<InputOf<VerifyCode>, 'challengeId' | 'code'>,
    context: Pick<PublicContext, 'address'>,
  ): Promise<StoredAccount>;
}

/** The whole installation: what bounds the bill of its SMS gateway. */
const tenantKey = 'codes:tenant';

export function createCodeActions(platform: Platform, ports: CodePorts, sms: SmsSender): CodeActions {
  const { database, counters, logger, config } = platform;
  const key = deriveKey(platform.secrets, 'one-time-code');

  const hashOf = (challengeId: ChallengeId, code: string) =>
    createHmac('sha256', key).update(`${challengeId} ${code}`).digest();

  /** Counters may live in Redis: phones and addresses do not go there. */
  const blind = (value: string) =>
    createHmac('sha256', key).update(`counter ${value}`).digest('base64url').slice(0, 22);

  /** Rejects with UNAVAILABLE where the counters are away: without a limit no code is sent. */
  async function count(counter: string, limit: RateLimit): Promise<number> {
    if (!config.rateLimits) return 0;
    return counters.hit(counter, limit);
  }

  async function requireBelow(counter: string, limit: RateLimit) {
    const retryAfterMs = await count(counter, limit);
    if (retryAfterMs > 0) throw new CodedError('RATE_LIMITED', { retryAfterMs });
  }

  /** Never awaited by a request, so that its length tells nobody whether a phone is known. */
  async function deliver(challengeId: ChallengeId, phone: string, code: string) {
    if ((await count(tenantKey, accountLimits.codesPerTenant)) > 0) {
      logger.error('the hourly limit of codes is reached; a code was not sent');
      // Nobody can type it, so whoever does has guessed: the limit bounds the guesses too.
      await database.inTransaction((tx) => burnChallenge(tx, challengeId));
      return;
    }
    await sms.send(phone, `Звонок: код ${code}. Никому его не сообщайте.`);
  }

  return {
    async requestCode(input, context) {
      const phone = normalisePhone(input.phone);
      await requireBelow(`codes:address:${blind(context.address)}`, accountLimits.codesPerAddress);
      await requireBelow(`codes:phone:${blind(phone)}`, accountLimits.codesPerPhone);
      const [account, invited, expected] = await Promise.all([
        findAccountByPhone(database.db, phone),
        input.inviteToken === undefined ? false : ports.inviteIsOpen(input.inviteToken),
        ports.isExpected(phone),
      ]);
      const id = randomUuid() as ChallengeId;
      const code = randomInt(1_000_000).toString().padStart(6, '0');
      const mayRegister = account === undefined && (invited || expected);
      const { expiresAt } = await database.inTransaction((tx) =>
        addChallenge(tx, { id, phone, codeHash: hashOf(id, code).toString('base64url'), mayRegister }),
      );
      if (account !== undefined || mayRegister) {
        // Once the answer is on its way: the work of beginning a delivery would show in its time.
        setImmediate(() => {
          deliver(id, phone, code).catch((error: unknown) =>
            logger.error({ err: error }, 'a code was not sent'),
          );
        });
      }
      return {
        challengeId: id,
        expiresAt: expiresAt.toISOString(),
        resendAfterMs: accountLimits.codeResendMs,
      };
    },

    async redeemCode({ challengeId, code }, { address }) {
      // Its own transaction: a try counts whatever becomes of the rest.
      const challenge = await database.inTransaction((tx) => countTry(tx, challengeId));
      const right =
        challenge !== undefined &&
        timingSafeEqual(hashOf(challengeId, code), Buffer.from(challenge.codeHash, 'base64url'));
      if (!right) throw new CodedError('CODE_WRONG');
      return database.inTransaction(async (tx) => {
        if (!(await burnChallenge(tx, challengeId))) throw new CodedError('CODE_WRONG');
        const account = challenge.mayRegister
          ? await ensureAccount(tx, uuid() as AccountId, challenge.phone)
          : await findAccountByPhone(tx, challenge.phone);
        // The code of a stranger, guessed: nobody was sent it.
        if (account === undefined) throw new CodedError('CODE_WRONG');
        await ports.claimRoster(tx, account.id, account.phone, address);
        return account;
      });
    },
  };
}
