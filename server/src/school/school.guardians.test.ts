import {
  type ClientMessageId,
  type ConversationId,
  type MembershipId,
  procedureContract,
} from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, graduate, makeSchool, type TestSchool } from '../testing/school.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const put = (person: Parameters<typeof enrol>[2]) => enrol(rooms, school.schoolId, person);

/** A child of 8А with its teacher, and a guardian who was once invited to 7Б. */
async function family() {
  const child = await put({ role: 'pupil', fullName: 'Дроздов Марк', groupId: school.otherGroupId });
  return {
    child,
    guardian: await put({
      role: 'guardian',
      fullName: 'Дроздова Анна',
      groupId: school.groupId,
      childId: child.as,
    }),
    other: await put({
      role: 'guardian',
      fullName: 'Дроздов Пётр',
      groupId: school.otherGroupId,
      childId: child.as,
    }),
    teacher: await put({
      role: 'teacher',
      fullName: 'Ершова Вера',
      verified: true,
      attachments: [{ groupId: school.otherGroupId, kind: 'class', subject: null }],
    }),
  };
}

const limit = (
  guardian: Person,
  child: Person,
  [mayBeInformed, mayBeContacted]: readonly [boolean, boolean],
  by = school.admin,
) =>
  rooms.call('school.limitGuardian', by, {
    guardianId: guardian.as,
    childId: child.as,
    mayBeInformed,
    mayBeContacted,
    reason: 'решение суда № 2-114',
  });
const notInformed = [false, false] as const;
const notContacted = [true, false] as const;
const unlimited = [true, true] as const;

const openDirect = (from: Person, to: Person) => rooms.call('chat.openDirect', from, { membershipId: to.as });
const say = async (from: Person, conversationId: ConversationId) =>
  outcomeOf(
    await rooms.call('chat.sendMessage', from, {
      conversationId,
      clientMessageId: crypto.randomUUID() as ClientMessageId,
      text: 'Здравствуйте',
    }),
  );
const conversationsOf = async (person: Person) =>
  unwrap(await rooms.call('chat.listConversations', person, {})).conversations;
const parentsChatOf = async (person: Person) =>
  (await conversationsOf(person)).find(({ kind }) => kind === 'parents');
const seenBy = async (person: Person) =>
  unwrap(await rooms.call('school.listMembers', person, {})).members.map((member) => member.membershipId);

describe('a guardian who may not be informed', () => {
  it('finds nothing of the child by any procedure that reads', async () => {
    const { child, guardian, teacher } = await family();
    const groupId = school.otherGroupId;
    const chat = await parentsChatOf(guardian);
    const conversationId = chat?.id ?? ('' as ConversationId);
    expect(await say(teacher, conversationId)).toBe('ok');
    unwrap(await limit(guardian, child, notInformed));

    const id = child.as;
    /** What fields of an input name here. */
    const fields: Readonly<Record<string, unknown>> = {
      groupId,
      conversationId,
      membershipId: id,
      childId: id,
      guardianId: guardian.as,
      member: guardian.as,
      limit: 10,
      rev: 0,
      state: 'open',
    };
    const reading = /\.(?:get|list|find|changesSince)/;
    const known = new Set(rooms.dispatcher.procedures.map(({ name }) => name));
    const found = new Set<string>();
    let asks = 0;
    for (const { name, access, input } of Object.values(procedureContract)) {
      if (access !== 'member' || !reading.test(name) || !known.has(name)) continue;
      const named = Object.keys((input as { properties?: object }).properties ?? {});
      const about = named.flatMap((field) => (field in fields ? [[field, fields[field]]] : []));
      for (const asked of [{}, Object.fromEntries(about)]) {
        const answer = await rooms.call(name as 'school.getSchool', guardian, asked);
        asks += answer.ok ? 1 : 0;
        const text = JSON.stringify(answer);
        for (const secret of [
          id,
          child.fullName,
          groupId,
          '8А',
          teacher.as,
          teacher.fullName,
          'guardianLimited',
        ]) {
          if (text.includes(secret)) found.add(`${name}: ${secret}`);
        }
      }
    }
    expect([...found]).toEqual([]);
    expect(asks).toBeGreaterThan(8);
    const me = await rooms.school.membershipsOf(guardian.caller.accountId);
    expect(JSON.stringify(me)).not.toContain(id);
    // As to somebody who was never linked.
    for (const target of [child, teacher]) {
      expect(await openDirect(guardian, target)).toEqual(await openDirect(school.unlinked, target));
    }
    expect(await openDirect(guardian, school.head)).toEqual(await openDirect(school.unlinked, school.head));
    expect(outcomeOf(await openDirect(guardian, school.admin))).toBe('ok');
  });

  it('leaves the parents’ chat at once, and comes back when the limit is lifted', async () => {
    const { child, guardian, other } = await family();
    const chat = await parentsChatOf(guardian);
    rooms.announced.length = 0;
    unwrap(await limit(guardian, child, notInformed));
    const signals = rooms.announced.flatMap((each) => (each.kind === 'signal' ? [each.signal] : []));
    expect(signals).toContainEqual({
      name: 'conversationsChanged',
      membershipId: guardian.as,
      joined: [],
      left: expect.arrayContaining([chat?.id]),
    });
    expect(signals).toContainEqual({
      name: 'membershipChanged',
      membershipIds: expect.arrayContaining([guardian.as]),
    });
    expect(await say(guardian, chat?.id as ConversationId)).toBe('NOT_FOUND');
    // The other parent notices nothing.
    expect(await say(other, chat?.id as ConversationId)).toBe('ok');
    unwrap(await limit(guardian, child, unlimited));
    expect(await say(guardian, chat?.id as ConversationId)).toBe('ok');
  });

  it('keeps the standing that other children give', async () => {
    const { child, guardian } = await family();
    const sister = await put({ role: 'pupil', fullName: 'Дроздова Ева', groupId: school.groupId });
    unwrap(
      await rooms.call('school.linkGuardian', school.admin, { guardianId: guardian.as, childId: sister.as }),
    );
    unwrap(await limit(guardian, child, notInformed));
    const { me } = unwrap(await rooms.call('school.getSchool', guardian, {}));
    expect(me.standings).toEqual(['PV']);
    expect(me.children.map((each) => each.membershipId)).toEqual([sister.as]);
    expect((await parentsChatOf(guardian))?.groupId).toBe(school.groupId);
  });
});

describe('the parents’ chat of an archived class', () => {
  it('is closed to whoever may not be informed of the child any more, and to nobody else', async () => {
    const own = await makeSchool(rooms, 'Школа №34');
    const { admin, pupil, classmate, guardian, unlinked, groupId, otherGroupId } = own;
    const putOwn = (person: Parameters<typeof enrol>[2]) => enrol(rooms, own.schoolId, person);
    const role = 'guardian';
    const second = await putOwn({ role, fullName: 'Смирнов Олег', groupId, childId: pupil.as });
    const other = await putOwn({ role, fullName: 'Зайцева Анна', groupId, childId: classmate.as });
    const limited = await putOwn({ role, fullName: 'Зайцев Роман', groupId, childId: classmate.as });
    unwrap(await limit(limited, classmate, notInformed, admin));
    await graduate(rooms, own);
    const readers = async () => {
      const inChat = [];
      for (const person of [guardian, second, other, limited, unlinked]) {
        const chats = await conversationsOf(person);
        if (chats.some((each) => each.kind === 'parents' && each.groupId === groupId)) inChat.push(person);
      }
      return inChat.map(({ fullName }) => fullName);
    };
    expect(await readers()).toEqual([guardian.fullName, second.fullName, other.fullName]);

    // The child is a pupil again, and both are its guardians as before.
    const back = await putOwn({
      role: 'pupil',
      fullName: pupil.fullName,
      groupId: otherGroupId,
      accountId: pupil.caller.accountId,
    });
    const linkOf = (person: Person, child: Person) => ({ guardianId: person.as, childId: child.as });
    for (const person of [guardian, second]) {
      unwrap(await rooms.call('school.linkGuardian', admin, linkOf(person, back)));
    }
    expect(await readers()).toEqual([guardian.fullName, second.fullName, other.fullName]);

    const chat = await conversationsOf(guardian);
    const conversationId = chat.find((each) => each.groupId === groupId)?.id as ConversationId;
    rooms.announced.length = 0;
    unwrap(await limit(guardian, back, notInformed, admin));
    expect(await readers()).toEqual([second.fullName, other.fullName]);
    const input = { conversationId, limit: 5 };
    expect(outcomeOf(await rooms.call('chat.listMessages', guardian, input))).toBe('NOT_FOUND');
    expect(rooms.announced).toContainEqual({
      kind: 'signal',
      signal: expect.objectContaining({
        name: 'conversationsChanged',
        membershipId: guardian.as,
        left: expect.arrayContaining([conversationId]),
      }),
    });
    unwrap(await rooms.call('school.unlinkGuardian', admin, linkOf(second, back)));
    expect(await readers()).toEqual([other.fullName]);
    // What another child brings has nothing to do with it.
    const sibling = await putOwn({ role: 'pupil', fullName: 'Зайцев Лев', groupId: otherGroupId });
    unwrap(await rooms.call('school.linkGuardian', admin, linkOf(other, sibling)));
    unwrap(await limit(other, sibling, notInformed, admin));
    expect(await readers()).toEqual([other.fullName]);
  });
});

describe('a guardian who may not be contacted', () => {
  it('reads the parents’ chat; no teacher of the child and they reach each other, in old chats either', async () => {
    const { child, guardian, teacher } = await family();
    const direct = unwrap(await openDirect(guardian, teacher)).conversation.id;
    const chat = (await parentsChatOf(guardian))?.id as ConversationId;
    expect(await say(teacher, direct)).toBe('ok');
    unwrap(await limit(guardian, child, notContacted));

    for (const person of [guardian, teacher]) expect(await say(person, direct)).toBe('READ_ONLY');
    expect(outcomeOf(await openDirect(guardian, teacher))).toBe('NOT_FOUND');
    expect(outcomeOf(await openDirect(teacher, guardian))).toBe('NOT_FOUND');
    expect(await say(guardian, chat)).toBe('READ_ONLY');
    expect(
      outcomeOf(await rooms.call('chat.listMessages', guardian, { conversationId: chat, limit: 5 })),
    ).toBe('ok');
    expect(await seenBy(guardian)).toContain(child.as);
    expect(await seenBy(guardian)).not.toContain(teacher.as);
    expect(await seenBy(teacher)).not.toContain(guardian.as);
    // The administration answers for the limit, and is there for both.
    expect(outcomeOf(await openDirect(guardian, school.head))).toBe('ok');
    expect(outcomeOf(await openDirect(school.admin, guardian))).toBe('ok');

    unwrap(await limit(guardian, child, unlimited));
    for (const person of [guardian, teacher]) expect(await say(person, direct)).toBe('ok');
    expect(await seenBy(teacher)).toContain(guardian.as);
  });

  it('is not in the class teacher’s list as somebody invited to the class', async () => {
    const child = await put({ role: 'pupil', fullName: 'Жуков Лев', groupId: school.groupId });
    const guardian = await put({
      role: 'guardian',
      fullName: 'Жукова Ольга',
      groupId: school.groupId,
      childId: child.as,
    });
    expect(await seenBy(school.classTeacher)).toContain(guardian.as);
    unwrap(await limit(guardian, child, notContacted));
    expect(await seenBy(school.classTeacher)).not.toContain(guardian.as);
    expect(await seenBy(school.admin)).toContain(guardian.as);
  });
});

it('holds for the two people, however often they are made members or linked anew', async () => {
  const { child, guardian } = await family();
  unwrap(await limit(guardian, child, notInformed));
  unwrap(
    await rooms.call('school.linkGuardian', school.admin, { guardianId: guardian.as, childId: child.as }),
  );
  expect((await conversationsOf(guardian)).map(({ kind }) => kind)).not.toContain('parents');

  unwrap(
    await rooms.call('school.endMembership', school.admin, { membershipId: guardian.as, reason: 'left' }),
  );
  const back = await put({
    role: 'guardian',
    fullName: 'Дроздова Анна',
    groupId: school.otherGroupId,
    accountId: guardian.caller.accountId,
    childId: child.as,
  });
  const { me } = unwrap(await rooms.call('school.getSchool', back, {}));
  expect(me.standings).toEqual(['PU']);
  const records = unwrap(await rooms.call('school.listAuditRecords', back, {})).records;
  expect(JSON.stringify(records)).not.toContain(child.as);
});

it('is said by administrators alone, with a reason that nobody else reads', async () => {
  const { child, guardian, teacher } = await family();
  const { head, subjectTeacher, classTeacher, otherGroupId: groupId } = school;
  for (const person of [head, teacher, guardian, child]) {
    expect(outcomeOf(await limit(guardian, child, notInformed, person))).toBe('FORBIDDEN');
  }
  const unreasoned = {
    guardianId: guardian.as,
    childId: child.as,
    mayBeInformed: false,
    mayBeContacted: true,
  };
  expect(outcomeOf(await rooms.call('school.limitGuardian', school.admin, unreasoned))).toBe('VALIDATION');
  expect(outcomeOf(await limit(guardian, school.pupil, notInformed))).toBe('NOT_FOUND');
  unwrap(await limit(guardian, child, [false, true]));

  const registerOf = async (person: Person) =>
    unwrap(await rooms.call('school.getClassRegister', person, { groupId })).pupils.find(
      (pupil) => pupil.membershipId === child.as,
    )?.guardians;
  const limited = {
    membershipId: guardian.as,
    fullName: 'Дроздова Анна',
    mayBeInformed: false,
    mayBeContacted: false,
    limitedAt: expect.any(String),
  };
  expect(await registerOf(school.admin)).toContainEqual({ ...limited, limitReason: 'решение суда № 2-114' });
  for (const person of [head, teacher]) {
    expect(await registerOf(person)).toContainEqual({ ...limited, limitReason: null });
    const records = unwrap(await rooms.call('school.listAuditRecords', person, {})).records;
    expect(JSON.stringify(records)).not.toContain('2-114');
  }
  const register = { groupId };
  expect(outcomeOf(await rooms.call('school.getClassRegister', classTeacher, register))).toBe('NOT_FOUND');
  expect(outcomeOf(await rooms.call('school.getClassRegister', subjectTeacher, register))).toBe('FORBIDDEN');
  expect(
    outcomeOf(
      await rooms.call('school.getClassRegister', school.admin, { groupId: crypto.randomUUID() as never }),
    ),
  ).toBe('NOT_FOUND');
});

it('lets no teacher call a guardian whom they may not contact', async () => {
  const { child, guardian, teacher } = await family();
  const { school: room, platform } = rooms;
  const inTouch = async () =>
    (await room.inContact(platform.database, school.schoolId, teacher.as, [guardian.as])).size;
  expect(await inTouch()).toBe(1);
  unwrap(await limit(guardian, child, notContacted));
  // What a ticket of a call, and each second of it, asks.
  expect(await inTouch()).toBe(0);
});

it('shows one guardian the children of two classes and of two schools', async () => {
  const elsewhere = await makeSchool(rooms, 'Лицей №2');
  const accountId = school.guardian.caller.accountId;
  const sister = await put({ role: 'pupil', fullName: 'Смирнова Ия', groupId: school.otherGroupId });
  unwrap(
    await rooms.call('school.linkGuardian', school.admin, {
      guardianId: school.guardian.as,
      childId: sister.as,
    }),
  );
  const there = await enrol(rooms, elsewhere.schoolId, {
    role: 'guardian',
    fullName: 'Смирнова Вера',
    groupId: elsewhere.groupId,
    accountId,
    childId: elsewhere.classmate.as,
  });
  const memberships = await rooms.school.membershipsOf(accountId);
  const children = new Map<MembershipId, string[]>(
    memberships.map((each) => [
      each.id,
      each.children.map(({ fullName, groupName }) => `${fullName} ${groupName}`),
    ]),
  );
  expect(children.get(school.guardian.as)).toEqual(['Смирнов Илья 7Б', 'Смирнова Ия 8А']);
  expect(children.get(there.as)).toEqual(['Зайцева Мария 7Б']);
  const parents = (await conversationsOf(school.guardian)).filter(({ kind }) => kind === 'parents');
  expect(new Set(parents.map(({ groupId }) => groupId))).toEqual(
    new Set([school.groupId, school.otherGroupId]),
  );
  expect(await seenBy(there)).not.toContain(school.pupil.as);
});
