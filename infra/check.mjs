// `npm run check`: what `npm test` checks before it runs anything; seconds instead of minutes.
import { runChecks } from './checks.mjs';
import { stopWithChildren } from './process.mjs';

stopWithChildren();
const { failed } = await runChecks({ node: process.execPath, env: process.env });
process.exitCode = failed > 0 ? 1 : 0;
