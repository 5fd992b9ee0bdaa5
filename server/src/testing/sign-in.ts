import type { ChallengeId } from '@zvonok/shared';
import { expect } from 'vitest';
import { type Rooms, unwrap } from './rooms.ts';

export interface SentCode {
  readonly challengeId: ChallengeId;
  readonly code: string;
}

/** What the phone shows once somebody has asked for a code. */
export async function readCode(
  rooms: Rooms,
  ask: () => Promise<{ readonly challengeId: ChallengeId }>,
): Promise<SentCode> {
  const before = rooms.texts.length;
  const { challengeId } = await ask();
  await expect.poll(() => rooms.texts.length, { timeout: 10_000 }).toBeGreaterThan(before);
  const code = /код (\d{6})/.exec(rooms.texts.at(-1)?.text ?? '')?.[1] ?? '';
  return { challengeId, code };
}

/** Asks for a code and reads it off the phone. */
export const askCode = (rooms: Rooms, phone: string, inviteToken?: string): Promise<SentCode> =>
  readCode(rooms, async () =>
    unwrap(
      await rooms.call('accounts.requestCode', undefined, {
        phone,
        ...(inviteToken === undefined ? {} : { inviteToken }),
      }),
    ),
  );

/** Signs in as an app without cookies does. */
export async function signIn(rooms: Rooms, phone: string) {
  const asked = await askCode(rooms, phone);
  const started = unwrap(await rooms.call('accounts.verifyCode', undefined, { ...asked, carrier: 'bearer' }));
  const token = started.token ?? '';
  const caller = await rooms.accounts.findSession(token);
  if (caller === undefined) throw new Error('a fresh token opens nothing');
  return { token, caller, started };
}
