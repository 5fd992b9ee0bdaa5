// needs: media-worker
import { randomInt } from 'node:crypto';
import { type Client, createClient, joinLesson, type Message, waitFor } from '@zvonok/client-sdk';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, joinAs } from '../harness/school.ts';

/** A school applies, an operator decides, as the SDK and plain HTTP live it. */
let running: RunningApp;
let operator: { token: string };
const clients: Client[] = [];

beforeAll(async () => {
  running = await startApp({
    RATE_LIMITS: 'off',
    CALLS_SETUP: 'root',
    RTC_PORT_BASE: String(randomInt(20_000, 30_000)),
    ...(process.env.MEDIASOUP_WORKER_BIN === undefined
      ? {}
      : { MEDIASOUP_WORKER_BIN: process.env.MEDIASOUP_WORKER_BIN }),
  });
  const { platform, accounts, desk } = running.app;
  await platform.database.inTransaction(async (tx) =>
    desk.addOperator(tx, await accounts.ensureAccount(tx, '+79030000001'), 'Оператор Олег'),
  );
  operator = await running.session('+79030000001');
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => running?.stop());

function open(token?: string): Client {
  const client = createClient({
    url: running.url,
    carrier: 'bearer',
    logLevel: 'silent',
    ...(token === undefined ? {} : { token }),
  });
  clients.push(client);
  return client;
}

let serial = 0;
const form = () => ({
  schoolName: `Школа заявок ${++serial}`,
  vocabulary: 'school' as const,
  address: 'г. Псков, ул. Мира, 2',
  registerId: `60${String(serial).padStart(8, '0')}`,
  orderNumber: '3',
  orderDate: '2026-08-20',
  adminName: 'Ильина Вера Павловна',
  adminEmail: 'school@example.org',
  adminPhone: `+790311111${String(serial).padStart(2, '0')}`,
});
const pdf = (size = 2_000) =>
  new Blob([`%PDF-1.7\n${'x'.repeat(size - 9)}`], { type: 'application/octet-stream' });

const save = (applicationId: string, token?: string) =>
  fetch(`${running.url}/api/desk/orders/${applicationId}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });

describe('the scan of an order', () => {
  test('goes to the operator as it was sent, to be saved and never shown in place', async () => {
    const applicant = open();
    const { application, token } = await applicant.desk.submitApplication({ form: form() });
    const attached = await applicant.desk.attachOrder(token, pdf(), '../Приказ "№ 3".exe');
    expect(attached.orderFile).toBe('Приказ № 3.pdf');
    const saved = await save(application.id, operator.token);
    expect(saved.status).toBe(200);
    expect(await saved.text()).toBe(await pdf().text());
    const header = (name: string) => saved.headers.get(name);
    expect(header('content-disposition')).toBe(
      `attachment; filename*=UTF-8''${encodeURIComponent('Приказ № 3.pdf')}`,
    );
    expect(header('x-content-type-options')).toBe('nosniff');
    expect(header('content-security-policy')).toContain('sandbox');
    expect(header('cache-control')).toBe('no-store');
  });

  test('is given to nobody but an operator', async () => {
    const school = await createSchoolFixture(running, 'Школа чужая', '+7904000');
    const { application, token } = await open().desk.submitApplication({ form: form() });
    await open().desk.attachOrder(token, pdf(), 'приказ.pdf');
    expect((await save(application.id)).status).toBe(401);
    expect((await save(application.id, school.admin.token)).status).toBe(403);
    expect((await save(application.id, token)).status).toBe(401);
    expect((await save('01890000-0000-7000-8000-00000000dead', operator.token)).status).toBe(404);
    expect((await save('%2e%2e', operator.token)).status).toBe(404);
  });

  test('is taken with the application’s own token, as PDF, JPEG or PNG of up to 10 MB, until it is decided', async () => {
    const applicant = open();
    const { application, token } = await applicant.desk.submitApplication({ form: form() });
    const other = 'A'.repeat(43);
    await expect(applicant.desk.attachOrder(other, pdf(), 'a.pdf')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(applicant.desk.attachOrder(token, new Blob(['MZ\u0090']), 'a.pdf')).rejects.toMatchObject({
      code: 'UNSUPPORTED_TYPE',
    });
    await expect(applicant.desk.attachOrder(token, new Blob([]), 'a.pdf')).rejects.toMatchObject({
      code: expect.stringMatching(/UNSUPPORTED_TYPE|VALIDATION/),
    });
    await expect(applicant.desk.attachOrder(token, pdf(10 * 1024 * 1024 + 1), 'a.pdf')).rejects.toMatchObject(
      {
        code: expect.stringMatching(/TOO_LARGE|UNAVAILABLE/),
      },
    );
    await applicant.desk.attachOrder(token, pdf(10 * 1024 * 1024), 'большой.pdf');
    const desk = open(operator.token);
    await desk.start();
    await desk.desk.declineApplication({ applicationId: application.id, reason: 'Не та печать.' });
    await expect(applicant.desk.attachOrder(token, pdf(), 'a.pdf')).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    const { status } = await running.post('accounts.getMe', {}, operator.token);
    expect(status).toBe(200);
  });
});

test('a suspended school is left by everybody within a second, chats and lesson alike, and comes back whole', async () => {
  const school = await createSchoolFixture(running, 'Школа на проверке', '+7905000');
  const teacher = await joinAs(running, school, 'teacher', '+79050000031', 'Ирина Павловна');
  const asAdmin = (procedure: string, input: object) =>
    running.post(procedure, { as: school.admin.membershipId, ...input }, school.admin.token);
  await asAdmin('school.verifyTeacher', { membershipId: teacher.membershipId, basis: 'приказ 7' });
  await asAdmin('school.attachTeacher', {
    membershipId: teacher.membershipId,
    groupId: school.ids.group,
    kind: 'class',
  });
  const [ofTeacher, ofPupil] = [open(teacher.token), open(school.pupil.token)];
  for (const client of [ofTeacher, ofPupil]) {
    await client.start();
    await waitFor(client.connection, (state) => state === 'online');
  }
  const as = teacher.membershipId;
  const { conversations } = await ofTeacher.chat.listConversations({ as });
  const conversationId = conversations.find((each) => each.kind === 'class')?.id as never;
  const { call } = await ofTeacher.calls.startCall({ as, conversationId });
  const lesson = joinLesson(ofTeacher, { as, callId: call.id }, { media: false });
  await waitFor(lesson, ({ status }) => status === 'connected', 20_000);
  const heard: Message[] = [];
  ofPupil.on('chat.messageSent', ({ message }) => heard.push(message));
  let told = 0;
  ofPupil.on('school.schoolChanged', () => {
    told += 1;
  });
  const say = (text: string) =>
    ofTeacher.chat.sendMessage({ as, conversationId, clientMessageId: crypto.randomUUID() as never, text });
  await say('до проверки');
  await expect.poll(() => heard.length).toBe(1);
  const ticket = await ofPupil.calls.createTicket({ as: school.pupil.membershipId, callId: call.id });

  const desk = open(operator.token);
  await desk.start();
  const { schools } = await desk.desk.listSchools({ search: 'на проверке' });
  const schoolId = schools[0]?.id as never;
  await desk.desk.suspendSchool({ schoolId, reason: 'Проверка документов.' });
  await waitFor(lesson, ({ status }) => status === 'ended', 1_000);
  await expect.poll(() => told, { timeout: 1_000 }).toBe(1);
  await expect(say('во время проверки')).rejects.toMatchObject({ code: 'SCHOOL_SUSPENDED' });
  // The way into a lesson that was given a moment before leads nowhere.
  const late = new WebSocket(`${running.url.replace('http', 'ws')}${ticket.path}`);
  const closed = new Promise<number>((resolve) =>
    late.addEventListener('close', ({ code }) => resolve(code)),
  );
  late.addEventListener('open', () =>
    late.send(JSON.stringify({ id: 1, method: 'join', params: { ticket: ticket.ticket, version: '0.1' } })),
  );
  expect(await closed).toBeGreaterThanOrEqual(4_000);
  const me = await ofPupil.accounts.getMe();
  expect(me.memberships).toMatchObject([{ suspended: true }]);

  await desk.desk.resumeSchool({ schoolId });
  await expect.poll(() => told, { timeout: 1_000 }).toBe(2);
  await say('после проверки');
  await expect
    .poll(() => heard.map(({ body }) => 'text' in body && body.text), { timeout: 2_000 })
    .toEqual(['до проверки', 'после проверки']);
});
