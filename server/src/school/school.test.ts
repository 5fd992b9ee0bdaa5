import { randomBytes } from 'node:crypto';
import type { GroupId, InviteId, MembershipId } from '@zvonok/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  callerOf,
  joined,
  outcomeOf,
  type Person,
  type Rooms,
  startRooms,
  unwrap,
} from '../testing/rooms.ts';
import { enrol, makeSchool, newAccount, type TestSchool } from '../testing/school.ts';
import { normaliseFullName } from './school.names.ts';

let rooms: Rooms;
let school: TestSchool;
/** Another school of the same server. */
let elsewhere: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
  elsewhere = await makeSchool(rooms, 'Школа №30');
});
afterAll(() => rooms?.close());

const query = (...args: Parameters<Rooms['platform']['database']['client']['unsafe']>) =>
  rooms.platform.database.client.unsafe(...args);

const invite = async (by: Person, input: Parameters<typeof rooms.call<'school.createInvite'>>[2]) =>
  unwrap(await rooms.call('school.createInvite', by, input));

const newCaller = async () => callerOf(await newAccount(rooms));

const redeem = (token: string, caller: Person['caller'], fullName = 'Новый Человек') =>
  rooms.call('school.redeemInvite', caller, { token, fullName });

/** The titles or kinds of the conversations that the person is in. */
async function conversationsOf(person: { as: MembershipId }): Promise<string[]> {
  const rows = await query(
    `select c.kind, c.channel, c.title, c.subject, m.reader from conversation_members m
     join conversations c on c.school_id = m.school_id and c.id = m.conversation_id
     where m.membership_id = $1 and m.left_at is null`,
    [person.as],
  );
  return rows
    .map((row) =>
      [row.kind, row.channel, row.title, row.subject, row.reader ? 'reader' : null]
        .filter((part) => part !== null)
        .join(' '),
    )
    .sort();
}

it('puts people where they belong by themselves', async () => {
  expect(await conversationsOf(school.pupil)).toEqual([
    'channel general reader',
    'class 7Б',
    'subject 7Б Алгебра',
  ]);
  expect(await conversationsOf(school.classTeacher)).toEqual([
    'channel general reader',
    'channel staff reader',
    'class 7Б',
    'classTeachers 7Б',
    'parents 7Б',
    'staff',
    'subject 7Б Алгебра reader',
  ]);
  expect(await conversationsOf(school.subjectTeacher)).toEqual([
    'channel general reader',
    'channel staff reader',
    'classTeachers 7Б',
    'staff',
    'subject 7Б Алгебра',
  ]);
  expect(await conversationsOf(school.admin)).toEqual(['channel general', 'channel staff', 'staff']);
  expect(await conversationsOf(school.head)).toEqual(['channel general', 'channel staff', 'staff']);
  expect(await conversationsOf(school.guardian)).toEqual(['channel general reader', 'parents 7Б']);
  expect(await conversationsOf(school.unlinked)).toEqual([]);
  expect(await conversationsOf(school.unverified)).toEqual([]);
});

it('redeems an invite once per use, whoever comes at once', async () => {
  const { token, invite: made } = await invite(school.admin, { role: 'pupil', groupId: school.groupId });
  const callers = await Promise.all(Array.from({ length: 8 }, newCaller));
  const outcomes = (await Promise.all(callers.map((caller) => redeem(token, caller)))).map(outcomeOf);
  expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === 'INVITE_INVALID')).toHaveLength(7);
  const listed = unwrap(await rooms.call('school.listInvites', school.admin, {})).invites;
  expect(listed.find((each) => each.id === made.id)).toMatchObject({ used: 1, state: 'used' });
  const [stored] = await query('select count(*)::int as n from invite_redemptions where invite_id = $1', [
    made.id,
  ]);
  expect(stored?.n).toBe(1);
});

it('redeems several uses, the same for a repeated reply, and never more', async () => {
  const { token } = await invite(school.admin, { role: 'guardian', groupId: school.groupId, uses: 2 });
  const [first, second, third] = await Promise.all([newCaller(), newCaller(), newCaller()]);
  const once = joined(await redeem(token, first));
  expect(joined(await redeem(token, first))).toEqual(once);
  expect(once).toMatchObject({
    role: 'guardian',
    standings: ['PU'],
    groupName: '7Б',
    schoolName: 'Школа №29',
  });
  expect(outcomeOf(await redeem(token, second))).toBe('ok');
  expect(outcomeOf(await redeem(token, third))).toBe('INVITE_INVALID');
  // The lost reply of the one who is in is still answered.
  expect(joined(await redeem(token, first)).id).toBe(once.id);
});

it('refuses annulled, expired and unknown invites alike, before and behind the door', async () => {
  const annulled = await invite(school.admin, { role: 'teacher' });
  unwrap(await rooms.call('school.annulInvite', school.admin, { inviteId: annulled.invite.id }));
  const expired = await invite(school.admin, { role: 'teacher' });
  await query('update invites set expires_at = now() where id = $1', [expired.invite.id]);
  const unknown = randomBytes(32).toString('base64url');
  const caller = await newCaller();
  const replies = [];
  for (const token of [annulled.token, expired.token, unknown]) {
    replies.push(await rooms.call('school.previewInvite', undefined, { token }), await redeem(token, caller));
  }
  expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
  expect(replies.map(outcomeOf)).toContain('INVITE_INVALID');
  const stored = await query('select * from invites where id = $1', [annulled.invite.id]);
  expect(JSON.stringify(stored)).not.toContain(annulled.token);
});

it('shows where an invite leads without using it up', async () => {
  const { token, invite: made } = await invite(school.classTeacher, {
    role: 'pupil',
    groupId: school.groupId,
  });
  for (let n = 0; n < 5; n++) {
    expect(unwrap(await rooms.call('school.previewInvite', undefined, { token }))).toEqual({
      schoolName: 'Школа №29',
      vocabulary: 'school',
      role: 'pupil',
      groupName: '7Б',
      subject: null,
      needsApproval: false,
      match: 'none',
      personal: false,
    });
  }
  const [row] = await query('select used from invites where id = $1', [made.id]);
  expect(row?.used).toBe(0);
  unwrap(await redeem(token, await newCaller()));
});

it('keeps a pupil in one group and a person in one role once', async () => {
  const mine = await invite(school.admin, { role: 'pupil', groupId: school.groupId, uses: 5 });
  const again = await invite(school.admin, { role: 'pupil', groupId: school.groupId });
  const other = await invite(school.admin, { role: 'pupil', groupId: school.otherGroupId });
  const caller = await newCaller();
  unwrap(await redeem(mine.token, caller));
  expect(outcomeOf(await redeem(again.token, caller))).toBe('ALREADY_MEMBER');
  expect(outcomeOf(await redeem(other.token, caller))).toBe('GROUP_TAKEN');
  // What was refused used nothing up.
  expect(outcomeOf(await redeem(other.token, await newCaller()))).toBe('ok');
  // Two groups at once: one of them.
  const first = await invite(school.admin, { role: 'pupil', groupId: school.groupId });
  const second = await invite(school.admin, { role: 'pupil', groupId: school.otherGroupId });
  const racer = await newCaller();
  const race = await Promise.all([redeem(first.token, racer), redeem(second.token, racer)]);
  expect(race.map(outcomeOf).filter((outcome) => outcome === 'ok')).toHaveLength(1);
});

it('links a guardian to the child that the invite names, and to a second child by a second one', async () => {
  const forChild = (childId: MembershipId, groupId: GroupId) =>
    invite(school.admin, { role: 'guardian', groupId, childId });
  const caller = await newCaller();
  const one = await forChild(school.classmate.as, school.groupId);
  const first = joined(await redeem(one.token, caller));
  expect(first.children.map((child) => child.membershipId)).toEqual([school.classmate.as]);
  expect(first.standings).toEqual(['PV']);
  const two = await forChild(school.otherPupil.as, school.otherGroupId);
  const second = joined(await redeem(two.token, caller));
  expect(second.id).toBe(first.id);
  expect(second.children).toHaveLength(2);
  expect(await conversationsOf({ as: first.id })).toEqual([
    'channel general reader',
    'parents 7Б',
    'parents 8А',
  ]);
  // A class teacher may invite guardians and not link them: that is asked for.
  const linking = await rooms.call('school.createInvite', school.classTeacher, {
    role: 'guardian',
    groupId: school.groupId,
    childId: school.pupil.as,
  });
  expect(outcomeOf(linking)).toBe('FORBIDDEN');
});

it('does not let back in by the same link whoever was sent away', async () => {
  const { token } = await invite(school.admin, { role: 'pupil', groupId: school.groupId, uses: 3 });
  const caller = await newCaller();
  const membership = joined(await redeem(token, caller));
  unwrap(
    await rooms.call('school.endMembership', school.admin, {
      membershipId: membership.id,
      reason: 'expelled',
    }),
  );
  expect(outcomeOf(await redeem(token, caller))).toBe('INVITE_INVALID');
});

it('ends links with the rights of whoever made them', async () => {
  const teacher = await enrol(rooms, school.schoolId, {
    role: 'teacher',
    fullName: 'Крылова Дарья',
    verified: true,
    attachments: [{ groupId: school.otherGroupId, kind: 'class', subject: null }],
  });
  const byTeacher = await invite(teacher, { role: 'pupil', groupId: school.otherGroupId });
  unwrap(
    await rooms.call('school.detachTeacher', school.admin, {
      membershipId: teacher.as,
      groupId: school.otherGroupId,
      kind: 'class',
    }),
  );
  expect(outcomeOf(await redeem(byTeacher.token, await newCaller()))).toBe('INVITE_INVALID');
  expect(
    outcomeOf(
      await rooms.call('school.createInvite', teacher, { role: 'pupil', groupId: school.otherGroupId }),
    ),
  ).toBe('FORBIDDEN');
  expect(await conversationsOf(teacher)).toEqual(['channel general reader', 'channel staff reader', 'staff']);

  const head = await enrol(rooms, school.schoolId, { role: 'head', fullName: 'Гусева Рита', verified: true });
  const byHead = await invite(head, { role: 'guardian', groupId: school.groupId });
  unwrap(await rooms.call('school.endMembership', school.admin, { membershipId: head.as, reason: 'left' }));
  expect(outcomeOf(await redeem(byHead.token, await newCaller()))).toBe('INVITE_INVALID');
});

it('always keeps one administrator, of two who end each other at once', async () => {
  const own = await makeSchool(rooms, 'Школа №31');
  const teacher = await enrol(rooms, own.schoolId, {
    role: 'teacher',
    fullName: 'Белов Иван',
    verified: true,
  });
  expect(
    outcomeOf(
      await rooms.call('school.endMembership', own.admin, { membershipId: own.admin.as, reason: 'left' }),
    ),
  ).toBe('LAST_ADMIN');
  const { membershipId } = unwrap(
    await rooms.call('school.appointAdmin', own.admin, { membershipId: teacher.as }),
  );
  const second = { ...teacher, as: membershipId };
  expect(outcomeOf(await rooms.call('school.appointAdmin', own.admin, { membershipId: teacher.as }))).toBe(
    'ALREADY_MEMBER',
  );
  const end = (by: Person, of: Person) =>
    rooms.call('school.endMembership', by, { membershipId: of.as, reason: 'left' });
  const race = await Promise.all([end(own.admin, second), end(second, own.admin)]);
  expect(race.map(outcomeOf).sort()).toEqual(['LAST_ADMIN', 'ok']);
  const [row] = await query(
    `select count(*)::int as n from memberships where school_id = $1 and role = 'admin' and ended_at is null`,
    [own.schoolId],
  );
  expect(row?.n).toBe(1);
});

it('takes rights at once: the ended act no more, and guardians of an ended child are linked to nobody', async () => {
  const child = await enrol(rooms, school.schoolId, {
    role: 'pupil',
    fullName: 'Уходящий Олег',
    groupId: school.groupId,
  });
  const guardian = await enrol(rooms, school.schoolId, {
    role: 'guardian',
    fullName: 'Уходящая Нина',
    groupId: school.groupId,
    childId: child.as,
  });
  unwrap(await rooms.call('school.getSchool', child, {}));
  expect(unwrap(await rooms.call('school.getSchool', guardian, {})).me.standings).toEqual(['PV']);
  rooms.announced.length = 0;
  unwrap(
    await rooms.call('school.endMembership', school.admin, { membershipId: child.as, reason: 'graduated' }),
  );
  expect(outcomeOf(await rooms.call('school.getSchool', child, {}))).toBe('FORBIDDEN');
  expect(unwrap(await rooms.call('school.getSchool', guardian, {})).me.standings).toEqual(['PU']);
  expect(await conversationsOf(guardian)).toEqual([]);
  expect(await conversationsOf(child)).toEqual([]);
  expect(rooms.announced).toContainEqual({
    kind: 'signal',
    signal: { name: 'membershipEnded', membershipIds: [child.as] },
  });
  // The history stays.
  const [row] = await query('select end_reason, ended_by from memberships where id = $1', [child.as]);
  expect(row).toMatchObject({ end_reason: 'graduated', ended_by: school.admin.as });
  // Who wrote what is still read has a name.
  const described = await rooms.school.describeMembers(school.schoolId, [child.as]);
  expect(described.get(child.as)?.fullName).toBe('Уходящий Олег');
});

it('gives a teacher rights with the verification, and never by themselves', async () => {
  const teacher = await enrol(rooms, school.schoolId, {
    role: 'teacher',
    fullName: 'Егоров Яков',
    attachments: [{ groupId: school.groupId, kind: 'subject', subject: 'Физика' }],
  });
  expect(await conversationsOf(teacher)).toEqual([]);
  unwrap(
    await rooms.call('school.verifyTeacher', school.admin, { membershipId: teacher.as, basis: 'приказ №7' }),
  );
  expect(unwrap(await rooms.call('school.getSchool', teacher, {})).me).toMatchObject({
    verified: true,
    standings: ['ST'],
  });
  expect(await conversationsOf(teacher)).toEqual([
    'channel general reader',
    'channel staff reader',
    'classTeachers 7Б',
    'staff',
    'subject 7Б Физика',
  ]);
  // The pupils came along.
  expect(await conversationsOf(school.pupil)).toContain('subject 7Б Физика');

  const own = await enrol(rooms, school.schoolId, {
    role: 'teacher',
    fullName: school.admin.fullName,
    accountId: school.admin.caller.accountId,
  });
  expect(
    outcomeOf(
      await rooms.call('school.verifyTeacher', school.admin, { membershipId: own.as, basis: 'я сама' }),
    ),
  ).toBe('FORBIDDEN');
  expect(
    outcomeOf(
      await rooms.call('school.verifyTeacher', school.admin, { membershipId: school.pupil.as, basis: 'x' }),
    ),
  ).toBe('WRONG_ROLE');
});

it('archives a class without pupils, with its open invites', async () => {
  const { group } = unwrap(await rooms.call('school.createGroup', school.admin, { name: '11 А' }));
  expect(outcomeOf(await rooms.call('school.createGroup', school.admin, { name: '11  а' }))).toBe(
    'NAME_TAKEN',
  );
  const { token } = await invite(school.admin, { role: 'pupil', groupId: group.id, uses: 2 });
  const membership = joined(await redeem(token, await newCaller()));
  const archive = () => rooms.call('school.archiveGroup', school.admin, { groupId: group.id });
  expect(outcomeOf(await archive())).toBe('CONFLICT');
  unwrap(
    await rooms.call('school.endMembership', school.admin, {
      membershipId: membership.id,
      reason: 'graduated',
    }),
  );
  expect(unwrap(await archive()).group.archivedAt).not.toBeNull();
  expect(outcomeOf(await redeem(token, await newCaller()))).toBe('INVITE_INVALID');
  expect(outcomeOf(await rooms.call('school.createGroup', school.admin, { name: '11 А' }))).toBe('ok');
});

it('shows each only the people they may see, and phones to whom the table says', async () => {
  const see = async (person: Person) => {
    const { members } = unwrap(await rooms.call('school.listMembers', person, {}));
    return new Map(members.map((member) => [member.membershipId, member]));
  };
  const { admin, head, classTeacher, subjectTeacher, otherTeacher, unverified } = school;
  const { pupil, classmate, otherPupil, guardian, otherGuardian, unlinked } = school;
  const all = [admin, head, classTeacher, subjectTeacher, otherTeacher, unverified].concat([
    pupil,
    classmate,
    otherPupil,
    guardian,
    otherGuardian,
    unlinked,
  ]);
  const seenBy = async (person: Person) => {
    const seen = await see(person);
    return all.filter((each) => seen.has(each.as)).map((each) => each.fullName);
  };
  const names = (...people: Person[]) =>
    all.filter((each) => people.includes(each)).map((each) => each.fullName);
  expect(await seenBy(admin)).toEqual(names(...all));
  expect(await seenBy(head)).toEqual(names(...all));
  const staff = [admin, head, classTeacher, subjectTeacher, otherTeacher];
  expect(await seenBy(classTeacher)).toEqual(
    names(...staff, unverified, pupil, classmate, guardian, unlinked),
  );
  expect(await seenBy(subjectTeacher)).toEqual(names(...staff, unverified, pupil, classmate, guardian));
  expect(await seenBy(otherTeacher)).toEqual(names(...staff, unverified));
  expect(await seenBy(unverified)).toEqual(names(...staff, unverified));
  expect(await seenBy(pupil)).toEqual(names(admin, head, classTeacher, subjectTeacher, pupil, classmate));
  expect(await seenBy(guardian)).toEqual(names(admin, head, classTeacher, subjectTeacher, pupil, guardian));
  expect(await seenBy(unlinked)).toEqual(names(admin, unlinked));

  const phonesSeenBy = async (person: Person) => {
    const seen = await see(person);
    return all.filter((each) => seen.get(each.as)?.phone).map((each) => each.fullName);
  };
  expect(await phonesSeenBy(admin)).toEqual(names(...all));
  expect(await phonesSeenBy(head)).toEqual(names(...staff, unverified));
  expect(await phonesSeenBy(classTeacher)).toEqual(names(classTeacher, guardian));
  for (const person of [subjectTeacher, otherTeacher, unverified, pupil, guardian, unlinked]) {
    expect(await phonesSeenBy(person)).toEqual(names(person));
  }
});

it('pages the directory by name', async () => {
  const names: string[] = [];
  let after: MembershipId | undefined;
  for (;;) {
    const page = unwrap(
      await rooms.call('school.listMembers', elsewhere.admin, {
        limit: 5,
        ...(after === undefined ? {} : { after }),
      }),
    );
    names.push(...page.members.map((member) => member.fullName));
    after = page.members.at(-1)?.membershipId;
    if (!page.hasMore) break;
  }
  expect(names).toHaveLength(12);
  expect(names).toEqual([...names].sort((a, b) => (a < b ? -1 : 1)));
  const pupils = unwrap(
    await rooms.call('school.listMembers', elsewhere.admin, { groupId: elsewhere.groupId, role: 'pupil' }),
  );
  expect(pupils.members.map((member) => member.fullName)).toEqual(['Зайцева Мария', 'Смирнов Илья']);
  const { groups } = unwrap(await rooms.call('school.listGroups', elsewhere.admin, {}));
  const staffRoom = groups.find((group) => group.kind === 'staff');
  if (staffRoom === undefined) throw new Error('no staff room');
  const staff = unwrap(await rooms.call('school.listMembers', elsewhere.head, { groupId: staffRoom.id }));
  expect(staff.members.map((member) => member.role).sort()).toEqual([
    'admin',
    'head',
    'teacher',
    'teacher',
    'teacher',
  ]);
  // A pupil is told of their own group alone.
  const { pupil } = elsewhere;
  for (const groupId of [staffRoom.id, elsewhere.otherGroupId]) {
    expect(outcomeOf(await rooms.call('school.listMembers', pupil, { groupId }))).toBe('NOT_FOUND');
  }
  const mates = unwrap(await rooms.call('school.listMembers', pupil, { groupId: elsewhere.groupId }));
  expect(mates.members.map((member) => member.role).sort()).toEqual(['pupil', 'pupil', 'teacher', 'teacher']);
});

it('answers the same about another school and about nothing, byte for byte', async () => {
  const { admin } = school;
  const absent = () => crypto.randomUUID();
  const { invite: foreignInvite } = await invite(elsewhere.admin, { role: 'teacher' });
  const both = async (ask: (id: string) => Promise<unknown>, foreign: string) => {
    const answer = JSON.stringify(await ask(foreign));
    expect(answer).toBe(JSON.stringify(await ask(absent())));
    expect(answer).toContain('NOT_FOUND');
  };
  const groupId = (id: string) => id as GroupId;
  const membershipId = (id: string) => id as MembershipId;
  const { as: teacherId } = school.otherTeacher;
  await both((id) => rooms.call('school.archiveGroup', admin, { groupId: groupId(id) }), elsewhere.groupId);
  await both((id) => rooms.call('school.listMembers', admin, { groupId: groupId(id) }), elsewhere.groupId);
  await both(
    (id) => rooms.call('school.listMembers', admin, { after: membershipId(id) }),
    elsewhere.pupil.as,
  );
  await both(
    (id) => rooms.call('school.createInvite', admin, { role: 'pupil', groupId: groupId(id) }),
    elsewhere.groupId,
  );
  await both(
    (id) =>
      rooms.call('school.createInvite', admin, {
        role: 'guardian',
        groupId: school.groupId,
        childId: membershipId(id),
      }),
    elsewhere.pupil.as,
  );
  await both((id) => rooms.call('school.annulInvite', admin, { inviteId: id as InviteId }), foreignInvite.id);
  const attachment = { kind: 'class', membershipId: teacherId, groupId: school.groupId } as const;
  for (const name of ['school.attachTeacher', 'school.detachTeacher'] as const) {
    await both((id) => rooms.call(name, admin, { ...attachment, groupId: groupId(id) }), elsewhere.groupId);
    await both(
      (id) => rooms.call(name, admin, { ...attachment, membershipId: membershipId(id) }),
      elsewhere.classTeacher.as,
    );
  }
  for (const name of ['school.linkGuardian', 'school.unlinkGuardian'] as const) {
    await both(
      (id) => rooms.call(name, admin, { guardianId: membershipId(id), childId: school.pupil.as }),
      elsewhere.guardian.as,
    );
    await both(
      (id) => rooms.call(name, admin, { guardianId: school.guardian.as, childId: membershipId(id) }),
      elsewhere.pupil.as,
    );
  }
  await both(
    (id) => rooms.call('school.verifyTeacher', admin, { membershipId: membershipId(id), basis: 'x' }),
    elsewhere.unverified.as,
  );
  await both(
    (id) => rooms.call('school.appointAdmin', admin, { membershipId: membershipId(id) }),
    elsewhere.classTeacher.as,
  );
  await both(
    (id) => rooms.call('school.endMembership', admin, { membershipId: membershipId(id), reason: 'left' }),
    elsewhere.pupil.as,
  );
});

it('lets nobody act as somebody else', async () => {
  const stolen = { ...school.pupil, as: school.admin.as };
  const absent = { ...school.pupil, as: crypto.randomUUID() as MembershipId };
  const answer = await rooms.call('school.listGroups', stolen, {});
  expect(outcomeOf(answer)).toBe('FORBIDDEN');
  expect(answer).toEqual(await rooms.call('school.listGroups', absent, {}));
});

it('is walled by the database itself', async () => {
  await expect(
    query(
      `insert into teacher_attachments (school_id, membership_id, group_id, kind, subject)
       values ($1, $2, $3, 'class', '')`,
      [school.schoolId, school.classTeacher.as, elsewhere.groupId],
    ),
  ).rejects.toThrow('foreign key');
  await expect(
    query(
      `insert into memberships (school_id, id, account_id, role, full_name, group_id)
       values ($1, gen_random_uuid(), $2, 'pupil', 'Двойник', $3)`,
      [school.schoolId, school.pupil.caller.accountId, school.otherGroupId],
    ),
  ).rejects.toThrow('memberships_active');
});

it('refuses names that only look like other names', () => {
  expect(normaliseFullName('  Иванова   Анна ')).toBe('Иванова Анна');
  expect(normaliseFullName('Ёлкина-Smith Ольга')).toBe('Ёлкина-Smith Ольга');
  expect(() => normaliseFullName('Ивaнова Анна')).toThrow('look alike');
});
