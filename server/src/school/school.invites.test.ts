import type { GroupId, RosterEntryId } from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  callerOf,
  joined,
  outcomeOf,
  type Person,
  type Rooms,
  startRooms,
  unwrap,
} from '../testing/rooms.ts';
import { enrol, makeSchool, newAccount, type TestSchool } from '../testing/school.ts';
import { isFamiliar, isLeaking } from './school.invites.leak.ts';
import { matchKeyOf } from './school.roster.names.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const query = (...args: Parameters<Rooms['platform']['database']['client']['unsafe']>) =>
  rooms.platform.database.client.unsafe(...args);
const newCaller = async () => callerOf(await newAccount(rooms));
const invite = async (by: Person, input: Parameters<typeof rooms.call<'school.createInvite'>>[2]) =>
  unwrap(await rooms.call('school.createInvite', by, input));
const redeem = (token: string, caller: Person['caller'], fullName?: string) =>
  rooms.call('school.redeemInvite', caller, { token, ...(fullName === undefined ? {} : { fullName }) });
const stateOf = async (id: string) =>
  unwrap(await rooms.call('school.listInvites', school.admin, {})).invites.find((each) => each.id === id)
    ?.state;

async function newClass(name: string): Promise<GroupId> {
  return unwrap(await rooms.call('school.createGroup', school.admin, { name })).group.id;
}

async function expectPupil(groupId: GroupId, fullName: string): Promise<RosterEntryId> {
  const [row] = await query(
    `insert into roster_entries (school_id, id, role, full_name, match_key, group_id)
     values ($1, gen_random_uuid(), 'pupil', $2, $3, $4) returning id`,
    [school.schoolId, fullName, matchKeyOf(fullName), groupId],
  );
  return row?.id;
}

async function expectGuardian(childId: RosterEntryId, fullName: string): Promise<RosterEntryId> {
  const [row] = await query(
    `with entry as (
       insert into roster_entries (school_id, id, role, full_name, match_key)
       values ($1, gen_random_uuid(), 'guardian', $2, $3) returning id
     ) insert into roster_children (school_id, guardian_id, child_id) select $1, id, $4 from entry returning guardian_id as id`,
    [school.schoolId, fullName, matchKeyOf(fullName), childId],
  );
  return row?.id;
}

describe('personal codes', () => {
  it('are one for each expected pupil and guardian who has not come; new ones annul the old', async () => {
    const groupId = await newClass('1А');
    const child = await expectPupil(groupId, 'Агеев Тихон');
    await expectPupil(groupId, 'Бокова Лада');
    await expectGuardian(child, 'Агеева Ольга');
    const make = async () =>
      unwrap(await rooms.call('school.createPersonalInvites', school.admin, { groupId }));
    const first = await make();
    expect(first.codes.map(({ role, fullName, children }) => ({ role, fullName, children }))).toEqual([
      { role: 'pupil', fullName: 'Агеев Тихон', children: [] },
      { role: 'guardian', fullName: 'Агеева Ольга', children: ['Агеев Тихон'] },
      { role: 'pupil', fullName: 'Бокова Лада', children: [] },
    ]);
    const second = await make();
    expect(second.annulled).toBe(3);
    const [pupil, mother] = second.codes;
    expect(outcomeOf(await redeem(first.codes[0]?.token ?? '', await newCaller()))).toBe('INVITE_INVALID');
    const preview = unwrap(
      await rooms.call('school.previewInvite', undefined, { token: mother?.token ?? '' }),
    );
    expect(preview).toMatchObject({ personal: true, groupName: '1А' });
    expect(JSON.stringify(preview)).not.toContain('Агеев');
    const stored = await query('select * from invites where school_id = $1', [school.schoolId]);
    for (const code of second.codes) expect(JSON.stringify(stored)).not.toContain(code.token);

    joined(await redeem(pupil?.token ?? '', await newCaller(), 'Кто Угодно'));
    const guardian = joined(await redeem(mother?.token ?? '', await newCaller()));
    expect(guardian).toMatchObject({ fullName: 'Агеева Ольга', standings: ['PV'] });
    expect(guardian.children).toMatchObject([{ fullName: 'Агеев Тихон' }]);
    expect((await make()).codes.map((code) => code.fullName)).toEqual(['Бокова Лада']);

    const listed = (personal: boolean) =>
      rooms.call('school.listInvites', school.admin, { personal, groupId });
    expect(unwrap(await listed(true)).invites[0]).toMatchObject({ personName: 'Бокова Лада', state: 'open' });
    expect(unwrap(await listed(false)).invites).toEqual([]);
  });

  it('work once, whoever of fifty comes at once', async () => {
    const groupId = await newClass('1Б');
    const entryId = await expectPupil(groupId, 'Горин Ефим');
    const { codes } = unwrap(await rooms.call('school.createPersonalInvites', school.admin, { groupId }));
    const callers = await Promise.all(Array.from({ length: 50 }, newCaller));
    const token = codes[0]?.token ?? '';
    const outcomes = (await Promise.all(callers.map((caller) => redeem(token, caller)))).map(outcomeOf);
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'INVITE_INVALID')).toHaveLength(49);
    const [row] = await query(
      `select count(*)::int as members from memberships where school_id = $1 and group_id = $2`,
      [school.schoolId, groupId],
    );
    expect(row?.members).toBe(1);
    const [entry] = await query('select membership_id from roster_entries where id = $1', [entryId]);
    expect(entry?.membership_id).not.toBeNull();
  });

  it('reach no further than the maker’s class, nor past a phone of the roster, nor into the maker’s own hands', async () => {
    const [groupId, otherId] = [await newClass('2А'), await newClass('2Б')];
    const maker = await enrol(rooms, school.schoolId, {
      role: 'teacher',
      fullName: 'Юдина Зоя',
      verified: true,
      attachments: [{ groupId, kind: 'class', subject: null }],
    });
    const child = await expectPupil(groupId, 'Зуев Макар');
    const brother = await expectPupil(otherId, 'Зуев Савва');
    const motherEntry = await expectGuardian(child, 'Зуева Инга');
    await query('insert into roster_children (school_id, guardian_id, child_id) values ($1, $2, $3)', [
      school.schoolId,
      motherEntry,
      brother,
    ]);
    const mother = await newCaller();
    await query(
      'update roster_entries set phone = (select phone from accounts where id = $1) where id = $2',
      [mother.accountId, motherEntry],
    );
    const make = async (by: Person) => {
      const { codes } = unwrap(await rooms.call('school.createPersonalInvites', by, { groupId }));
      const codeOf = (role: string) => codes.find((code) => code.role === role);
      return { pupil: codeOf('pupil')?.token ?? '', guardian: codeOf('guardian') };
    };
    expect((await make(school.admin)).guardian?.children).toEqual(['Зуев Макар', 'Зуев Савва']);
    const first = await make(maker);
    expect(first.guardian?.children).toEqual(['Зуев Макар']);
    const paper = first.guardian?.token ?? '';
    for (const token of [paper, first.pupil]) {
      expect(outcomeOf(await redeem(token, maker.caller))).toBe('INVITE_INVALID');
    }
    // Another phone: somebody looks first, and the code is spent.
    const finder = await newCaller();
    const { membership, request } = unwrap(await redeem(paper, finder));
    expect([membership, request?.state]).toEqual([null, 'open']);
    expect(unwrap(await redeem(paper, finder)).request?.id).toBe(request?.id);
    expect(outcomeOf(await redeem(paper, mother))).toBe('INVITE_INVALID');
    const { requests } = unwrap(await rooms.call('school.listJoinRequests', school.admin, { state: 'open' }));
    expect(requests.find((each) => each.id === request?.id)).toMatchObject({
      fullName: 'Зуева Инга',
      group: { groupId },
      matches: [{ entryId: motherEntry, inGroup: true, otherPhone: true }],
    });
    // Her own phone lets her in at once.
    const second = await make(maker);
    expect(joined(await redeem(second.guardian?.token ?? '', mother))).toMatchObject({
      fullName: 'Зуева Инга',
    });
  });

  it('lead nobody into a class to which the person was moved since', async () => {
    const [groupId, otherId] = [await newClass('2В'), await newClass('2Г')];
    const child = await expectPupil(groupId, 'Щукин Влас');
    await expectGuardian(child, 'Щукина Вера');
    const { codes } = unwrap(await rooms.call('school.createPersonalInvites', school.admin, { groupId }));
    const move = (to: GroupId) => query('update roster_entries set group_id = $1 where id = $2', [to, child]);
    await move(otherId);
    for (const { token } of codes) {
      expect(outcomeOf(await redeem(token, await newCaller()))).toBe('INVITE_INVALID');
    }
    await move(groupId);
    for (const { token } of codes) joined(await redeem(token, await newCaller()));
  });

  it('are a class teacher’s to make for their own class', async () => {
    const make = (by: Person, groupId: GroupId) =>
      rooms.call('school.createPersonalInvites', by, { groupId });
    expect(outcomeOf(await make(school.classTeacher, school.groupId))).toBe('ok');
    expect(outcomeOf(await make(school.classTeacher, school.otherGroupId))).toBe('FORBIDDEN');
    for (const by of [school.subjectTeacher, school.unverified, school.pupil, school.guardian]) {
      expect(outcomeOf(await make(by, school.groupId))).toBe('FORBIDDEN');
    }
  });
});

it('attaches a teacher to the class by the subject that the invite names', async () => {
  const input = { role: 'teacher', groupId: school.groupId, subject: 'География', uses: 2 } as const;
  const { token } = await invite(school.admin, input);
  const caller = await newCaller();
  const teacher = joined(await redeem(token, caller, 'Лесков Артём'));
  const geography = { groupId: school.groupId, kind: 'subject', subject: 'География' };
  expect(teacher).toMatchObject({ standings: ['TU'], groupId: null, attachments: [geography] });
  // Whoever is a teacher already gains the class.
  const other = joined(await redeem(token, school.otherTeacher.caller, 'Лебедева Нина'));
  expect(other.attachments).toEqual([geography]);
  const refused = await rooms.call('school.createInvite', school.admin, { ...input, role: 'pupil' });
  expect(outcomeOf(refused)).toBe('VALIDATION');
});

it('makes a request where it needs approval, the same again for the same person', async () => {
  const { token, invite: made } = await invite(school.classTeacher, {
    role: 'pupil',
    groupId: school.groupId,
    needsApproval: true,
    uses: 2,
  });
  const caller = await newCaller();
  const { membership, request } = unwrap(await redeem(token, caller, 'Ярцев Клим'));
  expect(membership).toBeNull();
  expect(request).toMatchObject({ state: 'open', role: 'pupil', groupWords: '7Б' });
  expect(unwrap(await redeem(token, caller, 'Ярцев Клим')).request?.id).toBe(request?.id);
  if (request === null) throw new Error('no request');
  const redemptions = async () =>
    unwrap(await rooms.call('school.listRedemptions', school.classTeacher, { inviteId: made.id }))
      .redemptions;
  expect(await redemptions()).toMatchObject([{ fullName: 'Ярцев Клим', state: 'waiting' }]);
  unwrap(
    await rooms.call('school.approveJoinRequest', school.admin, {
      requestId: request.id,
      groupId: school.groupId,
    }),
  );
  expect(await redemptions()).toMatchObject([{ fullName: 'Ярцев Клим', state: 'member' }]);
  // The lost reply of one who is in.
  expect(joined(await redeem(token, caller, 'Ярцев Клим'))).toMatchObject({ groupName: '7Б' });
  const [row] = await query('select used from invites where id = $1', [made.id]);
  expect(row?.used).toBe(1);
  const outsider = rooms.call('school.listRedemptions', school.subjectTeacher, { inviteId: made.id });
  expect(outcomeOf(await outsider)).toBe('NOT_FOUND');
});

it('lets in at once whom the roster expects, and others ask', async () => {
  const groupId = await newClass('1В');
  const entryId = await expectPupil(groupId, 'Дёмин Прохор Ильич');
  await expectPupil(groupId, 'Жуков Пётр');
  await expectPupil(groupId, 'Жуков Пётр');
  const { token } = await invite(school.admin, { role: 'pupil', groupId, match: 'roster', uses: 9 });
  const pupil = joined(await redeem(token, await newCaller(), 'демин прохор'));
  expect(pupil).toMatchObject({ fullName: 'Дёмин Прохор Ильич', groupName: '1В' });
  const [entry] = await query('select membership_id from roster_entries where id = $1', [entryId]);
  expect(entry?.membership_id).toBe(pupil.id);
  for (const fullName of ['Дёмин Прохор', 'Жуков Пётр', 'Незнакомый Фёдор']) {
    // Taken, two of one name, nobody's.
    const { membership, request } = unwrap(await redeem(token, await newCaller(), fullName));
    expect([membership, request?.state]).toEqual([null, 'open']);
  }
});

it('gives nobody the place of somebody whose phone the roster has, but them', async () => {
  const groupId = await newClass('1Щ');
  const child = await expectPupil(groupId, 'Дёмин Прохор Ильич');
  const expected = await expectGuardian(child, 'Дёмина Яна');
  const owner = await newCaller();
  await query('update roster_entries set phone = (select phone from accounts where id = $1) where id = $2', [
    owner.accountId,
    expected,
  ]);
  const { token } = await invite(school.admin, { role: 'guardian', groupId, match: 'roster', uses: 9 });
  const { membership, request } = unwrap(await redeem(token, await newCaller(), 'Дёмина Яна'));
  expect([membership, request?.state]).toEqual([null, 'open']);
  const { requests } = unwrap(await rooms.call('school.listJoinRequests', school.admin, { state: 'open' }));
  const queued = requests.find((each) => each.id === request?.id);
  expect(queued?.matches).toMatchObject([{ fullName: 'Дёмина Яна', otherPhone: true }]);
  expect(joined(await redeem(token, owner, 'Дёмина Яна'))).toMatchObject({ role: 'guardian' });
});

describe('the leak alarm', () => {
  const roster = {
    pupils: ['Смирнов Илья Олегович', 'Зайцева Мария', 'Белый Андрей', 'Ким Ян'],
    guardians: ['Смирнова Вера', 'Орлова Анна Петровна'],
  };

  it('knows a family by its name, however it is written', () => {
    for (const name of [
      'Илья Смирнов',
      'Маша Зайцева',
      'Зайцев Семён',
      'Белая Инна',
      'анна орлова',
      'Ким Вера',
    ]) {
      expect(isFamiliar(name, roster), name).toBe(true);
    }
    for (const name of ['Чужой Человек', 'Вера Павлова', 'Илья Петров']) {
      expect(isFamiliar(name, roster), name).toBe(false);
    }
  });

  it('rings at the third stranger where they are most, or when more come than there are people', () => {
    expect(isLeaking('pupil', { redeemers: 2, strangers: 2 }, roster)).toBe(false);
    expect(isLeaking('pupil', { redeemers: 3, strangers: 3 }, roster)).toBe(true);
    expect(isLeaking('pupil', { redeemers: 6, strangers: 3 }, roster)).toBe(false);
    expect(isLeaking('pupil', { redeemers: 7, strangers: 0 }, roster)).toBe(true);
    expect(isLeaking('guardian', { redeemers: 14, strangers: 2 }, roster)).toBe(false);
  });

  it('suspends the invite, tells the administrators, and lets one of them open it again', async () => {
    const groupId = await newClass('1Г');
    const maker = await enrol(rooms, school.schoolId, {
      role: 'teacher',
      fullName: 'Чернова Зоя',
      verified: true,
      attachments: [{ groupId, kind: 'class', subject: null }],
    });
    for (const name of ['Ильин Марк', 'Котова Ева', 'Лунин Глеб', 'Мухин Яков']) {
      await expectPupil(groupId, name);
    }
    const { token, invite: made } = await invite(maker, { role: 'pupil', groupId, uses: 50 });
    unwrap(await redeem(token, await newCaller(), 'Марк Ильин'));
    for (const name of ['Прохожий Раз', 'Прохожий Два']) unwrap(await redeem(token, await newCaller(), name));
    expect(await stateOf(made.id)).toBe('open');
    rooms.announced.length = 0;
    unwrap(await redeem(token, await newCaller(), 'Прохожий Три'));
    expect(await stateOf(made.id)).toBe('suspended');
    const told = rooms.announced.flatMap((each) =>
      each.kind === 'event' && each.name === 'school.inviteChanged' ? [each.audience] : [],
    );
    expect(told).toEqual(expect.arrayContaining([{ membership: maker.as }, { membership: school.admin.as }]));
    const { notices } = unwrap(await rooms.call('school.listNotices', school.admin, { state: 'open' }));
    expect(notices).toContainEqual(
      expect.objectContaining({
        kind: 'inviteLeak',
        invite: { inviteId: made.id, role: 'pupil', groupName: '1Г' },
      }),
    );
    const late = await newCaller();
    expect(outcomeOf(await redeem(token, late, 'Котова Ева'))).toBe('INVITE_INVALID');
    expect(outcomeOf(await rooms.call('school.previewInvite', undefined, { token }))).toBe('INVITE_INVALID');
    const { redemptions } = unwrap(await rooms.call('school.listRedemptions', maker, { inviteId: made.id }));
    expect(redemptions.map((each) => each.onRoster)).toEqual([false, false, false, true]);

    const resume = (by: Person) => rooms.call('school.resumeInvite', by, { inviteId: made.id });
    expect(outcomeOf(await resume(maker))).toBe('FORBIDDEN');
    expect(unwrap(await resume(school.admin)).invite.state).toBe('open');
    unwrap(await redeem(token, late, 'Котова Ева'));
    unwrap(await redeem(token, await newCaller(), 'Новенький Олег'));
    expect(await stateOf(made.id)).toBe('open');
  });

  it('leaves an honest class alone', async () => {
    const groupId = await newClass('1Д');
    const pupils = ['Абрамов Лев', 'Белкина Ася', 'Васин Пётр', 'Грачёв Олег', 'Дубова Нина', 'Ежов Иван'];
    for (const name of pupils) await expectPupil(groupId, name);
    const { token, invite: made } = await invite(school.admin, { role: 'guardian', groupId, uses: 60 });
    const came = [
      // A grandmother first, then mothers and fathers, and one more grandmother.
      'Иванова Раиса',
      'Абрамова Инна',
      'Олег Абрамов',
      'Мама Белкина',
      'Белкин Юрий',
      'Васина Анна',
      'Сидоренко Тамара',
      'Грачева Зоя',
      'Дубов Игнат',
      'Ежова Лида',
    ];
    for (const name of came) unwrap(await redeem(token, await newCaller(), name));
    expect(await stateOf(made.id)).toBe('open');
    // Nor a class without a roster.
    const bare = await newClass('1Е');
    const other = await invite(school.admin, { role: 'pupil', groupId: bare, uses: 9 });
    for (const name of ['Раз Два', 'Три Четыре', 'Пять Шесть', 'Семь Восемь']) {
      unwrap(await redeem(other.token, await newCaller(), name));
    }
    expect(await stateOf(other.invite.id)).toBe('open');
  });
});

it('pages the invites, and annuls a whole pile of them in one go', async () => {
  const own = await makeSchool(rooms, 'Школа №31');
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.unshift((await invite(own.admin, { role: 'teacher' })).invite.id);
  const page = unwrap(
    await rooms.call('school.listInvites', own.admin, { limit: 2, after: ids[0] as never }),
  );
  expect(page.invites.map((each) => each.id)).toEqual(ids.slice(1, 3));
  expect(page.hasMore).toBe(true);
  expect(unwrap(await rooms.call('school.annulAllInvites', own.admin, {})).annulled).toBe(5);
});
