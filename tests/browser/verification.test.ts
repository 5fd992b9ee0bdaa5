// needs: chromium

import { rm } from 'node:fs/promises';
import { makeDataDir } from '@zvonok/server/platform/testing/test-postgres.ts';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { desktopSize, launchBrowser, Person, phoneSize } from '../harness/browser.ts';
import { demoPeople } from '../harness/demo.ts';
import { freePort, ServerProcess } from '../harness/process.ts';

/** People of the demo school ask for what they may not do, and its administrator decides. */
let dataDir: string;
let server: ServerProcess;
let browser: Browser;
let teacher: Person;
let guardian: Person;
let admin: Person;

beforeAll(async () => {
  dataDir = await makeDataDir();
  server = ServerProcess.start('server/src/main.ts', { PORT: String(await freePort()), DATA_DIR: dataDir });
  await server.ready();
  browser = await launchBrowser();
  teacher = await Person.sitDown(browser, server, 'teacher', phoneSize);
  guardian = await Person.sitDown(browser, server, 'guardian', phoneSize);
  admin = await Person.sitDown(browser, server, 'admin', desktopSize);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** For the eye: a dialog that is still fading in is no picture of it. */
const settled = ({ page }: Person) =>
  page.waitForFunction(() => document.getAnimations().every((each) => each.playState !== 'running'));

it('a teacher asks to be verified, a guardian for their child; the administrator does both', async () => {
  await teacher.page.goto('/');
  await teacher.enterPhoneAndCode(server, demoPeople.unverifiedTeacher);
  await teacher.page.getByTestId('ask-verification').click();
  await teacher.page.getByTestId('basis').fill('приказ № 14 от 1 сентября');
  await settled(teacher);
  await teacher.screenshot('ask-verification-390');
  await teacher.page.getByTestId('confirm').click();
  await teacher.page.getByText('Просьба отправлена администратору').waitFor();

  await guardian.page.goto('/');
  await guardian.enterPhoneAndCode(server, demoPeople.unlinkedGuardian);
  await guardian.page.getByTestId('ask-child').click();
  await guardian.page.getByTestId('child-name').fill('зайцева мария');
  await guardian.page.getByTestId('child-group').fill('7 б');
  await settled(guardian);
  await guardian.screenshot('ask-child-390');
  await guardian.page.getByTestId('confirm').click();
  await guardian.page.getByText('Просьба отправлена: зайцева мария').waitFor();

  const { page } = admin;
  await page.goto('/');
  await admin.enterPhoneAndCode(server, demoPeople.admin);
  await page.getByTestId('conversations').waitFor();
  await page.goto('/school/verification');
  const asked = (words: string) => page.getByTestId('request').filter({ hasText: words });
  await asked('Новиков').waitFor();
  await admin.screenshot('verification-1280');
  await asked('Новиков').getByTestId('approve').click();
  await page.getByTestId('confirm').click();
  await teacher.page.getByTestId('conversations').waitFor();

  await page.goto('/school/requests');
  await asked('зайцева мария').getByTestId('approve').click();
  await page.getByRole('radio').first().check();
  await settled(admin);
  await admin.screenshot('approve-child-1280');
  await page.getByTestId('confirm').click();
  await guardian.page.getByTestId('conversations').waitFor();
  await page.locator('[data-testid="request"][data-state="approved"]').nth(1).waitFor();
  await admin.screenshot('requests-1280', true);
  await page.setViewportSize(phoneSize);
  await admin.screenshot('requests-390', true);
  expect([...teacher.complaints, ...guardian.complaints, ...admin.complaints]).toEqual([]);
});
