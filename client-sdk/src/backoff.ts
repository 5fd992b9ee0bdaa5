/**
 * How long to wait before attempt `failures + 1`: doubles from `minMs` to `maxMs`, the upper half of it random, so that
 * clients that were cut together do not come back together.
 */
export function backoffMs(
  failures: number,
  minMs: number,
  maxMs: number,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(failures, 30));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

/** Less than `ms`, by 10 to 40 %, so that clients that began together do not stay together. */
export function jitteredMs(ms: number, random: () => number = Math.random): number {
  return Math.round(ms * (0.6 + random() * 0.3));
}
