import type { Bench } from './bench.ts';
import { openBenchDatabase } from './database.ts';
import { median, percentile, quantile, round } from './figures.ts';
import {
  buildGenerator,
  type Clients,
  connectClients,
  type Load,
  type Outcome,
  refuseVoid,
} from './generator.ts';
import { apart, overlapping } from './population.ts';
import { seed } from './seed.ts';
import { type ServerUnderTest, startBareServer, startZvonok } from './servers.ts';

type Figures = Record<string, number>;
type Side = 'ours' | 'bare';
type Shape = Load & { readonly name: string };

/** Pairs of outcomes of one shape, a pair a round. */
interface Paired extends Readonly<Record<Side, readonly Outcome[]>> {
  readonly shape: Shape;
}

/** Before each measured time: connections, caches and compiled code warm up. */
const warmupMs = 2_000;
/** Before the first round: the code of both servers is compiled under the load that it will have. */
const rehearsalMs = 3_000;

/** 50 senders in 50 conversations of 10, everybody online, each sends when the last message was acknowledged. */
export async function measureSend(bench: Bench): Promise<Figures> {
  const shape: Shape = {
    name: '50 senders in 50 conversations of 10',
    population: apart(50, 10),
    senders: 'one',
    pace: { kind: 'closed' },
  };
  const [paired] = await measurePairs(bench, [shape]);
  if (paired === undefined) throw new Error('a shape went missing');
  const ratios = ratiosOf(paired, ackedPerSecond);
  return {
    ackedPerSecond: round(median(paired.ours.map(ackedPerSecond)), 0),
    baselineAckedPerSecond: round(median(paired.bare.map(ackedPerSecond)), 0),
    ackedRatio: round(median(ratios)),
    ...deliveryFigures(paired),
    ...closingFigures([paired], ratios),
  };
}

/** 20 rooms of 30 at 800 messages a second together, and one room of 2,000 at 10; the figures are of the worse. */
export async function measureFanout(bench: Bench): Promise<Figures> {
  const pairs = await measurePairs(bench, [
    {
      name: '20 rooms of 30 at 800/s',
      population: apart(20, 30),
      senders: 'all',
      pace: { kind: 'steady', perSecond: 800 },
    },
    {
      name: 'one room of 2000 at 10/s',
      population: apart(1, 2_000),
      senders: 'all',
      pace: { kind: 'steady', perSecond: 10 },
    },
  ]);
  const ratio = (paired: Paired): number => median(ratiosOf(paired, cpuSecondsPer100k));
  for (const paired of pairs) {
    bench.say(`${paired.shape.name}: ${round(ratio(paired))} times the bare server's CPU per delivery`);
  }
  const worse = pairs.reduce((worst, paired) => (ratio(paired) > ratio(worst) ? paired : worst));
  return { ...deliveryFigures(worse), ...closingFigures(pairs, ratiosOf(worse, cpuSecondsPer100k)) };
}

/** 5,000 people, each in 5 conversations of about 30, who say nothing: memory of the app's process for each. */
export async function measureIdle(bench: Bench): Promise<Figures> {
  const population = overlapping(5_000, 5, 30);
  // After the memory is measured each room gets one message, which shows that everybody was really in.
  const load: Load = {
    population,
    senders: 'one',
    pace: { kind: 'closed', each: 1 },
  };
  const program = await buildGenerator();
  const database = bench.keep(await openBenchDatabase());
  bench.say('writing 5,000 accounts into the database');
  await seed(database.url, population);

  const costOf = async (start: () => Promise<ServerUnderTest>) => {
    const server = await start();
    const running = bench.keep(server);
    const resident = async () => {
      await server.settle();
      await server.collectGarbage();
      return server.residentBytes();
    };
    // What the first connections cost once (code, pools) is no connection's own cost. Few, since what they leave free in
    // the heap would be counted in favour of the five thousand.
    const first: Load = { ...load, population: { ...population, people: population.people.slice(0, 50) } };
    await (await connectClients(program, server, first)).stop();
    const before = await resident();
    const clients = await connectClients(program, server, load);
    await new Promise((resolve) => setTimeout(resolve, bench.seconds * 1_000));
    const perConnection = (await resident()) - before;
    const outcome = await clients.run(0, 2_000);
    refuseVoid(server, outcome);
    await clients.stop();
    await running.stop();
    return { kb: perConnection / 1024 / population.people.length, outcome };
  };

  const ours: number[] = [];
  const bare: number[] = [];
  const outcomes: Outcome[] = [];
  for (let index = 0; index < bench.rounds; index++) {
    const zvonok = async () => {
      const cost = await costOf(() => startZvonok(database, bench.profileInto));
      outcomes.push(cost.outcome);
      ours.push(cost.kb);
    };
    const yardstick = async () => {
      bare.push((await costOf(startBareServer)).kb);
    };
    for (const turn of inTurn(index, zvonok, yardstick)) await turn();
    bench.say(
      `round ${index + 1} of ${bench.rounds}: ${ours[index]?.toFixed(1)} against ${bare[index]?.toFixed(1)} KiB`,
    );
  }
  const ratios = ours.map((kb, index) => kb / (bare[index] ?? Number.NaN));
  return {
    rssPerConnectionKb: round(median(ours), 1),
    baselineRssPerConnectionKb: round(median(bare), 1),
    rssRatio: round(median(ratios)),
    lost: outcomes.reduce((sum, outcome) => sum + outcome.lost, 0),
    ...generatorFigures(outcomes),
    ...spread(ratios),
  };
}

/** Runs each shape against both servers in turn, round after round. */
async function measurePairs(bench: Bench, shapes: readonly Shape[]): Promise<Paired[]> {
  const program = await buildGenerator();
  const database = bench.keep(await openBenchDatabase());
  for (const shape of shapes) await seed(database.url, shape.population);
  const zvonok = bench.keep(await startZvonok(database, bench.profileInto));
  const yardstick = bench.keep(await startBareServer());

  // Everybody stays connected to both servers throughout: who waits for their turn costs a ping now and then, while
  // two thousand people who leave would be a load of its own.
  const courses: { shape: Shape; clients: Record<Side, Clients> }[] = [];
  for (const shape of shapes) {
    bench.say(`connecting ${shape.population.people.length} clients to each server: ${shape.name}`);
    const ours = bench.keep(await connectClients(program, zvonok, shape));
    const bare = bench.keep(await connectClients(program, yardstick, shape));
    courses.push({ shape, clients: { ours, bare } });
  }
  await zvonok.settle();
  for (const { shape, clients } of courses) {
    bench.say(`rehearsal: ${shape.name}`);
    for (const side of ['bare', 'ours'] as const) await clients[side].run(0, rehearsalMs);
  }
  const pairs = shapes.map((shape) => ({ shape, ours: [] as Outcome[], bare: [] as Outcome[] }));
  for (let index = 0; index < bench.rounds; index++) {
    for (const [at, course] of courses.entries()) {
      for (const side of inTurn<Side>(index, 'ours', 'bare')) {
        const server = side === 'ours' ? zvonok : yardstick;
        await zvonok.settle();
        const outcome = await course.clients[side].run(warmupMs, bench.seconds * 1_000);
        bench.say(
          `round ${index + 1} of ${bench.rounds}, ${course.shape.name}, ${server.name}: ${inWords(outcome)}`,
        );
        refuseVoid(server, outcome);
        pairs[at]?.[side].push(outcome);
      }
    }
  }
  return pairs;
}

/** Who goes first changes with each round: what drifts meanwhile falls on both. */
function inTurn<T>(index: number, one: T, other: T): readonly T[] {
  return index % 2 === 0 ? [one, other] : [other, one];
}

const ackedPerSecond = (outcome: Outcome): number => outcome.acked / outcome.seconds;
const deliveriesPerSecond = (outcome: Outcome): number => outcome.deliveries / outcome.seconds;
const cpuSecondsPer100k = (outcome: Outcome): number =>
  (outcome.serverCpuSeconds / outcome.deliveries) * 100_000;
const databaseSecondsPer100k = (outcome: Outcome): number =>
  (outcome.databaseCpuSeconds / outcome.deliveries) * 100_000;

function ratiosOf({ ours, bare }: Paired, figure: (outcome: Outcome) => number): number[] {
  return ours.map((outcome, index) => {
    const other = bare[index];
    return other === undefined ? Number.NaN : figure(outcome) / figure(other);
  });
}

function deliveryFigures(paired: Paired): Figures {
  const latencies = paired.ours.map((outcome) => outcome.latencies);
  return {
    deliveriesPerSecond: round(median(paired.ours.map(deliveriesPerSecond)), 0),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuSecondsPer100k: round(median(paired.ours.map(cpuSecondsPer100k))),
    baselineCpuSecondsPer100k: round(median(paired.bare.map(cpuSecondsPer100k))),
    cpuRatio: round(median(ratiosOf(paired, cpuSecondsPer100k))),
    dbCpuSecondsPer100k: round(median(paired.ours.map(databaseSecondsPer100k))),
  };
}

/** Losses and the generator's state over all that was measured, and the quartiles of the ratio that the scenario is about. */
function closingFigures(pairs: readonly Paired[], ratios: readonly number[]): Figures {
  const ours = pairs.flatMap((paired) => paired.ours);
  return {
    lost: ours.reduce((sum, outcome) => sum + outcome.lost, 0),
    ...generatorFigures([...ours, ...pairs.flatMap((paired) => paired.bare)]),
    ...spread(ratios),
  };
}

function generatorFigures(outcomes: readonly Outcome[]): Figures {
  return {
    generatorLagMs: round(Math.max(...outcomes.map((outcome) => outcome.lagMs)), 1),
    generatorCores: round(Math.max(...outcomes.map((outcome) => outcome.cores)), 2),
  };
}

function spread(ratios: readonly number[]): Figures {
  return { ratioLow: round(quantile(ratios, 0.25)), ratioHigh: round(quantile(ratios, 0.75)) };
}

function inWords(outcome: Outcome): string {
  return [
    `${ackedPerSecond(outcome).toFixed(0)} acked/s`,
    `${deliveriesPerSecond(outcome).toFixed(0)} deliveries/s`,
    `p99 ${percentile([outcome.latencies], 0.99)} ms`,
    `${cpuSecondsPer100k(outcome).toFixed(2)} CPU s/100k`,
    `${databaseSecondsPer100k(outcome).toFixed(2)} of the database`,
    `${outcome.lost} lost`,
    `generator ${outcome.cores.toFixed(2)} core, ${outcome.lagMs.toFixed(1)} ms late`,
  ].join(', ');
}
