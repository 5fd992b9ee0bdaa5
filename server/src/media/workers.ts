import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError, mediaLimits } from '@zvonok/shared';
import { createWorker, type types } from 'mediasoup';
import type { Logger } from '../platform/logger.ts';
import { withinDeadline } from './deadline.ts';

/** One SFU process with its one UDP and one TCP port. */
export interface MediaWorker {
  readonly pid: number;
  readonly process: types.Worker;
  readonly webRtcServer: types.WebRtcServer;
  /** Rooms weigh in here, so that new ones go where it is quiet: producers and consumers, about. */
  load: number;
}

export interface WorkerPoolOptions {
  /** The address that the ports are bound to. */
  readonly listen: string;
  /** What is written into ICE candidates. */
  readonly announcedAddress: string;
  /** Worker n has port base + n; 0 takes any free one (tests). */
  readonly portBase: number;
  readonly workers: number;
  readonly logger: Logger;
}

const restartDelayMs = { first: 20, most: 10_000 };
/** A worker that lived this long did not die of its start. */
const settledMs = 30_000;

/**
 * Keeps so many SFU processes alive. One that dies, or that gives no sign of life in time, is killed and replaced; its
 * rooms hear of it by the `workerclose` of their routers.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #running = new Set<MediaWorker>();
  #failedStarts = 0;
  #hasRun = false;
  /** Called when a worker is up or gone, or none will come any more. */
  readonly #waiting = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #slots: Promise<void>[] = [];

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Starts the processes from this binary; they are there when `size` says so. Call it once. */
  start(binary: string): void {
    for (let slot = 0; slot < this.#options.workers; slot += 1) this.#slots.push(this.#keep(slot, binary));
  }

  get size(): number {
    return this.#running.size;
  }

  get pids(): readonly number[] {
    return [...this.#running].map((worker) => worker.pid);
  }

  /** Starts that failed in a row while no worker ran: a port that is taken, a binary that does not run here. */
  get failedStarts(): number {
    return this.#failedStarts;
  }

  /** Whether a worker has ever run: then the next one is moments away. */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  /** The least loaded worker; waits a little for one that is being replaced. Rejects with `UNAVAILABLE`. */
  async pick(): Promise<MediaWorker> {
    const until = Date.now() + mediaLimits.sfuRequestMs;
    for (;;) {
      let best: MediaWorker | undefined;
      for (const worker of this.#running) if (best === undefined || worker.load < best.load) best = worker;
      if (best !== undefined) return best;
      const left = until - Date.now();
      if (left <= 0 || this.#stop.signal.aborted) {
        throw new CodedError('UNAVAILABLE', { message: 'No media worker is running.', retryAfterMs: 1_000 });
      }
      await this.#change(left);
    }
  }

  /** Resolves when every process has exited; each has `workerCloseMs` to do so by itself. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#announce();
    await Promise.all(this.#slots);
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
    });
  }

  #announce(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  async #keep(slot: number, binary: string): Promise<void> {
    const { logger } = this.#options;
    const stopped = this.#stop.signal;
    let delay = restartDelayMs.first;
    while (!stopped.aborted) {
      const startedAt = Date.now();
      try {
        await this.#run(slot, binary);
      } catch (error) {
        if (this.#running.size === 0) this.#failedStarts += 1;
        if (!stopped.aborted) logger.error({ err: error, slot }, 'media worker did not start');
      }
      if (stopped.aborted) return;
      delay = Date.now() - startedAt > settledMs ? restartDelayMs.first : delay;
      await sleep(delay, undefined, { signal: stopped }).catch(() => undefined);
      delay = Math.min(delay * 2, restartDelayMs.most);
    }
  }

  /** Resolves when the process is gone, for whatever reason. */
  async #run(slot: number, binary: string): Promise<void> {
    const { logger, listen, announcedAddress, portBase } = this.#options;
    const process = await startProcess(binary);
    const over = new Promise<void>((resolve) => process.once('subprocessclose', resolve));
    const watch = new AbortController();
    process.once('died', () => {
      if (!this.#stop.signal.aborted)
        logger.warn({ workerPid: process.pid }, 'media worker died; its rooms reopen elsewhere');
    });
    let worker: MediaWorker | undefined;
    try {
      const port = portBase === 0 ? {} : { port: portBase + slot };
      const webRtcServer = await withinDeadline(
        'createWebRtcServer',
        process.createWebRtcServer({
          listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({
            protocol,
            ip: listen,
            announcedAddress,
            ...port,
          })),
        }),
      );
      worker = { pid: process.pid, process, webRtcServer, load: 0 };
      const entry = worker;
      process.once('died', () => this.#running.delete(entry));
      this.#running.add(worker);
      this.#failedStarts = 0;
      this.#hasRun = true;
      this.#announce();
      logger.info({ workerPid: worker.pid, slot }, 'media worker is running');
      void this.#watch(process, watch.signal);
      await Promise.race([over, aborted(this.#stop.signal)]);
    } finally {
      watch.abort();
      if (worker !== undefined) this.#running.delete(worker);
      this.#announce();
      process.close();
      const killer = setTimeout(() => kill(process.pid), mediaLimits.workerCloseMs);
      await over;
      clearTimeout(killer);
    }
  }

  /** Asks for a sign of life again and again; kills a process that gives none (promise P12). */
  async #watch(process: types.Worker, stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted && !process.closed) {
      const alive = await answersInTime(process);
      if (stopped.aborted || process.closed) return;
      if (!alive) {
        this.#options.logger.error({ workerPid: process.pid }, 'media worker hangs and is killed');
        kill(process.pid);
        return;
      }
      await sleep(mediaLimits.watchdogIntervalMs, undefined, { signal: stopped }).catch(() => undefined);
    }
  }
}

async function answersInTime(process: types.Worker): Promise<boolean> {
  let answered = false;
  const asked = process.getResourceUsage().then(
    () => {
      answered = true;
    },
    () => undefined,
  );
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    asked,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, mediaLimits.watchdogDeadlineMs);
    }),
  ]);
  clearTimeout(timer);
  // When it was this process that stood still, the answer lies unread in the pipe: read before judging.
  for (let turn = 0; turn < 5 && !answered; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return answered;
}

async function startProcess(binary: string): Promise<types.Worker> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = new Map(signals.map((name) => [name, new Set(process.listeners(name))]));
  const starting = createWorker({
    workerBin: binary,
    logLevel: 'warn',
    logTags: ['info', 'ice', 'dtls', 'rtp', 'srtp', 'rtcp'],
  });
  // mediasoup closes its workers on the signals of a stop, which would end calls before anybody is told.
  for (const name of signals) {
    for (const listener of process.listeners(name)) {
      if (before.get(name)?.has(listener) !== true) process.removeListener(name, listener);
    }
  }
  return withinDeadline('createWorker', starting, (late) => late.close());
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
