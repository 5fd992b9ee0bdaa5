// needs: chromium

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDataDir } from '@zvonok/server/platform/testing/test-postgres.ts';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { desktopSize, launchBrowser, Person, patience, phoneSize } from '../harness/browser.ts';
import { freePort, repositoryRoot, ServerProcess } from '../harness/process.ts';

/**
 * How a school comes to this server, as its people live it: it applies from a phone, the operator asks and approves at a
 * desk, its administrator signs in. The steps follow one another; a later one needs the earlier ones.
 */
const operatorPhone = '+79030000001';
const applied = {
  schoolName: 'МБОУ «Школа № 12»',
  registerId: '6027 012345',
  // As it comes out of an office program: with a space that does not break.
  address: '180000, Псков, улица\u00a0Мира, 2',
  adminName: 'Ильина Вера Павловна',
  adminPhone: '8 (911) 222-33-44',
  adminEmail: 'school12@example.org',
  orderNumber: '14-од',
  orderDate: '2026-08-20',
};
const scan = Buffer.from(`%PDF-1.7\n${'Приказ о назначении администратора. '.repeat(20_000)}`);

let dataDir: string;
let server: ServerProcess;
let browser: Browser;
let applicant: Person;
let operator: Person;
let link: string;

/** Runs the operator's own command beside the running server, as the README tells them to. */
async function makeOperator(): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(repositoryRoot, 'server/src/operator-command.ts'), 'create', operatorPhone, 'Орлов Олег Ильич'],
    { env: { ...process.env, NODE_ENV: 'test', DATA_DIR: dataDir }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  await once(child, 'exit');
  expect(child.exitCode, said).toBe(0);
}

beforeAll(async () => {
  dataDir = await makeDataDir();
  server = ServerProcess.start('server/src/main.ts', { PORT: String(await freePort()), DATA_DIR: dataDir });
  await server.ready();
  await makeOperator();
  browser = await launchBrowser();
  applicant = await Person.sitDown(browser, server, 'applicant', phoneSize);
  operator = await Person.sitDown(browser, server, 'operator', desktopSize);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** For the eye: a dialog that is still fading in is no picture of it. */
const settled = (page: Page) =>
  page.waitForFunction(() => document.getAnimations().every((each) => each.playState !== 'running'));

const field = (name: string) => applicant.page.locator(`[data-field="${name}"]`);
const inQueue = (schoolName: string) =>
  operator.page.getByTestId('application').filter({ hasText: schoolName });
const scanPicker = () => applicant.page.locator('input[type="file"]');
const state = (name: string) =>
  applicant.page.locator(`[data-testid="application-state"][data-state="${name}"]`);

it('the form says beside each field what is missing, and a reload loses nothing that was typed', async () => {
  const { page } = applicant;
  await page.goto('/');
  await page.getByTestId('to-apply').click();
  await page.getByTestId('application-form').waitFor();
  await applicant.screenshot('apply-390', true);
  await page.setViewportSize(desktopSize);
  await applicant.screenshot('apply-1280', true);
  await page.setViewportSize(phoneSize);
  await field('adminEmail').fill('нет');
  await page.getByTestId('submit').click();
  await expect.poll(() => page.locator('[data-field][aria-invalid="true"]').count(), patience).toBe(8);
  expect(await page.evaluate(() => document.activeElement?.getAttribute('data-field'))).toBe('schoolName');
  await page.getByText('Приложите скан').waitFor();
  await applicant.screenshot('apply-missing-390', true);

  for (const [name, text] of Object.entries(applied)) await field(name).fill(text);
  await field('vocabulary').selectOption('college');
  await page.reload();
  for (const [name, text] of Object.entries(applied)) expect(await field(name).inputValue(), name).toBe(text);
  expect(await field('vocabulary').inputValue()).toBe('college');
});

it('what the server refuses is said beside its field too', async () => {
  const { page } = applicant;
  await scanPicker().setInputFiles({
    name: 'приказ.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('приказ'),
  });
  await page.getByText('Это не PDF').waitFor();
  await scanPicker().setInputFiles({ name: 'Приказ № 14.pdf', mimeType: 'application/pdf', buffer: scan });
  await field('adminPhone').fill('+7 999 999-99-99-99');
  await page.getByTestId('submit').click();
  await expect.poll(() => field('adminPhone').getAttribute('aria-invalid'), patience).toBe('true');
  await field('adminPhone').fill(applied.adminPhone);
});

it('the application is sent; its scan fails on the way and is sent again alone', async () => {
  const { page, context } = applicant;
  await context.route('**/api/desk/orders', (route) => route.abort());
  await page.getByTestId('submit').click();
  await state('submitted').waitFor();
  const again = page.getByTestId('send-order-again');
  await again.waitFor();
  await applicant.screenshot('apply-scan-failed-390', true);
  await context.unroute('**/api/desk/orders');
  await again.click();
  await page.getByText('Скан приложен').waitFor();
  await page.getByTestId('order-name').filter({ hasText: 'Приказ № 14.pdf' }).waitFor();
  link = await page.getByTestId('application-link').inputValue();
  expect(new URL(link).hash).toMatch(/^#[\w-]{43}$/);
  // Nobody who sits down at this phone next finds the administrator's data in it.
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('Ильина');
  await applicant.screenshot('apply-waiting-390', true);
  await page.setViewportSize(desktopSize);
  await applicant.screenshot('apply-waiting-1280', true);
  await page.setViewportSize(phoneSize);
});

it('the operator lands at the desk, saves the scan and asks a question', async () => {
  const { page } = operator;
  await page.goto('/');
  await operator.enterPhoneAndCode(server, operatorPhone);
  await page.waitForURL('**/operator');
  // This machine's own demonstration: open without a passkey, and it says so.
  await page.getByTestId('passkey-waived').waitFor();
  await inQueue(applied.schoolName).click();
  const card = page.getByTestId('application-card');
  for (const fact of ['6027012345', 'Псков, улица Мира', applied.adminName, '14-од']) {
    await card.getByText(fact).first().waitFor();
  }
  await operator.screenshot('operator-application-1280');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByTestId('download-order').click(),
  ]);
  expect(download.suggestedFilename()).toBe('Приказ № 14.pdf');
  expect((await readFile(await download.path())).equals(scan)).toBe(true);

  await page.getByTestId('ask').click();
  await page.getByTestId('confirm').click();
  await page.getByText('Напишите вопрос').waitFor();
  await page.getByTestId('reason').fill('Кто подписал приказ?\nПришлите, пожалуйста, и вторую страницу.');
  await settled(page);
  await operator.screenshot('operator-ask-1280');
  await page.getByTestId('confirm').click();
  await inQueue(applied.schoolName).waitFor({ state: 'detached' });
  await operator.screenshot('operator-asked-1280');
});

it('the school finds the question behind its link and answers', async () => {
  const { page } = applicant;
  await page.goto('/signin');
  await page.goto(link);
  await state('questioned').waitFor();
  await page.getByTestId('application-note').getByText('Кто подписал').waitFor();
  await page.getByTestId('answer').fill('Директор Смирнова А. А.');
  await page.reload();
  expect(await page.getByTestId('answer').inputValue()).toBe('Директор Смирнова А. А.');
  await applicant.screenshot('apply-question-390', true);
  await page.getByTestId('send-answer').click();
  await state('submitted').waitFor();
});

it('the operator is warned of a second application, declines it with a reason, and approves the first', async () => {
  const { page } = operator;
  const second = {
    ...applied,
    schoolName: 'Школа 12 (копия)',
    registerId: '6027012345',
    address: 'Псков, улица Мира, 2',
    vocabulary: 'college',
    adminPhone: '+79112223399',
  };
  const sent = await page.request.post('/api/v1/desk.submitApplication', { data: { form: second } });
  expect(sent.status()).toBe(200);
  await page.getByTestId('state-submitted').click();
  await page.reload();
  await inQueue(second.schoolName).click();
  await page.getByTestId('similar').getByText(applied.schoolName).waitFor();
  await operator.screenshot('operator-similar-1280');
  await page.getByTestId('decline').click();
  await page.getByTestId('reason').fill('Заявка подана второй раз.');
  await page.getByTestId('confirm').click();
  await page.getByTestId('application-card').waitFor({ state: 'detached' });

  await inQueue(applied.schoolName).click();
  await page.getByText('Директор Смирнова').waitFor();
  await page.getByTestId('approve').click();
  await settled(page);
  await operator.screenshot('operator-approve-1280');
  await page.getByTestId('confirm').click();
  await inQueue(applied.schoolName).waitFor({ state: 'detached' });
  await page.getByTestId('state-approved').click();
  await inQueue(applied.schoolName).waitFor();
});

it('the administrator signs in with exactly that phone and finds the school made', async () => {
  const { page } = applicant;
  // The page was left open; somebody comes back to its tab.
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await state('approved').waitFor({ timeout: 5_000 });
  await applicant.screenshot('apply-approved-390', true);
  await page.getByTestId('to-sign-in').click();
  await applicant.enterPhoneAndCode(server, '+79112223344');
  const conversations = page.getByTestId('conversation');
  for (const title of ['Общеколледжный канал', 'Канал сотрудников', 'Сотрудники']) {
    await conversations.filter({ hasText: title }).first().waitFor();
  }
  expect(await conversations.count()).toBe(3);
  await applicant.openConversation('Общеколледжный канал');
  await applicant.send('Здравствуйте! Колледж открыт.');
  await page.getByTestId('message').filter({ hasText: 'Колледж открыт' }).waitFor();
});

it('the operator suspends the school: the administrator’s open page says so at once', async () => {
  const { page } = operator;
  await page.getByTestId('to-schools').click();
  await page.getByTestId('search-schools').fill('школа № 12');
  await expect.poll(() => page.getByTestId('suspend').count(), patience).toBe(1);
  await page.getByTestId('suspend').click();
  await page.getByTestId('reason').fill('Проверяем, кто администратор.');
  await settled(page);
  await operator.screenshot('operator-suspend-1280');
  await page.getByTestId('confirm').click();
  await applicant.page.getByTestId('school-suspended').waitFor({ timeout: 3_000 });
  expect(await applicant.page.getByText('Колледж открыт').count()).toBe(0);
  await applicant.screenshot('suspended-390');
  await page.getByTestId('resume').waitFor();
  await operator.screenshot('operator-schools-1280');
  await applicant.page.reload();
  await applicant.page.getByTestId('school-suspended').waitFor();
});

it('opened again, it works again, without anybody’s help', async () => {
  await operator.page.getByTestId('resume').click();
  await operator.page.getByTestId('confirm').click();
  const { page } = applicant;
  await page.getByTestId('message').filter({ hasText: 'Колледж открыт' }).waitFor({ timeout: 5_000 });
  await applicant.send('Мы снова здесь.');
  await page.getByTestId('message').filter({ hasText: 'Мы снова здесь' }).waitFor();
});

it('the desk is usable on a phone, and nobody else has one', async () => {
  const { page } = operator;
  await page.setViewportSize(phoneSize);
  await page.goto('/operator?state=approved');
  await inQueue(applied.schoolName).waitFor();
  await operator.screenshot('operator-queue-390');
  await inQueue(applied.schoolName).click();
  await page.getByTestId('application-card').waitFor();
  await operator.screenshot('operator-application-390', true);
  await page.getByTestId('to-schools').click();
  await page.getByTestId('schools').getByText(applied.schoolName).waitFor();
  await operator.screenshot('operator-schools-390');

  await applicant.page.goto('/operator');
  await applicant.page.getByTestId('conversations').waitFor();
  expect(new URL(applicant.page.url()).pathname).toBe('/');
});

it('no page complained on the way', () => {
  for (const person of [applicant, operator]) {
    const expected = /status of (400|403)|net::ERR_FAILED/;
    expect(
      person.complaints.filter((text) => !expected.test(text)),
      person.name,
    ).toEqual([]);
  }
});
