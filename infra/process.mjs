// Running other programs from the launcher: progress in words, signals passed on, nothing left behind.
import { spawn } from 'node:child_process';

/** After this long without an answer people wonder whether anything happens. */
const QUIET_MS = 2_000;
const PROGRESS_EVERY_MS = 10_000;

/** A program ended otherwise than with 0. `output` is what it said, where it was not shown already. */
export class CommandFailed extends Error {
  constructor(command, code, output) {
    super(`${command} ended with ${code}`);
    this.code = code;
    this.output = output;
  }
}

/** Programs of `run` that are still at work; a signal to the launcher ends them. */
const running = new Set();

/**
 * Runs a program to its end and returns what it printed.
 *
 * - `show: true` lets it write to the terminal; otherwise its output is returned, and put into the
 *   CommandFailed where it fails.
 * - `onLine` gets each line of output as it comes.
 * - `accept` lists the exit codes that are fine (0 alone by default).
 * - `group: true` for a program that starts others: a signal to the launcher then ends them all.
 */
export function run(
  command,
  args,
  { cwd, env, show = false, onLine, accept = [0], input = 'ignore', group = false } = {},
) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: show ? [input, 'inherit', 'inherit'] : [input, 'pipe', 'pipe'],
      detached: group,
    });
    child.stop = () => (group ? process.kill(-child.pid, 'SIGTERM') : child.kill('SIGTERM'));
    running.add(child);
    let output = '';
    let rest = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
        if (!onLine) return;
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        for (const line of lines) onLine(line);
      });
    }
    child.on('error', (error) => {
      running.delete(child);
      // As a shell says it.
      const absent = error.code === 'ENOENT';
      reject(absent ? new CommandFailed(command, 127, `${command} is not installed`) : error);
    });
    child.on('exit', () => running.delete(child));
    child.on('close', (code, signal) => {
      if (accept.includes(code)) resolve({ code, output });
      else reject(new CommandFailed([command, ...args].join(' '), code ?? signal, output));
    });
  });
}

/** Says what takes long: nothing within 2 s, then a line at once and another every 10 s. */
export async function withProgress(what, work) {
  const startedAt = Date.now();
  let timer = setTimeout(function tell() {
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    console.log(seconds < 5 ? `${what}…` : `${what}… ${seconds} s`);
    timer = setTimeout(tell, PROGRESS_EVERY_MS);
  }, QUIET_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** The exit code by which a shell reports a program that a signal ended. */
export function exitCodeOfSignal(signal) {
  return 128 + (SIGNAL_NUMBERS[signal] ?? (signal === 'SIGKILL' ? 9 : 0));
}

/** Until its result is called, SIGINT, SIGTERM and SIGHUP call `handle`; then all is as before. */
export function onStopSignal(handle) {
  const names = Object.keys(SIGNAL_NUMBERS);
  for (const name of names) process.on(name, handle);
  return () => {
    for (const name of names) process.off(name, handle);
  };
}

/** A program that was told to stop has this long to do it. */
const CHILD_STOP_MS = 10_000;

/** While the launcher prepares, a signal ends what it runs and then itself. Returns the way back. */
export function stopWithChildren() {
  let stopping = false;
  return onStopSignal((signal) => {
    if (stopping) return;
    stopping = true;
    const exit = () => process.exit(exitCodeOfSignal(signal));
    if (running.size === 0) exit();
    for (const child of running) {
      child.stop();
      child.once('exit', () => setImmediate(() => running.size === 0 && exit()));
    }
    setTimeout(exit, CHILD_STOP_MS);
  });
}
