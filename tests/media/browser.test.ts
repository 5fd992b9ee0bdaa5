// needs: chromium, media-worker
// alone: live media keeps time
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Lesson } from '@zvonok/client-sdk';
import { CodedError, errorCatalogue, type MembershipId } from '@zvonok/shared';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../harness/browser.ts';
import { type MediaServer, person, startMediaServer, until } from './media-server.ts';

let server: MediaServer;
let browser: Browser;
const people = new Map<string, ReturnType<typeof person>>();
const removed = new Set<string>();

beforeAll(async () => {
  const script = await bundle();
  server = await startMediaServer({ workers: 2, mount: (http) => servePage(http, script) });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** The page, and the one procedure that a lesson asks. */
function servePage(http: FastifyInstance, script: string): void {
  http.get('/', (_request, reply) =>
    reply
      .type('text/html')
      .send('<!doctype html><title>lesson</title><body></body><script src="/page.js"></script>'),
  );
  http.get('/page.js', (_request, reply) => reply.type('text/javascript').send(script));
  http.post('/test/calls.createTicket', (request, reply) => {
    const { personId, callId } = request.body as { personId: string; callId: string };
    const facts = people.get(personId);
    if (facts === undefined || removed.has(personId)) {
      const { code } = new CodedError('REMOVED_FROM_CALL');
      return reply.code(errorCatalogue[code].status).send({ code });
    }
    const ticket = server.ticketFor(callId, facts);
    return reply.send({ path: '/media/v1', ticket, expiresAt: new Date().toISOString() });
  });
}

async function enter(room: string, facts: ReturnType<typeof person>): Promise<Page> {
  people.set(facts.membershipId, facts);
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  const page = await context.newPage();
  if (process.env.TEST_LOG !== undefined) page.on('console', (message) => console.log(message.text()));
  page.on('pageerror', (error) => console.error(error));
  await page.goto(server.url);
  await page.evaluate(([roomId, personId]) => window.enter(roomId, personId), [
    room,
    facts.membershipId,
  ] as const);
  return page;
}

/** Waits until the lesson of this page is as wanted. */
function lessonIs(page: Page, wanted: (lesson: Lesson) => boolean, ms = 15_000): Promise<unknown> {
  return page.waitForFunction(`(${wanted.toString()})(window.lesson)`, undefined, {
    timeout: ms,
    polling: 20,
  });
}

const see = (page: Page, who: MembershipId, ms = 2_000) =>
  page.evaluate(([id, time]) => window.see(id, 'camera', time), [who, ms] as const);
const hear = (page: Page, who: MembershipId, ms = 2_500) =>
  page.evaluate(([id, time]) => window.hear(id, time), [who, ms] as const);

const bothMediaFlow = (lesson: Lesson) =>
  lesson
    .getSnapshot()
    .participants.some((each) => each.microphone.track !== null && each.camera.track !== null);

test('two people see and hear each other; a mute, a killed and a stopped worker, a removal', async () => {
  const room = randomUUID();
  const teacherFacts = person({ host: true, fullName: 'Учительница' });
  const pupilFacts = person({ fullName: 'Ученик' });
  const [teacher, pupil] = [await enter(room, teacherFacts), await enter(room, pupilFacts)];
  await Promise.all([lessonIs(teacher, bothMediaFlow), lessonIs(pupil, bothMediaFlow)]);

  for (const [page, other] of [
    [teacher, pupilFacts],
    [pupil, teacherFacts],
  ] as const) {
    const seen = await see(page, other.membershipId);
    expect(seen.frames).toBeGreaterThan(10);
    expect(seen.width).toBeGreaterThanOrEqual(320);
    expect(await hear(page, other.membershipId)).toBeGreaterThan(0.02);
  }

  // The mute binds on the server: silence, although the pupil's page would go on sending.
  await teacher.evaluate((id) => window.lesson.setAllowed(id, 'microphone', false), pupilFacts.membershipId);
  await lessonIs(pupil, (lesson) => lesson.getSnapshot().self.microphone.error === 'forbidden');
  expect(await hear(teacher, pupilFacts.membershipId)).toBeLessThan(0.005);
  await pupil.evaluate(() => window.lesson.setMicrophone(true));
  expect(await pupil.evaluate(() => window.lesson.getSnapshot().self.microphone.state)).toBe('off');

  // A worker dies, then one hangs: the lesson is back by itself, and the mute with it.
  for (const [signal, limitMs] of [
    ['SIGKILL', 3_000],
    ['SIGSTOP', 7_000],
  ] as const) {
    const pid = server.media.findRoom(room)?.find(teacherFacts.membershipId)?.stage.worker.pid;
    if (pid === undefined) throw new Error('the room has no worker');
    await Promise.all([teacher, pupil].map((page) => page.evaluate(() => window.markMedia())));
    const at = Date.now();
    process.kill(pid, signal);
    await until(() => !server.media.workerPids().includes(pid), 5_000);
    const noticedMs = Date.now() - at;
    await Promise.all([
      lessonIs(
        pupil,
        (lesson) => window.hasNewMedia() && lesson.getSnapshot().participants[0]?.microphone.on === true,
      ),
      lessonIs(teacher, () => window.hasNewMedia()),
    ]);
    const backMs = Date.now() - at;
    console.log(`${signal}: noticed after ${noticedMs} ms, media back after ${backMs} ms`);
    expect(backMs).toBeLessThan(limitMs);
    expect(await hear(pupil, teacherFacts.membershipId)).toBeGreaterThan(0.02);
    expect((await see(teacher, pupilFacts.membershipId)).frames).toBeGreaterThan(10);
    expect(await pupil.evaluate(() => window.lesson.getSnapshot().self.allowed.microphone)).toBe(false);
  }

  // The host lets them speak again; it is the pupil who switches on.
  await teacher.evaluate((id) => window.lesson.setAllowed(id, 'microphone', true), pupilFacts.membershipId);
  await lessonIs(pupil, (lesson) => lesson.getSnapshot().self.allowed.microphone);
  await pupil.evaluate(() => window.lesson.setMicrophone(true));
  await lessonIs(teacher, bothMediaFlow);
  expect(await hear(teacher, pupilFacts.membershipId)).toBeGreaterThan(0.02);

  removed.add(pupilFacts.membershipId);
  server.media.findRoom(room)?.evict(pupilFacts.membershipId, 'REMOVED_FROM_CALL');
  await lessonIs(pupil, (lesson) => lesson.getSnapshot().endReason === 'removed');
  await lessonIs(teacher, (lesson) => lesson.getSnapshot().participants.length === 0);
  const again = await enter(room, pupilFacts);
  await lessonIs(again, (lesson) => lesson.getSnapshot().endReason === 'removed');
});

async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      rollupOptions: {
        input: fileURLToPath(new URL('./page.ts', import.meta.url)),
        output: { format: 'iife', codeSplitting: false },
      },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((each) =>
    'output' in each ? each.output : [],
  );
  const chunk = outputs.find((each) => each.type === 'chunk');
  if (chunk?.type !== 'chunk') throw new Error('the page was not bundled');
  return chunk.code;
}
