import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '@zvonok/shared/errors.ts';
import { Server } from 'socket.io';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryCounters, type SharedCounters } from './counters.ts';
import { createLogger } from './logger.ts';
import { openRedis, type RedisParts } from './redis.ts';

const logger = createLogger({ logLevel: 'silent' });

/** A real redis-server on a port of its own, without persistence: restarted, it is empty. */
class RedisServer {
  readonly port: number;
  #process: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const child = spawn('redis-server', [
      ...['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    ]);
    this.#process = child;
    let output = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('Ready to accept connections')) resolve();
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`redis-server ended:\n${output}`)));
    });
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(name);
  }
}

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
};

let redis: RedisServer;
const opened: RedisParts[] = [];

beforeAll(async () => {
  redis = new RedisServer(await freePort());
  await redis.start();
});
afterEach(async () => {
  for (const parts of opened.splice(0)) await parts.close();
});
afterAll(() => redis.kill());

const open = async (): Promise<RedisParts> => {
  const parts = await openRedis(redis.url, logger);
  opened.push(parts);
  return parts;
};

const eventually = async (what: () => boolean | Promise<boolean>, withinMs: number): Promise<void> => {
  const deadline = Date.now() + withinMs;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms`);
    await delay(20);
  }
};

let lastKey = 0;
const freshKey = (): string => `test:${process.pid}:${++lastKey}`;

describe.each<[string, () => Promise<SharedCounters>]>([
  ['in memory', () => Promise.resolve(createMemoryCounters())],
  ['in Redis', async () => (await open()).counters],
])('counters %s', (_where, make) => {
  it('let exactly max through, of any number at once', async () => {
    const counters = await make();
    const key = freshKey();
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => counters.hit(key, { max: 37, windowMs: 60_000 })),
    );
    expect(answers.filter((wait) => wait === 0)).toHaveLength(37);
    for (const wait of answers.filter((each) => each !== 0)) {
      expect(wait).toBeGreaterThan(50_000);
      expect(wait).toBeLessThanOrEqual(60_000);
    }
  });

  it('count keys apart', async () => {
    const counters = await make();
    const limit = { max: 1, windowMs: 60_000 };
    expect(await counters.hit(freshKey(), limit)).toBe(0);
    expect(await counters.hit(freshKey(), limit)).toBe(0);
  });

  it('begin a new window when the old one is over, which refused hits do not prolong', async () => {
    const counters = await make();
    const key = freshKey();
    const limit = { max: 2, windowMs: 600 };
    const begun = Date.now();
    expect(await counters.hit(key, limit)).toBe(0);
    expect(await counters.hit(key, limit)).toBe(0);
    let refused = 0;
    // Knocks all through the window.
    while ((await counters.hit(key, limit)) > 0) {
      refused += 1;
      expect(Date.now() - begun).toBeLessThan(5_000);
      await delay(20);
    }
    expect(refused).toBeGreaterThan(3);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(590);
    // The hit that got through was the first of the new window.
    expect(await counters.hit(key, limit)).toBe(0);
    expect(await counters.hit(key, limit)).toBeGreaterThan(0);
  });
});

it('counters in Redis are shared between nodes', async () => {
  const [one, other] = [await open(), await open()];
  const key = freshKey();
  expect(await one.counters.hit(key, { max: 1, windowMs: 60_000 })).toBe(0);
  expect(await other.counters.hit(key, { max: 1, windowMs: 60_000 })).toBeGreaterThan(0);
});

describe('while Redis is away', () => {
  afterEach(async () => {
    await redis.kill();
    await redis.start();
  });

  it('limits deny with UNAVAILABLE, or allow where they may, soon; and count again when it is back', async () => {
    const { counters } = await open();
    const limit = { max: 10, windowMs: 60_000 };
    expect(await counters.hit(freshKey(), limit)).toBe(0);
    await redis.kill();
    const startedAt = Date.now();
    const denied = await counters.hit(freshKey(), limit).catch((error: unknown) => error);
    expect(denied).toBeInstanceOf(CodedError);
    expect(denied).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await counters.hit(freshKey(), limit, { whenDown: 'allow' })).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    await redis.start();
    await eventually(
      () =>
        counters.hit(freshKey(), limit).then(
          (wait) => wait === 0,
          () => false,
        ),
      5_000,
    );
  });

  it('a paused Redis does not hold a caller', async () => {
    const { counters } = await open();
    redis.signal('SIGSTOP');
    const startedAt = Date.now();
    await expect(counters.hit(freshKey(), { max: 1, windowMs: 1_000 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    redis.signal('SIGCONT');
  });

  it('a node starts, and finds Redis when it comes', async () => {
    await redis.kill();
    const parts = await open();
    await expect(parts.counters.hit(freshKey(), { max: 1, windowMs: 1_000 })).rejects.toThrow(CodedError);
    await redis.start();
    await eventually(
      () =>
        parts.counters.hit(freshKey(), { max: 1, windowMs: 1_000 }).then(
          (wait) => wait === 0,
          () => false,
        ),
      5_000,
    );
  });
});

describe('the Socket.IO adapter', () => {
  /** A node with rooms, without browsers: `serverSideEmit` and room broadcasts between nodes need none. */
  const startNode = async () => {
    const parts = await openRedis(redis.url, logger);
    const io = new Server(createHttpServer(), { adapter: parts.adapter });
    const heard: unknown[] = [];
    io.on('ring', (value: unknown) => heard.push(value));
    return {
      io,
      heard,
      async close() {
        await io.close();
        await parts.close();
      },
    };
  };

  const hears = async (
    from: Awaited<ReturnType<typeof startNode>>,
    to: Awaited<ReturnType<typeof startNode>>,
    withinMs: number,
  ) => {
    let n = 0;
    const mark = `mark ${Math.random()}`;
    await eventually(() => {
      from.io.serverSideEmit('ring', `${mark} ${++n}`);
      return to.heard.some((value) => String(value).startsWith(mark));
    }, withinMs);
  };

  it('joins two nodes, and joins them again after each restart of an empty Redis', async () => {
    const [one, other] = [await startNode(), await startNode()];
    try {
      await hears(one, other, 5_000);
      for (let restart = 0; restart < 3; restart++) {
        await redis.kill();
        // Emitting into nothing must neither throw nor reject anywhere: an unhandled rejection fails this test run.
        for (let n = 0; n < 5_000; n++) one.io.to('room').emit('x', n);
        await delay(300);
        await redis.start();
        await hears(one, other, 5_000);
        await hears(other, one, 5_000);
      }
    } finally {
      await one.close();
      await other.close();
    }
  });

  it('takes subscriptions that were asked for while Redis was away', async () => {
    await redis.kill();
    const [one, other] = [await startNode(), await startNode()];
    try {
      await redis.start();
      await hears(one, other, 8_000);
      await hears(other, one, 8_000);
    } finally {
      await one.close();
      await other.close();
    }
  });
});
