import { randomUUID } from 'node:crypto';
import { contractVersion, type GroupId, type MembershipId } from '@zvonok/shared';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, joinAs, type SchoolFixture, type Seat } from '../harness/school.ts';

/** Who learns of whom by a side door, and who comes back by one. */
let running: RunningApp;
let school: SchoolFixture;
let otherGroup: GroupId;
let otherPupil: Seat;
let teacher: Seat;
let phones = 100;

beforeAll(async () => {
  running = await startApp({ RATE_LIMITS: 'off' });
  school = await createSchoolFixture(running, 'Школа', '+7910000');
  const made = await ask<{ group: { id: GroupId } }>(school.admin, 'school.createGroup', { name: '8А' });
  otherGroup = made.group.id;
  otherPupil = await join('pupil', 'Даша Белова', otherGroup);
  teacher = await verifiedTeacher('Ирина Петровна', [{ groupId: school.ids.group, kind: 'class' }]);
  await ask(school.admin, 'school.linkGuardian', {
    guardianId: school.guardian.membershipId,
    childId: school.pupil.membershipId,
  });
});

afterAll(() => running?.stop());

async function send(seat: Seat, procedure: string, input: object = {}) {
  const { status, text } = await running.post(procedure, { as: seat.membershipId, ...input }, seat.token);
  return { status, body: JSON.parse(text) as Record<string, unknown> };
}

async function ask<T>(seat: Seat, procedure: string, input: object = {}): Promise<T> {
  const { status, body } = await send(seat, procedure, input);
  if (status !== 200) throw new Error(`${procedure}: ${JSON.stringify(body)}`);
  return body as T;
}

const nextPhone = () => `+7910000${String(++phones).padStart(4, '0')}`;

function join(role: 'pupil' | 'guardian' | 'teacher', fullName: string, group = school.ids.group) {
  return joinAs(running, { admin: school.admin, ids: { group } }, role, nextPhone(), fullName);
}

interface Tie {
  readonly groupId: GroupId;
  readonly kind: 'class' | 'subject';
  readonly subject?: string;
}

async function verifiedTeacher(fullName: string, ties: readonly Tie[]): Promise<Seat> {
  const seat = await join('teacher', fullName);
  const { membershipId } = seat;
  await ask(school.admin, 'school.verifyTeacher', { membershipId, basis: 'паспорт' });
  for (const tie of ties) await ask(school.admin, 'school.attachTeacher', { membershipId, ...tie });
  return seat;
}

interface ListedConversation {
  readonly id: string;
  readonly channel: string | null;
}
interface ListedMember {
  readonly membershipId: MembershipId;
  readonly online: boolean;
}

async function membersOfGeneral(seat: Seat): Promise<MembershipId[]> {
  const { conversations } = await ask<{ conversations: ListedConversation[] }>(
    seat,
    'chat.listConversations',
  );
  const general = conversations.find((conversation) => conversation.channel === 'general');
  const { members } = await ask<{ members: ListedMember[] }>(seat, 'chat.listMembers', {
    conversationId: general?.id,
  });
  return members.map((member) => member.membershipId);
}

describe('the general channel', () => {
  it.each(['pupil', 'guardian', 'teacher'] as const)(
    'is no directory of all children for a %s',
    async (who) => {
      const seat = who === 'teacher' ? teacher : school[who];
      const members = await membersOfGeneral(seat);
      expect(members).toContain(school.admin.membershipId);
      expect(members).toContain(seat.membershipId);
      expect(members).not.toContain(otherPupil.membershipId);
    },
  );

  it('shows all its readers to the administrator', async () => {
    const members = await membersOfGeneral(school.admin);
    expect(members).toContain(otherPupil.membershipId);
    expect(members).toContain(school.guardian.membershipId);
  });
});

async function openSocket(seat: Seat, events: string[]): Promise<Socket> {
  const socket = io(running.url, {
    transports: ['websocket'],
    auth: { token: seat.token, version: contractVersion },
    reconnection: false,
    forceNew: true,
  });
  socket.onAny((name: string, payload: { conversationId?: string }) => {
    events.push(`${name} ${payload.conversationId ?? ''}`);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

describe('a direct chat whose two may no longer talk', () => {
  it('carries neither writing, nor typing, nor coming and going', async () => {
    const tie = { groupId: school.ids.group, kind: 'subject', subject: 'Химия' } as const;
    const former = await verifiedTeacher('Семён Ильич', [tie]);
    const { conversation } = await ask<{ conversation: { id: string } }>(former, 'chat.openDirect', {
      membershipId: school.pupil.membershipId,
    });
    const conversationId = conversation.id;
    const heardByFormer: string[] = [];
    const heardByPupil: string[] = [];
    const formerSocket = await openSocket(former, heardByFormer);
    expect((await send(former, 'chat.setTyping', { conversationId })).status).toBe(200);
    await ask(school.admin, 'school.detachTeacher', { membershipId: former.membershipId, ...tie });
    heardByFormer.length = 0;

    const pupilSocket = await openSocket(school.pupil, heardByPupil);
    const clientMessageId = randomUUID();
    const refused = { conversationId, clientMessageId, text: 'Привет' };
    expect((await send(former, 'chat.sendMessage', refused)).body.code).toBe('READ_ONLY');
    expect((await send(former, 'chat.setTyping', { conversationId })).body.code).toBe('READ_ONLY');
    expect((await send(school.pupil, 'chat.setTyping', { conversationId })).body.code).toBe('READ_ONLY');
    const { members } = await ask<{ members: ListedMember[] }>(former, 'chat.listMembers', {
      conversationId,
    });
    expect(members.map((member) => member.online)).toEqual([false, false]);
    // An event that both still hear closes the wait: what was announced before it has arrived.
    await ask(school.admin, 'chat.sendMessage', {
      conversationId: school.ids.conversation,
      clientMessageId: randomUUID(),
      text: 'Всем',
    });
    const marker = `chat.messageSent `;
    await expect.poll(() => heardByFormer.includes(marker) && heardByPupil.includes(marker)).toBe(true);
    expect(heardByFormer.filter((event) => event.endsWith(conversationId))).toEqual([]);
    expect(heardByPupil.filter((event) => event.endsWith(conversationId))).toEqual([]);
    formerSocket.disconnect();
    pupilSocket.disconnect();
  });
});

it('typing in an archived chat is refused in words', async () => {
  const { group } = await ask<{ group: { id: GroupId } }>(school.admin, 'school.createGroup', { name: '9В' });
  const leader = await verifiedTeacher('Лев Борисович', [{ groupId: group.id, kind: 'class' }]);
  const { conversations } = await ask<{ conversations: { id: string; groupId: GroupId | null }[] }>(
    leader,
    'chat.listConversations',
  );
  const conversationId = conversations.find((conversation) => conversation.groupId === group.id)?.id;
  await ask(school.admin, 'school.archiveGroup', { groupId: group.id });
  const typed = await send(leader, 'chat.setTyping', { conversationId });
  expect(typed.body.code).toBe('CONVERSATION_LOCKED');
});

async function linkFor(seat: Seat, input: object): Promise<string> {
  return (await ask<{ token: string }>(seat, 'school.createInvite', input)).token;
}

async function redeem(token: string, session: string, fullName: string) {
  const { text } = await running.post('school.redeemInvite', { token, fullName }, session);
  return JSON.parse(text) as { code?: string };
}

describe('a link that outlived its reason', () => {
  it('made by a class teacher who now only teaches there, lets no guardian in', async () => {
    const groupId = school.ids.group;
    const both = await verifiedTeacher('Роман Олегович', [
      { groupId, kind: 'class' },
      { groupId, kind: 'subject', subject: 'Физика' },
    ]);
    const guardians = await linkFor(both, { role: 'guardian', groupId });
    const pupils = await linkFor(both, { role: 'pupil', groupId });
    await ask(school.admin, 'school.detachTeacher', {
      membershipId: both.membershipId,
      groupId,
      kind: 'class',
    });
    expect((await running.post('school.previewInvite', { token: guardians })).status).toBe(410);
    // Pupils they may still invite, as a teacher of the class.
    expect((await running.post('school.previewInvite', { token: pupils })).status).toBe(200);
  });

  it('to a child, brings back nobody who was kept from it', async () => {
    const guardian = await join('guardian', 'Пётр Иванов');
    const tie = { guardianId: guardian.membershipId, childId: school.pupil.membershipId };
    await ask(school.admin, 'school.linkGuardian', tie);
    const spare = await linkFor(school.admin, {
      role: 'guardian',
      groupId: school.ids.group,
      childId: school.pupil.membershipId,
    });
    await ask(school.admin, 'school.unlinkGuardian', tie);
    expect((await redeem(spare, guardian.token, 'Пётр Иванов')).code).toBe('INVITE_INVALID');
  });

  it('to a class, brings back nobody who was sent away, whichever link they hold', async () => {
    const link = await linkFor(school.admin, { role: 'pupil', groupId: school.ids.group, uses: 30 });
    const expelled = await join('pupil', 'Чужой Человек');
    const moved = await join('pupil', 'Юля Орлова');
    const { admin } = school;
    await ask(admin, 'school.endMembership', { membershipId: expelled.membershipId, reason: 'expelled' });
    await ask(admin, 'school.endMembership', { membershipId: moved.membershipId, reason: 'moved' });
    expect((await redeem(link, expelled.token, 'Другое Имя')).code).toBe('INVITE_INVALID');
    expect((await redeem(link, moved.token, 'Юля Орлова')).code).toBeUndefined();
    const forgiven = await linkFor(admin, { role: 'pupil', groupId: school.ids.group });
    expect((await redeem(forgiven, expelled.token, 'Другое Имя')).code).toBeUndefined();
  });
});
