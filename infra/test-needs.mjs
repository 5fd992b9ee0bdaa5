// Some tests need a program that a machine may lack: a browser, Redis, the media worker. Such a file says so in
// its first lines,
//   // needs: chromium, media-worker
// and where `npm test` could not get one of these it leaves the file out by name and counts it.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './toolchain.mjs';

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

/** The test files that can't run for want of `missing`, as `{file, lacks}`, relative to the checkout. */
export function filesWithout(missing) {
  const files = globSync('{shared,server,client-sdk,web,tests}/**/*.test.{ts,tsx}', {
    cwd: ROOT,
    exclude: (name) => name.endsWith('node_modules'),
  });
  return files.sort().flatMap((file) => {
    const lacks = needsOf(readFileSync(join(ROOT, file), 'utf8')).filter((need) => missing.includes(need));
    return lacks.length > 0 ? [{ file, lacks }] : [];
  });
}

/** For vitest's `exclude`. */
export function filesToLeaveOut() {
  const missing = (process.env[MISSING_VARIABLE] ?? '').split(',').filter(Boolean);
  return missing.length > 0 ? filesWithout(missing).map(({ file }) => file) : [];
}
