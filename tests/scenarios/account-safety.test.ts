import {
  accountLimits,
  type Client,
  type MembershipId,
  type SchoolNotice,
  waitFor,
} from '@zvonok/client-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, joinAs, type SchoolFixture, type Seat } from '../harness/school.ts';

/** Account safety as people live it, through the SDK: a strange sign-in, and codes for what is dangerous. */
let running: RunningApp;
let school: SchoolFixture;
let teacher: Seat;
let admin: Client;

beforeAll(async () => {
  running = await startApp();
  school = await createSchoolFixture(running, 'Школа №1', '+7912000');
  teacher = await joinAs(running, school, 'teacher', '+79120000041', 'Нина Серова');
  admin = await device(school.admin.phone);
});
afterAll(() => running?.stop());

/** Somebody signed in and connected. */
async function device(phone: string): Promise<Client> {
  const client = await running.signIn(phone);
  await waitFor(client.connection, (state) => state === 'online');
  return client;
}

/** As if every session had been confirmed too long ago. */
const goStale = () =>
  running.app.platform.database.client`
    update sessions set confirmed_at = now() - make_interval(secs => ${accountLimits.confirmationMs / 1_000 + 1})`;

describe('“this wasn’t me”', () => {
  it('signs every device out within a second, voids the code under way and tells the administrator', async () => {
    const mine = await device(teacher.phone);
    const strange = await device(teacher.phone);
    const { sessions } = await mine.accounts.listSessions();
    const unknown = sessions.find((session) => !session.current);
    const { challengeId } = await mine.accounts.requestCode({ phone: teacher.phone });
    const code = await running.codes.take(teacher.phone);
    const told = new Promise<SchoolNotice>((resolve) => {
      admin.on('school.noticeRaised', ({ notice }) => resolve(notice));
    });

    await mine.accounts.reportStrangeSignIn(unknown === undefined ? {} : { sessionId: unknown.id });

    await waitFor(strange.session, ({ state }) => state === 'signedOut', 1_000);
    expect(strange.session.getSnapshot()).toEqual({ state: 'signedOut', reason: 'byServer' });
    expect(mine.session.getSnapshot()).toEqual({ state: 'signedOut', reason: 'strangeSignIn' });
    expect((await running.post('accounts.getMe', {}, teacher.token)).status).toBe(401);
    await expect(strange.accounts.verifyCode({ challengeId, code })).rejects.toMatchObject({
      code: 'CODE_WRONG',
    });
    const notice = await told;
    expect(notice).toMatchObject({ kind: 'strangeSignIn', member: { membershipId: teacher.membershipId } });

    const as = school.admin.membershipId;
    await admin.school.settleNotice({ as, noticeId: notice.id });
    expect((await admin.school.listNotices({ as, state: 'settled' })).notices.map(({ id }) => id)).toContain(
      notice.id,
    );
    // By a new code the owner is back.
    await device(teacher.phone);
  });
});

describe('a dangerous action', () => {
  const end = async (client: Client, membershipId: MembershipId) =>
    client.school.endMembership({ as: school.admin.membershipId, membershipId, reason: 'left' });

  it('is refused alike over socket and HTTP until the session is confirmed, then made by itself', async () => {
    const pupil = await joinAs(running, school, 'pupil', '+79120000042', 'Егор Белов');
    await goStale();
    await expect(end(admin, pupil.membershipId)).rejects.toMatchObject({ code: 'CONFIRMATION_REQUIRED' });
    const input = { as: school.admin.membershipId, membershipId: pupil.membershipId, reason: 'left' };
    const overHttp = await running.post('school.endMembership', input, school.admin.token);
    expect(overHttp.status).toBe(403);
    expect(overHttp.text).toContain('CONFIRMATION_REQUIRED');

    let asked = 0;
    const stop = admin.onConfirmationRequired(async () => {
      asked += 1;
      const { challengeId } = await admin.accounts.requestConfirmation();
      await admin.accounts.confirm({ challengeId, code: await running.codes.take(school.admin.phone) });
      return true;
    });
    await end(admin, pupil.membershipId);
    expect((await running.post('school.listGroups', { as: pupil.membershipId }, pupil.token)).status).toBe(
      403,
    );

    // For a while this session is asked no more; another one of the same person is.
    const next = await joinAs(running, school, 'pupil', '+79120000043', 'Лев Панов');
    const another = await running.post(
      'school.endMembership',
      { ...input, membershipId: next.membershipId },
      school.admin.token,
    );
    expect(another.text).toContain('CONFIRMATION_REQUIRED');
    await end(admin, next.membershipId);
    expect(asked).toBe(1);
    stop();
  });
});
