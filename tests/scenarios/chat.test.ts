import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  type ClientOptions,
  type ConversationId,
  type ConversationSnapshot,
  type ConversationView,
  chatLimits,
  clientLimits,
  createClient,
  createMemoryOutboxStorage,
  waitFor,
} from '@zvonok/client-sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, joinAs, type SchoolFixture, type Seat } from '../harness/school.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';

/** What people see while they write to each other over good and bad networks: the SDK against the real server. */
let running: RunningApp;
let school: SchoolFixture;
let pupil: Seat;
let teacher: Seat;
const clients: Client[] = [];
const proxies: TcpProxy[] = [];

beforeAll(async () => {
  running = await startApp({ RATE_LIMITS: 'off' });
  school = await createSchoolFixture(running, 'Школа переписки', '+7960000');
  pupil = school.pupil;
  teacher = await joinAs(running, school, 'teacher', '+79600000031', 'Ирина Павловна');
  const ask = (procedure: string, input: object) =>
    running.post(procedure, { as: school.admin.membershipId, ...input }, school.admin.token);
  await ask('school.verifyTeacher', { membershipId: teacher.membershipId, basis: 'приказ 7' });
  const attached = await ask('school.attachTeacher', {
    membershipId: teacher.membershipId,
    groupId: school.ids.group,
    kind: 'class',
  });
  expect(attached.status).toBe(200);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const proxy of proxies.splice(0)) await proxy.stop();
});
afterAll(() => running?.stop());

async function clientOf(seat: Seat, options: ClientOptions = {}): Promise<Client> {
  const client = createClient({
    url: running.url,
    carrier: 'bearer',
    token: seat.token,
    logLevel: 'silent',
    ...options,
  });
  clients.push(client);
  await client.start();
  await waitFor(client.session, ({ state }) => state === 'signedIn');
  return client;
}

async function proxied(): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(running.url);
  proxies.push(proxy);
  return proxy;
}

/** A direct chat of two people would be remembered between tests; a new class per test is a new class chat. */
let classes = 0;
async function newClassChat(): Promise<ConversationId> {
  classes += 1;
  const as = school.admin.membershipId;
  const ask = async (procedure: string, input: object) => {
    const { status, text } = await running.post(procedure, { as, ...input }, school.admin.token);
    expect(status, `${procedure}: ${text}`).toBe(200);
    return JSON.parse(text);
  };
  const { group } = await ask('school.createGroup', { name: `${classes}Ж` });
  await ask('school.attachTeacher', { membershipId: teacher.membershipId, groupId: group.id, kind: 'class' });
  const { conversations } = await JSON.parse(
    (await running.post('chat.listConversations', { as: teacher.membershipId }, teacher.token)).text,
  );
  const found = conversations.find(
    (each: { groupId: string; kind: string }) => each.groupId === group.id && each.kind === 'class',
  );
  return found.id;
}

async function pupilOf(id: ConversationId, number: number): Promise<Seat> {
  const { text } = await running.post(
    'chat.getConversation',
    { as: teacher.membershipId, conversationId: id },
    teacher.token,
  );
  const { groupId } = JSON.parse(text).conversation;
  return joinAs(
    running,
    { admin: school.admin, ids: { group: groupId } },
    'pupil',
    `+7960001${String(classes).padStart(2, '0')}${String(number).padStart(2, '0')}`,
    'Оля Смирнова',
  );
}

async function opened(client: Client, seat: Seat, id: ConversationId): Promise<ConversationView> {
  const view = client.messenger(seat.membershipId).openConversation(id);
  await waitFor(view, ({ status }) => status === 'ready');
  return view;
}

const texts = ({ messages }: ConversationSnapshot) =>
  messages.map(({ body }) => (body.kind === 'text' ? body.text : body.kind));
const seqs = ({ messages }: ConversationSnapshot) => messages.map(({ seq }) => seq);
const isConfirmed = ({ messages }: ConversationSnapshot) => messages.every(({ seq }) => seq !== null);
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => index + first);

/** Writes as fast as the server takes it. */
async function flood(client: Client, seat: Seat, conversationId: ConversationId, count: number) {
  const workers = Array.from({ length: 50 }, async (_, worker) => {
    for (let number = worker; number < count; number += 50) {
      await client.chat.sendMessage({
        as: seat.membershipId,
        conversationId,
        clientMessageId: crypto.randomUUID() as never,
        text: `№ ${number}`,
      });
    }
  });
  await Promise.all(workers);
}

describe('a conversation', () => {
  it('of two people: both see the same, unread is counted and read on every device', async () => {
    const id = await newClassChat();
    const olya = await pupilOf(id, 1);
    const ofTeacher = await opened(await clientOf(teacher), teacher, id);
    const phone = await clientOf(olya);
    const tablet = await clientOf(olya);
    const onPhone = await opened(phone, olya, id);
    ofTeacher.notifyTyping();
    await waitFor(onPhone, ({ typing }) => typing.includes(teacher.membershipId));
    ofTeacher.send('Здравствуйте, класс!');
    await waitFor(onPhone, ({ messages, typing }) => messages.length === 1 && typing.length === 0);
    const unreadOf = (client: Client) =>
      client
        .messenger(olya.membershipId)
        .getSnapshot()
        .conversations.find((each) => each.id === id)?.unread;
    expect(unreadOf(phone)).toBe(1);
    await expect.poll(() => unreadOf(tablet)).toBe(1);
    onPhone.markRead();
    await expect.poll(() => unreadOf(tablet)).toBe(0);
    onPhone.send('Здравствуйте!');
    await waitFor(ofTeacher, ({ messages }) => messages.length === 2);
    await waitFor(onPhone, isConfirmed);
    expect(texts(onPhone.getSnapshot())).toEqual(['Здравствуйте, класс!', 'Здравствуйте!']);
    expect(texts(ofTeacher.getSnapshot())).toEqual(texts(onPhone.getSnapshot()));
    expect(unreadOf(phone)).toBe(0);
    await ofTeacher.loadMembers();
    expect(
      ofTeacher.getSnapshot().members?.find(({ membershipId }) => membershipId === olya.membershipId)?.online,
    ).toBe(true);
    phone.close();
    tablet.close();
    await waitFor(
      ofTeacher,
      ({ members }) =>
        members?.find(({ membershipId }) => membershipId === olya.membershipId)?.online === false,
      chatLimits.presenceGraceMs + 3_000,
    );
  });

  it('refuses to be written by who may only read, and says so', async () => {
    const view = await (async () => {
      const client = await clientOf(pupil);
      return opened(client, pupil, school.ids.conversation as ConversationId);
    })();
    expect(view.getSnapshot().conversation?.canPost).toBe(false);
    view.send('можно?');
    const { messages } = await waitFor(view, (snapshot) => snapshot.messages.at(-1)?.state === 'failed');
    expect(messages.at(-1)?.failure).toBe('READ_ONLY');
  });
});

describe('a bad network', () => {
  it('100 messages missed are there within 1.5 s of the connection, in order and once', async () => {
    const id = await newClassChat();
    const olya = await pupilOf(id, 1);
    const writer = await clientOf(teacher);
    const proxy = await proxied();
    const reader = await clientOf(olya, { url: proxy.url });
    const view = await opened(reader, olya, id);
    const times: number[] = [];
    for (let round = 1; round <= 5; round += 1) {
      proxy.down();
      await waitFor(reader.connection, (state) => state !== 'online');
      await flood(writer, teacher, id, 100);
      proxy.restore();
      await waitFor(reader.connection, (state) => state === 'online', 10_000);
      const startedAt = performance.now();
      await waitFor(view, ({ messages }) => messages.length === round * 100);
      times.push(performance.now() - startedAt);
      expect(seqs(view.getSnapshot())).toEqual(upTo(round * 100));
    }
    expect(Math.max(...times)).toBeLessThan(1_500);
  });

  it('10,000 messages missed: the newest are there within 10 s, older ones without a hole behind them', async () => {
    const id = await newClassChat();
    const olya = await pupilOf(id, 1);
    const writer = await clientOf(teacher);
    const proxy = await proxied();
    const reader = await clientOf(olya, { url: proxy.url });
    const view = await opened(reader, olya, id);
    proxy.down();
    await waitFor(reader.connection, (state) => state !== 'online');
    await flood(writer, teacher, id, 10_000);
    proxy.restore();
    await waitFor(reader.connection, (state) => state === 'online', 10_000);
    const startedAt = performance.now();
    await waitFor(view, ({ messages }) => messages.at(-1)?.seq === 10_000, 10_000);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(seqs(view.getSnapshot())).toEqual(upTo(10_000, 10_001 - clientLimits.firstPage));
    await view.loadOlder();
    expect(seqs(view.getSnapshot())).toEqual(
      upTo(10_000, 10_001 - clientLimits.firstPage - chatLimits.pageSize),
    );
    expect(view.getSnapshot().conversation?.unread).toBe(10_000);
  });

  it('a message whose acknowledgement and event are lost is there once', async () => {
    const id = await newClassChat();
    const proxy = await proxied();
    const writer = await clientOf(teacher, { url: proxy.url });
    const view = await opened(writer, teacher, id);
    let lost = 0;
    proxy.loseFrame = (text) => {
      const isLost = text.startsWith('43') || text.startsWith('42["chat.messageSent"');
      if (isLost) lost += 1;
      return isLost;
    };
    view.send('один раз');
    await expect.poll(() => lost).toBeGreaterThanOrEqual(2);
    expect(view.getSnapshot().messages[0]?.state).toBe('sending');
    proxy.loseFrame = () => false;
    proxy.cut();
    await waitFor(view, (snapshot) => isConfirmed(snapshot) && !snapshot.catchingUp, 10_000);
    view.send('следующее');
    await waitFor(view, (snapshot) => snapshot.messages.length === 2 && isConfirmed(snapshot));
    const fresh = await opened(await clientOf(teacher), teacher, id);
    expect(texts(fresh.getSnapshot())).toEqual(['один раз', 'следующее']);
    expect(writer.outbox.getSnapshot()).toEqual({ waiting: 0, failed: 0 });
  });

  it('what was typed offline is sent once and in order, even by the next start of the app', async () => {
    const id = await newClassChat();
    const outboxStorage = createMemoryOutboxStorage();
    const proxy = await proxied();
    const killed = await clientOf(teacher, { url: proxy.url, outboxStorage });
    const view = await opened(killed, teacher, id);
    proxy.down();
    await waitFor(killed.connection, (state) => state !== 'online');
    const typed = Array.from({ length: 20 }, (_, index) => `без сети ${index + 1}`);
    for (const text of typed) view.send(text);
    expect(killed.outbox.getSnapshot().waiting).toBe(20);
    await sleep(50);
    killed.close();
    proxy.restore();
    const reopened = await clientOf(teacher, { url: proxy.url, outboxStorage });
    await waitFor(reopened.outbox, ({ waiting }) => waiting === 0, 10_000);
    const fresh = await opened(reopened, teacher, id);
    await waitFor(fresh, (snapshot) => snapshot.messages.length === 20 && isConfirmed(snapshot));
    expect(texts(fresh.getSnapshot())).toEqual(typed);
  });

  it('a last event that is lost is noticed within 15 s', async () => {
    const id = await newClassChat();
    const olya = await pupilOf(id, 1);
    const writer = await opened(await clientOf(teacher), teacher, id);
    const proxy = await proxied();
    const view = await opened(await clientOf(olya, { url: proxy.url }), olya, id);
    let lost = 0;
    proxy.loseFrame = (text) => {
      const isLost = text.startsWith('42["chat.messageSent"');
      if (isLost) lost += 1;
      return isLost;
    };
    writer.send('услышьте меня');
    await expect.poll(() => lost).toBe(1);
    expect(view.getSnapshot().messages).toEqual([]);
    const startedAt = performance.now();
    await waitFor(view, ({ messages }) => messages.length === 1, chatLimits.headsMs + 1_000);
    expect(performance.now() - startedAt).toBeLessThanOrEqual(chatLimits.headsMs + 500);
  });

  it('three people write while connections break and frames are lost: everybody ends with the same list', async () => {
    const id = await newClassChat();
    const seats = [teacher, await pupilOf(id, 1), await pupilOf(id, 2)];
    const random = seeded(20_261_122);
    const people = await Promise.all(
      seats.map(async (seat) => {
        const proxy = await proxied();
        const client = await clientOf(seat, { url: proxy.url });
        return { seat, proxy, client, view: await opened(client, seat, id) };
      }),
    );
    const holes: unknown[] = [];
    for (const { proxy, view } of people) {
      proxy.loseFrame = (text) => (text.startsWith('42') || text.startsWith('43')) && random() < 0.1;
      view.subscribe(() => {
        const shown = seqs(view.getSnapshot()).filter((seq) => seq !== null);
        const first = shown[0] ?? 1;
        if (shown.some((seq, index) => seq !== first + index)) holes.push(shown);
      });
    }
    const perPerson = 60;
    await Promise.all(
      people.map(async ({ proxy, view }, person) => {
        for (let number = 1; number <= perPerson; number += 1) {
          view.send(`${person}: ${number}`);
          await sleep(random() * 200);
          if (random() < 0.04) proxy.cut();
        }
      }),
    );
    for (const { proxy } of people) proxy.loseFrame = () => false;
    const total = perPerson * people.length;
    for (const { view, client } of people) {
      await waitFor(
        view,
        (snapshot) => isConfirmed(snapshot) && snapshot.messages.at(-1)?.seq === total,
        chatLimits.headsMs * 2 + clientLimits.callMs,
      );
      expect(client.outbox.getSnapshot()).toEqual({ waiting: 0, failed: 0 });
      while (view.getSnapshot().hasOlder) await view.loadOlder();
    }
    expect(holes).toEqual([]);
    const [first] = people.map(({ view }) => texts(view.getSnapshot()));
    for (const { view } of people) {
      expect(seqs(view.getSnapshot())).toEqual(upTo(total));
      expect(texts(view.getSnapshot())).toEqual(first);
    }
    for (const person of people.keys()) {
      const own = first?.filter((text) => text.startsWith(`${person}:`));
      expect(own).toEqual(Array.from({ length: perPerson }, (_, index) => `${person}: ${index + 1}`));
    }
  });
});

/** Numbers from 0 to 1, the same for the same seed (Lehmer's generator). */
function seeded(seed: number): () => number {
  let state = seed % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
