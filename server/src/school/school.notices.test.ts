import { type NoticeId, schoolLimits } from '@zvonok/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Announcement } from '../platform/outbound.ts';
import { outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, type TestSchool } from '../testing/school.ts';
import type { NewNotice } from './school.notices.store.ts';
import { raiseNotice } from './school.notices.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const raise = (notice: NewNotice, schoolId = school.schoolId) =>
  rooms.platform.database.inTransaction((tx) => raiseNotice(tx, schoolId, notice));
const list = async (by: Person, state: 'open' | 'settled' = 'open') =>
  unwrap(await rooms.call('school.listNotices', by, { state }));
const settle = (by: Person, noticeId: NoticeId | undefined) =>
  rooms.call('school.settleNotice', by, { noticeId: noticeId as NoticeId });

/** To whom an event went, since the last time. */
const toldOf = (name: string) =>
  rooms.announced
    .splice(0)
    .filter((each): each is Extract<Announcement, { kind: 'event' }> => each.kind === 'event')
    .filter((each) => each.name === name)
    .map((each) => ('membership' in each.audience ? each.audience.membership : undefined));

it('tells administrators and heads, once while it is open, and who settled it', async () => {
  rooms.announced.length = 0;
  await raise({ kind: 'strangeSignIn', membershipId: school.pupil.as });
  expect(toldOf('school.noticeRaised')).toEqual([school.admin.as, school.head.as]);
  await raise({ kind: 'strangeSignIn', membershipId: school.pupil.as });
  expect(toldOf('school.noticeRaised')).toEqual([]);

  const { notices, openCount } = await list(school.admin);
  expect(notices).toMatchObject([
    {
      kind: 'strangeSignIn',
      member: { membershipId: school.pupil.as, fullName: 'Смирнов Илья', role: 'pupil' },
      invite: null,
      settledAt: null,
      settledBy: null,
    },
  ]);
  expect(openCount).toBe(1);

  const { notice } = unwrap(await settle(school.head, notices[0]?.id));
  expect(notice.settledBy).toEqual({ membershipId: school.head.as, fullName: 'Орлов Пётр' });
  expect(toldOf('school.noticeSettled')).toEqual([school.admin.as, school.head.as]);
  // Again, by somebody else: as it was, and nobody is told.
  expect(unwrap(await settle(school.admin, notice.id)).notice).toEqual(notice);
  expect(toldOf('school.noticeSettled')).toEqual([]);
  expect(await list(school.admin)).toEqual({ notices: [], hasMore: false, openCount: 0 });
  expect((await list(school.head, 'settled')).notices).toEqual([notice]);

  // What happens anew is told anew.
  await raise({ kind: 'strangeSignIn', membershipId: school.pupil.as });
  expect((await list(school.admin)).openCount).toBe(1);
});

it('is raised once by many who notice the same at a time, and settled by one of two', async () => {
  const mine = await makeSchool(rooms);
  const notice = { kind: 'strangeSignIn', membershipId: mine.pupil.as } as const;
  await Promise.all(Array.from({ length: 10 }, () => raise(notice, mine.schoolId)));
  const { notices } = await list(mine.admin);
  expect(notices).toHaveLength(1);
  rooms.announced.length = 0;
  const [one, other] = await Promise.all([
    settle(mine.admin, notices[0]?.id),
    settle(mine.head, notices[0]?.id),
  ]);
  expect(unwrap(one)).toEqual(unwrap(other));
  expect(toldOf('school.noticeSettled')).toHaveLength(2);
  const { records } = unwrap(
    await rooms.call('school.listAuditRecords', mine.admin, { action: 'noticeSettled' }),
  );
  expect(records).toHaveLength(1);
});

it('names the invite that it is about', async () => {
  const mine = await makeSchool(rooms);
  const { invite } = unwrap(
    await rooms.call('school.createInvite', mine.admin, { role: 'pupil', groupId: mine.groupId }),
  );
  await raise({ kind: 'strangeSignIn', inviteId: invite.id }, mine.schoolId);
  expect((await list(mine.admin)).notices).toMatchObject([
    { member: null, invite: { inviteId: invite.id, role: 'pupil', groupName: '7Б' } },
  ]);
  await expect(raise({ kind: 'strangeSignIn' }, mine.schoolId)).rejects.toThrow();
});

it('is read in pages by those who answer for the school alone', async () => {
  const mine = await makeSchool(rooms);
  for (let n = 0; n < 5; n += 1) {
    const pupil = await enrol(rooms, mine.schoolId, {
      role: 'pupil',
      fullName: 'Зорин Глеб',
      groupId: mine.groupId,
    });
    await raise({ kind: 'strangeSignIn', membershipId: pupil.as }, mine.schoolId);
  }
  const { notices } = await list(mine.admin);
  const ids = notices.map((notice) => notice.id);
  expect(ids).toEqual([...ids].sort().reverse());
  const page = unwrap(
    await rooms.call('school.listNotices', mine.admin, {
      state: 'open',
      limit: 2,
      after: ids[1] as NoticeId,
    }),
  );
  expect(page).toMatchObject({ notices: notices.slice(2, 4), hasMore: true, openCount: 5 });
  expect(notices.length).toBeLessThan(schoolLimits.noticesPageSize);

  for (const person of [mine.classTeacher, mine.unverified, mine.pupil, mine.guardian]) {
    expect(outcomeOf(await rooms.call('school.listNotices', person, { state: 'open' }))).toBe('FORBIDDEN');
    expect(outcomeOf(await settle(person, ids[0]))).toBe('FORBIDDEN');
  }
  const foreign = await settle(school.admin, ids[0]);
  expect(outcomeOf(foreign)).toBe('NOT_FOUND');
  expect(foreign).toEqual(await settle(school.admin, crypto.randomUUID() as NoticeId));
  expect(
    outcomeOf(
      await rooms.call('school.listNotices', school.admin, { state: 'open', after: ids[0] as NoticeId }),
    ),
  ).toBe('NOT_FOUND');
});
