import { sql } from 'drizzle-orm';
import type { Transaction } from '../platform/database.ts';

/**
 * Empties the database, the logs that nobody may alter included: for a demo that was interrupted while it was being made,
 * before anybody was served. What the migrations wrote of themselves stands in a schema of its own and stays.
 */
export async function forgetEverything(tx: Transaction): Promise<void> {
  // As the embedded database's owner: the triggers that keep the logs final are for everybody else.
  await tx.execute(sql`set local session_replication_role = replica`);
  await tx.execute(sql`do $$
    begin
      execute (
        select 'truncate ' || string_agg(format('%I.%I', schemaname, tablename), ', ')
        from pg_tables where schemaname = 'public'
      );
    end
  $$`);
}
