import {
  browserSupportsWebAuthn,
  startAuthentication,
  startRegistration,
  WebAuthnError,
} from '@simplewebauthn/browser';
import type { Passkey, PasskeyAssertion, PasskeyRequest } from '@zvonok/client-sdk';
import type { TFunction } from 'i18next';
import { client } from '../platform/client.ts';
import { SpokenError } from '../platform/words.ts';

/** Whether this browser can keep and use passkeys here: they are bound to a host's name, and an address has none. */
export const passkeysWork = (): boolean =>
  browserSupportsWebAuthn() && !/^[\d.]+$|^\[/.test(location.hostname);

/** Signs in with a passkey that the person picks. Rejects with an error that `errorWords` knows. */
export async function signInWithPasskey(): Promise<void> {
  const { challengeId, options } = await client.accounts.beginPasskeySignIn();
  await client.accounts.finishPasskeySignIn({ challengeId, credential: await ask(options) });
}

/** Confirms this session with one of the person's own passkeys. */
export async function confirmWithPasskey(): Promise<void> {
  const { challengeId, options } = await client.accounts.beginPasskeyConfirmation();
  await client.accounts.finishPasskeyConfirmation({ challengeId, credential: await ask(options) });
}

/** Has a device make a passkey, and the server keep it. */
export async function addPasskey(): Promise<Passkey> {
  const { challengeId, options } = await client.accounts.beginPasskeyRegistration();
  const made = await startRegistration({ optionsJSON: options }).catch(speak);
  const { clientDataJSON, attestationObject, transports = [] } = made.response;
  const { passkey } = await client.accounts.finishPasskeyRegistration({
    challengeId,
    credential: { id: made.id, response: { clientDataJSON, attestationObject, transports } },
  });
  return passkey;
}

async function ask(options: PasskeyRequest): Promise<PasskeyAssertion> {
  const answer = await startAuthentication({ optionsJSON: options }).catch(speak);
  const { clientDataJSON, authenticatorData, signature, userHandle } = answer.response;
  return {
    id: answer.id,
    response: {
      clientDataJSON,
      authenticatorData,
      signature,
      ...(userHandle === undefined ? {} : { userHandle }),
    },
  };
}

/** What the browser says of a ceremony, in words: most often that the person thought better of it. */
function speak(error: unknown): never {
  throw new SpokenError((t) => browserWords(error, t));
}

function browserWords(error: unknown, t: TFunction): string {
  if (!(error instanceof WebAuthnError)) return t('passkeys.errors.failed');
  switch (error.code) {
    case 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED':
      return t('passkeys.errors.known');
    case 'ERROR_AUTHENTICATOR_MISSING_DISCOVERABLE_CREDENTIAL_SUPPORT':
    case 'ERROR_AUTHENTICATOR_MISSING_USER_VERIFICATION_SUPPORT':
    case 'ERROR_AUTHENTICATOR_NO_SUPPORTED_PUBKEYCREDPARAMS_ALG':
      return t('passkeys.errors.unfit');
    case 'ERROR_INVALID_DOMAIN':
    case 'ERROR_INVALID_RP_ID':
      return t('passkeys.errors.address');
    default:
      return t(
        error.name === 'NotAllowedError' || error.name === 'AbortError'
          ? 'passkeys.errors.cancelled'
          : 'passkeys.errors.failed',
      );
  }
}
