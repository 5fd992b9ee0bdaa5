import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../platform/logger.ts';
import { acquireWorkerBinary, type WorkerBinaryState } from './worker-binary.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zvonok-acquire-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What is made of a script that says this. */
async function statesOf(script: string): Promise<WorkerBinaryState[]> {
  const path = join(folder, 'acquire.mjs');
  await writeFile(path, script);
  const states: WorkerBinaryState[] = [];
  await new Promise<void>((resolve) => {
    acquireWorkerBinary(
      createLogger({ logLevel: 'silent' }),
      (state) => {
        states.push(state);
        if (state.state !== 'preparing') resolve();
      },
      path,
    );
  });
  return states;
}

test('a worker that is prepared step by step', async () => {
  const states = await statesOf(`
    console.log(JSON.stringify({ state: 'preparing', step: 'build', etaMs: 190000 }));
    console.log('not JSON at all');
    console.log(JSON.stringify({ state: 'ready', path: '/somewhere/worker' }));
    console.log(JSON.stringify({ state: 'unavailable', reason: 'too late' }));`);
  expect(states.slice(1)).toEqual([
    { state: 'preparing', step: 'build', etaMs: 190_000 },
    { state: 'ready', path: '/somewhere/worker' },
  ]);
});

test('a worker that can’t be had, and the command that mends it', async () => {
  const states = await statesOf(`
    console.log(JSON.stringify({ state: 'unavailable', reason: 'No compiler.', command: 'sudo apt-get install g++' }));
    process.exitCode = 1;`);
  expect(states.at(-1)).toEqual({
    state: 'unavailable',
    reason: 'No compiler.',
    command: 'sudo apt-get install g++',
  });
});

test('a script that dies without a word', async () => {
  expect((await statesOf('process.kill(process.pid, "SIGKILL");')).at(-1)).toMatchObject({
    state: 'unavailable',
  });
});
