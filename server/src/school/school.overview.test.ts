import { schoolLimits } from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, newAccount, type TestSchool } from '../testing/school.ts';
import { raiseNotice } from './school.notices.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const classesOf = async (person: Person, input: object = {}) =>
  unwrap(await rooms.call('school.listClasses', person, { state: 'open', ...input }));
const namesOf = async (person: Person, input: object = {}) =>
  (await classesOf(person, input)).classes.map(({ group }) => group.name);
const makeClass = async (by: Person, name: string, year: number | null) =>
  unwrap(await rooms.call('school.createGroup', by, { name, year })).group;

describe('the classes of a school', () => {
  it('come with their pupils counted and their teachers, verified or not', async () => {
    const { classes, total } = await classesOf(school.admin);
    expect(total).toBe(2);
    expect(classes).toMatchObject([
      {
        group: { id: school.groupId, name: '7Б', year: 7 },
        pupils: 2,
        teachers: [
          { fullName: 'Волкова Ольга', kind: 'class', subject: null, verified: true },
          { fullName: 'Новиков Олег', kind: 'class', subject: null, verified: false },
          { fullName: 'Соколов Игорь', kind: 'subject', subject: 'Алгебра', verified: true },
        ],
      },
      { group: { id: school.otherGroupId, name: '8А' }, pupils: 1, teachers: [] },
    ]);
    const one = unwrap(await rooms.call('school.getClass', school.head, { groupId: school.groupId })).class;
    expect(one).toEqual(classes[0]);
  });

  it('leave out who has gone', async () => {
    const own = await makeSchool(rooms);
    for (const { as: membershipId } of [own.classmate, own.classTeacher]) {
      unwrap(await rooms.call('school.endMembership', own.admin, { membershipId, reason: 'left' }));
    }
    const one = unwrap(await rooms.call('school.getClass', own.admin, { groupId: own.groupId })).class;
    expect(one.pupils).toBe(1);
    expect(one.teachers.map((each) => each.fullName)).toEqual(['Новиков Олег', 'Соколов Игорь']);
  });

  it('stand in the order of years, then of names, in pages, and are found by a part of the name', async () => {
    const own = await makeSchool(rooms);
    await makeClass(own.admin, '10А', 10);
    await makeClass(own.admin, '7а', 7);
    await makeClass(own.admin, 'Пчёлки', null);
    const all = ['7а', '7Б', '8А', '10А', 'Пчёлки'];
    expect(await namesOf(own.admin)).toEqual(all);
    const paged: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await classesOf(own.admin, { limit: 2, ...(after !== undefined && { after }) });
      expect(page.total).toBe(all.length);
      paged.push(...page.classes.map(({ group }) => group.name));
      after = page.classes.at(-1)?.group.id;
      if (!page.hasMore) break;
    }
    expect(paged).toEqual(all);
    expect(await namesOf(own.admin, { search: ' пчелк' })).toEqual(['Пчёлки']);
    expect(await namesOf(own.admin, { search: '7' })).toEqual(['7а', '7Б']);
    expect(await namesOf(own.admin, { search: '%' })).toEqual([]);
  });

  it('are kept apart when they are archived', async () => {
    const own = await makeSchool(rooms);
    const { id: groupId } = await makeClass(own.admin, '1А', 1);
    unwrap(await rooms.call('school.archiveGroup', own.admin, { groupId }));
    expect(await namesOf(own.admin)).toEqual(['7Б', '8А']);
    expect(await namesOf(own.admin, { state: 'archived' })).toEqual(['1А']);
  });

  it('are for administrators and heads all, for teachers their own, and for nobody else', async () => {
    expect(await namesOf(school.head)).toEqual(['7Б', '8А']);
    expect(await namesOf(school.classTeacher)).toEqual(['7Б']);
    expect(await namesOf(school.subjectTeacher)).toEqual(['7Б']);
    expect(await namesOf(school.otherTeacher)).toEqual([]);
    // Attached, and not verified: it counts for nothing.
    expect(await namesOf(school.unverified)).toEqual([]);
    for (const person of [school.pupil, school.guardian, school.unlinked]) {
      expect(outcomeOf(await rooms.call('school.listClasses', person, { state: 'open' }))).toBe('FORBIDDEN');
      expect(outcomeOf(await rooms.call('school.getClass', person, { groupId: school.groupId }))).toBe(
        'FORBIDDEN',
      );
    }
    const foreign = await makeSchool(rooms);
    const unseen = [
      [school.admin, foreign.groupId],
      [school.classTeacher, school.otherGroupId],
      [school.unverified, school.groupId],
    ] as const;
    for (const [person, groupId] of unseen) {
      expect(outcomeOf(await rooms.call('school.getClass', person, { groupId }))).toBe('NOT_FOUND');
      const page = await rooms.call('school.listClasses', person, { state: 'open', after: groupId });
      expect(outcomeOf(page)).toBe('NOT_FOUND');
    }
  });

  it.each([
    ['groups_open', 'is null'],
    ['groups_archived', 'is not null'],
  ])('are read by their index: %s', async (name, archived) => {
    const { client } = rooms.platform.database;
    const plan = await client.begin(async (tx) => {
      await tx`set local enable_seqscan = off`;
      await tx`set local enable_sort = off`;
      return tx`explain select * from groups
        where school_id = ${school.schoolId} and archived_at ${tx.unsafe(archived)}
          and (coalesce(year, 99), lower(name), id) > (5, 'а', ${school.groupId})
        order by coalesce(year, 99), lower(name), id limit ${schoolLimits.classesPageSize}`;
    });
    const words = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(words).toContain(name);
    expect(words).not.toContain('Sort');
  });
});

describe('the overview', () => {
  const overviewOf = async (person: Person) => unwrap(await rooms.call('school.getOverview', person, {}));

  it('counts what waits for whoever looks after it', async () => {
    const own = await makeSchool(rooms);
    expect((await overviewOf(own.admin)).waiting).toEqual({
      notices: 0,
      verification: 1,
      requests: 0,
      joinRequests: 0,
      roster: 0,
    });
    const { code } = unwrap(await rooms.call('school.rotateJoinCode', own.admin, {}));
    const stranger = callerOf(await newAccount(rooms));
    const asks = { code, role: 'pupil', fullName: 'Кто Тоев', groupWords: '7Б' } as const;
    unwrap(await rooms.call('school.submitJoinRequest', stranger, asks));
    await rooms.platform.database.inTransaction((tx) =>
      raiseNotice(tx, own.schoolId, { kind: 'strangeSignIn', membershipId: own.pupil.as }),
    );
    await enrol(rooms, own.schoolId, { role: 'head', fullName: 'Рыбина Алла' });
    const what = { kind: 'ownVerification', basis: 'приказ 3' } as const;
    unwrap(await rooms.call('school.createRequest', own.unverified, { what }));
    expect((await overviewOf(own.admin)).waiting).toEqual({
      notices: 1,
      verification: 2,
      requests: 1,
      joinRequests: 1,
      roster: 0,
    });
    // What a head may not decide does not wait for them.
    expect((await overviewOf(own.head)).waiting).toEqual({ notices: 1, verification: 2, requests: 0 });
    for (const teacher of [own.classTeacher, own.unverified]) {
      const { notices, verification, roster } = (await overviewOf(teacher)).waiting;
      expect([notices, verification, roster]).toEqual([undefined, undefined, undefined]);
    }
    for (const person of [own.pupil, own.guardian]) {
      expect(await overviewOf(person)).toEqual({ waiting: {}, begun: null });
    }
  });

  it('ticks the beginnings of a school as they are done, for whoever sets it up', async () => {
    const { schoolId, admin } = await makeSchool(rooms);
    expect((await overviewOf(admin)).begun).toEqual({
      card: false,
      classes: true,
      pupils: true,
      teachers: true,
    });
    unwrap(
      await rooms.call('school.updateSchool', admin, {
        address: 'г. Тула, ул. Мира, 2',
        contactPhone: '+7 4872 55-55-55',
      }),
    );
    expect((await overviewOf(admin)).begun?.card).toBe(true);
    const head = await enrol(rooms, schoolId, { role: 'head', fullName: 'Рыбина Алла', verified: true });
    expect((await overviewOf(head)).begun).toBeNull();
  });

  it('finds nothing begun in a school that was made a minute ago, and an invite is a beginning', async () => {
    const account = await rooms.platform.database.inTransaction((tx) =>
      rooms.accounts.ensureAccount(tx, '+79990000001'),
    );
    const { admin } = await rooms.platform.database.inTransaction((tx) =>
      rooms.school.operator.createSchool(tx, {
        name: 'Новая школа',
        admin: { accountId: account, fullName: 'Петрова Анна' },
        basis: 'test',
      }),
    );
    const person: Person = {
      caller: { accountId: account, sessionId: crypto.randomUUID() as Person['caller']['sessionId'] },
      as: admin.id,
      schoolId: admin.schoolId,
      fullName: admin.fullName,
    };
    const nothing = { card: false, classes: false, pupils: false, teachers: false };
    expect((await overviewOf(person)).begun).toEqual(nothing);
    unwrap(await rooms.call('school.createInvite', person, { role: 'teacher' }));
    await makeClass(person, '1А', 1);
    expect((await overviewOf(person)).begun).toEqual({ ...nothing, classes: true, teachers: true });
  });
});
