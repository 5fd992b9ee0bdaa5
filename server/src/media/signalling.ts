import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import fastifyWebsocket from '@fastify/websocket';
import {
  CodedError,
  contractVersion,
  type DisconnectCode,
  disconnectCatalogue,
  mediaLimits,
  type SignallingEventData,
  type SignallingEventName,
  type SignallingMethod,
  type SignallingParams,
  type SignallingRequest,
  type SignallingResult,
  signallingPath,
} from '@zvonok/shared';
import type { FastifyInstance } from 'fastify';
import { v7 as uuid } from 'uuid';
import type { WebSocket } from 'ws';
import type { Logger } from '../platform/logger.ts';
import { isServedVersion } from '../platform/version.ts';
import type { Peer, PeerConnection, PeerFacts } from './peer.ts';
import type { Room } from './room.ts';
import { BadMessage, type ReadRequest, readRequest } from './validate.ts';

/** Whom a ticket lets in, and where. */
export interface Admission {
  readonly room: Room;
  readonly facts: PeerFacts;
  /** Whether rights changed since they were judged: then the facts may be old and nobody is let in by them. */
  isStale(): boolean;
  /** The person is in, or could not come in: nobody asks `isStale` any more. */
  settled(): void;
}

export interface SignallingOptions {
  /**
   * Judges a ticket: single use, in time, its holder still in their rights. Throws what the client is told; a ticket that is
   * none of ours is `UNAUTHENTICATED`.
   */
  readonly admit: (ticket: string) => Promise<Admission>;
  readonly isAllowedOrigin: (origin: string | undefined) => boolean;
  readonly logger: Logger;
}

/** Why a join failed, where the connection itself has to say whether to come back. */
const endings: Partial<Record<CodedError['code'], DisconnectCode>> = {
  UNAUTHENTICATED: 'TICKET_INVALID',
  NOT_FOUND: 'TICKET_INVALID',
  CALL_ENDED: 'CALL_ENDED',
  REMOVED_FROM_CALL: 'REMOVED_FROM_CALL',
};

/** Adds `/media/v1` to a server that does not listen yet. Other paths' upgrades are left to their owners. */
export async function mountSignalling(http: FastifyInstance, options: SignallingOptions): Promise<void> {
  const connections = new Set<Connection>();
  let stopping = false;

  // The plugin would answer every upgrade of the server, Socket.IO's too: it is shown only those of its one path.
  const upgrades = new EventEmitter();
  http.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url?.split('?', 1)[0] === signallingPath) upgrades.emit('upgrade', request, socket, head);
  });
  await http.register(fastifyWebsocket, {
    options: {
      server: upgrades as unknown as Server,
      maxPayload: mediaLimits.messageBytes,
      perMessageDeflate: false,
    },
    errorHandler: (_error, socket) => socket.terminate(),
    preClose: (done) => {
      stopping = true;
      clearInterval(heartbeat);
      for (const connection of [...connections]) connection.close('SERVER_STOPPING');
      done();
    },
  });
  const heartbeat = setInterval(() => {
    for (const connection of [...connections]) connection.beat();
  }, mediaLimits.heartbeatMs);
  heartbeat.unref();

  http.get(
    signallingPath,
    {
      websocket: true,
      preValidation: async (request, reply) => {
        if (!options.isAllowedOrigin(request.headers.origin)) {
          return reply.code(403).send(new CodedError('ORIGIN_REFUSED').toBody());
        }
        const unjoined = [...connections].filter((connection) => !connection.joined);
        const here = unjoined.filter((connection) => connection.address === request.ip).length;
        if (
          stopping ||
          unjoined.length >= mediaLimits.unjoinedConnections ||
          here >= mediaLimits.unjoinedPerAddress
        ) {
          return reply.code(503).send(new CodedError('UNAVAILABLE', { retryAfterMs: 2_000 }).toBody());
        }
        return undefined;
      },
    },
    (socket, request) => {
      const connection = new Connection(socket, request.ip, options, () => connections.delete(connection));
      connections.add(connection);
    },
  );
}

/** One client's WebSocket, from its opening to its end. */
class Connection implements PeerConnection {
  readonly address: string;
  readonly #socket: WebSocket;
  readonly #options: SignallingOptions;
  readonly #joinTimer: NodeJS.Timeout;
  readonly #queue: SignallingRequest[] = [];
  readonly #onGone: () => void;
  #working = false;
  #joining = false;
  #peer: Peer | undefined;
  #closed = false;
  #missedBeats = 0;
  #tokens: number = mediaLimits.requests.burst;
  #refilledAt = performance.now();
  #refused = 0;

  constructor(socket: WebSocket, address: string, options: SignallingOptions, onGone: () => void) {
    this.address = address;
    this.#socket = socket;
    this.#options = options;
    this.#onGone = onGone;
    this.#joinTimer = setTimeout(() => this.close('PEER_TIMEOUT'), mediaLimits.joinMs);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => {
      this.#missedBeats = 0;
    });
    socket.on('close', () => this.#gone());
  }

  get joined(): boolean {
    return this.#peer !== undefined;
  }

  notify<E extends SignallingEventName>(event: E, data: SignallingEventData<E>): void {
    this.#write({ event, data });
  }

  close(code: DisconnectCode): void {
    if (this.#closed) return;
    this.#end();
    const { closeCode } = disconnectCatalogue[code];
    this.#socket.close(closeCode, code);
    // A client that does not answer the closing handshake is cut.
    setTimeout(() => this.#socket.terminate(), closeGraceMs).unref();
  }

  /** One beat of the heart: a client that answered none of the last ones is gone, or talks without ever listening. */
  beat(): void {
    if (this.#closed) return;
    if (this.#missedBeats >= mediaLimits.heartbeatsMissed) {
      this.#end();
      this.#socket.terminate();
      return;
    }
    this.#missedBeats += 1;
    this.#socket.ping();
    this.#cutSlowReader();
  }

  #gone(): void {
    this.#end();
    this.#onGone();
  }

  /** What belongs to the connection goes, whoever ended it. */
  #end(): void {
    this.#closed = true;
    clearTimeout(this.#joinTimer);
    this.#queue.length = 0;
    if (this.#peer !== undefined) this.#peer.room.leave(this.#peer, false);
  }

  #write(message: object): void {
    if (this.#closed || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(JSON.stringify(message));
    this.#cutSlowReader();
  }

  #cutSlowReader(): void {
    if (this.#socket.bufferedAmount > mediaLimits.slowReaderBytes) this.close('SLOW_READER');
  }

  #receive(data: unknown, isBinary: boolean): void {
    if (this.#closed) return;
    let read: ReadRequest | undefined;
    try {
      read = isBinary ? undefined : readRequest(String(data));
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
    }
    if (read === undefined) this.close('BAD_MESSAGE');
    else if (!this.#mayAsk()) this.#slowDown(read.id);
    else if ('refusal' in read) this.#refuse(read.id, read.refusal);
    // Out of turn: it asks whether the server is there, not whether the SFU is.
    else if (read.request.method === 'ping') this.#write({ id: read.id, ok: true, result: {} });
    else if (this.#queue.length >= mediaLimits.requestsPending) this.#slowDown(read.id);
    else {
      this.#queue.push(read.request);
      if (!this.#working) void this.#work();
    }
  }

  /** Refuses for being too fast; one who does not listen to that is cut. */
  #slowDown(id: number): void {
    this.#refused += 1;
    if (this.#refused > mediaLimits.requests.burst) this.close('BAD_MESSAGE');
    else this.#refuse(id, new CodedError('RATE_LIMITED', { retryAfterMs: 1_000 }));
  }

  #mayAsk(): boolean {
    const { burst, perSecond } = mediaLimits.requests;
    const now = performance.now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#refilledAt) / 1_000) * perSecond);
    this.#refilledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      try {
        const result = await this.#answer(request);
        this.#write({ id: request.id, ok: true, result });
      } catch (error) {
        this.#refuse(request.id, this.#coded(error, request));
        if (request.method === 'join') this.#endAfterRefusedJoin(error);
      }
    }
    this.#working = false;
  }

  #refuse(id: number, error: CodedError): void {
    this.#write({ id, ok: false, error: error.toBody() });
  }

  #endAfterRefusedJoin(error: unknown): void {
    if (this.#peer !== undefined) return;
    const code = error instanceof CodedError ? error.code : 'INTERNAL';
    this.close(endings[code] ?? 'ROOM_MOVED');
  }

  #coded(error: unknown, request: SignallingRequest): CodedError {
    if (error instanceof CodedError) return error;
    const name = error instanceof Error ? error.constructor.name : '';
    // mediasoup's own names: what it finds wrong with parameters, and what a closed worker or transport answers.
    if (name === 'UnsupportedError' || name === 'TypeError') {
      this.#options.logger.warn({ err: error, method: request.method }, 'the SFU refused parameters');
      return new CodedError('VALIDATION', {
        message: 'The SFU does not accept these parameters.',
        cause: error,
      });
    }
    if (name === 'InvalidStateError' || name === 'WorkerClosedError' || this.#peer?.closed === true) {
      return new CodedError('UNAVAILABLE', { retryAfterMs: 500, cause: error });
    }
    const incident = uuid();
    this.#options.logger.error({ err: error, method: request.method, incident }, 'signalling request failed');
    return new CodedError('INTERNAL', { data: { incident }, cause: error });
  }

  async #answer(request: SignallingRequest): Promise<object> {
    if (request.method === 'join') return this.#join(request.params as SignallingParams<'join'>);
    const peer = this.#peer;
    if (peer === undefined) throw new CodedError('UNAUTHENTICATED', { message: 'Join first.' });
    if (request.method === 'ping') return {};
    return handle(peer, request.method, request.params as never);
  }

  async #join({ ticket, version }: SignallingParams<'join'>): Promise<object> {
    if (this.#joining) throw new CodedError('CONFLICT', { message: 'This connection has joined.' });
    this.#joining = true;
    if (!isServedVersion(version)) {
      throw new CodedError('CLIENT_OUTDATED', { data: { served: contractVersion } });
    }
    const admission = await this.#options.admit(ticket);
    const { room } = admission;
    try {
      const stage = await room.requireStage();
      if (this.#closed || admission.isStale()) throw new CodedError('UNAVAILABLE', { retryAfterMs: 200 });
      const peer = room.join(admission.facts, stage, this);
      this.#peer = peer;
      clearTimeout(this.#joinTimer);
      return {
        callId: room.id,
        peerId: peer.id,
        state: room.state,
        routerRtpCapabilities: stage.router.rtpCapabilities,
        peers: room.infos(),
        activeSpeaker: room.activeSpeaker,
      };
    } finally {
      admission.settled();
      room.releaseWhenEmpty();
    }
  }
}

/** What a client has to answer the closing handshake, and to read the reason. */
const closeGraceMs = 2_000;

type PeerMethod = Exclude<SignallingMethod, 'join' | 'ping'>;
type Answer<Result> = keyof Result extends never ? unknown : Result | Promise<Result>;
type Route<M extends PeerMethod> = (peer: Peer, params: SignallingParams<M>) => Answer<SignallingResult<M>>;

/** A joined peer's requests; a missing one fails to compile. Nothing answers an empty result. */
const routes: { readonly [M in PeerMethod]: Route<M> } = {
  leave: (peer) => peer.room.leave(peer, true),
  createTransport: (peer, params) => peer.createTransport(params),
  connectTransport: (peer, params) => peer.connectTransport(params),
  restartIce: (peer, params) => peer.restartIce(params),
  produce: (peer, params) => peer.produce(params),
  pauseProducer: (peer, params) => peer.pauseProducer(params),
  resumeProducer: (peer, params) => peer.resumeProducer(params),
  closeProducer: (peer, params) => peer.closeProducer(params),
  resumeConsumer: (peer, params) => peer.resumeConsumer(params),
  setVisible: (peer, params) => peer.setVisible(params),
  raiseHand: (peer, params) => peer.room.raiseHand(peer, params.raised),
  setAllowed: (peer, params) => peer.room.setAllowed(peer, params.peerId, params.source, params.allowed),
  setAllAllowed: (peer, params) => peer.room.setAllAllowed(peer, params.source, params.allowed),
  lowerHand: (peer, params) => peer.room.lowerHand(peer, params.peerId),
};

async function handle(peer: Peer, method: PeerMethod, params: never): Promise<object> {
  // A peer that was put out while its request waited has no say any more.
  if (peer.closed) throw new CodedError('UNAVAILABLE', { message: 'The peer has left the room.' });
  return ((await routes[method](peer, params)) as object | undefined) ?? {};
}
