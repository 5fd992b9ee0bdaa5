// Where the tests write. Each file of them has a database of its own, and a disk that takes milliseconds to confirm each
// transaction makes them wait for minutes in all; so they write into memory where the machine has plenty of it. A test that
// is about the disk asks for `DISK_VARIABLE`. This is also vitest's global set-up: it removes the folder after a run.
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** What the databases and browser profiles of two test files at a time leave room beside. */
const ROOM_BYTES = 4 * 1024 ** 3;
const PREFIX = 'zvonok-tests-';
/** Names a folder for temporary files that is on a disk, or is not set. */
export const DISK_VARIABLE = 'ZVONOK_TMP_ON_DISK';

/** Points `tmpdir()` of this process and those that it starts into memory, if there is room. */
export function writeIntoMemory() {
  if (!existsSync(MEMORY)) return;
  removeAbandoned();
  const { bavail, bsize } = statfsSync(MEMORY);
  if (bavail * bsize < ROOM_BYTES) return;
  process.env[DISK_VARIABLE] ??= tmpdir();
  process.env.TMPDIR = join(MEMORY, `${PREFIX}${process.pid}`);
  // Others may walk through: started by root, PostgreSQL runs as an account of its own.
  mkdirSync(process.env.TMPDIR, { recursive: true, mode: 0o711 });
  // The servers that tests start, kill and start again needn't compile the same modules each time.
  process.env.NODE_COMPILE_CACHE = join(process.env.TMPDIR, 'compiled');
}

/** A run that was killed removed nothing. */
function removeAbandoned() {
  for (const name of readdirSync(MEMORY)) {
    if (!name.startsWith(PREFIX) || existsSync(`/proc/${name.slice(PREFIX.length)}`)) continue;
    rmSync(join(MEMORY, name), { recursive: true, force: true });
  }
}

export function teardown() {
  const folder = process.env.TMPDIR;
  if (folder?.startsWith(join(MEMORY, PREFIX))) rmSync(folder, { recursive: true, force: true });
}
