import { createShardedAdapter } from '@socket.io/redis-adapter';
import { CodedError } from '@zvonok/shared/errors.ts';
import { redisLimits } from '@zvonok/shared/limits.ts';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { SharedCounters } from './counters.ts';
import type { Logger } from './logger.ts';

/** Everything that REDIS_URL brings. */
export interface RedisParts {
  readonly counters: SharedCounters;
  /** For Socket.IO's `adapter` option: rooms span the nodes. Sharded pub/sub, so Redis 7 or newer. */
  readonly adapter: ReturnType<typeof createShardedAdapter>;
  /** Idempotent; never waits for a Redis that is away. */
  close(): Promise<void>;
}

/**
 * Connects to Redis, waiting at most `redisLimits.connectMs` for it. Redis is a doorbell and a counter, never the truth:
 * while it is away the node goes on by itself, publishing drops what does not fit into a bounded queue, subscriptions
 * come back with the connection, and only limits that must not fail open are refused.
 */
export const openRedis = async (url: string, logger: Logger): Promise<RedisParts> => {
  const doorbell = createDoorbell(url, logger);
  const store = new Redis(url, {
    connectionName: 'zvonok-counters',
    connectTimeout: redisLimits.connectMs,
    commandTimeout: redisLimits.commandMs,
    // A counter that comes late counts for nothing: no queue, no second try.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => reconnectDelay(attempt),
  });
  reportStateOf(store, 'counters', logger);
  await Promise.race([
    Promise.all([
      doorbell.ready,
      new Promise<void>((resolve) => {
        if (store.status === 'ready') resolve();
        else store.once('ready', () => resolve());
      }),
    ]),
    new Promise((resolve) => setTimeout(resolve, redisLimits.connectMs)),
  ]);
  let closed = false;
  return {
    counters: createRedisCounters(store),
    adapter: createShardedAdapter(doorbell.client, doorbell.client, { channelPrefix: 'zvonok' }),
    async close() {
      if (closed) return;
      closed = true;
      store.disconnect();
      doorbell.close();
    },
  };
};

const reconnectDelay = (attempt: number): number =>
  Math.min(redisLimits.reconnectMaxMs, 25 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);

/** One line when it goes and one when it is back, not one per attempt. */
const reportStateOf = (
  client: {
    on(event: 'error', listener: (error: unknown) => void): unknown;
    on(event: 'ready', listener: () => void): unknown;
  },
  use: string,
  logger: Logger,
): void => {
  let away = false;
  client.on('error', (error) => {
    if (away) return;
    away = true;
    logger.warn({ err: error, use }, 'Redis is away');
  });
  client.on('ready', () => {
    away = false;
    logger.info({ use }, 'Redis is connected');
  });
};

/**
 * The window begins with the key and ends with its expiry; both are set in one step. A refused hit does not count.
 * KEYS[1] the counter, ARGV[1] max, ARGV[2] window in ms; answers 0 or the ms that are left.
 */
const hitScript = `
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count >= tonumber(ARGV[1]) then
  local left = redis.call('PTTL', KEYS[1])
  if left > 0 then return left end
  redis.call('DEL', KEYS[1])
  count = 0
end
if count == 0 then redis.call('SET', KEYS[1], 1, 'PX', ARGV[2]) else redis.call('INCR', KEYS[1]) end
return 0`;

const createRedisCounters = (store: Redis): SharedCounters => ({
  async hit(key, { max, windowMs }, { whenDown = 'deny' } = {}) {
    try {
      const left: unknown = await store.eval(hitScript, 1, `zvonok:count:${key}`, max, windowMs);
      if (typeof left !== 'number')
        throw new Error('Redis answered a counter with something else than a number.');
      return left;
    } catch (error) {
      if (whenDown === 'allow') return 0;
      throw new CodedError('UNAVAILABLE', { retryAfterMs: 1_000, cause: error });
    }
  },
});

type Listener = (message: Buffer, channel: Buffer) => void;

/**
 * The part of a `redis` client that the sharded adapter uses, made safe for it: the adapter ignores the promises of its
 * subscriptions, so that a refused one would end the process as an unhandled rejection and be lost for good.
 */
const createDoorbell = (url: string, logger: Logger) => {
  const options = {
    url,
    pingInterval: redisLimits.pingMs,
    socket: {
      connectTimeout: redisLimits.connectMs,
      socketTimeout: redisLimits.silentMs,
      reconnectStrategy: reconnectDelay,
    },
  };
  const publisher = createClient({
    ...options,
    name: 'zvonok-publish',
    commandsQueueMaxLength: redisLimits.publishQueue,
  });
  // Bounded by the rooms of this node; what is refused while Redis is away is asked for again below.
  const subscriber = createClient({ ...options, name: 'zvonok-subscribe', disableOfflineQueue: true });
  const wanted = new Map<string, Listener>();
  const missing = new Set<string>();

  const subscribe = (channel: string, listener: Listener): void => {
    subscriber.sSubscribe(channel, listener, true).catch(() => {
      if (wanted.get(channel) !== listener) return;
      missing.add(channel);
      // Refused by a Redis that is there: no `ready` will come to ask again.
      if (subscriber.isReady) setTimeout(askAgain, redisLimits.reconnectMaxMs).unref();
    });
  };
  const askAgain = (): void => {
    if (!subscriber.isReady) return;
    const again = [...missing];
    missing.clear();
    for (const channel of again) {
      const listener = wanted.get(channel);
      if (listener !== undefined) subscribe(channel, listener);
    }
  };
  subscriber.on('ready', askAgain);
  reportStateOf(publisher, 'publish', logger);
  reportStateOf(subscriber, 'subscribe', logger);

  // Rejected only by `destroy`: the strategy above never gives up.
  const ready = Promise.all([publisher.connect(), subscriber.connect()]).then(
    () => undefined,
    () => undefined,
  );
  return {
    ready,
    client: {
      sSubscribe(channel: string, listener: Listener): void {
        wanted.set(channel, listener);
        subscribe(channel, listener);
      },
      sUnsubscribe(channel: string): void {
        wanted.delete(channel);
        missing.delete(channel);
        subscriber.sUnsubscribe(channel).catch(() => undefined);
      },
      sPublish: (channel: string, message: string | Buffer): Promise<number> =>
        publisher.sPublish(channel, message),
      sendCommand: (words: readonly string[]): Promise<unknown> => publisher.sendCommand([...words]),
    },
    close(): void {
      publisher.destroy();
      subscriber.destroy();
    },
  };
};
