// `npm run bench|operator|school|check|generate|format`: the other commands of the workspace, under the same toolchain as `npm start`.
//   node infra/run.mjs <name> [arguments]
import { join } from 'node:path';
import { CommandFailed, run, stopWithChildren } from './process.mjs';
import { prepareToolchain, ROOT } from './toolchain.mjs';
import { installDependencies } from './workspace.mjs';

const script = (path) => (toolchain, args) => [toolchain.node, join(ROOT, path), ...args];

/** Command line of each. */
const COMMANDS = {
  bench: script('infra/bench/main.ts'),
  operator: script('server/src/operator-command.ts'),
  school: script('server/src/school-command.ts'),
  check: script('infra/check.mjs'),
  generate: script('infra/generate.ts'),
  format: (_, args) => ['pnpm', 'exec', 'biome', 'check', '--write', ...args],
};

stopWithChildren();
const [name, ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) {
  console.error(`usage: node infra/run.mjs ${Object.keys(COMMANDS).join('|')} [arguments]`);
  process.exit(2);
}
try {
  const toolchain = await prepareToolchain();
  await installDependencies(toolchain);
  const [program, ...programArgs] = command(toolchain, args);
  await run(program, programArgs, { cwd: ROOT, env: toolchain.env, show: true, input: 'inherit' });
} catch (error) {
  if (!(error instanceof CommandFailed)) throw error;
  process.exitCode = typeof error.code === 'number' ? error.code : 1;
}
