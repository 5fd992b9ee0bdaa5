import { eq, sql } from 'drizzle-orm';
import type { Config } from './config.ts';
import type { Database, Transaction } from './database.ts';
import { platformFacts } from './platform.tables.ts';

/** Written in the transaction that seeds the demo school; its presence marks the whole database for ever. */
export const demoDataFact = 'demoData';

export const findFact = async (database: Pick<Database, 'db'>, key: string): Promise<string | undefined> => {
  const rows = await database.db
    .select({ value: platformFacts.value })
    .from(platformFacts)
    .where(eq(platformFacts.key, key));
  return rows[0]?.value;
};

/** Sets the fact, over an older value. */
export const writeFact = async (tx: Transaction, key: string, value: string): Promise<void> => {
  await tx
    .insert(platformFacts)
    .values({ key, value })
    .onConflictDoUpdate({ target: platformFacts.key, set: { value, changedAt: sql`now()` } });
};

/**
 * Demo data holds accounts whose phones and codes everybody knows, so a server that others can reach must not run on
 * it: one that is not in demo mode refuses the marker that seeding leaves.
 *
 * @throws Error in plain words, to be shown to who starts the server
 */
export const refuseDemoDataOutsideDemo = async (
  database: Pick<Database, 'db'>,
  config: Pick<Config, 'demo' | 'dataDir'>,
): Promise<void> => {
  if (config.demo || (await findFact(database, demoDataFact)) === undefined) return;
  throw new Error(
    'This database holds the demo school, whose accounts are public knowledge, and the server is not in demo mode. ' +
      `Use an empty database: another DATABASE_URL, or another DATA_DIR than ${config.dataDir}.`,
  );
};
