// Keeps the server running for `npm start`.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeOfSignal, onStopSignal } from './process.mjs';

/** A server that was asked to stop has 30 s for it (promise P10); one that takes this long never will. */
const STOP_DEADLINE_MS = 40_000;
/** A server killed sooner than this after its start may be one that dies of starting: it is given ever more time. */
const SHORT_LIFE_MS = 1_500;
const RESTART_DELAY_MS = { first: 500, most: 5_000 };

/**
 * Runs a server until it stops, and returns the exit code to end with.
 *
 * A signal to us reaches it exactly once, however often and by how many ways it reaches us. A server that ends by
 * itself, well or not, is not started again: it has said why. One that is killed from outside (`kill -9`, the
 * kernel short of memory) is, for ever: nobody sits beside a school's server at night.
 */
export async function supervise(command, args, { cwd, env } = {}) {
  let shortLives = 0;
  for (;;) {
    const startedAt = Date.now();
    const { code, signal, stopping } = await oneLife(command, args, { cwd, env });
    if (code !== null) return code;
    if (stopping) return exitCodeOfSignal(signal);
    shortLives = Date.now() - startedAt < SHORT_LIFE_MS ? shortLives + 1 : 0;
    console.error(`The server was ended by ${signal}; starting it again`);
    if (shortLives > 1) {
      await sleep(Math.min(RESTART_DELAY_MS.first * 2 ** (shortLives - 2), RESTART_DELAY_MS.most));
    }
  }
}

function oneLife(command, args, options) {
  return new Promise((resolve, reject) => {
    // A process group of its own: Ctrl-C reaches us from the terminal and again from npm, and must reach the server
    // from us alone.
    const server = spawn(command, args, {
      ...options,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    let deadline;
    const ignoreSignals = onStopSignal((signal) => {
      if (deadline) return;
      // A closed terminal is a wish to stop like any other.
      server.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
      deadline = setTimeout(() => server.kill('SIGKILL'), STOP_DEADLINE_MS);
    });
    server.on('error', reject);
    server.on('exit', (code, signal) => {
      ignoreSignals();
      clearTimeout(deadline);
      resolve({ code, signal, stopping: deadline !== undefined });
    });
  });
}
