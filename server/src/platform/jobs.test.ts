import { jobLimits } from '@zvonok/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from './database.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createLogger } from './logger.ts';
import { createOutbound, signal } from './outbound.ts';
import { startTestPostgres, type TestPostgres } from './testing/test-postgres.ts';

const logger = createLogger({ logLevel: 'silent' });
let postgres: TestPostgres;
let database: Database;
const outbound = createOutbound(logger);
/** Nodes of one system, each with jobs of its own. */
const nodes: Jobs[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres();
  database = await openDatabase({ url: postgres.url, poolSize: 3, onCommitted: outbound.publish });
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await database?.close();
  await postgres?.stop();
});

interface Ask {
  readonly name: string;
}
const node = (queue: string, run: (ask: Ask, stopping: AbortSignal) => Promise<void>) => {
  const jobs = createJobs({ url: postgres.url, outbound, logger });
  nodes.push(jobs);
  const gaveUp: string[] = [];
  const job = jobs.define<Ask>({ name: queue, run, giveUp: async ({ name }) => void gaveUp.push(name) });
  return { jobs, job, gaveUp };
};
/** What is not woken for is looked for now and then; a test rings the bell meanwhile. */
const rung = (queue: string, ready: () => boolean) =>
  expect
    .poll(
      () => {
        for (const name of [queue, `${queue}.gaveUp`])
          outbound.publish([signal({ name: 'jobAdded', queue: name })]);
        return ready();
      },
      { timeout: 20_000, interval: 100 },
    )
    .toBe(true);

it('runs once what was committed, at once, and nothing that was rolled back', async () => {
  const ran: string[] = [];
  const { jobs, job } = node('test.once', async ({ name }) => void ran.push(name));
  await jobs.start();
  await expect(
    database.inTransaction(async (tx) => {
      await job.enqueue(tx, { name: 'rolled back' });
      throw new Error('after all not');
    }),
  ).rejects.toThrow('after all not');
  await database.inTransaction((tx) => job.enqueue(tx, { name: 'later' }, { delayMs: 3_600_000 }));
  const began = performance.now();
  await database.inTransaction((tx) => job.enqueue(tx, { name: 'kept' }));
  await expect.poll(() => ran, { timeout: jobLimits.lookMs / 2 }).toEqual(['kept']);
  // The commit woke it: it was not found by looking.
  expect(performance.now() - began).toBeLessThan(jobLimits.lookMs / 2);
});

it('tries again what failed, gives up in the end, and says so', async () => {
  let tries = 0;
  const { jobs, job, gaveUp } = node('test.failing', async () => {
    tries += 1;
    throw new Error('a name that nobody should read');
  });
  await jobs.start();
  await database.inTransaction((tx) => job.enqueue(tx, { name: 'lost' }));
  await rung('test.failing', () => gaveUp.length > 0);
  expect([tries, gaveUp]).toEqual([jobLimits.retries + 1, ['lost']]);
  const rows = await database.client`select output::text as output from jobs.job where output is not null`;
  expect(JSON.stringify(rows)).not.toContain('nobody should read');
});

it('gives another node what a dead one was at', async () => {
  const ran: string[] = [];
  const dead = node('test.crash', () => {
    ran.push('dead');
    // Never heard of again.
    return new Promise(() => undefined);
  });
  await dead.jobs.start();
  await database.inTransaction((tx) => dead.job.enqueue(tx, { name: 'left' }));
  await expect.poll(() => ran, { timeout: jobLimits.lookMs / 2 }).toEqual(['dead']);
  await database.client`
    update jobs.job set heartbeat_on = now() - make_interval(secs => ${(jobLimits.heartbeatMs * 2) / 1_000})
    where name = 'test.crash' and state = 'active'`;
  const alive = node('test.crash', async () => void ran.push('alive'));
  await alive.jobs.start();
  await alive.jobs.supervise();
  await rung('test.crash', () => ran.includes('alive'));
  expect(ran).toEqual(['dead', 'alive']);
});

it('lets what is under way finish before it stops', async () => {
  const steps: string[] = [];
  const { jobs, job } = node('test.stop', async () => {
    steps.push('began');
    await new Promise((resolve) => setTimeout(resolve, 300));
    steps.push('ended');
  });
  await jobs.start();
  await database.inTransaction((tx) => job.enqueue(tx, { name: 'x' }));
  await expect.poll(() => steps, { timeout: jobLimits.lookMs / 2 }).toEqual(['began']);
  await jobs.close();
  await jobs.close();
  expect(steps).toEqual(['began', 'ended']);
});

it('outlives an absence of the database', async () => {
  const ran: string[] = [];
  const { jobs, job } = node('test.away', async ({ name }) => void ran.push(name));
  await jobs.start();
  await database.client`
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'zvonok jobs'`;
  await database.inTransaction((tx) => job.enqueue(tx, { name: 'after' }));
  await rung('test.away', () => ran.length > 0);
  expect(ran).toEqual(['after']);
});
