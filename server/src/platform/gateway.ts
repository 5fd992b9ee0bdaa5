import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { signallingPath } from '@zvonok/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createAddressOf } from './address.ts';
import type { Config, Secrets } from './config.ts';
import { createDispatcher, type DispatcherOptions } from './dispatcher.ts';
import { carrierOf, createHttp, findCaller, type Health } from './http.ts';
import type { Logger } from './logger.ts';
import { createOriginCheck } from './origins.ts';
import type { createOutbound } from './outbound.ts';
import type { Caller, MountedProcedure, SessionCarrier } from './procedures.ts';
import {
  createSockets,
  type SocketPorts,
  type Sockets,
  type SocketsOptions,
  socketsPath,
} from './sockets.ts';

export interface GatewayOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly logger: Logger;
  readonly outbound: ReturnType<typeof createOutbound>;
  readonly mounted: readonly MountedProcedure[];
  readonly adapter: SocketsOptions['adapter'];
  readonly findSession: SocketPorts['findSession'];
  readonly requireActor: DispatcherOptions['requireActor'];
  readonly requireOperator: DispatcherOptions['requireOperator'];
  readonly isConfirmed: DispatcherOptions['isConfirmed'];
  readonly audienceOf: SocketPorts['audienceOf'];
  readonly presenceChanged: SocketPorts['presenceChanged'];
  readonly calls: () => Health['calls'];
  readonly checkOutputs: boolean;
}

export interface Gateway {
  /** Routes may be added until `listen`. */
  readonly http: FastifyInstance;
  readonly sockets: Sockets;
  readonly isAllowedOrigin: (origin: string | undefined) => boolean;
  /** Carries a session to a browser in a cookie: for routes that are no procedures. */
  readonly carrierOf: (reply: FastifyReply) => SessionCarrier;
  /** Whose session came with a request, by cookie or bearer token: for routes that are no procedures. */
  readonly findCaller: (request: FastifyRequest) => Promise<Caller | undefined>;
  /** The origin at which browsers reach this server; where PORT is 0 its port is known once it listens. */
  origin(): string;
  /** Resolves to the address that a browser on this machine opens. */
  listen(): Promise<string>;
  /** Readiness off, sockets told to come back elsewhere, requests under way finished. Idempotent. */
  close(): Promise<void>;
}

/** The home of Fastify and Socket.IO: one server, one session check, one dispatcher for both. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, logger, outbound } = options;
  let port = config.http.port;
  let ready = false;
  const isAllowedOrigin = createOriginCheck(config, () => port);
  const addressOf = createAddressOf(config);
  const dispatcher = createDispatcher({
    mounted: options.mounted,
    requireActor: options.requireActor,
    requireOperator: options.requireOperator,
    isConfirmed: options.isConfirmed,
    logger,
    limits: config.rateLimits ? 'on' : 'off',
    checkOutputs: options.checkOutputs,
  });
  const http = await createHttp({
    config,
    secrets: options.secrets,
    logger,
    dispatcher,
    findSession: options.findSession,
    isAllowedOrigin,
    addressOf,
    health: () => ({
      status: 'ok',
      version: config.version,
      calls: options.calls(),
      ...(config.demo ? { demo: true as const } : {}),
      ...(config.identityProvider === undefined ? {} : { identityProvider: config.identityProvider.name }),
    }),
    isReady: () => ready,
  });
  const sockets = createSockets({
    server: http.server,
    dispatcher,
    ports: {
      findSession: options.findSession,
      audienceOf: options.audienceOf,
      presenceChanged: options.presenceChanged,
      isAllowedOrigin,
      addressOf,
    },
    logger,
    adapter: options.adapter,
    limits: config.rateLimits ? 'on' : 'off',
    onSignal: (signal) => outbound.receive(signal),
  });
  http.server.on('upgrade', destroyUnclaimed);
  outbound.attach(sockets.transport);
  outbound.onSignal((signal) => sockets.apply(signal));

  const origin = () => config.http.publicUrl ?? `${config.http.tls ? 'https' : 'http'}://localhost:${port}`;

  let closing: Promise<void> | undefined;
  return {
    http,
    origin,
    sockets,
    isAllowedOrigin,
    carrierOf: (reply) => carrierOf(reply, config),
    findCaller: (request) => findCaller(request, options.findSession),
    async listen() {
      // By its name Fastify would listen twice, and the second server (::1) has neither sockets nor signalling.
      const host = config.http.host === 'localhost' ? '127.0.0.1' : config.http.host;
      await http.listen({ host, port: config.http.port });
      const address = http.server.address();
      if (typeof address === 'object' && address !== null) port = address.port;
      ready = true;
      return origin();
    },
    close() {
      closing ??= (async () => {
        ready = false;
        await sockets.close();
        await http.close();
      })();
      return closing;
    },
  };
}

/**
 * Ends upgrades that are nobody's. Node hands the bare connection to whoever listens, without a timeout: left alone it
 * would stay open for as long as the client likes, and keep the server from stopping.
 */
function destroyUnclaimed(request: IncomingMessage, socket: Duplex): void {
  const url = request.url ?? '';
  if (!url.startsWith(socketsPath) && url.split('?', 1)[0] !== signallingPath) socket.destroy();
}
