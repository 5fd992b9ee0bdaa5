import type { AccountId, RosterEntryId } from '@zvonok/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callerOf, outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, newAccount, type TestSchool } from '../testing/school.ts';
import { openTables } from '../testing/tables.ts';
import { matchKeyOf } from './school.roster.names.ts';

/** Who was sent away, or kept from a child, and what the school's lists still say of them. */
let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const query = (...args: Parameters<Rooms['platform']['database']['client']['unsafe']>) =>
  rooms.platform.database.client.unsafe(...args);
const put = (person: Parameters<typeof enrol>[2]) => enrol(rooms, school.schoolId, person);

/** Somebody whom the school expects, with the phone of this account. */
async function expectPerson(
  role: 'pupil' | 'guardian',
  fullName: string,
  { of, childId }: { readonly of?: AccountId; readonly childId?: RosterEntryId } = {},
): Promise<RosterEntryId> {
  const [row] = await query(
    `insert into roster_entries (school_id, id, role, full_name, match_key, group_id, phone)
     values ($1, gen_random_uuid(), $2, $3, $4, $5, (select phone from accounts where id = $6)) returning id`,
    [
      school.schoolId,
      role,
      fullName,
      matchKeyOf(fullName),
      role === 'pupil' ? school.groupId : null,
      of ?? null,
    ],
  );
  if (childId !== undefined) {
    await query(`insert into roster_children (school_id, guardian_id, child_id) values ($1, $2, $3)`, [
      school.schoolId,
      row?.id,
      childId,
    ]);
  }
  return row?.id;
}

/** As a sign-in does. */
const claimByPhone = async (accountId: AccountId) => {
  const [row] = await query('select phone from accounts where id = $1', [accountId]);
  await rooms.platform.database.inTransaction((tx) =>
    rooms.school.rosterClaims.claimByPhone(tx, accountId, row?.phone, '127.0.0.1'),
  );
  const memberships = await rooms.school.membershipsOf(accountId);
  return memberships.filter((each) => each.schoolId === school.schoolId);
};
const standingsOf = async (person: Person) =>
  unwrap(await rooms.call('school.getSchool', person, {})).me.standings;
const codesOf = async (by = school.admin) =>
  unwrap(await rooms.call('school.createPersonalInvites', by, { groupId: school.groupId })).codes;
const redeem = async (token: string) =>
  rooms.call('school.redeemInvite', callerOf(await newAccount(rooms)), { token });
const limit = (guardian: Person, child: Person) =>
  rooms.call('school.limitGuardian', school.admin, {
    guardianId: guardian.as,
    childId: child.as,
    mayBeInformed: false,
    mayBeContacted: false,
    reason: 'решение суда',
  });
const unlink = (guardian: Person, child: Person) =>
  rooms.call('school.unlinkGuardian', school.admin, { guardianId: guardian.as, childId: child.as });
const link = (guardian: Person, child: Person) =>
  rooms.call('school.linkGuardian', school.admin, { guardianId: guardian.as, childId: child.as });

it('brings nobody back by their phone who was sent away since they were expected', async () => {
  const accountId = await newAccount(rooms);
  await expectPerson('pupil', 'Гусев Пётр', { of: accountId });
  const pupil = await put({ role: 'pupil', fullName: 'Гусев Пётр', groupId: school.groupId, accountId });
  const ended = { membershipId: pupil.as, reason: 'expelled' } as const;
  unwrap(await rooms.call('school.endMembership', school.admin, ended));
  expect(await claimByPhone(accountId)).toEqual([]);
  // Expected anew, they come.
  await query(
    `update roster_entries set created_at = now() + interval '1 minute' where full_name = 'Гусев Пётр'`,
  );
  expect(await claimByPhone(accountId)).toHaveLength(1);
});

it('links no guardian again by what is expected once somebody has parted them, and keeps the limit', async () => {
  const accountId = await newAccount(rooms);
  const childEntry = await expectPerson('pupil', 'Лосев Ян');
  await expectPerson('guardian', 'Лосева Ада', { of: accountId, childId: childEntry });
  const child = await put({ role: 'pupil', fullName: 'Лосев Ян', groupId: school.groupId });
  await query(`update roster_entries set membership_id = $1, claimed_at = now() where id = $2`, [
    child.as,
    childEntry,
  ]);
  const guardian = await put({
    role: 'guardian',
    fullName: 'Ада Лосева',
    groupId: school.groupId,
    accountId,
    childId: child.as,
  });
  const codes = await codesOf();
  const hers = codes.find((code) => code.fullName === 'Лосева Ада');
  unwrap(await limit(guardian, child));
  // A code that was printed before leads nowhere, and none is printed for her anew.
  expect(outcomeOf(await redeem(hers?.token ?? ''))).toBe('INVITE_INVALID');
  expect((await codesOf()).map((code) => code.fullName)).not.toContain('Лосева Ада');

  unwrap(await unlink(guardian, child));
  await query(
    `update roster_entries set membership_id = null, claimed_at = null where full_name = 'Лосева Ада'`,
  );
  expect((await claimByPhone(accountId)).map((each) => each.standings)).toEqual([['PU']]);
  // Whoever may link, does, and finds the limit as it was.
  unwrap(await link(guardian, child));
  expect(await standingsOf(guardian)).toEqual(['PU']);
  const register = await rooms.call('school.getClassRegister', school.admin, { groupId: school.groupId });
  const pupil = unwrap(register).pupils.find((each) => each.membershipId === child.as);
  expect(pupil?.guardians).toMatchObject([{ mayBeInformed: false, limitReason: 'решение суда' }]);
});

it('keeps the limit of a child who comes back with another account', async () => {
  const child = await put({ role: 'pupil', fullName: 'Тихонов Лев', groupId: school.groupId });
  const guardian = await put({
    role: 'guardian',
    fullName: 'Тихонов Олег',
    groupId: school.groupId,
    childId: child.as,
  });
  unwrap(await limit(guardian, child));
  unwrap(await rooms.call('school.endMembership', school.admin, { membershipId: child.as, reason: 'left' }));
  const entryId = await expectPerson('pupil', 'Тихонов Лев');
  const again = unwrap(await rooms.call('school.admitWithCard', school.classTeacher, { entryId }));
  unwrap(await link(guardian, { ...child, as: again.membershipId }));
  expect(await standingsOf(guardian)).toEqual(['PU']);
});

it('keeps the limit of a link that was taken back, whatever an older one said', async () => {
  const accountId = await newAccount(rooms);
  const here = { role: 'pupil', fullName: 'Зимин Егор', groupId: school.groupId, accountId } as const;
  const before = await put(here);
  const guardian = await put({
    role: 'guardian',
    fullName: 'Зимина Вера',
    groupId: school.groupId,
    childId: before.as,
  });
  unwrap(await rooms.call('school.endMembership', school.admin, { membershipId: before.as, reason: 'left' }));
  const child = await put(here);
  unwrap(await link(guardian, child));
  unwrap(await limit(guardian, child));
  unwrap(await unlink(guardian, child));
  unwrap(await link(guardian, child));
  expect(await standingsOf(guardian)).toEqual(['PU']);
});

it('imports no link that somebody has taken back', async () => {
  const child = await put({ role: 'pupil', fullName: 'Рябов Сева', groupId: school.groupId });
  const guardian = await put({
    role: 'guardian',
    fullName: 'Рябова Нина',
    groupId: school.groupId,
    childId: child.as,
  });
  for (const [name, role, person] of [
    ['Рябов Сева', 'pupil', child],
    ['Рябова Нина', 'guardian', guardian],
  ] as const) {
    const entryId = await expectPerson(role, name);
    await query(
      `update roster_entries set membership_id = $1, claimed_at = now(), external_id = $3 where id = $2`,
      [person.as, entryId, role === 'pupil' ? '771' : '772'],
    );
  }
  unwrap(await unlink(guardian, child));
  const tables = await openTables(rooms);
  try {
    const table = 'ФИО;роль;класс;телефон;номер;ребёнок\nРябова Нина;мать;;;772;"Рябов Сева; 7Б"\n';
    expect((await tables.apply(school.admin, table)).state).toBe('applied');
    expect(await standingsOf(guardian)).toEqual(['PU']);
    const ties = await query(`select 1 from roster_children c join roster_entries e on e.id = c.guardian_id
      where e.full_name = 'Рябова Нина'`);
    expect(ties).toHaveLength(1);
  } finally {
    await tables.close();
  }
});
