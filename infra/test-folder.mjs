// Where the tests write: a folder of each run's own, removed after it. Each file of them has a database of its own, and a
// disk that takes milliseconds to confirm each transaction makes them wait for minutes in all; so the folder is in memory
// where the machine has plenty of it. A test that is about the disk asks for `DISK_VARIABLE`.
// vitest's configuration makes the folder; this is also its global set-up.
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** What the databases and browser profiles of two test files at a time leave room beside. */
const ROOM_BYTES = 4 * 1024 ** 3;
const PREFIX = 'zvonok-tests-';
/** Names a folder for temporary files that is on a disk. */
export const DISK_VARIABLE = 'ZVONOK_TMP_ON_DISK';

/** Points `tmpdir()` of this process, and of those that it starts, to the run's folder. */
export function makeTestFolder() {
  if (process.env[DISK_VARIABLE] !== undefined) return;
  process.env[DISK_VARIABLE] = tmpdir();
  const parent = hasRoom(MEMORY) ? MEMORY : tmpdir();
  removeAbandoned(parent);
  const folder = join(parent, `${PREFIX}${process.pid}`);
  // Others may walk through: started by root, PostgreSQL runs as an account of its own.
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  process.env.TMPDIR = folder;
  // The servers that tests start, kill and start again needn't compile the same modules each time.
  process.env.NODE_COMPILE_CACHE = join(folder, 'compiled');
}

function hasRoom(folder) {
  if (!existsSync(folder)) return false;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > ROOM_BYTES;
}

/** A run that was killed removed nothing. */
function removeAbandoned(parent) {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX) || isAlive(Number(name.slice(PREFIX.length)))) continue;
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

export function teardown() {
  if (tmpdir().includes(PREFIX)) rmSync(tmpdir(), { recursive: true, force: true });
}
