import type { RateLimit } from '@zvonok/shared';

/** At most this many windows are remembered; past it the oldest go, which lets a caller off rather than memory grow. */
const windowsKept = 50_000;

/**
 * Counts calls in fixed windows on this node alone: a guard against a runaway or hostile client, cheap enough for
 * every call. What must hold across nodes (codes, invites) counts in `SharedCounters` instead.
 */
export interface WindowLimiter {
  /** Counts one call. 0 where it may go on; otherwise the milliseconds until the window ends. */
  hit(key: string, limit: RateLimit): number;
}

export function createWindowLimiter(now: () => number = Date.now): WindowLimiter {
  const windows = new Map<string, { endsAt: number; count: number }>();
  return {
    hit(key, limit) {
      const time = now();
      const window = windows.get(key);
      if (window === undefined || window.endsAt <= time) {
        // Deleting first moves the key to the end, so that the map stays in order of age.
        windows.delete(key);
        windows.set(key, { endsAt: time + limit.windowMs, count: 1 });
        if (windows.size > windowsKept) {
          const oldest = windows.keys().next();
          if (!oldest.done) windows.delete(oldest.value);
        }
        return 0;
      }
      if (window.count >= limit.max) return window.endsAt - time;
      window.count += 1;
      return 0;
    },
  };
}
