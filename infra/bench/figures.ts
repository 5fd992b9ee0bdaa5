/** The value at `share` (0 to 1) of the sorted values, between two of them by their distance. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new Error('no values to take a quantile of');
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Counted latencies: [milliseconds, how many took that long or less, down to the step below]. */
export type Histogram = readonly (readonly [milliseconds: number, count: number])[];

/** The latency that `share` of all samples of all rounds did not pass. */
export function percentile(histograms: readonly Histogram[], share: number): number {
  const steps = histograms.flat().sort(([a], [b]) => a - b);
  const total = steps.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [milliseconds, count] of steps) {
    seen += count;
    if (seen >= total * share) return milliseconds;
  }
  throw new Error('no latencies were measured');
}

/** Three significant digits after the point are more than any of these figures is worth. */
export const round = (value: number, digits = 3): number => Number(value.toFixed(digits));
