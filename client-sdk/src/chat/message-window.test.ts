import type { ConversationId, MembershipId, Message, MessageId } from '@zvonok/shared';
import { expect, test } from 'vitest';
import { MessageWindow } from './message-window.ts';

function message(seq: number, rev = seq, text = `№ ${seq}`): Message {
  return {
    id: `m${seq}` as MessageId,
    conversationId: 'c' as ConversationId,
    seq,
    rev,
    senderId: 'p' as MembershipId,
    clientMessageId: null,
    body: { kind: 'text', text },
    sentAt: '2026-09-01T05:00:00.000Z',
  };
}
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
const seqs = (window: MessageWindow) => window.messages.map(({ seq }) => seq);

test('appends the next message, changes held ones, ignores what it knows', () => {
  const window = new MessageWindow(range(5, 7));
  expect(window.apply(message(8))).toBe('appended');
  expect(window.apply(message(8))).toBe('same');
  expect(window.apply(message(6, 9, 'changed'))).toBe('changed');
  expect(window.apply(message(6))).toBe('same');
  expect(window.messages[1]?.body).toEqual({ kind: 'text', text: 'changed' });
  expect(window.apply(message(4, 10))).toBe('outside');
  expect(seqs(window)).toEqual([5, 6, 7, 8]);
});

test('refuses a message that would leave a hole', () => {
  const window = new MessageWindow(range(1, 3));
  expect(window.apply(message(5))).toBe('hole');
  expect(seqs(window)).toEqual([1, 2, 3]);
});

test('starts empty and takes the first message', () => {
  const window = new MessageWindow([]);
  expect(window.lastSeq).toBe(0);
  expect(window.hasOlder).toBe(false);
  expect(window.apply(message(2))).toBe('hole');
  expect(window.apply(message(1))).toBe('appended');
  expect(window.lastSeq).toBe(1);
});

test('takes an older page that touches it, overlapping or not, and no other', () => {
  const window = new MessageWindow(range(50, 60));
  expect(window.hasOlder).toBe(true);
  expect(window.prepend(range(30, 45))).toBe(false);
  expect(window.prepend(range(40, 52))).toBe(true);
  expect(window.prepend(range(1, 39))).toBe(true);
  expect(seqs(window)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  expect(window.hasOlder).toBe(false);
});

test('of a broken page only the unbroken end is kept', () => {
  const window = new MessageWindow([...range(1, 3), ...range(6, 8)]);
  expect(seqs(window)).toEqual([6, 7, 8]);
  expect(window.hasOlder).toBe(true);
});

test('trimmed it keeps the newest and takes the older ones again', () => {
  const window = new MessageWindow(range(1, 30));
  window.trim(10);
  expect(seqs(window)).toEqual(Array.from({ length: 10 }, (_, index) => index + 21));
  expect(window.apply(message(31))).toBe('appended');
  expect(window.prepend(range(11, 20))).toBe(true);
  expect(window.firstSeq).toBe(11);
});
