// needs: chromium

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { desktopSize, launchBrowser, Person } from '../harness/browser.ts';
import { createSchoolFixture, joinAs, type SchoolFixture } from '../harness/school.ts';

/** A deputy head finds a pupil, moves them, turns the year and takes it back. The steps follow one another. */
let running: RunningApp;
let browser: Browser;
let school: SchoolFixture;
let admin: Person;

beforeAll(async () => {
  running = await startApp();
  school = await createSchoolFixture(running, 'Школа движения', '+7942000');
  await running.post(
    'school.createGroup',
    { as: school.admin.membershipId, name: '8А', year: 8 },
    school.admin.token,
  );
  await joinAs(running, school, 'pupil', '+79420000041', 'Оля Смирнова');
  browser = await launchBrowser();
  admin = await Person.sitDown(browser, running, 'admin', desktopSize);
  const { page } = admin;
  await page.goto('/');
  await page.getByTestId('phone').fill(school.admin.phone);
  await page.getByTestId('request-code').click();
  await page.getByTestId('code').fill(await running.codes.take(school.admin.phone));
  await page.getByTestId('conversations').waitFor();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

it('finds a pupil by name and moves them to another class', async () => {
  const { page } = admin;
  await page.goto('/school/people');
  await page.getByTestId('people').waitFor();
  await admin.screenshot('people-1280');
  await page.getByPlaceholder('Имя или телефон').fill('иван пет');
  await expect.poll(() => page.getByTestId('people').getByRole('listitem').count()).toBe(1);
  await page.getByRole('button', { name: 'Петя Иванов' }).click();
  const card = page.getByTestId('member-card');
  await card.getByRole('button', { name: 'Перевести' }).waitFor();
  await admin.screenshot('member-card-1280');
  await card.getByRole('button', { name: 'Перевести' }).click();
  const dialog = page.getByRole('dialog', { name: 'Перевести: Петя Иванов?' });
  await dialog.getByRole('combobox').selectOption({ label: '8А' });
  await admin.screenshot('transfer-1280');
  await page.getByTestId('confirm').click();
  await card.getByText('Ученик · 8А').first().waitFor();
  await card.getByText('Перевод').waitFor();
  await page.keyboard.press('Escape');
});

it('turns the year as the plan said, and takes it back', async () => {
  const { page } = admin;
  await page.goto('/school/rollover');
  const list = page.getByTestId('rollover-classes');
  await list.waitFor();
  expect(await page.getByLabel('Новое название: 8А').inputValue()).toBe('9А');
  await page.getByLabel('Набор этого года').fill('1А');
  await page.getByRole('button', { name: 'Добавить' }).click();
  await list.getByText('Новый').waitFor();
  await admin.screenshot('rollover-1280', true);
  await page.getByTestId('apply-rollover').click();
  await page.getByTestId('confirm').click();
  await page.getByTestId('undo-rollover').waitFor();
  await page.getByText('Переименовано: 2').waitFor();
  await admin.screenshot('rollover-done-1280');
  await page.getByTestId('undo-rollover').click();
  await page.getByTestId('confirm').click();
  await list.getByText('8А', { exact: true }).waitFor();
  expect(await page.getByTestId('undo-rollover').count()).toBe(0);
  expect(admin.complaints).toEqual([]);
});
