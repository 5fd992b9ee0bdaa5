// Some tests need a program that a machine may lack: a browser, Redis, the media worker. Such a file says so in
// its first lines,
//   // needs: chromium, media-worker
// and where `npm test` could not get one of these it leaves the file out by name and counts it. A file that measures
// time, or keeps both cores busy, says
//   // alone: why
// and nothing runs beside it. One that takes long although it is short to read says
//   // long: why
// and begins first, so that it is not waited for at the end.
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

/** Whether the text of a test file asks to begin before the others. */
export function isLong(text) {
  return /^\/\/ long: \S/m.test(text.slice(0, 2_000));
}

const testFiles = async () => (await filesUnder('.')).filter((file) => /\.test\.(tsx?|mjs)$/.test(file));

/** The test files that nothing else may run beside, relative to the checkout. */
export const filesAlone = () => filesThat(isAlone);

/** The test files that begin before the others, relative to the checkout. */
export const filesLong = () => filesThat(isLong);

async function filesThat(ask) {
  const found = [];
  for (const file of await testFiles()) {
    if (ask(await readFile(join(ROOT, file), 'utf8'))) found.push(file);
  }
  return found;
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
