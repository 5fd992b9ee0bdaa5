// npm run bench -- send|fanout|idle|lists [--rounds N] [--seconds S] [--profile FOLDER]
//
// Measures the server against a bare Socket.IO server (README.md beside this file says what and how). Progress goes to
// stderr; the last line of stdout is one line of JSON. Exits 1 with words where there is no result.
import { parseArgs } from 'node:util';
import { type Bench, openBench } from './bench.ts';
import { BenchError } from './bench-error.ts';
import { measureLists } from './lists.ts';
import { measureFanout, measureIdle, measureSend } from './scenarios.ts';

const scenarios: Readonly<Record<string, (bench: Bench) => Promise<Record<string, number>>>> = {
  send: measureSend,
  fanout: measureFanout,
  idle: measureIdle,
  lists: measureLists,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '10' },
    profile: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const measure = scenarios[positionals[0] ?? ''];
if (measure === undefined || positionals.length !== 1 || !(rounds >= 1) || !(seconds >= 1)) {
  console.error(
    'usage: npm run bench -- send|fanout|idle|lists [--rounds N] [--seconds S] [--profile FOLDER]',
  );
  process.exit(2);
}

const bench = openBench({ rounds, seconds, profileInto: values.profile });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    process.stderr.write('stopping...\n');
    bench.close().finally(() => process.exit(1));
  });
}
try {
  const figures = await measure(bench);
  await bench.close();
  console.log(JSON.stringify(figures));
} catch (error) {
  await bench.close();
  if (!(error instanceof BenchError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
