import type { Config, Secrets } from './config.ts';
import type { SharedCounters } from './counters.ts';
import type { Database } from './database.ts';
import type { Jobs } from './jobs.ts';
import type { Logger } from './logger.ts';
import type { Outbound } from './outbound.ts';

/** The ground floor, as every room gets it. */
export interface Platform {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly logger: Logger;
  readonly database: Database;
  /** Counters that hold across nodes: the twin of Redis where it is configured, memory otherwise. */
  readonly counters: SharedCounters;
  readonly outbound: Outbound;
  readonly jobs: Jobs;
}
