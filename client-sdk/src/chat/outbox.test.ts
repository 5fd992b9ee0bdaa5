import 'fake-indexeddb/auto';
import type { AccountId, ConversationId, MembershipId } from '@zvonok/shared';
import { CodedError, type ErrorCode } from '@zvonok/shared/errors.ts';
import { v7 as uuid } from 'uuid';
import { afterEach, describe, expect, test } from 'vitest';
import type { Tab } from '../environment.ts';
import { createClientLogger } from '../logger.ts';
import { waitFor } from '../source.ts';
import { Outbox } from './outbox.ts';
import {
  createIndexedDbOutboxStorage,
  createMemoryOutboxStorage,
  type OutboxStorage,
  type StoredMessage,
} from './outbox-storage.ts';

const anna = 'anna' as AccountId;
const boris = 'boris' as AccountId;
const as = 'membership' as MembershipId;
const lessons = 'lessons' as ConversationId;
const parents = 'parents' as ConversationId;

/** Takes each (sender, clientMessageId) once, as the server does. */
class Receiver {
  readonly texts: string[] = [];
  readonly tries: string[] = [];
  answer: (message: StoredMessage) => ErrorCode | 'lostAfter' | undefined = () => undefined;
  readonly #seen = new Map<string, number>();

  async receive(message: StoredMessage) {
    this.tries.push(message.text);
    const answer = this.answer(message);
    if (answer !== undefined && answer !== 'lostAfter') throw new CodedError(answer);
    const seq = this.#seen.get(message.clientMessageId) ?? this.#seen.size + 1;
    if (!this.#seen.has(message.clientMessageId)) this.texts.push(message.text);
    this.#seen.set(message.clientMessageId, seq);
    if (answer === 'lostAfter') throw new CodedError('TIMEOUT');
    return { seq, rev: seq, sentAt: '2026-09-01T05:00:00.000Z' };
  }
}

const opened: Outbox[] = [];
afterEach(() => {
  for (const outbox of opened.splice(0)) outbox.close();
});

interface Device {
  readonly storage: OutboxStorage;
  readonly living: Set<string>;
}

async function openTab(device: Device, receiver: Receiver, account: AccountId, isOnline = { value: true }) {
  const id = uuid();
  device.living.add(id);
  const tab: Tab = {
    id,
    hasNeighbours: true,
    living: async () => new Set(device.living),
    close: () => device.living.delete(id),
  };
  const outbox = new Outbox({
    // A tab that closes must not take the storage from the others.
    storage: { ...device.storage, close: () => undefined },
    tab,
    logger: createClientLogger('silent'),
    canSend: () => isOnline.value,
    send: (message) => receiver.receive(message),
  });
  opened.push(outbox);
  await outbox.setAccount(account);
  return outbox;
}

const isEmpty = ({ waiting }: { waiting: number }) => waiting === 0;

describe.each([
  ['memory', () => createMemoryOutboxStorage()],
  ['IndexedDB', () => createIndexedDbOutboxStorage(`outbox-${uuid()}`)],
] as const)('with storage in %s', (_name, createStorage) => {
  const newDevice = (): Device => ({ storage: createStorage(), living: new Set() });

  test('sends in the order of composing, conversation by conversation', async () => {
    const receiver = new Receiver();
    const outbox = await openTab(newDevice(), receiver, anna);
    for (let number = 1; number <= 20; number += 1) {
      outbox.enqueue(as, lessons, `lesson ${number}`);
      outbox.enqueue(as, parents, `parents ${number}`);
    }
    expect(outbox.pendingOf(as, lessons)).toHaveLength(20);
    expect(outbox.pendingOf(as, lessons).every(({ state }) => state === 'sending')).toBe(true);
    await waitFor(outbox.summary, isEmpty);
    const lessonTexts = receiver.texts.filter((text) => text.startsWith('lesson'));
    expect(lessonTexts).toEqual(Array.from({ length: 20 }, (_, index) => `lesson ${index + 1}`));
    expect(outbox.pendingOf(as, lessons).every(({ state }) => state === 'sent')).toBe(true);
    outbox.settle(as, lessons, 1_000);
    expect(outbox.pendingOf(as, lessons)).toEqual([]);
  });

  test('an acknowledgement that is lost leads to the same message, not to a second one', async () => {
    const receiver = new Receiver();
    let lost = 2;
    receiver.answer = () => {
      lost -= 1;
      return lost >= 0 ? 'lostAfter' : undefined;
    };
    const outbox = await openTab(newDevice(), receiver, anna);
    outbox.enqueue(as, lessons, 'one');
    outbox.enqueue(as, lessons, 'two');
    await waitFor(outbox.summary, isEmpty);
    expect(receiver.tries).toEqual(['one', 'one', 'one', 'two']);
    expect(receiver.texts).toEqual(['one', 'two']);
  });

  test('a refusal for good fails one message and lets the next ones go; retried it arrives', async () => {
    const receiver = new Receiver();
    let isLocked = true;
    receiver.answer = ({ text }) => (text === 'two' && isLocked ? 'CONVERSATION_LOCKED' : undefined);
    const outbox = await openTab(newDevice(), receiver, anna);
    outbox.enqueue(as, lessons, 'one');
    const second = outbox.enqueue(as, lessons, 'two');
    outbox.enqueue(as, lessons, 'three');
    await waitFor(outbox.summary, ({ waiting, failed }) => waiting === 0 && failed === 1);
    expect(receiver.texts).toEqual(['one', 'three']);
    expect(outbox.pendingOf(as, lessons)[1]).toMatchObject({
      state: 'failed',
      failure: 'CONVERSATION_LOCKED',
    });
    isLocked = false;
    outbox.retry(as, lessons, second);
    await waitFor(outbox.summary, ({ waiting, failed }) => waiting === 0 && failed === 0);
    expect(receiver.texts).toEqual(['one', 'three', 'two']);
  });

  test('what was typed offline is sent once, in order, after the tab was killed', async () => {
    const device = newDevice();
    const receiver = new Receiver();
    const killed = await openTab(device, receiver, anna, { value: false });
    for (const text of ['one', 'two', 'three']) killed.enqueue(as, lessons, text);
    expect(receiver.tries).toEqual([]);
    killed.close();
    const reopened = await openTab(device, receiver, anna);
    expect(reopened.pendingOf(as, lessons).map(({ text }) => text)).toEqual(['one', 'two', 'three']);
    await waitFor(reopened.summary, isEmpty);
    expect(receiver.tries).toEqual(['one', 'two', 'three']);
    reopened.close();
    const again = await openTab(device, receiver, anna);
    expect(again.pendingOf(as, lessons)).toEqual([]);
    expect(receiver.tries).toHaveLength(3);
  });

  test('a message that failed is still shown after the tab was killed, and can be discarded for good', async () => {
    const device = newDevice();
    const receiver = new Receiver();
    receiver.answer = () => 'READ_ONLY';
    const killed = await openTab(device, receiver, anna);
    killed.enqueue(as, lessons, 'one');
    await waitFor(killed.summary, ({ failed }) => failed === 1);
    killed.close();
    const reopened = await openTab(device, receiver, anna);
    const [shown] = reopened.pendingOf(as, lessons);
    expect(shown).toMatchObject({ text: 'one', state: 'failed', failure: 'READ_ONLY' });
    expect(receiver.tries).toHaveLength(1);
    if (shown !== undefined) reopened.discard(as, lessons, shown.clientMessageId);
    reopened.close();
    expect((await openTab(device, receiver, anna)).pendingOf(as, lessons)).toEqual([]);
  });

  test('another account on the same device neither sees nor sends it', async () => {
    const device = newDevice();
    const receiver = new Receiver();
    const isOnline = { value: false };
    const first = await openTab(device, receiver, anna, isOnline);
    first.enqueue(as, lessons, 'mine');
    first.close();
    isOnline.value = true;
    const second = await openTab(device, receiver, boris, isOnline);
    expect(second.pendingOf(as, lessons)).toEqual([]);
    second.wake();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(receiver.tries).toEqual([]);
    await second.setAccount(anna);
    await waitFor(second.summary, isEmpty);
    expect(receiver.texts).toEqual(['mine']);
  });

  test('of two living tabs each sends its own; one that dies is inherited', async () => {
    const device = newDevice();
    const receiver = new Receiver();
    const first = await openTab(device, receiver, anna, { value: false });
    first.enqueue(as, lessons, 'of the first');
    const second = await openTab(device, receiver, anna);
    second.enqueue(as, lessons, 'of the second');
    await waitFor(second.summary, isEmpty);
    expect(receiver.tries).toEqual(['of the second']);
    first.close();
    await second.adopt();
    await waitFor(second.summary, isEmpty);
    expect(receiver.tries).toEqual(['of the second', 'of the first']);
  });

  test('clearing forgets everybody’s messages', async () => {
    const device = newDevice();
    const receiver = new Receiver();
    const isOnline = { value: false };
    const first = await openTab(device, receiver, boris, isOnline);
    first.enqueue(as, lessons, 'of boris');
    first.close();
    const second = await openTab(device, receiver, anna, isOnline);
    second.enqueue(as, lessons, 'of anna');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await second.clear();
    expect(second.pendingOf(as, lessons)).toEqual([]);
    const taken = await Promise.all(
      [anna, boris].map((account) => device.storage.take(account, 'somebody', () => true)),
    );
    expect(taken.flat()).toEqual([]);
  });
});

test('a storage that fails does not keep people from writing', async () => {
  const receiver = new Receiver();
  const broken: OutboxStorage = {
    ...createMemoryOutboxStorage(),
    put: () => Promise.reject(new Error('quota exceeded')),
  };
  const outbox = await openTab({ storage: broken, living: new Set() }, receiver, anna);
  outbox.enqueue(as, lessons, 'one');
  await waitFor(outbox.summary, isEmpty);
  expect(receiver.texts).toEqual(['one']);
});
