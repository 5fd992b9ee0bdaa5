// Debian packages that Zvonok needs, installed where that is allowed, named in one command where it is not.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed, run } from './process.mjs';

/** How long another apt (unattended upgrades, mostly) may keep its locks, as on a machine's first boot. */
const APT_LOCK_WAIT_MS = 10 * 60_000;
const APT_LOCK_RETRY_MS = 3_000;

/** Those of `names` that are not installed; `undefined` on a system without dpkg. */
export async function missingPackages(names) {
  try {
    // dpkg-query answers 1 when it does not know one of them, and still lists the others.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders.
    const { output } = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names], {
      accept: [0, 1],
    });
    const installed = new Set(output.split('\n').map((line) => line.replace(/ installed$/, '')));
    return names.filter((name) => !installed.has(name));
  } catch (error) {
    if (error.code === 127) return undefined;
    throw error;
  }
}

/** The one command that installs `names`, for a person to run. */
export function installCommand(names) {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}`;
}

/**
 * How packages may be installed: `root` as we are, `sudo` with CALLS_SETUP=auto (and only where it asks for no
 * password), `no` otherwise: nobody's system is changed unasked.
 */
export function installPermission(uid, setup) {
  if (uid === 0) return 'root';
  return setup === 'auto' ? 'sudo' : 'no';
}

/** Installs `names`, waiting for other users of apt. `onWait` is called while it waits. Throws CommandFailed. */
export async function installPackages(names, permission, { onWait } = {}) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const apt = (args) => {
    const command = ['apt-get', '-q', ...args];
    if (permission === 'sudo') command.unshift('sudo', '-n', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C');
    return whileLocked(() => run(command[0], command.slice(1), { env }), onWait);
  };
  // A mirror of no interest to us may be down: whether the lists are good enough, the installation will tell.
  await apt(['update']).catch((error) => {
    if (!(error instanceof CommandFailed)) throw error;
  });
  await apt(['install', '-y', '--no-install-recommends', ...names]);
}

/** Tries again while apt or dpkg says that another process holds one of their locks. */
async function whileLocked(attempt, onWait) {
  const deadline = Date.now() + APT_LOCK_WAIT_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const locked = /Could not get lock|Unable to (acquire|lock)/.test(error.output ?? '');
      if (!locked || Date.now() > deadline) throw error;
      onWait?.();
      await sleep(APT_LOCK_RETRY_MS);
    }
  }
}
