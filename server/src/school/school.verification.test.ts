import {
  type ClientMessageId,
  type ConversationId,
  type InviteId,
  type MembershipId,
  type ProcedureName,
  procedureContract,
  type RequestId,
} from '@zvonok/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callerOf, outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, graduate, makeSchool, newAccount, type TestSchool } from '../testing/school.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const query = (...args: Parameters<Rooms['platform']['database']['client']['unsafe']>) =>
  rooms.platform.database.client.unsafe(...args);
const verify = (by: Person, { as: membershipId }: Person) =>
  rooms.call('school.verifyTeacher', by, { membershipId, basis: 'приказ №7' });
const revoke = (by: Person, { as: membershipId }: Person) =>
  rooms.call('school.revokeVerification', by, { membershipId, reason: 'документ оказался чужим' });
const chatsOf = async (person: Person) =>
  unwrap(await rooms.call('chat.listConversations', person, {})).conversations;
const kindsOf = async (person: Person) => (await chatsOf(person)).map((each) => each.kind).sort();
const direct = async (from: Person, to: Person) =>
  unwrap(await rooms.call('chat.openDirect', from, { membershipId: to.as })).conversation.id;
const me = async (person: Person) => unwrap(await rooms.call('school.getSchool', person, {})).me;
const put = (person: Partial<Parameters<typeof enrol>[2]>, at = school) =>
  enrol(rooms, at.schoolId, { role: 'teacher', fullName: 'Чернов Глеб', verified: true, ...person });
const appoint = async (by: Person, teacher: Person): Promise<Person> => {
  const { membershipId } = unwrap(await rooms.call('school.appointAdmin', by, { membershipId: teacher.as }));
  return { ...teacher, as: membershipId };
};

it('takes every right with a verification, keeps the record, and gives back with the next', async () => {
  const teacher = await put({ attachments: [{ groupId: school.groupId, kind: 'class', subject: null }] });
  const withPupil = await direct(teacher, school.pupil);
  const withGuardian = await direct(school.guardian, teacher);
  const withColleague = await direct(teacher, school.otherTeacher);
  const { token } = unwrap(
    await rooms.call('school.createInvite', teacher, { role: 'pupil', groupId: school.groupId }),
  );
  const before = await kindsOf(teacher);
  rooms.announced.length = 0;

  unwrap(await revoke(school.admin, teacher));
  expect(await me(teacher)).toMatchObject({ verified: false, standings: ['TU'] });
  expect((await chatsOf(teacher)).map((each) => each.id)).toEqual([withColleague]);
  const left = rooms.announced.flatMap((each) =>
    each.kind === 'signal' && each.signal.name === 'conversationsChanged' ? each.signal.left : [],
  );
  expect(left).toEqual(expect.arrayContaining([withPupil, withGuardian]));
  expect(rooms.announced).toContainEqual({
    kind: 'signal',
    signal: { name: 'membershipChanged', membershipIds: [teacher.as] },
  });
  const caller = callerOf(await newAccount(rooms));
  const redeemed = await rooms.call('school.redeemInvite', caller, { token, fullName: 'Новый Пётр' });
  expect(outcomeOf(redeemed)).toBe('INVITE_INVALID');
  // Revoking what is revoked changes nothing.
  unwrap(await revoke(school.admin, teacher));

  unwrap(await verify(school.admin, teacher));
  expect(await me(teacher)).toMatchObject({ verified: true, standings: ['CT', 'ST'] });
  expect(await kindsOf(teacher)).toEqual(before);
  const kept = await query(
    `select basis, revoke_reason, revoked_by from verifications where membership_id = $1 order by verified_at`,
    [teacher.as],
  );
  expect(kept).toEqual([
    { basis: 'test', revoke_reason: 'документ оказался чужим', revoked_by: school.admin.as },
    { basis: 'приказ №7', revoke_reason: null, revoked_by: null },
  ]);
});

it('takes the chats of archived classes for good', async () => {
  const own = await makeSchool(rooms, 'Школа №33');
  const { admin, pupil, classTeacher, subjectTeacher, guardian, groupId } = own;
  const ofPupil = (await chatsOf(pupil)).find((each) => each.kind === 'class');
  const conversationId = ofPupil?.id as ConversationId;
  const clientMessageId = crypto.randomUUID() as ClientMessageId;
  unwrap(await rooms.call('chat.sendMessage', pupil, { conversationId, clientMessageId, text: 'Я заболел' }));
  await graduate(rooms, own);
  const archivedOf = async (person: Person) =>
    (await chatsOf(person)).filter((each) => each.groupId === groupId);
  const kinds = {
    classTeacher: ['class', 'classTeachers', 'parents', 'subject'],
    subjectTeacher: ['classTeachers', 'subject'],
  };
  for (const [teacher, before] of [
    [classTeacher, kinds.classTeacher],
    [subjectTeacher, kinds.subjectTeacher],
  ] as const) {
    const archived = await archivedOf(teacher);
    expect(archived.map((each) => each.kind).sort()).toEqual(before);
    rooms.announced.length = 0;
    unwrap(await revoke(admin, teacher));
    expect(await chatsOf(teacher)).toEqual([]);
    for (const { id } of archived) {
      const input = { conversationId: id, limit: 10 };
      expect(outcomeOf(await rooms.call('chat.listMessages', teacher, input))).toBe('NOT_FOUND');
      expect(rooms.announced).toContainEqual(
        expect.objectContaining({ name: 'chat.membersChanged', audience: { conversation: id } }),
      );
    }
    expect(rooms.announced).toContainEqual({
      kind: 'signal',
      signal: {
        name: 'conversationsChanged',
        membershipId: teacher.as,
        joined: [],
        left: expect.arrayContaining(archived.map((each) => each.id)),
      },
    });
    unwrap(await verify(admin, teacher));
    expect(await kindsOf(teacher)).toEqual(['channel', 'channel', 'staff']);
  }
  // Whoever was not revoked reads on.
  expect((await archivedOf(guardian)).map((each) => [each.kind, each.groupId, each.memberCount])).toEqual([
    ['parents', groupId, 1],
  ]);
});

it('lets nobody verify or revoke themselves, whichever of their memberships it is', async () => {
  const { accountId } = school.admin.caller;
  const asTeacher = await put({ accountId, fullName: school.admin.fullName });
  expect(outcomeOf(await revoke(school.admin, asTeacher))).toBe('FORBIDDEN');
  expect(outcomeOf(await revoke(school.admin, school.admin))).toBe('FORBIDDEN');
  for (const by of [school.head, school.classTeacher, school.unverified, school.pupil]) {
    expect(outcomeOf(await revoke(by, school.otherTeacher))).toBe('FORBIDDEN');
  }
  expect(outcomeOf(await revoke(school.admin, school.pupil))).toBe('WRONG_ROLE');
});

it('always keeps one verified administrator, of two who revoke each other at once', async () => {
  const own = await makeSchool(rooms, 'Школа №31');
  const second = await appoint(own.admin, await put({}, own));
  const race = await Promise.all([revoke(own.admin, second), revoke(second, own.admin)]);
  const outcomes = race.map(outcomeOf);
  // Whoever comes second has no right any more, or is the last who has one.
  expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(1);
  expect(outcomes.some((outcome) => outcome === 'FORBIDDEN' || outcome === 'LAST_ADMIN')).toBe(true);
  const [winner, loser] = outcomes[0] === 'ok' ? [own.admin, second] : [second, own.admin];
  // One who has lost the verification doesn't count as an administrator who stays.
  const leave = await rooms.call('school.endMembership', winner, { membershipId: winner.as, reason: 'left' });
  expect(outcomeOf(leave)).toBe('LAST_ADMIN');
  expect(outcomeOf(await rooms.call('school.listNotices', loser, { state: 'open' }))).toBe('FORBIDDEN');
});

it('is taken from each role of the person at the school, with a record of each, and from no other school’s', async () => {
  const own = await makeSchool(rooms, 'Школа №33');
  const teacher = await put({ attachments: [{ groupId: own.groupId, kind: 'class', subject: null }] }, own);
  const { accountId } = teacher.caller;
  const head = await put({ role: 'head', accountId }, own);
  const asAdmin = await appoint(own.admin, teacher);
  const elsewhere = await put({ accountId });
  unwrap(await revoke(own.admin, teacher));
  for (const role of [teacher, head, asAdmin]) expect(await me(role)).toMatchObject({ verified: false });
  expect(await me(elsewhere)).toMatchObject({ verified: true });
  expect(outcomeOf(await revoke(asAdmin, own.otherTeacher))).toBe('FORBIDDEN');
  const records = await query(
    `select membership_id from audit_records where school_id = $1 and action = 'verificationRevoked'`,
    [own.schoolId],
  );
  expect(records.map((each) => each.membership_id).sort()).toEqual([teacher.as, head.as, asAdmin.as].sort());
});

it('is not taken by an administrator who lost the right meanwhile, as a teacher', async () => {
  const own = await makeSchool(rooms, 'Школа №34');
  const [one, two] = [await put({}, own), await put({}, own)];
  const [first, second] = [await appoint(own.admin, one), await appoint(own.admin, two)];
  const race = await Promise.all([revoke(first, two), revoke(second, one)]);
  expect(race.map(outcomeOf).sort()).toEqual(['FORBIDDEN', 'ok']);
});

it('tells nothing of the school’s people to an administrator or head who is not verified', async () => {
  const own = await makeSchool(rooms, 'Школа №32');
  const head = await put({ role: 'head', verified: false }, own);
  rooms.announced.length = 0;
  unwrap(await rooms.call('school.endMembership', own.admin, { membershipId: own.pupil.as, reason: 'left' }));
  const heard = rooms.announced.filter(
    (each) => each.kind === 'event' && 'membership' in each.audience && each.audience.membership === head.as,
  );
  expect(heard).toEqual([]);
});

/** Everything of the school and the chats that reads, with what an intruder would ask for; a new one that is not here fails the test below. */
type Ask = { readonly name: ProcedureName; readonly input: object };
function asks(chats: readonly ConversationId[], requestId: RequestId, inviteId: InviteId): Ask[] {
  const { groupId, otherGroupId, pupil, guardian } = school;
  const of = (name: ProcedureName, ...inputs: object[]) => inputs.map((input) => ({ name, input }));
  const inChats = (more: object) => chats.map((conversationId) => ({ conversationId, ...more }));
  return [
    ...of('school.getSchool', {}),
    ...of('school.listGroups', {}),
    ...of(
      'school.listMembers',
      {},
      { role: 'pupil' },
      { role: 'guardian' },
      { groupId },
      { groupId: otherGroupId },
      { after: pupil.as },
    ),
    ...of('school.countMembers', {}, { groupId }, { search: 'Тайная' }),
    ...of('school.getMember', { membershipId: pupil.as }, { membershipId: guardian.as }),
    ...of('school.planHandOver', { membershipId: school.classTeacher.as }),
    ...of('school.findRollover', {}),
    ...of('school.planRollover', { choices: { classes: [], newClasses: [], teachers: [] } }),
    ...of('school.listInvites', {}),
    ...of('school.listRedemptions', { inviteId }),
    ...of('school.getJoinCode', {}),
    ...of('school.listJoinRequests', { state: 'open' }, { state: 'decided' }),
    ...of('school.getOverview', {}),
    ...of('school.listClasses', { state: 'open' }, { state: 'archived' }),
    ...of('school.getClass', { groupId }, { groupId: otherGroupId }),
    ...of('school.listAuditRecords', {}, { member: pupil.as }, { by: guardian.as }),
    ...of('school.getClassRegister', { groupId }, { groupId: otherGroupId }),
    ...of('school.listRoster', {}),
    ...of('school.listImports', {}),
    ...of('school.listImportRows', { importId: crypto.randomUUID() }),
    ...of('school.listNotices', { state: 'open' }, { state: 'settled' }),
    ...of(
      'school.listRequests',
      { which: 'mine', state: 'open' },
      { which: 'mine', state: 'closed' },
      { which: 'toDecide', state: 'open' },
      { which: 'toDecide', state: 'closed' },
    ),
    ...of('school.listLikelyChildren', { requestId }),
    ...of('chat.listConversations', {}),
    ...of('chat.getHeads', {}),
    ...of('chat.getConversation', ...inChats({})),
    ...of('chat.listMembers', ...inChats({})),
    ...of('chat.listMessages', ...inChats({ limit: 100 })),
    ...of('chat.changesSince', ...inChats({ rev: 0 })),
    ...of('chat.openDirect', { membershipId: pupil.as }, { membershipId: guardian.as }),
  ];
}

it.each(['as the table has it', 'with the channels open to the unverified'])(
  'shows staff without a verification no pupil and no guardian, %s',
  async (variant) => {
    const open = variant !== 'as the table has it';
    const settings = {
      'readGeneralChannel.TU': open,
      'readGeneralChannel.PU': open,
      'readStaffChannel.TU': open,
    };
    unwrap(await rooms.call('school.changeSettings', school.admin, { settings }));
    // Somebody who saw it all until a moment ago, and did things that the log names.
    const fallen = await put({
      fullName: 'Павлов Денис',
      attachments: [{ groupId: school.groupId, kind: 'class', subject: null }],
    });
    const admin = await appoint(school.admin, fallen);
    const [child, parent] = [
      await put({ role: 'pupil', verified: false, groupId: school.groupId, fullName: 'Тайная Ева' }),
      await put({ role: 'guardian', verified: false, groupId: school.groupId, fullName: 'Тайная Зоя' }),
    ];
    unwrap(await rooms.call('school.linkGuardian', admin, { guardianId: parent.as, childId: child.as }));
    await direct(fallen, school.pupil);
    // What they asked for names the child, and what the guardian asked for is theirs to decide no more.
    const mine = { kind: 'endMembership', membershipId: child.as, endReason: 'moved' } as const;
    unwrap(await rooms.call('school.createRequest', fallen, { what: mine }));
    const what = { kind: 'linkOwnChild', childName: 'Некая Яна', groupName: '7Б' } as const;
    const { request } = unwrap(await rooms.call('school.createRequest', parent, { what }));
    expect(outcomeOf(await rooms.call('school.listLikelyChildren', admin, { requestId: request.id }))).toBe(
      'ok',
    );
    // Somebody came by an invite, and somebody asks to.
    const invited = await rooms.call('school.createInvite', admin, {
      role: 'pupil',
      groupId: school.groupId,
    });
    const { token, invite } = unwrap(invited);
    const newcomer = callerOf(await newAccount(rooms));
    unwrap(await rooms.call('school.redeemInvite', newcomer, { token, fullName: 'Тайная Инна' }));
    const { code } = unwrap(await rooms.call('school.rotateJoinCode', school.admin, {}));
    const applicant = { code, role: 'pupil', fullName: 'Тайная Ася', groupWords: '7Б' } as const;
    unwrap(await rooms.call('school.submitJoinRequest', callerOf(await newAccount(rooms)), applicant));
    const seen = await rooms.call('school.listJoinRequests', admin, { state: 'open' });
    expect(JSON.stringify(seen)).toContain('Тайная Ася');
    for (const lost of [admin, fallen]) unwrap(await revoke(school.admin, lost));

    const everyChat = await query('select id from conversations where school_id = $1', [school.schoolId]);
    const chats = everyChat.map((row) => row.id as ConversationId);
    const minors = await query(
      `select id, full_name from memberships where school_id = $1 and role in ('pupil', 'guardian')`,
      [school.schoolId],
    );
    const forbidden = ['Тайная Ася', ...minors.flatMap((row): string[] => [row.id, row.full_name])];
    expect(forbidden).toEqual(expect.arrayContaining(['Тайная Ева', 'Тайная Инна']));
    const all = asks(chats, request.id, invite.id);
    let answered = 0;
    for (const person of [school.unverified, fallen, admin]) {
      for (const { name, input } of all) {
        const answer = await rooms.call(name as 'school.getSchool', person, input as never);
        if (answer.ok) answered++;
        const text = JSON.stringify(answer);
        expect(
          forbidden.filter((each) => text.includes(each)),
          `${name} ${JSON.stringify(input)}`,
        ).toEqual([]);
      }
    }
    expect(answered).toBeGreaterThan(20);
    // A guardian whose child nobody has named yet sees no other's either.
    const others = forbidden.filter(
      (each) => each !== school.unlinked.as && each !== school.unlinked.fullName,
    );
    for (const { name, input } of all) {
      const answer = JSON.stringify(
        await rooms.call(name as 'school.getSchool', school.unlinked, input as never),
      );
      expect(
        others.filter((each) => answer.includes(each)),
        `${name} ${JSON.stringify(input)}`,
      ).toEqual([]);
    }
    unwrap(
      await rooms.call('school.changeSettings', school.admin, {
        settings: { 'readGeneralChannel.TU': false, 'readGeneralChannel.PU': false },
      }),
    );
  },
);

it('walks every procedure of the school and the chats that reads', () => {
  const reads = /^(?:school|chat)\.(?:get|list|count|plan|changesSince|preview|find|search|export)/;
  const nothing = school.schoolId as never;
  const walked = new Set(asks([nothing], nothing, nothing).map((each) => each.name));
  const unwalked = Object.values(procedureContract)
    .filter(({ name, access }) => access === 'member' && reads.test(name))
    .map(({ name }) => name)
    .filter((name) => !walked.has(name));
  expect(unwalked).toEqual([]);
});

it('answers about another school as about nothing', async () => {
  const elsewhere = await makeSchool(rooms, 'Школа №30');
  const absent = { ...school.pupil, as: crypto.randomUUID() as MembershipId };
  const answer = await revoke(school.admin, elsewhere.otherTeacher);
  expect(outcomeOf(answer)).toBe('NOT_FOUND');
  expect(answer).toEqual(await revoke(school.admin, absent));
});
