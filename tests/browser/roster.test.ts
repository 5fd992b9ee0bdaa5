// needs: chromium

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { desktopSize, launchBrowser, Person, patience, phoneSize } from '../harness/browser.ts';

/** How an administrator brings the people of a school in from a table, looking before anything changes. */
const adminPhone = '+79110000001';
const teacherPhone = '+79110000002';

let running: RunningApp;
let browser: Browser;
let admin: Person;

const table = [
  'Фамилия;Имя;Отчество;Роль;Класс;Телефон;Ребёнок;Ведёт класс;Предметы',
  'Алёхин;Пётр;Ильич;ученик;7Б;;;;',
  'Алёхина;Инна;;мама;;8 911 000 00 03;"Алёхин Пётр; 7Б";;',
  `Белов;Олег;Петрович;учитель;;${teacherPhone};;7Б;"Физика: 7Б, 8А"`,
  'Зорин;Глеб;;ученик;;;;;',
  'Котова;Ада;;мама;;12345;"Котов Ян; 7Б";;',
].join('\n');

beforeAll(async () => {
  running = await startApp({ RATE_LIMITS: 'off' });
  const { platform, accounts, school } = running.app;
  await platform.database.inTransaction(async (tx) =>
    school.operator.createSchool(tx, {
      name: 'Школа № 12',
      admin: { accountId: await accounts.ensureAccount(tx, adminPhone), fullName: 'Ильина Вера Павловна' },
      basis: 'приказ 1',
    }),
  );
  browser = await launchBrowser();
  admin = await Person.sitDown(browser, running, 'admin', desktopSize);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

const both = async (name: string) => {
  await admin.screenshot(`${name}-1280`, true);
  await admin.page.setViewportSize(phoneSize);
  await admin.screenshot(`${name}-390`, true);
  await admin.page.setViewportSize(desktopSize);
};

it('shows what a table would change, applies it, and tells who has not come yet', async () => {
  const { page } = admin;
  await page.goto('/school/import');
  await page.getByTestId('phone').fill(adminPhone);
  await page.getByTestId('request-code').click();
  await page.getByTestId('code').fill(await running.codes.take(adminPhone));
  await page.getByTestId('conversation').first().waitFor();
  await page.goto('/school/roster');
  await page.getByText('Списка пока нет').waitFor();
  await page.goto('/school/import');
  await page.getByTestId('import-blank').waitFor();
  await both('import-choose');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByTestId('import-blank').click(),
  ]);
  expect(download.suggestedFilename()).toBe('template.xlsx');

  const file = { name: 'Список 7Б.csv', mimeType: 'text/csv', buffer: Buffer.from(table) };
  await page.getByTestId('import-file').setInputFiles(file);
  await page.getByTestId('import-rows').waitFor();
  await expect
    .poll(() => page.getByTestId('import-rows').textContent(), patience)
    .toContain('не мобильный номер');
  await both('import-errors');
  await page.getByTestId('import-new').click();
  await expect
    .poll(() => page.getByTestId('import-rows').textContent(), patience)
    .toContain('Белов Олег Петрович');
  await both('import-new');
  await page.getByTestId('import-apply').click();
  await page.getByTestId('confirm').click();
  await page.getByTestId('import-applied').waitFor();
  await both('import-applied');

  await page.goto('/school/roster');
  await page.getByTestId('roster').waitFor();
  expect(await page.getByTestId('roster').textContent()).toContain('Алёхин Пётр Ильич');
  await both('roster');
  // A teacher comes by the phone alone, and the open screen follows.
  await running.signIn(teacherPhone);
  await expect.poll(() => page.getByTestId('roster').textContent(), patience).not.toContain('Белов');
  expect(admin.complaints).toEqual([]);
});
