import type { RateLimit } from '@zvonok/shared';
import { createWindowLimiter } from './window-limiter.ts';

/**
 * Counters that every node of the installation shares. The memory and the Redis twin give the same guarantees; the
 * memory one for the single node that it serves.
 *
 * - Atomic: of any number of hits at once, exactly `max` in a window are let through.
 * - A window starts with its first hit and ends `windowMs` later, whatever comes in between: a refused hit neither counts
 *   nor prolongs it. Around the end of a window up to twice `max` may pass in one `windowMs`.
 * - Counts are kept in memory alone: a restart of the store begins new windows.
 */
export interface SharedCounters {
  /**
   * Counts one hit under the key (no personal data in it: hash phones and addresses first).
   *
   * @returns 0 where it may go on; otherwise the milliseconds until the window ends
   * @throws CodedError UNAVAILABLE when the store is away, unless `whenDown` is `allow`. Closed by default: without a
   *   count no code is sent. `allow` is for limits that only guard against noise.
   */
  hit(key: string, limit: RateLimit, options?: { readonly whenDown?: 'deny' | 'allow' }): Promise<number>;
}

/** Counters of one node. They can't be away. */
export const createMemoryCounters = (): SharedCounters => {
  const limiter = createWindowLimiter();
  return { hit: (key, limit) => Promise.resolve(limiter.hit(key, limit)) };
};
