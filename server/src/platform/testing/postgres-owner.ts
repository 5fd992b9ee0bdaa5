/**
 * A process that runs the embedded PostgreSQL of a directory, for tests that kill it. Run by embedded-postgres.test.ts.
 *
 * argv: DATA_DIR. Prints one line of JSON once ready: `Owner`; or one with `error`. Ends in order on SIGTERM.
 */

import { startEmbeddedPostgres } from '../embedded-postgres.ts';
import { createLogger } from '../logger.ts';

export interface Owner {
  readonly url: string;
  readonly pid: number;
  readonly adopted: boolean;
  readonly error?: string;
}

try {
  const server = await startEmbeddedPostgres({
    dataDir: process.argv[2] ?? '',
    logger: createLogger({ logLevel: 'silent' }),
  });
  process.stdout.write(
    `${JSON.stringify({ url: server.url, pid: server.pid(), adopted: server.adopted })}\n`,
  );
  process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)));
  setInterval(() => undefined, 60_000);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`);
  process.exit(1);
}
