import { type Client, createClient, type MembershipId, waitFor } from '@zvonok/client-sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, joinAs, type SchoolFixture, type Seat } from '../harness/school.ts';

/**
 * Old state plus events equals a fresh fetch, for every action: a client that watched must show what one that opens
 * the messenger now is given. What an action forgets to announce is caught here.
 */
let running: RunningApp;
let school: SchoolFixture;
let teacher: Seat;
const watching: { name: string; client: Client; seat: Seat }[] = [];
const opened: Client[] = [];

beforeAll(async () => {
  running = await startApp();
  school = await createSchoolFixture(running, 'Школа повторов', '+7940000');
  teacher = await joinAs(running, school, 'teacher', '+79400000032', 'Ирина Павловна');
  for (const [name, seat] of Object.entries({
    admin: school.admin,
    teacher,
    pupil: school.pupil,
    guardian: school.guardian,
  })) {
    watching.push({ name, client: await clientOf(seat), seat });
  }
});

afterAll(async () => {
  for (const client of opened) client.close();
  await running?.stop();
});

async function clientOf(seat: Seat): Promise<Client> {
  const client = createClient({ url: running.url, carrier: 'bearer', token: seat.token, logLevel: 'silent' });
  opened.push(client);
  await client.start();
  await waitFor(client.connection, (state) => state === 'online');
  await waitFor(client.messenger(seat.membershipId), (snapshot) => snapshot.status === 'ready');
  return client;
}

/** What a person sees of their conversations and of themselves. */
function stateOf(client: Client, as: MembershipId) {
  const session = client.session.getSnapshot();
  return {
    me:
      session.state === 'signedIn' ? session.memberships.find((membership) => membership.id === as) : session,
    conversations: client.messenger(as).getSnapshot().conversations,
  };
}

type Step = [name: string, action: () => Promise<unknown>];

const as = (seat: Seat) => ({ as: seat.membershipId });
const ask = async (seat: Seat, procedure: string, input: object) => {
  const { status, text } = await running.post(procedure, { ...as(seat), ...input }, seat.token);
  expect(status, `${procedure}: ${text}`).toBe(200);
  return JSON.parse(text) as Record<string, never>;
};
const conversationOf = async (seat: Seat, kind: string, channel: string | null = null): Promise<string> => {
  const { conversations } = (await ask(seat, 'chat.listConversations', {})) as unknown as {
    conversations: { id: string; kind: string; channel: string | null }[];
  };
  const found = conversations.find((each) => each.kind === kind && each.channel === channel);
  if (found === undefined) throw new Error(`There is no ${kind} conversation.`);
  return found.id;
};
const newId = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const nothingChosen = { classes: [], newClasses: [], teachers: [] };
async function turnTheYear() {
  // The eighth year leaves: its only class is empty.
  const choices = { ...nothingChosen, lastYear: 8, newClasses: [{ name: '1А', year: 1 }] };
  const { plan } = (await ask(school.admin, 'school.planRollover', { choices })) as unknown as {
    plan: { digest: string };
  };
  await ask(school.admin, 'school.applyRollover', { choices, digest: plan.digest });
}
async function turnBack() {
  const { rollover } = (await ask(school.admin, 'school.findRollover', {})) as unknown as {
    rollover: { id: string };
  };
  await ask(school.admin, 'school.undoRollover', { rolloverId: rollover.id });
}

const steps: Step[] = [
  [
    'a message to the general channel',
    async () =>
      ask(school.admin, 'chat.sendMessage', {
        conversationId: await conversationOf(school.admin, 'channel', 'general'),
        clientMessageId: newId(1),
        text: 'Завтра сокращённые уроки',
      }),
  ],
  [
    'a read mark',
    async () =>
      ask(school.pupil, 'chat.markRead', {
        conversationId: await conversationOf(school.pupil, 'channel', 'general'),
        seq: 1,
      }),
  ],
  [
    'a verification',
    () =>
      ask(school.admin, 'school.verifyTeacher', { membershipId: teacher.membershipId, basis: 'приказ 7' }),
  ],
  [
    'a verification taken back',
    () =>
      ask(school.admin, 'school.revokeVerification', {
        membershipId: teacher.membershipId,
        reason: 'проверка',
      }),
  ],
  [
    'a verification by a request',
    async () => {
      const what = { kind: 'ownVerification', basis: 'приказ 8' };
      const { request } = (await ask(teacher, 'school.createRequest', { what })) as unknown as {
        request: { id: string };
      };
      return ask(school.admin, 'school.approveRequest', { requestId: request.id });
    },
  ],
  [
    'a text for the channel that somebody else wrote',
    async () => {
      const what = { kind: 'post', channel: 'general', text: 'В субботу субботник' };
      const { request } = (await ask(teacher, 'school.createRequest', { what })) as unknown as {
        request: { id: string };
      };
      return ask(school.admin, 'school.approveRequest', { requestId: request.id });
    },
  ],
  [
    'a class teacher',
    () =>
      ask(school.admin, 'school.attachTeacher', {
        membershipId: teacher.membershipId,
        groupId: school.ids.group,
        kind: 'class',
      }),
  ],
  [
    'a subject',
    () =>
      ask(school.admin, 'school.attachTeacher', {
        membershipId: teacher.membershipId,
        groupId: school.ids.group,
        kind: 'subject',
        subject: 'Алгебра',
      }),
  ],
  [
    'a message to the class',
    async () =>
      ask(school.pupil, 'chat.sendMessage', {
        conversationId: await conversationOf(school.pupil, 'class'),
        clientMessageId: newId(2),
        text: 'Здравствуйте!',
      }),
  ],
  ['a direct chat', () => ask(teacher, 'chat.openDirect', { membershipId: school.pupil.membershipId })],
  [
    'a message to the direct chat',
    async () =>
      ask(teacher, 'chat.sendMessage', {
        conversationId: await conversationOf(teacher, 'direct'),
        clientMessageId: newId(3),
        text: 'Зайди после урока',
      }),
  ],
  [
    'a linked child',
    () =>
      ask(school.admin, 'school.linkGuardian', {
        guardianId: school.guardian.membershipId,
        childId: school.pupil.membershipId,
      }),
  ],
  [
    'a direct chat with a guardian',
    () => ask(teacher, 'chat.openDirect', { membershipId: school.guardian.membershipId }),
  ],
  [
    'a guardian who may not be contacted',
    () =>
      ask(school.admin, 'school.limitGuardian', {
        guardianId: school.guardian.membershipId,
        childId: school.pupil.membershipId,
        mayBeInformed: true,
        mayBeContacted: false,
        reason: 'решение суда',
      }),
  ],
  [
    'a guardian who may not be informed',
    () =>
      ask(school.admin, 'school.limitGuardian', {
        guardianId: school.guardian.membershipId,
        childId: school.pupil.membershipId,
        mayBeInformed: false,
        mayBeContacted: false,
        reason: 'решение суда',
      }),
  ],
  [
    'a guardian without limits again',
    () =>
      ask(school.admin, 'school.limitGuardian', {
        guardianId: school.guardian.membershipId,
        childId: school.pupil.membershipId,
        mayBeInformed: true,
        mayBeContacted: true,
        reason: 'решение суда',
      }),
  ],
  ['another class', () => ask(school.admin, 'school.createGroup', { name: '8А' })],
  ['a further pupil', () => joinAs(running, school, 'pupil', '+79400000012', 'Оля Смирнова')],
  [
    'a class with another name',
    () => ask(school.admin, 'school.updateGroup', { groupId: school.ids.group, name: '7В' }),
  ],
  [
    'a school with another name and a journal',
    () =>
      ask(school.admin, 'school.updateSchool', {
        name: 'Лицей повторов',
        journalUrl: 'https://dnevnik.example/',
      }),
  ],
  [
    'another setting',
    () => ask(school.admin, 'school.changeSettings', { settings: { 'writeParentsChat.PV': false } }),
  ],
  [
    'a setting of direct chats',
    () => ask(school.admin, 'school.changeSettings', { settings: { 'directWithStaff.SU': false } }),
  ],
  [
    'a corrected name',
    () =>
      ask(school.admin, 'school.correctMember', {
        membershipId: school.pupil.membershipId,
        fullName: 'Петя Иванов-Белов',
      }),
  ],
  [
    'a pupil in another class',
    async () => {
      const { groups } = (await ask(school.admin, 'school.listGroups', {})) as unknown as {
        groups: { id: string; name: string }[];
      };
      await ask(school.admin, 'school.transferMembers', {
        membershipIds: [school.pupil.membershipId],
        groupId: groups.find((group) => group.name === '8А')?.id,
      });
    },
  ],
  [
    'the pupil back in the class',
    () =>
      ask(school.admin, 'school.transferMembers', {
        membershipIds: [school.pupil.membershipId],
        groupId: school.ids.group,
      }),
  ],
  ['a turn of the year', () => turnTheYear()],
  ['the turn taken back', () => turnBack()],
  [
    'a subject taken back',
    () =>
      ask(school.admin, 'school.detachTeacher', {
        membershipId: teacher.membershipId,
        groupId: school.ids.group,
        kind: 'subject',
        subject: 'Алгебра',
      }),
  ],
  [
    'a child unlinked',
    () =>
      ask(school.admin, 'school.unlinkGuardian', {
        guardianId: school.guardian.membershipId,
        childId: school.pupil.membershipId,
      }),
  ],
];

it.each(steps)('%s: who watched sees what a newcomer is given', async (_name, action) => {
  await action();
  for (const { name, client, seat } of watching) {
    const fresh = await clientOf(seat);
    const expected = stateOf(fresh, seat.membershipId);
    fresh.close();
    await expect
      .poll(() => stateOf(client, seat.membershipId), { timeout: 3_000, message: name })
      .toEqual(expected);
  }
});
