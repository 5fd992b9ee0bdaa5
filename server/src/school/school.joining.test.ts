import type { JoinRequest, JoinRequestId, RosterEntryId } from '@zvonok/shared';
import { joiningLimits } from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, newAccount, nextPhone, type TestSchool } from '../testing/school.ts';
import { matchKeyOf } from './school.roster.names.ts';

let rooms: Rooms;
let school: TestSchool;
let elsewhere: TestSchool;
let code: string;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
  elsewhere = await makeSchool(rooms, 'Школа №30');
  code = unwrap(await rooms.call('school.rotateJoinCode', school.admin, {})).code;
});
afterAll(() => rooms?.close());

const query = (...args: Parameters<Rooms['platform']['database']['client']['unsafe']>) =>
  rooms.platform.database.client.unsafe(...args);
const newCaller = async () => callerOf(await newAccount(rooms));

type Submitted = Partial<Parameters<typeof rooms.call<'school.submitJoinRequest'>>[2]>;
const submit = (caller: Person['caller'], input: Submitted = {}) =>
  rooms.call('school.submitJoinRequest', caller, {
    code,
    role: 'pupil',
    fullName: 'Ершов Глеб',
    groupWords: '7 б',
    ...input,
  });
const ask = async (caller: Person['caller'], input: Submitted = {}) =>
  unwrap(await submit(caller, input)).request;
const queueOf = async (by: Person, state: 'open' | 'decided' = 'open'): Promise<readonly JoinRequest[]> =>
  unwrap(await rooms.call('school.listJoinRequests', by, { state })).requests;
const find = async (by: Person, id: JoinRequestId) => (await queueOf(by)).find((each) => each.id === id);
const approve = (by: Person, input: Parameters<typeof rooms.call<'school.approveJoinRequest'>>[2]) =>
  rooms.call('school.approveJoinRequest', by, input);
const decline = (by: Person, requestId: JoinRequestId) =>
  rooms.call('school.declineJoinRequest', by, { requestId, reason: 'Такого ученика у нас нет' });

async function expectSomebody(
  role: 'pupil' | 'guardian' | 'teacher',
  fullName: string,
  groupId: string | null = null,
): Promise<RosterEntryId> {
  const [row] = await query(
    `insert into roster_entries (school_id, id, role, full_name, match_key, group_id)
     values ($1, gen_random_uuid(), $2, $3, $4, $5) returning id`,
    [school.schoolId, role, fullName, matchKeyOf(fullName), groupId],
  );
  return row?.id;
}

describe('the code', () => {
  it('is closed until an administrator opens it, and worth nothing once it is turned', async () => {
    expect(unwrap(await rooms.call('school.getJoinCode', elsewhere.admin, {})).code).toBeNull();
    const first = unwrap(await rooms.call('school.rotateJoinCode', elsewhere.admin, {})).code;
    expect(first).toMatch(/^[2-9A-HJKMNP-TV-Z]{8}$/);
    const caller = await newCaller();
    const found = () => rooms.call('school.findSchoolByCode', caller, { code: first });
    expect(unwrap(await found())).toEqual({ schoolName: 'Школа №30', vocabulary: 'school' });
    const typed = ` ${first.slice(0, 4).toLowerCase()}-${first.slice(4)}`;
    expect(outcomeOf(await rooms.call('school.findSchoolByCode', caller, { code: typed }))).toBe('ok');
    const second = unwrap(await rooms.call('school.rotateJoinCode', elsewhere.admin, {})).code;
    expect(second).not.toBe(first);
    expect(outcomeOf(await found())).toBe('NOT_FOUND');
    unwrap(await rooms.call('school.closeJoinCode', elsewhere.admin, {}));
    const closed = await rooms.call('school.findSchoolByCode', caller, { code: second });
    // Closed, turned and never given: one answer, also to whoever submits.
    expect(closed).toEqual(await rooms.call('school.findSchoolByCode', caller, { code: 'ZZZZZZZZ' }));
    expect(await submit(caller, { code: second })).toEqual(await submit(caller, { code: 'ZZZZZZZZ' }));
    for (const by of [elsewhere.head, elsewhere.classTeacher, elsewhere.pupil]) {
      expect(outcomeOf(await rooms.call('school.rotateJoinCode', by, {}))).toBe('FORBIDDEN');
      expect(outcomeOf(await rooms.call('school.getJoinCode', by, {}))).toBe('FORBIDDEN');
    }
  });

  it('lets a stranger sign in, and tells nobody whether a code or a phone is known', async () => {
    const phone = nextPhone();
    const request = (joinCode?: string) =>
      rooms.call('accounts.requestCode', undefined, {
        phone,
        ...(joinCode === undefined ? {} : { joinCode }),
      });
    const shapeOf = async (answer: ReturnType<typeof request>) =>
      Object.entries(unwrap(await answer)).map(([key, value]) => [key, typeof value]);
    const right = await shapeOf(request(code));
    expect(await shapeOf(request('ZZZZZZZZ'))).toEqual(right);
    expect(await shapeOf(request())).toEqual(right);
    await expect.poll(() => rooms.texts.filter((text) => text.phone === phone).length).toBe(1);

    const { challengeId } = unwrap(await request(code));
    await expect.poll(() => rooms.texts.filter((text) => text.phone === phone).length).toBe(2);
    const sent = /\d{6}/.exec(rooms.texts.findLast((text) => text.phone === phone)?.text ?? '')?.[0] ?? '';
    const input = { challengeId, code: sent, carrier: 'bearer' } as const;
    const signedIn = unwrap(await rooms.call('accounts.verifyCode', undefined, input));
    expect(signedIn.memberships).toEqual([]);
  });
});

describe('a request', () => {
  it('is seen with its likely roster matches and namesakes, and lets in whom the roster expects', async () => {
    const child = await expectSomebody('pupil', 'Ершов Глеб Иванович', school.groupId);
    const guardianEntry = await expectSomebody('guardian', 'Ершова Анна Петровна');
    await query(`insert into roster_children (school_id, guardian_id, child_id) values ($1, $2, $3)`, [
      school.schoolId,
      guardianEntry,
      child,
    ]);
    await enrol(rooms, school.schoolId, {
      role: 'guardian',
      fullName: 'Ершова Анна',
      groupId: school.groupId,
    });
    const caller = await newCaller();
    const { id } = await ask(caller, { role: 'guardian', fullName: 'Ершова  Анна', childWords: 'Глеб' });
    const queued = await find(school.admin, id);
    expect(queued).toMatchObject({
      fullName: 'Ершова Анна',
      group: { groupId: school.groupId, name: '7Б' },
      childWords: 'Глеб',
      state: 'open',
      phone: expect.stringMatching(/^\+7901/),
      matches: [
        {
          entryId: guardianEntry,
          fullName: 'Ершова Анна Петровна',
          name: 'likely',
          inGroup: true,
          claimed: false,
        },
      ],
      namesakes: [{ role: 'guardian', groupName: '7Б', own: false }],
    });
    const pupil = await newCaller();
    const asked = await ask(pupil, { fullName: 'Глеб Ершов' });
    unwrap(await approve(school.admin, { requestId: asked.id, entryId: child }));
    const { membershipId } = unwrap(await approve(school.admin, { requestId: id, entryId: guardianEntry }));
    const [mine] = await rooms.school.membershipsOf(caller.accountId);
    expect(mine).toMatchObject({ id: membershipId, fullName: 'Ершова Анна Петровна', standings: ['PV'] });
    expect(mine?.children).toMatchObject([{ fullName: 'Ершов Глеб Иванович' }]);
    // Somebody came as this person already.
    const again = await ask(await newCaller(), { fullName: 'Ершов Глеб' });
    expect((await find(school.admin, again.id))?.matches).toMatchObject([{ entryId: child, claimed: true }]);
    expect(outcomeOf(await approve(school.admin, { requestId: again.id, entryId: child }))).toBe('CONFLICT');
  });

  it('lets in as what and where the administrator says, and staff without a badge', async () => {
    const teacher = await newCaller();
    const { id } = await ask(teacher, { role: 'pupil', fullName: 'Яшина Раиса' });
    rooms.announced.length = 0;
    unwrap(await approve(school.admin, { requestId: id, role: 'teacher' }));
    expect(await rooms.school.membershipsOf(teacher.accountId)).toMatchObject([
      { role: 'teacher', verified: false, fullName: 'Яшина Раиса' },
    ]);
    const events = rooms.announced.flatMap((each) => (each.kind === 'event' ? [each] : []));
    expect(events.filter((each) => each.name === 'school.joinRequestChanged')).toMatchObject([
      { audience: { account: teacher.accountId }, payload: { request: { id, state: 'approved' } } },
    ]);
    expect(events.filter((each) => each.name === 'school.joinQueueChanged')).toMatchObject([
      { audience: { membership: school.admin.as } },
    ]);
    const guardian = await newCaller();
    const request = await ask(guardian, { role: 'guardian', fullName: 'Лось Ирма' });
    const input = { requestId: request.id, groupId: school.groupId };
    expect(outcomeOf(await approve(school.admin, { requestId: request.id }))).toBe('VALIDATION');
    expect(outcomeOf(await approve(school.admin, { ...input, childId: school.otherPupil.as }))).toBe(
      'NOT_FOUND',
    );
    unwrap(await approve(school.admin, { ...input, childId: school.classmate.as }));
    expect((await rooms.school.membershipsOf(guardian.accountId))[0]?.children).toMatchObject([
      { membershipId: school.classmate.as },
    ]);
  });

  it('by an invite gives its subject too, but nothing once the invite is annulled or suspended', async () => {
    const subjectBy = async (withdraw?: 'annulled_at' | 'suspended_at') => {
      const { token, invite } = unwrap(
        await rooms.call('school.createInvite', school.admin, {
          role: 'teacher',
          groupId: school.groupId,
          subject: 'Физика',
          needsApproval: true,
        }),
      );
      const caller = await newCaller();
      const asked = await rooms.call('school.redeemInvite', caller, { token, fullName: 'Рыбин Савва' });
      const { request } = unwrap(asked);
      if (request === null) throw new Error('no request');
      if (withdraw !== undefined) {
        await query(`update invites set ${withdraw} = now() where id = $1`, [invite.id]);
      }
      unwrap(await approve(school.admin, { requestId: request.id }));
      const [membership] = await rooms.school.membershipsOf(caller.accountId);
      return membership?.attachments.map((each) => each.subject);
    };
    expect(await subjectBy()).toEqual(['Физика']);
    expect(await subjectBy('annulled_at')).toEqual([]);
    expect(await subjectBy('suspended_at')).toEqual([]);
  });

  it('is decided once: of two administrators at once, one', async () => {
    const second = await enrol(rooms, school.schoolId, {
      role: 'admin',
      fullName: 'Вторая Инна',
      verified: true,
    });
    for (let n = 0; n < 5; n++) {
      const { id } = await ask(await newCaller(), { fullName: 'Спорный Ян' });
      const input = { requestId: id, groupId: school.groupId };
      const race = await Promise.all([
        approve(school.admin, input),
        n % 2 === 0 ? decline(second, id) : approve(second, { requestId: id, groupId: school.otherGroupId }),
      ]);
      expect(race.map(outcomeOf).sort()).toEqual(['CONFLICT', 'ok']);
      const [row] = await query('select state, membership_id from join_requests where id = $1', [id]);
      expect(row?.state === 'approved').toBe(row?.membership_id !== null);
    }
    unwrap(
      await rooms.call('school.endMembership', school.admin, { membershipId: second.as, reason: 'left' }),
    );
  });

  it('is one at a time for each role, and after a refusal there is a pause', async () => {
    const caller = await newCaller();
    const race = await Promise.all([submit(caller), submit(caller), submit(caller)]);
    expect(race.map(outcomeOf).sort()).toEqual(['CONFLICT', 'CONFLICT', 'ok']);
    expect(outcomeOf(await submit(caller, { role: 'guardian' }))).toBe('ok');
    const open = (await rooms.call('school.listMyJoinRequests', caller, {})) as never;
    const mine = unwrap<{ requests: { id: JoinRequestId; role: string }[] }>(open).requests;
    const asPupil = mine.find((each) => each.role === 'pupil')?.id as JoinRequestId;
    unwrap(await decline(school.admin, asPupil));
    const refused = await submit(caller);
    expect(outcomeOf(refused)).toBe('ASKED_TOO_SOON');
    const { requests } = unwrap(await rooms.call('school.listMyJoinRequests', caller, {}));
    const declined = requests.find((each) => each.id === asPupil);
    expect(declined).toMatchObject({
      state: 'declined',
      reason: 'Такого ученика у нас нет',
      schoolName: 'Школа №29',
    });
    const until = Date.parse(declined?.mayAskAgainAt ?? '');
    expect(Math.abs(until - Date.now() - joiningLimits.pauseMs)).toBeLessThan(60_000);
    expect(refused).toMatchObject({ error: { data: { until: declined?.mayAskAgainAt } } });
    await query(`update join_requests set decided_at = now() - interval '4 days' where id = $1`, [asPupil]);
    expect(outcomeOf(await submit(caller))).toBe('ok');
    // Nor more than so many in a day, taken back or not.
    for (const id of requests.map((each) => each.id)) {
      await rooms.call('school.withdrawJoinRequest', caller, { requestId: id });
    }
    const rest: string[] = [];
    for (let n = 0; n < joiningLimits.requestsPerDay; n++) {
      const answer = await submit(caller, { role: 'teacher' });
      rest.push(outcomeOf(answer));
      if (answer.ok) {
        await rooms.call('school.withdrawJoinRequest', caller, { requestId: answer.result.request.id });
      }
    }
    expect(rest).toEqual(['ok', 'ok', 'RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED']);
  });

  it('can be taken back while it is open, and is over after its time', async () => {
    const caller = await newCaller();
    const { id } = await ask(caller);
    const stranger = await newCaller();
    const withdraw = (by: Person['caller']) =>
      rooms.call('school.withdrawJoinRequest', by, { requestId: id });
    expect(outcomeOf(await withdraw(stranger))).toBe('NOT_FOUND');
    expect(unwrap(await withdraw(caller)).request.state).toBe('withdrawn');
    expect(outcomeOf(await withdraw(caller))).toBe('ok');
    expect(outcomeOf(await approve(school.admin, { requestId: id, groupId: school.groupId }))).toBe(
      'CONFLICT',
    );
    expect(await find(school.admin, id)).toBeUndefined();

    const late = await ask(caller);
    await query('update join_requests set expires_at = now() where id = $1', [late.id]);
    expect(outcomeOf(await decline(school.admin, late.id))).toBe('CONFLICT');
    expect(await find(school.admin, late.id)).toBeUndefined();
    expect(outcomeOf(await submit(caller))).toBe('ok');
    expect(outcomeOf(await submit(school.pupil.caller))).toBe('ALREADY_MEMBER');
  });

  it('is a class teacher’s to decide where the school has set so, for the class alone and without phones', async () => {
    const own = await ask(await newCaller(), { fullName: 'Свой Пётр' });
    const other = await ask(await newCaller(), { fullName: 'Чужой Пётр', groupWords: '8А' });
    const staff = await ask(await newCaller(), {
      role: 'teacher',
      fullName: 'Третий Пётр',
      groupWords: '7Б',
    });
    const { classTeacher } = school;
    expect(outcomeOf(await rooms.call('school.listJoinRequests', classTeacher, { state: 'open' }))).toBe(
      'FORBIDDEN',
    );
    const set = (on: boolean) =>
      rooms.call('school.changeSettings', school.admin, { settings: { 'decidePupilRequests.CT': on } });
    unwrap(await set(true));
    const seen = await queueOf(classTeacher);
    expect(seen.map((each) => each.id)).toContain(own.id);
    expect(seen.every((each) => each.group?.groupId === school.groupId && each.phone === null)).toBe(true);
    for (const id of [other.id, staff.id]) {
      expect(outcomeOf(await decline(classTeacher, id))).toBe('NOT_FOUND');
    }
    const requestId = own.id;
    const refused = [
      await approve(classTeacher, { requestId, groupId: school.otherGroupId }),
      await approve(classTeacher, { requestId, role: 'teacher' }),
      await approve(classTeacher, {
        requestId,
        entryId: await expectSomebody('pupil', 'Иной Человек', school.groupId),
      }),
    ];
    expect(refused.map(outcomeOf)).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
    expect(outcomeOf(await approve(classTeacher, { requestId, groupId: school.groupId }))).toBe('ok');
    // A teacher who would be a guardian in the class is let in by somebody else.
    const mine = await ask(classTeacher.caller, { role: 'guardian', fullName: classTeacher.fullName });
    const letIn = { requestId: mine.id, groupId: school.groupId };
    expect(outcomeOf(await approve(classTeacher, letIn))).toBe('FORBIDDEN');
    expect(outcomeOf(await approve(school.admin, letIn))).toBe('ok');
    unwrap(await set(false));
  });

  it('shows a class teacher who decides it nobody of other classes', async () => {
    const fullName = 'Двойников Егор';
    const own = await expectSomebody('pupil', fullName, school.groupId);
    const other = await expectSomebody('pupil', fullName, school.otherGroupId);
    for (const groupId of [school.groupId, school.otherGroupId]) {
      await enrol(rooms, school.schoolId, { role: 'pupil', fullName, groupId });
    }
    const { id } = await ask(await newCaller(), { fullName });
    const settings = { 'decidePupilRequests.CT': true };
    unwrap(await rooms.call('school.changeSettings', school.admin, { settings }));
    const all = await find(school.admin, id);
    expect(all?.matches.map((match) => match.entryId)).toEqual([own, other]);
    expect(all?.namesakes.map((each) => each.groupName).sort()).toEqual(['7Б', '8А']);
    const seen = await find(school.classTeacher, id);
    expect(seen?.matches).toMatchObject([{ entryId: own, inGroup: true }]);
    expect(seen?.namesakes).toMatchObject([{ groupName: '7Б' }]);
    unwrap(
      await rooms.call('school.changeSettings', school.admin, {
        settings: { 'decidePupilRequests.CT': false },
      }),
    );
  });

  it('pages the queue, those that wait longest first', async () => {
    const all = await queueOf(school.admin);
    expect(all.length).toBeGreaterThan(3);
    const page = unwrap(
      await rooms.call('school.listJoinRequests', school.admin, {
        state: 'open',
        limit: 2,
        after: all[0]?.id as JoinRequestId,
      }),
    );
    expect(page.requests.map((each) => each.id)).toEqual(all.slice(1, 3).map((each) => each.id));
    expect(page).toMatchObject({ hasMore: true, openCount: all.length });
    const decided = await queueOf(school.admin, 'decided');
    expect(decided.length).toBeGreaterThan(3);
    expect(decided.map((each) => each.id)).toEqual(
      decided
        .map((each) => each.id)
        .sort()
        .reverse(),
    );
    expect(decided[0]?.decidedBy?.fullName).toBeDefined();
    expect(await queueOf(elsewhere.admin)).toEqual([]);
  });
});

it('bounds how many codes one person tries', async () => {
  const bounded = await startRooms({ rateLimits: 'on' });
  try {
    const caller = callerOf(await newAccount(bounded));
    const outcomes: string[] = [];
    for (let n = 0; n < joiningLimits.codeTriesPerAccount.max + 2; n++) {
      const input = { code: `ABCD${1000 + n}` };
      const name = n % 2 === 0 ? 'school.findSchoolByCode' : 'school.submitJoinRequest';
      const answer =
        name === 'school.findSchoolByCode'
          ? await bounded.call(name, caller, input)
          : await bounded.call(name, caller, { ...input, role: 'teacher', fullName: 'Проб Ующий' });
      outcomes.push(outcomeOf(answer));
    }
    expect(outcomes.slice(0, -2).every((outcome) => outcome === 'NOT_FOUND')).toBe(true);
    expect(outcomes.slice(-2)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
  } finally {
    await bounded.close();
  }
});
