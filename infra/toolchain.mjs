// The Node and pnpm that Zvonok runs on, fetched from whatever registry the user's npm has, and kept outside the
// checkout. A fresh Debian has Node 20 and npm, and nothing else can be counted on: no corepack, no GitHub.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';
import { CommandFailed, run, withProgress } from './process.mjs';

/** The one place where the versions stand. */
const NODE_VERSION = '24.21.0';
const PNPM_VERSION = '12.21.0';
/** A Node of this major or a later one is used as it is. */
const NODE_MAJOR = 24;

/** The checkout's top folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Where what outlives a checkout is kept: ZVONOK_CACHE, or `zvonok` in the user's cache folder. */
export function cacheFolder(env = process.env) {
  if (env.ZVONOK_CACHE) return resolve(env.ZVONOK_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'zvonok');
}

/**
 * Makes Node and pnpm available, which takes seconds the first time and nothing afterwards. Returns the path of
 * `node` and the environment in which `node` and `pnpm` are the right ones.
 */
export async function prepareToolchain() {
  const ownNode = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR;
  // npm's package `node` only fetches this one by an install script; taken directly it works without scripts.
  const nodePackage = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const nodeName = `${nodePackage}-${process.platform}-${process.arch}`;
  const wanted = [`pnpm@${PNPM_VERSION}`, ...(ownNode ? [] : [`${nodeName}@${NODE_VERSION}`])];

  const name = `${ownNode ? 'pnpm' : `node-${NODE_VERSION}-pnpm`}-${PNPM_VERSION}-${process.platform}-${process.arch}`;
  const folder = join(cacheFolder(), 'toolchain', name);
  if (!existsSync(folder)) {
    const what = `Fetching ${ownNode ? '' : `Node ${NODE_VERSION} and `}pnpm ${PNPM_VERSION} (once)`;
    await withProgress(what, () => withLock(`${folder}.lock`, () => install(wanted, folder)));
  }

  const binaries = join(folder, 'node_modules', '.bin');
  const node = ownNode ? process.execPath : join(folder, 'node_modules', nodeName, 'bin', 'node');
  return { node, env: environment([dirname(node), binaries]) };
}

async function install(packages, folder) {
  if (existsSync(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.draft-`);
  try {
    // A manifest of its own, or npm looks for one in the folders above.
    await writeFile(join(draft, 'package.json'), '{"private":true}\n');
    const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
    const [npm, ...npmArgs] = npmCommand();
    await run(npm, [...npmArgs, 'install', '--prefix', draft, '--loglevel=error', ...options, ...packages], {
      cwd: draft,
    });
    // pnpm's own script swaps the shell stub, which starts Node on each call, for the native program.
    await run(process.execPath, ['install.js'], { cwd: join(draft, 'node_modules', 'pnpm') });
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (error instanceof CommandFailed) error.message = `npm could not install ${packages.join(', ')}`;
    throw error;
  }
}

/** The npm that started us, or the one that is found. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm'];
}

/**
 * Our environment with the toolchain first in the path, less npm's own variables: they describe `npm start`, and
 * other package managers warn of each one that they don't know. What says where packages come from stays.
 */
function environment(folders) {
  const env = { ...process.env };
  for (const key of Object.keys(env)) {
    if (/^npm_(?!config_(registry|userconfig|.*proxy|cafile|ca|strict_ssl)$)/i.test(key)) delete env[key];
  }
  if (env.npm_config_registry) env.pnpm_config_registry = env.npm_config_registry;
  // Whoever changes the lock file has had it checked. Checking it anew on each machine takes a request or two for each
  // of 800 packages, and fails behind mirrors that serve packages alone.
  env.pnpm_config_trust_lockfile = 'true';
  env.PATH = [...folders, env.PATH].join(delimiter);
  return env;
}
