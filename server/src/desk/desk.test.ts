import { randomBytes } from 'node:crypto';
import {
  type ApplicationForm,
  type ApplicationId,
  type InputOf,
  type OutputOf,
  procedureContract,
} from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signal } from '../platform/outbound.ts';
import { outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, newAccount, type TestSchool } from '../testing/school.ts';

let rooms: Rooms;
let school: TestSchool;
let operator: Person['caller'];
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
  operator = await newOperator();
});
afterAll(() => rooms?.close());

async function newOperator(): Promise<Person['caller']> {
  const { database } = rooms.platform;
  const accountId = await newAccount(rooms);
  await database.inTransaction((tx) => rooms.desk.addOperator(tx, accountId, 'Оператор Олег Ильич'));
  return { accountId, sessionId: crypto.randomUUID() as Person['caller']['sessionId'] };
}

let serial = 0;
const form = (change: Partial<ApplicationForm> = {}): ApplicationForm => ({
  schoolName: `Лицей №${++serial}`,
  vocabulary: 'school',
  address: 'г. Тверь, ул. Школьная, 1',
  registerId: `69${String(serial).padStart(8, '0')}`,
  orderNumber: '17-ОД',
  orderDate: '2026-09-01',
  adminName: 'Кузнецова Ольга Сергеевна',
  adminEmail: 'office@example.org',
  adminPhone: `8 (916) 300-${String(1_000 + serial).slice(0, 2)}-${String(1_000 + serial).slice(2)}`,
  ...change,
});
const submit = async (change?: Partial<ApplicationForm>) =>
  unwrap(await rooms.call('desk.submitApplication', undefined, { form: form(change) }));
const listed = async (state: 'submitted' | 'questioned' | 'approved' | 'declined', by = operator) =>
  unwrap(await rooms.call('desk.listApplications', by, { state }));
const codeOf = async (answer: ReturnType<typeof rooms.call>) => outcomeOf(await answer);

describe('an application', () => {
  it('waits in the queue, is asked, answers, and becomes a school with exactly that administrator', async () => {
    const { application, token } = await submit({ vocabulary: 'college', adminPhone: '+7 916 222-33-44' });
    expect(application).toMatchObject({ state: 'submitted', note: null, orderFile: null });
    expect((await listed('submitted')).applications.at(-1)).toMatchObject({
      id: application.id,
      adminPhone: '+79162223344',
      similar: [],
    });
    const question = { applicationId: application.id, question: 'Пришлите скан приказа.' };
    unwrap(await rooms.call('desk.questionApplication', operator, question));
    expect(unwrap(await rooms.call('desk.getApplication', undefined, { token })).application).toMatchObject({
      state: 'questioned',
      note: 'Пришлите скан приказа.',
    });
    unwrap(await rooms.call('desk.answerQuestion', undefined, { token, answer: 'Приложили.' }));
    expect(await codeOf(rooms.call('desk.answerQuestion', undefined, { token, answer: 'И ещё.' }))).toBe(
      'CONFLICT',
    );

    const approval = { applicationId: application.id };
    const { schoolId } = unwrap(await rooms.call('desk.approveApplication', operator, approval));
    expect(unwrap(await rooms.call('desk.approveApplication', operator, approval)).schoolId).toBe(schoolId);
    const { challengeId } = unwrap(
      await rooms.call('accounts.requestCode', undefined, { phone: '8 916 222 33 44' }),
    );
    await expect.poll(() => rooms.texts.at(-1)?.phone).toBe('+79162223344');
    const code = /\d{6}/.exec(rooms.texts.at(-1)?.text ?? '')?.[0] ?? '';
    const signedIn = unwrap(
      await rooms.call('accounts.verifyCode', undefined, { challengeId, code, carrier: 'bearer' }),
    );
    expect(signedIn.operator).toBe(false);
    expect(signedIn.memberships).toMatchObject([
      { schoolId, role: 'admin', verified: true, vocabulary: 'college', suspended: false, standings: ['SA'] },
    ]);
    const admin: Person = {
      caller: { accountId: signedIn.account.id, sessionId: signedIn.sessionId },
      as: signedIn.memberships[0]?.id as Person['as'],
      schoolId,
      fullName: 'Кузнецова Ольга Сергеевна',
    };
    const { conversations } = unwrap(await rooms.call('chat.listConversations', admin, {}));
    expect(conversations.map((each) => each.channel ?? each.kind).sort()).toEqual([
      'general',
      'staff',
      'staff',
    ]);
    expect(unwrap(await rooms.call('school.listGroups', admin, {})).groups).toMatchObject([
      { name: 'Сотрудники', kind: 'staff' },
    ]);
  });

  it('is one application, however often it is sent with its token', async () => {
    const sent = { form: form(), token: randomBytes(32).toString('base64url') };
    const answers = await Promise.all(
      [1, 2, 3].map(() => rooms.call('desk.submitApplication', undefined, sent)),
    );
    const [first] = answers.map(unwrap);
    expect(new Set(answers.map((answer) => unwrap(answer).application.id)).size).toBe(1);
    expect(first?.token).toBe(sent.token);
  });

  it('loses its scan some time after it came to nothing, and not before', async () => {
    const { id } = (await submit()).application;
    const { client } = rooms.platform.database;
    await client`insert into application_orders (application_id, name, type, bytes)
      values (${id}, 'приказ.pdf', 'application/pdf', '\x25504446')`;
    unwrap(
      await rooms.call('desk.declineApplication', operator, { applicationId: id, reason: 'Нет приказа.' }),
    );
    const runEarly = async () => {
      const due = await client`update jobs.job set start_after = now()
        where name = 'desk.forgetOrder' and data->>'applicationId' = ${id} and state = 'created' returning id`;
      const left = async () => {
        // Wakes the worker, which else looks every now and then.
        rooms.platform.outbound.publish([signal({ name: 'jobAdded', queue: 'desk.forgetOrder' })]);
        const open = await client`select 1 from jobs.job where id in ${client(due.map((job) => job.id))}
          and state <> 'completed'`;
        return open.length;
      };
      await expect.poll(left, { timeout: 10_000 }).toBe(0);
      return due.length;
    };
    const kept = async () =>
      (await client`select 1 from application_orders where application_id = ${id}`).length;
    // One by its submission, one by the refusal: too early, both.
    expect(await runEarly()).toBe(2);
    expect(await kept()).toBe(1);
    await client`update applications set decided_at = now() - interval '31 days' where id = ${id}`;
    await client`update jobs.job set state = 'created', completed_on = null
      where name = 'desk.forgetOrder' and data->>'applicationId' = ${id}`;
    expect(await runEarly()).toBe(2);
    expect(await kept()).toBe(0);
  });

  it('is declined with a reason that its sender reads, and not decided again', async () => {
    const { application, token } = await submit();
    const { id: applicationId } = application;
    unwrap(await rooms.call('desk.declineApplication', operator, { applicationId, reason: 'Нет приказа.' }));
    expect(unwrap(await rooms.call('desk.getApplication', undefined, { token })).application).toMatchObject({
      state: 'declined',
      note: 'Нет приказа.',
    });
    expect(await codeOf(rooms.call('desk.approveApplication', operator, { applicationId }))).toBe('CONFLICT');
    expect(
      await codeOf(rooms.call('desk.questionApplication', operator, { applicationId, question: 'Что?' })),
    ).toBe('CONFLICT');
  });

  it('becomes one school, however many operators approve it at once', async () => {
    const { application } = await submit();
    const before = await countSchools();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        rooms.call('desk.approveApplication', operator, { applicationId: application.id }),
      ),
    );
    expect(new Set(answers.map((answer) => unwrap(answer).schoolId)).size).toBe(1);
    expect(await countSchools()).toBe(before + 1);
  });

  it('of two decisions at once only one counts', async () => {
    const { application } = await submit();
    const { id: applicationId } = application;
    const outcomes = await Promise.all([
      codeOf(rooms.call('desk.approveApplication', operator, { applicationId })),
      codeOf(rooms.call('desk.declineApplication', operator, { applicationId, reason: 'Нет.' })),
    ]);
    expect(outcomes.sort()).toEqual(['CONFLICT', 'ok']);
  });

  it('shows the operator who else applied with the same phone or register id', async () => {
    const first = await submit({ schoolName: 'Школа двойная' });
    await submit({
      registerId:
        (await listed('submitted')).applications.find((each) => each.id === first.application.id)
          ?.registerId ?? '',
    });
    expect((await listed('submitted')).applications.at(-1)?.similar).toEqual(['Школа двойная']);
  });

  it.each<[string, Partial<Record<keyof ApplicationForm, string>>, string]>([
    ['a phone that is none', { adminPhone: '12345' }, 'PHONE_INVALID'],
    ['a day that is none', { orderDate: '2026-02-31' }, 'VALIDATION'],
    ['a name that hides its direction', { schoolName: 'Школа\u202e №1' }, 'VALIDATION'],
    ['a name that mixes letters', { adminName: 'Ивaнова Анна' }, 'VALIDATION'],
    ['a day before there were such orders', { orderDate: '0000-01-01' }, 'VALIDATION'],
    ['an e-mail that is none', { adminEmail: 'office' }, 'VALIDATION'],
  ])('is refused with %s', async (_what, change, code) => {
    expect(
      await codeOf(rooms.call('desk.submitApplication', undefined, { form: form(change as never) })),
    ).toBe(code);
  });
});

describe('the desk', () => {
  it('is closed to everybody who is no operator, and at once to one who was removed', async () => {
    const admin = await enrol(rooms, school.schoolId, {
      role: 'admin',
      fullName: 'Главный Иван',
      verified: true,
    } as never);
    for (const name of Object.keys(procedureContract).filter((each) => each.startsWith('desk.'))) {
      const procedure = procedureContract[name as keyof typeof procedureContract];
      if (procedure.access !== 'operator') continue;
      const input = {
        state: 'submitted',
        applicationId: crypto.randomUUID(),
        schoolId: school.schoolId,
        reason: 'Так.',
        question: 'Что?',
      };
      const known = Object.fromEntries(
        Object.entries(input).filter(
          ([key]) => key in (procedure.input as { properties: object }).properties,
        ),
      );
      expect(await codeOf(rooms.call(name as 'desk.listSchools', admin.caller, known))).toBe('FORBIDDEN');
      expect(await codeOf(rooms.call(name as 'desk.listSchools', undefined, known))).toMatch(
        /UNAUTHENTICATED/,
      );
    }
    const former = await newOperator();
    unwrap(await rooms.call('desk.listSchools', former, {}));
    await rooms.platform.database.inTransaction((tx) => rooms.desk.removeOperator(tx, former.accountId));
    expect(await codeOf(rooms.call('desk.listSchools', former, {}))).toBe('FORBIDDEN');
  });

  it('opens no way to a school’s content for an operator', async () => {
    const { conversations } = unwrap(await rooms.call('chat.listConversations', school.admin, {}));
    const asOperator: Person = { ...school.admin, caller: operator };
    expect(
      await codeOf(
        rooms.call('chat.listMessages', asOperator, {
          conversationId: conversations[0]?.id as never,
          limit: 1,
        }),
      ),
    ).toBe('FORBIDDEN');
  });

  it('finds schools by words and goes on where a page ended', async () => {
    for (const name of ['Гимназия А', 'Гимназия Б', 'Гимназия В']) {
      const { application } = await submit({ schoolName: name });
      unwrap(await rooms.call('desk.approveApplication', operator, { applicationId: application.id }));
    }
    const page = async (input: InputOf<(typeof procedureContract)['desk.listSchools']>) =>
      unwrap(await rooms.call('desk.listSchools', operator, input)) as OutputOf<
        (typeof procedureContract)['desk.listSchools']
      >;
    const first = await page({ search: 'гимназия', limit: 2 });
    expect(first).toMatchObject({
      hasMore: true,
      schools: [{ name: 'Гимназия А', memberCount: 1 }, { name: 'Гимназия Б' }],
    });
    const second = await page({ search: 'гимназия', limit: 2, after: first.schools[1]?.id as never });
    expect(second).toMatchObject({ hasMore: false, schools: [{ name: 'Гимназия В' }] });
    expect((await page({ search: '%' })).schools).toEqual([]);
    expect(
      await codeOf(rooms.call('desk.listSchools', operator, { after: crypto.randomUUID() as never })),
    ).toBe('NOT_FOUND');
  });
});

describe('a suspended school', () => {
  it('is closed to its people at once, and open again as it was', async () => {
    const mine = await makeSchool(rooms);
    const { conversations } = unwrap(await rooms.call('chat.listConversations', mine.admin, {}));
    const conversationId = conversations[0]?.id as never;
    rooms.announced.splice(0);
    const { schoolId } = mine;
    const closed = unwrap(
      await rooms.call('desk.suspendSchool', operator, { schoolId, reason: 'Проверка.' }),
    );
    expect(closed.school).toMatchObject({ suspendReason: 'Проверка.' });
    expect(await codeOf(rooms.call('chat.listMessages', mine.admin, { conversationId, limit: 1 }))).toBe(
      'SCHOOL_SUSPENDED',
    );
    expect(await codeOf(rooms.call('school.getSchool', mine.admin, {}))).toBe('SCHOOL_SUSPENDED');
    expect(await rooms.school.listAudience(mine.admin.caller.accountId)).toEqual([]);
    expect(await rooms.school.membershipsOf(mine.admin.caller.accountId)).toMatchObject([
      { suspended: true },
    ]);
    const signals = rooms.announced.flatMap((each) => (each.kind === 'signal' ? [each.signal.name] : []));
    expect(signals).toContain('membershipEnded');

    unwrap(await rooms.call('desk.resumeSchool', operator, { schoolId }));
    unwrap(await rooms.call('chat.listMessages', mine.admin, { conversationId, limit: 1 }));
    expect(await rooms.school.listAudience(mine.admin.caller.accountId)).toHaveLength(1);
  });

  it('takes nobody in by an invite', async () => {
    const mine = await makeSchool(rooms);
    const { token } = unwrap(
      await rooms.call('school.createInvite', mine.admin, { role: 'pupil', groupId: mine.groupId }),
    );
    unwrap(
      await rooms.call('desk.suspendSchool', operator, { schoolId: mine.schoolId, reason: 'Проверка.' }),
    );
    const accountId = await newAccount(rooms);
    const stranger = { accountId, sessionId: crypto.randomUUID() as Person['caller']['sessionId'] };
    expect(await codeOf(rooms.call('school.previewInvite', undefined, { token }))).toBe('INVITE_INVALID');
    expect(await codeOf(rooms.call('school.redeemInvite', stranger, { token, fullName: 'Новый Пётр' }))).toBe(
      'INVITE_INVALID',
    );
  });

  it('that is none answers NOT_FOUND', async () => {
    const schoolId = crypto.randomUUID() as ApplicationId & string as never;
    expect(await codeOf(rooms.call('desk.suspendSchool', operator, { schoolId, reason: 'Так.' }))).toBe(
      'NOT_FOUND',
    );
    expect(await codeOf(rooms.call('desk.resumeSchool', operator, { schoolId }))).toBe('NOT_FOUND');
  });
});

const countSchools = async () =>
  Number((await rooms.platform.database.client`select count(*) from schools`)[0]?.count);

describe('a school that has lost its administrators', () => {
  const appoint = (schoolId: TestSchool['schoolId'], change: object = {}) =>
    rooms.call('desk.appointAdministrator', operator, {
      schoolId,
      fullName: 'Новикова Анна Олеговна',
      phone: '+79165550011',
      basis: 'приказ 41-ОД',
      ...change,
    });

  it('gets one from the operator, and its staff is told in the staff room and in the log', async () => {
    const mine = await makeSchool(rooms);
    unwrap(await appoint(mine.schoolId));
    const { conversations } = unwrap(await rooms.call('chat.listConversations', mine.classTeacher, {}));
    expect(conversations.find((each) => each.kind === 'staff')?.lastMessage?.body).toEqual({
      kind: 'notice',
      notice: 'administratorAppointed',
      basis: 'приказ 41-ОД',
    });
    const { records } = unwrap(await rooms.call('school.listAuditRecords', mine.head, { limit: 2 }));
    expect(records).toMatchObject([
      { action: 'staffVerified', by: null, after: { basis: 'приказ 41-ОД' } },
      { action: 'membershipStarted', by: null, after: { role: 'admin' } },
    ]);
    expect(await codeOf(appoint(mine.schoolId))).toBe('ALREADY_MEMBER');
  });

  it('is only one whose administrators nobody has seen for two weeks', async () => {
    const mine = await makeSchool(rooms);
    const { client } = rooms.platform.database;
    const seen = (at: string) => client`
      update accounts set last_seen_at = now() - ${at}::interval where id = ${mine.admin.caller.accountId}`;
    await seen('13 days');
    expect(await codeOf(appoint(mine.schoolId, { phone: '+79165550012' }))).toBe('ADMIN_PRESENT');
    await seen('15 days');
    unwrap(await appoint(mine.schoolId, { phone: '+79165550012' }));
  });

  it('is found, or not; by an operator alone', async () => {
    const mine = await makeSchool(rooms);
    const unknown = crypto.randomUUID() as TestSchool['schoolId'];
    expect(await codeOf(appoint(unknown))).toBe('NOT_FOUND');
    const input = {
      schoolId: mine.schoolId,
      fullName: 'Новикова Анна',
      phone: '+79165550013',
      basis: 'приказ',
    };
    expect(await codeOf(rooms.call('desk.appointAdministrator', mine.admin.caller, input))).toBe('FORBIDDEN');
  });
});

describe('the log of the operators', () => {
  it('tells who did what, from where, and of which school; nobody alters it', async () => {
    const { application } = await submit();
    const applicationId = application.id;
    unwrap(await rooms.call('desk.questionApplication', operator, { applicationId, question: 'Где скан?' }));
    const { schoolId } = unwrap(await rooms.call('desk.approveApplication', operator, { applicationId }));
    unwrap(await rooms.call('desk.suspendSchool', operator, { schoolId, reason: 'Проверка.' }));
    unwrap(await rooms.call('desk.resumeSchool', operator, { schoolId }));
    unwrap(await rooms.call('desk.resumeSchool', operator, { schoolId }));
    const { records } = unwrap(await rooms.call('desk.listRecords', operator, { limit: 4 }));
    const name = application.schoolName;
    const by = 'Оператор Олег Ильич';
    expect(records).toMatchObject([
      { action: 'schoolResumed', by, school: { id: schoolId, name } },
      { action: 'schoolSuspended', by, note: 'Проверка.' },
      { action: 'applicationApproved', by, application: { schoolName: name }, school: { id: schoolId } },
      { action: 'applicationQuestioned', by, note: 'Где скан?', address: expect.any(String) },
    ]);
    const next = unwrap(
      await rooms.call('desk.listRecords', operator, { limit: 1, after: records[1]?.id as never }),
    );
    expect(next).toMatchObject({ records: [{ id: records[2]?.id }], hasMore: true });
    const { client } = rooms.platform.database;
    await expect(client`update operator_records set note = 'иначе'`).rejects.toThrow('final');
    await expect(client`delete from operator_records`).rejects.toThrow('final');
    await expect(client`truncate operator_records`).rejects.toThrow('final');
  });

  it('remembers who became an operator and who is one no more', async () => {
    const { database } = rooms.platform;
    const accountId = await newAccount(rooms);
    await database.inTransaction((tx) => rooms.desk.addOperator(tx, accountId, 'Оператор Инна'));
    await database.inTransaction((tx) => rooms.desk.removeOperator(tx, accountId));
    await database.inTransaction((tx) => rooms.desk.removeOperator(tx, accountId));
    const { records } = unwrap(await rooms.call('desk.listRecords', operator, { limit: 2 }));
    expect(records).toMatchObject([
      { action: 'operatorRemoved', by: null, operator: 'Оператор Инна', address: null },
      { action: 'operatorAdded', by: null, operator: 'Оператор Инна' },
    ]);
  });
});
