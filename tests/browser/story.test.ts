// needs: chromium, media-worker
// alone: several browsers with live video keep both cores busy

import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeDataDir } from '@zvonok/server/platform/testing/test-postgres.ts';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { desktopSize, launchBrowser, Person, patience, phoneSize } from '../harness/browser.ts';
import { freePort, ServerProcess } from '../harness/process.ts';

/**
 * The product's main story, as its users play it: real browsers, real sound and picture through the SFU, the demo
 * school. The steps follow one another; a later one needs the earlier ones.
 */
const admin = { phone: '+79000000001' };
const teacher = { phone: '+79000000003', fullName: 'Волкова Ольга Николаевна' };
const invited = { phone: '+79161112233', fullName: 'Белов Никита' };
const classmate = { phone: '+79000000012', fullName: 'Зайцева Мария' };

/** The fake microphone beeps about once a second: listened to for long enough to hear it for certain. */
const listeningMs = 3_500;

let dataDir: string;
let server: ServerProcess;
let browser: Browser;
let people: Record<'admin' | 'teacher' | 'invited' | 'classmate', Person>;
let inviteLink: string;

beforeAll(async () => {
  dataDir = await makeDataDir();
  const rtcPort = await freePort();
  server = ServerProcess.start('server/src/main.ts', {
    PORT: String(await freePort()),
    DATA_DIR: dataDir,
    CALLS_SETUP: '',
    RTC_PORT_BASE: String(rtcPort),
  });
  await server.ready();
  browser = await launchBrowser();
  people = {
    admin: await Person.sitDown(browser, server, 'admin', desktopSize),
    teacher: await Person.sitDown(browser, server, 'teacher', desktopSize),
    invited: await Person.sitDown(browser, server, 'invited', phoneSize),
    classmate: await Person.sitDown(browser, server, 'classmate', desktopSize),
  };
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

it('the administrator makes an invite for class 7Б', async () => {
  const { page } = people.admin;
  await page.goto('/');
  await people.admin.enterPhoneAndCode(server, admin.phone);
  await page.getByTestId('conversations').waitFor();
  await page.goto('/school/invites');
  await page.getByTestId('invite-role').selectOption('pupil');
  await page.getByTestId('invite-group').selectOption({ label: '7Б' });
  await page.getByTestId('create-invite').click();
  inviteLink = await page.getByTestId('invite-link').inputValue();
  expect(new URL(inviteLink).hash).toMatch(/^#[\w-]{43}$/);
  await people.admin.screenshot('invite-1280');
});

it('a pupil redeems it on a phone and lands in the class chat', async () => {
  const { page } = people.invited;
  await page.goto(inviteLink);
  await page.getByTestId('invite-preview').getByText('7Б').waitFor();
  await people.invited.screenshot('redeem-390');
  await people.invited.enterPhoneAndCode(server, invited.phone);
  await page.getByTestId('full-name').fill(invited.fullName);
  await page.getByTestId('accept-invite').click();
  await page.getByTestId('conversation-title').filter({ hasText: '7Б' }).waitFor();
  await page.getByTestId('composer').waitFor();
});

it('teacher and pupils write to each other', async () => {
  for (const [person, phone] of [
    [people.teacher, teacher.phone],
    [people.classmate, classmate.phone],
  ] as const) {
    await person.page.goto('/');
    await person.enterPhoneAndCode(server, phone);
    await person.page.locator('[data-testid="conversation"][data-kind="class"]').click();
    await person.page.getByTestId('composer').waitFor();
  }
  await people.teacher.send('Здравствуйте! Начинаем через минуту.');
  await people.invited.send('Здравствуйте, Ольга Николаевна!');
  await people.classmate.send('А камеру включать?');
  const texts = ['Начинаем через минуту', 'Здравствуйте, Ольга', 'А камеру включать?'];
  for (const person of [people.teacher, people.invited, people.classmate]) {
    for (const text of texts) {
      await person.page.getByTestId('message').filter({ hasText: text }).waitFor();
    }
  }
  await people.invited.screenshot('chat-390');
  await people.teacher.screenshot('chat-1280');
});

it('the teacher starts a lesson; the pupils see it in the chat and join', async () => {
  await expect
    .poll(async () => ((await (await fetch(`${server.url}/healthz`)).json()) as { calls: string }).calls, {
      timeout: 60_000,
    })
    .toBe('ready');
  await people.teacher.page.getByTestId('start-lesson').click();
  await people.teacher.page.getByTestId('join').click();
  for (const pupil of [people.invited, people.classmate]) {
    await pupil.page.getByTestId('call-card').waitFor();
    await pupil.page.getByTestId('join-from-card').click();
    const microphone = pupil.page.getByTestId('pre-microphone');
    await microphone.waitFor();
    if ((await microphone.getAttribute('data-on')) !== 'true') await microphone.click();
    await pupil.page.getByTestId('join').click();
  }
  for (const person of inLesson()) {
    await person.page.locator('[data-testid="lesson"][data-status="connected"][data-room="open"]').waitFor();
    await expect.poll(() => person.page.getByTestId('tile').count(), { timeout: 20_000 }).toBe(3);
  }
});

it('everybody sees and hears everybody', async () => {
  for (const person of inLesson()) {
    const before = await person.received();
    // Until enough was decoded, however slow the machine: the beep comes once a second, ten frames take less.
    await expect
      .poll(
        async () => {
          const after = await person.received();
          const others = after.tiles.filter((tile) => !tile.own);
          const seen = others.filter((tile) => {
            const frames = (after.video[tile.track ?? ''] ?? 0) - (before.video[tile.track ?? ''] ?? 0);
            return tile.width > 0 && frames >= 10;
          });
          return { seen: seen.length, heard: voices(before, after).length, others: others.length };
        },
        { timeout: 30_000, interval: 500, message: person.name },
      )
      .toEqual({ seen: 2, heard: 2, others: 2 });
  }
  await people.teacher.screenshot('lesson-1280');
  await people.invited.screenshot('lesson-390');
});

it('a pupil raises a hand and the teacher sees it', async () => {
  await people.invited.page.getByTestId('control-hand').click();
  await people.teacher.page
    .locator(`[data-testid="tile"][data-name="${invited.fullName}"]`)
    .getByRole('img', { name: /рук/i })
    .waitFor();
});

it('the teacher mutes one: the others hear silence from him, and he can’t undo it', async () => {
  await people.teacher.page.getByTestId('control-people').click();
  await people.teacher.screenshot('lesson-people-1280');
  await personIn(people.teacher, invited.fullName).getByTestId('mute').click();
  await sleep(1_500);
  await Promise.all(
    [people.teacher, people.classmate].map(async (person) => {
      const before = await person.received();
      await sleep(listeningMs);
      expect(voices(before, await person.received()), `${person.name} hears one voice`).toHaveLength(1);
    }),
  );
  // The button tells why it does nothing, and pressing it does nothing.
  const control = people.invited.page.getByTestId('control-microphone');
  expect(await control.getAttribute('aria-disabled')).toBe('true');
  await control.click({ force: true });
  await sleep(500);
  const before = await people.teacher.received();
  await sleep(listeningMs);
  expect(voices(before, await people.teacher.received())).toHaveLength(1);
  await people.invited.screenshot('muted-390');
});

it('the teacher removes another, who stays out by any way', async () => {
  const row = personIn(people.teacher, classmate.fullName);
  await row.getByTestId('person-actions').click();
  await people.teacher.page.getByTestId('remove').click();
  await people.teacher.page.getByTestId('confirm').click();
  await people.classmate.page.getByTestId('lesson-closed').waitFor();
  await people.classmate.screenshot('removed-1280');
  await expect.poll(() => people.teacher.page.getByTestId('tile').count(), patience).toBe(2);

  // Loaded anew, and in another tab of the same browser.
  const lessonUrl = people.classmate.page.url();
  const otherTab = await people.classmate.context.newPage();
  for (const page of [people.classmate.page, otherTab]) {
    await page.goto(lessonUrl);
    const join = page.getByTestId('join');
    const closed = page.getByTestId('lesson-closed');
    await Promise.race([join.waitFor(), closed.waitFor()]);
    if (await join.isVisible()) await join.click();
    await sleep(2_000);
    expect(await page.getByTestId('tile').count()).toBe(0);
  }
  await otherTab.close();
  // From another device altogether: a fresh sign-in.
  const device = await Person.sitDown(browser, server, 'classmate elsewhere', phoneSize);
  await device.page.goto('/');
  await device.enterPhoneAndCode(server, classmate.phone);
  await device.page.getByTestId('conversations').waitFor();
  await device.page.goto(new URL(lessonUrl).pathname);
  const again = device.page.getByTestId('join');
  await Promise.race([again.waitFor(), device.page.getByTestId('lesson-closed').waitFor()]);
  if (await again.isVisible()) await again.click();
  await sleep(2_000);
  expect(await device.page.getByTestId('tile').count()).toBe(0);
  expect(await people.teacher.page.getByTestId('tile').count()).toBe(2);
  await device.context.close();
});

it('the teacher ends the lesson for all; the chat says that it is over', async () => {
  const { page } = people.teacher;
  await page.getByTestId('leave').click();
  await page.getByTestId('end-for-all').click();
  await page.getByTestId('confirm').click();
  await people.invited.page.getByTestId('lesson-closed').waitFor();
  await people.invited.page.getByTestId('to-chat').click();
  const card = people.invited.page.getByTestId('call-card');
  await card.waitFor();
  await expect.poll(() => people.invited.page.getByTestId('join-from-card').count(), patience).toBe(0);
  await people.invited.screenshot('after-lesson-390');
});

it('the administrator posts to the general channel; pupils read it and can’t write there', async () => {
  const { page } = people.admin;
  await page.goto('/');
  await people.admin.openConversation('Общешкольный канал');
  await people.admin.send('В пятницу уроки по сорок минут.');
  await page.getByTestId('message').filter({ hasText: 'по сорок минут' }).waitFor();
  const pupil = people.invited;
  await pupil.page.goto('/');
  await pupil.openConversation('Общешкольный канал');
  await pupil.page.getByTestId('message').filter({ hasText: 'по сорок минут' }).waitFor();
  await pupil.page.getByTestId('read-only').waitFor();
  expect(await pupil.page.getByTestId('composer').count()).toBe(0);
  await pupil.screenshot('channel-390');
});

it('no page complained on the way', () => {
  for (const person of Object.values(people)) {
    const complaints = person.complaints.filter((text) => !/status of (403|409|410|404)/.test(text));
    expect(complaints, person.name).toEqual([]);
  }
});

const inLesson = () => [people.teacher, people.invited, people.classmate];

const personIn = (person: Person, fullName: string) =>
  person.page.locator(`[data-testid="lesson-person"][data-name="${fullName}"]`);

/** The tracks whose sound carried energy between two readings. */
function voices(
  before: Awaited<ReturnType<Person['received']>>,
  after: Awaited<ReturnType<Person['received']>>,
): string[] {
  return Object.entries(after.audio)
    .filter(([track, energy]) => energy - (before.audio[track] ?? 0) > 0.000_1)
    .map(([track]) => track);
}
