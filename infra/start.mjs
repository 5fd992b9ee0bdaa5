// `npm start`: everything from a fresh clone to a running messenger. Warm, it only starts the server.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed, exitCodeOfSignal, onStopSignal, stopWithChildren } from './process.mjs';
import { prepareToolchain, ROOT } from './toolchain.mjs';
import { buildWeb, installDependencies } from './workspace.mjs';

/** A server that was asked to stop has 30 s for it (promise P10); one that takes this long never will. */
const STOP_DEADLINE_MS = 40_000;
/** A server killed sooner than this after its start is not restarted at once, and not for ever. */
const SHORT_LIFE_MS = 5_000;
const SHORT_LIVES_ALLOWED = 5;
const RESTART_DELAY_MS = 1_000;

const withoutChildren = stopWithChildren();
try {
  const toolchain = await prepareToolchain();
  await installDependencies(toolchain);
  await buildWeb(toolchain);
  withoutChildren();
  process.exitCode = await serve(toolchain);
} catch (error) {
  console.error(error instanceof CommandFailed ? error.message : error);
  process.exitCode = 1;
}

/** Runs the server until it stops by itself or is told to; returns the exit code to end with. */
async function serve({ node, env }) {
  let shortLives = 0;
  for (;;) {
    const startedAt = Date.now();
    const { code, signal, stopping } = await serverLife(node, env);
    if (code !== null) return code;
    // Killed by a signal that did not come through us, as by the kernel short of memory: up again.
    if (stopping) return exitCodeOfSignal(signal);
    shortLives = Date.now() - startedAt < SHORT_LIFE_MS ? shortLives + 1 : 0;
    if (shortLives > SHORT_LIVES_ALLOWED) return exitCodeOfSignal(signal);
    console.error(`The server was ended by ${signal}; starting it again`);
    if (shortLives > 0) await sleep(RESTART_DELAY_MS);
  }
}

function serverLife(node, env) {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that Ctrl-C reaches it once, from us, and not a second time from the terminal
    // (nor a third time from npm).
    const server = spawn(node, [join(ROOT, 'server', 'src', 'main.ts')], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    let killTimer;
    const ignoreSignals = onStopSignal((signal) => {
      if (killTimer) return;
      // A closed terminal is a wish to stop like any other.
      server.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
      killTimer = setTimeout(() => server.kill('SIGKILL'), STOP_DEADLINE_MS);
    });
    server.on('error', reject);
    server.on('exit', (code, signal) => {
      ignoreSignals();
      clearTimeout(killTimer);
      resolve({ code, signal, stopping: killTimer !== undefined });
    });
  });
}
