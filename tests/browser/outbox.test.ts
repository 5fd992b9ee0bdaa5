// needs: chromium
import { fileURLToPath } from 'node:url';
import type { ConversationId, MembershipId, Message } from '@zvonok/shared';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { launchBrowser, patience } from '../harness/browser.ts';
import { freePort } from '../harness/process.ts';
import { createSchoolFixture, type SchoolFixture } from '../harness/school.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';

/** A site with an address of its own must name its SMS service; the harness catches the codes before it. */
const unusedSms = 'https://sms.invalid/?to={phone}&text={text}';

/** P18 in a real browser: what was typed offline is sent once and in order, and nothing stays after sign-out. */
let running: RunningApp;
let school: SchoolFixture;
let proxy: TcpProxy;
let browser: Browser;
let context: BrowserContext;
let script: string;
let classChat: ConversationId;

beforeAll(async () => {
  script = await bundle();
  // The browser comes through the proxy, so that its address is the site's and its network can fail.
  const port = await freePort();
  proxy = await TcpProxy.start(`http://127.0.0.1:${port}`);
  running = await startApp({ PORT: String(port), PUBLIC_URL: proxy.url, SMS_URL_TEMPLATE: unusedSms });
  school = await createSchoolFixture(running, 'Школа браузера', '+7970000');
  const { text } = await running.post(
    'chat.listConversations',
    { as: school.pupil.membershipId },
    school.pupil.token,
  );
  classChat = JSON.parse(text).conversations.find(({ kind }: { kind: string }) => kind === 'class').id;
  browser = await launchBrowser();
});
afterEach(async () => {
  proxy.restore();
  await context?.close();
});
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  await proxy?.stop();
});

async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(new URL('.', import.meta.url)),
    build: {
      write: false,
      rollupOptions: {
        input: fileURLToPath(new URL('outbox-page.ts', import.meta.url)),
        output: { format: 'iife' },
      },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (output === undefined || !('output' in output)) throw new Error('Nothing was bundled.');
  return output.output[0].code;
}

/** The page does not come over the network that fails: an installed app starts without one. */
async function open(): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(error));
  await page.route('**/outbox.html', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<!doctype html><script>${script}</script>` }),
  );
  await page.goto(`${proxy.url}/outbox.html`);
  return page;
}

async function signIn(page: Page): Promise<void> {
  const { phone } = school.pupil;
  const challengeId = await page.evaluate(
    async (typed) => (await window.client.accounts.requestCode({ phone: typed })).challengeId,
    phone,
  );
  const code = await running.codes.take(phone);
  await page.evaluate((input) => window.client.accounts.verifyCode(input), { challengeId, code });
  await isOnline(page);
}

const isOnline = (page: Page) =>
  page.evaluate(async () => {
    await window.waitFor(window.client.connection, (state) => state === 'online', 15_000);
    await window.waitFor(window.client.session, ({ state }) => state === 'signedIn', 15_000);
  });

const send = (page: Page, texts: readonly string[]) =>
  page.evaluate(
    ({ as, id, lines }) => {
      const view = window.client.messenger(as).openConversation(id);
      for (const text of lines) view.send(text);
    },
    { as: school.pupil.membershipId as MembershipId, id: classChat, lines: texts },
  );

/** What IndexedDB holds of this origin. */
const stored = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open('zvonok-outbox');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const counting = opening.result.transaction('messages').objectStore('messages').count();
          counting.onsuccess = () => {
            opening.result.close();
            resolve(counting.result);
          };
        };
      }),
  );

async function textsOnServer(): Promise<string[]> {
  const { as, conversationId } = { as: school.pupil.membershipId, conversationId: classChat };
  const { text } = await running.post(
    'chat.listMessages',
    { as, conversationId, limit: 100 },
    school.pupil.token,
  );
  return (JSON.parse(text).messages as Message[]).map(({ body }) => (body.kind === 'text' ? body.text : ''));
}

/** The tab's process dies without a word, as under memory pressure. */
async function kill(page: Page): Promise<void> {
  const session = await context.newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  session.send('Page.crash').catch(() => undefined);
  await crashed;
}

it('what was typed offline survives the killed tab and is sent once, in order', async () => {
  context = await browser.newContext();
  const tab = await open();
  await signIn(tab);
  proxy.down();
  await tab.evaluate(async () => {
    await window.waitFor(window.client.connection, (state) => state !== 'online');
  });
  const typed = ['первое', 'второе', 'третье', 'четвёртое', 'пятое'];
  await send(tab, typed);
  await expect.poll(() => stored(tab), patience).toBe(typed.length);
  await kill(tab);
  proxy.restore();
  const reopened = await open();
  await expect.poll(textsOnServer, { timeout: 15_000 }).toEqual(typed);
  await expect.poll(() => stored(reopened), patience).toBe(0);
});

it('of two tabs each sends its own, and what the one that dies has left is sent by the other', async () => {
  context = await browser.newContext();
  const first = await open();
  await signIn(first);
  const second = await open();
  await isOnline(second);
  const before = (await textsOnServer()).length;
  proxy.down();
  await first.evaluate(async () => {
    await window.waitFor(window.client.connection, (state) => state !== 'online');
  });
  await send(first, ['из первой вкладки']);
  await send(second, ['из второй вкладки']);
  await expect.poll(() => stored(second), patience).toBe(2);
  await kill(first);
  proxy.restore();
  await expect.poll(textsOnServer, { timeout: 30_000 }).toHaveLength(before + 2);
  await expect.poll(() => stored(second), patience).toBe(0);
  expect((await textsOnServer()).slice(before).sort()).toEqual(['из второй вкладки', 'из первой вкладки']);
});

it('signing out clears what this device keeps, and the cookie with it', async () => {
  context = await browser.newContext();
  const tab = await open();
  await signIn(tab);
  const before = await textsOnServer();
  // Acknowledgements and events that never come: the message stays in the outbox while its author signs out.
  proxy.loseFrame = (text) => text.startsWith('42') || text.startsWith('43');
  await send(tab, ['не дождалось ответа']);
  await expect.poll(() => stored(tab), patience).toBe(1);
  await tab.evaluate(() => window.client.accounts.signOut());
  proxy.loseFrame = () => false;
  expect(await stored(tab)).toBe(0);
  expect(await tab.evaluate(() => Object.keys(localStorage))).toEqual([]);
  expect(await tab.evaluate(() => window.client.session.getSnapshot())).toEqual({
    state: 'signedOut',
    reason: 'byUser',
  });
  expect((await context.cookies()).filter(({ name }) => name === 'zvonok_session')).toEqual([]);
  const next = await open();
  await next.evaluate(async () => {
    await window.waitFor(window.client.session, ({ state }) => state === 'signedOut');
  });
  expect((await textsOnServer()).length - before.length).toBeLessThanOrEqual(1);
});
