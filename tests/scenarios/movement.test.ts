import { type Client, createClient, type MembershipId, waitFor } from '@zvonok/client-sdk';
import type { Group, GroupId } from '@zvonok/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, joinAs, type SchoolFixture, type Seat } from '../harness/school.ts';

/** How people move, as their devices live it: “Movement: enrol, transfer, expel, graduate; the turn of the year”. */
let running: RunningApp;
let school: SchoolFixture;
let admin: Client;
const opened: Client[] = [];
/** Promise P14. */
const atOnce = 1_000;

beforeAll(async () => {
  running = await startApp();
  school = await createSchoolFixture(running, 'Школа движения', '+7941000');
  admin = await clientOf(school.admin);
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

const titlesOf = (client: Client, as: MembershipId) =>
  client
    .messenger(as)
    .getSnapshot()
    .conversations.filter((each) => each.kind !== 'channel')
    .map((each) => `${each.kind} ${each.title}`)
    .sort();
const shows = (client: Client, as: MembershipId, titles: string[]) =>
  expect.poll(() => titlesOf(client, as), { timeout: atOnce }).toEqual(titles);
const groupNamed = async (name: string): Promise<Group> => {
  const { groups } = await admin.school.listGroups({ as: school.admin.membershipId });
  const found = groups.find((group) => group.name === name && group.archivedAt === null);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found;
};

it('a transferred pupil loses the old class’s chat on each device within a second, and reads it no more', async () => {
  const { membershipId: as } = school.pupil;
  const devices = [await clientOf(school.pupil), await clientOf(school.pupil)];
  const [first = admin] = devices;
  const classmate = await joinAs(running, school, 'pupil', '+79410000041', 'Оля Смирнова');
  const old = first
    .messenger(as)
    .getSnapshot()
    .conversations.find((each) => each.kind === 'class');
  if (old === undefined) throw new Error('The pupil has no class chat.');
  const { group } = await admin.school.createGroup({ as: school.admin.membershipId, name: '8А', year: 8 });
  const heard: string[] = [];
  for (const device of devices) {
    device.on('chat.messageSent', ({ message }) => heard.push(message.conversationId));
  }
  await admin.school.transferMembers({
    as: school.admin.membershipId,
    membershipIds: [as],
    groupId: group.id,
  });
  for (const device of devices) await shows(device, as, ['class 8А']);
  const sender = await clientOf(classmate);
  await sender.chat.sendMessage({
    as: classmate.membershipId,
    conversationId: old.id,
    clientMessageId: '00000000-0000-4000-8000-000000000041' as never,
    text: 'Без него',
  });
  await expect(first.chat.listMessages({ as, conversationId: old.id, limit: 10 })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(heard).toEqual([]);
});

it('turns the year and back on every screen', async () => {
  const { membershipId: as } = school.pupil;
  const pupil = await clientOf(school.pupil);
  const graduate = await joinTo((await groupNamed('7Б')).id, '+79410000042', 'Гена Одиннадцатов');
  const leaver = await clientOf(graduate);
  const choices = {
    classes: [{ groupId: (await groupNamed('7Б')).id, action: 'graduate' as const }],
    newClasses: [{ name: '1А', year: 1 }],
    teachers: [],
  };
  const by = school.admin.membershipId;
  const { plan } = await admin.school.planRollover({ as: by, choices });
  expect(plan.classes).toMatchObject([
    { name: '7Б', action: 'graduate', pupils: 2 },
    { name: '8А', action: 'promote', newName: '9А', newYear: 9, pupils: 1 },
  ]);
  const outdated = { as: by, choices: { ...choices, newClasses: [] }, digest: plan.digest };
  await expect(admin.school.applyRollover(outdated)).rejects.toMatchObject({ code: 'ROLLOVER_CHANGED' });
  const { rollover } = await admin.school.applyRollover({ as: by, choices, digest: plan.digest });
  expect(rollover).toMatchObject({ promoted: 1, archived: 1, created: 1, graduates: 2 });
  await shows(pupil, as, ['class 9А']);
  await expect
    .poll(() => leaver.session.getSnapshot(), { timeout: atOnce })
    .toMatchObject({ state: 'signedIn', memberships: [] });

  // Somebody in a class that was made with it stands in the way.
  const first = await joinTo((await groupNamed('1А')).id, '+79410000043', 'Вася Первый');
  const undo = () => admin.school.undoRollover({ as: by, rolloverId: rollover.id });
  await expect(undo()).rejects.toMatchObject({
    code: 'ROLLOVER_CHANGED',
    data: { changes: [{ kind: 'class', name: '1А' }], count: 1 },
  });
  await admin.school.transferMembers({
    as: by,
    membershipIds: [first.membershipId],
    groupId: (await groupNamed('9А')).id,
  });
  expect((await undo()).rollover.undoneAt).not.toBeNull();
  await shows(pupil, as, ['class 8А']);
  await expect
    .poll(() => leaver.session.getSnapshot(), { timeout: atOnce })
    .toMatchObject({ memberships: [{ id: graduate.membershipId, groupName: '7Б' }] });
  await shows(leaver, graduate.membershipId, ['class 7Б']);
});

function joinTo(group: GroupId, phone: string, fullName: string): Promise<Seat> {
  return joinAs(running, { admin: school.admin, ids: { group } }, 'pupil', phone, fullName);
}
