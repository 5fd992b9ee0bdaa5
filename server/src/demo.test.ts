import { auditActions } from '@zvonok/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cast } from './demo/demo.cast.ts';
import { foundSchool } from './demo/demo.founding.ts';
import { demoTable, seedDemo } from './demo.ts';
import { demoDataFact, findFact, writeFact } from './platform/facts.store.ts';
import { type Person, type Rooms, startRooms, unwrap } from './testing/rooms.ts';

const address = 'http://localhost:3000';

let rooms: Rooms;
let shown: Awaited<ReturnType<typeof seedDemo>>;

/** What every table holds, counted: of the jobs' own bookkeeping nobody sees anything. */
async function countAll(): Promise<Record<string, number>> {
  const { client } = rooms.platform.database;
  const tables = await client`select tablename as name from pg_tables where schemaname = 'public'`;
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await client.unsafe(`select count(*)::int as n from "${name}"`);
    counts[name] = row?.n ?? -1;
  }
  return counts;
}

/** Signs in by phone and code, as the terminal says. */
async function signIn(phone: string) {
  const { challengeId } = unwrap(await rooms.call('accounts.requestCode', undefined, { phone }));
  const sent = () => rooms.texts.find((text) => text.phone === phone)?.text;
  await expect.poll(sent).toBeDefined();
  const code = /код (\d{6})/.exec(sent() ?? '')?.[1] ?? '';
  rooms.texts.splice(0);
  const started = unwrap(
    await rooms.call('accounts.verifyCode', undefined, { challengeId, code, carrier: 'bearer' }),
  );
  const caller = await rooms.accounts.findSession(started.token ?? '');
  if (caller === undefined) throw new Error(`${phone} opened nothing`);
  return { ...started, caller };
}

/** As a member of the demo's schools; the first one's unless `role` or `school` says otherwise. */
async function enter(phone: string, asked: { role?: string; school?: string } = {}): Promise<Person> {
  const { caller, memberships } = await signIn(phone);
  const { role, school = 'Школа №29' } = asked;
  const found = memberships.find(
    (each) => each.schoolName.includes(school) && (role === undefined || each.role === role),
  );
  if (found === undefined) throw new Error(`${phone} is nobody there`);
  return { caller, as: found.id, schoolId: found.schoolId, fullName: found.fullName };
}

beforeAll(async () => {
  rooms = await startRooms();
  const { database } = rooms.platform;
  // Somebody stopped the first start while the demo was being made.
  await database.inTransaction(async (tx) => {
    await writeFact(tx, 'demoStory', 'playing');
    await foundSchool(tx, rooms);
  });
  shown = await seedDemo(rooms, () => undefined);
}, 240_000);
afterAll(() => rooms?.close());

it('marks the database, and a second start changes nothing and shows the same', async () => {
  expect(await findFact(rooms.platform.database, demoDataFact)).toBeDefined();
  const before = await countAll();
  expect(before.schools).toBe(2);
  expect(await seedDemo(rooms, () => undefined)).toEqual(shown);
  expect(await countAll()).toEqual(before);
});

it('lets everybody of the table in with the code on their phone, and shows each their conversations', async () => {
  const phones = demoTable(address, shown).flatMap((line) => /^ {2}(\+7 [\d -]+?) {2}/.exec(line)?.[1] ?? []);
  expect(phones.length).toBeGreaterThan(20);
  const kinds = new Map<string, string[]>();
  for (const phone of phones.map((each) => each.replaceAll(/[ -]/g, ''))) {
    const { caller, memberships, operator } = await signIn(phone);
    if (phone === cast.operator) {
      // In no school, and reads no chat.
      expect({ operator, memberships }).toEqual({ operator: true, memberships: [] });
      continue;
    }
    const [membership] = memberships;
    if (membership === undefined) throw new Error(`${phone} is nobody`);
    const { id: as, schoolId, fullName } = membership;
    const { conversations } = unwrap(
      await rooms.call('chat.listConversations', { caller, as, schoolId, fullName }, {}),
    );
    kinds.set(membership.fullName, conversations.map((each) => each.kind).sort());
  }
  expect(kinds.get('Смирнов Илья')).toEqual(['channel', 'class', 'subject', 'subject', 'subject', 'subject']);
  expect(kinds.get('Смирнова Вера Олеговна')).toEqual(['channel', 'parents']);
  expect(kinds.get('Новиков Олег Игоревич')).toEqual([]);
});

it('has a filled card, classes of the new year and of the last, a head, a deputy and two administrators', async () => {
  const admin = await enter(cast.admin);
  const { school } = unwrap(await rooms.call('school.getSchool', admin, {}));
  expect(school).toMatchObject({ vocabulary: 'school', address: expect.any(String) });
  expect(unwrap(await rooms.call('school.getJoinCode', admin, {})).code).toBe(shown?.joinCode);
  const classes = async (state: 'open' | 'archived') =>
    unwrap(await rooms.call('school.listClasses', admin, { state })).classes.map(
      ({ group, pupils }) => [group.name, group.year, pupils] as const,
    );
  expect(await classes('open')).toEqual([
    ['1А', 1, 0],
    ['3А', 3, 4],
    ['5Б', 5, 3],
    ['7Б', 7, 6],
    ['8А', 8, 1],
    ['11А', 11, 2],
  ]);
  expect(await classes('archived')).toEqual([['11Б', 11, 0]]);
  const { counts } = unwrap(await rooms.call('school.countMembers', admin, {}));
  expect(counts.roles).toMatchObject({ admin: 2, head: 2 });
  const { members } = unwrap(await rooms.call('school.listMembers', admin, { role: 'head' }));
  expect(members.filter((each) => each.isHead).map((each) => each.fullName)).toEqual([
    'Орлов Пётр Сергеевич',
  ]);
  const gone = unwrap(await rooms.call('school.listMembers', admin, { filter: 'ended' })).members;
  expect(new Set(gone.map((each) => each.endReason))).toEqual(new Set(['graduated', 'left']));
  const { rollover } = unwrap(await rooms.call('school.findRollover', admin, {}));
  expect(rollover).toMatchObject({ graduates: 2, undoneAt: null });
});

it('has something waiting in every queue of the administrator', async () => {
  const admin = await enter(cast.admin);
  const { waiting, begun } = unwrap(await rooms.call('school.getOverview', admin, {}));
  expect(begun).toEqual({ card: true, classes: true, pupils: true, teachers: true });
  for (const count of Object.values(waiting)) expect(count).toBeGreaterThan(0);

  const { requests } = unwrap(
    await rooms.call('school.listRequests', admin, { which: 'toDecide', state: 'open' }),
  );
  expect(new Set(requests.map((each) => each.what.kind))).toEqual(
    new Set(['ownVerification', 'editSchool', 'post', 'linkGuardian', 'linkOwnChild', 'endMembership']),
  );
  const closed = unwrap(
    await rooms.call('school.listRequests', admin, { which: 'toDecide', state: 'closed' }),
  ).requests;
  expect(closed.map((each) => each.state).sort()).toEqual(['approved', 'declined']);

  const joining = async (state: 'open' | 'decided') =>
    unwrap(await rooms.call('school.listJoinRequests', admin, { state })).requests;
  const open = new Map((await joining('open')).map((each) => [each.fullName, each]));
  expect(open.get('Климов Егор')?.matches).toMatchObject([{ name: 'exact', inGroup: true, claimed: false }]);
  expect(open.get('Гусева Марина')?.matches).toMatchObject([{ name: 'likely' }]);
  expect(open.get('Лазарев Антон Дмитриевич')?.matches).toEqual([]);
  expect(open.get('Чернов Олег Викторович')?.inviteId).not.toBeNull();
  expect((await joining('decided')).map((each) => each.state)).toEqual(['declined']);

  const notices = async (state: 'open' | 'settled') =>
    unwrap(await rooms.call('school.listNotices', admin, { state })).notices.map((each) => each.kind);
  expect((await notices('open')).sort()).toEqual(['cardLocked', 'inviteLeak', 'lookAlikeName']);
  expect(await notices('settled')).toEqual(['strangeSignIn']);

  const { invites } = unwrap(await rooms.call('school.listInvites', admin, {}));
  expect(new Set(invites.map((each) => each.state))).toEqual(
    new Set(['open', 'used', 'annulled', 'suspended']),
  );
  expect(invites.some((each) => each.subject !== null)).toBe(true);
  expect(invites.some((each) => each.needsApproval)).toBe(true);
  expect(invites.some((each) => each.match === 'roster')).toBe(true);
  expect(invites.some((each) => each.personName !== null && each.state === 'open')).toBe(true);
  const { entries } = unwrap(await rooms.call('school.listRoster', admin, { come: false }));
  expect(new Set(entries.map((each) => each.role))).toEqual(new Set(['teacher', 'pupil', 'guardian']));
});

it('tells all of it in the log', async () => {
  const admin = await enter(cast.admin);
  const { records } = unwrap(await rooms.call('school.listAuditRecords', admin, { limit: 200 }));
  const done = new Set(records.map((each) => each.action));
  const undone = [
    ...['schoolSuspended', 'schoolResumed', 'groupChanged', 'inviteResumed', 'joinCodeClosed'],
    ...['joinRequestApproved', 'membershipRestored', 'roleChanged', 'headDismissed', 'rolloverUndone'],
    ...['verificationRevoked', 'guardianUnlinked', 'rosterExported', 'cardRevoked', 'requestWithdrawn'],
    'auditExported',
  ];
  expect(auditActions.filter((action) => !done.has(action) && !undone.includes(action))).toEqual([]);
});

it('has a family of three classes and two schools, a limit that its father is not told of, and cards', async () => {
  const { memberships } = await signIn(cast.mother);
  // The school first: it is what she sees.
  expect(
    memberships.map((each) => [each.vocabulary, each.children.map((child) => child.groupName).sort()]),
  ).toEqual([
    ['school', ['11А', '3А', '5Б']],
    ['kindergarten', ['Солнышко']],
  ]);
  const teacher = await enter(cast.classTeacher3A);
  const { groups } = unwrap(await rooms.call('school.listGroups', teacher, {}));
  const groupId = groups.find((each) => each.name === '3А')?.id;
  if (groupId === undefined) throw new Error('no 3А');
  const register = unwrap(await rooms.call('school.getClassRegister', teacher, { groupId }));
  const timur = register.pupils.find((each) => each.fullName === 'Ковалёв Тимур');
  expect(timur).toMatchObject({ hasPhone: false, card: { state: 'good' } });
  expect(timur?.guardians.map((each) => [each.fullName, each.mayBeContacted]).sort()).toEqual([
    ['Ковалёв Сергей Иванович', false],
    ['Ковалёва Елена Андреевна', true],
  ]);
  expect(register.pupils.map((each) => each.card?.state)).toContain('locked');
  expect(register.expected).toEqual([expect.objectContaining({ fullName: 'Гусева Полина' })]);
  const { token = '', pin = '' } = shown?.card ?? {};
  const child = unwrap(
    await rooms.call('accounts.signInByCard', undefined, { token, pin, carrier: 'bearer' }),
  );
  expect(child.memberships).toMatchObject([{ fullName: 'Ковалёв Тимур', groupName: '3А' }]);
  const preview = await rooms.call('school.previewInvite', undefined, { token: shown?.inviteToken ?? '' });
  expect(unwrap(preview)).toMatchObject({ role: 'pupil', groupName: '7Б' });
});

it('gives the operator a school to judge, one that was asked and one that was let in', async () => {
  const { caller } = await signIn(cast.operator);
  const { applications, counts } = unwrap(
    await rooms.call('desk.listApplications', caller, { state: 'submitted' }),
  );
  expect(counts).toEqual({ submitted: 1, questioned: 1, approved: 1, declined: 0 });
  expect(applications[0]?.orderFile).toMatch(/\.pdf$/);
});

it('refuses outside demo mode, and a database with schools of somebody’s own', async () => {
  const { platform } = rooms;
  const real = { ...rooms, platform: { ...platform, config: { ...platform.config, demo: false } } };
  await expect(seedDemo(real, () => undefined)).rejects.toThrow('demo mode alone');
  await platform.database.client`delete from platform_facts`;
  const before = await countAll();
  await expect(seedDemo(rooms, () => undefined)).rejects.toThrow('schools of your own');
  expect(await countAll()).toEqual(before);
});
