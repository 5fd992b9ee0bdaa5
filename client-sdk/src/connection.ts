import {
  CodedError,
  type DisconnectCode,
  disconnectCatalogue,
  farewellEvent,
} from '@zvonok/shared/errors.ts';
import { clientLimits, contractVersion } from '@zvonok/shared/limits.ts';
import { io, type Socket } from 'socket.io-client';
import { backoffMs } from './backoff.ts';
import type { Environment } from './environment.ts';
import { type HttpOptions, toCodedError } from './http.ts';
import type { ClientLogger } from './logger.ts';
import { ValueSource } from './source.ts';

/**
 * `connecting` at first, `online`, `reconnecting` after a loss, `offline` without a network or after some failed
 * attempts (it goes on trying), `signedOut` (there is no session to connect with), `outdated` (the app must be loaded
 * anew).
 */
export type ConnectionState = 'connecting' | 'online' | 'reconnecting' | 'offline' | 'signedOut' | 'outdated';

export interface ConnectionPorts extends HttpOptions {
  readonly environment: Environment;
  readonly logger: ClientLogger;
  readonly onEvent: (name: string, payload: unknown) => void;
  /** The socket is in its rooms: from here on nothing is missed, what came before must be asked for. */
  readonly onOnline: () => void;
  /** The server does not know the session (any more). */
  readonly onSessionRefused: () => void;
  readonly onOutdated: () => void;
}

/**
 * The one Socket.IO connection of a client. It reconnects by itself for as long as the server's advice allows, with
 * random delays, and notices a link that died silently by an ack that does not come while nothing else comes either.
 */
export class Connection {
  readonly state = new ValueSource<ConnectionState>('connecting');
  readonly #ports: ConnectionPorts;
  readonly #socket: Socket;
  readonly #stopWatching: () => void;
  #wanted = false;
  #failures = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** When something last arrived, on the monotonic clock. */
  #heardAt = 0;
  #farewell: { readonly code: DisconnectCode; readonly reconnectInMs: number | undefined } | undefined;

  constructor(ports: ConnectionPorts) {
    this.#ports = ports;
    this.#socket = io(ports.url, {
      path: '/socket.io',
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      // Reconnecting is ours: Socket.IO gives up where the server refused the handshake.
      reconnection: false,
      autoConnect: false,
      forceNew: true,
      timeout: clientLimits.connectMs,
      withCredentials: ports.carrier === 'cookie',
      auth: (give) => {
        const token = ports.carrier === 'bearer' ? ports.token() : undefined;
        give({ version: contractVersion, ...(token === undefined ? {} : { token }) });
      },
    });
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('connect_error', (error) => this.#onRefused(error));
    this.#socket.on('disconnect', (reason) => this.#onDisconnect(reason));
    this.#socket.on(farewellEvent, (payload: unknown) => this.#onFarewell(payload));
    this.#socket.onAny((name: string, payload: unknown) => {
      if (name !== farewellEvent) ports.onEvent(name, payload);
    });
    this.#socket.io.on('open', () => {
      this.#socket.io.engine.on('packet', () => {
        this.#heardAt = performance.now();
      });
    });
    this.#stopWatching = ports.environment.watch(() => this.#onEnvironment());
  }

  get isOnline(): boolean {
    return this.#socket.connected;
  }

  /** Connects and stays connected; with new credentials where there is a connection already. */
  connect(): void {
    this.#wanted = true;
    this.#failures = 0;
    this.state.set('connecting');
    this.#attempt();
  }

  /** Disconnects and stays so. */
  disconnect(state: 'signedOut' | 'outdated'): void {
    this.#wanted = false;
    clearTimeout(this.#retryTimer);
    this.#socket.disconnect();
    this.state.set(state);
  }

  close(): void {
    this.#wanted = false;
    clearTimeout(this.#retryTimer);
    this.#stopWatching();
    this.#socket.disconnect();
    this.#socket.offAny();
    this.#socket.removeAllListeners();
  }

  /** Calls one procedure over the socket, which must be online. Rejects with `CodedError` alone. */
  async call(name: string, input: unknown): Promise<unknown> {
    const askedAt = performance.now();
    let reply: unknown;
    try {
      reply = await this.#socket.timeout(clientLimits.callMs).emitWithAck(name, input);
    } catch (cause) {
      const timedOut = this.#socket.connected;
      if (timedOut && this.#heardAt < askedAt) {
        this.#ports.logger.info('the connection is silent; reconnecting');
        this.#socket.io.engine.close();
      }
      throw new CodedError(timedOut ? 'TIMEOUT' : 'UNAVAILABLE', { cause });
    }
    const { ok, result, error } = reply as { ok?: unknown; result?: unknown; error?: unknown };
    if (ok === true) return result;
    throw toCodedError(error);
  }

  #attempt(): void {
    clearTimeout(this.#retryTimer);
    this.#farewell = undefined;
    this.#socket.disconnect().connect();
    // Socket.IO waits for ever for a server that opens the transport and then admits nobody.
    this.#retryTimer = setTimeout(() => {
      this.#failures += 1;
      this.#showTrying();
      this.#attempt();
    }, 2 * clientLimits.connectMs);
  }

  #retryAfter(ms: number): void {
    clearTimeout(this.#retryTimer);
    if (this.#wanted) this.#retryTimer = setTimeout(() => this.#attempt(), ms);
  }

  #onConnect(): void {
    clearTimeout(this.#retryTimer);
    this.#failures = 0;
    this.#heardAt = performance.now();
    this.state.set('online');
    this.#ports.onOnline();
  }

  #onRefused(error: Error): void {
    if (!this.#wanted) return;
    const body: unknown = 'data' in error ? error.data : undefined;
    const coded = body === undefined ? undefined : toCodedError(body);
    this.#failures += 1;
    if (coded?.code === 'UNAUTHENTICATED') {
      this.#ports.onSessionRefused();
      return;
    }
    if (coded?.code === 'CLIENT_OUTDATED') {
      this.#ports.onOutdated();
      return;
    }
    this.#ports.logger.debug('no connection', {
      code: coded?.code ?? error.message,
      failures: this.#failures,
    });
    this.#showTrying();
    const wait = backoffMs(this.#failures, clientLimits.reconnectMinMs, clientLimits.reconnectMaxMs);
    this.#retryAfter(Math.max(wait, coded?.retryAfterMs ?? 0));
  }

  #onDisconnect(reason: string): void {
    if (!this.#wanted || reason === 'io client disconnect') return;
    this.#ports.logger.info('disconnected', { reason, code: this.#farewell?.code });
    const advice = this.#farewell === undefined ? 'soon' : disconnectCatalogue[this.#farewell.code].reconnect;
    if (advice === 'afterSignIn') {
      this.#ports.onSessionRefused();
      return;
    }
    // Told that we broke the protocol: coming back at once would only do it again.
    if (advice === 'no') this.#failures += 1;
    this.#showTrying();
    this.#retryAfter(this.#waitAfterCut(advice));
  }

  #waitAfterCut(advice: 'soon' | 'no'): number {
    if (advice === 'no') return clientLimits.reconnectMaxMs;
    // Everybody was cut at once: spread over the time that the server names.
    if (this.#farewell !== undefined)
      return Math.random() * (this.#farewell.reconnectInMs ?? clientLimits.spreadMs);
    return backoffMs(0, clientLimits.reconnectMinMs, clientLimits.reconnectMaxMs);
  }

  #onFarewell(payload: unknown): void {
    if (typeof payload !== 'object' || payload === null || !('code' in payload)) return;
    if (typeof payload.code !== 'string' || !Object.hasOwn(disconnectCatalogue, payload.code)) return;
    const inMs = 'reconnectInMs' in payload ? payload.reconnectInMs : undefined;
    this.#farewell = {
      code: payload.code as DisconnectCode,
      reconnectInMs: typeof inMs === 'number' ? inMs : undefined,
    };
  }

  #onEnvironment(): void {
    if (!this.#wanted || this.isOnline) return;
    this.#showTrying();
    // The network came back, or somebody looks again: no reason to wait out the delay.
    if (this.#ports.environment.hasNetwork() && this.#ports.environment.isVisible()) this.#attempt();
  }

  #showTrying(): void {
    const isOffline =
      !this.#ports.environment.hasNetwork() || this.#failures >= clientLimits.failuresUntilOffline;
    this.state.set(isOffline ? 'offline' : 'reconnecting');
  }
}
