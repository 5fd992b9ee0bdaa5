import { Worker } from 'node:worker_threads';
import { rosterLimits } from '@zvonok/shared';
import type {
  RosterComparison,
  RosterFailure,
  RosterOutcome,
  RosterPreview,
  RosterTask,
} from './school.roster.worker.ts';

/**
 * Reads and compares a table on a thread of its own, with a memory and a time of its own: thousands of lines, or a file
 * made to be slow, hold up nobody. Rejects where it took too long, too much memory, or was told to stop.
 */
export function compareRoster(
  task: Extract<RosterTask, { bytes: Uint8Array }>,
  stopping: AbortSignal,
): Promise<RosterPreview | RosterFailure>;
export function compareRoster(
  task: Extract<RosterTask, { parsed: string }>,
  stopping: AbortSignal,
): Promise<RosterComparison | RosterFailure>;
export function compareRoster(task: RosterTask, stopping: AbortSignal): Promise<RosterOutcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./school.roster.worker.ts', import.meta.url), {
      workerData: task,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: rosterLimits.readHeapMb },
    });
    const end = (error: Error) => {
      reject(error);
      void worker.terminate();
    };
    const timer = setTimeout(() => end(new Error('a table took too long')), rosterLimits.readMs);
    const stop = () => end(new Error('the server stops'));
    stopping.addEventListener('abort', stop, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => {
      clearTimeout(timer);
      stopping.removeEventListener('abort', stop);
      reject(new Error('a table was not read to its end'));
    });
  });
}
