// needs: chromium

import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { desktopSize, launchBrowser, Person, patience, phoneSize } from '../harness/browser.ts';
import { demoPeople } from '../harness/demo.ts';

/**
 * The school's desk as a deputy head uses it: what waits, the card, a right, classes, the record of it all. The steps
 * follow one another; a later one needs the earlier ones.
 */
let running: RunningApp;
let browser: Browser;
let admin: Person;
let page: Page;

async function signIn(person: Person, phone: string): Promise<void> {
  await person.page.goto('/signin');
  await person.page.getByTestId('phone').fill(phone);
  await person.page.getByTestId('request-code').click();
  await person.page.getByTestId('code').fill(await running.codes.take(phone));
  await person.page.getByTestId('conversations').waitFor();
}

/** Both sizes of what is shown, for the eye. */
async function picture(name: string): Promise<void> {
  await admin.screenshot(`school-${name}-1280`, true);
  await page.setViewportSize(phoneSize);
  await admin.screenshot(`school-${name}-390`, true);
  expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(390);
  await page.setViewportSize(desktopSize);
}

beforeAll(async () => {
  running = await startApp({}, { demo: true });
  browser = await launchBrowser();
  admin = await Person.sitDown(browser, running, 'admin', desktopSize);
  page = admin.page;
  await signIn(admin, demoPeople.admin);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

it('the desk says what waits and with what to begin', async () => {
  await page.getByRole('link', { name: 'Школа' }).click();
  await page.getByTestId('desk-today').click();
  await page.getByTestId('waiting-verification').waitFor();
  await page.getByTestId('step-card').getByRole('link').waitFor();
  expect(await page.getByTestId('step-classes').getAttribute('data-done')).toBe('true');
  await picture('today');
  await page.getByTestId('step-card').getByRole('link').click();
});

it('the card is filled in; everybody gets the journal, and the beginnings are done', async () => {
  const field = (name: string) => page.locator(`[data-field="${name}"]`);
  await field('contactEmail').fill('нет');
  await page.getByTestId('card-save').click();
  await page.getByText('Напишите адрес почты целиком').waitFor();
  await field('contactEmail').fill('office@example.org');
  await field('address').fill('390000, Рязань,\u00a0улица Ленина, 5');
  await field('journalUrl').fill('dnevnik.example.ru');
  await picture('card');
  await page.getByTestId('card-save').click();
  await page.getByText('Карточка сохранена').waitFor();
  await page.getByTestId('desk-today').click();
  await page.getByTestId('waiting').waitFor();
  await expect.poll(() => page.getByTestId('beginnings').count(), patience).toBe(0);
  await page.getByRole('link', { name: 'Чаты' }).click();
  const journal = page.getByTestId('journal');
  expect(await journal.getAttribute('href')).toBe('https://dnevnik.example.ru');
  expect(await journal.getAttribute('target')).toBe('_blank');
  expect(await journal.getAttribute('rel')).toContain('noopener');
});

it('a right is given at once, and taken back by one stroke', async () => {
  await page.goto('/school/settings');
  const right = page.getByTestId('setting-inviteGuardians.ST');
  await right.waitFor();
  await picture('settings');
  expect(await right.isChecked()).toBe(false);
  await right.setChecked(true);
  await page.getByText('Учителя приглашают родителей: разрешено').waitFor();
  await expect.poll(() => right.isChecked(), patience).toBe(true);
  await page.getByTestId('undo').last().click();
  await expect.poll(() => right.isChecked(), patience).toBe(false);
});

it('classes are made by the list, one gets its class teacher, another is closed', async () => {
  await page.getByTestId('desk-classes').click();
  await page.getByTestId('create-many').click();
  await page.getByTestId('class-names').fill('9А, 9Б\n7Б');
  await page.getByTestId('create-class').click();
  await page.getByText('Уже были: 7Б').waitFor();
  const rows = page.getByTestId('class');
  await expect.poll(() => rows.count(), patience).toBe(4);
  await picture('classes');
  await page.getByTestId('search-classes').fill('9');
  await expect.poll(() => rows.count(), patience).toBe(2);

  await rows.filter({ hasText: '9А' }).click();
  await page.getByTestId('teacher-class').fill('Волк');
  await page.getByRole('option', { name: 'Волкова Ольга Николаевна' }).click();
  await page.getByTestId('attach-class').getByRole('button', { name: 'Назначить' }).click();
  await page.getByTestId('teachers-class').getByText('Волкова Ольга Николаевна').waitFor();
  await picture('class');

  await page.getByTestId('desk-classes').click();
  await rows.filter({ hasText: '9Б' }).click();
  await page.getByTestId('archive-class').click();
  await page.getByTestId('confirm').click();
  await page.getByText('В архиве с').waitFor();
  // Where pupils are left it says what is in the way.
  await page.getByTestId('desk-classes').click();
  await rows.filter({ hasText: '7Б' }).click();
  await page.getByText('Пока здесь 6 учеников').waitFor();
  expect(await page.getByTestId('archive-class').isDisabled()).toBe(true);
});

it('the record tells all of it in words, and is saved as a table', async () => {
  await page.getByTestId('desk-audit').click();
  const records = page.getByTestId('audit').locator('li');
  await records
    .filter({ hasText: 'Назначили: Волкова Ольга Николаевна, классный руководитель, 9А' })
    .waitFor();
  await records.filter({ hasText: 'Закрыли класс 9Б' }).waitFor();
  await records.filter({ hasText: 'Учителя приглашают родителей' }).first().waitFor();
  await picture('audit');
  await page.getByTestId('audit-action').selectOption('schoolChanged');
  await expect.poll(() => records.count(), patience).toBe(1);
  expect(await records.first().textContent()).toContain('Рязань, улица Ленина, 5');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByTestId('save-audit').click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^audit-[\d-]+\.csv$/);
  const table = await readFile(await download.path(), 'utf8');
  expect(table.trimEnd().split('\r\n')).toHaveLength(2);
  expect(table).toContain('Правка карточки;Петрова Анна Ивановна');
});

it('on a phone the desk is a list with a way back, and a class teacher finds their part alone', async () => {
  await page.setViewportSize(phoneSize);
  await page.goto('/school');
  await page.getByTestId('desk-classes').waitFor();
  await admin.screenshot('school-desk-390');
  await page.getByTestId('desk-classes').click();
  await page.getByTestId('class').first().waitFor();
  expect(await page.getByTestId('desk').isVisible()).toBe(false);
  await page.getByTestId('desk-back').click();
  await expect.poll(() => page.getByTestId('desk').isVisible(), patience).toBe(true);

  const teacher = await Person.sitDown(browser, running, 'teacher', desktopSize);
  await signIn(teacher, demoPeople.classTeacher);
  await teacher.page.goto('/school/classes');
  await expect.poll(() => teacher.page.getByTestId('class').count(), patience).toBe(2);
  expect(await teacher.page.getByTestId('create-class').count()).toBe(0);
  expect(await teacher.page.getByTestId('desk-settings').count()).toBe(0);
  await teacher.page.goto('/school/settings');
  await teacher.page.getByText('Этот раздел вам недоступен').waitFor();
});

it('no page complained on the way', () => {
  expect(admin.complaints.filter((text) => !/status of 409/.test(text))).toEqual([]);
});
