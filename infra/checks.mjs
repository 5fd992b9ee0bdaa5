// The checks that are not tests: types, formatting and lint, import rules, generated documents. Each counts as one
// test in the last line of `npm test`.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, run } from './process.mjs';
import { ROOT } from './toolchain.mjs';

// What takes longest comes first, so that nothing long is left alone at the end.
const PACKAGES = ['tests', 'server', 'web', 'client-sdk', 'infra', 'shared'];

const typed = PACKAGES.filter((name) => existsSync(join(ROOT, name, 'tsconfig.json')));

/** Name and command line of each check; `node` is the toolchain's. */
function checks(node) {
  return [
    // The compiler's threads each work out anew what the others know already; one of them is as fast as four and takes
    // half the time of the processor, and the packages are checked beside one another.
    ...typed.map((name) => [`types: ${name}`, 'pnpm', ['exec', 'tsc', '-p', name, '--checkers', '1']]),
    ['formatting and lint', 'pnpm', ['exec', 'biome', 'check']],
    ['import rules', 'pnpm', ['exec', 'depcruise', '--config', '.dependency-cruiser.mjs', ...typed]],
    ['generated documents', node, [join(ROOT, 'infra', 'generate.ts'), '--check']],
  ];
}

/** Runs all checks, as many at a time as there are cores, shows what fails, and returns how many passed and failed. */
export async function runChecks({ node, env }) {
  const counts = { passed: 0, failed: 0 };
  const waiting = checks(node);
  async function work() {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const passed = await runCheck(next, env);
      counts[passed ? 'passed' : 'failed'] += 1;
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return counts;
}

/** Says how it went; whether it passed. */
async function runCheck([name, command, args], env) {
  const startedAt = Date.now();
  let fault;
  try {
    await run(command, args, { cwd: ROOT, env });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    fault = error.output.trimEnd();
  }
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`${fault === undefined ? '✓' : '✗'} ${name} (${seconds} s)`);
  if (fault) console.log(fault);
  return fault === undefined;
}
