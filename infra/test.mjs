// `npm test`: gets what the tests need, then checks and tests everything. Names what it could not run; the last line
// is always `tests: N passed, N failed, N skipped`. Exits 0 only if nothing failed, and, where CI is set, only if
// nothing was left out for want of a program. `npm test -- <words>` runs only test files with these words in their path.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecks } from './checks.mjs';
import { acquireWorker } from './media-worker/acquire.mjs';
import { CommandFailed, run, stopWithChildren, withProgress } from './process.mjs';
import { installCommand, installPackages, installPermission, missingPackages } from './system-packages.mjs';
import { filesWithout, MISSING_VARIABLE } from './test-needs.mjs';
import { prepareToolchain, ROOT } from './toolchain.mjs';
import { buildWeb, installDependencies } from './workspace.mjs';

/** All tests take under 15 minutes on 2 cores; a run that takes this long hangs. */
const TESTS_DEADLINE_S = 25 * 60;
/** Programs of the tests, which are also the names of Debian's packages. */
const PROGRAMS = { chromium: '/usr/bin/chromium', 'redis-server': '/usr/bin/redis-server' };

stopWithChildren();
const counts = { passed: 0, failed: 0, skipped: 0 };
const count = (key, what) => {
  counts[key] += 1;
  if (what) console.log(what);
};
try {
  await testAll();
} catch (error) {
  count('failed', error instanceof CommandFailed ? `✗ ${error.message}\n${error.output}` : error.stack);
}
console.log(`tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;

async function testAll() {
  const toolchain = await prepareToolchain();
  await installDependencies(toolchain);
  const missing = await missingPrograms();
  const worker = await acquireWorker({ report: eachStepOnce() });
  if (worker.state === 'unavailable') {
    missing.push('media-worker');
    console.log(`No media worker: ${worker.reason}${commandHint(worker.command)}`);
  }

  const [checked] = await Promise.all([runChecks(toolchain), countBuild(toolchain)]);
  counts.passed += checked.passed;
  counts.failed += checked.failed;

  for (const { file, lacks } of await filesWithout(missing)) {
    count(process.env.CI ? 'failed' : 'skipped', `- ${file} can't run without ${lacks.join(' and ')}`);
  }
  await vitest(toolchain, {
    [MISSING_VARIABLE]: missing.join(','),
    ...(worker.state === 'ready' && { MEDIASOUP_WORKER_BIN: worker.path }),
  });
}

async function countBuild(toolchain) {
  try {
    await buildWeb(toolchain);
    count('passed', '✓ web messenger builds');
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    // Its output was shown; the tests that need no messenger still run.
    count('failed', '✗ web messenger builds');
  }
}

/** Installs chromium and Redis where that is allowed; the names of those that are still missing. */
async function missingPrograms() {
  const absent = () => Object.keys(PROGRAMS).filter((name) => !existsSync(PROGRAMS[name]));
  if (absent().length === 0) return [];
  const packages = (await missingPackages(absent())) ?? [];
  const permission = installPermission(process.getuid?.(), process.env.CALLS_SETUP);
  if (packages.length > 0 && permission !== 'no') {
    try {
      await withProgress(`Installing ${packages.join(' and ')}`, () => installPackages(packages, permission));
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      console.log(error.output);
    }
  }
  const still = absent();
  if (still.length > 0)
    console.log(`Not on this machine: ${still.join(', ')}${commandHint(installCommand(still))}`);
  return still;
}

/** Tells of each step of getting the worker when it begins. */
function eachStepOnce() {
  let told;
  return ({ detail, etaMs }) => {
    if (detail !== told) console.log(`${detail}, about ${Math.ceil(etaMs / 60_000)} min`);
    told = detail;
  };
}

function commandHint(command) {
  return command ? `. Run this, then test again:\n  ${command}` : '';
}

async function vitest({ env }, extraEnv) {
  const folder = await mkdtemp(join(tmpdir(), 'zvonok-test-'));
  const report = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const args = ['--kill-after=10', String(TESTS_DEADLINE_S), 'pnpm', 'exec', 'vitest', 'run', ...reporters];
    const { code } = await run('timeout', [...args, ...process.argv.slice(2)], {
      cwd: ROOT,
      env: { ...env, ...extraEnv },
      show: true,
      accept: [0, 1, 124, 137],
    });
    if (code > 1) count('failed', `✗ the tests did not end within ${TESTS_DEADLINE_S / 60} minutes`);
    if (!existsSync(report)) return count('failed', '✗ vitest wrote no report');
    const result = JSON.parse(await readFile(report, 'utf8'));
    counts.passed += result.numPassedTests;
    counts.failed += result.numFailedTests;
    counts.skipped += result.numPendingTests + result.numTodoTests;
    // A file that does not even load, or whose hooks fail, has no failed test of its own.
    const broken = result.testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    );
    counts.failed += broken.length;
    // Nor has an unhandled rejection between tests.
    if (code === 1 && result.numFailedTests + broken.length === 0)
      count('failed', '✗ vitest itself reported errors');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
