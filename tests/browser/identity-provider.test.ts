// needs: chromium

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { desktopSize, launchBrowser, Person, phoneSize } from '../harness/browser.ts';
import { IdentityProvider } from '../harness/identity-provider.ts';
import { freePort } from '../harness/process.ts';

/** Sign-in by the region's identity provider as people see it. */
const phone = '+79030000001';

let running: RunningApp;
let provider: IdentityProvider;
let browser: Browser;

beforeAll(async () => {
  const [port, providerPort] = [await freePort(), await freePort()];
  running = await startApp({ PORT: String(port), ...IdentityProvider.environment(providerPort) });
  provider = await IdentityProvider.start(providerPort, running.url);
  const { platform, accounts, school } = running.app;
  await platform.database.inTransaction(async (tx) =>
    school.operator.createSchool(tx, {
      name: 'Школа области',
      admin: { accountId: await accounts.ensureAccount(tx, phone), fullName: 'Ольга Сергеевна' },
      basis: 'приказ 1',
    }),
  );
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await provider?.stop();
  await running?.stop();
});

it('who is not known here reads why, and who is lands in the chats and can undo the link', async () => {
  const person = await Person.sitDown(browser, running, 'person', phoneSize);
  const { page } = person;
  await page.goto('/signin');
  await page.getByTestId('provider-sign-in').waitFor();
  await person.screenshot('provider-sign-in-390');
  provider.present = { subject: 'stranger', phone: '+79030000009', phoneVerified: true };
  await page.getByTestId('provider-sign-in').click();
  await page.getByTestId('refused').getByText('нет учётной записи').waitFor();
  await person.screenshot('provider-refused-390');
  await page.setViewportSize(desktopSize);
  await person.screenshot('provider-refused-1280');
  await person.context.clearCookies();

  provider.present = { subject: 'olga', phone, phoneVerified: true };
  await page.getByTestId('provider-sign-in').click();
  await page.getByTestId('conversations').waitFor();
  expect(new URL(page.url()).pathname).toBe('/');
  await page.goto('/settings');
  await page.getByTestId('unlink-provider').scrollIntoViewIfNeeded();
  await person.screenshot('provider-settings-1280');
  await page.getByTestId('unlink-provider').click();
  await page.getByTestId('confirm').click();
  await expect.poll(() => page.getByTestId('unlink-provider').count()).toBe(0);
  expect(person.complaints).toEqual([]);
});
