import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { SessionId } from '@zvonok/shared';
import { CodedError } from '@zvonok/shared/errors.ts';
import { eq } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BriefTransaction,
  type Database,
  type Ending,
  isUniqueViolation,
  migrateDatabase,
  openDatabase,
  translateDatabaseError,
  UnfitDatabaseError,
  unfitReasons,
} from './database.ts';
import { demoDataFact, findFact, refuseDemoDataOutsideDemo, writeFact } from './facts.store.ts';
import { type Announcement, signal } from './outbound.ts';
import { platformFacts } from './platform.tables.ts';
import { startTestPostgres, type TestPostgres } from './testing/test-postgres.ts';
import type { Tally } from './testing/writers-under-fire.ts';

let server: TestPostgres;
let url: string;
let database: Database;
const released: (readonly Announcement[])[] = [];
const sinkErrors: unknown[] = [];
let sinkFails = false;

beforeAll(async () => {
  server = await startTestPostgres();
  url = await server.createDatabase();
  database = await openDatabase({
    url,
    poolSize: 4,
    onCommitted: (announcements) => {
      if (sinkFails) throw new Error('sink');
      released.push(announcements);
    },
    onSinkError: (error) => sinkErrors.push(error),
  });
});

afterAll(async () => {
  await database.close();
  await server.stop();
});

const announcement = (id: string): Announcement =>
  signal({ name: 'sessionsEnded', sessionIds: [id as SessionId] });

describe('inTransaction', () => {
  it('releases announcements after the commit, in order', async () => {
    released.length = 0;
    const before = await database.inTransaction(async (tx) => {
      tx.announce(announcement('first'));
      await writeFact(tx, 'order', '1');
      tx.announce(announcement('second'), announcement('third'));
      return released.length;
    });
    expect(before).toBe(0);
    expect(released).toEqual([[announcement('first'), announcement('second'), announcement('third')]]);
    expect(await findFact(database, 'order')).toBe('1');
  });

  it('has committed when the sink hears of it', async () => {
    const seen: Promise<string | undefined>[] = [];
    const other = await openDatabase({
      url,
      poolSize: 2,
      migrate: false,
      onCommitted: () => void seen.push(findFact(database, 'visible')),
    });
    await other.inTransaction(async (tx) => {
      await writeFact(tx, 'visible', 'yes');
      tx.announce(announcement('x'));
    });
    await other.close();
    expect(await Promise.all(seen)).toEqual(['yes']);
  });

  it('drops everything on a rollback', async () => {
    released.length = 0;
    await expect(
      database.inTransaction(async (tx) => {
        await writeFact(tx, 'rolled back', '1');
        tx.announce(announcement('never'));
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(released).toEqual([]);
    expect(await findFact(database, 'rolled back')).toBeUndefined();
  });

  it('drops everything when the commit itself fails', async () => {
    await database.client`create table if not exists deferred
      (id int primary key, other int references deferred (id) deferrable initially deferred)`;
    released.length = 0;
    await expect(
      database.inTransaction(async (tx) => {
        await tx.raw`insert into deferred values (1, 99)`;
        tx.announce(announcement('never'));
      }),
    ).rejects.toMatchObject({ code: '23503' });
    expect(released).toEqual([]);
  });

  it('survives a sink that throws: the data is stored', async () => {
    sinkFails = true;
    await database.inTransaction(async (tx) => {
      await writeFact(tx, 'sink', 'stored');
      tx.announce(announcement('x'));
    });
    sinkFails = false;
    expect(sinkErrors).toHaveLength(1);
    expect(await findFact(database, 'sink')).toBe('stored');
  });

  it('refuses to nest, in whatever form, and lets the next one in', async () => {
    await expect(
      database.inTransaction(() => database.inTransaction(() => Promise.resolve(1))),
    ).rejects.toThrow(/inside a transaction/);
    await expect(
      database.inBriefTransaction(() => database.inTransaction(() => Promise.resolve({ value: 1 }))),
    ).rejects.toThrow(/inside a transaction/);
    expect(await database.inTransaction(() => Promise.resolve(1))).toBe(1);
  });

  it('refuses an announcement after the end', async () => {
    const kept = await database.inTransaction((tx) => Promise.resolve(tx.announce));
    expect(() => kept(announcement('late'))).toThrow(/over/);
  });

  it('retries a serialization failure from the start, with the announcements of the last attempt alone', async () => {
    await database.inTransaction((tx) => writeFact(tx, 'counter', '0'));
    released.length = 0;
    let attempts = 0;
    const increment = () =>
      database.inTransaction(
        async (tx) => {
          attempts += 1;
          const [row] = await tx.select().from(platformFacts).where(eq(platformFacts.key, 'counter'));
          await tx.raw`select pg_sleep(0.02)`;
          await writeFact(tx, 'counter', String(Number(row?.value) + 1));
          tx.announce(announcement('counted'));
        },
        { isolation: 'serializable', retries: 20 },
      );
    await Promise.all([increment(), increment(), increment()]);
    expect(await findFact(database, 'counter')).toBe('3');
    expect(attempts).toBeGreaterThan(3);
    expect(released).toEqual(Array.from({ length: 3 }, () => [announcement('counted')]));
  });

  it('gives up after the bounded number of retries', async () => {
    let attempts = 0;
    const failing = database.inTransaction(
      async (tx) => {
        attempts += 1;
        await tx.raw`do $$ begin raise exception 'again' using errcode = '40001'; end $$`;
      },
      { retries: 2 },
    );
    await expect(failing).rejects.toMatchObject({ code: '40001' });
    expect(attempts).toBe(3);
  });

  it('does not retry what is not transient', async () => {
    let attempts = 0;
    const insert = () =>
      database.inTransaction(async (tx) => {
        attempts += 1;
        await tx.insert(platformFacts).values({ key: 'unique', value: '1' });
      });
    await insert();
    const error = await insert().catch((caught: unknown) => caught);
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, 'platform_facts_pkey')).toBe(true);
    expect(isUniqueViolation(error, 'another')).toBe(false);
    expect(attempts).toBe(2);
  });
});

describe('inBriefTransaction', () => {
  it('pipelines, takes arrays, and announces after the commit', async () => {
    released.length = 0;
    const keys = ['raw a', 'raw б', 'raw "c"'];
    const count = await database.inBriefTransaction(async ({ raw, db, announce }) => {
      const [inserted] = await Promise.all([
        raw`insert into platform_facts (key, value) select k, 'v' from unnest(${keys}::text[]) as k`,
        raw`select 1`,
      ]);
      announce(announcement('raw'));
      const seen = await db.select().from(platformFacts).where(eq(platformFacts.key, 'raw a'));
      expect(seen).toHaveLength(1);
      return { value: inserted.count, last: raw`update platform_facts set value = 'w' where key = 'raw б'` };
    });
    expect(count).toBe(3);
    expect(released).toEqual([[announcement('raw')]]);
    expect(await findFact(database, 'raw "c"')).toBe('v');
    expect(await findFact(database, 'raw б')).toBe('w');
  });

  it.each<[string, (tx: BriefTransaction) => Promise<Ending<number>>]>([
    ['the function', () => Promise.reject(new Error('no'))],
    ['a statement on the way', async ({ raw }) => ({ value: (await raw`select 1/0`).length })],
    ['the last statement', async ({ raw }) => ({ value: 1, last: raw`select 1/0` })],
    [
      'a check at the commit',
      async ({ raw }) => {
        await raw`create temp table pledges (n int unique deferrable initially deferred)`;
        return { value: 1, last: raw`insert into pledges values (1), (1)` };
      },
    ],
  ])('stores and announces nothing when %s fails, and gives the connection back', async (_what, fail) => {
    released.length = 0;
    const attempt = database.inBriefTransaction(async (tx) => {
      await tx.raw`insert into platform_facts (key, value) values ('half', 'stored')`;
      tx.announce(announcement('half'));
      return fail(tx);
    });
    await expect(attempt).rejects.toThrow();
    expect(released).toEqual([]);
    // More often than the pool has connections: one that was kept, or left in its transaction, would show.
    for (let n = 0; n < 6; n += 1) expect(await findFact(database, 'half')).toBeUndefined();
    expect(await database.inBriefTransaction(async () => ({ value: 'next' }))).toBe('next');
  });
});

describe('what clients are told', () => {
  it.each<[string, (client: postgres.Sql) => Promise<unknown>, string | undefined]>([
    ['a statement out of time', (client) => client`select pg_sleep(2)`, 'TIMEOUT'],
    ['a text that can not be stored', (client) => client`select ${'a\u0000b'}::text`, 'VALIDATION'],
    ['a killed session', (client) => client`select pg_terminate_backend(pg_backend_pid())`, 'UNAVAILABLE'],
    ['a mistake of ours', (client) => client`select nonsense`, undefined],
  ])('of %s', async (_what, fail, code) => {
    const client = postgres(url, {
      max: 1,
      connection: { statement_timeout: 200 },
      onnotice: () => undefined,
    });
    const error = await fail(client).catch((caught: unknown) => caught);
    await client.end({ timeout: 1 });
    const translated = translateDatabaseError(error);
    expect(translated?.code).toBe(code);
    if (translated !== undefined) expect(translated).toBeInstanceOf(CodedError);
  });

  it('of a database that is not there', async () => {
    const client = postgres('postgres://nobody@127.0.0.1:1/none', { max: 1 });
    const error = await client`select 1`.catch((caught: unknown) => caught);
    expect(translateDatabaseError(error)?.code).toBe('UNAVAILABLE');
    await client.end({ timeout: 0 });
  });

  it('of an error that drizzle has wrapped', async () => {
    const error = await database.db
      .select()
      .from(platformFacts)
      .where(eq(platformFacts.key, 'a\u0000b'))
      .catch((caught: unknown) => caught);
    expect(translateDatabaseError(error)?.code).toBe('VALIDATION');
  });
});

describe('a server that can not keep the promises is refused', () => {
  const open = (options: string) => {
    const target = new URL(url);
    // postgres.js passes unknown parameters of the URL to the session.
    target.search = options;
    return openDatabase({ url: target.href, poolSize: 2, onCommitted: () => undefined }).then(
      async (opened) => {
        await opened.close();
        return 'accepted';
      },
      (error: unknown) => (error instanceof UnfitDatabaseError ? error.reasons.join('\n') : String(error)),
    );
  };

  it('synchronous_commit', async () => {
    for (const value of ['off', 'local', 'remote_write']) {
      expect(await open(`?synchronous_commit=${value}`)).toContain(`synchronous_commit is ${value}`);
    }
    expect(await open('?synchronous_commit=remote_apply')).toBe('accepted');
  });

  it('a read-only session', async () => {
    expect(await open('?default_transaction_read_only=on')).toContain('no writes');
  });

  it('an encoding other than UTF8, a locale without Russian', async () => {
    const admin = postgres(server.url, { max: 1, onnotice: () => undefined });
    await admin.unsafe(
      "create database ascii template template0 encoding 'SQL_ASCII' locale_provider libc locale 'C'",
    );
    await admin.unsafe(
      "create database plain template template0 encoding 'UTF8' locale_provider libc locale 'C'",
    );
    const named = (name: string) => {
      const target = new URL(url);
      target.pathname = name;
      return openDatabase({ url: target.href, poolSize: 2, onCommitted: () => undefined });
    };
    await expect(named('ascii')).rejects.toThrow(/encoding is SQL_ASCII/);
    await expect(named('plain')).rejects.toThrow(/Russian/);
    await admin.end();
  });

  it('everything at once, each in a sentence', () => {
    const fit = {
      version: 180_004,
      encoding: 'UTF8',
      fsync: 'on',
      synchronousCommit: 'on',
      fullPageWrites: 'on',
      readOnly: 'off',
      lowersRussian: true,
    };
    expect(unfitReasons(fit)).toEqual([]);
    expect(unfitReasons({ ...fit, version: 150_000 })).toEqual([]);
    const reasons = unfitReasons({
      version: 140_011,
      encoding: 'LATIN1',
      fsync: 'off',
      synchronousCommit: 'off',
      fullPageWrites: 'off',
      readOnly: 'on',
      lowersRussian: false,
    }).join('\n');
    for (const word of [
      'PostgreSQL 14',
      'LATIN1',
      'fsync',
      'synchronous_commit',
      'full_page_writes',
      'no writes',
    ]) {
      expect(reasons).toContain(word);
    }
  });
});

describe('migrations', () => {
  it('run once when several processes start at once', async () => {
    const fresh = await server.createDatabase();
    await Promise.all([migrateDatabase(fresh), migrateDatabase(fresh), migrateDatabase(fresh)]);
    await migrateDatabase(fresh);
    const client = postgres(fresh, { max: 1 });
    const applied = await client<{ count: number }[]>`
      select count(*)::int as count from drizzle.__drizzle_migrations group by hash`;
    await client.end();
    expect(applied.length).toBeGreaterThan(0);
    expect(applied.every((row) => row.count === 1)).toBe(true);
  });
});

describe('demo data', () => {
  it('is refused outside demo mode, for good', async () => {
    const config = { demo: false, dataDir: '/data' };
    await refuseDemoDataOutsideDemo(database, config);
    await database.inTransaction((tx) => writeFact(tx, demoDataFact, 'seeded'));
    await refuseDemoDataOutsideDemo(database, { ...config, demo: true });
    await expect(refuseDemoDataOutsideDemo(database, config)).rejects.toThrow(/demo school/);
  });
});

describe('connections that die', () => {
  it('under ten writers end no process, hang no query, tear no transaction', {
    timeout: 70_000,
  }, async () => {
    const target = await server.createDatabase();
    await migrateDatabase(target);
    const program = fileURLToPath(new URL('./testing/writers-under-fire.ts', import.meta.url));
    // Rejects with the output when the process ends with anything but 0.
    const { stdout } = await promisify(execFile)(process.execPath, [program, target, '4', '7'], {
      timeout: 60_000,
    });
    const tally = JSON.parse(stdout) as Tally;
    expect(tally).toMatchObject({ foreign: [], hung: 0, lost: 0, torn: 0, misannounced: 0 });
    // It was a test: connections did die, and work was done all the same.
    expect(tally.kills).toBeGreaterThan(20);
    expect(tally.rejected).toBeGreaterThan(10);
    expect(tally.resolved).toBeGreaterThan(20);
  });

  it('are replaced at once, and answers() tells', async () => {
    const admin = postgres(server.url, { max: 1 });
    expect(await database.answers(2_000)).toBe(true);
    await admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'zvonok'`;
    const deadline = Date.now() + 3_000;
    while (!(await database.answers(500))) expect(Date.now()).toBeLessThan(deadline);
    await admin.end();
  });
});
