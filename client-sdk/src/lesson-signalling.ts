import type {
  SignallingMethod,
  SignallingNotification,
  SignallingParams,
  SignallingReply,
  SignallingResult,
} from '@zvonok/shared';
import { CodedError, type DisconnectCode, disconnectCatalogue } from '@zvonok/shared/errors.ts';
import { lessonLimits } from '@zvonok/shared/limits.ts';

/** The part of the browser's WebSocket that is used. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void;
}

export type WebSocketFactory = (url: string) => WebSocketLike;

const openState = 1;

/** Why a connection ended, as far as it was told; undefined where it just broke. */
export type Ending = DisconnectCode | undefined;

/** One connection of the signalling protocol. Ends once; a new one is made for each try. */
export class SignallingConnection {
  readonly #socket: WebSocketLike;
  readonly #pending = new Map<
    number,
    { settle: (reply: SignallingReply) => void; fail: (why: CodedError) => void }
  >();
  readonly #onEvent: (notification: SignallingNotification) => void;
  #nextId = 1;
  #over = false;
  #heardAt = Date.now();
  #pinging: ReturnType<typeof setInterval> | undefined;
  #endWith: (ending: Ending) => void = () => undefined;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<Ending>;
  /** Resolves when messages can be sent; rejects with `UNAVAILABLE` when that will not be. */
  readonly opened: Promise<void>;

  constructor(open: WebSocketFactory, url: string, onEvent: (notification: SignallingNotification) => void) {
    this.#onEvent = onEvent;
    this.ended = new Promise((resolve) => {
      this.#endWith = resolve;
    });
    this.#socket = open(url);
    this.opened = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(undefined);
        this.#socket.close();
      }, lessonLimits.openMs);
      this.#socket.addEventListener('open', () => {
        clearTimeout(timer);
        this.#heardAt = Date.now();
        this.#pinging = setInterval(() => this.#checkPulse(), lessonLimits.pingMs);
        resolve();
      });
      void this.ended.then(() => {
        clearTimeout(timer);
        reject(new CodedError('UNAVAILABLE'));
      });
    });
    // Whoever waits for neither must not be an unhandled rejection.
    this.opened.catch(() => undefined);
    this.#socket.addEventListener('message', (event) => this.#receive(event.data));
    this.#socket.addEventListener('error', () => undefined);
    this.#socket.addEventListener('close', (event) => this.#end(endingOf(event.code)));
  }

  get over(): boolean {
    return this.#over;
  }

  /** Rejects with `CodedError` alone. */
  request<M extends SignallingMethod>(method: M, params: SignallingParams<M>): Promise<SignallingResult<M>> {
    if (this.#over || this.#socket.readyState !== openState) {
      return Promise.reject(new CodedError('UNAVAILABLE'));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new CodedError('TIMEOUT'));
      }, lessonLimits.requestMs);
      this.#pending.set(id, {
        settle: (reply) => {
          clearTimeout(timer);
          if (reply.ok) resolve(reply.result as SignallingResult<M>);
          else {
            const { code, message, retryAfterMs, data } = reply.error;
            reject(
              new CodedError(code, {
                message,
                ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
                ...(data === undefined ? {} : { data: { ...data } }),
              }),
            );
          }
        },
        fail: (why) => {
          clearTimeout(timer);
          reject(why);
        },
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Ends it from this side. Idempotent. */
  close(): void {
    this.#end(undefined);
    this.#socket.close(1000);
  }

  #receive(data: unknown): void {
    if (this.#over || typeof data !== 'string') return;
    this.#heardAt = Date.now();
    const message = JSON.parse(data) as SignallingReply | SignallingNotification;
    if ('event' in message) this.#onEvent(message);
    else {
      const waiting = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      waiting?.settle(message);
    }
  }

  /** A network that vanished closes nothing: silence is what tells. */
  #checkPulse(): void {
    if (Date.now() - this.#heardAt > lessonLimits.silenceMs) this.close();
    else this.request('ping', {}).catch(() => undefined);
  }

  #end(ending: Ending): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#pinging);
    for (const waiting of this.#pending.values()) waiting.fail(new CodedError('UNAVAILABLE'));
    this.#pending.clear();
    this.#endWith(ending);
  }
}

function endingOf(closeCode: number): Ending {
  const names = Object.keys(disconnectCatalogue) as DisconnectCode[];
  return names.find((name) => disconnectCatalogue[name].closeCode === closeCode);
}
