// needs: chromium

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { desktopSize, launchBrowser, Person, phoneSize } from '../harness/browser.ts';
import { freePort } from '../harness/process.ts';

/**
 * Passkeys as people meet them, on a server that is no demonstration: the operator is led to a first one, opens the console
 * with it, and a second device without one stays out. The steps follow one another.
 */
const operatorPhone = '+79030000001';
const teacherPhone = '+79030000002';

let running: RunningApp;
let browser: Browser;
let operator: Person;
let reader: Awaited<ReturnType<Person['keepPasskeys']>>;

beforeAll(async () => {
  const port = String(await freePort());
  running = await startApp({
    PORT: port,
    PUBLIC_URL: `http://localhost:${port}`,
    // The harness catches the codes before it.
    SMS_URL_TEMPLATE: 'https://sms.invalid/?to={phone}&text={text}',
  });
  const { platform, accounts, desk, school } = running.app;
  await platform.database.inTransaction(async (tx) => {
    await desk.addOperator(tx, await accounts.ensureAccount(tx, operatorPhone), 'Орлов Олег Ильич');
    const { schoolId } = await school.operator.createSchool(tx, {
      name: 'Школа ключей',
      admin: { accountId: await accounts.ensureAccount(tx, '+79030000003'), fullName: 'Ольга Сергеевна' },
      basis: 'приказ 1',
    });
    await school.operator.enrol(tx, {
      schoolId,
      accountId: await accounts.ensureAccount(tx, teacherPhone),
      role: 'teacher',
      fullName: 'Волкова Ольга Николаевна',
      groupId: null,
      verified: { by: null, basis: 'приказ 2' },
      childId: undefined,
      by: null,
    });
  });
  browser = await launchBrowser();
  operator = await Person.sitDown(browser, running, 'operator', desktopSize);
  reader = await operator.keepPasskeys();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

async function enterByCode({ page }: Person, phone: string): Promise<void> {
  await page.getByTestId('phone').fill(phone);
  await page.getByTestId('request-code').click();
  await page.getByTestId('code').fill(await running.codes.take(phone));
}

it('an operator is led to a first passkey, and the console opens with it', async () => {
  const { page } = operator;
  await page.goto('/signin');
  await page.getByTestId('passkey-sign-in').waitFor();
  await operator.screenshot('passkey-sign-in-1280');
  await enterByCode(operator, operatorPhone);
  await page.getByTestId('passkey-gate').waitFor();
  await operator.screenshot('passkey-first-1280');
  await reader.setOwnerPresent(false);
  await page.getByTestId('open-with-passkey').click();
  await page.getByText('отменено').waitFor();
  await operator.screenshot('passkey-cancelled-1280');
  await reader.setOwnerPresent(true);
  await page.getByTestId('open-with-passkey').click();
  await page.getByTestId('queue-empty').waitFor();
});

it('signs in with it alone, renames it, and may not remove the last one', async () => {
  const { page } = operator;
  await page.getByTestId('account-menu').click();
  await page.getByTestId('sign-out').click();
  await page.getByTestId('passkey-sign-in').click();
  await page.getByTestId('queue-empty').waitFor();
  await page.getByTestId('account-menu').click();
  await page.getByTestId('to-passkeys').click();
  await page.getByTestId('rename-passkey').click();
  await page.getByTestId('passkey-name').fill('Рабочий ноутбук');
  await page.getByTestId('confirm').click();
  await page.getByTestId('passkeys').getByText('Рабочий ноутбук').waitFor();
  await operator.screenshot('passkey-list-1280');
  await page.setViewportSize(phoneSize);
  await operator.screenshot('passkey-list-390');
  await page.setViewportSize(desktopSize);
  await page.getByTestId('remove-passkey').click();
  await page.getByTestId('confirm').click();
  await page.getByText('хотя бы один ключ').waitFor();
});

it('a code alone opens no console on another device', async () => {
  const other = await Person.sitDown(browser, running, 'other', phoneSize);
  const { page } = other;
  await page.goto('/signin');
  await other.screenshot('passkey-sign-in-390');
  await enterByCode(other, operatorPhone);
  await page.getByText('reset-passkeys').waitFor();
  await other.screenshot('passkey-gate-390');
  expect(await page.getByTestId('queue-empty').count()).toBe(0);
  await other.context.close();
});

it('a teacher adds one in the settings, signs in with it, and removes it', async () => {
  const teacher = await Person.sitDown(browser, running, 'teacher', phoneSize);
  const { page } = teacher;
  await teacher.keepPasskeys();
  await page.goto('/signin');
  await enterByCode(teacher, teacherPhone);
  await page.getByTestId('conversations').waitFor();
  await page.goto('/settings');
  await page.getByTestId('add-passkey').waitFor();
  await teacher.screenshot('passkey-none-390', true);
  await page.getByTestId('add-passkey').click();
  await page.getByTestId('passkeys').getByRole('listitem').waitFor();
  await teacher.screenshot('passkey-settings-390', true);
  await page.getByTestId('sign-out').click();
  await page.getByTestId('confirm').click();
  await page.getByTestId('passkey-sign-in').click();
  await page.getByTestId('conversations').waitFor();
  await page.goto('/settings');
  await page.getByTestId('remove-passkey').click();
  await page.getByTestId('confirm').click();
  await page.getByText('Ключей пока нет').waitFor();
  await page.setViewportSize(desktopSize);
  await teacher.screenshot('passkey-settings-1280', true);
  expect(teacher.complaints).toEqual([]);
  await teacher.context.close();
});
