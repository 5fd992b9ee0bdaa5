import type { AccountId, ChallengeId, ConversationId } from '@zvonok/shared';
import { CodedError } from '@zvonok/shared/errors.ts';
import { chatLimits, clientLimits } from '@zvonok/shared/limits.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ConversationSnapshot, ConversationView } from './chat/conversation.ts';
import { createMemoryOutboxStorage } from './chat/outbox-storage.ts';
import { type Client, type ClientOptions, createClient } from './client.ts';
import { waitFor } from './source.ts';
import { createMemoryStorage } from './storage.ts';
import { type TestPerson, TestServer } from './test-server.ts';

let server: TestServer;
let anna: TestPerson;
let boris: TestPerson;
let circle: ConversationId;
const clients: Client[] = [];

beforeEach(async () => {
  server = new TestServer();
  anna = server.addPerson('Анна');
  boris = server.addPerson('Борис');
  circle = server.addConversation(anna, boris);
  await server.listen();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.stop();
});

// Tokens travel in HTTP headers as well: Latin letters alone.
const tokenOf = (person: TestPerson) => encodeURIComponent(person.name);

function newClient(options: ClientOptions = {}): Client {
  const client = createClient({ url: server.url, logLevel: 'silent', ...options });
  clients.push(client);
  return client;
}

async function signedIn(person: TestPerson, options: ClientOptions = {}): Promise<Client> {
  const client = newClient({ token: tokenOf(person), ...options });
  await client.start();
  await waitFor(client.session, ({ state }) => state === 'signedIn');
  return client;
}

async function opened(client: Client, person: TestPerson, id = circle): Promise<ConversationView> {
  const view = client.messenger(person.as).openConversation(id);
  await waitFor(view, ({ status }) => status === 'ready');
  return view;
}

const texts = ({ messages }: ConversationSnapshot) =>
  messages.map(({ body }) => (body.kind === 'text' ? body.text : body.kind));
const seqs = ({ messages }: ConversationSnapshot) => messages.map(({ seq }) => seq);
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => index + first);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('two people write to each other and see the same list', async () => {
  const ofAnna = await opened(await signedIn(anna), anna);
  const ofBoris = await opened(await signedIn(boris), boris);
  ofAnna.send('Привет');
  await waitFor(ofBoris, (snapshot) => texts(snapshot).length === 1);
  ofBoris.send('Здравствуйте');
  await waitFor(ofAnna, (snapshot) => texts(snapshot).length === 2);
  expect(texts(ofAnna.getSnapshot())).toEqual(['Привет', 'Здравствуйте']);
  await waitFor(ofBoris, ({ messages }) => messages.every(({ seq }) => seq !== null));
  expect(texts(ofBoris.getSnapshot())).toEqual(texts(ofAnna.getSnapshot()));
  expect(ofAnna.getSnapshot().messages.map(({ mine, state }) => [mine, state])).toEqual([
    [true, 'sent'],
    [false, 'sent'],
  ]);
});

test('a snapshot is the same object until something changes, and so are its unchanged messages', async () => {
  const view = await opened(await signedIn(anna), anna);
  view.send('one');
  const first = await waitFor(view, ({ messages }) => messages[0]?.seq === 1);
  await waitFor(view, ({ catchingUp }) => !catchingUp);
  expect(view.getSnapshot()).toBe(view.getSnapshot());
  server.post(circle, boris, 'two');
  const second = await waitFor(view, ({ messages }) => messages.length === 2);
  expect(second).not.toBe(first);
  expect(second.messages[0]).toBe(first.messages[0]);
});

test('a message keeps its key from the first echo until it is confirmed, and is never shown twice', async () => {
  const view = await opened(await signedIn(anna), anna);
  const seen: (readonly [string, string, number | null])[][] = [];
  view.subscribe(() =>
    seen.push(view.getSnapshot().messages.map(({ key, state, seq }) => [key, state, seq] as const)),
  );
  const id = view.send('one');
  expect(view.getSnapshot().messages).toMatchObject([{ state: 'sending', seq: null, clientMessageId: id }]);
  await waitFor(view, ({ messages }) => messages[0]?.seq === 1);
  await pause(50);
  expect(seen.every((list) => list.length === 1)).toBe(true);
  expect(new Set(seen.flat().map(([key]) => key)).size).toBe(1);
});

test('a lost event is noticed by the next one and healed without a hole', async () => {
  const view = await opened(await signedIn(anna), anna);
  let number = 0;
  server.faults.loseEvent = (name, to) => {
    if (to !== anna || name !== 'chat.messageSent') return false;
    number += 1;
    return number % 3 === 2;
  };
  const holes: unknown[] = [];
  view.subscribe(() => {
    const shown = seqs(view.getSnapshot());
    if (shown.some((seq, index) => seq !== index + 1)) holes.push(shown);
  });
  for (let index = 1; index <= 30; index += 1) {
    server.post(circle, boris, `№ ${index}`);
    await pause(5);
  }
  const startedAt = performance.now();
  await waitFor(view, ({ messages }) => messages.length === 30, 2_000);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(seqs(view.getSnapshot())).toEqual(upTo(30));
  expect(holes).toEqual([]);
});

test('a change of an old message is healed in place, and one that overtakes its successors too', async () => {
  const view = await opened(await signedIn(anna), anna);
  for (let index = 1; index <= 3; index += 1) server.post(circle, boris, `№ ${index}`);
  await waitFor(view, ({ messages }) => messages.length === 3);
  server.faults.loseEvent = (_name, to) => to === anna;
  server.change(circle, 2, 'changed');
  server.post(circle, boris, '№ 4');
  server.post(circle, boris, '№ 5');
  server.change(circle, 4, 'changed too');
  server.faults.loseEvent = () => false;
  server.post(circle, boris, '№ 6');
  await waitFor(view, ({ messages }) => messages.length === 6, 2_000);
  expect(texts(view.getSnapshot())).toEqual(['№ 1', 'changed', '№ 3', 'changed too', '№ 5', '№ 6']);
  await waitFor(view, ({ catchingUp }) => !catchingUp);
  // Healed, not thrown away and read anew.
  expect(view.getSnapshot().generation).toBe(0);
});

test('what was missed while the connection was away comes with it', async () => {
  const client = await signedIn(anna);
  const view = await opened(client, anna);
  server.post(circle, boris, '№ 1');
  await waitFor(view, ({ messages }) => messages.length === 1);
  server.cut(anna);
  await waitFor(client.connection, (state) => state === 'reconnecting');
  for (let index = 2; index <= 101; index += 1) server.post(circle, boris, `№ ${index}`);
  const startedAt = performance.now();
  await waitFor(view, ({ messages }) => messages.length === 101);
  expect(performance.now() - startedAt).toBeLessThan(1_500);
  expect(seqs(view.getSnapshot())).toEqual(upTo(101));
  expect(view.getSnapshot().generation).toBe(0);
  expect(client.messenger(anna.as).getSnapshot().conversations[0]?.unread).toBe(101);
});

test('after ten thousand missed messages the newest page is shown, and history without a hole behind it', async () => {
  const client = await signedIn(anna);
  const view = await opened(client, anna);
  server.post(circle, boris, '№ 1');
  await waitFor(view, ({ messages }) => messages.length === 1);
  await server.stop();
  await waitFor(client.connection, (state) => state !== 'online');
  for (let index = 2; index <= 10_001; index += 1) server.post(circle, boris, `№ ${index}`);
  const callsBefore = server.callsOf('chat.changesSince');
  await server.listen();
  const snapshot = await waitFor(view, ({ messages }) => messages.at(-1)?.seq === 10_001, 10_000);
  expect(snapshot.generation).toBe(1);
  expect(seqs(snapshot)).toEqual(upTo(10_001, 10_002 - clientLimits.firstPage));
  expect(server.callsOf('chat.changesSince')).toBe(callsBefore);
  expect(snapshot.hasOlder).toBe(true);
  await view.loadOlder();
  await view.loadOlder();
  const shown = seqs(view.getSnapshot());
  expect(shown).toEqual(upTo(10_001, 10_002 - clientLimits.firstPage - 2 * chatLimits.pageSize));
});

test('history is paged to its beginning', async () => {
  for (let index = 1; index <= 230; index += 1) server.post(circle, boris, `№ ${index}`);
  const view = await opened(await signedIn(anna), anna);
  expect(seqs(view.getSnapshot())).toEqual(upTo(230, 231 - clientLimits.firstPage));
  await Promise.all([view.loadOlder(), view.loadOlder()]);
  await view.loadOlder();
  expect(view.getSnapshot().hasOlder).toBe(false);
  expect(seqs(view.getSnapshot())).toEqual(upTo(230));
  await view.loadOlder();
  expect(view.getSnapshot().messages).toHaveLength(230);
});

test('a change that happens while an older page is on its way is not lost with it', async () => {
  for (let index = 1; index <= 100; index += 1) server.post(circle, boris, `№ ${index}`);
  const view = await opened(await signedIn(anna), anna);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.faults.holdReply = (name) => (name === 'chat.listMessages' ? held : undefined);
  const loading = view.loadOlder();
  while (server.callsOf('chat.listMessages') < 2) await pause(5);
  server.change(circle, 10, 'changed');
  server.post(circle, boris, '№ 101');
  await waitFor(view, ({ messages }) => messages.at(-1)?.seq === 101);
  release();
  await loading;
  expect(seqs(view.getSnapshot())).toEqual(upTo(101));
  expect(texts(view.getSnapshot())[9]).toBe('changed');
});

test('messages that come while the newest page is on its way are in the list', async () => {
  for (let index = 1; index <= 60; index += 1) server.post(circle, boris, `№ ${index}`);
  const client = await signedIn(anna);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.faults.holdReply = (name) => (name === 'chat.listMessages' ? held : undefined);
  const view = client.messenger(anna.as).openConversation(circle);
  while (server.callsOf('chat.listMessages') < 1) await pause(5);
  server.post(circle, boris, '№ 61');
  server.change(circle, 60, 'changed');
  await waitFor(client.messenger(anna.as), ({ conversations }) => conversations[0]?.lastSeq === 61);
  release();
  const snapshot = await waitFor(view, ({ status }) => status === 'ready');
  expect(seqs(snapshot)).toEqual(upTo(61, 11));
  expect(texts(snapshot).slice(-2)).toEqual(['changed', '№ 61']);
});

test('a lost acknowledgement leads to the same message, not to a second one', async () => {
  const client = await signedIn(anna);
  const view = await opened(client, anna);
  const watcher = await opened(await signedIn(boris), boris);
  let lost = 1;
  server.faults.loseReply = (name) => {
    if (name !== 'chat.sendMessage' || lost === 0) return false;
    lost -= 1;
    server.cut(anna);
    return true;
  };
  // The event is lost as well, or it would confirm the message by itself.
  server.faults.loseEvent = (_name, to) => to === anna && lost > 0;
  view.send('once');
  view.send('twice');
  await waitFor(
    view,
    ({ messages }) => messages.length === 2 && messages.every(({ seq }) => seq !== null),
    8_000,
  );
  expect(texts(view.getSnapshot())).toEqual(['once', 'twice']);
  expect(server.messagesOf(circle)).toHaveLength(2);
  expect(server.callsOf('chat.sendMessage')).toBeGreaterThanOrEqual(2);
  expect(texts(watcher.getSnapshot())).toEqual(['once', 'twice']);
  await waitFor(client.outbox, ({ waiting }) => waiting === 0);
});

test('an acknowledgement tells of a message whose event is lost', async () => {
  const view = await opened(await signedIn(anna), anna);
  server.faults.loseEvent = () => true;
  view.send('one');
  const snapshot = await waitFor(view, ({ messages }) => messages[0]?.seq === 1, 1_000);
  expect(texts(snapshot)).toEqual(['one']);
});

test('an event confirms a message whose acknowledgement never comes', async () => {
  const client = await signedIn(anna);
  const view = await opened(client, anna);
  server.faults.loseReply = (name) => name === 'chat.sendMessage';
  view.send('one');
  await waitFor(view, ({ messages }) => messages[0]?.seq === 1, 1_000);
  expect(client.outbox.getSnapshot()).toEqual({ waiting: 0, failed: 0 });
});

test('what is typed offline goes out in order when the server is back', async () => {
  const client = await signedIn(anna);
  const view = await opened(client, anna);
  await server.stop();
  await waitFor(client.connection, (state) => state !== 'online');
  for (const text of ['one', 'two', 'three']) view.send(text);
  expect(client.outbox.getSnapshot().waiting).toBe(3);
  expect(view.getSnapshot().messages.map(({ state }) => state)).toEqual(['sending', 'sending', 'sending']);
  await server.listen();
  await waitFor(view, ({ messages }) => messages.every(({ seq }) => seq !== null), 8_000);
  expect(server.messagesOf(circle).map(({ body }) => body)).toEqual(
    ['one', 'two', 'three'].map((text) => ({ kind: 'text', text })),
  );
});

test('a refusal for good is shown, retried and discarded', async () => {
  const client = await signedIn(anna);
  const view = await opened(client, anna);
  server.faults.refuse = (name) =>
    name === 'chat.sendMessage' ? new CodedError('CONVERSATION_LOCKED').toBody() : undefined;
  const first = view.send('one');
  const second = view.send('two');
  await waitFor(view, ({ messages }) => messages.every(({ state }) => state === 'failed'));
  expect(view.getSnapshot().messages[0]?.failure).toBe('CONVERSATION_LOCKED');
  expect(client.outbox.getSnapshot()).toEqual({ waiting: 0, failed: 2 });
  server.faults.refuse = () => undefined;
  view.discard(first);
  view.retry(second);
  await waitFor(view, ({ messages }) => messages.length === 1 && messages[0]?.seq === 1);
  expect(texts(view.getSnapshot())).toEqual(['two']);
});

test('a server that asks for patience gets the message later', async () => {
  const view = await opened(await signedIn(anna), anna);
  let refusals = 2;
  server.faults.refuse = (name) => {
    if (name !== 'chat.sendMessage' || refusals === 0) return undefined;
    refusals -= 1;
    return new CodedError('RATE_LIMITED', { retryAfterMs: 50 }).toBody();
  };
  view.send('one');
  const snapshot = await waitFor(view, ({ messages }) => messages[0]?.seq === 1);
  expect(texts(snapshot)).toEqual(['one']);
  expect(refusals).toBe(0);
});

test('the list counts what is unread, orders by activity and follows reading', async () => {
  const other = server.addConversation(anna, boris);
  const client = await signedIn(anna);
  const messenger = client.messenger(anna.as);
  await waitFor(messenger, ({ status }) => status === 'ready');
  server.post(circle, boris, '№ 1');
  await pause(5);
  server.post(other, boris, '№ 1');
  server.post(other, boris, '№ 2');
  const snapshot = await waitFor(messenger, ({ unread }) => unread === 3);
  expect(snapshot.conversations.map(({ id, unread }) => [id, unread])).toEqual([
    [other, 2],
    [circle, 1],
  ]);
  const view = await opened(client, anna, other);
  view.markRead();
  expect(messenger.getSnapshot().unread).toBe(1);
  while (server.callsOf('chat.markRead') < 1) await pause(5);
  const elsewhere = (await signedIn(anna)).messenger(anna.as);
  await waitFor(elsewhere, ({ status, unread }) => status === 'ready' && unread === 1);
  view.send('mine');
  await waitFor(elsewhere, ({ conversations }) => conversations[0]?.lastSeq === 3);
  expect(elsewhere.getSnapshot().unread).toBe(1);
});

test('a conversation that is joined appears with its messages; one that is left goes', async () => {
  const client = await signedIn(anna);
  const messenger = client.messenger(anna.as);
  await waitFor(messenger, ({ status }) => status === 'ready');
  const joined = server.addConversation(anna, boris);
  server.post(joined, boris, '№ 1');
  await waitFor(messenger, ({ conversations }) => conversations.some(({ unread }) => unread === 1));
  const view = await opened(client, anna, joined);
  expect(seqs(view.getSnapshot())).toEqual([1]);
  server.removeMember(joined, anna);
  await waitFor(view, ({ status }) => status === 'gone');
  expect(view.getSnapshot().messages).toEqual([]);
  expect(messenger.getSnapshot().conversations.map(({ id }) => id)).toEqual([circle]);
});

test('what was joined and left while away is found at the next connection', async () => {
  const client = await signedIn(anna);
  const messenger = client.messenger(anna.as);
  await waitFor(messenger, ({ status }) => status === 'ready');
  server.faults.loseEvent = () => true;
  const joined = server.addConversation(anna, boris);
  server.removeMember(circle, anna);
  server.faults.loseEvent = () => false;
  server.cut(anna);
  await waitFor(messenger, ({ conversations }) => conversations.map(({ id }) => id).join() === joined);
});

test('what was left while away is gone at the next connection', async () => {
  const client = await signedIn(anna);
  const view = await opened(client, anna);
  server.faults.loseEvent = () => true;
  server.removeMember(circle, anna);
  server.cut(anna);
  await waitFor(view, ({ status }) => status === 'gone');
  expect(client.messenger(anna.as).getSnapshot().conversations).toEqual([]);
});

test('somebody else’s conversation is gone, not loading for ever', async () => {
  const theirs = server.addConversation(boris);
  const client = await signedIn(anna);
  const view = client.messenger(anna.as).openConversation(theirs);
  await waitFor(view, ({ status }) => status === 'gone');
  expect(client.messenger(anna.as).openConversation(theirs)).toBe(view);
});

test('typing is shown for a while and to the others only', async () => {
  const ofAnna = await opened(await signedIn(anna), anna);
  const ofBoris = await opened(await signedIn(boris), boris);
  for (let index = 0; index < 10; index += 1) ofAnna.notifyTyping();
  await waitFor(ofBoris, ({ typing }) => typing.length === 1);
  expect(ofBoris.getSnapshot().typing).toEqual([anna.as]);
  expect(ofAnna.getSnapshot().typing).toEqual([]);
  expect(server.callsOf('chat.setTyping')).toBe(1);
  ofAnna.send('done');
  await waitFor(ofBoris, ({ typing, messages }) => typing.length === 0 && messages.length === 1);
});

test('a session that the server ends signs the client out, and unsent messages wait for their owner', async () => {
  const outboxStorage = createMemoryOutboxStorage();
  const storage = createMemoryStorage();
  await storage.set('token', tokenOf(anna));
  const client = newClient({ storage, outboxStorage });
  await client.start();
  const view = await opened(client, anna);
  server.faults.refuse = (name) =>
    name === 'chat.sendMessage' ? new CodedError('UNAVAILABLE').toBody() : undefined;
  view.send('unsent');
  await pause(20);
  server.revoke(anna);
  await waitFor(client.session, ({ state }) => state === 'signedOut');
  expect(client.session.getSnapshot()).toEqual({ state: 'signedOut', reason: 'byServer' });
  expect(client.connection.getSnapshot()).toBe('signedOut');
  expect(view.getSnapshot().status).toBe('gone');
  expect(await storage.get('token')).toBeUndefined();
  expect(await outboxStorage.take(anna.accountId, 'look', () => true)).toHaveLength(1);
  await expect(client.chat.markRead({ as: anna.as, conversationId: circle, seq: 0 })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
});

test('signing out clears what this device keeps', async () => {
  const outboxStorage = createMemoryOutboxStorage();
  const storage = createMemoryStorage();
  const client = newClient({ storage, outboxStorage });
  await client.start();
  expect(client.session.getSnapshot()).toEqual({ state: 'signedOut', reason: 'none' });
  await client.accounts.verifyCode({
    challengeId: 'challenge' as ChallengeId,
    code: '123456',
    deviceName: tokenOf(anna),
  });
  expect(client.session.getSnapshot().state).toBe('signedIn');
  await waitFor(client.connection, (state) => state === 'online');
  const view = await opened(client, anna);
  server.faults.refuse = (name) =>
    name === 'chat.sendMessage' ? new CodedError('UNAVAILABLE').toBody() : undefined;
  view.send('unsent');
  await pause(20);
  await client.accounts.signOut();
  expect(client.session.getSnapshot()).toEqual({ state: 'signedOut', reason: 'byUser' });
  expect(client.outbox.getSnapshot()).toEqual({ waiting: 0, failed: 0 });
  expect(await storage.get('token')).toBeUndefined();
  expect(await outboxStorage.take(anna.accountId as AccountId, 'look', () => true)).toEqual([]);
});

test('without a server calls reject with words, and start does not hang', async () => {
  await server.stop();
  const client = newClient({ token: tokenOf(anna) });
  await client.start();
  expect(client.session.getSnapshot()).toEqual({ state: 'unknown' });
  await expect(client.accounts.getMe()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await waitFor(client.connection, (state) => state === 'offline', 8_000);
  await server.listen();
  await waitFor(client.session, ({ state }) => state === 'signedIn', 8_000);
});

test('a token that the server does not know signs out', async () => {
  const client = newClient({ token: 'nobody' });
  await client.start();
  expect(client.session.getSnapshot()).toEqual({ state: 'signedOut', reason: 'none' });
  expect(client.connection.getSnapshot()).toBe('signedOut');
});

test('members are live once they were asked for', async () => {
  const view = await opened(await signedIn(anna), anna);
  await view.loadMembers();
  expect(view.getSnapshot().members?.map(({ fullName, online }) => [fullName, online])).toEqual([
    ['Анна', true],
    ['Борис', false],
  ]);
});

test('a school that was suspended unheard shows by the first refusal, is not asked about for ever, and comes back', async () => {
  const client = await signedIn(anna);
  const view = await opened(client, anna);
  const suspended = () => {
    const session = client.session.getSnapshot();
    return session.state === 'signedIn' && session.memberships.every((membership) => membership.suspended);
  };
  server.isSuspended = true;
  await expect(client.chat.getHeads({ as: anna.as })).rejects.toMatchObject({ code: 'SCHOOL_SUSPENDED' });
  await waitFor(client.session, suspended);
  const asked = () => server.calls.filter(({ name }) => name === 'accounts.getMe').length;
  const before = asked();
  for (let again = 0; again < 5; again += 1) {
    await expect(client.chat.getHeads({ as: anna.as })).rejects.toMatchObject({ code: 'SCHOOL_SUSPENDED' });
  }
  await pause(2 * clientLimits.resendMinMs);
  expect(asked()).toBe(before);
  server.isSuspended = false;
  await client.accounts.getMe();
  expect(suspended()).toBe(false);
  view.send('мы снова здесь');
  await waitFor(view, (snapshot) => texts(snapshot).includes('мы снова здесь'));
});

test('calls that need a confirmed session ask once for all of them, and are then made again', async () => {
  const client = await signedIn(anna);
  await waitFor(client.connection, (state) => state === 'online');
  let confirmed = false;
  server.faults.refuse = (name) =>
    name === 'chat.markRead' && !confirmed ? new CodedError('CONFIRMATION_REQUIRED').toBody() : undefined;
  const mark = () => client.chat.markRead({ as: anna.as, conversationId: circle, seq: 0 });
  // Nobody is there to ask.
  await expect(mark()).rejects.toMatchObject({ code: 'CONFIRMATION_REQUIRED' });

  let asked = 0;
  let answer = false;
  const stop = client.onConfirmationRequired(async () => {
    asked += 1;
    await pause(30);
    confirmed = answer;
    return answer;
  });
  // The person thinks better of it: nothing is made again.
  const before = server.callsOf('chat.markRead');
  await expect(mark()).rejects.toMatchObject({ code: 'CONFIRMATION_REQUIRED' });
  expect(server.callsOf('chat.markRead')).toBe(before + 1);

  answer = true;
  await Promise.all([mark(), mark(), mark()]);
  expect(asked).toBe(2);

  // Confirmed, and refused all the same: once more and no further.
  confirmed = false;
  server.faults.refuse = (name) =>
    name === 'chat.markRead' ? new CodedError('CONFIRMATION_REQUIRED').toBody() : undefined;
  const calls = server.callsOf('chat.markRead');
  await expect(mark()).rejects.toMatchObject({ code: 'CONFIRMATION_REQUIRED' });
  expect(server.callsOf('chat.markRead')).toBe(calls + 2);
  stop();
});

test('a report of a strange sign-in signs this device out too, and says so', async () => {
  const storage = createMemoryStorage();
  await storage.set('token', tokenOf(anna));
  const client = newClient({ storage });
  await client.start();
  await waitFor(client.connection, (state) => state === 'online');
  server.faults.refuse = (name) =>
    name === 'accounts.reportStrangeSignIn' ? new CodedError('UNAVAILABLE').toBody() : undefined;
  await expect(client.accounts.reportStrangeSignIn()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(client.session.getSnapshot().state).toBe('signedIn');
  server.faults.refuse = () => undefined;
  await client.accounts.reportStrangeSignIn();
  expect(client.session.getSnapshot()).toEqual({ state: 'signedOut', reason: 'strangeSignIn' });
  expect(client.connection.getSnapshot()).toBe('signedOut');
  expect(await storage.get('token')).toBeUndefined();
});
