import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { openDatabase } from '../database.ts';
import { startEmbeddedPostgres } from '../embedded-postgres.ts';
import { createJobs } from '../jobs.ts';
import { createLogger } from '../logger.ts';
import { createOutbound } from '../outbound.ts';

/** A real PostgreSQL for one test file, in a directory of its own. Ready in a fraction of a second. */
export interface TestPostgres {
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** The database `zvonok` of the cluster, with full rights. */
  readonly url: string;
  readonly dataDir: string;
  pid(): number | undefined;
  /** Stops it and removes its directory. */
  stop(): Promise<void>;
}

const logger = createLogger({ logLevel: 'silent' });

export const startTestPostgres = async (): Promise<TestPostgres> => {
  const dataDir = await makeDataDir();
  const server = await startEmbeddedPostgres({ dataDir, logger });
  return {
    url: server.url,
    dataDir,
    pid: () => server.pid(),
    async createDatabase() {
      const name = `test_${randomBytes(6).toString('hex')}`;
      const client = postgres(server.url, { max: 1, onnotice: () => undefined });
      try {
        await client.unsafe(`create database ${name}`);
      } finally {
        await client.end();
      }
      const url = new URL(server.url);
      url.pathname = name;
      return url.href;
    },
    async stop() {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

/** What a server leaves in its DATA_DIR when it has started once, migrated, and was stopped: the next start takes it up. */
const kept = ['postgres', 'postgres.json'];

/**
 * A DATA_DIR of its own, as a server that was started once and holds nobody leaves it. To make a cluster takes seconds, to
 * copy one does not: the first caller of a run makes it, all others get copies.
 */
export const makeDataDir = async (): Promise<string> => {
  const model = join(tmpdir(), 'zvonok-model');
  if (!existsSync(model)) await makeModel(model);
  const dataDir = await mkdtemp(join(tmpdir(), 'zvonok-test-'));
  // With their owners: started by root, PostgreSQL runs as an account of its own.
  await promisify(execFile)('cp', ['-a', ...kept.map((name) => join(model, name)), dataDir]);
  return dataDir;
};

const makeModel = async (model: string): Promise<void> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'zvonok-test-'));
  const server = await startEmbeddedPostgres({ dataDir, logger });
  const outbound = createOutbound(logger);
  const database = await openDatabase({ url: server.url, poolSize: 2, onCommitted: outbound.publish });
  const jobs = createJobs({ url: server.url, outbound, logger });
  await jobs.start();
  await jobs.close();
  await database.close();
  await server.stop();
  // Of two at once the second one throws its own away.
  await rename(dataDir, model).catch(() => rm(dataDir, { recursive: true, force: true }));
};
