import { once } from 'node:events';
import { createServer } from 'node:net';
import { accountLimits, identityStartPath } from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { IdentityProvider, type RegionPerson, Walker } from '../harness/identity-provider.ts';
import { freePort } from '../harness/process.ts';

/** Sign-in by a region's identity provider, against a real one: it opens accounts that exist, and makes none. */
let running: RunningApp;
let provider: IdentityProvider;
let providerPort: number;

const phone = (n: number) => `+7908000${String(n).padStart(4, '0')}`;
const makeAccount = (e164: string) => {
  const { platform, accounts } = running.app;
  return platform.database.inTransaction((tx) => accounts.ensureAccount(tx, e164));
};
const query = (text: string) => running.app.platform.database.client.unsafe(text);

beforeAll(async () => {
  const port = await freePort();
  providerPort = await freePort();
  running = await startApp({
    PORT: String(port),
    RATE_LIMITS: 'off',
    ...IdentityProvider.environment(providerPort),
  });
});
afterAll(async () => {
  await provider?.stop();
  await running?.stop();
});

const isOurs = ({ origin }: URL) => origin === running.url;
const isReturn = (at: URL) => isOurs(at) && at.pathname.endsWith('/callback');
const isPage = (at: URL) => isOurs(at) && !at.pathname.startsWith('/api/');

/** From the button on the sign-in page to the page where it ends. */
async function signIn(person: RegionPerson | undefined, walker = new Walker()): Promise<string> {
  provider.present = person;
  const { pathname, search } = await walker.walk(running.url + identityStartPath, isPage);
  return pathname + search;
}

async function whoIs(walker: Walker): Promise<unknown> {
  const response = await walker.fetch(`${running.url}/api/v1/accounts.getMe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const { account } = (await response.json()) as { account?: { phone: string } };
  return account?.phone;
}

/** What a refusal must leave as it was. */
const everything = async () =>
  (
    await query(
      'select (select count(*) from accounts) as accounts, (select count(*) from sessions) as sessions, (select count(*) from identity_links) as links',
    )
  )[0];

describe('while the provider is away', () => {
  test('the page says so, soon, and a code lets people in', async () => {
    await makeAccount(phone(1));
    const start = running.url + identityStartPath;
    const page = async () => (await new Walker().walk(start, isPage)).search;
    expect(await page()).toBe('?refused=unavailable');
    // A provider that takes the question and never answers.
    const silent = createServer(() => undefined).listen(providerPort, 'localhost');
    await once(silent, 'listening');
    const began = performance.now();
    expect(await page()).toBe('?refused=unavailable');
    expect(performance.now() - began).toBeLessThan(accountLimits.identityProviderMs + 2_000);
    silent.close();
    await running.signIn(phone(1));
    provider = await IdentityProvider.start(providerPort, running.url);
  });
});

test('the sign-in page is told the provider’s name', async () => {
  const health = (await (await fetch(`${running.url}/healthz`)).json()) as object;
  expect(health).toMatchObject({ identityProvider: 'Моя область' });
});

describe('a person of the region', () => {
  test('gets into their account by the verified phone once, and by themselves from then on', async () => {
    const accountId = await makeAccount(phone(10));
    const walker = new Walker();
    const person = { subject: 'ivan', phone: phone(10), phoneVerified: true };
    expect(await signIn(person, walker)).toBe('/');
    expect(await whoIs(walker)).toBe(phone(10));
    expect(walker.cookieOf(running.url, 'zvonok_oidc')).toBeUndefined();
    // The phone has changed over there, and is somebody else's here: the link counts.
    await makeAccount(phone(11));
    const later = new Walker();
    expect(await signIn({ ...person, phone: phone(11) }, later)).toBe('/');
    expect(await whoIs(later)).toBe(phone(10));
    expect(await query(`select account_id from identity_links where subject = 'ivan'`)).toEqual([
      { account_id: accountId },
    ]);
  });

  test('whose phone has gone to another is not let into that other’s account', async () => {
    await makeAccount(phone(12));
    const verified = { phone: phone(12), phoneVerified: true };
    expect(await signIn({ subject: 'first', ...verified })).toBe('/');
    const before = await everything();
    expect(await signIn({ subject: 'second', ...verified })).toBe('/signin?refused=noAccount');
    expect(await everything()).toEqual(before);
    // The owner unlinks the first, and is linked anew.
    const owner = await running.signIn(phone(12));
    expect((await owner.accounts.getIdentityLink()).linkedAt).not.toBeNull();
    await owner.accounts.removeIdentityLink();
    expect(await owner.accounts.getIdentityLink()).toEqual({ linkedAt: null });
    await expect(owner.accounts.removeIdentityLink()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await signIn({ subject: 'second', ...verified })).toBe('/');
  });

  test('whose owner reports a strange sign-in shows a verified phone again', async () => {
    await makeAccount(phone(15));
    const person = { subject: 'nina', phone: phone(15), phoneVerified: true };
    expect(await signIn(person)).toBe('/');
    await (await running.signIn(phone(15))).accounts.reportStrangeSignIn();
    expect(await signIn({ subject: 'nina' })).toBe('/signin?refused=noPhone');
    expect(await signIn(person)).toBe('/');
  });

  test.each<[string, RegionPerson | undefined, string]>([
    ['whose phone nobody has verified', { subject: 'a', phone: phone(1), phoneVerified: false }, 'noPhone'],
    ['of whose phone nobody says whether it is theirs', { subject: 'b', phone: phone(1) }, 'noPhone'],
    ['without a phone', { subject: 'c' }, 'noPhone'],
    ['with a phone that is none', { subject: 'd', phone: 'x1', phoneVerified: true }, 'noPhone'],
    ['whom nobody knows here', { subject: 'e', phone: phone(999), phoneVerified: true }, 'noAccount'],
    ['who thinks better of it', undefined, 'cancelled'],
  ])('%s is refused, and nothing is made', async (_who, person, reason) => {
    const before = await everything();
    const walker = new Walker();
    expect(await signIn(person, walker)).toBe(`/signin?refused=${reason}`);
    expect(await everything()).toEqual(before);
    expect(await whoIs(walker)).toBeUndefined();
  });

  test('of another provider with the same subject is somebody else', async () => {
    const accountId = await makeAccount(phone(13));
    await query(
      `insert into identity_links (issuer, subject, account_id) values ('https://other.example', 'twin', '${accountId}')`,
    );
    expect(await signIn({ subject: 'twin' })).toBe('/signin?refused=noPhone');
  });

  test('who runs the server comes in another way, linked or not', async () => {
    const { platform, desk } = running.app;
    const accountId = await makeAccount(phone(14));
    const person = { subject: 'oleg', phone: phone(14), phoneVerified: true };
    const appoint = () =>
      platform.database.inTransaction((tx) => desk.addOperator(tx, accountId, 'Оператор Олег'));
    await appoint();
    const before = await everything();
    expect(await signIn(person)).toBe('/signin?refused=operator');
    expect(await everything()).toEqual(before);
    await platform.database.inTransaction((tx) => desk.removeOperator(tx, accountId));
    expect(await signIn(person)).toBe('/');
    await appoint();
    expect(await signIn(person)).toBe('/signin?refused=operator');
  });
});

describe('the way back', () => {
  const known = { subject: 'petr', phone: phone(1), phoneVerified: true };

  /** Up to the address that the provider sends the browser back to. */
  async function returned(walker: Walker): Promise<URL> {
    provider.present = known;
    return walker.walk(running.url + identityStartPath, isReturn);
  }
  const end = async (walker: Walker, at: URL) => {
    const page = await walker.walk(at.href, isPage);
    return page.pathname + page.search;
  };

  test('leads in once: a code that is shown again opens nothing', async () => {
    const walker = new Walker();
    const at = await returned(walker);
    const ticket = walker.cookieOf(running.url, 'zvonok_oidc') ?? '';
    expect(await end(walker, at)).toBe('/');
    const again = new Walker();
    again.setCookie(running.url, 'zvonok_oidc', ticket);
    expect(await end(again, at)).toBe('/signin?refused=expired');
    expect(await whoIs(again)).toBeUndefined();
  });

  test('is walked in the browser that began, with what it began with', async () => {
    const walker = new Walker();
    const at = await returned(walker);
    const before = await everything();
    expect(await end(new Walker(), at)).toBe('/signin?refused=expired');

    const wrong = new URL(at);
    wrong.searchParams.set('state', 'A'.repeat(43));
    const ticket = walker.cookieOf(running.url, 'zvonok_oidc') ?? '';
    expect(await end(walker, wrong)).toBe('/signin?refused=expired');
    // A ticket of somebody's own making, one of another's attempt, and none at all.
    const [body = '', signature = ''] = ticket.split('.');
    const forged = { ...JSON.parse(Buffer.from(body, 'base64url').toString()), state: 'x' };
    const other = new Walker();
    await returned(other);
    for (const value of [
      `${Buffer.from(JSON.stringify(forged)).toString('base64url')}.${signature}`,
      other.cookieOf(running.url, 'zvonok_oidc') ?? '',
      'x.y',
      '',
    ]) {
      const thief = new Walker();
      thief.setCookie(running.url, 'zvonok_oidc', value);
      expect(await end(thief, at), value.slice(0, 20)).toBe('/signin?refused=expired');
    }
    expect(await everything()).toEqual(before);
  });

  test('leads nowhere else, whatever the address says', async () => {
    provider.present = known;
    const walker = new Walker();
    const start = `${running.url}${identityStartPath}?returnTo=https://evil.example&redirect_uri=https://evil.example`;
    const at = await walker.walk(start, isReturn);
    at.searchParams.set('returnTo', 'https://evil.example');
    expect(await end(walker, at)).toBe('/');
  });

  test('with a code that the provider never gave, or while it is away, ends on the sign-in page', async () => {
    const walker = new Walker();
    const at = await returned(walker);
    at.searchParams.set('code', 'x'.repeat(43));
    expect(await end(walker, at)).toBe('/signin?refused=expired');
    const late = new Walker();
    const back = await returned(late);
    await provider.stop();
    expect(await end(late, back)).toBe('/signin?refused=unavailable');
    provider = await IdentityProvider.start(providerPort, running.url);
  });
});
