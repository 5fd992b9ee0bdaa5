import type { MembershipId, RequestedAction, RequestId } from '@zvonok/shared';
import { requestLimits } from '@zvonok/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Announcement } from '../platform/outbound.ts';
import { outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, type TestSchool } from '../testing/school.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const query = (...args: Parameters<Rooms['platform']['database']['client']['unsafe']>) =>
  rooms.platform.database.client.unsafe(...args);
const put = (person: Partial<Parameters<typeof enrol>[2]>) =>
  enrol(rooms, school.schoolId, { role: 'teacher', fullName: 'Чернов Глеб', ...person });
const create = (by: Person, what: RequestedAction, reason?: string) =>
  rooms.call('school.createRequest', by, { what, ...(reason === undefined ? {} : { reason }) });
const ask = async (by: Person, what: RequestedAction) => unwrap(await create(by, what)).request;
const approve = (by: Person, requestId: RequestId, more: { childId?: MembershipId; comment?: string } = {}) =>
  rooms.call('school.approveRequest', by, { requestId, ...more });
const decline = (by: Person, requestId: RequestId) =>
  rooms.call('school.declineRequest', by, { requestId, comment: 'принесите приказ' });
const list = async (by: Person, which: 'mine' | 'toDecide', state: 'open' | 'closed' = 'open') =>
  unwrap(await rooms.call('school.listRequests', by, { which, state }));
const toldOf = (name: string) =>
  rooms.announced
    .splice(0)
    .filter((each): each is Extract<Announcement, { kind: 'event' }> => each.kind === 'event')
    .filter((each) => each.name === name)
    .map((each) => ('membership' in each.audience ? each.audience.membership : undefined));
const basis = 'приказ № 14 от 1 сентября';

it('verifies a teacher who asked, and tells both sides', async () => {
  const teacher = await put({});
  rooms.announced.length = 0;
  const request = await ask(teacher, { kind: 'ownVerification', basis });
  expect(toldOf('school.requestChanged').sort()).toEqual([teacher.as, school.admin.as].sort());
  expect(request).toMatchObject({ state: 'open', what: { basis }, member: { membershipId: teacher.as } });
  const open = await list(school.admin, 'toDecide');
  expect(open.requests.map((each) => each.id)).toContain(request.id);
  // One open request for each membership: the same again is the same, another basis is a conflict.
  expect((await ask(teacher, { kind: 'ownVerification', basis })).id).toBe(request.id);
  expect(outcomeOf(await create(teacher, { kind: 'ownVerification', basis: 'диплом' }))).toBe('CONFLICT');

  expect(unwrap(await approve(school.admin, request.id)).request).toMatchObject({
    state: 'approved',
    decidedBy: { membershipId: school.admin.as },
  });
  expect(toldOf('school.requestChanged')).toContain(teacher.as);
  expect(unwrap(await rooms.call('school.getSchool', teacher, {})).me.standings).toEqual(['ST']);
  const kept = await query('select basis, verified_by from verifications where membership_id = $1', [
    teacher.as,
  ]);
  expect(kept).toEqual([{ basis, verified_by: school.admin.as }]);
  expect(outcomeOf(await create(teacher, { kind: 'ownVerification', basis }))).toBe('FORBIDDEN');
});

it('closes the requests for a verification that was given without them', async () => {
  const teacher = await put({});
  const own = await ask(teacher, { kind: 'ownVerification', basis });
  const byHead = await ask(school.head, { kind: 'verifyTeacher', membershipId: teacher.as, basis });
  unwrap(
    await rooms.call('school.verifyTeacher', school.admin, { membershipId: teacher.as, basis: 'другой' }),
  );
  expect((await list(teacher, 'mine', 'closed')).requests).toMatchObject([
    { id: own.id, state: 'approved', decidedBy: { fullName: school.admin.fullName } },
  ]);
  expect(outcomeOf(await approve(school.admin, byHead.id))).toBe('REQUEST_CLOSED');
});

it('lets one of two decide, and nobody decide twice or for themselves', async () => {
  const second = unwrap(
    await rooms.call('school.appointAdmin', school.admin, { membershipId: school.otherTeacher.as }),
  ).membershipId;
  const other = { ...school.otherTeacher, as: second };
  for (let round = 0; round < 3; round++) {
    const teacher = await put({});
    const { id } = await ask(teacher, { kind: 'ownVerification', basis });
    const race = await Promise.all([approve(school.admin, id), decline(other, id), approve(other, id)]);
    expect(race.map(outcomeOf).sort()).toEqual(['REQUEST_CLOSED', 'REQUEST_CLOSED', 'ok']);
  }
  const asTeacher = await put({ accountId: other.caller.accountId, fullName: 'Лебедева Анна', role: 'head' });
  const { id } = await ask(asTeacher, { kind: 'ownVerification', basis });
  expect(outcomeOf(await approve(other, id))).toBe('FORBIDDEN');
  expect((await list(asTeacher, 'mine')).openCount).toBe(1);
  unwrap(await rooms.call('school.endMembership', school.admin, { membershipId: other.as, reason: 'left' }));
});

it('links a child whom a guardian named in words, and tells the guardian of no other', async () => {
  const wish = (childName: string, groupName: string) =>
    create(school.unlinked, { kind: 'linkOwnChild', childName, groupName });
  const there = unwrap(await wish('зайцева мария', '7 б')).request;
  const absent = unwrap(await wish('Никитина Алла', '7Б')).request;
  const shape = ({ id: _id, what: _what, createdAt: _at, expiresAt: _until, ...rest }: typeof there) => rest;
  expect(shape(there)).toEqual(shape(absent));
  const likely = (by: Person, requestId: RequestId) =>
    rooms.call('school.listLikelyChildren', by, { requestId });
  expect(unwrap(await likely(school.admin, there.id)).children).toEqual([
    {
      membershipId: school.classmate.as,
      fullName: 'Зайцева Мария',
      groupId: school.groupId,
      groupName: '7Б',
      sameGroup: true,
    },
  ]);
  expect(unwrap(await likely(school.admin, absent.id)).children).toEqual([]);
  for (const by of [school.unlinked, school.head, school.classTeacher, school.unverified]) {
    expect(outcomeOf(await likely(by, there.id))).toBe('NOT_FOUND');
  }
  expect(outcomeOf(await approve(school.admin, there.id))).toBe('VALIDATION');
  const wrong = await approve(school.admin, there.id, { childId: school.guardian.as });
  expect(wrong).toMatchObject({ error: { code: 'REQUEST_STALE', data: { code: 'WRONG_ROLE' } } });
  unwrap(await approve(school.admin, there.id, { childId: school.classmate.as }));
  const { me } = unwrap(await rooms.call('school.getSchool', school.unlinked, {}));
  expect(me.children.map((child) => child.fullName)).toEqual(['Зайцева Мария']);
  unwrap(await decline(school.admin, absent.id));
  expect((await list(school.unlinked, 'mine', 'closed')).requests).toMatchObject([
    { id: absent.id, state: 'declined', comment: 'принесите приказ' },
    { id: there.id, state: 'approved' },
  ]);
  unwrap(
    await rooms.call('school.unlinkGuardian', school.admin, {
      guardianId: school.unlinked.as,
      childId: school.classmate.as,
    }),
  );
});

it('does what was asked for with both names on record', async () => {
  const free = await put({ verified: true });
  const { head, classTeacher, subjectTeacher, admin } = school;
  const pupil = await put({ role: 'pupil', groupId: school.groupId, fullName: 'Рыбин Тихон' });
  const parent = await put({ role: 'guardian', groupId: school.groupId, fullName: 'Рыбина Эмма' });
  const wishes: [Person, RequestedAction][] = [
    [head, { kind: 'editSchool', card: { address: 'г. Тверь', contactEmail: 'a@example.org' } }],
    [head, { kind: 'attachTeacher', membershipId: free.as, groupId: school.groupId, subject: 'Химия' }],
    [classTeacher, { kind: 'linkGuardian', guardianId: parent.as, childId: pupil.as }],
    [classTeacher, { kind: 'transferMember', membershipId: pupil.as, groupId: school.otherGroupId }],
    [head, { kind: 'endMembership', membershipId: pupil.as, endReason: 'moved' }],
  ];
  for (const [by, what] of wishes) {
    const { id } = await ask(by, what);
    expect(outcomeOf(await approve(by, id))).toBe('NOT_FOUND');
    unwrap(await approve(admin, id, { comment: 'хорошо' }));
    const { records } = unwrap(
      await rooms.call('school.listAuditRecords', admin, { action: 'requestApproved', limit: 1 }),
    );
    expect(records).toMatchObject([
      { by: { membershipId: admin.as }, member: { membershipId: by.as }, after: { kind: what.kind } },
    ]);
  }
  const { school: card } = unwrap(await rooms.call('school.getSchool', admin, {}));
  expect(card).toMatchObject({ address: 'г. Тверь', contactEmail: 'a@example.org' });
  expect(unwrap(await rooms.call('school.getSchool', free, {})).me.attachments).toHaveLength(1);
  expect(outcomeOf(await rooms.call('school.getSchool', pupil, {}))).toBe('FORBIDDEN');
  const { card: gone } = unwrap(await rooms.call('school.getMember', admin, { membershipId: pupil.as }));
  expect(gone.history.map((stay) => stay.groupId)).toEqual([school.otherGroupId, school.groupId]);

  // A text for the channel appears as the approver's, with the author's name.
  const text = 'Завтра олимпиада по алгебре.';
  const post = await ask(subjectTeacher, { kind: 'post', channel: 'general', text });
  unwrap(await approve(head, post.id));
  const channel = unwrap(await rooms.call('chat.listConversations', school.guardian, {})).conversations.find(
    (each) => each.channel === 'general',
  );
  expect(channel?.lastMessage).toMatchObject({
    senderId: head.as,
    body: { kind: 'text', text: `${text}\n\n— ${subjectTeacher.fullName}` },
  });
});

it('refuses what does not fit any more, and leaves it open', async () => {
  const pupil = await put({ role: 'pupil', groupId: school.groupId, fullName: 'Гордеев Фома' });
  const what = { kind: 'endMembership', membershipId: pupil.as, endReason: 'left' } as const;
  const byClassTeacher = await ask(school.classTeacher, what);
  unwrap(await rooms.call('school.endMembership', school.admin, { membershipId: pupil.as, reason: 'left' }));
  expect(await approve(school.admin, byClassTeacher.id)).toMatchObject({
    error: { code: 'REQUEST_STALE', data: { code: 'NOT_FOUND' } },
  });
  expect((await list(school.classTeacher, 'mine')).requests.map((each) => each.id)).toContain(
    byClassTeacher.id,
  );
  unwrap(await decline(school.admin, byClassTeacher.id));

  // Whoever lost the right to ask is not done a favour by an old request; whoever left asks for nothing.
  const fallen = await put({ verified: true });
  const post = { kind: 'post', channel: 'general', text: 'Привет всем' } as const;
  const old = await ask(fallen, post);
  unwrap(
    await rooms.call('school.revokeVerification', school.admin, { membershipId: fallen.as, reason: 'x1' }),
  );
  expect(await approve(school.admin, old.id)).toMatchObject({
    error: { code: 'REQUEST_STALE', data: { code: 'WRONG_ROLE' } },
  });
  unwrap(await rooms.call('school.endMembership', school.admin, { membershipId: fallen.as, reason: 'left' }));
  expect((await list(school.admin, 'toDecide')).requests.map((each) => each.id)).not.toContain(old.id);
});

it('ends by itself after two weeks, and may be taken back before', async () => {
  const what = { kind: 'post', channel: 'staff', text: 'Субботник в субботу' } as const;
  const first = await ask(school.classTeacher, what);
  expect(Date.parse(first.expiresAt) - Date.parse(first.createdAt)).toBeGreaterThan(
    requestLimits.lifeMs - 60_000,
  );
  await query(`update requests set expires_at = now() - interval '1 second' where id = $1`, [first.id]);
  expect((await list(school.classTeacher, 'mine', 'closed')).requests).toContainEqual(
    expect.objectContaining({ id: first.id, state: 'expired', decidedAt: null }),
  );
  expect((await list(school.admin, 'toDecide')).requests.map((each) => each.id)).not.toContain(first.id);
  expect(outcomeOf(await approve(school.admin, first.id))).toBe('REQUEST_CLOSED');

  const again = await ask(school.classTeacher, what);
  expect(again.id).not.toBe(first.id);
  const withdraw = (by: Person) => rooms.call('school.withdrawRequest', by, { requestId: again.id });
  expect(outcomeOf(await withdraw(school.admin))).toBe('NOT_FOUND');
  expect(unwrap(await withdraw(school.classTeacher)).request.state).toBe('withdrawn');
  expect(outcomeOf(await withdraw(school.classTeacher))).toBe('REQUEST_CLOSED');
});

it('keeps the queue of one person short, also when they hurry', async () => {
  const teacher = await put({ verified: true });
  const wish = (n: number) => create(teacher, { kind: 'post', channel: 'general', text: `Объявление ${n}` });
  const outcomes = (
    await Promise.all(Array.from({ length: requestLimits.openPerMember + 4 }, (_each, n) => wish(n)))
  ).map(outcomeOf);
  expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(requestLimits.openPerMember);
  expect(outcomes.filter((outcome) => outcome === 'REQUESTS_FULL')).toHaveLength(4);
  const twice = await put({ verified: true });
  const same = { kind: 'post', channel: 'general', text: 'Одно и то же' } as const;
  const ids = (await Promise.all([ask(twice, same), ask(twice, same), ask(twice, same)])).map(
    (each) => each.id,
  );
  expect(new Set(ids).size).toBe(1);
});

it('lets nobody ask about people whom they may not see, and answers the same about another school', async () => {
  const elsewhere = await makeSchool(rooms, 'Школа №30');
  const { classTeacher, otherPupil, otherGuardian, pupil, head } = school;
  const end = (membershipId: MembershipId): RequestedAction => ({
    kind: 'endMembership',
    membershipId,
    endReason: 'left',
  });
  const move = (membershipId: MembershipId, groupId = school.otherGroupId): RequestedAction => ({
    kind: 'transferMember',
    membershipId,
    groupId,
  });
  for (const id of [otherPupil.as, elsewhere.pupil.as, crypto.randomUUID() as MembershipId]) {
    expect(outcomeOf(await create(classTeacher, end(id)))).toBe('NOT_FOUND');
    expect(outcomeOf(await create(classTeacher, move(id)))).toBe('NOT_FOUND');
  }
  for (const by of [pupil, school.guardian, school.subjectTeacher]) {
    expect(outcomeOf(await create(by, move(pupil.as)))).toBe('FORBIDDEN');
  }
  expect(outcomeOf(await create(head, move(school.classTeacher.as)))).toBe('WRONG_ROLE');
  for (const groupId of [elsewhere.groupId, crypto.randomUUID() as typeof elsewhere.groupId]) {
    expect(outcomeOf(await create(classTeacher, move(pupil.as, groupId)))).toBe('NOT_FOUND');
  }
  const link: RequestedAction = { kind: 'linkGuardian', guardianId: otherGuardian.as, childId: pupil.as };
  expect(outcomeOf(await create(classTeacher, link))).toBe('NOT_FOUND');
  for (const id of [elsewhere.unverified.as, crypto.randomUUID() as MembershipId]) {
    expect(outcomeOf(await create(head, { kind: 'verifyTeacher', membershipId: id, basis }))).toBe(
      'NOT_FOUND',
    );
  }
  const foreign = await ask(elsewhere.head, { kind: 'editSchool', card: { address: 'г. Омск' } });
  for (const by of [school.admin, school.head]) {
    for (const id of [foreign.id, crypto.randomUUID() as RequestId]) {
      expect(outcomeOf(await approve(by, id))).toBe('NOT_FOUND');
      expect(outcomeOf(await decline(by, id))).toBe('NOT_FOUND');
      expect(
        outcomeOf(await rooms.call('school.listRequests', by, { which: 'mine', state: 'open', after: id })),
      ).toBe('NOT_FOUND');
    }
  }
  expect(outcomeOf(await create(head, { kind: 'editSchool', card: {} }))).toBe('VALIDATION');
});

it('lists those that need one right alone', async () => {
  const verification = await ask(school.unverified, { kind: 'ownVerification', basis });
  const post = await ask(school.classTeacher, { kind: 'post', channel: 'staff', text: 'Список дежурных' });
  const only = async (
    by: Person,
    which: 'mine' | 'toDecide',
    permission: 'verifyTeacher' | 'postStaffChannel',
  ) => unwrap(await rooms.call('school.listRequests', by, { which, state: 'open', permission }));
  const waiting = await only(school.admin, 'toDecide', 'verifyTeacher');
  expect(waiting.requests.map((each) => each.id)).toContain(verification.id);
  expect(new Set(waiting.requests.map((each) => each.what.kind))).toEqual(new Set(['ownVerification']));
  expect(waiting.openCount).toBe(waiting.requests.length);
  const mine = await only(school.classTeacher, 'mine', 'postStaffChannel');
  expect(mine.requests.map((each) => each.id)).toContain(post.id);
  expect((await only(school.classTeacher, 'mine', 'verifyTeacher')).requests).toEqual([]);
  // A right that one does not have opens no queue.
  expect((await only(school.head, 'toDecide', 'verifyTeacher')).requests).toEqual([]);
});
