import { jobLimits } from '@zvonok/shared';
import { PgBoss, type WorkHandler } from 'pg-boss';
import type { Transaction } from './database.ts';
import type { Logger } from './logger.ts';
import { type Outbound, signal } from './outbound.ts';

/** Work that takes longer than a procedure may. What it is given is stored: ids, and nothing personal. */
export interface JobDefinition<Data extends object> {
  /** `room.verb`; the name of its queue, on every node. */
  readonly name: string;
  /**
   * Does the work; may be called again for the same data after a failure or a crash, so it must bear that. `stopping` is
   * aborted when the server stops and will wait no longer.
   */
  readonly run: (data: Data, stopping: AbortSignal) => Promise<void>;
  /** Called once no attempt is left, whatever ended the last one, so that nobody waits for ever. */
  readonly giveUp: (data: Data) => Promise<void>;
}

export interface Job<Data extends object> {
  /** Leaves the work to whichever node is free, once the transaction has committed; `delayMs`: not before that. */
  enqueue(tx: Transaction, data: Data, options?: { readonly delayMs?: number }): Promise<void>;
}

/**
 * Work on the same Postgres, in a schema of its own (`jobs`). A job that was enqueued is run at least once: a node that
 * dies in the middle is missed by its heartbeat, and another attempt follows.
 */
export interface Jobs {
  /** Before `start`. */
  define<Data extends object>(definition: JobDefinition<Data>): Job<Data>;
  start(): Promise<void>;
  /** Runs everything that is overdue by the database's clock: what happens by itself every minute. */
  supervise(): Promise<void>;
  /** Waits for jobs under way for at most `jobLimits.stopMs`; what is cut is tried again elsewhere. Idempotent. */
  close(): Promise<void>;
}

export interface JobsOptions {
  readonly url: string;
  readonly outbound: Pick<Outbound, 'onSignal'>;
  readonly logger: Logger;
}

const seconds = (ms: number) => Math.ceil(ms / 1_000);
const gaveUpOf = (name: string) => `${name}.gaveUp`;

/** Connects to nothing before `start`. */
export function createJobs({ url, outbound, logger }: JobsOptions): Jobs {
  const definitions: JobDefinition<object>[] = [];
  const workers = new Map<string, string>();
  let closing: Promise<void> | undefined;
  let started = false;
  const boss = new PgBoss({
    connectionString: url,
    schema: 'jobs',
    application_name: 'zvonok jobs',
    max: jobLimits.connections,
    options: `-c statement_timeout=${jobLimits.statementMs}`,
    connectionTimeoutMillis: jobLimits.connectMs,
    // Nothing here repeats by the calendar, and no job waits for another.
    schedule: false,
    flowIntervalSeconds: seconds(jobLimits.flowMs),
    superviseIntervalSeconds: seconds(jobLimits.superviseMs),
    monitorIntervalSeconds: seconds(jobLimits.superviseMs),
  });
  // Without a listener an absent database would end the process. It is asked again by itself.
  boss.on('error', (error) => logger.warn({ err: error }, 'jobs could not be looked after'));

  const stopListening = outbound.onSignal((value) => {
    const worker = value.name === 'jobAdded' ? workers.get(value.queue) : undefined;
    if (worker !== undefined) boss.notifyWorker(worker);
  });

  async function work<Data extends object>(
    name: string,
    run: (data: Data, stopping: AbortSignal) => Promise<void>,
  ) {
    const handle: WorkHandler<Data> = async (jobs) => {
      for (const job of jobs) {
        try {
          await run(job.data, job.signal);
        } catch (error) {
          logger.error({ err: error, job: name, attempt: job.retryCount + 1 }, 'a job failed');
          // What it says may be personal, and it would be kept.
          throw new Error('failed; the log says why');
        }
      }
    };
    // New jobs wake their worker; looking is for those of other nodes, and for what is tried again.
    const options = { pollingIntervalSeconds: seconds(jobLimits.lookMs) };
    workers.set(name, await boss.work<Data>(name, options, handle));
  }

  return {
    define(definition) {
      if (started) throw new Error(`${definition.name} is defined after the jobs were started.`);
      definitions.push(definition as unknown as JobDefinition<object>);
      const { name } = definition;
      return {
        async enqueue(tx, data, { delayMs } = {}) {
          const db = {
            executeSql: async (text: string, values: unknown[] = []) => ({
              rows: await tx.raw.unsafe(text, values as never[]),
            }),
          };
          const startAfter = delayMs === undefined ? {} : { startAfter: seconds(delayMs) };
          await boss.send(name, data, { db, ...startAfter });
          tx.announce(signal({ name: 'jobAdded', queue: name }));
        },
      };
    },

    async start() {
      started = true;
      await boss.start();
      for (const { name, run, giveUp } of definitions) {
        await boss.createQueue(gaveUpOf(name), { deleteAfterSeconds: seconds(jobLimits.keptMs) });
        await boss.createQueue(name, {
          deadLetter: gaveUpOf(name),
          retryLimit: jobLimits.retries,
          retryDelay: seconds(jobLimits.retryMs),
          expireInSeconds: seconds(jobLimits.runMs),
          heartbeatSeconds: seconds(jobLimits.heartbeatMs),
          deleteAfterSeconds: seconds(jobLimits.keptMs),
        });
        await work(name, run);
        await work(gaveUpOf(name), (data) => giveUp(data));
      }
    },

    supervise: () => boss.supervise(),

    close() {
      closing ??= (async () => {
        stopListening();
        if (started) await boss.stop({ graceful: true, timeout: jobLimits.stopMs });
      })();
      return closing;
    },
  };
}
