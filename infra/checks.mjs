// The checks that are not tests: types, formatting and lint, import rules, generated documents. Each counts as one
// test in the last line of `npm test`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailed, run } from './process.mjs';
import { ROOT } from './toolchain.mjs';

const PACKAGES = ['shared', 'server', 'client-sdk', 'web', 'tests', 'infra'];

const typed = PACKAGES.filter((name) => existsSync(join(ROOT, name, 'tsconfig.json')));

/** Name and command line of each check; `node` is the toolchain's. */
function checks(node) {
  return [
    ...typed.map((name) => [`types: ${name}`, 'pnpm', ['exec', 'tsc', '-p', name]]),
    ['formatting and lint', 'pnpm', ['exec', 'biome', 'check']],
    ['import rules', 'pnpm', ['exec', 'depcruise', '--config', '.dependency-cruiser.mjs', ...typed]],
    ['generated documents', node, [join(ROOT, 'infra', 'generate.ts'), '--check']],
  ];
}

/** Runs all checks in turn, shows what fails, and returns how many passed and failed. */
export async function runChecks({ node, env }) {
  const counts = { passed: 0, failed: 0 };
  for (const [name, command, args] of checks(node)) {
    const startedAt = Date.now();
    let fault;
    try {
      await run(command, args, { cwd: ROOT, env });
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      fault = error.output;
    }
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    console.log(`${fault === undefined ? '✓' : '✗'} ${name} (${seconds} s)`);
    if (fault === undefined) counts.passed += 1;
    else {
      counts.failed += 1;
      console.log(fault.trimEnd());
    }
  }
  return counts;
}
