/** What the regulations ask of a school's space and its people, row by row: each test is named after its row. */
import { type Client, CodedError, createClient, type MembershipId, waitFor } from '@zvonok/client-sdk';
import type { GroupId } from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';

const adminPhone = '+79051000001';
let running: RunningApp;
let operator: Client;
let admin: Client;
let as: MembershipId;
/** 7Б and its class teacher, who becomes a second administrator: rows that follow need them. */
let groupId: GroupId;
let teacher: Person;
const clients: Client[] = [];

interface Person {
  readonly client: Client;
  readonly id: MembershipId;
}

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
): Promise<Person> {
  const { token } = await admin.school.createInvite({ as, ...invite });
  const client = await signIn(phone, token);
  const { membership } = await client.school.redeemInvite({ token, fullName });
  if (membership === null) throw new Error('asked to join instead');
  return { client, id: membership.id };
}

/** Staff whom the administrator has confirmed. */
async function joinVerified(
  phone: string,
  fullName: string,
  role: 'head' | 'teacher' = 'teacher',
): Promise<Person> {
  const person = await join(phone, fullName, { role });
  await admin.school.verifyTeacher({ as, membershipId: person.id, basis: 'трудовой договор' });
  return person;
}

const makeClass = async (name: string, year: number): Promise<GroupId> =>
  (await admin.school.createGroup({ as, name, year })).group.id;

/** Rights follow within a second (P14). */
const atOnce = <T>(read: () => T) => expect.poll(read, { timeout: 1_000 });

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
  const { conversations } = await admin.chat.listConversations({ as });
  const conversationId = conversations[0]?.id;
  if (conversationId === undefined) throw new Error('The administrator has no conversation.');
  for (const attempt of [
    stranger.school.getSchool({ as }),
    stranger.school.listMembers({ as }),
    stranger.chat.listConversations({ as }),
    stranger.chat.listMessages({ as, conversationId, limit: 10 }),
    stranger.calls.findLiveCall({ as, conversationId }),
    stranger.calls.startCall({ as, conversationId }),
  ].map(codeOf)) {
    expect(await attempt).toBe('FORBIDDEN');
  }
});

test('the administrator edits the card, makes groups, attaches teachers, and appoints administrators from verified staff alone', async () => {
  const { school } = await admin.school.updateSchool({
    as,
    name: 'Гимназия №7',
    journalUrl: 'https://dnevnik.example/7',
  });
  expect(school).toMatchObject({ name: 'Гимназия №7', address: 'г. Псков, ул. Мира, 2' });
  groupId = await makeClass('7Б', 7);
  teacher = await join('+79051000010', 'Ирина Павловна Котова', { role: 'teacher' });
  const attached = { as, membershipId: teacher.id, groupId };
  await admin.school.attachTeacher({ ...attached, kind: 'class' });
  await admin.school.attachTeacher({ ...attached, kind: 'subject', subject: 'Физика' });
  expect(await codeOf(admin.school.appointAdmin({ as, membershipId: teacher.id }))).toBe('WRONG_ROLE');
  // Attached, and still without a chat of the class: nobody has verified them.
  expect(await chatsOf(teacher.client, teacher.id)).toEqual([]);
  await admin.school.verifyTeacher({ as, membershipId: teacher.id, basis: 'трудовой договор 4' });
  expect(await chatsOf(teacher.client, teacher.id)).toEqual(
    expect.arrayContaining(['class 7Б', 'parents 7Б', 'subject 7Б', 'staff']),
  );
  await admin.school.appointAdmin({ as, membershipId: teacher.id });
  await waitFor(teacher.client.session, () =>
    membershipsOf(teacher.client).some(({ role }) => role === 'admin'),
  );
});

describe('invite links', () => {
  test('bind a role and a group, and are annulled one by one and all at once', async () => {
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

  test('who has none asks by the school’s code, waits in a queue, and is let in or refused by the administrator', async () => {
    const { code } = await admin.school.rotateJoinCode({ as });
    const apply = async (phone: string, fullName: string) => {
      const { token } = await running.session(phone, undefined, code);
      const client = createClient({ url: running.url, carrier: 'bearer', token, logLevel: 'silent' });
      clients.push(client);
      await client.start();
      await client.school.submitJoinRequest({ code, role: 'pupil', fullName, groupWords: '7 б' });
      return client;
    };
    const welcome = await apply('+79051000030', 'Оля Смирнова');
    const stranger = await apply('+79051000031', 'Никто Никтов');
    expect(membershipsOf(welcome)).toEqual([]);
    const { requests } = await admin.school.listJoinRequests({ as, state: 'open' });
    expect(requests).toMatchObject([
      { fullName: 'Оля Смирнова', group: { groupId }, phone: '+79051000030' },
      { fullName: 'Никто Никтов' },
    ]);
    const [first, second] = requests;
    if (first === undefined || second === undefined) throw new Error('Nobody waits.');
    await admin.school.approveJoinRequest({ as, requestId: first.id, groupId });
    await admin.school.declineJoinRequest({ as, requestId: second.id, reason: 'Такого ученика у нас нет.' });
    await atOnce(() => membershipsOf(welcome)).toMatchObject([{ role: 'pupil', groupName: '7Б' }]);
    expect((await stranger.school.listMyJoinRequests({})).requests).toMatchObject([
      { state: 'declined', reason: 'Такого ученика у нас нет.' },
    ]);
    expect(membershipsOf(stranger)).toEqual([]);
    expect(await codeOf(apply('+79051000031', 'Никто Никтов'))).toBe('ASKED_TOO_SOON');
  });
});

test('the administrator confirms a teacher, all see the badge, and without it neither head nor teacher meets a minor', async () => {
  const head = await join('+79051000040', 'Орлов Пётр Сергеевич', { role: 'head' });
  const pupils = async () => {
    const { members } = await head.client.school.listMembers({ as: head.id, role: 'pupil' });
    return members.length;
  };
  expect(await pupils()).toBe(0);
  expect(await chatsOf(head.client, head.id)).toEqual([]);
  const { request } = await head.client.school.createRequest({
    as: head.id,
    what: { kind: 'ownVerification', basis: 'приказ 12' },
  });
  // Nobody confirms themselves.
  expect(await codeOf(head.client.school.approveRequest({ as: head.id, requestId: request.id }))).not.toBe(
    'ok',
  );
  await admin.school.approveRequest({ as, requestId: request.id });
  await atOnce(() => membershipsOf(head.client)).toMatchObject([{ verified: true, standings: ['HD'] }]);
  expect(await pupils()).toBeGreaterThan(0);

  const pupil = await join('+79051000041', 'Вера Белова', { role: 'pupil', groupId });
  const seen = await pupil.client.school.listMembers({ as: pupil.id, role: 'teacher' });
  expect(seen.members).toMatchObject([{ membershipId: teacher.id, verified: true }]);
  const { card } = await admin.school.getMember({ as, membershipId: head.id });
  expect(card.verification).toMatchObject({ basis: 'приказ 12', by: { membershipId: as } });

  await admin.school.revokeVerification({ as, membershipId: head.id, reason: 'приказ отозван' });
  await atOnce(() => membershipsOf(head.client)).toMatchObject([{ verified: false, standings: ['TU'] }]);
  expect(await pupils()).toBe(0);
});

describe('movement', () => {
  test('a pupil is enrolled, transferred, expelled and brought back, and is in one group only', async () => {
    const other = await makeClass('8А', 8);
    const pupil = await join('+79051000050', 'Глеб Зорин', { role: 'pupil', groupId });
    const { token } = await admin.school.createInvite({ as, role: 'pupil', groupId: other });
    expect(await codeOf(pupil.client.school.redeemInvite({ token, fullName: 'Глеб Зорин' }))).toBe(
      'GROUP_TAKEN',
    );

    await admin.school.transferMembers({ as, membershipIds: [pupil.id], groupId: other });
    await atOnce(() => membershipsOf(pupil.client)).toMatchObject([{ groupName: '8А' }]);
    const chats = await chatsOf(pupil.client, pupil.id);
    expect(chats).toContain('class 8А');
    expect(chats).not.toContain('class 7Б');

    await admin.school.endMemberships({ as, membershipIds: [pupil.id], reason: 'expelled' });
    await atOnce(() => membershipsOf(pupil.client)).toEqual([]);
    expect(await codeOf(pupil.client.chat.listConversations({ as: pupil.id }))).toBe('FORBIDDEN');
    await admin.school.restoreMembership({ as, membershipId: pupil.id });
    await atOnce(() => membershipsOf(pupil.client)).toMatchObject([{ id: pupil.id, groupName: '8А' }]);
    const { card } = await admin.school.getMember({ as, membershipId: pupil.id });
    expect(card.history).toMatchObject([
      { groupId: other, endedAt: null },
      { groupId, endReason: 'moved' },
    ]);
  });

  test('staff leave and hand over to a successor in one step', async () => {
    const leaver = await joinVerified('+79051000051', 'Нина Серова');
    const successor = await joinVerified('+79051000052', 'Лев Громов');
    const taught = await makeClass('5В', 5);
    await admin.school.attachTeacher({ as, membershipId: leaver.id, groupId: taught, kind: 'class' });
    const { attachments } = await admin.school.planHandOver({ as, membershipId: leaver.id });
    await admin.school.handOver({
      as,
      membershipId: leaver.id,
      toId: successor.id,
      attachments,
      conversationIds: [],
      leaves: true,
    });
    await atOnce(() => membershipsOf(leaver.client)).toEqual([]);
    expect(await chatsOf(successor.client, successor.id)).toEqual(
      expect.arrayContaining(['class 5В', 'parents 5В']),
    );
  });

  test('at the turn of the year the last class graduates and the others go on; it is taken back whole', async () => {
    const last = await makeClass('11А', 11);
    const graduate = await join('+79051000053', 'Гена Последний', { role: 'pupil', groupId: last });
    const choices = { lastYear: 11, classes: [], newClasses: [], teachers: [] };
    const { plan } = await admin.school.planRollover({ as, choices });
    const { rollover } = await admin.school.applyRollover({ as, choices, digest: plan.digest });
    expect(rollover).toMatchObject({ archived: 1, graduates: 1 });
    await atOnce(() => membershipsOf(graduate.client)).toEqual([]);
    expect(await chatsOf(teacher.client, teacher.id)).toContain('class 8Б');

    await admin.school.undoRollover({ as, rolloverId: rollover.id });
    await atOnce(() => membershipsOf(graduate.client)).toMatchObject([{ groupName: '11А' }]);
    expect(await chatsOf(teacher.client, teacher.id)).toContain('class 7Б');
  });
});

test('the administrator checks and corrects members’ data, and a record of it stays', async () => {
  const found = await admin.school.listMembers({ as, search: '000041' });
  expect(found.members).toMatchObject([{ fullName: 'Вера Белова', phone: '+79051000041' }]);
  const membershipId = found.members[0]?.membershipId as MembershipId;
  await admin.school.correctMember({ as, membershipId, fullName: 'Белова Вероника' });
  const { card } = await admin.school.getMember({ as, membershipId });
  expect(card.member.fullName).toBe('Белова Вероника');
  const { counts } = await admin.school.countMembers({ as });
  expect(counts.filters.pupilsWithoutGuardian).toBe(counts.roles.pupil);
  const { records } = await admin.school.listAuditRecords({ as, limit: 1 });
  expect(records[0]).toMatchObject({
    before: { fullName: 'Вера Белова' },
    after: { fullName: 'Белова Вероника' },
  });
});

describe('guardians and children', () => {
  test('two guardians of two children see them at one sign-in; one asks to be linked; a limit takes away at once', async () => {
    const [one, two] = [
      await join('+79051000060', 'Саша Лапин', { role: 'pupil', groupId }),
      await join('+79051000061', 'Даша Лапина', { role: 'pupil', groupId: await makeClass('3Г', 3) }),
    ];
    const mother = await join('+79051000062', 'Анна Лапина', { role: 'guardian', groupId, childId: one.id });
    const father = await join('+79051000063', 'Пётр Лапин', { role: 'guardian', groupId });
    expect(membershipsOf(father.client)).toMatchObject([{ standings: ['PU'], children: [] }]);
    const { request } = await father.client.school.createRequest({
      as: father.id,
      what: { kind: 'linkOwnChild', childName: 'Лапин Саша', groupName: '7Б' },
    });
    const { children } = await admin.school.listLikelyChildren({ as, requestId: request.id });
    expect(children).toMatchObject([{ membershipId: one.id, sameGroup: true }]);
    await admin.school.approveRequest({ as, requestId: request.id, childId: one.id });
    for (const guardian of [mother, father]) {
      await admin.school.linkGuardian({ as, guardianId: guardian.id, childId: two.id });
      await atOnce(() =>
        membershipsOf(guardian.client).flatMap(({ children }) =>
          children.map((each) => each.groupName).sort(),
        ),
      ).toEqual(['3Г', '7Б']);
      expect(await chatsOf(guardian.client, guardian.id)).toEqual(
        expect.arrayContaining(['parents 7Б', 'parents 3Г']),
      );
    }
    const limited = { as, guardianId: father.id, reason: 'решение суда' };
    for (const { id: childId } of [one, two]) {
      await admin.school.limitGuardian({ ...limited, childId, mayBeInformed: false, mayBeContacted: false });
    }
    await atOnce(() => membershipsOf(father.client)).toMatchObject([{ children: [] }]);
    expect(await chatsOf(father.client, father.id)).not.toContain('parents 7Б');
    expect(await chatsOf(mother.client, mother.id)).toContain('parents 7Б');
  });

  test('a child without a phone signs in with a card of the class teacher; a new one ends the old', async () => {
    const byTeacher = { as: teacher.id };
    const register = () => teacher.client.school.getClassRegister({ ...byTeacher, groupId });
    const { pupils } = await register();
    const withPhone = pupils.find(({ fullName }) => fullName === 'Саша Лапин')?.membershipId as MembershipId;
    const refused = teacher.client.school.issueCard({ ...byTeacher, membershipId: withPhone });
    expect(await codeOf(refused)).toBe('CARD_REFUSED');
    await running.app.platform.database.client`
      insert into roster_entries (school_id, id, role, full_name, match_key, group_id)
      select school_id, gen_random_uuid(), 'pupil', 'Ёжиков Тим', 'ежиков тим', id from groups where id = ${groupId}`;
    const [entryId] = (await register()).expected.map((each) => each.entryId);
    if (entryId === undefined) throw new Error('nobody is expected');
    const enter = async ({ token, pin }: { token: string; pin: string }) => {
      const child = createClient({ url: running.url, carrier: 'bearer', logLevel: 'silent' });
      clients.push(child);
      await child.accounts.signInByCard({ token, pin, shared: true });
      return child;
    };
    const old = await teacher.client.school.admitWithCard({ ...byTeacher, entryId });
    const { membershipId } = old;
    const child = await enter(old);
    expect(membershipsOf(child)).toMatchObject([{ id: membershipId, groupName: '7Б' }]);
    const fresh = await teacher.client.school.issueCard({ ...byTeacher, membershipId });
    await waitFor(child.session, ({ state }) => state === 'signedOut', 1_000);
    expect(await codeOf(enter(old))).toBe('CARD_WRONG');
    expect(await codeOf(enter(fresh))).toBe('ok');
  });
});

describe('who may do what', () => {
  test('who may only ask makes a request; whoever may decides it in one queue', async () => {
    const { members } = await admin.school.listMembers({ as, search: 'Оля Смирнова' });
    const membershipId = members[0]?.membershipId as MembershipId;
    const byTeacher = { as: teacher.id };
    const ended = { membershipId, reason: 'left' as const };
    expect(await codeOf(teacher.client.school.endMembership({ ...byTeacher, ...ended }))).toBe('FORBIDDEN');
    const { request } = await teacher.client.school.createRequest({
      ...byTeacher,
      what: { kind: 'endMembership', membershipId, endReason: 'left' },
      reason: 'Переехали.',
    });
    const queue = await admin.school.listRequests({ as, which: 'toDecide', state: 'open' });
    expect(queue.requests).toMatchObject([{ id: request.id, reason: 'Переехали.' }]);
    await admin.school.approveRequest({ as, requestId: request.id });
    const { card } = await admin.school.getMember({ as, membershipId });
    expect(card.member.endReason).toBe('left');
  });

  test('a setting of the school gives a right at once and takes it back', async () => {
    const { client, id } = await joinVerified('+79051000070', 'Олег Физиков');
    await admin.school.attachTeacher({ as, membershipId: id, groupId, kind: 'subject', subject: 'Химия' });
    const invite = () => codeOf(client.school.createInvite({ as: id, role: 'guardian', groupId }));
    const set = (value: boolean) =>
      admin.school.changeSettings({ as, settings: { 'inviteGuardians.ST': value } });
    expect(await invite()).toBe('FORBIDDEN');
    await set(true);
    expect(await invite()).toBe('ok');
    await set(false);
    expect(await invite()).toBe('FORBIDDEN');
  });

  test('there is always an administrator: of two who dismiss each other at once one remains', async () => {
    const other = membershipsOf(teacher.client).find(({ role }) => role === 'admin')?.id as MembershipId;
    const outcomes = await Promise.all([
      codeOf(admin.school.endMembership({ as, membershipId: other, reason: 'left' })),
      codeOf(teacher.client.school.endMembership({ as: other, membershipId: as, reason: 'left' })),
    ]);
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(1);
    const [client, left] = outcomes[0] === 'ok' ? [admin, as] : [teacher.client, other];
    expect(await codeOf(client.school.endMembership({ as: left, membershipId: left, reason: 'left' }))).toBe(
      'LAST_ADMIN',
    );
  });
});
