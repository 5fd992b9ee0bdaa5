// needs: chromium

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { desktopSize, launchBrowser, Person, patience, phoneSize } from '../harness/browser.ts';

/**
 * A school's year as its people live it: the administrator brings a list in and prints codes; a teacher, a pupil and both
 * parents come; the pupil moves to another class; the year is turned and turned back. The steps follow one another.
 */
const phones = {
  admin: '+79420000001',
  teacher: '+79420000002',
  pupil: '+79420000011',
  mother: '+79420000021',
  father: '+79420000022',
};
const table = [
  'ФИО;Роль;Класс;Телефон;Ребёнок;Ведёт класс',
  'Котова Ирина Павловна;учитель;;8 942 000 00 02;;7Б',
  'Иванов Пётр Ильич;ученик;7Б;;;',
  'Иванова Мария Олеговна;мама;;;"Иванов Пётр Ильич; 7Б";',
  'Иванов Олег Семёнович;папа;;;"Иванов Пётр Ильич; 7Б";',
  'Орлов Егор Львович;ученик;8А;;;',
].join('\n');

let running: RunningApp;
let browser: Browser;
const people = {} as Record<keyof typeof phones, Person>;
/** Who comes by a printed code, and the links on the sheet by these names. */
const names = {
  pupil: 'Иванов Пётр Ильич',
  mother: 'Иванова Мария Олеговна',
  father: 'Иванов Олег Семёнович',
};
const codes = new Map<string, string>();

beforeAll(async () => {
  running = await startApp({ RATE_LIMITS: 'off' });
  const { platform, accounts, school } = running.app;
  await platform.database.inTransaction(async (tx) =>
    school.operator.createSchool(tx, {
      name: 'Школа № 7',
      admin: {
        accountId: await accounts.ensureAccount(tx, phones.admin),
        fullName: 'Ильина Вера Павловна',
      },
      basis: 'приказ 1',
    }),
  );
  browser = await launchBrowser();
  for (const who of Object.keys(phones) as (keyof typeof phones)[]) {
    const size = who === 'admin' || who === 'teacher' ? desktopSize : phoneSize;
    people[who] = await Person.sitDown(browser, running, who, size);
  }
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

/** From a form that asks for the phone to the page behind it. */
async function enter(who: keyof typeof phones, path: string): Promise<void> {
  const { page } = people[who];
  await page.goto(path);
  await page.getByTestId('phone').fill(phones[who]);
  await page.getByTestId('request-code').click();
  await page.getByTestId('code').fill(await running.codes.take(phones[who]));
}

const chat = (who: keyof typeof phones, kind: string) =>
  people[who].page.locator(`[data-testid="conversation"][data-kind="${kind}"]`);

it('the administrator imports the list and prints a code for each pupil and parent', async () => {
  const { page } = people.admin;
  await enter('admin', '/signin');
  await page.getByTestId('conversations').waitFor();
  await page.goto('/school/import');
  const file = { name: 'Школа.csv', mimeType: 'text/csv', buffer: Buffer.from(table) };
  await page.getByTestId('import-file').setInputFiles(file);
  await page.getByTestId('import-apply').click();
  await page.getByTestId('confirm').click();
  await page.getByTestId('import-applied').waitFor();

  await page.goto('/school/invites');
  await page.getByTestId('codes-group').selectOption({ label: '7Б' });
  await page.getByTestId('make-codes').click();
  await page.getByTestId('confirm').click();
  const slips = page.getByTestId('code');
  await expect.poll(() => slips.count(), patience).toBe(3);
  for (const name of Object.values(names)) {
    const slip = await slips.filter({ has: page.getByText(name, { exact: true }) }).textContent();
    codes.set(name, /https?:\S+$/.exec(slip ?? '')?.[0] ?? '');
  }
  await page.emulateMedia({ media: 'print' });
  // Nothing but the slips is on the paper.
  expect(await page.getByTestId('print-codes').isVisible()).toBe(false);
  expect(await slips.first().isVisible()).toBe(true);
  await people.admin.screenshot('codes-printed', true);
  await page.emulateMedia({ media: 'screen' });
});

it('the teacher comes by the phone on the list, is confirmed, and has the class', async () => {
  const { page } = people.admin;
  await enter('teacher', '/signin');
  await people.teacher.page.getByTestId('ask-verification').waitFor();
  await page.goto('/school/people');
  await page.getByRole('button', { name: 'Подтвердить: Котова Ирина Павловна' }).click();
  await page.getByLabel('Основание').fill('трудовой договор 12');
  await page.getByTestId('confirm').click();
  await chat('teacher', 'class').click();
  await people.teacher.send('Добро пожаловать в 7Б!');
});

it('the pupil and both parents come by their codes, each to their chat, and see who is confirmed', async () => {
  for (const who of ['pupil', 'mother', 'father'] as const) {
    const { page } = people[who];
    await enter(who, codes.get(names[who]) ?? '');
    await page.getByTestId('accept-invite').click();
    await page.getByTestId('conversation-title').filter({ hasText: '7Б' }).waitFor();
  }
  const said = people.pupil.page.getByTestId('message').filter({ hasText: 'Добро пожаловать' });
  await said.getByRole('img', { name: 'Подтверждено администрацией' }).waitFor();
  for (const parent of ['mother', 'father'] as const) {
    const { page } = people[parent];
    await page.goto('/children');
    await page.getByRole('heading', { name: 'Иванов Пётр Ильич · 7Б' }).waitFor();
  }
  await people.father.screenshot('children-390', true);
});

it('the pupil is moved to another class and loses the old chat at once, in the window that shows it', async () => {
  const { page } = people.admin;
  await page.goto('/school/people');
  await page.getByTestId('people').waitFor();
  await people.admin.screenshot('people-1280');
  await page.getByPlaceholder('Имя или телефон').fill('иванов пет');
  await expect.poll(() => page.getByTestId('people').getByRole('listitem').count(), patience).toBe(1);
  await page.getByRole('button', { name: 'Иванов Пётр' }).click();
  const card = page.getByTestId('member-card');
  await card.getByRole('button', { name: 'Перевести' }).click();
  const dialog = page.getByRole('dialog', { name: 'Перевести: Иванов Пётр Ильич?' });
  await dialog.getByRole('combobox').selectOption({ label: '8А' });
  await page.getByTestId('confirm').click();
  await card.getByText('Ученик · 8А').first().waitFor();
  await people.admin.screenshot('member-card-1280');
  const pupil = people.pupil.page;
  await pupil.getByTestId('message').waitFor({ state: 'detached', timeout: 2_000 });
  await people.pupil.screenshot('chat-lost-390');
  await pupil.goto('/');
  await chat('pupil', 'class').filter({ hasText: '8А' }).waitFor();
  expect(await chat('pupil', 'class').count()).toBe(1);
});

it('a parent is unlinked from the child and linked again, and their open page follows', async () => {
  const { page } = people.admin;
  const card = page.getByTestId('member-card');
  const childOf = people.father.page.getByRole('heading', { name: 'Иванов Пётр Ильич · 8А' });
  await childOf.waitFor();
  await card.getByRole('button', { name: `Отвязать: ${names.father}` }).click();
  await page.getByTestId('confirm').click();
  await childOf.waitFor({ state: 'detached' });
  await card.getByRole('button', { name: 'Привязать родителя' }).click();
  await page.getByTestId('link-person').fill('Иванов Ол');
  await page.getByRole('option', { name: names.father }).click();
  await people.admin.screenshot('link-guardian-1280');
  await page.getByTestId('confirm').click();
  await childOf.waitFor();
});

it('the year is turned as the plan said, on every screen, and taken back', async () => {
  const { page } = people.admin;
  await page.goto('/school/rollover');
  const list = page.getByTestId('rollover-classes');
  await list.waitFor();
  expect(await page.getByLabel('Новое название: 8А').inputValue()).toBe('9А');
  await page.getByLabel('Набор этого года').fill('1А');
  await page.getByRole('button', { name: 'Добавить' }).click();
  await list.getByText('Новый').waitFor();
  await people.admin.screenshot('rollover-1280', true);
  await page.getByTestId('apply-rollover').click();
  await page.getByTestId('confirm').click();
  await page.getByTestId('undo-rollover').waitFor();
  await page.getByText('Переименовано: 2').waitFor();
  await chat('pupil', 'class').filter({ hasText: '9А' }).waitFor({ timeout: 2_000 });
  await page.getByTestId('undo-rollover').click();
  await page.getByTestId('confirm').click();
  await list.getByText('8А', { exact: true }).waitFor();
  expect(await page.getByTestId('undo-rollover').count()).toBe(0);
  await chat('pupil', 'class').filter({ hasText: '8А' }).waitFor({ timeout: 2_000 });
  for (const person of Object.values(people)) expect(person.complaints, person.name).toEqual([]);
});
