import { CodedError, errorCatalogue } from '@zvonok/shared/errors.ts';
import { clientLimits } from '@zvonok/shared/limits.ts';
import { backoffMs } from '../backoff.ts';
import type { ClientLogger } from '../logger.ts';

export interface SyncLoopPorts {
  /** What is missing and can be read now; undefined while nothing is. */
  readonly nextStep: () => (() => Promise<void>) | undefined;
  /** The server knows no such conversation for this membership. */
  readonly gone: () => void;
  /** It began or ended to work. */
  readonly changed: () => void;
  readonly logger: ClientLogger;
}

/** Works until nothing is missing: one step at a time, again after a failure that may pass. */
export class SyncLoop {
  readonly #ports: SyncLoopPorts;
  #running: Promise<void> | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(ports: SyncLoopPorts) {
    this.#ports = ports;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Called again while it runs, it looks once more at the end. */
  run(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.isRunning || this.#isClosed || this.#ports.nextStep() === undefined) return;
    this.#running = this.#runSteps().then((isDone) => {
      this.#running = undefined;
      this.#ports.changed();
      // Something may have come between the last look and here.
      if (isDone) this.run();
    });
    this.#ports.changed();
  }

  /** Unless it runs or waits already. */
  runIn(ms: number): void {
    if (this.#timer === undefined && !this.isRunning) this.#timer = setTimeout(() => this.run(), ms);
  }

  /** What failed before is forgotten: the connection is another. */
  wake(): void {
    this.#failures = 0;
    this.run();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** False where it gave up for now. */
  async #runSteps(): Promise<boolean> {
    for (;;) {
      const step = this.#ports.nextStep();
      if (step === undefined) return true;
      try {
        await step();
        this.#failures = 0;
      } catch (error) {
        const coded = error instanceof CodedError ? error : new CodedError('INTERNAL', { cause: error });
        if (coded.code === 'NOT_FOUND' || coded.code === 'FORBIDDEN') {
          this.#ports.gone();
          return true;
        }
        this.#ports.logger.info('a conversation could not be read', { code: coded.code });
        // Anything else waits for the next connection.
        if (errorCatalogue[coded.code].retry !== 'later') return false;
        const wait = backoffMs(this.#failures, clientLimits.resendMinMs, clientLimits.resendMaxMs);
        this.#failures += 1;
        this.#timer = setTimeout(() => this.run(), Math.max(wait, coded.retryAfterMs ?? 0));
        return false;
      }
    }
  }
}
