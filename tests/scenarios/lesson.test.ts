// needs: media-worker
// alone: it measures how fast rights follow
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Call,
  type Client,
  type ConversationId,
  createClient,
  joinLesson,
  type Lesson,
  type LessonSnapshot,
  type MembershipId,
  waitFor,
} from '@zvonok/client-sdk';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, joinAs, type SchoolFixture, type Seat } from '../harness/school.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';

/** A lesson as the SDK lives it against the real server and workers. Pictures and sound are the browser tests' part. */
let running: RunningApp;
let school: SchoolFixture;
let teacher: Seat;
let classChat: ConversationId;
const clients: Client[] = [];
const lessons: Lesson[] = [];
const proxies: TcpProxy[] = [];

beforeAll(async () => {
  running = await startApp({
    RATE_LIMITS: 'off',
    CALLS_SETUP: 'root',
    RTC_PORT_BASE: String(randomInt(20_000, 30_000)),
    RTC_WORKERS: '2',
    ...(process.env.MEDIASOUP_WORKER_BIN === undefined
      ? {}
      : { MEDIASOUP_WORKER_BIN: process.env.MEDIASOUP_WORKER_BIN }),
  });
  school = await createSchoolFixture(running, 'Школа уроков', '+7961000');
  teacher = await joinAs(running, school, 'teacher', '+79610000031', 'Ирина Павловна');
  const asAdmin = (procedure: string, input: object) =>
    running.post(procedure, { as: school.admin.membershipId, ...input }, school.admin.token);
  await asAdmin('school.verifyTeacher', { membershipId: teacher.membershipId, basis: 'приказ 7' });
  await asAdmin('school.attachTeacher', {
    membershipId: teacher.membershipId,
    groupId: school.ids.group,
    kind: 'class',
  });
  const client = await clientOf(teacher);
  const { conversations } = await client.chat.listConversations({ as: teacher.membershipId });
  classChat = conversations.find((each) => each.kind === 'class')?.id as ConversationId;
  for (let tries = 0; tries < 600; tries += 1) {
    const health = (await (await fetch(`${running.url}/healthz`)).json()) as { calls: string };
    if (health.calls === 'ready') break;
    await sleep(100);
  }
});
afterEach(async () => {
  for (const lesson of lessons.splice(0)) lesson.leave();
  for (const client of clients.splice(0)) client.close();
  for (const proxy of proxies.splice(0)) await proxy.stop();
});
afterAll(() => running?.stop());

async function clientOf(seat: Seat, url = running.url): Promise<Client> {
  const client = createClient({ url, carrier: 'bearer', token: seat.token, logLevel: 'silent' });
  clients.push(client);
  await client.start();
  await waitFor(client.session, ({ state }) => state === 'signedIn');
  return client;
}

function join(client: Client, seat: Seat, call: Call): Lesson {
  const lesson = joinLesson(client, { as: seat.membershipId, callId: call.id }, { media: false });
  lessons.push(lesson);
  return lesson;
}

/** Fails with the snapshot that was there instead. */
const lessonIs = (lesson: Lesson, wanted: (snapshot: LessonSnapshot) => boolean, ms = 5_000) =>
  waitFor(lesson, wanted, ms).catch((error: Error) => {
    error.message += `: ${JSON.stringify(lesson.getSnapshot())}`;
    throw error;
  });
const connected = ({ status }: LessonSnapshot) => status === 'connected';
const sees = (id: MembershipId) => (snapshot: LessonSnapshot) =>
  connected(snapshot) && snapshot.participants.some((each) => each.membershipId === id);

/** Teacher and pupil, both in. */
async function inLesson(pupilUrl?: string) {
  const [ofTeacher, ofPupil] = [await clientOf(teacher), await clientOf(school.pupil, pupilUrl)];
  const { call } = await ofTeacher.calls.startCall({ as: teacher.membershipId, conversationId: classChat });
  const host = join(ofTeacher, teacher, call);
  const pupil = join(ofPupil, school.pupil, call);
  await Promise.all([
    lessonIs(host, sees(school.pupil.membershipId)),
    lessonIs(pupil, sees(teacher.membershipId)),
  ]);
  return { ofTeacher, ofPupil, call, host, pupil, end: () => host.end() };
}

describe('a lesson', () => {
  test('is announced to the chat, with its people and its end', async () => {
    const [ofTeacher, ofPupil] = [await clientOf(teacher), await clientOf(school.pupil)];
    await waitFor(ofPupil.connection, (state) => state === 'online');
    const heard: string[] = [];
    ofPupil.on('calls.callStarted', ({ call }) => heard.push(`started in ${call.conversationId}`));
    ofPupil.on('calls.participantsChanged', ({ participantCount }) =>
      heard.push(`${participantCount} in it`),
    );
    ofPupil.on('calls.callEnded', () => heard.push('ended'));
    const { call } = await ofTeacher.calls.startCall({ as: teacher.membershipId, conversationId: classChat });
    const host = join(ofTeacher, teacher, call);
    await lessonIs(host, connected);
    expect(host.getSnapshot().self).toMatchObject({ host: true, fullName: 'Ирина Павловна' });
    await sleep(1_300);
    await host.end();
    expect(await lessonIs(host, ({ status }) => status === 'ended')).toMatchObject({
      endReason: 'callEnded',
    });
    await sleep(300);
    expect(heard).toEqual([`started in ${classChat}`, '1 in it', 'ended']);
    expect(join(ofPupil, school.pupil, call).getSnapshot().status).toBe('connecting');
    const late = lessons.at(-1) as Lesson;
    expect(await lessonIs(late, ({ status }) => status === 'ended')).toMatchObject({
      endReason: 'callEnded',
    });
  });

  test('keeps parts of a snapshot that did not change', async () => {
    const { host, pupil, end } = await inLesson();
    const before = host.getSnapshot();
    await pupil.raiseHand(true);
    const after = await lessonIs(host, ({ participants }) => participants[0]?.handRaisedAt !== null);
    expect(after).not.toBe(before);
    expect(after.self).toBe(before.self);
    expect(after.participants[0]?.allowed).toBe(before.participants[0]?.allowed);
    expect(host.getSnapshot()).toBe(after);
    await host.lowerHand(school.pupil.membershipId);
    await lessonIs(pupil, ({ self }) => self.handRaisedAt === null);
    await end();
  });

  test('lets a host forbid and allow, remove and readmit; a pupil none of it', async () => {
    const { host, pupil, ofPupil, call, end } = await inLesson();
    const { membershipId } = school.pupil;
    await expect(pupil.setAllAllowed('microphone', false)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(pupil.remove(teacher.membershipId)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(pupil.end()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await host.setAllowed(membershipId, 'microphone', false);
    await lessonIs(pupil, ({ self }) => !self.allowed.microphone);
    await host.setAllowed(membershipId, 'screen', true);
    await lessonIs(pupil, ({ self }) => self.allowed.screen && !self.allowed.microphone);
    await host.remove(membershipId);
    expect(await lessonIs(pupil, ({ status }) => status === 'ended')).toMatchObject({ endReason: 'removed' });
    await lessonIs(host, ({ participants }) => participants.length === 0);
    const again = join(ofPupil, school.pupil, call);
    expect(await lessonIs(again, ({ status }) => status === 'ended')).toMatchObject({ endReason: 'removed' });
    await host.readmit(membershipId);
    const back = join(ofPupil, school.pupil, call);
    expect((await lessonIs(back, connected)).self.allowed).toMatchObject({ microphone: false, screen: true });
    await end();
  });

  test('is lived on one device at a time', async () => {
    const { pupil, host, call, end } = await inLesson();
    const second = join(await clientOf(school.pupil), school.pupil, call);
    await lessonIs(second, connected);
    expect(await lessonIs(pupil, ({ status }) => status === 'ended')).toMatchObject({
      endReason: 'replaced',
    });
    await lessonIs(host, ({ participants }) => participants.length === 1);
    await end();
  });

  test('comes back after a cut line, and after its worker died, with a raised hand', async () => {
    const proxy = await TcpProxy.start(running.url);
    proxies.push(proxy);
    const { host, pupil, end } = await inLesson(proxy.url);
    await pupil.raiseHand(true);
    proxy.cut();
    await lessonIs(pupil, ({ status }) => status === 'reconnecting');
    await lessonIs(pupil, connected);
    await lessonIs(host, ({ participants }) => participants[0]?.handRaisedAt !== null);

    const { media } = running.app;
    const pid = [...media.rooms()]
      .flatMap((room) => [...room.peers()])
      .map((peer) => peer.stage.worker.pid)[0];
    const at = Date.now();
    process.kill(pid as number, 'SIGKILL');
    await Promise.all([host, pupil].map((each) => lessonIs(each, ({ status }) => status === 'reconnecting')));
    await Promise.all([
      lessonIs(host, sees(school.pupil.membershipId)),
      lessonIs(pupil, sees(teacher.membershipId)),
    ]);
    expect(Date.now() - at).toBeLessThan(3_000);
    await lessonIs(host, ({ participants }) => participants[0]?.handRaisedAt !== null);
    await end();
  });

  test('ends for a device that signs out', async () => {
    const { host, end } = await inLesson();
    const { token } = await running.session(school.pupil.phone);
    const tablet = await clientOf({ ...school.pupil, token });
    const { call } = await tablet.calls.findLiveCall({
      as: school.pupil.membershipId,
      conversationId: classChat,
    });
    const lesson = join(tablet, school.pupil, call as Call);
    await lessonIs(lesson, connected);
    await tablet.accounts.signOut();
    expect(await lessonIs(lesson, ({ status }) => status === 'ended', 1_500)).toMatchObject({
      endReason: 'signedOut',
    });
    await lessonIs(host, ({ participants }) => participants.length === 0);
    await end();
  });
});
