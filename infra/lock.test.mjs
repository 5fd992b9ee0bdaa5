import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withLock } from './lock.mjs';

let folder;
let file;
let others;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zvonok-lock-'));
  file = join(folder, 'not-yet-there', 'lock');
  others = [];
});
afterEach(async () => {
  for (const child of others) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** A process that wants the lock, and keeps it until it is killed. Resolves when it says `word`: wait or held. */
async function other(word) {
  const script = `
    const { withLock } = await import(${JSON.stringify(new URL('./lock.mjs', import.meta.url).href)});
    const onWait = () => console.log('wait');
    await withLock(${JSON.stringify(file)}, () => new Promise(() => console.log('held')), { onWait });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  others.push(child);
  const [said] = await once(child.stdout, 'data');
  expect(said.toString()).toBe(`${word}\n`);
  return child;
}

it('lets one at a time do its work, and returns what it returns', async () => {
  const events = [];
  const work = (name) => async () => {
    events.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    events.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all(['a', 'b', 'c'].map((name) => withLock(file, work(name))));
  expect(results).toEqual(['a', 'b', 'c']);
  for (let i = 0; i < events.length; i += 2) {
    expect(events[i + 1]).toBe(events[i].replace('begins', 'ends'));
  }
});

it('gives the lock up when the work fails', async () => {
  await expect(withLock(file, () => Promise.reject(new Error('work failed')))).rejects.toThrow('work failed');
  expect(await withLock(file, async () => 'again')).toBe('again');
});

it('takes over from a process that was killed while it held the lock', async () => {
  const holder = await other('held');
  let waited = false;
  const ours = withLock(file, async () => 'ours', { onWait: () => (waited = true) });
  await expect.poll(() => waited).toBe(true);
  holder.kill('SIGKILL');
  expect(await ours).toBe('ours');
});

it('does not wait on behalf of a process that is gone', async () => {
  await withLock(file, async () => {
    const waiter = await other('wait');
    const waiting = () =>
      spawnSync('pgrep', ['-f', `sh ${file}`])
        .stdout.toString()
        .trim();
    expect(waiting()).not.toBe('');
    waiter.kill('SIGKILL');
    await expect.poll(waiting, { timeout: 10_000 }).toBe('');
  });
});

it('says so when the lock cannot be made', async () => {
  // A folder is no lock file.
  await expect(withLock(folder, async () => 'never')).rejects.toThrow(`cannot lock ${folder}`);
});
