// `npm start`: everything from a fresh clone to a running messenger. Warm, it only starts the server.
import { join } from 'node:path';
import { CommandFailed, stopWithChildren } from './process.mjs';
import { supervise } from './supervise.mjs';
import { prepareToolchain, ROOT } from './toolchain.mjs';
import { buildWeb, installDependencies } from './workspace.mjs';

const preparationOver = stopWithChildren();
try {
  const toolchain = await prepareToolchain();
  await installDependencies(toolchain);
  await buildWeb(toolchain);
  preparationOver();
  const server = join(ROOT, 'server', 'src', 'main.ts');
  process.exitCode = await supervise(toolchain.node, [server], { cwd: ROOT, env: toolchain.env });
} catch (error) {
  console.error(error instanceof CommandFailed ? error.message : error);
  process.exitCode = 1;
}
