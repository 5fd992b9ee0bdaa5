// What must be done to a checkout before it runs, each done only when its sources changed since the last time.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed, run, withProgress } from './process.mjs';
import { ROOT } from './toolchain.mjs';

/** Left in a result's folder: the fingerprint of what it was made from. */
const STAMP = '.zvonok-stamp';
const NOT_SOURCES = new Set(['node_modules', 'dist', '.git', '.data', 'artifacts']);

/** Installs the dependencies if the lock file, a manifest or a patch changed. */
export async function installDependencies({ env }) {
  const stamp = join(ROOT, 'node_modules', STAMP);
  const manifests = (await filesUnder('.')).filter((file) =>
    /(^|\/)(package\.json|pnpm-lock\.yaml|pnpm-workspace\.yaml)$|^patches\//.test(file),
  );
  await whenChanged(stamp, manifests, 'Installing dependencies', async () => {
    const registry = await npmRegistry(env);
    // CI: replace a node_modules of another making without asking. NODE_ENV: in production pnpm would leave out what
    // the messenger is built with.
    const installEnv = {
      ...env,
      CI: 'true',
      NODE_ENV: '',
      ...(registry && { pnpm_config_registry: registry }),
    };
    await runShowingFailure('pnpm', ['install', '--frozen-lockfile'], { cwd: ROOT, env: installEnv });
  });
}

/** Builds the web messenger into web/dist if it, or what it is made with, changed. */
export async function buildWeb({ env }) {
  const stamp = join(ROOT, 'web', 'dist', STAMP);
  const sources = await Promise.all(['web', 'client-sdk/src', 'shared/src'].map(filesUnder));
  const files = ['pnpm-lock.yaml', ...sources.flat()].filter((file) => !/\.test\.tsx?$/.test(file));
  await whenChanged(stamp, files, 'Building the web messenger', () =>
    runShowingFailure('pnpm', ['-F', '@zvonok/web', 'build'], { cwd: ROOT, env: { ...env, NODE_ENV: '' } }),
  );
}

async function whenChanged(stamp, files, what, work) {
  const fingerprint = await fingerprintOf(files);
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === fingerprint) return;
  await rm(stamp, { force: true });
  await withProgress(what, work);
  await writeFile(stamp, fingerprint);
}

/** All sources in a folder and below, as paths relative to the checkout, in a fixed order. */
export async function filesUnder(folder) {
  const entries = await readdir(join(ROOT, folder), { withFileTypes: true });
  const found = await Promise.all(
    entries.map((entry) => {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
      if (!entry.isDirectory()) return [path];
      return NOT_SOURCES.has(entry.name) ? [] : filesUnder(path);
    }),
  );
  return found.flat().sort();
}

async function fingerprintOf(files) {
  const hash = createHash('sha256').update(process.platform + process.arch);
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(join(ROOT, file)));
  return hash.digest('hex');
}

/** npm may know a mirror from places that pnpm doesn't read. */
async function npmRegistry(env) {
  const { output } = await run('npm', ['config', 'get', 'registry'], { cwd: ROOT, env }).catch(() => ({
    output: '',
  }));
  return output.split('\n').find((line) => /^https?:\/\//.test(line));
}

async function runShowingFailure(command, args, options) {
  try {
    await run(command, args, options);
  } catch (error) {
    if (error instanceof CommandFailed) console.error(error.output);
    throw error;
  }
}
