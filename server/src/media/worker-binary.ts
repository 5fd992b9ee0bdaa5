import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';

/** What the acquiring script last said; see the top of infra/media-worker/acquire.mjs. */
export type WorkerBinaryState =
  | { readonly state: 'preparing'; readonly etaMs: number; readonly step: string }
  | { readonly state: 'ready'; readonly path: string }
  | { readonly state: 'unavailable'; readonly reason: string; readonly command: string | undefined };

/** Silence for this long means that the script hangs; it speaks every 5 s. */
const silenceMs = 60_000;
/** A first guess, before the script has said anything. */
const firstGuessMs = 5_000;

/**
 * Finds or builds the SFU's binary in a process of its own, in the background. `onState` is called for each change,
 * last with `ready` or `unavailable`. Returns the way to stop.
 */
export function acquireWorkerBinary(
  logger: Logger,
  onState: (state: WorkerBinaryState) => void,
  script: string = join(repositoryRoot, 'infra/media-worker/acquire.mjs'),
): () => void {
  let over = false;
  let reason = 'The media worker could not be prepared.';
  const finish = (state: WorkerBinaryState) => {
    if (over) return;
    over = true;
    clearTimeout(silence);
    onState(state);
  };
  onState({ state: 'preparing', etaMs: firstGuessMs, step: 'starting' });
  const child: ChildProcess = spawn(process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: repositoryRoot,
  });
  let silence = setTimeout(hung, silenceMs);
  function hung() {
    reason = 'Preparing the media worker came to a stop.';
    child.kill('SIGTERM');
  }
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      clearTimeout(silence);
      if (over) return;
      silence = setTimeout(hung, silenceMs);
      const said = parseState(line);
      if (said === undefined) return;
      if (said.state !== 'preparing') return finish(said);
      logger.info({ step: said.step, etaMs: said.etaMs }, 'media worker is being prepared');
      onState(said);
    });
  }
  child.on('error', (error) => {
    logger.error({ err: error }, 'media worker could not be prepared');
    finish({ state: 'unavailable', reason, command: undefined });
  });
  // After `close` every line has been read.
  child.on('close', () => finish({ state: 'unavailable', reason, command: undefined }));
  return () => {
    over = true;
    clearTimeout(silence);
    child.kill('SIGTERM');
  };
}

function parseState(line: string): WorkerBinaryState | undefined {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof said !== 'object' || said === null || !('state' in said)) return undefined;
  const field = (name: string): unknown => Reflect.get(said, name);
  const path = field('path');
  if (said.state === 'ready' && typeof path === 'string') return { state: 'ready', path };
  if (said.state === 'preparing') {
    const etaMs = field('etaMs');
    return {
      state: 'preparing',
      etaMs: typeof etaMs === 'number' ? etaMs : 60_000,
      step: String(field('step')),
    };
  }
  if (said.state === 'unavailable') {
    const command = field('command');
    return {
      state: 'unavailable',
      reason: String(field('reason')),
      command: typeof command === 'string' ? command : undefined,
    };
  }
  return undefined;
}
