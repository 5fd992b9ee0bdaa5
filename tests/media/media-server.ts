import { randomInt, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createMedia, type Media, mountSignalling, type PeerFacts } from '@zvonok/server/media/index.ts';
import { createLogger } from '@zvonok/server/platform/logger.ts';
import {
  CodedError,
  contractVersion,
  disconnectCatalogue,
  type MembershipId,
  type SessionId,
  type SignallingEventData,
  type SignallingEventName,
  type SignallingMethod,
  type SignallingParams,
  type SignallingReply,
  type SignallingResult,
  signallingPath,
} from '@zvonok/shared';
import { type FastifyInstance, fastify } from 'fastify';
import { WebSocket } from 'ws';

/** The media room alone, on a bare HTTP server: who is let in is said by the test. */
export interface MediaServer {
  readonly url: string;
  readonly http: FastifyInstance;
  readonly media: Media;
  /** A ticket of this test for a person with these facts. */
  ticketFor(roomId: string, facts: PeerFacts): string;
  stop(): Promise<void>;
}

export async function startMediaServer(
  options: {
    readonly workers?: number;
    readonly audioConsumers?: number;
    readonly mount?: (http: FastifyInstance) => void;
  } = {},
): Promise<MediaServer> {
  const logger = createLogger({ logLevel: process.env.TEST_LOG === undefined ? 'silent' : 'info' });
  const media = createMedia({
    config: {
      rtc: {
        listen: '127.0.0.1',
        announcedAddress: '127.0.0.1',
        portBase: randomInt(20_000, 30_000),
        workers: options.workers ?? 2,
      },
      calls: { setup: 'root', workerBin: process.env.MEDIASOUP_WORKER_BIN },
    },
    logger,
    ...(options.audioConsumers === undefined ? {} : { audioConsumers: options.audioConsumers }),
  });
  const http = fastify() as unknown as FastifyInstance;
  const tickets = new Map<string, { roomId: string; facts: PeerFacts }>();
  await mountSignalling(http, {
    isAllowedOrigin: (origin) => origin === undefined || origin.startsWith('http://127.0.0.1:'),
    logger,
    admit: async (ticket) => {
      const known = tickets.get(ticket);
      tickets.delete(ticket);
      if (known === undefined) throw new CodedError('UNAUTHENTICATED');
      return {
        room: media.openRoom(known.roomId),
        facts: known.facts,
        isStale: () => false,
        settled: () => undefined,
      };
    },
  });
  options.mount?.(http);
  await http.listen({ host: '127.0.0.1', port: 0 });
  const { port } = http.server.address() as AddressInfo;
  await until(
    () => media.status().state === 'ready' && media.workerPids().length === (options.workers ?? 2),
    60_000,
  );
  return {
    url: `http://127.0.0.1:${port}`,
    http,
    media,
    ticketFor(roomId, facts) {
      const ticket = randomUUID();
      tickets.set(ticket, { roomId, facts });
      return ticket;
    },
    async stop() {
      await media.close();
      await http.close();
    },
  };
}

export function person(change: Partial<PeerFacts> & { fullName?: string } = {}): PeerFacts {
  const host = change.host ?? false;
  return {
    membershipId: randomUUID() as MembershipId,
    sessionId: randomUUID() as SessionId,
    caption: { fullName: change.fullName ?? 'Иванов Иван', role: host ? 'teacher' : 'pupil', verified: host },
    host,
    needsHost: !host,
    allowed: { microphone: true, camera: true, screen: host },
    grantable: true,
    ...change,
  };
}

export async function until(condition: () => boolean, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The signalling protocol as anybody could speak it: no SDK, nothing checked before it is sent. */
export class RawPeer {
  readonly socket: WebSocket;
  readonly events: { event: SignallingEventName; data: never }[] = [];
  readonly opened: Promise<void>;
  /** Resolves to the close code. */
  readonly ended: Promise<number>;
  #nextId = 1;
  readonly #pending = new Map<number, (reply: SignallingReply) => void>();

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`${url.replace(/^http/, 'ws')}${signallingPath}`, { headers });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', () => resolve());
      this.socket.once('error', reject);
    });
    this.ended = new Promise((resolve) => this.socket.once('close', (code) => resolve(code)));
    this.socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as SignallingReply & {
        event?: SignallingEventName;
        data: never;
      };
      if (message.event !== undefined) this.events.push({ event: message.event, data: message.data });
      else this.#pending.get(message.id)?.(message);
    });
  }

  /** Sends anything at all as the params of a request, and resolves to the reply. */
  async ask(method: string, params: unknown, ms = 8_000): Promise<SignallingReply> {
    await this.opened;
    const id = this.#nextId++;
    const reply = new Promise<SignallingReply>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no reply in ${ms} ms`)), ms);
      this.#pending.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      void this.ended.then((code) => {
        clearTimeout(timer);
        reject(new Error(`${method}: closed with ${code}`));
      });
    });
    this.socket.send(JSON.stringify({ id, method, params }));
    return reply;
  }

  /** A request that must succeed. */
  async request<M extends SignallingMethod>(
    method: M,
    params: SignallingParams<M>,
  ): Promise<SignallingResult<M>> {
    const reply = await this.ask(method, params);
    if (!reply.ok) throw new CodedError(reply.error.code, { message: `${method}: ${reply.error.message}` });
    return reply.result as SignallingResult<M>;
  }

  /** The code of a request that must be refused. */
  async refusal(method: SignallingMethod, params: unknown): Promise<string> {
    const reply = await this.ask(method, params);
    return reply.ok ? 'OK' : reply.error.code;
  }

  join(ticket: string): Promise<SignallingResult<'join'>> {
    return this.request('join', { ticket, version: contractVersion });
  }

  last<E extends SignallingEventName>(event: E): SignallingEventData<E> | undefined {
    return this.events.findLast((each) => each.event === event)?.data as SignallingEventData<E> | undefined;
  }

  async next<E extends SignallingEventName>(
    event: E,
    wanted: (data: SignallingEventData<E>) => boolean = () => true,
    ms = 5_000,
  ): Promise<SignallingEventData<E>> {
    const found = () => this.events.find((each) => each.event === event && wanted(each.data));
    await until(() => found() !== undefined, ms);
    return found()?.data as SignallingEventData<E>;
  }

  close(): void {
    this.socket.terminate();
  }
}

export const closeCodeOf = (name: keyof typeof disconnectCatalogue): number =>
  disconnectCatalogue[name].closeCode;

let ssrc = 1_000_000;

/** What a browser sends for a microphone, more or less. */
export function opusParameters() {
  return {
    mid: '0',
    codecs: [
      {
        mimeType: 'audio/opus',
        payloadType: 111,
        clockRate: 48_000,
        channels: 2,
        parameters: { minptime: 10, useinbandfec: 1, usedtx: 1 },
        rtcpFeedback: [{ type: 'transport-cc', parameter: '' }],
      },
    ],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4, encrypt: false }],
    encodings: [{ ssrc: ssrc++, dtx: true }],
    rtcp: { cname: 'test', reducedSize: true },
  };
}

export function vp8Parameters() {
  return {
    mid: '1',
    codecs: [
      {
        mimeType: 'video/VP8',
        payloadType: 96,
        clockRate: 90_000,
        parameters: {},
        rtcpFeedback: [
          { type: 'nack', parameter: '' },
          { type: 'nack', parameter: 'pli' },
        ],
      },
      {
        mimeType: 'video/rtx',
        payloadType: 97,
        clockRate: 90_000,
        parameters: { apt: 96 },
        rtcpFeedback: [],
      },
    ],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4, encrypt: false }],
    encodings: [{ ssrc: ssrc++, rtx: { ssrc: ssrc++ } }],
    rtcp: { cname: 'test', reducedSize: true },
  };
}

export const dtlsParameters = {
  role: 'client' as const,
  fingerprints: [{ algorithm: 'sha-256' as const, value: Array.from({ length: 32 }, () => 'AB').join(':') }],
};

/** What a browser can receive: the router's own capabilities do. */
export function capabilitiesOf(joined: SignallingResult<'join'>) {
  return joined.routerRtpCapabilities;
}
