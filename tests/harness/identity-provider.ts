import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import Provider from 'oidc-provider';

/** Somebody whom the region knows. */
export interface RegionPerson {
  readonly subject: string;
  readonly phone?: string;
  readonly phoneVerified?: boolean;
}

const client = { id: 'zvonok', secret: 'a-secret-of-the-tests-alone-32-bytes' };

/** A region's identity provider: a real one (oidc-provider) on loopback, where `present` is who sits at the device. */
export class IdentityProvider {
  readonly issuer: string;
  /** Undefined: they press “cancel”. */
  present: RegionPerson | undefined;
  readonly #server: Server;
  readonly #people = new Map<string, RegionPerson>();

  private constructor(issuer: string, redirectUri: string) {
    this.issuer = issuer;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const provider = new Provider(issuer, {
      clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: [redirectUri] }],
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
      cookies: { keys: ['of the tests alone'] },
      claims: { openid: ['sub'], phone: ['phone_number', 'phone_number_verified'] },
      features: { devInteractions: { enabled: false } },
      // In seconds; left out, it says so at length.
      ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      findAccount: (_context, subject) => ({
        accountId: subject,
        claims: () => {
          const { phone, phoneVerified } = this.#people.get(subject) ?? {};
          return {
            sub: subject,
            ...(phone === undefined ? {} : { phone_number: phone }),
            ...(phoneVerified === undefined ? {} : { phone_number_verified: phoneVerified }),
          };
        },
      }),
      // Nobody is asked whether they agree: the region has agreed for them.
      async loadExistingGrant({ oidc }) {
        const grant = new oidc.provider.Grant({
          clientId: oidc.client?.clientId ?? '',
          accountId: oidc.session?.accountId ?? '',
        });
        grant.addOIDCScope('openid phone');
        await grant.save();
        return grant;
      },
    });
    const answer = provider.callback();
    const finish = (request: IncomingMessage, response: ServerResponse) => {
      const { present } = this;
      if (present !== undefined) this.#people.set(present.subject, present);
      return provider.interactionFinished(
        request,
        response,
        present === undefined ? { error: 'access_denied' } : { login: { accountId: present.subject } },
        { mergeWithLastSubmission: false },
      );
    };
    this.#server = createServer((request, response) => {
      if (request.url?.startsWith('/interaction/') !== true) return void answer(request, response);
      finish(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  /** What the server is told of the provider. */
  static environment(port: number): Record<string, string> {
    return {
      OIDC_ISSUER: `http://localhost:${port}`,
      OIDC_CLIENT_ID: client.id,
      OIDC_CLIENT_SECRET: client.secret,
      OIDC_NAME: 'Моя область',
    };
  }

  /** `url`: where the server is that people come back to. */
  static async start(port: number, url: string): Promise<IdentityProvider> {
    const provider = new IdentityProvider(`http://localhost:${port}`, `${url}/api/auth/oidc/callback`);
    provider.#server.listen(port, 'localhost');
    await once(provider.#server, 'listening');
    return provider;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A browser as far as redirects and cookies go. */
export class Walker {
  readonly #jars = new Map<string, Map<string, string>>();

  cookieOf(url: string, name: string): string | undefined {
    return this.#jars.get(new URL(url).host)?.get(name);
  }

  setCookie(url: string, name: string, value: string): void {
    const { host } = new URL(url);
    this.#jars.set(host, (this.#jars.get(host) ?? new Map()).set(name, value));
  }

  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const { host } = new URL(url);
    const cookie = [...(this.#jars.get(host) ?? [])].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, {
      ...init,
      headers: { ...init.headers, cookie },
      redirect: 'manual',
      signal: AbortSignal.timeout(15_000),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) this.#jars.get(host)?.delete(name);
      else this.setCookie(url, name, value);
    }
    return response;
  }

  /** Follows redirects until one leads to an address that `until` knows, which is not fetched; its address. */
  async walk(url: string, until: (address: URL) => boolean): Promise<URL> {
    let at = new URL(url);
    for (let steps = 0; steps < 20; steps += 1) {
      const response = await this.fetch(at.href);
      const location = response.headers.get('location');
      if (location === null) throw new Error(`${at.pathname} leads nowhere: ${await response.text()}`);
      at = new URL(location, at);
      if (until(at)) return at;
    }
    throw new Error('The redirects go in circles.');
  }
}
