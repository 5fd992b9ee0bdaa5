/** Something that runs and must be stopped. */
export interface Running {
  stop(): Promise<void>;
}

/** One call of the bench: what was asked for, and what it has started. */
export interface Bench {
  readonly rounds: number;
  /** Measured time of each round. */
  readonly seconds: number;
  /** Folder for V8 CPU profiles of the server. */
  readonly profileInto: string | undefined;
  /** Progress for people. */
  say(line: string): void;
  /** Notes that this is stopped at the end, whatever the end is. */
  keep<T extends Running>(running: T): T;
  /** Stops what was kept, the last first. Idempotent. */
  close(): Promise<void>;
}

export function openBench(options: Pick<Bench, 'rounds' | 'seconds' | 'profileInto'>): Bench {
  const kept: Running[] = [];
  const startedAt = Date.now();
  return {
    ...options,
    say(line) {
      process.stderr.write(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(4)} s  ${line}\n`);
    },
    keep(running) {
      kept.push(running);
      return running;
    },
    async close() {
      for (let last = kept.pop(); last !== undefined; last = kept.pop()) await last.stop();
    },
  };
}
