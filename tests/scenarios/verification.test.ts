import { type Client, createClient, type EventName, type EventPayload, waitFor } from '@zvonok/client-sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, joinAs, type SchoolFixture, type Seat } from '../harness/school.ts';

/** How a school confirms its teachers, as they and the administrator live it; rights follow within a second (P14). */
let running: RunningApp;
let school: SchoolFixture;
let teacher: Seat;
const clients: Client[] = [];

beforeAll(async () => {
  running = await startApp({ RATE_LIMITS: 'off' });
  school = await createSchoolFixture(running, 'Школа подтверждений', '+7963000');
  teacher = await joinAs(running, school, 'teacher', '+79630000032', 'Ирина Павловна');
});
afterAll(async () => {
  for (const client of clients) client.close();
  await running?.stop();
});

async function clientOf({ token, membershipId }: Seat): Promise<Client> {
  const client = createClient({ url: running.url, carrier: 'bearer', token, logLevel: 'silent' });
  clients.push(client);
  await client.start();
  await waitFor(client.connection, (state) => state === 'online');
  await waitFor(client.messenger(membershipId), ({ status }) => status === 'ready');
  return client;
}

/** The next such event that fits. Ask before what causes it. */
function next<N extends EventName>(
  client: Client,
  name: N,
  fits: (payload: EventPayload<N>) => boolean = () => true,
): Promise<EventPayload<N>> {
  return new Promise((resolve) => {
    const stop = client.on(name, (payload) => {
      if (!fits(payload)) return;
      stop();
      resolve(payload);
    });
  });
}

const chats = (client: Client, seat: Seat) =>
  client
    .messenger(seat.membershipId)
    .getSnapshot()
    .conversations.map((each) => each.kind)
    .sort();

it('verifies whoever asked, shows the badge to pupils, and takes everything back with it within a second', async () => {
  const [admin, theirs, child] = [
    await clientOf(school.admin),
    await clientOf(teacher),
    await clientOf(school.pupil),
  ];
  const as = teacher.membershipId;
  const byAdmin = { as: school.admin.membershipId };
  await admin.school.attachTeacher({
    ...byAdmin,
    membershipId: as,
    groupId: school.ids.group,
    kind: 'class',
  });
  expect(chats(theirs, teacher)).toEqual([]);

  const told = next(admin, 'school.requestChanged', ({ state }) => state === 'open');
  const { request } = await theirs.school.createRequest({
    as,
    what: { kind: 'ownVerification', basis: 'приказ № 14 от 1 сентября' },
  });
  expect((await told).requestId).toBe(request.id);
  const answered = next(theirs, 'school.requestChanged', ({ state }) => state === 'approved');
  await admin.school.approveRequest({ ...byAdmin, requestId: request.id });
  expect((await answered).membershipId).toBe(as);
  await waitFor(theirs.messenger(as), ({ conversations }) => conversations.length >= 5);
  expect(chats(theirs, teacher)).toContain('class');
  const seen = await child.school.listMembers({ as: school.pupil.membershipId, role: 'teacher' });
  expect(seen.members).toMatchObject([{ membershipId: as, verified: true }]);

  const { conversation } = await theirs.chat.openDirect({
    as,
    membershipId: school.pupil.membershipId,
  });
  const committed = performance.now();
  const left = next(
    theirs,
    'chat.conversationLeft',
    ({ conversationId }) => conversationId === conversation.id,
  );
  await admin.school.revokeVerification({ ...byAdmin, membershipId: as, reason: 'чужой документ' });
  await left;
  await waitFor(theirs.messenger(as), ({ conversations }) => conversations.length === 0);
  expect(performance.now() - committed).toBeLessThan(1_000);
  // Nothing of what is said afterwards arrives, and nothing of what was said is read.
  const heard: string[] = [];
  theirs.on('chat.messageSent', ({ message }) => heard.push(message.conversationId));
  const written = next(child, 'chat.messageSent');
  await child.chat.sendMessage({
    as: school.pupil.membershipId,
    conversationId: (
      await child.chat.listConversations({ as: school.pupil.membershipId })
    ).conversations.find((each) => each.kind === 'class')?.id as typeof conversation.id,
    clientMessageId: crypto.randomUUID() as never,
    text: 'А кто теперь наш учитель?',
  });
  await written;
  await expect(
    theirs.chat.listMessages({ as, conversationId: conversation.id, limit: 10 }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(heard).toEqual([]);
});
