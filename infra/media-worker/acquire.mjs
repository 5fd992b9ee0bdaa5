// Gets a mediasoup worker that runs on this machine, and says where it is.
//
//   node infra/media-worker/acquire.mjs
//
// Prints one JSON object a line on stdout, the last of them `ready` or `unavailable`:
//
//   {"state":"preparing","step":"build","detail":"Building the media worker","etaMs":190000}
//       at once and then at least every 5 s. `step` is waiting | download | packages | build;
//       `etaMs` is an honest guess of the time that is left, of all steps together.
//   {"state":"ready","path":"/…/mediasoup-worker","source":"environment"|"cache"|"download"|"build"}
//       `path` is an absolute path for MEDIASOUP_WORKER_BIN; the binary was run on this machine.
//       `warning` is there when the worker is usable but worse than it could be.
//   {"state":"unavailable","reason":"…","command":"sudo apt-get …"}
//       `reason` is one sentence for the operator; `command`, where there is one, is the single line that
//       mends it (run it, then start again).
//
// Exits 0 after `ready`, 1 after `unavailable`. SIGTERM and SIGINT stop a build; when the parent dies without
// saying so the build goes on and fills the cache. In a terminal the same is said in words.
//
// The sources, first that works: MEDIASOUP_WORKER_BIN; the cache (outside the checkout, per mediasoup version);
// mediasoup's own prebuilt download; a build against Debian's libraries (build.sh). See
// docs/decisions/media-worker.md.
import { createHash } from 'node:crypto';
import { constants as fileModes, readFileSync, realpathSync } from 'node:fs';
import { access, chmod, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, release } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from '../lock.mjs';
import { CommandFailed, run, stopWithChildren } from '../process.mjs';
import { installCommand, installPackages, installPermission, missingPackages } from '../system-packages.mjs';
import { cacheFolder, ROOT } from '../toolchain.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
/** What the build needs of Debian. */
export const BUILD_PACKAGES = readFileSync(join(HERE, 'build-packages.txt'), 'utf8').trim().split('\n');

/** A school whose network drops packets to GitHub should not wait for it: the head of the answer, then each part. */
const DOWNLOAD_SILENCE_MS = 8_000;
/** The largest prebuilt worker so far is a few megabytes; more than this is something else. */
const DOWNLOAD_MAX_BYTES = 100 * 1024 * 1024;
const DOWNLOAD_MAX_REDIRECTIONS = 5;
/** A worker that gets no MEDIASOUP_VERSION says so by this exit code, and thereby that it runs here. */
const RUNS_HERE_EXIT_CODE = 41;
/** The worker answers in milliseconds. */
const SMOKE_RUN_MS = 10_000;

/** Guesses for the expected time; 3 min 20 s were measured on 2 cores. */
const EXPECTED_DOWNLOAD_MS = 15_000;
const EXPECTED_PACKAGES_MS = 45_000;
const EXPECTED_BUILD_CORE_MS = 400_000;
const REPORT_EVERY_MS = 5_000;

/**
 * Finds or makes a worker, as described at the top. `report` gets each `preparing` object; the result is the
 * `ready` or `unavailable` one. Never throws for want of a worker.
 */
export async function acquireWorker({
  mediasoupFolder = installedMediasoup(),
  cache = cacheFolder(),
  env = process.env,
  report = () => {},
} = {}) {
  const named = env.MEDIASOUP_WORKER_BIN;
  if (named) {
    const path = resolve(named);
    if (await runsHere(path)) return { state: 'ready', path, source: 'environment' };
    return unavailable(`MEDIASOUP_WORKER_BIN does not run on this machine: ${path}`);
  }

  const { version, repository } = JSON.parse(await readFile(join(mediasoupFolder, 'package.json'), 'utf8'));
  const folder = join(cache, 'media-worker');
  const name = `mediasoup-worker-${version}-${process.platform}-${process.arch}`;
  const downloaded = join(folder, `${name}-prebuilt`);
  // A better recipe makes a new worker; the old one is no longer found.
  const built = join(folder, `${name}-${await recipeFingerprint()}`);
  const fromCache = async () => {
    for (const path of [downloaded, built]) {
      if (await runsHere(path)) return { state: 'ready', path, source: 'cache' };
    }
    return undefined;
  };

  const found = await fromCache();
  if (found) return found;

  const progress = startProgress(report);
  try {
    const onWait = () => progress.step('waiting', 'Another process is getting the media worker', buildMs());
    return await withLock(
      join(folder, 'lock'),
      async () => {
        // Whoever held the lock before us was probably at the same.
        const meanwhile = await fromCache();
        if (meanwhile) return meanwhile;
        await clearDrafts(folder);
        const draft = await mkdtemp(join(folder, DRAFT));
        try {
          if (!env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD) {
            progress.step('download', 'Downloading a ready media worker', EXPECTED_DOWNLOAD_MS);
            const url = prebuiltUrl(version, repository.url, env);
            const file = await download(url, draft).catch(() => undefined);
            if (file && (await runsHere(file))) {
              await rename(file, downloaded);
              return { state: 'ready', path: downloaded, source: 'download' };
            }
          }
          return await build({ mediasoupFolder, draft, built, env, progress });
        } finally {
          await rm(draft, { recursive: true, force: true });
        }
      },
      { onWait },
    );
  } catch (error) {
    const last = error instanceof CommandFailed ? lastWords(error.output) : '';
    return unavailable(`The media worker could not be made: ${error.message}${last && `\n${last}`}`);
  } finally {
    progress.end();
  }
}

function unavailable(reason, command) {
  return { state: 'unavailable', reason, ...(command && { command }) };
}

/** The mediasoup package that the server of this checkout has installed. */
function installedMediasoup() {
  return realpathSync(join(ROOT, 'server', 'node_modules', 'mediasoup'));
}

/** The check of mediasoup's installer: the program starts here, with the libraries that it finds. */
async function runsHere(path) {
  try {
    await access(path, fileModes.X_OK);
    await run('timeout', [String(SMOKE_RUN_MS / 1000), 'env', '-i', path], { accept: [RUNS_HERE_EXIT_CODE] });
    return true;
  } catch {
    return false;
  }
}

/** Where mediasoup's releases keep the worker for this machine; its own variable names another place. */
function prebuiltUrl(version, repositoryUrl, env) {
  const releases = `${repositoryUrl.replace(/^git\+/, '').replace(/\.git$/, '')}/releases/download`;
  const base = env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL || releases;
  const kernel = process.platform === 'linux' ? `-kernel${release().split('.')[0]}` : '';
  return `${base}/${version}/mediasoup-worker-${version}-${process.platform}-${process.arch}${kernel}.tgz`;
}

/** Each step of the way is HTTPS: a single plain one could lead anywhere. */
async function fetchOverHttps(url, signal) {
  let next = new URL(url);
  for (let step = 0; step <= DOWNLOAD_MAX_REDIRECTIONS; step += 1) {
    if (next.protocol !== 'https:') throw new Error(`not over HTTPS: ${next.href}`);
    const response = await fetch(next, { signal, redirect: 'manual' });
    if (response.ok) return response;
    const location = response.headers.get('location');
    if (!location) break;
    next = new URL(location, next);
  }
  throw new Error(`nothing at ${url}`);
}

/**
 * Fetches and unpacks a prebuilt worker into `folder`; the path of the program. Upstream publishes no checksums, so
 * that HTTPS is all there is to trust.
 */
async function download(url, folder) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), DOWNLOAD_SILENCE_MS);
  try {
    const response = await fetchOverHttps(url, silence.signal);
    const parts = [];
    let bytes = 0;
    for await (const part of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), DOWNLOAD_SILENCE_MS);
      bytes += part.length;
      if (bytes > DOWNLOAD_MAX_BYTES) throw new Error(`too large: ${url}`);
      parts.push(part);
    }
    const archive = join(folder, 'worker.tgz');
    await writeFile(archive, Buffer.concat(parts));
    await run('tar', ['-xzf', archive, '-C', folder, '--no-same-owner', 'mediasoup-worker']);
    const file = join(folder, 'mediasoup-worker');
    await chmod(file, 0o755);
    return file;
  } finally {
    clearTimeout(timer);
  }
}

async function build({ mediasoupFolder, draft, built, env, progress }) {
  const missing = await missingPackages(BUILD_PACKAGES);
  if (!missing) {
    return unavailable(
      'No ready media worker could be downloaded, and one can be built on Debian 12, Ubuntu 24.04 or later only; ' +
        'MEDIASOUP_WORKER_BIN can name one from elsewhere',
    );
  }
  if (missing.length > 0) {
    const permission = installPermission(process.getuid?.(), env.CALLS_SETUP);
    const command = installCommand(missing);
    if (permission === 'no')
      return unavailable('The media worker has to be built, which needs system packages', command);
    const packagesStep = (detail) => progress.step('packages', detail, EXPECTED_PACKAGES_MS, buildMs());
    packagesStep('Installing system packages for the media worker');
    try {
      await installPackages(missing, permission, {
        onWait: () => packagesStep('Waiting for another use of apt'),
      });
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      return unavailable(`System packages could not be installed: ${lastWords(error.output)}`, command);
    }
  }

  progress.step('build', 'Building the media worker', buildMs());
  const file = join(draft, 'mediasoup-worker');
  let warning;
  const onLine = (line) => {
    const [, done, total] = /^\[(\d+)\/(\d+)\]/.exec(line) ?? [];
    if (total) progress.fraction(Number(done) / Number(total));
    if (line.startsWith('warning: ')) warning = line.slice('warning: '.length);
  };
  await run('bash', [join(HERE, 'build.sh'), mediasoupFolder, draft, file], { onLine, group: true });
  if (!(await runsHere(file))) return unavailable('The media worker was built but does not run');
  await rename(file, built);
  return { state: 'ready', path: built, source: 'build', ...(warning && { warning }) };
}

function buildMs() {
  return EXPECTED_BUILD_CORE_MS / availableParallelism();
}

/** What is left of a crash is removed by the next who holds the lock. */
const DRAFT = 'draft-';
async function clearDrafts(folder) {
  for (const name of await readdir(folder)) {
    if (name.startsWith(DRAFT)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function recipeFingerprint() {
  const hash = createHash('sha256');
  for (const file of ['build.sh', 'CMakeLists.txt', 'compat/srtp.h', 'compat/ankerl/unordered_dense.h']) {
    hash.update(await readFile(join(HERE, file)));
  }
  return hash.digest('hex').slice(0, 8);
}

function lastWords(output) {
  return output.trim().split('\n').slice(-3).join('\n');
}

/** Turns steps into `preparing` objects: one at each step, and every 5 s with what is left by then. */
function startProgress(report) {
  let current;
  const tell = () => {
    if (!current) return;
    const elapsed = Date.now() - current.startedAt;
    // By the part that is done where that says something, else by the guess; never promising less than a second.
    const left =
      current.fraction > 0.1
        ? (elapsed / current.fraction) * (1 - current.fraction)
        : current.expectedMs - elapsed;
    const { step, detail, afterwardsMs } = current;
    report({ state: 'preparing', step, detail, etaMs: Math.round(Math.max(left, 1_000) + afterwardsMs) });
  };
  const timer = setInterval(tell, REPORT_EVERY_MS);
  return {
    /** Begins a step of about `expectedMs`, with `afterwardsMs` of other steps to come. */
    step(step, detail, expectedMs, afterwardsMs = 0) {
      if (current?.detail === detail) return;
      current = { step, detail, expectedMs, afterwardsMs, startedAt: Date.now(), fraction: 0 };
      tell();
    },
    fraction(done) {
      current.fraction = done;
    },
    end() {
      clearInterval(timer);
    },
  };
}

/** The same in words, for a terminal. */
function inWords(said) {
  if (said.state === 'preparing') return `${said.detail}, about ${Math.ceil(said.etaMs / 1000)} s left`;
  if (said.state === 'ready') return `${said.warning ? `Note: ${said.warning}\n` : ''}${said.path}`;
  return said.command ? `${said.reason}. Run this, then start again:\n  ${said.command}` : said.reason;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  stopWithChildren();
  // A reader that is gone is no reason to stop: the cache is filled for its next start.
  process.stdout.on('error', () => {});
  const say = (said) => console.log(process.stdout.isTTY ? inWords(said) : JSON.stringify(said));
  const result = await acquireWorker({ report: say });
  say(result);
  process.exitCode = result.state === 'ready' ? 0 : 1;
}
