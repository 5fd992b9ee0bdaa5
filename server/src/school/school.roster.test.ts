import type { InvitableRole, RosterEntry } from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, nextPhone, type TestSchool } from '../testing/school.ts';
import { openTables, type Tables, tableOf } from '../testing/tables.ts';

let rooms: Rooms;
let tables: Tables;
beforeAll(async () => {
  rooms = await startRooms();
  tables = await openTables(rooms);
});
afterAll(async () => {
  await tables?.close();
  await rooms?.close();
});

const listRoster = async (by: Person, input: { role?: InvitableRole } = {}) =>
  unwrap(await rooms.call('school.listRoster', by, input));
const entryOf = async (by: Person, fullName: string): Promise<RosterEntry | undefined> =>
  (await listRoster(by)).entries.find((entry) => entry.fullName === fullName);
const kindsOf = (seen: Awaited<ReturnType<Tables['preview']>>) =>
  Object.fromEntries(seen.rows.map((row) => [row.line ?? row.name, row.kind]));

/** What is sent to a phone, and what it opens. */
async function signIn(phone: string) {
  const before = rooms.texts.length;
  const { challengeId } = unwrap(await rooms.call('accounts.requestCode', undefined, { phone }));
  // It is sent after the answer; to strangers nothing ever is.
  for (let tries = 0; tries < 100 && rooms.texts.length === before; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const code = /\d{6}/.exec(rooms.texts.slice(before).find((each) => each.phone === phone)?.text ?? '')?.[0];
  if (code === undefined) return undefined;
  return unwrap(await rooms.call('accounts.verifyCode', undefined, { challengeId, code, carrier: 'bearer' }));
}

describe('an import of people', () => {
  it('shows what it would change, changes it once confirmed, and nothing the second time', async () => {
    const school = await makeSchool(rooms);
    const table = tableOf(
      `Алёхин Пётр Ильич;ученик;9А;${nextPhone()};1001;;;`,
      `Алёхина Инна;мать;;${nextPhone()};;"Алехин Петр; 9А";;`,
      `Белов Олег;учитель;;${nextPhone()};;;9А;"Физика: 9А, 7б; Химия: 7Б"`,
      // Is a member already.
      'Смирнов Илья;ученик;7Б;;;;;',
      // Is a member of another class.
      'Кузнецов Лев;ученик;7Б;;;;;',
      'Волков;волк;;;;;;',
    );
    const seen = await tables.preview(school.admin, table);
    expect(seen.import).toMatchObject({
      state: 'ready',
      fileName: 'Список 2026.csv',
      counts: { group: 1, new: 3, changed: 0, moved: 1, unchanged: 1, error: 1 },
    });
    const byLine = new Map(seen.rows.map((row) => [row.line, row]));
    expect(byLine.get(2)).toMatchObject({
      kind: 'new',
      role: 'pupil',
      group: '9А',
      after: { number: '1001' },
    });
    expect(byLine.get(3)).toMatchObject({ kind: 'new', after: { child: 'Алёхин Пётр Ильич; 9А' } });
    expect(byLine.get(4)).toMatchObject({ after: { leads: '9А', subjects: 'Физика: 9А, 7Б; Химия: 7Б' } });
    expect(byLine.get(5)).toMatchObject({ kind: 'unchanged' });
    expect(byLine.get(6)).toMatchObject({
      kind: 'moved',
      before: { group: '8А' },
      after: { group: '7Б' },
      notes: ['moveByHand'],
    });
    expect(byLine.get(7)).toMatchObject({
      kind: 'error',
      faults: [{ column: 'role', fault: 'ROLE_UNKNOWN' }],
    });
    expect(seen.rows.filter((row) => row.kind === 'missing').map((row) => row.name)).toContain(
      'Волкова Ольга',
    );
    // Nothing was applied yet.
    expect((await listRoster(school.admin)).entries).toEqual([]);

    unwrap(await rooms.call('school.applyImport', school.admin, { importId: seen.import.id }));
    const applied = await tables.settled(school.admin, seen.import.id);
    expect(applied.import).toMatchObject({ state: 'applied', appliedAt: expect.any(String) });
    const { entries, counts } = await listRoster(school.admin);
    expect(entries.map((entry) => [entry.fullName, entry.membershipId === null])).toEqual([
      ['Алёхин Пётр Ильич', true],
      ['Алёхина Инна', true],
      ['Белов Олег', true],
      ['Кузнецов Лев', false],
      ['Смирнов Илья', false],
    ]);
    expect(counts).toContainEqual({ role: 'pupil', expected: 3, come: 2 });
    // Nobody has come by it.
    const { members } = unwrap(await rooms.call('school.listMembers', school.admin, {}));
    expect(members.filter((member) => /Алёхин|Белов/.test(member.fullName))).toEqual([]);
    // A name is not enough to send somebody to another class who has come.
    const groupOf = async () =>
      unwrap(await rooms.call('school.listMembers', school.admin, {})).members.find(
        (member) => member.membershipId === school.otherPupil.as,
      )?.groupId;
    expect(await groupOf()).toBe(school.otherGroupId);
    const again = await tables.apply(school.admin, table);
    expect(again).toMatchObject({
      state: 'applied',
      counts: { group: 0, new: 0, changed: 0, moved: 1, unchanged: 4, error: 1 },
    });
    expect((await listRoster(school.admin)).entries).toEqual(entries);

    // Their phone is: they are there as if moved by hand, with a record, the chats, and nothing of the old class.
    const [own] = await rooms.platform.database.client`
      select phone from accounts where id = ${school.otherPupil.caller.accountId}`;
    await tables.apply(school.admin, tableOf(`Кузнецов Лев;ученик;7Б;${own?.phone};;;;`));
    expect(await groupOf()).toBe(school.groupId);
    const { records } = unwrap(
      await rooms.call('school.listAuditRecords', school.admin, { member: school.otherPupil.as }),
    );
    expect(records[0]).toMatchObject({
      action: 'memberTransferred',
      before: { group: '8А' },
      after: { group: '7Б' },
      by: { membershipId: school.admin.as },
    });
    const { conversations } = unwrap(await rooms.call('chat.listConversations', school.otherPupil, {}));
    const ofClasses = conversations.filter((each) => each.kind === 'class').map((each) => each.title);
    expect(ofClasses).toEqual(['7Б']);
  });

  it('recognises people by number, name, child and phone, and says where it can’t', async () => {
    const { admin } = await makeSchool(rooms);
    const [first, second] = [nextPhone(), nextPhone()];
    await tables.apply(
      admin,
      tableOf(
        'Котов Ян;ученик;5А;;11;;;',
        'Котов Ян;ученик;5Б;;12;;;',
        'Рысев Глеб;ученик;5А;;;;;',
        `Котова Зоя;мать;;${first};;"Котов Ян; 5А";;`,
        `Ильин Ким;учитель;;${second};;;;`,
      ),
    );
    const seen = await tables.preview(
      admin,
      tableOf(
        // By number: another name, and another class.
        'Котов Ян Олегович;ученик;5А;;11;;;',
        'Котов Ян;ученик;5 в;;12;;;',
        // By name alone: another class.
        'Рысев Глеб;ученик;5Б;;;;;',
        // By child; the phone is new.
        `Котова Зоя;мать;;${nextPhone()};;"Котов Ян; 5А";;`,
        // By phone: another name.
        `Ильин-Серов Ким;учитель;;${second};;;;`,
        // Nobody of this name is in the class.
        'Рысева Ада;мать;;;;"Рысев Глеб; 5А";;',
        // A parent's phone in a pupil's line would let the parent in as a pupil.
        `Котов Лев;ученик;5А;${second};;;;`,
        'Котов Ян Олегович;ученик;5Б;;13;;;',
        'Рысев Глеб;ученик;5Б;;;;;',
      ),
    );
    expect(kindsOf(seen)).toMatchObject({
      5: 'changed',
      6: 'changed',
      2: 'changed',
      3: 'moved',
      4: 'moved',
      7: 'error',
      8: 'error',
      9: 'new',
      10: 'error',
    });
    const faultOf = (line: number) => seen.rows.find((row) => row.line === line)?.faults[0]?.fault;
    expect([7, 8, 10].map(faultOf)).toEqual(['CHILD_UNKNOWN', 'PHONE_OF_ADULT', 'PERSON_TWICE']);
    expect(seen.rows.find((row) => row.line === 2)).toMatchObject({
      before: { name: 'Котов Ян' },
      after: { name: 'Котов Ян Олегович' },
    });
  });

  it('is applied once, however often it is confirmed at a time', async () => {
    const { admin } = await makeSchool(rooms);
    const { import: found } = await tables.preview(admin, tableOf('Чижов Яков;ученик;6А;;;;;'));
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => rooms.call('school.applyImport', admin, { importId: found.id })),
    );
    expect(answers.map(outcomeOf)).toEqual(Array.from({ length: 5 }, () => 'ok'));
    expect((await tables.settled(admin, found.id)).import.state).toBe('applied');
    expect((await listRoster(admin)).entries).toHaveLength(1);
    const { records } = unwrap(
      await rooms.call('school.listAuditRecords', admin, { action: 'rosterImported' }),
    );
    expect(records).toMatchObject([{ after: { groups: 1, added: 1, changed: 0, moved: 0 } }]);
  });

  it('is refused where the school changed since its preview, by another import or by hand', async () => {
    const { admin } = await makeSchool(rooms);
    const [one, other] = [
      await tables.preview(admin, tableOf('Чижов Яков;ученик;6А;;;;;')),
      await tables.preview(admin, tableOf('Стрижов Яков;ученик;6А;;;;;')),
    ];
    const ids = [one.import.id, other.import.id];
    const answers = await Promise.all(
      ids.map((importId) => rooms.call('school.applyImport', admin, { importId })),
    );
    expect(answers.map(outcomeOf)).toEqual(['ok', 'ok']);
    const states = await Promise.all(ids.map(async (id) => (await tables.settled(admin, id)).import.state));
    expect(states.toSorted()).toEqual(['applied', 'stale']);
    const stale = ids[states.indexOf('stale')];
    if (stale === undefined) throw new Error('both were applied');
    expect(outcomeOf(await rooms.call('school.applyImport', admin, { importId: stale }))).toBe(
      'IMPORT_STALE',
    );
    expect((await listRoster(admin)).entries).toHaveLength(1);

    const third = await tables.preview(admin, tableOf('Грачёв Яков;ученик;6Б;;;;;'));
    unwrap(await rooms.call('school.createGroup', admin, { name: '6Б' }));
    unwrap(await rooms.call('school.applyImport', admin, { importId: third.import.id }));
    expect((await tables.settled(admin, third.import.id)).import.state).toBe('stale');
  });

  it('says of a file that is none why it can’t be read', async () => {
    const { admin } = await makeSchool(rooms);
    const reasonOf = async (file: string | Buffer) => (await tables.preview(admin, file)).import.failure;
    expect(await reasonOf('Столовая;Меню\nкаша;суп')).toEqual({ reason: 'NO_HEADER', line: null });
    expect(await reasonOf(Buffer.from('89504e470d0a1a0a0000', 'hex'))).toEqual({
      reason: 'NOT_A_TABLE',
      line: null,
    });
    const { import: failed } = await tables.preview(admin, 'ФИО;Роль\n');
    expect(failed.state).toBe('failed');
    expect(outcomeOf(await rooms.call('school.applyImport', admin, { importId: failed.id }))).toBe(
      'CONFLICT',
    );
  });

  it('is for administrators of the school alone, on every way', async () => {
    const [ours, theirs] = [await makeSchool(rooms), await makeSchool(rooms)];
    const { import: found } = await tables.preview(ours.admin, tableOf('Чижов Яков;ученик;6А;;;;;'));
    const others = ['head', 'classTeacher', 'subjectTeacher', 'unverified', 'pupil', 'guardian'] as const;
    for (const name of others) {
      const person = ours[name];
      const answers: Answer<never>[] = [
        await rooms.call('school.listRoster', person, {}),
        await rooms.call('school.listImports', person, {}),
        await rooms.call('school.listImportRows', person, { importId: found.id }),
        await rooms.call('school.applyImport', person, { importId: found.id }),
      ] as never;
      expect(answers.map(outcomeOf), name).toEqual(Array.from({ length: 4 }, () => 'FORBIDDEN'));
      for (const response of [
        await tables.upload(person, tableOf('Чижов Яков;ученик;6А;;;;;')),
        await tables.download(person, 'format=csv'),
        await tables.download(person, 'format=csv&blank=1'),
      ]) {
        expect(response.json(), name).toMatchObject({ code: 'FORBIDDEN' });
      }
    }
    const foreign = await rooms.call('school.listImportRows', theirs.admin, { importId: found.id });
    expect(outcomeOf(foreign)).toBe('NOT_FOUND');
    expect(outcomeOf(await rooms.call('school.applyImport', theirs.admin, { importId: found.id }))).toBe(
      'NOT_FOUND',
    );
    // Somebody else's membership, a page of another site, and nobody.
    const as = { 'zvonok-as': ours.admin.as };
    const file = tableOf('Чижов Яков;ученик;6А;;;;;');
    expect((await tables.upload(theirs.admin, file, as)).json()).toMatchObject({ code: 'FORBIDDEN' });
    expect((await tables.download(theirs.admin, 'format=csv', as)).json()).toMatchObject({
      code: 'FORBIDDEN',
    });
    const elsewhere = { origin: 'https://example.org' };
    expect((await tables.upload(ours.admin, file, elsewhere)).json()).toMatchObject({
      code: 'ORIGIN_REFUSED',
    });
    expect((await tables.download(ours.admin, 'format=csv', elsewhere)).json()).toMatchObject({
      code: 'ORIGIN_REFUSED',
    });
    expect((await tables.upload(ours.admin, file, { authorization: 'x' })).json()).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    expect(unwrap(await rooms.call('school.listImports', ours.admin, {})).imports).toHaveLength(1);
    expect((await tables.upload(ours.admin, Buffer.alloc(6 * 1024 * 1024))).statusCode).toBe(413);
  });
});

describe('a school of three thousand', () => {
  it('is shown, applied, recognised again as a whole, and holds up nobody else', async () => {
    const { admin } = await makeSchool(rooms);
    const classes = Array.from(
      { length: 60 },
      (_, index) => `${(index % 11) + 1}-${Math.floor(index / 11)}К`,
    );
    const letters = 'абвгдежзик';
    const nameOf = (index: number) =>
      `Пупилов${[...String(index)].map((digit) => letters[Number(digit)]).join('')} Ян`;
    const pupils = Array.from({ length: 1_450 }, (_, index) => [nameOf(index), classes[index % 60]]);
    const table = tableOf(
      ...pupils.map(([name, group], index) => `${name};ученик;${group};;p-${index};;;`),
      ...pupils.map(
        ([name, group], index) =>
          `Мать-${name};мать;;+7902${String(index).padStart(7, '0')};;"${name}; ${group}";;`,
      ),
      ...Array.from({ length: 100 }, (_, index) => {
        const taught = [0, 1, 2].map((each) => classes[(index + each) % 60]).join(', ');
        return `Педагогов${[...String(index)].map((digit) => letters[Number(digit)]).join('')} Лев;учитель;;;t-${index};;${classes[index % 60]};Алгебра: ${taught}`;
      }),
    );
    let late = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      late = Math.max(late, performance.now() - last - 10);
      last = performance.now();
    }, 10);
    const began = performance.now();
    const seen = await tables.preview(admin, table);
    const shown = performance.now();
    const stalled = late;
    expect(seen.import.counts).toMatchObject({ group: 60, new: 3_000, error: 0 });
    unwrap(await rooms.call('school.applyImport', admin, { importId: seen.import.id }));
    expect((await tables.settled(admin, seen.import.id)).import.state).toBe('applied');
    const applied = performance.now();
    clearInterval(timer);
    const { counts } = await listRoster(admin);
    expect(counts.reduce((sum, each) => sum + each.expected, 0)).toBe(3_000);
    const again = await tables.preview(admin, table);
    expect(again.import.counts).toMatchObject({ group: 0, new: 0, changed: 0, moved: 0, unchanged: 3_000 });
    const seconds = (ms: number) => (ms / 1_000).toFixed(1);
    process.stdout.write(
      `3,000 people: preview ${seconds(shown - began)} s (longest stall ${Math.round(stalled)} ms), applied in ${seconds(applied - shown)} s (${Math.round(late)} ms)\n`,
    );
  }, 120_000);
});

describe('an export of people', () => {
  let school: TestSchool;
  beforeAll(async () => {
    school = await makeSchool(rooms);
    await tables.apply(
      school.admin,
      tableOf(
        `Алёхин Пётр;ученик;9А;${nextPhone()};A-1;;;`,
        `Алёхина Инна;мать;;${nextPhone()};;"Алёхин Пётр; 9А|Смирнов Илья; 7Б";;`,
        'Белов Олег;учитель;;;;;9А;"Физика: 9А, 7Б"',
        'Соколов Игорь;учитель;;;T-7;;;',
      ),
    );
  });

  it.each(['csv', 'xlsx'])('changes nothing when it is imported again: %s', async (format) => {
    const response = await tables.download(school.admin, `format=${format}`);
    expect(response.headers['content-disposition']).toMatch(
      new RegExp(`^attachment; filename="people-\\d{4}-\\d\\d-\\d\\d.${format}"$`),
    );
    const seen = await tables.preview(school.admin, response.rawPayload);
    const { counts } = seen.import;
    expect(seen.rows.filter((row) => row.kind !== 'unchanged')).toEqual([]);
    expect(counts?.unchanged).toBeGreaterThan(10);
    const { records } = unwrap(
      await rooms.call('school.listAuditRecords', school.admin, { action: 'rosterExported' }),
    );
    expect(records[0]).toMatchObject({
      by: { membershipId: school.admin.as },
      after: { people: counts?.unchanged },
    });
  });

  it('gives out an empty table to fill in', async () => {
    for (const format of ['csv', 'xlsx']) {
      const response = await tables.download(school.admin, `format=${format}&blank=1`);
      expect((await tables.preview(school.admin, response.rawPayload)).import.failure?.reason).toBe('EMPTY');
    }
    expect((await tables.download(school.admin, 'format=exe')).statusCode).not.toBe(200);
  });
});

describe('an expected person', () => {
  it('is a member at the first sign-in with their phone, tied to whoever came before and comes later', async () => {
    const { admin, schoolId, groupId } = await makeSchool(rooms);
    const [pupil, mother, father, teacher] = [nextPhone(), nextPhone(), nextPhone(), nextPhone()];
    await tables.apply(
      admin,
      tableOf(
        `Алёхин Пётр;ученик;7Б;${pupil};;;;`,
        `Алёхина Инна;мать;;${mother};;"Алёхин Пётр; 7Б";;`,
        `Алёхин Илья;отец;;${father};;"Алёхин Пётр; 7Б";;`,
        `Белов Олег;учитель;;${teacher};;;;Физика: 7Б`,
        // The teacher is the father of somebody.
        `Белов Олег;отец;;${teacher};;"Зайцева Мария; 7Б";;`,
      ),
    );
    expect(await signIn(nextPhone())).toBeUndefined();
    const first = await signIn(mother);
    expect(first?.memberships).toMatchObject([{ role: 'guardian', standings: ['PU'], children: [] }]);
    const child = await signIn(pupil);
    expect(child?.memberships).toMatchObject([{ role: 'pupil', groupId, fullName: 'Алёхин Пётр' }]);
    const later = await signIn(father);
    expect(later?.memberships).toMatchObject([{ role: 'guardian', children: [{ fullName: 'Алёхин Пётр' }] }]);
    // Came before the child, and was linked when it came.
    expect((await signIn(mother))?.memberships).toMatchObject([{ standings: ['PV'] }]);

    const staff = await signIn(teacher);
    expect(staff?.memberships.map((each) => [each.role, each.verified, each.standings])).toEqual([
      ['teacher', false, ['TU']],
      ['guardian', false, ['PV']],
    ]);
    expect(staff?.memberships[0]?.attachments).toEqual([{ groupId, kind: 'subject', subject: 'Физика' }]);
    // Once: another sign-in makes nothing new.
    expect((await signIn(teacher))?.memberships).toHaveLength(2);
    expect((await entryOf(admin, 'Алёхин Пётр'))?.membershipId).toBe(child?.memberships[0]?.id);

    // A tie that a later table brings is made at once, for those who have come.
    await tables.apply(admin, tableOf('Алёхина Инна;мать;;;;"Алёхин Пётр; 7Б|Смирнов Илья; 7Б";;'));
    expect((await signIn(mother))?.memberships[0]?.children.map((each) => each.fullName)).toEqual([
      'Алёхин Пётр',
      'Смирнов Илья',
    ]);
    expect(schoolId).toBe(first?.memberships[0]?.schoolId);
  });

  it('comes once, of two who have the phone at a moment, and never to a suspended school', async () => {
    const school = await makeSchool(rooms);
    const [one, two] = [nextPhone(), nextPhone()];
    await tables.apply(
      school.admin,
      tableOf(`Котов Ян;ученик;5А;${one};;;;`, `Котова Зоя;мать;;${two};;"Котов Ян; 5А";;`),
    );
    const { platform, accounts } = rooms;
    const accountId = await platform.database.inTransaction((tx) => accounts.ensureAccount(tx, one));
    const claim = () =>
      platform.database.inTransaction((tx) =>
        rooms.school.rosterClaims.claimByPhone(tx, accountId, one, '192.0.2.1'),
      );
    await Promise.all(Array.from({ length: 8 }, claim));
    const { members } = unwrap(await rooms.call('school.listMembers', school.admin, {}));
    expect(members.filter((member) => member.fullName === 'Котов Ян')).toHaveLength(1);

    await platform.database.inTransaction((tx) =>
      rooms.school.operator.suspend(tx, school.schoolId, 'проверка'),
    );
    expect(await signIn(two)).toBeUndefined();
  });

  it('who left is expected no more, and is somebody new when a table names them again', async () => {
    const { admin } = await makeSchool(rooms);
    const phone = nextPhone();
    const table = tableOf(`Котов Ян;ученик;5А;${phone};77;;;`);
    await tables.apply(admin, table);
    const { memberships = [] } = (await signIn(phone)) ?? {};
    const membershipId = memberships[0]?.id;
    if (membershipId === undefined) throw new Error('did not come');
    unwrap(await rooms.call('school.endMembership', admin, { membershipId, reason: 'left' }));
    expect((await signIn(phone))?.memberships).toEqual([]);
    const seen = await tables.apply(admin, table);
    expect(seen).toMatchObject({ state: 'applied', counts: { new: 1 } });
    expect(await entryOf(admin, 'Котов Ян')).toMatchObject({ membershipId: null, externalId: '77' });
    expect((await signIn(phone))?.memberships).toMatchObject([{ role: 'pupil' }]);
  });
});

describe('who matches the roster', () => {
  it('is found by the same words in another order or with some left out, those who have not come first', async () => {
    const school = await makeSchool(rooms);
    await enrol(rooms, school.schoolId, {
      role: 'pupil',
      fullName: 'Ёлкин Ян Ильич',
      groupId: school.groupId,
    });
    await tables.apply(
      school.admin,
      tableOf(
        'Ёлкин Ян Ильич;ученик;7Б;;;;;',
        'Елкин Ян;ученик;8А;;;;;',
        'Елкина Яна;ученица;8А;;;;;',
        'Ёлкина Ада;мать;;;;"Елкин Ян; 8А";;',
      ),
    );
    const { findRosterMatches } = await import('./school.roster.store.ts');
    const find = (fullName: string, role: InvitableRole, groupId = school.groupId) =>
      findRosterMatches(rooms.platform.database, school.schoolId, {
        accountId: school.pupil.caller.accountId,
        fullName,
        role,
        groupId,
      });
    expect(await find('ян  ЁЛКИН', 'pupil')).toMatchObject([
      { fullName: 'Елкин Ян', name: 'likely', inGroup: false, claimed: false },
      { fullName: 'Ёлкин Ян Ильич', name: 'likely', inGroup: true, claimed: true },
    ]);
    expect(await find('Ёлкин Ян', 'pupil', school.otherGroupId)).toMatchObject([
      { name: 'exact', inGroup: true },
      { name: 'likely' },
    ]);
    expect(await find('Елкина Ада', 'guardian', school.otherGroupId)).toMatchObject([
      { name: 'exact', inGroup: true },
    ]);
    expect(await find('Елкина Ада', 'guardian')).toMatchObject([{ name: 'exact', inGroup: false }]);
    expect(await find('Ян', 'pupil')).toEqual([]);
  });
});
