// needs: chromium

import { rm } from 'node:fs/promises';
import { makeDataDir } from '@zvonok/server/platform/testing/test-postgres.ts';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { desktopSize, launchBrowser, Person, phoneSize } from '../harness/browser.ts';
import { freePort, ServerProcess } from '../harness/process.ts';

/** A child without a phone at the school’s computer, and a parent who writes to the teacher from the child’s page. */
let dataDir: string;
let server: ServerProcess;
let browser: Browser;

beforeAll(async () => {
  dataDir = await makeDataDir();
  server = ServerProcess.start('server/src/main.ts', {
    PORT: String(await freePort()),
    DATA_DIR: dataDir,
    CALLS_SETUP: 'off',
  });
  await server.ready();
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

it('the class teacher gives a card; the child signs in with it, finishes, and nothing is left', async () => {
  const teacher = await Person.sitDown(browser, server, 'teacher', desktopSize);
  await teacher.page.goto('/');
  await teacher.enterPhoneAndCode(server, '+79000000007');
  await teacher.page.getByTestId('conversations').waitFor();
  await teacher.page.goto('/school/register');
  await teacher.page.getByTestId('issue-card').filter({ hasText: 'Выдать' }).first().click();
  const token = await teacher.page.getByTestId('card-qr').getAttribute('data-token');
  const pin = (await teacher.page.getByTestId('card-secret').textContent()) ?? '';
  await teacher.screenshot('cards-1280');

  const child = await Person.sitDown(browser, server, 'child', phoneSize);
  await child.page.goto(`/card#${token}`);
  await child.page.getByTestId('card-enter').waitFor();
  expect(new URL(child.page.url()).hash).toBe('');
  await child.page.locator('input[inputmode=numeric]').first().click();
  await child.page.keyboard.type(pin);
  await child.screenshot('card-pin-390');
  await child.page.getByTestId('card-enter').click();
  await child.page.getByTestId('conversations').waitFor();
  const [cookie] = await child.context.cookies();
  // Until the browser is closed.
  expect(cookie?.expires).toBe(-1);
  await child.openConversation('3А');
  await child.send('Я на месте');
  await child.page.getByTestId('message').filter({ hasText: 'Я на месте' }).waitFor();
  await child.page.goto('/');
  await child.page.getByTestId('finish').click();
  await child.page.getByTestId('phone').waitFor();
  expect(await child.context.cookies()).toEqual([]);
  const left = await child.page.evaluate(async () => ({
    kept: Object.keys(localStorage),
    databases: (await indexedDB.databases()).map(({ name }) => name),
  }));
  expect(left).toEqual({ kept: [], databases: [] });
  expect([...teacher.complaints, ...child.complaints]).toEqual([]);
});

it('a parent writes to the child’s teacher from the child’s page', async () => {
  const parent = await Person.sitDown(browser, server, 'parent', phoneSize);
  await parent.page.goto('/');
  await parent.enterPhoneAndCode(server, '+79000000021');
  await parent.page.getByTestId('conversations').waitFor();
  await parent.page.goto('/children');
  await parent.page.getByTestId('write-teacher').first().click();
  await parent.send('Здравствуйте!');
  await parent.page.getByTestId('message').filter({ hasText: 'Здравствуйте!' }).waitFor();
  await parent.screenshot('children-written-390');
});
