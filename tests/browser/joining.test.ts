// needs: chromium

import { rm } from 'node:fs/promises';
import { makeDataDir } from '@zvonok/server/platform/testing/test-postgres.ts';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { desktopSize, launchBrowser, Person, phoneSize } from '../harness/browser.ts';
import { freePort, ServerProcess } from '../harness/process.ts';

/** Somebody without a link asks the demo school to be let in, by its code; the administrator lets him in. */
let dataDir: string;
let server: ServerProcess;
let browser: Browser;
let admin: Person;
let applicant: Person;

beforeAll(async () => {
  dataDir = await makeDataDir();
  server = ServerProcess.start('server/src/main.ts', {
    PORT: String(await freePort()),
    DATA_DIR: dataDir,
    CALLS_SETUP: 'off',
  });
  await server.ready();
  browser = await launchBrowser();
  admin = await Person.sitDown(browser, server, 'admin', desktopSize);
  applicant = await Person.sitDown(browser, server, 'applicant', phoneSize);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

let code: string;

it('the administrator finds the code to give out', async () => {
  const { page } = admin;
  await page.goto('/');
  await admin.enterPhoneAndCode(server, '+79000000001');
  await page.getByTestId('conversations').waitFor();
  await page.goto('/school/join-requests');
  code = (await page.getByTestId('join-code').textContent()) ?? '';
  expect(code).toMatch(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/);
});

it('a stranger asks to join by the code', async () => {
  const { page } = applicant;
  await page.goto('/join');
  await page.getByTestId('join-code-input').fill(code.toLowerCase());
  await page.getByTestId('join-next').click();
  await applicant.enterPhoneAndCode(server, '+79165550001');
  await page.getByTestId('found-school').waitFor();
  await page.getByTestId('join-name').fill('Платонов Егор');
  // A typing error: whoever decides says the class.
  await page.getByTestId('join-group').fill('7 бэ');
  await applicant.screenshot('join-390');
  await page.getByTestId('join-submit').click();
  await page.locator('[data-testid="my-request"][data-state="open"]').waitFor();
  await applicant.screenshot('join-asked-390');
});

it('the administrator lets him in, and he lands in the class chat', async () => {
  const request = admin.page.getByTestId('join-request').filter({ hasText: 'Платонов Егор' });
  await request.waitFor();
  await admin.screenshot('join-requests-1280');
  await request.getByTestId('approve').click();
  const group = admin.page.getByTestId('approve-group');
  expect(await group.inputValue()).toBe('');
  await admin.page.getByTestId('confirm').click();
  await admin.page.locator('[data-testid="approve-group"][aria-invalid="true"]').waitFor();
  await admin.screenshot('join-requests-choose-1280');
  await group.selectOption({ label: '7Б' });
  await admin.page.getByTestId('confirm').click();
  await applicant.page.locator('[data-testid="my-request"][data-state="approved"]').waitFor();
  await applicant.page.getByTestId('to-chats').click();
  await applicant.page.locator('[data-testid="conversation"][data-kind="class"]').click();
  await applicant.page.getByTestId('conversation-title').filter({ hasText: '7Б' }).waitFor();
  await admin.page.goto('/school/invites');
  await admin.page.getByTestId('make-codes').waitFor();
  await admin.screenshot('invites-1280', true);
});
