// One at a time, across processes: the kernel's lock by way of flock(1), which every Debian has. The lock goes
// with the process that holds it, so a crash leaves nothing to clean up.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Does `work` while holding the lock named by `file` and returns its result. `onWait` is called once if
 * somebody else holds it. Where there is no flock(1), as on macOS, the work is done without a lock: all that
 * is written under one is put in place by a rename, so two at once cost time and break nothing.
 */
export async function withLock(file, work, { onWait } = {}) {
  await mkdir(dirname(file), { recursive: true });
  const release = await take(file, onWait);
  try {
    return await work();
  } finally {
    release();
  }
}

const HOLDER = `
command -v flock >/dev/null || { echo held; exec cat >/dev/null; }
exec 9>>"$1" || exit 1
flock -n 9 || {
  echo wait
  # A wait that nobody waits for ends too.
  until flock -w 1 9; do kill -0 "$PPID" || exit 1; done
}
echo held
exec cat >/dev/null`;

/** Resolves, once the lock is ours, to the function that gives it up. */
function take(file, onWait) {
  return new Promise((resolve, reject) => {
    // The holder ends with our end of its stdin, however we end. It has a process group of its own: Ctrl-C must
    // not take the lock away from a launcher that is still tidying up.
    const holder = spawn('sh', ['-c', HOLDER, 'sh', file], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    holder.on('error', reject);
    holder.on('exit', () => reject(new Error(`cannot lock ${file}`)));
    holder.stdin.on('error', () => {});
    createInterface({ input: holder.stdout }).on('line', (line) => {
      if (line === 'wait') onWait?.();
      if (line === 'held') resolve(() => holder.stdin.end());
    });
  });
}
