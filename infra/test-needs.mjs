// Some tests need a program that a machine may lack: a browser, Redis, the media worker. Such a file says so in
// its first lines,
//   // needs: chromium, media-worker
// and where `npm test` could not get one of these it leaves the file out by name and counts it. A file that measures
// time, or keeps both cores busy, says
//   // alone: why
// and nothing runs beside it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './toolchain.mjs';
import { filesUnder } from './workspace.mjs';

/** The programs a test file may need. */
export const NEEDS = ['chromium', 'redis-server', 'media-worker'];
/** Holds those of NEEDS that are missing, comma-separated; `npm test` sets it. */
export const MISSING_VARIABLE = 'ZVONOK_MISSING';

/** What the text of a test file says that it needs. Throws on an unknown need: it would never be missed. */
export function needsOf(text) {
  const [, list = ''] = /^\/\/ needs: (.*)$/m.exec(text.slice(0, 2_000)) ?? [];
  const needs = list.split(/[\s,]+/).filter(Boolean);
  const unknown = needs.find((need) => !NEEDS.includes(need));
  if (unknown) throw new Error(`needs: ${unknown} is none of ${NEEDS.join(', ')}`);
  return needs;
}

/** Whether the text of a test file asks that nothing else runs beside it: because it measures time, or keeps both cores busy. */
export function isAlone(text) {
  return /^\/\/ alone: \S/m.test(text.slice(0, 2_000));
}

const testFiles = async () => (await filesUnder('.')).filter((file) => /\.test\.(tsx?|mjs)$/.test(file));

/** The test files that nothing else may run beside, relative to the checkout. */
export async function filesAlone() {
  const alone = [];
  for (const file of await testFiles()) {
    if (isAlone(await readFile(join(ROOT, file), 'utf8'))) alone.push(file);
  }
  return alone;
}

/** The test files that can't run for want of `missing`, as `{file, lacks}`, relative to the checkout. */
export async function filesWithout(missing) {
  if (missing.length === 0) return [];
  const left = [];
  for (const file of await testFiles()) {
    const needs = needsOf(await readFile(join(ROOT, file), 'utf8'));
    const lacks = needs.filter((need) => missing.includes(need));
    if (lacks.length > 0) left.push({ file, lacks });
  }
  return left;
}

/** For vitest's `exclude`. */
export async function filesToLeaveOut() {
  const missing = (process.env[MISSING_VARIABLE] ?? '').split(',').filter(Boolean);
  return (await filesWithout(missing)).map(({ file }) => file);
}
