import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { migrateDatabase } from '../../server/src/platform/database.ts';
import { startEmbeddedPostgres } from '../../server/src/platform/embedded-postgres.ts';
import { createLogger } from '../../server/src/platform/logger.ts';
import type { Running } from './bench.ts';

/** The embedded PostgreSQL as the server would start it, in a place of its own, with the schema in it. */
export interface BenchDatabase extends Running {
  readonly url: string;
  readonly dataDir: string;
  readonly postmasterPid: number;
}

/** Not /tmp: where that is memory, fsync is free and the figures are fiction. /var/tmp is a disk by convention. */
const parent = '/var/tmp';

/** Starts it; `stop` removes every trace. */
export async function openBenchDatabase(): Promise<BenchDatabase> {
  const dataDir = await mkdtemp(join(parent, 'zvonok-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir, logger: createLogger({ logLevel: 'silent' }) });
  const stop = async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const postmasterPid = postgres.pid();
    if (postmasterPid === undefined) throw new Error('the embedded PostgreSQL has no process');
    await migrateDatabase(postgres.url);
    return { url: postgres.url, dataDir, postmasterPid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
