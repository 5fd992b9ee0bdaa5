import Type, { type Static } from 'typebox';
import { Carrier, SignedIn } from './accounts.ts';
import { accountProcedure, perMinute, procedures, publicProcedure, strict, Time } from './contract.ts';
import { ChallengeId, PasskeyId } from './ids.ts';
import { accountLimits } from './limits.ts';

/**
 * Passkeys (WebAuthn Level 3): staff may have them, operators must. The shapes are those of its JSON forms
 * (`PublicKeyCredentialCreationOptionsJSON` and its kin), less what this server neither sends nor reads.
 */
const base64url = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[A-Za-z0-9_-]+$' });
const CredentialId = base64url(accountLimits.passkeyIdLength);
const Part = base64url(accountLimits.passkeyPartLength);
const Transports = Type.Array(Type.String({ pattern: '^[a-z-]{1,20}$' }), { maxItems: 8 });

/** As its owner calls it. Letters, digits and common signs on one line. */
export const PasskeyName = Type.String({
  minLength: 1,
  maxLength: accountLimits.passkeyNameLength,
  pattern: '^[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}\\p{P}\\p{Sm}\\p{So} ]*$',
});

export const Passkey = strict({
  id: PasskeyId,
  name: Type.String(),
  createdAt: Time,
  /** Null until it was used to sign in or to confirm. */
  lastUsedAt: Type.Union([Time, Type.Null()]),
});
export type Passkey = Static<typeof Passkey>;

const Descriptor = strict({
  id: Type.String(),
  type: Type.Literal('public-key'),
  transports: Type.Optional(Transports),
});

/** What `navigator.credentials.create` is asked for: a discoverable passkey behind a finger, a face or a PIN. */
export const PasskeyCreation = strict({
  rp: strict({ id: Type.String(), name: Type.String() }),
  user: strict({ id: Type.String(), name: Type.String(), displayName: Type.String() }),
  challenge: Type.String(),
  pubKeyCredParams: Type.Array(strict({ type: Type.Literal('public-key'), alg: Type.Integer() })),
  timeout: Type.Integer(),
  attestation: Type.Literal('none'),
  excludeCredentials: Type.Array(Descriptor),
  authenticatorSelection: strict({
    residentKey: Type.Literal('required'),
    requireResidentKey: Type.Literal(true),
    userVerification: Type.Literal('required'),
  }),
});
export type PasskeyCreation = Static<typeof PasskeyCreation>;

/** What `navigator.credentials.get` is asked for. Without `allowCredentials` the person picks among their passkeys. */
export const PasskeyRequest = strict({
  rpId: Type.String(),
  challenge: Type.String(),
  timeout: Type.Integer(),
  userVerification: Type.Literal('required'),
  allowCredentials: Type.Optional(Type.Array(Descriptor)),
});
export type PasskeyRequest = Static<typeof PasskeyRequest>;

/** What came of `create`, every part in base64url. */
export const PasskeyAttestation = strict({
  id: CredentialId,
  response: strict({
    clientDataJSON: Part,
    attestationObject: Part,
    transports: Type.Optional(Transports),
  }),
});
export type PasskeyAttestation = Static<typeof PasskeyAttestation>;

/** What came of `get`, every part in base64url. */
export const PasskeyAssertion = strict({
  id: CredentialId,
  response: strict({
    clientDataJSON: Part,
    authenticatorData: Part,
    signature: Part,
    userHandle: Type.Optional(base64url(88)),
  }),
});
export type PasskeyAssertion = Static<typeof PasskeyAssertion>;

/** A question to a passkey; it is answered once, before it expires. */
const asked = { challengeId: ChallengeId, expiresAt: Time };

export const passkeyProcedures = procedures('accounts', {
  beginPasskeySignIn: publicProcedure({
    summary: 'Asks for a passkey, whosever it is.',
    input: {},
    output: strict({ ...asked, options: PasskeyRequest }),
    /** A staff room signs in from one address. */
    limit: perMinute(600),
  }),
  finishPasskeySignIn: publicProcedure({
    summary: 'Exchanges the answer of a passkey for a session of its owner.',
    input: {
      challengeId: ChallengeId,
      credential: PasskeyAssertion,
      carrier: Carrier,
      deviceName: Type.Optional(Type.String({ minLength: 1, maxLength: accountLimits.deviceNameLength })),
    },
    output: SignedIn,
    errors: ['PASSKEY_INVALID'],
    limit: perMinute(600),
  }),
  beginPasskeyConfirmation: accountProcedure({
    summary: 'Asks for one of the caller’s own passkeys, to confirm this session.',
    input: {},
    output: strict({ ...asked, options: PasskeyRequest }),
    errors: ['NOT_FOUND'],
    limit: perMinute(60),
  }),
  finishPasskeyConfirmation: accountProcedure({
    summary:
      'This session counts as confirmed with the passkey that answered: also for a while for dangerous actions, as by a code.',
    input: { challengeId: ChallengeId, credential: PasskeyAssertion },
    output: strict({}),
    errors: ['PASSKEY_INVALID'],
    limit: perMinute(60),
  }),
  beginPasskeyRegistration: accountProcedure({
    summary:
      'Asks a device for a new passkey. For staff and operators, who proved in the last minutes who they are; an operator who has a passkey adds another in a session that has seen it.',
    input: {},
    output: strict({ ...asked, options: PasskeyCreation }),
    errors: ['WRONG_ROLE', 'PASSKEY_REQUIRED', 'PASSKEYS_FULL'],
    confirmed: true,
    limit: perMinute(30),
  }),
  finishPasskeyRegistration: accountProcedure({
    summary:
      'Keeps the new passkey. This session counts as confirmed with it. Named after the device where no name is given.',
    input: {
      challengeId: ChallengeId,
      credential: PasskeyAttestation,
      name: Type.Optional(PasskeyName),
    },
    output: strict({ passkey: Passkey }),
    errors: ['WRONG_ROLE', 'PASSKEY_REQUIRED', 'PASSKEYS_FULL', 'PASSKEY_INVALID', 'CONFLICT'],
    confirmed: true,
    limit: perMinute(30),
  }),
  listPasskeys: accountProcedure({
    summary: 'The caller’s passkeys, the oldest first, and what they open.',
    input: {},
    output: strict({
      passkeys: Type.Array(Passkey),
      /** Whether this person may add one: staff and operators. */
      allowed: Type.Boolean(),
      /** Whether the operator's console stays closed to this person without one. */
      required: Type.Boolean(),
      /** Whether this session was begun or confirmed with one of them. */
      confirmed: Type.Boolean(),
    }),
  }),
  renamePasskey: accountProcedure({
    summary: 'Gives a passkey another name.',
    input: { passkeyId: PasskeyId, name: PasskeyName },
    output: strict({ passkey: Passkey }),
    errors: ['NOT_FOUND', 'PASSKEY_REQUIRED'],
  }),
  removePasskey: accountProcedure({
    summary:
      'A removed passkey opens nothing any more; other devices that it signed in are signed out. An operator keeps at least one.',
    input: { passkeyId: PasskeyId },
    output: strict({}),
    errors: ['NOT_FOUND', 'PASSKEY_REQUIRED', 'LAST_PASSKEY'],
    confirmed: true,
  }),
});
