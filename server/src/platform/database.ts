import { AsyncLocalStorage } from 'node:async_hooks';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@zvonok/shared/errors.ts';
import { statementLimits } from '@zvonok/shared/limits.ts';
import { DrizzleQueryError, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase, PostgresJsSession } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import type { Announcement } from './outbound.ts';

/** The pool as postgres.js gives it: tagged templates are prepared, `unsafe` is not. See `Database.client` for its types. */
export type Client = postgres.Sql;
/** postgres.js inside one transaction: one connection, statements pipelined when not awaited one by one. */
export type RawTransaction = postgres.TransactionSql;

type DrizzleDatabase = PostgresJsDatabase<Record<string, never>>;
type DrizzleTransaction = Parameters<Parameters<DrizzleDatabase['transaction']>[0]>[0];

/** Takes an announcement into the running transaction; nobody hears of it unless that commits. */
export type Announce = (...announcements: Announcement[]) => void;

/** drizzle's transaction, plus what the outside will learn once it has committed. */
export type Transaction = DrizzleTransaction & {
  readonly announce: Announce;
  /** postgres.js on the same connection and in the same transaction, for statements the builder can't say. */
  readonly raw: RawTransaction;
};

/** See `Database.inBriefTransaction`. */
export interface BriefTransaction {
  /** Statements that are not awaited one by one leave together and run in their order. */
  readonly raw: RawTransaction;
  /** drizzle in the same transaction; made on first use. */
  readonly db: DrizzleDatabase;
  readonly announce: Announce;
}

/** A statement of postgres.js; it leaves when it is awaited. */
export type Statement = postgres.PendingQuery<postgres.Row[]>;

/** How a brief transaction ends: `last`, not awaited yet, leaves together with COMMIT. */
export interface Ending<T> {
  readonly value: T;
  readonly last?: Statement;
}

export interface TransactionOptions {
  /** How often a serialization failure or deadlock is tried again (default `statementLimits.transactionRetries`). */
  readonly retries?: number;
  /** `read committed` unless given. */
  readonly isolation?: 'repeatable read' | 'serializable';
}

/** Reads go through `db`, writes through `inTransaction`. */
export interface Database {
  /** drizzle outside a transaction. A builder's query is prepared on the server only by `.prepare(name)`. */
  readonly db: DrizzleDatabase;
  /**
   * postgres.js itself, for hot statements. NOTE: drizzle shares it and switches conversion off: `timestamptz`, `date`
   * and their arrays come and go as strings, `json` and `jsonb` parameters must already be strings.
   */
  readonly client: Client;
  /**
   * Runs `fn` in one transaction and resolves after COMMIT was answered, so after the data is on disk.
   *
   * What `fn` announces goes to `onCommitted` after the commit, in the order of announcement, before the promise
   * resolves; nothing of a rolled back transaction ever does. `fn` runs again from the start after a serialization failure or
   * deadlock (announcements begin anew), so its only effects must be on the database. Calling it inside another `fn` throws:
   * pass the transaction on.
   *
   * A connection lost during COMMIT rejects although the data may be stored: announcements are then dropped, and
   * clients find the change by revision.
   */
  inTransaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * The same for the hot path, with a round trip less: COMMIT leaves behind the last statement, which `fn` hands over.
   * Rejects, with nothing stored, when any of them fails. It has connections of its own, so that no report and no import is
   * in its way, and plans by index alone.
   */
  inBriefTransaction<T>(fn: (tx: BriefTransaction) => Promise<Ending<T>>): Promise<T>;
  /** Whether the database answers within `timeoutMs`. Never throws. */
  answers(timeoutMs: number): Promise<boolean>;
  /** Lets statements under way finish for at most `timeoutMs`, then cuts. Idempotent. */
  close(timeoutMs?: number): Promise<void>;
}

/** Reads inside a transaction or outside of any. */
export type Reader = Pick<Database, 'db'> | Transaction;
export const queryOf = (reader: Reader) => ('db' in reader ? reader.db : reader);

/**
 * Whether a column holds one of these values, as one parameter: a statement with a parameter for each of a thousand takes
 * longer to put together and to read than to run.
 */
export const isAmong = (column: PgColumn, values: readonly string[]): SQL =>
  sql`${column} = any(${sql.param(values)}::${sql.raw(column.getSQLType())}[])`;

/**
 * The database as seen from inside a transaction: what would begin one joins it, and is announced with it. For doing in
 * one transaction what several actions do; reads of theirs outside a transaction stay outside.
 */
export const joining = (database: Database, tx: Transaction): Database => ({
  ...database,
  inTransaction: (fn) => fn(tx),
});

export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  /**
   * Gets each transaction's announcements after its commit. It must not throw and not wait; what it throws goes to
   * `onSinkError` (default: ignored, since the data is safe and clients catch up).
   */
  readonly onCommitted: (announcements: readonly Announcement[]) => void;
  readonly onSinkError?: (error: unknown) => void;
  /** Bring the schema up to date first (default true). */
  readonly migrate?: boolean;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
}

/** The database can't keep what the product promises; each reason is a plain sentence for who runs the server. */
export class UnfitDatabaseError extends Error {
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super(`The database can't be used:\n${reasons.map((reason) => `  - ${reason}`).join('\n')}`);
    this.name = 'UnfitDatabaseError';
    this.reasons = reasons;
  }
}

export const migrationsFolder = fileURLToPath(new URL('../migrations', import.meta.url));

/** Any constant does: every process of this program that migrates takes the same one. */
const migrationLock = 8_410_027;

const seconds = (ms: number): number => ms / 1_000;

/**
 * How the statements of brief transactions are planned: once, and by index alone. They touch a few rows of large tables;
 * left to itself the planner plans them anew each time or scans a table that was small when it looked.
 */
const briefPlans = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: false,
  enable_hashjoin: false,
  enable_mergejoin: false,
};

const connect = (
  url: string,
  max: number,
  statementMs: number,
  applicationName: string,
  settings: Readonly<Record<string, string | boolean>> = {},
): Client =>
  postgres(url, {
    max,
    prepare: true,
    connect_timeout: seconds(statementLimits.connectMs),
    // The default grows to 20 s, in which a database that is back would be refused.
    backoff: (attempt: number) =>
      seconds(Math.min(statementLimits.reconnectMaxMs, 20 * 2 ** Math.min(attempt, 10))),
    keep_alive: 10,
    connection: {
      application_name: applicationName,
      statement_timeout: statementMs,
      idle_in_transaction_session_timeout: statementLimits.idleInTransactionMs,
      TimeZone: 'UTC',
      ...settings,
    },
    // Notices quote what was inserted; nobody needs them.
    onnotice: () => undefined,
  });

/** What a server says of itself, as far as the promises depend on it. */
export interface ServerFacts {
  readonly version: number;
  readonly encoding: string;
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly fullPageWrites: string;
  readonly readOnly: string;
  readonly lowersRussian: boolean;
}

/** Everything that speaks against the server, in plain words; none if it can keep what an acknowledgement promises. */
export const unfitReasons = (facts: ServerFacts): readonly string[] => {
  const reasons: string[] = [];
  if (facts.version < 150_000) {
    reasons.push(`It is PostgreSQL ${Math.floor(facts.version / 10_000)}; 15 or newer is needed.`);
  }
  if (facts.encoding !== 'UTF8') {
    reasons.push(`Its encoding is ${facts.encoding}: create the database with ENCODING 'UTF8'.`);
  } else if (!facts.lowersRussian) {
    reasons.push(
      "Its locale doesn't know Russian letters: create the database with a UTF-8 locale (C.UTF-8, ru_RU.UTF-8).",
    );
  }
  if (facts.fsync !== 'on')
    reasons.push('fsync is off: an acknowledged message could be lost. Set fsync = on.');
  if (facts.synchronousCommit !== 'on' && facts.synchronousCommit !== 'remote_apply') {
    reasons.push(
      `synchronous_commit is ${facts.synchronousCommit}: an acknowledged message could be lost. Set it to on.`,
    );
  }
  if (facts.fullPageWrites !== 'on') {
    reasons.push('full_page_writes is off: a crash could tear pages. Set full_page_writes = on.');
  }
  if (facts.readOnly !== 'off')
    reasons.push('It accepts no writes (a standby, or default_transaction_read_only).');
  return reasons;
};

/** @throws UnfitDatabaseError naming everything at once */
const refuseUnfit = async (client: Client): Promise<void> => {
  const [facts] = await client<ServerFacts[]>`
    select current_setting('server_version_num')::int as "version",
           current_setting('server_encoding') as "encoding",
           current_setting('fsync') as "fsync",
           current_setting('synchronous_commit') as "synchronousCommit",
           current_setting('full_page_writes') as "fullPageWrites",
           current_setting('transaction_read_only') as "readOnly",
           lower('ЖЁ') = 'жё' as "lowersRussian"`;
  if (facts === undefined) throw new UnfitDatabaseError(['It did not answer a simple question.']);
  const reasons = unfitReasons(facts);
  if (reasons.length > 0) throw new UnfitDatabaseError(reasons);
};

/**
 * Brings the schema up to date. Processes that start at once wait for one another, and all succeed.
 *
 * @throws UnfitDatabaseError when the server can't keep the promises; PostgresError when a migration fails (nothing of
 *   it is kept)
 */
export const migrateDatabase = async (url: string, folder: string = migrationsFolder): Promise<void> => {
  const client = connect(url, 1, statementLimits.migrationStatementMs, 'zvonok migrations');
  try {
    await refuseUnfit(client);
    await client`select pg_advisory_lock(${migrationLock})`;
    // The lock belongs to the connection: it goes with it, whatever happens below.
    await migrate(drizzle(client), { migrationsFolder: folder });
  } finally {
    await client.end({ timeout: 5 });
  }
};

/**
 * Checks the server, migrates, and opens the pool.
 *
 * A server that stops answering later never ends the process: statements reject (see `translateDatabaseError`), and
 * connections come back by themselves, the first within `statementLimits.reconnectMaxMs` of the server's return.
 */
export const openDatabase = async (options: DatabaseOptions): Promise<Database> => {
  if (options.migrate ?? true) await migrateDatabase(options.url);
  const name = options.applicationName ?? 'zvonok';
  const client = connect(options.url, options.poolSize, statementLimits.statementMs, name);
  try {
    await refuseUnfit(client);
  } catch (error) {
    await client.end({ timeout: 0 });
    throw error;
  }
  const db: DrizzleDatabase = drizzle(client);
  const brief = connect(
    options.url,
    statementLimits.briefConnections,
    statementLimits.statementMs,
    name,
    briefPlans,
  );
  // Values come and go on these connections as on the others.
  drizzle(brief);
  const running = new AsyncLocalStorage<{ open: boolean }>();

  const release = (announcements: readonly Announcement[]): void => {
    if (announcements.length === 0) return;
    try {
      options.onCommitted(announcements);
    } catch (error) {
      options.onSinkError?.(error);
    }
  };

  /** `attempt` runs one transaction and collects into `announce`. */
  const transact = async <T>(
    attempt: (announce: Announce) => Promise<T>,
    { retries = statementLimits.transactionRetries }: TransactionOptions,
  ): Promise<T> => {
    if (running.getStore()?.open === true) {
      throw new Error(
        'A transaction inside a transaction would wait for its own locks: pass the outer one on.',
      );
    }
    for (let tried = 0; ; tried++) {
      const scope = { open: true };
      const announced: Announcement[] = [];
      try {
        const result = await running.run(scope, () =>
          attempt((...announcements) => {
            if (!scope.open) throw new Error('The transaction is over: nothing can be announced in it.');
            announced.push(...announcements);
          }),
        );
        scope.open = false;
        release(announced);
        return result;
      } catch (error) {
        scope.open = false;
        if (tried >= retries || !isRetriable(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** tried));
      }
    }
  };

  let closing: Promise<void> | undefined;
  return {
    db,
    client,
    inTransaction: (fn, transactionOptions = {}) =>
      transact(
        (announce) =>
          db.transaction(
            (tx) => fn(Object.assign(tx, { announce, raw: rawOf(tx) })),
            transactionOptions.isolation === undefined
              ? undefined
              : { isolationLevel: transactionOptions.isolation },
          ),
        transactionOptions,
      ),
    inBriefTransaction: <T>(fn: (tx: BriefTransaction) => Promise<Ending<T>>) =>
      transact<T>(async (announce) => {
        let ended: { readonly value: T; readonly written: Promise<unknown> | undefined } | undefined;
        await brief.begin(async (sql) => {
          const { value, last } = await fn(briefTransaction(brief, sql, announce));
          ended = { value, written: last === undefined ? undefined : sent(last) };
        });
        if (ended === undefined) throw new Error('A transaction ended without its function having run.');
        // COMMIT was sent behind it and may have been answered by a ROLLBACK.
        await ended.written;
        return ended.value;
      }, {}),
    answers: async (timeoutMs) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(resolve, timeoutMs, false);
      });
      const asked = client`select 1`.then(
        () => true,
        () => false,
      );
      try {
        return await Promise.race([asked, late]);
      } finally {
        clearTimeout(timer);
      }
    },
    close: (timeoutMs = 5_000) => {
      closing ??= Promise.all([client, brief].map((pool) => pool.end({ timeout: seconds(timeoutMs) }))).then(
        () => undefined,
      );
      return closing;
    },
  };
};

/** Sends a statement now; whoever awaits it later learns of its failure, nobody before. */
const sent = <T extends readonly object[]>(statement: postgres.PendingQuery<T>) => {
  const running = statement.execute();
  running.catch(() => undefined);
  return running;
};

const briefTransaction = (pool: Client, raw: RawTransaction, announce: Announce): BriefTransaction => {
  let db: DrizzleDatabase | undefined;
  return {
    raw,
    announce,
    get db() {
      // drizzle wants a pool's options, which a transaction shares but does not show.
      db ??= drizzle(Object.assign(raw, { options: pool.options }) as unknown as Client);
      return db;
    },
  };
};

const rawOf = (tx: DrizzleTransaction): RawTransaction => {
  const session: unknown = tx._.session;
  if (!(session instanceof PostgresJsSession))
    throw new Error('drizzle runs on another driver than postgres.js.');
  return session.client;
};

/** The driver's or server's own error, out of the wrapper in which drizzle repeats query and parameters. */
const innermost = (error: unknown): unknown =>
  error instanceof DrizzleQueryError && error.cause !== undefined ? innermost(error.cause) : error;

const codeOf = (error: unknown): string | undefined => {
  const inner = innermost(error);
  return inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? inner.code : undefined;
};

const isRetriable = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === '40001' || code === '40P01';
};

/** True for a breach of a unique constraint or index, of the named one if a name is given. */
export const isUniqueViolation = (error: unknown, constraint?: string): boolean => {
  const inner = innermost(error);
  return (
    inner instanceof postgres.PostgresError &&
    inner.code === '23505' &&
    (constraint === undefined || inner.constraint_name === constraint)
  );
};

const connectionLost = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // The server is stopping, crashed or starting; it ended an idle transaction or session.
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25P03',
  // Out of connections, memory, disk; read-only after a failover.
  '53100',
  '53200',
  '53300',
  '25006',
  // Conflicts that outlived their retries; a lock not had in time.
  '40001',
  '40P01',
  '55P03',
]);

/**
 * What the client is told of a database error: `UNAVAILABLE` when the database is away or overloaded, `TIMEOUT` when the
 * statement ran out of time, `VALIDATION` for text that no database can store (NUL). Undefined for anything else: that is our bug.
 * The error itself goes along as the cause, for the log.
 */
export const translateDatabaseError = (error: unknown): CodedError | undefined => {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  const cause = innermost(error);
  if (connectionLost.has(code) || code.startsWith('08')) {
    return new CodedError('UNAVAILABLE', { retryAfterMs: 1_000, cause });
  }
  if (code === '57014') return new CodedError('TIMEOUT', { retryAfterMs: 1_000, cause });
  if (code === '22021' || code === '22P05') return new CodedError('VALIDATION', { cause });
  return undefined;
};
