/** What the regulations ask of a school's space and its people, row by row: each test is named after its row. */
import { type Client, CodedError, type MembershipId, waitFor } from '@zvonok/client-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';

const adminPhone = '+79051000001';
let running: RunningApp;
let operator: Client;
let admin: Client;
let as: MembershipId;
const clients: Client[] = [];

beforeAll(async () => {
  running = await startApp({ RATE_LIMITS: 'off' });
  const { platform, accounts, desk } = running.app;
  await platform.database.inTransaction(async (tx) =>
    desk.addOperator(tx, await accounts.ensureAccount(tx, '+79050000001'), 'Оператор Олег'),
  );
  operator = await signIn('+79050000001');
});
afterAll(async () => {
  for (const client of clients) client.close();
  await running?.stop();
});

async function signIn(phone: string, inviteToken?: string): Promise<Client> {
  const client = await running.signIn(phone, inviteToken);
  clients.push(client);
  return client;
}

const membershipsOf = (client: Client) => {
  const session = client.session.getSnapshot();
  return session.state === 'signedIn' ? session.memberships : [];
};

const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'ok',
    (error: unknown) => (error instanceof CodedError ? error.code : String(error)),
  );

/** Somebody comes by a new invite of the administrator. */
async function join(
  phone: string,
  fullName: string,
  invite: Omit<Parameters<Client['school']['createInvite']>[0], 'as'>,
): Promise<{ client: Client; id: MembershipId }> {
  const { token } = await admin.school.createInvite({ as, ...invite });
  const client = await signIn(phone, token);
  const { membership } = await client.school.redeemInvite({ token, fullName });
  if (membership === null) throw new Error('asked to join instead');
  return { client, id: membership.id };
}

const chatsOf = async (client: Client, id: MembershipId) =>
  (await client.chat.listConversations({ as: id })).conversations.map(
    (each) => `${each.channel ?? each.kind}${each.title === null ? '' : ` ${each.title}`}`,
  );

test('a school applies, the operator activates it, and the administrator signs in with exactly the phone that was named', async () => {
  const applicant = operator;
  const { application } = await applicant.desk.submitApplication({
    form: {
      schoolName: 'Школа №7',
      vocabulary: 'school',
      address: 'г. Псков, ул. Мира, 2',
      registerId: '6000000007',
      orderNumber: '3-ОД',
      orderDate: '2026-08-20',
      adminName: 'Ильина Вера Павловна',
      adminEmail: 'school@example.org',
      adminPhone,
    },
  });
  // Nobody gets in before that, and nobody but them after it.
  await expect(running.session(adminPhone)).rejects.toThrow();
  const { schoolId } = await operator.desk.approveApplication({ applicationId: application.id });
  await expect(running.session('+79051000002')).rejects.toThrow();
  admin = await signIn(adminPhone);
  expect(membershipsOf(admin)).toMatchObject([
    { schoolId, role: 'admin', verified: true, standings: ['SA'] },
  ]);
  as = membershipsOf(admin)[0]?.id as MembershipId;
  expect(await chatsOf(admin, as)).toEqual(expect.arrayContaining(['general', 'staff', 'staff']));
});

test('a closed space: an outsider gets no code, no list, no message, and learns of nobody', async () => {
  await expect(running.session('+79059999999')).rejects.toThrow();
  const { group } = await admin.school.createGroup({ as, name: '1А', year: 1 });
  const { token } = await admin.school.createInvite({ as, role: 'pupil', groupId: group.id });
  // With a link one may sign in; until it is redeemed one is nobody.
  const stranger = await signIn('+79051000099', token);
  expect(membershipsOf(stranger)).toEqual([]);
  for (const attempt of [
    stranger.school.getSchool({ as }),
    stranger.school.listMembers({ as }),
    stranger.chat.listConversations({ as }),
  ]) {
    expect(await codeOf(attempt)).toBe('FORBIDDEN');
  }
});

test('the administrator edits the card, makes groups, attaches teachers, and appoints administrators from verified staff alone', async () => {
  const { school } = await admin.school.updateSchool({
    as,
    name: 'Гимназия №7',
    journalUrl: 'https://dnevnik.example/7',
  });
  expect(school).toMatchObject({ name: 'Гимназия №7', address: 'г. Псков, ул. Мира, 2' });
  const { group } = await admin.school.createGroup({ as, name: '7Б', year: 7 });
  const teacher = await join('+79051000010', 'Ирина Павловна Котова', { role: 'teacher' });
  await admin.school.attachTeacher({ as, membershipId: teacher.id, groupId: group.id, kind: 'class' });
  expect(await codeOf(admin.school.appointAdmin({ as, membershipId: teacher.id }))).toBe('WRONG_ROLE');
  // Attached, and still without a chat of the class: nobody has verified them.
  expect(await chatsOf(teacher.client, teacher.id)).toEqual([]);
  await admin.school.verifyTeacher({ as, membershipId: teacher.id, basis: 'трудовой договор 4' });
  expect(await chatsOf(teacher.client, teacher.id)).toEqual(
    expect.arrayContaining(['class 7Б', 'parents 7Б', 'staff']),
  );
  await admin.school.appointAdmin({ as, membershipId: teacher.id });
  await waitFor(teacher.client.session, () =>
    membershipsOf(teacher.client).some(({ role }) => role === 'admin'),
  );
});

describe('invite links', () => {
  test('bind a role and a group, and are annulled one by one and all at once', async () => {
    const { groups } = await admin.school.listGroups({ as });
    const groupId = groups.find((group) => group.name === '7Б')?.id;
    if (groupId === undefined) throw new Error('There is no 7Б.');
    const pupil = await join('+79051000020', 'Петя Иванов', { role: 'pupil', groupId });
    expect(membershipsOf(pupil.client)).toMatchObject([{ role: 'pupil', groupName: '7Б' }]);

    const [one, two, three] = [
      await admin.school.createInvite({ as, role: 'pupil', groupId }),
      await admin.school.createInvite({ as, role: 'guardian', groupId }),
      await admin.school.createInvite({ as, role: 'teacher' }),
    ];
    await admin.school.annulInvite({ as, inviteId: one.invite.id });
    expect(await codeOf(admin.school.previewInvite({ token: one.token }))).toBe('INVITE_INVALID');
    expect(await codeOf(admin.school.previewInvite({ token: two.token }))).toBe('ok');
    await admin.school.annulAllInvites({ as });
    for (const { token } of [two, three]) {
      expect(await codeOf(admin.school.previewInvite({ token }))).toBe('INVITE_INVALID');
    }
  });
});
