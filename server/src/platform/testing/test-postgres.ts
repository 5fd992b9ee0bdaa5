import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../embedded-postgres.ts';
import { createLogger } from '../logger.ts';

/** A real PostgreSQL for one test file, in a directory of its own. Ready in about a second. */
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

export const startTestPostgres = async (): Promise<TestPostgres> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'zvonok-test-'));
  const server = await startEmbeddedPostgres({ dataDir, logger: createLogger({ logLevel: 'silent' }) });
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
