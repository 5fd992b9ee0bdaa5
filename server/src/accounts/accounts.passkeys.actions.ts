import { randomBytes } from 'node:crypto';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import {
  type AccountId,
  accountLimits,
  type ChallengeId,
  CodedError,
  type OutputOf,
  type Passkey,
  type PasskeyAssertion,
  type PasskeyAttestation,
  type PasskeyId,
  type PasskeyRequest,
  type passkeyProcedures,
  type SessionId,
} from '@zvonok/shared';
import { v4 as randomUuid, v7 as uuid } from 'uuid';
import { isUniqueViolation, type Reader, type Transaction } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import type { AccountContext, Caller } from '../platform/procedures.ts';
import {
  addPasskey,
  addPasskeyChallenge,
  deletePasskey,
  deletePasskeys,
  endSessionsOfPasskey,
  hasPasskey,
  listPasskeys,
  lockPasskey,
  lockPasskeys,
  markSession,
  renamePasskey,
  type StoredPasskey,
  takePasskeyChallenge,
  usePasskey,
} from './accounts.passkeys.store.ts';
import { announceEnded, deviceNameOf } from './accounts.sessions.actions.ts';
import { endSessions, findAccount, lockAccount } from './accounts.store.ts';

type Procedures = typeof passkeyProcedures;
interface Asked {
  readonly challengeId: ChallengeId;
  readonly expiresAt: string;
  readonly options: PasskeyRequest;
}

export interface PasskeyPorts {
  /** Where browsers reach this server: passkeys are bound to its host, and their answers name it. */
  readonly origin: () => string;
  readonly isOperator: (caller: Pick<Caller, 'accountId'>) => Promise<boolean>;
  /** Whether the person works for a school. */
  readonly isStaff: (accountId: AccountId) => Promise<boolean>;
}

export interface PasskeyActions {
  beginSignIn(): Promise<Asked>;
  /**
   * Which passkey answered. `prove` gives its owner's account, held until the end of the transaction that begins the session.
   *
   * @throws CodedError PASSKEY_INVALID
   */
  redeemAssertion(
    challengeId: ChallengeId,
    credential: PasskeyAssertion,
  ): Promise<{ prove: (tx: Transaction) => Promise<AccountId>; passkeyId: PasskeyId }>;
  beginConfirmation(caller: Caller): Promise<Asked>;
  finishConfirmation(caller: Caller, challengeId: ChallengeId, credential: PasskeyAssertion): Promise<void>;
  beginRegistration(caller: Caller): Promise<OutputOf<Procedures['accounts.beginPasskeyRegistration']>>;
  finishRegistration(
    context: AccountContext,
    input: { challengeId: ChallengeId; credential: PasskeyAttestation; name: string | undefined },
  ): Promise<Passkey>;
  list(caller: Caller): Promise<OutputOf<Procedures['accounts.listPasskeys']>>;
  rename(caller: Caller, id: PasskeyId, name: string): Promise<Passkey>;
  remove(caller: Caller, id: PasskeyId): Promise<void>;
  /** Whether operators must show a passkey: everywhere but in a demonstration, which is to be tried on any machine. */
  readonly obligatory: boolean;
  /** Whether this session was begun or confirmed with a passkey. Asked of the database each time. */
  hasPasskey(caller: Caller): Promise<boolean>;
  /** Forgets all passkeys of an account and ends its sessions: they were lost, and somebody may have found them. */
  reset(tx: Transaction, accountId: AccountId): Promise<number>;
}

/** Ed25519, ES256, RS256: what every browser offers. */
const algorithms = [-8, -7, -257];

export function createPasskeyActions(platform: Platform, ports: PasskeyPorts): PasskeyActions {
  const { database } = platform;
  const obligatory = !platform.config.demo;
  const host = () => new URL(ports.origin()).hostname;

  async function ask(purpose: 'signIn' | 'confirm' | 'register', sessionId: SessionId | null) {
    const id = randomUuid() as ChallengeId;
    const challenge = randomBytes(32).toString('base64url');
    const { expiresAt } = await database.inTransaction((tx) =>
      addPasskeyChallenge(tx, { id, purpose, challenge, sessionId }),
    );
    return {
      challengeId: id,
      challenge: Buffer.from(challenge, 'base64url'),
      expiresAt: expiresAt.toISOString(),
    };
  }

  /** Its own transaction: a question counts as answered whatever becomes of the answer. */
  async function take(
    id: ChallengeId,
    purpose: 'signIn' | 'confirm' | 'register',
    sessionId: SessionId | null,
  ): Promise<string> {
    const challenge = await database.inTransaction((tx) =>
      takePasskeyChallenge(tx, { id, purpose, sessionId }),
    );
    if (challenge === undefined) throw new CodedError('PASSKEY_INVALID');
    return challenge;
  }

  async function requestOf(
    challenge: Buffer<ArrayBuffer>,
    allowed?: readonly StoredPasskey[],
  ): Promise<PasskeyRequest> {
    const options = await generateAuthenticationOptions({
      rpID: host(),
      challenge,
      timeout: accountLimits.passkeyCeremonyMs,
      userVerification: 'required',
    });
    return {
      rpId: host(),
      challenge: options.challenge,
      timeout: accountLimits.passkeyCeremonyMs,
      userVerification: 'required',
      ...(allowed === undefined ? {} : { allowCredentials: allowed.map(descriptorOf) }),
    };
  }

  /**
   * Checks an answer against the stored key, and notes the use of it.
   *
   * @throws CodedError PASSKEY_INVALID, the same whatever was wrong
   */
  async function checkAssertion(
    tx: Transaction,
    challenge: string,
    { id, response }: PasskeyAssertion,
  ): Promise<StoredPasskey> {
    const passkey = await lockPasskey(tx, id);
    if (passkey === undefined) throw new CodedError('PASSKEY_INVALID');
    const { clientDataJSON, authenticatorData, signature, userHandle } = response;
    if (userHandle !== undefined && userHandle !== handleOf(passkey.accountId).toString('base64url')) {
      throw new CodedError('PASSKEY_INVALID');
    }
    const checked = await orInvalid(
      verifyAuthenticationResponse({
        response: {
          id,
          rawId: id,
          type: 'public-key',
          clientExtensionResults: {},
          response: { clientDataJSON, authenticatorData, signature },
        },
        expectedChallenge: challenge,
        expectedOrigin: ports.origin(),
        expectedRPID: host(),
        requireUserVerification: true,
        credential: {
          id: passkey.credentialId,
          publicKey: new Uint8Array(passkey.publicKey),
          counter: passkey.counter,
        },
      }),
    );
    if (!checked.verified) throw new CodedError('PASSKEY_INVALID');
    await usePasskey(tx, passkey.id, checked.authenticationInfo.newCounter);
    return passkey;
  }

  /** A changed list of passkeys is a changed lock: an operator shows the key that opens it. */
  async function requireOwnKey(reader: Reader, caller: Caller) {
    if (!obligatory || !(await ports.isOperator(caller))) return;
    if (!(await hasPasskey(reader, caller.accountId, caller.sessionId))) {
      throw new CodedError('PASSKEY_REQUIRED');
    }
  }

  const mayHave = async (caller: Caller) =>
    (await ports.isOperator(caller)) || (await ports.isStaff(caller.accountId));

  async function requireRoom(reader: Reader, caller: Caller, held: number) {
    if (held >= accountLimits.passkeysPerAccount) throw new CodedError('PASSKEYS_FULL');
    if (held > 0) await requireOwnKey(reader, caller);
  }

  const announceChanged = (tx: Transaction, accountId: AccountId) =>
    tx.announce(eventFor('accounts.passkeysChanged', { account: accountId }, {}));

  return {
    obligatory,

    async beginSignIn() {
      const { challenge, ...asked } = await ask('signIn', null);
      return { ...asked, options: await requestOf(challenge) };
    },

    async redeemAssertion(challengeId, credential) {
      const challenge = await take(challengeId, 'signIn', null);
      const { accountId, id } = await database.inTransaction((tx) =>
        checkAssertion(tx, challenge, credential),
      );
      return {
        passkeyId: id,
        async prove(tx) {
          // The account before its keys, as whoever takes a key away does.
          await lockAccount(tx, accountId);
          return accountId;
        },
      };
    },

    async beginConfirmation({ accountId, sessionId }) {
      const held = await listPasskeys(database, accountId);
      if (held.length === 0) throw new CodedError('NOT_FOUND');
      const { challenge, ...asked } = await ask('confirm', sessionId);
      return { ...asked, options: await requestOf(challenge, held) };
    },

    async finishConfirmation({ accountId, sessionId }, challengeId, credential) {
      const challenge = await take(challengeId, 'confirm', sessionId);
      await database.inTransaction(async (tx) => {
        const passkey = await checkAssertion(tx, challenge, credential);
        if (passkey.accountId !== accountId) throw new CodedError('PASSKEY_INVALID');
        if (!(await markSession(tx, sessionId, passkey.id))) throw new CodedError('UNAUTHENTICATED');
      });
    },

    async beginRegistration(caller) {
      if (!(await mayHave(caller))) throw new CodedError('WRONG_ROLE');
      const [account, held] = await Promise.all([
        findAccount(database.db, caller.accountId),
        listPasskeys(database, caller.accountId),
      ]);
      if (account === undefined) throw new CodedError('UNAUTHENTICATED');
      await requireRoom(database, caller, held.length);
      const { challenge, ...asked } = await ask('register', caller.sessionId);
      const options = await generateRegistrationOptions({
        rpName: 'Звонок',
        rpID: host(),
        userID: new Uint8Array(handleOf(account.id)),
        userName: account.phone ?? '',
        userDisplayName: account.phone ?? '',
        challenge,
        attestationType: 'none',
        supportedAlgorithmIDs: algorithms,
      });
      return {
        ...asked,
        options: {
          rp: { id: host(), name: options.rp.name },
          user: options.user,
          challenge: options.challenge,
          pubKeyCredParams: options.pubKeyCredParams.map(({ alg }) => ({ type: 'public-key', alg })),
          timeout: accountLimits.passkeyCeremonyMs,
          attestation: 'none',
          excludeCredentials: held.map(descriptorOf),
          authenticatorSelection: {
            residentKey: 'required',
            requireResidentKey: true,
            userVerification: 'required',
          },
        },
      };
    },

    async finishRegistration({ caller, userAgent }, { challengeId, credential, name }) {
      const { accountId, sessionId } = caller;
      if (!(await mayHave(caller))) throw new CodedError('WRONG_ROLE');
      const challenge = await take(challengeId, 'register', sessionId);
      const { id, response } = credential;
      requirePlainAttestation(response.attestationObject);
      const checked = await orInvalid(
        verifyRegistrationResponse({
          response: {
            id,
            rawId: id,
            type: 'public-key',
            clientExtensionResults: {},
            response: {
              clientDataJSON: response.clientDataJSON,
              attestationObject: response.attestationObject,
            },
          },
          expectedChallenge: challenge,
          expectedOrigin: ports.origin(),
          expectedRPID: host(),
          requireUserVerification: true,
          supportedAlgorithmIDs: algorithms,
        }),
      );
      if (!checked.verified) throw new CodedError('PASSKEY_INVALID');
      const key = checked.registrationInfo.credential;
      try {
        return await database.inTransaction(async (tx) => {
          await requireRoom(tx, caller, await lockPasskeys(tx, accountId));
          const passkey = await addPasskey(tx, {
            id: uuid() as PasskeyId,
            accountId,
            credentialId: key.id,
            publicKey: Buffer.from(key.publicKey),
            counter: key.counter,
            transports: response.transports ?? [],
            name: name?.trim() ?? deviceNameOf(userAgent),
          });
          if (!(await markSession(tx, sessionId, passkey.id))) throw new CodedError('UNAUTHENTICATED');
          announceChanged(tx, accountId);
          return describe(passkey);
        });
      } catch (error) {
        // A device of somebody else's account, or the same answer twice.
        if (isUniqueViolation(error, 'passkeys_credential')) throw new CodedError('CONFLICT');
        throw error;
      }
    },

    async list(caller) {
      const { accountId, sessionId } = caller;
      const [held, operator, staff, confirmed] = await Promise.all([
        listPasskeys(database, accountId),
        ports.isOperator(caller),
        ports.isStaff(accountId),
        hasPasskey(database, accountId, sessionId),
      ]);
      return {
        passkeys: held.map(describe),
        allowed: operator || staff,
        required: operator && obligatory,
        confirmed,
      };
    },

    rename: (caller, id, name) =>
      database.inTransaction(async (tx) => {
        await requireOwnKey(tx, caller);
        const passkey = await renamePasskey(tx, caller.accountId, id, name.trim());
        if (passkey === undefined) throw new CodedError('NOT_FOUND');
        announceChanged(tx, caller.accountId);
        return describe(passkey);
      }),

    remove: (caller, id) =>
      database.inTransaction(async (tx) => {
        const { accountId, sessionId } = caller;
        const held = await lockPasskeys(tx, accountId);
        await requireOwnKey(tx, caller);
        const ended = await endSessionsOfPasskey(tx, accountId, id, sessionId);
        if (!(await deletePasskey(tx, accountId, id))) throw new CodedError('NOT_FOUND');
        if (held === 1 && obligatory && (await ports.isOperator(caller)))
          throw new CodedError('LAST_PASSKEY');
        announceEnded(tx, accountId, ended);
        announceChanged(tx, accountId);
      }),

    hasPasskey: ({ accountId, sessionId }) => hasPasskey(database, accountId, sessionId),

    async reset(tx, accountId) {
      announceEnded(tx, accountId, await endSessions(tx, accountId, 'all'));
      announceChanged(tx, accountId);
      return deletePasskeys(tx, accountId);
    },
  };
}

/** What an authenticator knows the person by: the account's id, which tells nothing of them. */
const handleOf = (accountId: AccountId) => Buffer.from(accountId.replaceAll('-', ''), 'hex');

/** The library throws a plain Error for each thing that can be wrong with an answer, and for what is no answer at all. */
async function orInvalid<T>(check: Promise<T>): Promise<T> {
  try {
    return await check;
  } catch {
    throw new CodedError('PASSKEY_INVALID');
  }
}

/**
 * None was asked for, so a certificate in the answer is somebody's own doing: the library would fetch the revocation list
 * that it names, from wherever that is.
 */
function requirePlainAttestation(attestationObject: string): void {
  try {
    const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')));
    const plain = decoded.get('fmt') === 'none' || decoded.get('fmt') === 'packed';
    if (plain && decoded.get('attStmt').get('x5c') === undefined) return;
  } catch {
    // Not CBOR, or CBOR of something else: refused below.
  }
  throw new CodedError('PASSKEY_INVALID');
}

const descriptorOf = ({ credentialId, transports }: StoredPasskey) => ({
  id: credentialId,
  type: 'public-key' as const,
  transports,
});

const describe = (passkey: StoredPasskey): Passkey => ({
  id: passkey.id,
  name: passkey.name,
  createdAt: passkey.createdAt.toISOString(),
  lastUsedAt: passkey.lastUsedAt?.toISOString() ?? null,
});
