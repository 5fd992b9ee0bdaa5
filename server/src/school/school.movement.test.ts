import { type ConversationId, type GroupId, type MembershipId, procedureContract } from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, graduate, makeSchool, type TestSchool } from '../testing/school.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
});
afterAll(() => rooms?.close());
beforeEach(async () => {
  school = await makeSchool(rooms);
});

type Put = Partial<Parameters<typeof enrol>[2]>;
const put = (person: Put) =>
  enrol(rooms, school.schoolId, { role: 'pupil', fullName: 'Новый Иван', ...person });
const pupilOf = (groupId: GroupId) => put({ groupId });
const conversationsOf = async (person: Person) =>
  unwrap(await rooms.call('chat.listConversations', person, {})).conversations;
const titlesOf = async (person: Person) =>
  (await conversationsOf(person)).map(({ kind, title }) => `${kind} ${title ?? ''}`.trim()).sort();
const me = async (person: Person) => unwrap(await rooms.call('school.getSchool', person, {})).me;
const query = (text: string, values: string[]) => rooms.platform.database.client.unsafe(text, values);
const end = (by: Person, of: Person, reason: 'left' | 'expelled' = 'left') =>
  rooms.call('school.endMembership', by, { membershipId: of.as, reason });
const transfer = (by: Person, people: readonly Person[], groupId: GroupId) =>
  rooms.call('school.transferMembers', by, { membershipIds: people.map(({ as }) => as), groupId });

/** A conversation filled by hand, with these people; there is no procedure yet that makes one. */
async function councilOf(...people: Person[]): Promise<ConversationId> {
  const id = uuid() as ConversationId;
  await query(
    `insert into conversations (school_id, id, kind, title, member_count, created_at)
     values ($1, $2, 'council', 'Совет', ${people.length}, now())`,
    [school.schoolId, id],
  );
  for (const { as } of people) {
    await query(
      `insert into conversation_members
        (school_id, conversation_id, membership_id, reader, joined_seq, read_seq, joined_at)
       values ($1, $2, $3, false, 0, 0, now())`,
      [school.schoolId, id, as],
    );
  }
  return id;
}

describe('a transfer', () => {
  it('moves pupils with their guardians, out of the old class’s chats and into the new one’s', async () => {
    const { pupil, guardian, admin, groupId, otherGroupId } = school;
    expect(await titlesOf(pupil)).toEqual(['channel', 'class 7Б', 'subject 7Б']);
    expect(await titlesOf(guardian)).toContain('parents 7Б');
    rooms.announced.length = 0;
    expect(unwrap(await transfer(admin, [pupil, school.classmate], otherGroupId))).toEqual({
      transferred: 2,
    });
    expect(await titlesOf(pupil)).toEqual(['channel', 'class 8А']);
    expect(await titlesOf(guardian)).toEqual(['channel', 'parents 8А']);
    expect(await me(pupil)).toMatchObject({ groupId: otherGroupId, groupName: '8А' });
    expect(await me(guardian)).toMatchObject({ groupId: otherGroupId, children: [{ groupName: '8А' }] });
    const told = rooms.announced.flatMap((each) =>
      each.kind === 'event' && each.name === 'school.membershipChanged' ? [each.audience] : [],
    );
    for (const person of [pupil, guardian, school.classTeacher, school.subjectTeacher]) {
      expect(told).toContainEqual({ membership: person.as });
    }
    const { card } = unwrap(await rooms.call('school.getMember', admin, { membershipId: pupil.as }));
    expect(card.history).toMatchObject([
      { membershipId: pupil.as, groupId: otherGroupId, endedAt: null },
      { membershipId: pupil.as, groupId, endReason: 'moved' },
    ]);
    expect(card.history[0]?.startedAt).toBe(card.history[1]?.endedAt);
    expect(card.guardians).toMatchObject([{ fullName: 'Смирнова Вера', phone: expect.any(String) }]);
  });

  it('keeps direct chats readable, and leaves writing to the contact policy', async () => {
    const { pupil, classTeacher } = school;
    const { conversation } = unwrap(
      await rooms.call('chat.openDirect', classTeacher, { membershipId: pupil.as }),
    );
    unwrap(await transfer(school.admin, [pupil], school.otherGroupId));
    for (const person of [pupil, classTeacher]) {
      const answer = await rooms.call('chat.getConversation', person, { conversationId: conversation.id });
      expect(unwrap(answer).conversation.canPost).toBe(false);
    }
  });

  it('leaves nothing of a class that is archived afterwards', async () => {
    const { pupil, guardian, classTeacher } = school;
    unwrap(await transfer(school.admin, [pupil], school.otherGroupId));
    await graduate(rooms, school);
    expect(await titlesOf(classTeacher)).toContain('class 7Б');
    expect(await titlesOf(pupil)).toEqual(['channel', 'class 9А']);
    expect(await titlesOf(guardian)).toEqual(['channel', 'parents 9А']);
  });

  it('is all or nothing, for pupils of this school alone, into an open class', async () => {
    const { admin, pupil, classTeacher, otherGroupId, groupId } = school;
    expect(outcomeOf(await transfer(admin, [pupil, classTeacher], otherGroupId))).toBe('WRONG_ROLE');
    const foreign = await makeSchool(rooms, 'Соседняя школа');
    expect(outcomeOf(await transfer(admin, [pupil, foreign.pupil], otherGroupId))).toBe('NOT_FOUND');
    expect(outcomeOf(await transfer(admin, [pupil], foreign.groupId))).toBe('NOT_FOUND');
    for (const by of [school.head, classTeacher, school.unverified, pupil, school.guardian]) {
      expect(outcomeOf(await transfer(by, [pupil], otherGroupId))).toBe('FORBIDDEN');
    }
    expect((await me(pupil)).groupId).toBe(groupId);
    const { group } = unwrap(await rooms.call('school.createGroup', admin, { name: '9Я' }));
    unwrap(await rooms.call('school.archiveGroup', admin, { groupId: group.id }));
    expect(outcomeOf(await transfer(admin, [pupil], group.id))).toBe('NOT_FOUND');
  });

  it('of two at once into different classes leaves the pupil in one of them, and tells it', async () => {
    const { pupil, admin, groupId } = school;
    const other = await put({ role: 'teacher', verified: true });
    const { membershipId } = unwrap(
      await rooms.call('school.appointAdmin', admin, { membershipId: other.as }),
    );
    const { group } = unwrap(await rooms.call('school.createGroup', admin, { name: '9А' }));
    await Promise.all([
      transfer(admin, [pupil], school.otherGroupId),
      transfer({ ...other, as: membershipId }, [pupil], group.id),
    ]);
    const { card } = unwrap(await rooms.call('school.getMember', admin, { membershipId: pupil.as }));
    const [now, before, first] = card.history.map((stay) => stay.groupId);
    expect([school.otherGroupId, group.id]).toContain(now);
    expect([school.otherGroupId, group.id]).toContain(before);
    expect(now).not.toBe(before);
    expect(first).toBe(groupId);
    const classes = (await conversationsOf(pupil)).filter((each) => each.kind === 'class');
    expect(classes.map((each) => each.groupId)).toEqual([now]);
  });
});

describe('leaving', () => {
  it('ends several at once or none', async () => {
    const { admin, pupil, classmate, otherPupil } = school;
    const all = [pupil, classmate];
    const endAll = (people: readonly Person[], reason: 'expelled' | 'graduated') =>
      rooms.call('school.endMemberships', admin, { membershipIds: people.map(({ as }) => as), reason });
    const foreign = await makeSchool(rooms, 'Соседняя школа');
    expect(outcomeOf(await endAll([...all, foreign.pupil], 'expelled'))).toBe('NOT_FOUND');
    expect(unwrap(await endAll(all, 'graduated'))).toEqual({ ended: 2 });
    for (const person of all) {
      expect(outcomeOf(await rooms.call('school.getSchool', person, {}))).toBe('FORBIDDEN');
    }
    expect((await me(school.guardian)).standings).toEqual(['PU']);
    expect(outcomeOf(await rooms.call('school.getSchool', otherPupil, {}))).toBe('ok');
    expect(outcomeOf(await endAll([admin], 'expelled'))).toBe('LAST_ADMIN');
  });

  it('ends archived chats too, until it is taken back', async () => {
    const { admin, classTeacher, guardian } = school;
    await graduate(rooms, school);
    for (const person of [classTeacher, guardian]) {
      const before = await titlesOf(person);
      expect(before).toContain('parents 7Б');
      unwrap(await end(admin, person));
      const rows = await query(
        'select 1 from conversation_members where membership_id = $1 and left_at is null',
        [person.as],
      );
      expect(rows).toHaveLength(0);
      unwrap(await rooms.call('school.restoreMembership', admin, { membershipId: person.as }));
      expect(await titlesOf(person)).toEqual(before);
    }
  });

  it('is taken back on the same day, with chats of two, links and read marks', async () => {
    const { admin, pupil, classTeacher, guardian } = school;
    const direct = unwrap(await rooms.call('chat.openDirect', classTeacher, { membershipId: pupil.as }));
    const council = await councilOf(pupil, admin);
    const before = await titlesOf(pupil);
    unwrap(await end(admin, pupil, 'expelled'));
    expect((await me(guardian)).standings).toEqual(['PU']);
    const { card } = unwrap(await rooms.call('school.getMember', admin, { membershipId: pupil.as }));
    expect(card.restorableUntil).not.toBeNull();
    const ended = unwrap(await rooms.call('school.listMembers', admin, { filter: 'ended' })).members;
    expect(ended).toMatchObject([{ membershipId: pupil.as, endReason: 'expelled' }]);
    unwrap(await rooms.call('school.restoreMembership', admin, { membershipId: pupil.as }));
    // Again changes nothing.
    unwrap(await rooms.call('school.restoreMembership', admin, { membershipId: pupil.as }));
    expect(await titlesOf(pupil)).toEqual(before);
    const ids = (await conversationsOf(pupil)).map((each) => each.id);
    expect(ids).toEqual(expect.arrayContaining([direct.conversation.id, council]));
    expect((await me(guardian)).standings).toEqual(['PV']);
  });

  it('is taken back by a confirmed session alone, as it ends: it may give an administrator back', () => {
    expect(procedureContract['school.endMembership'].confirmed).toBe(true);
    expect(procedureContract['school.restoreMembership'].confirmed).toBe(true);
  });

  it('is not taken back later, over another membership, or into a closed class', async () => {
    const { admin, pupil, otherPupil } = school;
    const restore = (of: Person) => rooms.call('school.restoreMembership', admin, { membershipId: of.as });
    unwrap(await end(admin, pupil));
    await query(`update memberships set ended_at = now() - interval '25 hours' where id = $1`, [pupil.as]);
    expect(outcomeOf(await restore(pupil))).toBe('UNDO_EXPIRED');
    unwrap(await end(admin, otherPupil));
    await enrol(rooms, school.schoolId, {
      role: 'pupil',
      fullName: 'Кузнецов Лев',
      groupId: school.groupId,
      accountId: otherPupil.caller.accountId,
    });
    expect(outcomeOf(await restore(otherPupil))).toBe('ALREADY_MEMBER');
    const { group } = unwrap(await rooms.call('school.createGroup', admin, { name: '1А' }));
    const lone = await pupilOf(group.id);
    unwrap(await end(admin, lone));
    unwrap(await rooms.call('school.archiveGroup', admin, { groupId: group.id }));
    expect(outcomeOf(await restore(lone))).toBe('CONFLICT');
    const foreign = await makeSchool(rooms, 'Соседняя школа');
    expect(outcomeOf(await restore(foreign.pupil))).toBe('NOT_FOUND');
  });

  it('hands classes, subjects and hand-filled conversations to a successor in one step', async () => {
    const { admin, classTeacher, subjectTeacher, otherTeacher, groupId } = school;
    const council = await councilOf(classTeacher, admin);
    const plan = unwrap(await rooms.call('school.planHandOver', admin, { membershipId: classTeacher.as }));
    expect(plan).toEqual({
      attachments: [{ groupId, kind: 'class', subject: null }],
      conversations: [{ conversationId: council, title: 'Совет' }],
    });
    const input = {
      membershipId: classTeacher.as,
      toId: otherTeacher.as,
      attachments: plan.attachments,
      conversationIds: [council],
      leaves: true,
    };
    for (const [change, code] of [
      [{ toId: school.unverified.as }, 'WRONG_ROLE'],
      [{ toId: classTeacher.as }, 'WRONG_ROLE'],
      [{ toId: school.pupil.as }, 'WRONG_ROLE'],
      [{ conversationIds: [uuid() as ConversationId] }, 'NOT_FOUND'],
    ] satisfies [object, string][]) {
      expect(outcomeOf(await rooms.call('school.handOver', admin, { ...input, ...change }))).toBe(code);
    }
    expect(await titlesOf(classTeacher)).toContain('council Совет');
    unwrap(await rooms.call('school.handOver', admin, input));
    expect(outcomeOf(await rooms.call('school.getSchool', classTeacher, {}))).toBe('FORBIDDEN');
    expect((await me(otherTeacher)).standings).toEqual(['CT', 'ST']);
    expect(await titlesOf(otherTeacher)).toEqual(
      expect.arrayContaining(['class 7Б', 'parents 7Б', 'council Совет']),
    );
    expect((await me(subjectTeacher)).attachments).toHaveLength(1);
  });
});

describe('roles', () => {
  it('change as a new membership with the same verification and a history', async () => {
    const { admin, subjectTeacher } = school;
    const council = await councilOf(subjectTeacher, admin);
    const change = (membershipId: MembershipId, role: 'head' | 'teacher') =>
      rooms.call('school.changeRole', admin, { membershipId, role });
    const { membershipId } = unwrap(await change(subjectTeacher.as, 'head'));
    const asHead = { ...subjectTeacher, as: membershipId };
    expect(outcomeOf(await rooms.call('school.getSchool', subjectTeacher, {}))).toBe('FORBIDDEN');
    expect(await me(asHead)).toMatchObject({ standings: ['HD'], verified: true });
    expect((await conversationsOf(asHead)).map((each) => each.id)).toContain(council);
    const { card } = unwrap(await rooms.call('school.getMember', admin, { membershipId }));
    expect(card.verification).toMatchObject({ by: null, basis: 'test' });
    expect(card.history).toMatchObject([
      { role: 'head', endedAt: null },
      { role: 'teacher', endReason: 'moved' },
    ]);
    const back = unwrap(await change(membershipId, 'teacher'));
    expect((await me({ ...asHead, as: back.membershipId })).standings).toEqual(['ST']);
    expect(outcomeOf(await change(back.membershipId, 'teacher'))).toBe('ALREADY_MEMBER');
    expect(outcomeOf(await change(school.unverified.as, 'head'))).toBe('WRONG_ROLE');
    expect(outcomeOf(await change(school.pupil.as, 'head'))).toBe('WRONG_ROLE');
    expect(outcomeOf(await change(admin.as, 'teacher'))).toBe('LAST_ADMIN');
    expect((await me(admin)).role).toBe('admin');
  });

  it('know one head at most', async () => {
    const { admin, head } = school;
    const second = await put({ role: 'head', fullName: 'Вторая Алла', verified: true });
    const appoint = (of: Person) => rooms.call('school.appointHead', admin, { membershipId: of.as });
    expect(outcomeOf(await appoint(school.classTeacher))).toBe('WRONG_ROLE');
    expect((await Promise.all([appoint(head), appoint(second)])).map(outcomeOf)).toEqual(['ok', 'ok']);
    const heads = async () =>
      unwrap(await rooms.call('school.listMembers', admin, { role: 'head' })).members.filter(
        (each) => each.isHead,
      );
    const [marked] = await heads();
    expect(await heads()).toHaveLength(1);
    unwrap(await rooms.call('school.dismissHead', admin, { membershipId: marked?.membershipId ?? head.as }));
    expect(await heads()).toEqual([]);
  });

  it('keep an administrator when two of three end each other at once', async () => {
    const { admin } = school;
    const more: Person[] = [];
    for (const person of [school.classTeacher, school.otherTeacher]) {
      const { membershipId } = unwrap(
        await rooms.call('school.appointAdmin', admin, { membershipId: person.as }),
      );
      more.push({ ...person, as: membershipId });
    }
    const [second = admin] = more;
    const outcomes = (await Promise.all([end(admin, second), end(second, admin)])).map(outcomeOf);
    // Whoever was dismissed first dismisses nobody.
    expect(outcomes.sort()).toEqual(['FORBIDDEN', 'ok']);
    const [row] = await query(
      `select count(*)::int as n from memberships where school_id = $1 and role = 'admin' and ended_at is null`,
      [school.schoolId],
    );
    expect(row?.n).toBe(2);
  });
});

it('is ended by no administrator who lost the verification while it was under way', async () => {
  const { admin, schoolId } = school;
  const { membershipId } = unwrap(
    await rooms.call('school.appointAdmin', admin, { membershipId: school.otherTeacher.as }),
  );
  const third = unwrap(
    await rooms.call('school.appointAdmin', admin, { membershipId: school.classTeacher.as }),
  );
  const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%"schools"%'`;
  let attempt: ReturnType<typeof end> | undefined;
  await rooms.platform.database.client.begin(async (sql) => {
    await sql`select 1 from schools where id = ${schoolId} for update`;
    attempt = end({ ...school.otherTeacher, as: membershipId }, { ...admin, as: third.membershipId });
    await expect.poll(() => query(waiting, []), { timeout: 5_000 }).toHaveLength(1);
    await sql`delete from verifications where membership_id = ${membershipId}`;
  });
  expect(await attempt).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
});

describe('the list', () => {
  const names = async (by: Person, input: object) =>
    unwrap(await rooms.call('school.listMembers', by, input)).members.map((each) => each.fullName);

  it('finds people by the beginnings of words, ё and hyphens aside', async () => {
    const { admin } = school;
    await put({ fullName: 'Чернышёва-Орлова Алёна', groupId: school.groupId });
    expect(await names(admin, { search: 'орл' })).toEqual(['Орлов Пётр', 'Чернышёва-Орлова Алёна']);
    expect(await names(admin, { search: 'АЛЕНА черн' })).toEqual(['Чернышёва-Орлова Алёна']);
    expect(await names(admin, { search: 'рлов' })).toEqual([]);
    expect(await names(admin, { search: 'смир', role: 'guardian' })).toEqual(['Смирнова Вера']);
  });

  it('finds people by a phone, for whoever may know it', async () => {
    const { admin, guardian, classTeacher, subjectTeacher, head } = school;
    const [row] = await query('select phone from accounts where id = $1', [guardian.caller.accountId]);
    const digits = String(row?.phone).slice(-7);
    expect(await names(admin, { search: digits })).toEqual(['Смирнова Вера']);
    expect(await names(admin, { search: `8 (901) ${digits}` })).toEqual(['Смирнова Вера']);
    expect(await names(classTeacher, { search: digits })).toEqual(['Смирнова Вера']);
    for (const by of [head, subjectTeacher, school.pupil, school.unlinked]) {
      expect(await names(by, { search: digits })).toEqual([]);
    }
  });

  it('is narrowed to what an administrator looks after, and counted', async () => {
    const { admin, head, unverified, unlinked, classmate } = school;
    expect(await names(admin, { filter: 'unverifiedStaff' })).toEqual([unverified.fullName]);
    expect(await names(admin, { filter: 'guardiansWithoutChild' })).toEqual([unlinked.fullName]);
    expect(await names(head, { filter: 'pupilsWithoutGuardian' })).toEqual([classmate.fullName]);
    const { counts } = unwrap(await rooms.call('school.countMembers', admin, {}));
    expect(counts).toEqual({
      all: 12,
      roles: { admin: 1, head: 1, teacher: 4, pupil: 3, guardian: 3 },
      filters: { unverifiedStaff: 1, guardiansWithoutChild: 1, pupilsWithoutGuardian: 1, ended: 0 },
    });
    const narrowed = unwrap(
      await rooms.call('school.countMembers', admin, { groupId: school.groupId, search: 'смир' }),
    );
    expect(narrowed.counts).toMatchObject({ all: 2, roles: { pupil: 1, guardian: 1 } });
    expect(outcomeOf(await rooms.call('school.listMembers', head, { filter: 'ended' }))).toBe('FORBIDDEN');
    for (const by of [school.classTeacher, school.pupil, school.guardian, unverified]) {
      expect(outcomeOf(await rooms.call('school.countMembers', by, {}))).toBe('FORBIDDEN');
      expect(outcomeOf(await rooms.call('school.listMembers', by, { filter: 'unverifiedStaff' }))).toBe(
        'FORBIDDEN',
      );
      expect(outcomeOf(await rooms.call('school.getMember', by, { membershipId: school.pupil.as }))).toBe(
        'FORBIDDEN',
      );
    }
  });

  it('pages through those who are gone', async () => {
    const { admin, pupil, classmate, otherPupil } = school;
    for (const person of [pupil, classmate, otherPupil]) unwrap(await end(admin, person));
    const page = async (after?: MembershipId) =>
      unwrap(
        await rooms.call('school.listMembers', admin, {
          filter: 'ended',
          limit: 2,
          ...(after === undefined ? {} : { after }),
        }),
      );
    const first = await page();
    expect(first).toMatchObject({ hasMore: true, members: [{ endReason: 'left' }, { endReason: 'left' }] });
    const second = await page(first.members[1]?.membershipId);
    expect(second.members.map((each) => each.fullName)).toEqual(['Смирнов Илья']);
    const countedBy = async (by: Person) =>
      unwrap(await rooms.call('school.countMembers', by, {})).counts.filters.ended;
    // How many are gone is the administrators' business, as who they are.
    expect([await countedBy(admin), await countedBy(school.head)]).toEqual([3, 0]);
    expect(outcomeOf(await rooms.call('school.listMembers', admin, { after: pupil.as }))).toBe('NOT_FOUND');
  });

  it('shows a head no phones but those of staff, and no basis', async () => {
    const { head, pupil, classTeacher } = school;
    const card = async (by: Person, of: Person) =>
      unwrap(await rooms.call('school.getMember', by, { membershipId: of.as })).card;
    expect((await card(head, pupil)).guardians[0]?.phone).toBeNull();
    expect((await card(head, pupil)).member.phone).toBeNull();
    expect((await card(head, classTeacher)).member.phone).not.toBeNull();
    expect((await card(head, classTeacher)).verification?.basis).toBeNull();
  });
});

it('corrects a name everywhere at once, in the lists of chats too', async () => {
  const { admin, pupil, classTeacher, guardian } = school;
  unwrap(await rooms.call('chat.openDirect', classTeacher, { membershipId: pupil.as }));
  rooms.announced.length = 0;
  const input = { membershipId: pupil.as, fullName: 'Смирнов   Илья Петрович ' };
  expect(unwrap(await rooms.call('school.correctMember', admin, input)).fullName).toBe(
    'Смирнов Илья Петрович',
  );
  expect((await me(guardian)).children[0]?.fullName).toBe('Смирнов Илья Петрович');
  const direct = (await conversationsOf(classTeacher)).find((each) => each.kind === 'direct');
  expect(direct?.other?.fullName).toBe('Смирнов Илья Петрович');
  const told = rooms.announced.flatMap((each) =>
    each.kind === 'event' && each.name === 'chat.membersChanged' ? [each.audience] : [],
  );
  expect(told).toContainEqual({ conversation: direct?.id });
  // Nobody lists the readers of the whole school's channel.
  const general = (await conversationsOf(pupil)).find((each) => each.kind === 'channel');
  expect(told).not.toContainEqual({ conversation: general?.id });
  const mixed = { membershipId: pupil.as, fullName: 'Смирнoв Илья' };
  expect(outcomeOf(await rooms.call('school.correctMember', admin, mixed))).toBe('VALIDATION');
  const other = { membershipId: pupil.as, fullName: 'Кто Угодно' };
  for (const by of [school.head, classTeacher, guardian, pupil]) {
    expect(outcomeOf(await rooms.call('school.correctMember', by, other))).toBe('FORBIDDEN');
  }
});
