import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Rooms, startRooms, unwrap } from './testing/rooms.ts';

let rooms: Rooms;
beforeAll(async () => {
  rooms = await startRooms();
});
afterAll(() => rooms?.close());

const command = fileURLToPath(new URL('./school-command.ts', import.meta.url));

/** Runs the command as a process of its own, beside the one that owns the database. */
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [command, ...args], {
    env: { PATH: process.env.PATH, DATA_DIR: rooms.platform.config.dataDir },
  });

it('makes a school whose administrator signs in, beside a running server', async () => {
  const { stdout } = await run('create', 'Школа №29', '8 (912) 345-67-89', 'Петрова Анна Ивановна');
  expect(stdout).toContain('«Школа №29»');
  expect(stdout).toContain('+79123456789');
  const { challengeId } = unwrap(
    await rooms.call('accounts.requestCode', undefined, { phone: '+7 912 345-67-89' }),
  );
  await expect.poll(() => rooms.texts.length).toBe(1);
  const code = /код (\d{6})/.exec(rooms.texts[0]?.text ?? '')?.[1] ?? '';
  const started = unwrap(
    await rooms.call('accounts.verifyCode', undefined, { challengeId, code, carrier: 'bearer' }),
  );
  expect(started.memberships).toMatchObject([
    { schoolName: 'Школа №29', role: 'admin', verified: true, standings: ['SA'] },
  ]);
  const conversations = await rooms.platform.database.client.unsafe(
    'select kind, channel from conversations order by kind, channel',
  );
  expect(conversations.map((each) => ({ ...each }))).toEqual([
    { kind: 'channel', channel: 'general' },
    { kind: 'channel', channel: 'staff' },
    { kind: 'staff', channel: null },
  ]);
  // The database is still there for its owner.
  expect(await rooms.platform.database.answers(1_000)).toBe(true);
});

it('explains what is wrong with how it was called, and makes nothing', async () => {
  const refused = async (words: string, ...args: string[]) =>
    expect(run(...args)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(words) });
  await refused('Usage', 'create', 'Школа');
  await refused('phone number', 'create', 'Школа', '112', 'Петрова Анна');
  await refused('name', 'create', 'Школа', '+79123456780', '\u202eанна');
  const schools = await rooms.platform.database.client.unsafe('select 1 from schools');
  expect(schools).toHaveLength(1);
}, 60_000);
