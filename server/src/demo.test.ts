import { afterAll, beforeAll, expect, it } from 'vitest';
import { demoTable, seedDemo } from './demo.ts';
import { demoDataFact, findFact } from './platform/facts.store.ts';
import { type Rooms, startRooms, unwrap } from './testing/rooms.ts';

let rooms: Rooms;
beforeAll(async () => {
  rooms = await startRooms();
});
afterAll(() => rooms?.close());

const countOf = async (table: string) =>
  (await rooms.platform.database.client.unsafe(`select count(*)::int as n from ${table}`))[0]?.n;

it('seeds the demo school once, marks the database and shows the phones', async () => {
  const lines: string[] = [];
  await seedDemo(rooms, (line) => lines.push(line));
  expect(await findFact(rooms.platform.database, demoDataFact)).toBeDefined();
  expect(lines).toEqual(demoTable());
  const counts = async () => Promise.all(['schools', 'memberships', 'conversations'].map(countOf));
  const before = await counts();
  // 3 conversations of the school, 3 of each class, 3 subjects.
  expect(before).toEqual([1, 15, 12]);
  await seedDemo(rooms, () => undefined);
  expect(await counts()).toEqual(before);
});

it('lets everybody of the table in with the code on their phone, and shows each their conversations', async () => {
  const phones = demoTable().flatMap((line) => /^ {2}(\+7 [\d -]+?) {2}/.exec(line)?.[1] ?? []);
  // The last is the operator's, who is in no school and reads no chat.
  expect(phones).toHaveLength(16);
  const operator = phones.pop() ?? '';
  const kinds = new Map<string, string[]>();
  for (const [n, phone] of phones.entries()) {
    const { challengeId } = unwrap(await rooms.call('accounts.requestCode', undefined, { phone }));
    await expect.poll(() => rooms.texts.length).toBe(n + 1);
    const code = /код (\d{6})/.exec(rooms.texts[n]?.text ?? '')?.[1] ?? '';
    const started = unwrap(
      await rooms.call('accounts.verifyCode', undefined, { challengeId, code, carrier: 'bearer' }),
    );
    const caller = await rooms.accounts.findSession(started.token ?? '');
    const [membership] = started.memberships;
    if (caller === undefined || membership === undefined) throw new Error(`${phone} is nobody`);
    const person = {
      caller,
      as: membership.id,
      schoolId: membership.schoolId,
      fullName: membership.fullName,
    };
    const { conversations } = unwrap(await rooms.call('chat.listConversations', person, {}));
    kinds.set(membership.fullName, conversations.map((each) => each.kind).sort());
  }
  const { challengeId } = unwrap(await rooms.call('accounts.requestCode', undefined, { phone: operator }));
  await expect.poll(() => rooms.texts.length).toBe(16);
  const code = /код (\d{6})/.exec(rooms.texts[15]?.text ?? '')?.[1] ?? '';
  expect(
    unwrap(await rooms.call('accounts.verifyCode', undefined, { challengeId, code, carrier: 'bearer' })),
  ).toMatchObject({ operator: true, memberships: [] });
  expect(kinds.get('Смирнов Илья')).toEqual(['channel', 'class', 'subject', 'subject']);
  expect(kinds.get('Волкова Ольга Николаевна')).toEqual([
    'channel',
    'channel',
    'class',
    'classTeachers',
    'parents',
    'staff',
    'subject',
    'subject',
  ]);
  expect(kinds.get('Смирнова Вера Олеговна')).toEqual(['channel', 'parents']);
  expect(kinds.get('Новиков Олег Игоревич')).toEqual([]);
});

it('refuses to seed outside demo mode', async () => {
  const { platform } = rooms;
  const real = { ...rooms, platform: { ...platform, config: { ...platform.config, demo: false } } };
  await expect(seedDemo(real, () => undefined)).rejects.toThrow('demo mode alone');
});
