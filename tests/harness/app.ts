import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient, type MembershipId } from '@zvonok/client-sdk';
import { type App, createApp, type Overrides } from '@zvonok/server/app';
import { seedDemoSchool } from '@zvonok/server/demo.ts';
import { readConfig } from '@zvonok/server/platform/config.ts';
import { createLogger } from '@zvonok/server/platform/logger.ts';
import { makeDataDir } from '@zvonok/server/platform/testing/test-postgres.ts';

/** The codes that the server sent, by phone: what a person would read on theirs. */
export class SentCodes {
  readonly #codes = new Map<string, string>();

  readonly sender: NonNullable<Overrides['sms']> = {
    send: async (phone, text) => {
      const code = /\b\d{6}\b/.exec(text)?.[0];
      if (code !== undefined) this.#codes.set(phone, code);
    },
  };

  /** Waits a little: a code goes out after the answer, so that no answer tells whether there is one. */
  async take(phone: string): Promise<string> {
    for (let tries = 0; tries < 100; tries += 1) {
      const code = this.#codes.get(phone);
      if (code !== undefined) {
        this.#codes.delete(phone);
        return code;
      }
      await sleep(20);
    }
    throw new Error('No code was sent to this phone.');
  }
}

export interface RunningApp {
  readonly app: App;
  readonly url: string;
  readonly codes: SentCodes;
  readonly dataDir: string;
  /** Signs somebody in by phone and code, as an app without cookies does. */
  signIn(phone: string, inviteToken?: string): Promise<Client>;
  /** Signs somebody in without the SDK, for tests that speak the protocol themselves. */
  session(
    phone: string,
    inviteToken?: string,
    joinCode?: string,
  ): Promise<{ token: string; membershipId: MembershipId }>;
  /** One procedure over HTTP, the answer as it came. */
  post(name: string, input: unknown, token?: string): Promise<{ status: number; text: string }>;
  stop(): Promise<void>;
}

/**
 * The real server in this process: embedded Postgres in a folder of its own, any free port, codes to `codes`. A second
 * node of the same system gets the first one's `DATABASE_URL` and `REDIS_URL` through `env`.
 */
export async function startApp(
  env: Readonly<Record<string, string>> = {},
  options: { readonly checkOutputs?: boolean; readonly demo?: boolean } = {},
): Promise<RunningApp> {
  const dataDir = env.DATA_DIR ?? (await makeDataDir());
  const { config, secrets } = readConfig({
    NODE_ENV: 'test',
    PORT: '0',
    LOG_LEVEL: 'error',
    CALLS_SETUP: 'off',
    ...env,
    DATA_DIR: dataDir,
  });
  const codes = new SentCodes();
  const app = await createApp(config, secrets, {
    sms: codes.sender,
    logger: createLogger(config),
    ...(options.checkOutputs === undefined ? {} : { checkOutputs: options.checkOutputs }),
  });
  if (options.demo === true) await seedDemoSchool(app);
  const url = await app.listen();
  const clients: Client[] = [];

  async function post(name: string, input: unknown, token?: string) {
    const response = await fetch(`${url}/api/v1/${name}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: response.status, text: await response.text() };
  }

  return {
    app,
    url,
    codes,
    dataDir,
    async signIn(phone, inviteToken) {
      const client = createClient({ url, carrier: 'bearer' });
      clients.push(client);
      const { challengeId } = await client.accounts.requestCode({
        phone,
        ...(inviteToken === undefined ? {} : { inviteToken }),
      });
      await client.accounts.verifyCode({ challengeId, code: await codes.take(phone) });
      return client;
    },
    async session(phone, inviteToken, joinCode) {
      const asked = await post('accounts.requestCode', { phone, inviteToken, joinCode });
      const { challengeId } = JSON.parse(asked.text) as { challengeId: string };
      const input = { challengeId, code: await codes.take(phone), carrier: 'bearer' };
      const verified = JSON.parse((await post('accounts.verifyCode', input)).text) as {
        token: string;
        memberships: readonly { id: MembershipId }[];
      };
      return { token: verified.token, membershipId: verified.memberships[0]?.id ?? ('' as MembershipId) };
    },
    post,
    async stop() {
      for (const client of clients) client.close();
      await app.close();
      if (env.DATA_DIR === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
