import { createHmac, timingSafeEqual } from 'node:crypto';
import { type AccountId, accountLimits, CodedError, type IdentityRefusal } from '@zvonok/shared';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { deriveKey } from '../platform/config.ts';
import type { Transaction } from '../platform/database.ts';
import { normalisePhone } from '../platform/phone.ts';
import type { Platform } from '../platform/platform.ts';
import type { Caller } from '../platform/procedures.ts';
import {
  findIdentity,
  findLinked,
  linkIdentity,
  unlinkIdentity,
  useIdentity,
} from './accounts.identity.store.ts';
import { findAccountByPhone, lockAccount } from './accounts.store.ts';

/** Why somebody whom the provider sent back is not let in: the word that the sign-in page is opened with. */
export class IdentityRefused extends Error {
  readonly reason: IdentityRefusal;

  constructor(reason: IdentityRefusal, cause?: unknown) {
    super(`sign-in by the identity provider refused: ${reason}`, { cause });
    this.reason = reason;
  }
}

export interface IdentityPorts {
  readonly isOperator: (caller: Pick<Caller, 'accountId'>) => Promise<boolean>;
  /** Where the provider sends people back to. */
  readonly returnUrl: () => string;
}

export interface IdentityActions {
  /**
   * Where to send somebody who wants to sign in, and what their browser keeps meanwhile.
   *
   * @throws IdentityRefused unavailable
   */
  begin(): Promise<{ readonly url: URL; readonly ticket: string }>;
  /**
   * Checks whom the provider sent back with these parameters. What it answers gives their account, held until the end of the
   * transaction that begins the session. Accounts are never made here: the identity is linked to one already, or is linked
   * then, once, to the one with the phone that the provider has verified.
   *
   * @throws IdentityRefused, both
   */
  redeem(
    parameters: URLSearchParams,
    ticket: string | undefined,
  ): Promise<(tx: Transaction) => Promise<AccountId>>;
  /** Since when an identity of this provider opens the account. */
  linkedSince(accountId: AccountId): Promise<Date | undefined>;
  /** Undoes that; the next sign-in with the account's verified phone links anew. False where none was. */
  unlink(accountId: AccountId): Promise<boolean>;
}

/** What a browser keeps from the start to the return, signed. */
interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly expiresAt: number;
}

type Claims = Readonly<Record<string, unknown>>;

const scope = 'openid phone';

/** Sign-in by a region's own identity provider (OpenID Connect); undefined where none is configured. */
export function createIdentityActions(
  { config, secrets, database, logger }: Platform,
  ports: IdentityPorts,
): IdentityActions | undefined {
  const { identityProvider } = config;
  const { identityProviderSecret } = secrets;
  if (identityProvider === undefined || identityProviderSecret === undefined) return undefined;
  const { issuer, clientId } = identityProvider;
  const key = deriveKey(secrets, 'identity-provider');
  const sign = (body: string) => createHmac('sha256', key).update(body).digest();

  /** As the provider likes it: in a header, as OpenID Connect has it by default, or in the body where it names that alone. */
  const authentication: ClientAuth = (server, ...request) => {
    const accepted = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const by = accepted.includes('client_secret_basic') ? ClientSecretBasic : ClientSecretPost;
    by(identityProviderSecret)(server, ...request);
  };

  let known: { readonly provider: Promise<Configuration>; readonly until: number } | undefined;

  /** What the provider says of itself. A failure is not kept: the next person asks again. */
  function discover(): Promise<Configuration> {
    if (known !== undefined && performance.now() < known.until) return known.provider;
    const provider = discovery(new URL(issuer), clientId, identityProviderSecret, authentication, {
      timeout: accountLimits.identityProviderMs / 1_000,
      // Config lets plain HTTP pass on loopback alone.
      ...(issuer.startsWith('http:') ? { execute: [allowInsecureRequests] } : {}),
    });
    known = { provider, until: performance.now() + accountLimits.identityMetadataMs };
    provider.catch(() => {
      if (known?.provider === provider) known = undefined;
    });
    return provider;
  }

  /** Its errors carry answers of the provider, which are personal: their kind is all that is logged. */
  function refuse(error: unknown): IdentityRefused {
    const { code, error: answer } = error as { code?: unknown; error?: unknown };
    // The provider has spoken, and against this attempt: a code that was used or is too old.
    if (answer === 'invalid_grant') return new IdentityRefused('expired');
    if (answer === 'access_denied') return new IdentityRefused('cancelled');
    logger.warn({ kind: String(answer ?? code ?? 'unknown').slice(0, 60) }, 'the identity provider failed');
    return new IdentityRefused('unavailable');
  }

  function seal(attempt: Attempt): string {
    const body = Buffer.from(JSON.stringify(attempt)).toString('base64url');
    return `${body}.${sign(body).toString('base64url')}`;
  }

  /** @throws IdentityRefused expired, also for what this server never gave out */
  function open(ticket: string | undefined): Attempt {
    const [body = '', signature = ''] = (ticket ?? '').split('.');
    const shown = Buffer.from(signature, 'base64url');
    const right = sign(body);
    if (shown.length !== right.length || !timingSafeEqual(shown, right)) throw new IdentityRefused('expired');
    const attempt = JSON.parse(Buffer.from(body, 'base64url').toString()) as Attempt;
    if (attempt.expiresAt < Date.now()) throw new IdentityRefused('expired');
    return attempt;
  }

  async function askWho(parameters: URLSearchParams, attempt: Attempt) {
    const returned = new URL(ports.returnUrl());
    returned.search = parameters.toString();
    try {
      const provider = await discover();
      const tokens = await authorizationCodeGrant(provider, returned, {
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        pkceCodeVerifier: attempt.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new TypeError('no ID token came');
      return {
        subject: claims.sub,
        /** Asked for only where it is needed: at the first sign-in. */
        async phone(): Promise<Claims> {
          if ('phone_number' in claims || provider.serverMetadata().userinfo_endpoint === undefined) {
            return claims;
          }
          return fetchUserInfo(provider, tokens.access_token, claims.sub).catch((error: unknown) => {
            throw refuse(error);
          });
        },
      };
    } catch (error) {
      throw refuse(error);
    }
  }

  /** The account with the phone that the provider has verified. */
  async function findByPhone(claims: Claims): Promise<AccountId> {
    const phone = claims.phone_number_verified === true ? phoneOf(claims.phone_number) : undefined;
    if (phone === undefined) throw new IdentityRefused('noPhone');
    const account = await findAccountByPhone(database.db, phone);
    if (account === undefined) throw new IdentityRefused('noAccount');
    return account.id;
  }

  return {
    async begin() {
      const attempt: Attempt = {
        state: randomState(),
        nonce: randomNonce(),
        verifier: randomPKCECodeVerifier(),
        expiresAt: Date.now() + accountLimits.identityAttemptMs,
      };
      try {
        const url = buildAuthorizationUrl(await discover(), {
          redirect_uri: ports.returnUrl(),
          scope,
          state: attempt.state,
          nonce: attempt.nonce,
          code_challenge: await calculatePKCECodeChallenge(attempt.verifier),
          code_challenge_method: 'S256',
        });
        return { url, ticket: seal(attempt) };
      } catch (error) {
        throw refuse(error);
      }
    },

    async redeem(parameters, ticket) {
      const attempt = open(ticket);
      // Before anything is asked of the provider: an answer to somebody else's question.
      if (parameters.get('state') !== attempt.state) throw new IdentityRefused('expired');
      const who = await askWho(parameters, attempt);
      const identity = { issuer, subject: who.subject };
      const linked = await findLinked(database, identity);
      const accountId = linked ?? (await findByPhone(await who.phone()));
      // Nobody else's provider opens the door to who runs the server.
      if (await ports.isOperator({ accountId })) throw new IdentityRefused('operator');
      return async (tx) => {
        // The account before its link, as a report of a strange sign-in takes them.
        const account = await lockAccount(tx, accountId);
        if (account !== undefined && linked === undefined) await linkIdentity(tx, identity, accountId);
        // The account is somebody else's of the provider; or the link was undone a moment ago.
        if ((await useIdentity(tx, identity)) !== accountId) {
          throw new IdentityRefused(linked === undefined ? 'noAccount' : 'expired');
        }
        return accountId;
      };
    },

    linkedSince: (accountId) => findIdentity(database, issuer, accountId),
    unlink: (accountId) => database.inTransaction((tx) => unlinkIdentity(tx, issuer, accountId)),
  };
}

function phoneOf(claim: unknown): string | undefined {
  try {
    return typeof claim === 'string' ? normalisePhone(claim) : undefined;
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}
