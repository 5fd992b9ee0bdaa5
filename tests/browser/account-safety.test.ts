// needs: chromium

import { accountLimits } from '@zvonok/client-sdk';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { desktopSize, launchBrowser, Person, patience, phoneSize } from '../harness/browser.ts';
import { demoOperator, demoPeople } from '../harness/demo.ts';

/** Somebody else got in: what the person presses, what they read, what the administrator sees; and a code for what is dangerous. */
let running: RunningApp;
let browser: Browser;
let teacher: Person;
let admin: Person;

beforeAll(async () => {
  running = await startApp({}, { demo: true });
  browser = await launchBrowser();
  teacher = await Person.sitDown(browser, running, 'teacher', phoneSize);
  admin = await Person.sitDown(browser, running, 'admin', desktopSize);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

async function signIn({ page }: Person, phone: string): Promise<void> {
  await page.goto('/signin');
  await page.getByTestId('phone').fill(phone);
  await page.getByTestId('request-code').click();
  await page.getByTestId('code').waitFor();
  await page.getByTestId('code').fill(await running.codes.take(phone));
  await page.waitForURL((url) => url.pathname !== '/signin', patience);
}

/** For the eye: a dialog that is still fading in is no picture of it. What turns for ever, turns while somebody waits. */
const settled = (page: Page) =>
  page.waitForFunction(() =>
    document
      .getAnimations()
      .every((each) => each.playState !== 'running' || each.effect?.getTiming().iterations === Infinity),
  );

it('“not me” ends every device and says what to do next; the administrator is told at once', async () => {
  await signIn(admin, demoPeople.admin);
  await admin.page.goto('/school/notices');
  await admin.page.getByText('Всё спокойно').waitFor();
  await admin.screenshot('notices-empty-1280');

  await signIn(teacher, demoPeople.classTeacher);
  const { page } = teacher;
  await page.goto('/settings');
  const strange = await running.session(demoPeople.classTeacher);
  await page.getByTestId('strange-sign-in').first().waitFor();
  await teacher.screenshot('devices-390', true);
  await page.getByTestId('strange-sign-in').first().click();
  await page.getByTestId('confirm').waitFor();
  await settled(page);
  await teacher.screenshot('strange-sign-in-ask-390');
  await page.getByTestId('confirm').click();
  await page.getByTestId('strange-sign-in-done').waitFor(patience);
  await settled(page);
  await teacher.screenshot('strange-sign-in-done-390', true);
  expect((await running.post('accounts.getMe', {}, strange.token)).status).toBe(401);

  const notice = admin.page.getByTestId('notices').locator('[data-state="open"]');
  await expect.poll(() => notice.count(), patience).toBe(1);
  await settled(admin.page);
  await admin.page.getByTestId('desk-notices').getByText('1', { exact: true }).waitFor();
  await admin.screenshot('notices-open-1280');
  await admin.page.setViewportSize(phoneSize);
  await admin.screenshot('notices-open-390');
  await admin.page.getByTestId('settle-notice').click();
  await admin.page.locator('[data-testid="notices"] [data-state="settled"]').waitFor();
  await admin.screenshot('notices-settled-390', true);

  // The owner comes back, by a new code.
  await signIn(teacher, demoPeople.classTeacher);
  expect([...teacher.complaints, ...admin.complaints].filter((each) => !/401/.test(each))).toEqual([]);
});

it('a dangerous action asks for a code over whatever is open, and then goes on by itself', async () => {
  const operator = await Person.sitDown(browser, running, 'operator', desktopSize);
  const { page } = operator;
  await signIn(operator, demoOperator);
  await running.app.platform.database.client`
    update sessions set confirmed_at = now() - make_interval(secs => ${accountLimits.confirmationMs / 1_000 + 1})`;
  await page.goto('/operator/schools');
  await page.getByTestId('suspend').first().click();
  await page.getByTestId('reason').fill('Проверка документов');
  await page.getByTestId('confirm').click();
  await page.getByTestId('code').waitFor(patience);
  await settled(page);
  await operator.screenshot('confirmation-1280');
  const code = await running.codes.take(demoOperator);
  await page.getByTestId('code').fill(code === '000000' ? '111111' : '000000');
  await page.getByText('Код не подошёл').waitFor();
  await page.setViewportSize(phoneSize);
  await settled(page);
  await operator.screenshot('confirmation-wrong-390');
  await page.getByTestId('code').fill(code);
  await page.getByTestId('resume').first().waitFor(patience);
  await page.getByTestId('code').waitFor({ state: 'detached' });
  // Confirmed for a while: opening it again asks nothing more.
  await page.getByTestId('resume').first().click();
  await page.getByTestId('confirm').click();
  await page.getByTestId('suspend').first().waitFor(patience);
});
