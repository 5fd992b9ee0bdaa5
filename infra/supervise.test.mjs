import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';

let folder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zvonok-supervise-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Starts a supervisor over a server of this source; `said()` is what the server printed. */
function supervised(source) {
  const server = join(folder, 'server.mjs');
  writeFileSync(server, source);
  const script = `
    import { supervise } from ${JSON.stringify(new URL('./supervise.mjs', import.meta.url).href)};
    process.exitCode = await supervise(process.execPath, [${JSON.stringify(server)}]);`;
  // A group of its own, so that the test can signal it as a terminal does: all of it at once.
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  return { child, said: () => output.trim().split('\n').filter(Boolean) };
}

it('passes one signal on, however many come, and ends with the server’s code', async () => {
  const { child, said } = supervised(`
    setInterval(() => {}, 1000);
    process.on('SIGINT', () => { console.log('SIGINT'); setTimeout(() => process.exit(7), 500); });
    process.on('SIGTERM', () => console.log('SIGTERM'));
    console.log('up');`);
  await expect.poll(said).toEqual(['up']);
  process.kill(-child.pid, 'SIGINT');
  await sleep(100);
  child.kill('SIGINT');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([7, null]);
  expect(said()).toEqual(['up', 'SIGINT']);
});

it('ends with a server that ends by itself', async () => {
  const { child, said } = supervised(`console.log('refused'); process.exitCode = 3;`);
  expect(await once(child, 'exit')).toEqual([3, null]);
  expect(said()).toEqual(['refused']);
});

it('starts a server again that was killed', async () => {
  const lives = join(folder, 'lives');
  const { child } = supervised(`
    import { appendFileSync, readFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(lives)}, process.pid + '\\n');
    if (readFileSync(${JSON.stringify(lives)}, 'utf8').split('\\n').length > 2) process.exit(0);
    setInterval(() => {}, 1000);`);
  await expect.poll(() => existsSync(lives)).toBe(true);
  process.kill(Number(readFileSync(lives, 'utf8')), 'SIGKILL');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(readFileSync(lives, 'utf8').trim().split('\n')).toHaveLength(2);
});

it('starts a server again however often it is killed, with growing pauses if it dies of starting', async () => {
  const lives = join(folder, 'lives');
  const startedAt = Date.now();
  const { child } = supervised(`
    import { appendFileSync, readFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(lives)}, process.pid + '\\n');
    if (readFileSync(${JSON.stringify(lives)}, 'utf8').split('\\n').length > 4) process.exit(0);
    process.kill(process.pid, 'SIGKILL');`);
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(readFileSync(lives, 'utf8').trim().split('\n')).toHaveLength(4);
  // Nothing after the first, then 0.5 s and 1 s.
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_500);
}, 15_000);
