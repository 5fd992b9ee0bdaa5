import { clientLimits } from '@zvonok/shared/limits.ts';
import { expect, test } from 'vitest';
import { RevisionLine } from './revision-line.ts';

const change = (rev: number) => ({ rev });

test('lets changes through in order and once', () => {
  const line = new RevisionLine(3);
  expect(line.offer(change(4))).toEqual([change(4)]);
  expect(line.offer(change(4))).toEqual([]);
  expect(line.offer(change(2))).toEqual([]);
  expect(line.known).toBe(4);
  expect(line.isBehind).toBe(false);
});

test('holds what comes after a gap until the gap is filled', () => {
  const line = new RevisionLine(0);
  expect(line.offer(change(3))).toEqual([]);
  expect(line.offer(change(2))).toEqual([]);
  expect(line.isBehind).toBe(true);
  expect(line.missing).toBe(3);
  expect(line.offer(change(1))).toEqual([change(1), change(2), change(3)]);
  expect(line.isBehind).toBe(false);
});

test('a fetch replaces what was held up to it and releases what follows', () => {
  const line = new RevisionLine(0);
  line.offer(change(5));
  line.offer(change(7));
  line.offer(change(8));
  expect(line.advance(6)).toEqual([change(7), change(8)]);
  expect(line.known).toBe(8);
  expect(line.offer(change(5))).toEqual([]);
});

test('a revision that was only heard of makes it behind, settling ends that', () => {
  const line = new RevisionLine(10);
  line.hear(12);
  expect(line.isBehind).toBe(true);
  line.settle();
  expect(line.isBehind).toBe(false);
  expect(line.known).toBe(10);
});

test('beyond its bound it forgets changes but not that they exist', () => {
  const line = new RevisionLine(0);
  for (let rev = 2; rev < clientLimits.heldEvents + 100; rev += 1) line.offer(change(rev));
  const released = line.offer(change(1));
  expect(released.map(({ rev }) => rev)).toEqual(released.map((_, index) => index + 1));
  expect(released.length).toBeLessThanOrEqual(clientLimits.heldEvents + 1);
  expect(line.isBehind).toBe(true);
});

test('in any order of arrival each change is let through exactly once', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const line = new RevisionLine(0);
    const arriving = Array.from({ length: 60 }, (_, index) => change((index % 40) + 1));
    let state = seed;
    const random = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    arriving.sort(() => random() - 0.5);
    const released = arriving.flatMap((item) => line.offer(item));
    expect(released.map(({ rev }) => rev)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  }
});
