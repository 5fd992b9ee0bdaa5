import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Authenticator } from './testing/authenticator.ts';
import { outcomeOf, type Rooms, startRooms, testOrigin, unwrap } from './testing/rooms.ts';
import { signIn } from './testing/sign-in.ts';

let rooms: Rooms;
beforeAll(async () => {
  rooms = await startRooms({ deployed: true });
});
afterAll(() => rooms?.close());

const command = fileURLToPath(new URL('./operator-command.ts', import.meta.url));

/** Runs the command as a process of its own, beside the one that owns the database. */
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [command, ...args], {
    env: { PATH: process.env.PATH, DATA_DIR: rooms.platform.config.dataDir },
  });

const phone = '+79123456789';

it('makes an operator, and helps one whose passkeys are lost', async () => {
  await run('create', phone, 'Иванов Пётр Сергеевич');
  const { caller } = await signIn(rooms, phone);
  const asked = unwrap(await rooms.call('accounts.beginPasskeyRegistration', caller, {}));
  const credential = new Authenticator(testOrigin).create(asked.options);
  const { challengeId } = asked;
  unwrap(await rooms.call('accounts.finishPasskeyRegistration', caller, { challengeId, credential }));
  expect(outcomeOf(await rooms.call('desk.listSchools', caller, {}))).toBe('ok');

  expect((await run('reset-passkeys', '8 912 345-67-89')).stdout).toContain(`${phone} removed: 1`);
  expect(outcomeOf(await rooms.call('desk.listSchools', caller, {}))).toBe('PASSKEY_REQUIRED');
  const again = (await signIn(rooms, phone)).caller;
  expect(unwrap(await rooms.call('accounts.listPasskeys', again, {}))).toMatchObject({
    passkeys: [],
    required: true,
  });
}, 60_000);

it('explains what is wrong with how it was called', async () => {
  await expect(run('reset-passkeys', phone, 'Иванов Пётр')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Usage'),
  });
}, 60_000);
