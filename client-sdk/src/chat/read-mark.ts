import type { CodedError } from '@zvonok/shared/errors.ts';
import { clientLimits } from '@zvonok/shared/limits.ts';
import type { ClientLogger } from '../logger.ts';

export interface ReadMarkPorts {
  /** Up to where the person has read. */
  readonly readSeq: () => number;
  readonly isOnline: () => boolean;
  readonly tell: (seq: number) => Promise<unknown>;
  readonly logger: ClientLogger;
}

/** Tells the server how far a conversation is read: once in a while, and what it does not know yet. */
export class ReadMark {
  readonly #ports: ReadMarkPorts;
  #toldSeq = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isTelling = false;
  #isClosed = false;

  constructor(ports: ReadMarkPorts) {
    this.#ports = ports;
  }

  /** The server knows as much. */
  known(seq: number): void {
    this.#toldSeq = Math.max(this.#toldSeq, seq);
  }

  tell(): void {
    const readSeq = this.#ports.readSeq();
    if (this.#isTelling || this.#timer !== undefined || readSeq <= this.#toldSeq) return;
    if (!this.#ports.isOnline() || this.#isClosed) return;
    this.#isTelling = true;
    this.#ports
      .tell(readSeq)
      .then(
        () => this.known(readSeq),
        (error: CodedError) => this.#ports.logger.debug('a read mark was not told', { code: error.code }),
      )
      .finally(() => {
        this.#isTelling = false;
        if (this.#isClosed) return;
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.tell();
        }, clientLimits.readMarkMs);
      });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
