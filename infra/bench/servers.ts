import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { contractVersion } from '../../shared/src/limits.ts';
import { BenchError } from './bench-error.ts';
import type { BenchDatabase } from './database.ts';
import type { Person } from './population.ts';

/** A server in a process of its own, ready for clients. */
export interface ServerUnderTest {
  readonly name: 'zvonok' | 'the bare server';
  readonly port: number;
  readonly pid: number;
  /** Its database, whose CPU is counted apart. */
  readonly postmasterPid: number | undefined;
  /** What a client of this server sends to be let in. */
  authOf(person: Person, conversationIds: readonly string[]): unknown;
  /** Resident memory in bytes. */
  residentBytes(): Promise<number>;
  collectGarbage(): Promise<void>;
  /** Waits until it has nothing left to do (clients that went, presence being told); at most a minute. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const startLimitMs = 60_000;
const stopLimitMs = 30_000;
/** A server is at rest when it takes less than this of a core over a second. */
const restCores = 0.05;

export async function startBareServer(): Promise<ServerUnderTest> {
  return start('the bare server', path('baseline-server.mjs'), {}, [], undefined, (_person, rooms) => ({
    rooms,
  }));
}

/**
 * The server as it ships, on the bench's database. Rate limits alone are off. `profileInto` writes a V8 CPU profile
 * into that folder when the server stops.
 */
export async function startZvonok(database: BenchDatabase, profileInto?: string): Promise<ServerUnderTest> {
  return start(
    'zvonok',
    path('../../server/src/main.ts'),
    {
      DATABASE_URL: database.url,
      DATA_DIR: database.dataDir,
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'warn',
      CALLS_SETUP: 'off',
      // With DATABASE_URL set this is no demo, so a gateway for codes must be named; nobody signs in by code here.
      SMS_URL_TEMPLATE: 'http://127.0.0.1:9/?to={phone}&text={text}',
    },
    profileInto === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileInto}`],
    database.postmasterPid,
    (person) => ({ token: person.token, version: contractVersion }),
  );
}

async function start(
  name: ServerUnderTest['name'],
  script: string,
  settings: Readonly<Record<string, string>>,
  nodeArguments: readonly string[],
  postmasterPid: number | undefined,
  authOf: ServerUnderTest['authOf'],
): Promise<ServerUnderTest> {
  const port = await freePort();
  const preload = ['--expose-gc', '--import', path('gc-on-request.mjs')];
  const child = spawn(process.execPath, [...preload, ...nodeArguments, script], {
    // Nothing of the caller's own configuration: every run measures the same server.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(port), ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  };
  child.stdout?.on('data', listen);
  child.stderr?.on('data', listen);
  const { pid } = child;
  if (pid === undefined) throw new BenchError(`${name} could not be started`);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    await waitUntilHealthy(child, port);
  } catch {
    child.kill('SIGKILL');
    await exited;
    throw new BenchError(`${name} did not start:\n${said.trim()}`);
  }
  return {
    name,
    port,
    pid,
    postmasterPid,
    authOf,
    async residentBytes() {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    async collectGarbage() {
      const collected = new Promise((resolve) => child.once('message', resolve));
      child.send('collect');
      await collected;
    },
    async settle() {
      for (let tries = 0; tries < 60; tries++) {
        const before = await cpuSecondsOf(pid);
        await delay(1_000);
        if ((await cpuSecondsOf(pid)) - before < restCores) return;
      }
    },
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
      await exited;
      clearTimeout(late);
    },
  };
}

async function waitUntilHealthy(child: ChildProcess, port: number): Promise<void> {
  const until = Date.now() + startLimitMs;
  while (Date.now() < until && child.exitCode === null && child.signalCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (answer?.ok === true) return;
    await delay(50);
  }
  throw new BenchError('no answer from /healthz');
}

async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  // The kernel counts in hundredths of a second for programs, whatever its own clock (USER_HZ).
  return (Number(user) + Number(system)) / 100;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new BenchError('no free port');
  return address.port;
}
