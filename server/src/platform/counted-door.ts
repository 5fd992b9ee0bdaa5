import { createHmac } from 'node:crypto';
import { CodedError, type RateLimit } from '@zvonok/shared';
import { deriveKey } from './config.ts';
import type { Platform } from './platform.ts';

/**
 * Lets at most so many pass in a window, on all nodes together. `of` is what is counted apart, such as a phone or an
 * address: counters may live in Redis, so it goes there under a key that only this server has.
 */
export interface CountedDoor {
  /** Counts one. 0 where it may go on; otherwise the milliseconds until the window ends. @throws CodedError UNAVAILABLE */
  count(counter: string, limit: RateLimit, of?: string): Promise<number>;
  /** @throws CodedError RATE_LIMITED; UNAVAILABLE where the counters are away: what is not counted does not pass */
  requireBelow(counter: string, limit: RateLimit, of?: string): Promise<void>;
}

export function createCountedDoor({
  config,
  counters,
  secrets,
}: Pick<Platform, 'config' | 'counters' | 'secrets'>): CountedDoor {
  const key = deriveKey(secrets, 'counters');
  const blind = (value: string) => createHmac('sha256', key).update(value).digest('base64url').slice(0, 22);

  async function count(counter: string, limit: RateLimit, of?: string): Promise<number> {
    if (!config.rateLimits) return 0;
    return counters.hit(of === undefined ? counter : `${counter}:${blind(of)}`, limit);
  }

  return {
    count,
    async requireBelow(counter, limit, of) {
      const retryAfterMs = await count(counter, limit, of);
      if (retryAfterMs > 0) throw new CodedError('RATE_LIMITED', { retryAfterMs });
    },
  };
}
