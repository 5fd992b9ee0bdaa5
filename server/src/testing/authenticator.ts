import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { PasskeyAssertion, PasskeyAttestation, PasskeyCreation, PasskeyRequest } from '@zvonok/shared';

/** What a test makes an authenticator or the browser before it do otherwise than they should. */
export interface Misconduct {
  /** The page that asks. */
  readonly origin?: string;
  /** The host whose key is shown. */
  readonly rpId?: string;
  /** Nobody's finger, face or PIN was asked for. */
  readonly unverified?: boolean;
  /** Another counter than the next one. */
  readonly counter?: number;
  /** Signs with a key that is not the credential's. */
  readonly foreignKey?: boolean;
  /** Attests with a certificate, unasked. */
  readonly certificate?: Buffer;
}

interface Credential {
  readonly id: Buffer;
  readonly rpId: string;
  readonly userHandle: string;
  readonly key: KeyObject;
  counter: number;
}

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest();
const base64url = (data: Buffer | string) => Buffer.from(data).toString('base64url');
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/**
 * A WebAuthn authenticator in software, with the browser before it: keeps discoverable ES256 keys and answers like a real
 * one, with attestations of format `none`.
 */
export class Authenticator {
  readonly #origin: string;
  readonly #credentials: Credential[] = [];

  /** `origin`: the page that it is used on. */
  constructor(origin: string) {
    this.#origin = origin;
  }

  /** @throws Error where it holds one of the excluded credentials, as `InvalidStateError` does */
  create(options: PasskeyCreation, misconduct: Misconduct = {}): PasskeyAttestation {
    const excluded = new Set(options.excludeCredentials.map(({ id }) => id));
    if (this.#credentials.some(({ id }) => excluded.has(base64url(id)))) throw new Error('is registered');
    const { publicKey, privateKey } = newKey();
    const credential: Credential = {
      id: randomBytes(32),
      rpId: options.rp.id,
      userHandle: options.user.id,
      key: privateKey,
      counter: 0,
    };
    this.#credentials.push(credential);
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const cose = cbor(
      new Map<number, unknown>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]),
    );
    const length = Buffer.alloc(2);
    length.writeUInt16BE(credential.id.length);
    const authData = Buffer.concat([
      this.#head(credential, misconduct, 0x40),
      Buffer.alloc(16),
      length,
      credential.id,
      cose,
    ]);
    const { certificate } = misconduct;
    const attestation = new Map<string, unknown>([
      ['fmt', certificate === undefined ? 'none' : 'packed'],
      [
        'attStmt',
        certificate === undefined
          ? new Map()
          : new Map<string, unknown>([
              ['alg', -7],
              ['sig', randomBytes(70)],
              ['x5c', [certificate]],
            ]),
      ],
      ['authData', authData],
    ]);
    return {
      id: base64url(credential.id),
      response: {
        clientDataJSON: this.#clientData('webauthn.create', options.challenge, misconduct),
        attestationObject: base64url(cbor(attestation)),
        transports: ['internal'],
      },
    };
  }

  /** @throws Error where it holds no key that is asked for, as `NotAllowedError` does */
  get(options: PasskeyRequest, misconduct: Misconduct = {}): PasskeyAssertion {
    const allowed = options.allowCredentials && new Set(options.allowCredentials.map(({ id }) => id));
    const credential = this.#credentials.findLast(
      ({ id, rpId }) => rpId === options.rpId && allowed?.has(base64url(id)) !== false,
    );
    if (credential === undefined) throw new Error('has no such key');
    credential.counter += 1;
    const authenticatorData = this.#head(credential, misconduct, 0);
    const clientDataJSON = this.#clientData('webauthn.get', options.challenge, misconduct);
    const signed = Buffer.concat([authenticatorData, sha256(Buffer.from(clientDataJSON, 'base64url'))]);
    const key = misconduct.foreignKey === true ? newKey().privateKey : credential.key;
    return {
      id: base64url(credential.id),
      response: {
        clientDataJSON,
        authenticatorData: base64url(authenticatorData),
        signature: base64url(sign('sha256', signed, key)),
        userHandle: credential.userHandle,
      },
    };
  }

  /** Whose key, whether somebody was there and proved to be its owner, and how often it has signed. */
  #head(credential: Credential, { rpId, unverified, counter }: Misconduct, flags: number): Buffer {
    const head = Buffer.alloc(37);
    sha256(rpId ?? credential.rpId).copy(head);
    head[32] = flags | (unverified === true ? 0x01 : 0x05);
    head.writeUInt32BE(counter ?? credential.counter, 33);
    return head;
  }

  #clientData(type: string, challenge: string, { origin = this.#origin }: Misconduct): string {
    return base64url(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }
}

/** As much CBOR (RFC 8949) as WebAuthn needs: integers, bytes, texts, lists, maps. */
function cbor(value: unknown): Buffer {
  const head = (major: number, n: number) =>
    n < 24
      ? Buffer.from([(major << 5) | n])
      : n < 256
        ? Buffer.from([(major << 5) | 24, n])
        : Buffer.from([(major << 5) | 25, n >> 8, n & 255]);
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  if (value instanceof Map) {
    return Buffer.concat([
      head(5, value.size),
      ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)]),
    ]);
  }
  throw new TypeError('no CBOR for this');
}
