import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { createLogger } from './logger.ts';
import type { Owner } from './testing/postgres-owner.ts';

const program = fileURLToPath(new URL('./testing/postgres-owner.ts', import.meta.url));
const logger = createLogger({ logLevel: 'silent' });
/** P17. Measured without the time that a first start takes to make the cluster. */
const readyWithinMs = 10_000;

// Each start makes a cluster, which is slow on a busy machine.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let dataDir: string;
const owners: ChildProcess[] = [];
const servers: EmbeddedPostgres[] = [];
const others: ChildProcess[] = [];

/** Making a cluster is the slow part, so that most tests find the one of those before them, stopped. */
let sharedDir: string;

const useFreshDir = async (): Promise<void> => {
  dataDir = await mkdtemp(join(tmpdir(), 'zvonok-postgres-'));
};

beforeAll(async () => {
  await useFreshDir();
  sharedDir = dataDir;
});

beforeEach(() => {
  dataDir = sharedDir;
});

afterAll(() => rmSync(sharedDir, { recursive: true, force: true }));

afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  for (const server of servers.splice(0)) await server.stop();
  for (const other of others.splice(0)) other.kill('SIGKILL');
  // Whatever a test left running is adopted and stopped.
  if (existsSync(join(dataDir, 'postgres', 'postmaster.pid'))) await (await start()).stop();
  if (dataDir !== sharedDir) rmSync(dataDir, { recursive: true, force: true });
});

const start = async (join?: boolean): Promise<EmbeddedPostgres> => {
  const server = await startEmbeddedPostgres({ dataDir, logger, ...(join === undefined ? {} : { join }) });
  servers.push(server);
  return server;
};

const startOwner = async (): Promise<{ process: ChildProcess; owner: Owner }> => {
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  owners.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { process: child, owner: JSON.parse(line) as Owner };
};

const ask = async <T>(url: string, question: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await question(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

const pidFile = () => join(dataDir, 'postgres', 'postmaster.pid');

/** Puts a pid file in place as a crash leaves it: the account that PostgreSQL runs as owns it. */
const leavePidFile = (text: string): void => {
  writeFileSync(pidFile(), text, { mode: 0o600 });
  const { uid, gid } = statSync(join(dataDir, 'postgres'));
  chownSync(pidFile(), uid, gid);
};

it('makes a cluster that keeps the promises and knows Russian', async () => {
  const server = await start();
  expect(server).toMatchObject({ adopted: false, owner: true });
  const [facts] = await ask(
    server.url,
    (sql) => sql`
      select lower('ЁЖИК') as lowered, length('Ёж') as length, current_database() as database,
             current_setting('server_encoding') as encoding, current_setting('data_checksums') as checksums,
             current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous,
             current_setting('full_page_writes') as pages, current_setting('listen_addresses') as addresses`,
  );
  expect(facts).toEqual({
    lowered: 'ёжик',
    length: 2,
    database: 'zvonok',
    encoding: 'UTF8',
    checksums: 'on',
    fsync: 'on',
    synchronous: 'on',
    pages: 'on',
    addresses: '127.0.0.1',
  });
  expect(statSync(join(dataDir, 'postgres.json')).mode & 0o777).toBe(0o600);
  expect(statSync(join(dataDir, 'postgres')).mode & 0o077).toBe(0);
});

it('lets nobody in without the password', async () => {
  const { url } = await start();
  const stranger = new URL(url);
  stranger.password = 'guessed';
  await expect(ask(stranger.href, (sql) => sql`select 1`)).rejects.toMatchObject({ code: '28P01' });
});

it('keeps what people wrote out of its log', async () => {
  const { url } = await start();
  await ask(url, async (sql) => {
    await sql`create table people (phone text primary key)`;
    await sql`insert into people values ('+79161234567')`;
    await sql`insert into people values ('+79161234567')`.catch(() => undefined);
    await sql`select ${'canary text'}::int`.catch(() => undefined);
    await sql.unsafe("select 'canary text' from nowhere").catch(() => undefined);
  });
  const log = readFileSync(join(dataDir, 'postgres.log'), 'utf8');
  expect(log).toContain('ready to accept connections');
  expect(log).not.toMatch(/79161234567|canary/);
});

it('stops, and starts again with its data, password and port', async () => {
  const first = await start();
  await ask(first.url, (sql) => sql`create table kept_4 (id int)`);
  const pid = first.pid();
  await first.stop();
  await first.stop();
  expect(isAlive(pid ?? 0)).toBe(false);
  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, (sql) => sql`select * from kept_4`)).toHaveLength(0);
});

it('adopts its postmaster after a kill -9 of the process, and loses nothing committed', async () => {
  const { process: crashing, owner } = await startOwner();
  await ask(owner.url, (sql) => sql`create table kept_5 as select 1 as id`);
  crashing.kill('SIGKILL');
  await once(crashing, 'exit');
  expect(isAlive(owner.pid)).toBe(true);

  const startedAt = Date.now();
  const server = await start();
  expect(Date.now() - startedAt).toBeLessThan(readyWithinMs);
  expect(server).toMatchObject({ adopted: true, url: owner.url });
  expect(server.pid()).toBe(owner.pid);
  expect(await ask(server.url, (sql) => sql`select id from kept_5`)).toEqual([{ id: 1 }]);
  await server.stop();
  expect(isAlive(owner.pid)).toBe(false);
});

it('starts after a kill -9 of the process and of the postmaster', async () => {
  const { process: crashing, owner } = await startOwner();
  await ask(owner.url, (sql) => sql`create table kept_6 as select 1 as id`);
  crashing.kill('SIGKILL');
  process.kill(owner.pid, 'SIGKILL');
  await once(crashing, 'exit');

  const startedAt = Date.now();
  const server = await start();
  expect(Date.now() - startedAt).toBeLessThan(readyWithinMs);
  expect(server.adopted).toBe(false);
  expect(await ask(server.url, (sql) => sql`select id from kept_6`)).toEqual([{ id: 1 }]);
});

it('leaves a foreign process alone that has the pid of a stale pid file', async () => {
  const first = await start();
  const { url } = first;
  const text = readFileSync(pidFile(), 'utf8');
  await first.stop();
  const foreign = spawn('sleep', ['120']);
  others.push(foreign);
  leavePidFile(text.replace(/^\d+/, String(foreign.pid)));

  const startedAt = Date.now();
  const server = await start();
  expect(Date.now() - startedAt).toBeLessThan(readyWithinMs);
  expect(server).toMatchObject({ adopted: false, url });
  expect(await ask(server.url, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
  expect(isAlive(foreign.pid ?? 0)).toBe(true);
  await server.stop();
  expect(isAlive(foreign.pid ?? 0)).toBe(true);
});

it('leaves the postmaster of another directory alone that has the pid of a stale pid file', async () => {
  const first = await start();
  await first.stop();
  const otherDir = await mkdtemp(join(tmpdir(), 'zvonok-postgres-other-'));
  const other = await startEmbeddedPostgres({ dataDir: otherDir, logger });
  try {
    const theirs = readFileSync(join(otherDir, 'postgres', 'postmaster.pid'), 'utf8');
    leavePidFile(theirs);
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(server.pid()).not.toBe(other.pid());
    await server.stop();
    expect(await ask(other.url, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
  } finally {
    await other.stop();
    rmSync(otherDir, { recursive: true, force: true });
  }
});

it('replaces a postmaster of ours that does not answer', async () => {
  const { process: crashing, owner } = await startOwner();
  crashing.kill('SIGKILL');
  await once(crashing, 'exit');
  process.kill(owner.pid, 'SIGSTOP');
  const startedAt = Date.now();
  const server = await start();
  expect(Date.now() - startedAt).toBeLessThan(20_000);
  expect(server.pid()).not.toBe(owner.pid);
  expect(isAlive(owner.pid)).toBe(false);
});

it('starts a postmaster again that dies under it, under the same address', async () => {
  const server = await start();
  const before = server.pid() ?? 0;
  process.kill(before, 'SIGKILL');
  const deadline = Date.now() + 15_000;
  let answer: unknown;
  while (answer === undefined && Date.now() < deadline) {
    await delay(100);
    answer = await ask(server.url, (sql) => sql`select 1`).catch(() => undefined);
  }
  expect(answer).toBeDefined();
  while (server.pid() === undefined && Date.now() < deadline) await delay(20);
  expect(server.pid()).not.toBe(before);
});

it('is refused to a second server, and joined by a command', async () => {
  const { owner } = await startOwner();
  const joined = await start(true);
  expect(joined).toMatchObject({ owner: false, url: owner.url });
  await joined.stop();
  expect(await ask(owner.url, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
  await expect(start()).rejects.toThrow(/Another server is running/);
  expect(await ask(owner.url, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
});

it('takes another port when its own is taken', async () => {
  const first = await start();
  const { port } = new URL(first.url);
  await first.stop();
  const squatter = createServer().listen(Number(port), '127.0.0.1');
  await once(squatter, 'listening');
  try {
    const server = await start();
    expect(new URL(server.url).port).not.toBe(port);
    expect(await ask(server.url, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
  } finally {
    squatter.close();
  }
});

it('of two first starts at once makes one cluster with one owner', async () => {
  await useFreshDir();
  const both = await Promise.all([startOwner(), startOwner()]);
  const ready = both.filter(({ owner }) => owner.error === undefined);
  expect(ready).toHaveLength(1);
  expect(both.find(({ owner }) => owner.error !== undefined)?.owner.error).toContain(
    'Another server is running',
  );
});

it('says that the password file is missing instead of making a new cluster', async () => {
  await useFreshDir();
  const first = await start();
  await first.stop();
  rmSync(join(dataDir, 'postgres.json'));
  await expect(start()).rejects.toThrow(/is missing/);
});

it.runIf(process.getuid?.() === 0)('runs for root although DATA_DIR lies in a closed directory', async () => {
  await useFreshDir();
  const closed = join(dataDir, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  chmodSync(closed, 0o700);
  const server = await startEmbeddedPostgres({ dataDir: join(closed, 'data'), logger });
  try {
    const [row] = await ask(
      server.url,
      (sql) => sql<{ place: string }[]>`select current_setting('data_directory') as place`,
    );
    expect(row?.place.startsWith('/var/lib/zvonok-postgres/')).toBe(true);
    await server.stop();
    const again = await startEmbeddedPostgres({ dataDir: join(closed, 'data'), logger });
    expect(again.url).toBe(server.url);
    await again.stop();
    rmSync(row?.place ?? '', { recursive: true, force: true });
  } finally {
    await server.stop();
  }
});
