import { expect, it } from 'vitest';
import { readConfig } from './config.ts';
import { createCountedDoor } from './counted-door.ts';
import { createMemoryCounters, type SharedCounters } from './counters.ts';

const limit = { max: 2, windowMs: 60_000 };
const address = '203.0.113.7';

it('counts each thing apart, on all nodes together, and shows none of them to the counters', async () => {
  const { config, secrets } = readConfig({ RATE_LIMITS: 'on' });
  const memory = createMemoryCounters();
  const keys: string[] = [];
  const counters: SharedCounters = {
    ...memory,
    hit(key, of) {
      keys.push(key);
      return memory.hit(key, of);
    },
  };
  const [one, other] = [0, 1].map(() => createCountedDoor({ config, secrets, counters }));
  await one?.requireBelow('codes:address', limit, address);
  await other?.requireBelow('codes:address', limit, address);
  await expect(one?.requireBelow('codes:address', limit, address)).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    retryAfterMs: expect.any(Number),
  });
  await one?.requireBelow('codes:address', limit, '203.0.113.8');
  await one?.requireBelow('codes:tenant', limit);
  expect(new Set(keys)).toHaveLength(3);
  expect(keys.join(' ')).not.toContain('203.0.113');
});

it('lets everybody pass where limits are lifted', async () => {
  const { config, secrets } = readConfig({ RATE_LIMITS: 'off' });
  const door = createCountedDoor({ config, secrets, counters: createMemoryCounters() });
  for (let n = 0; n < 5; n += 1) await door.requireBelow('codes:address', limit, address);
});
