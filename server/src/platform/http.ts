import { existsSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import fastifyCookie from '@fastify/cookie';
import fastifyCors from '@fastify/cors';
import fastifyHelmet from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import fastifySensible from '@fastify/sensible';
import fastifyStatic from '@fastify/static';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import {
  accountLimits,
  CodedError,
  contractVersion,
  type ErrorCode,
  errorCatalogue,
  type Procedure,
  transportLimits,
} from '@zvonok/shared';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import { trustedProxy } from './address.ts';
import { type Config, repositoryRoot, type Secrets } from './config.ts';
import type { Dispatcher, Reply } from './dispatcher.ts';
import type { Logger } from './logger.ts';
import type { Caller, SessionCarrier } from './procedures.ts';
import { sessionCookieName, tokenFromCookie } from './sockets.ts';
import { isServedVersion } from './version.ts';

export interface Health {
  readonly status: 'ok';
  readonly version: string;
  readonly calls: 'ready' | 'preparing' | 'unavailable';
  /** Present and true in demo mode alone: the sign-in page says where the code is. */
  readonly demo?: true;
  /** What the region's identity provider is called, where people can sign in by it. */
  readonly identityProvider?: string;
}

export interface HttpOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly logger: Logger;
  readonly dispatcher: Dispatcher;
  readonly findSession: (token: string) => Promise<Caller | undefined>;
  readonly isAllowedOrigin: (origin: string | undefined) => boolean;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly health: () => Health;
  /** False from the moment a stop begins: a proxy sends nobody here any more. */
  readonly isReady: () => boolean;
}

/**
 * Procedures called from one address in a minute, all together: a whole school stands behind one address, so this stops a
 * flood and not a morning.
 */
const requestsPerAddress = { max: 6_000, timeWindow: 60_000 };

const patience = { connectionsCheckingInterval: transportLimits.lateRequestsMs };

/** Built before it listens, so that media signalling can add its route. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const { config, secrets, dispatcher } = options;
  const http = fastify({
    loggerInstance: options.logger,
    // One line for each lifecycle step of the server, not for each request.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: transportLimits.eventBytes,
    frameworkErrors: (error, _request, reply) =>
      sendRefusal(reply as FastifyReply, translateHttpError(error)),
    // Node has one limit for all; requests that are no transfers get theirs below.
    requestTimeout: transportLimits.transferMs,
    keepAliveTimeout: 65_000,
    forceCloseConnections: true,
    trustProxy: trustedProxy(config),
    routerOptions: { maxParamLength: 100 },
    ...(secrets.tls === undefined
      ? { http: patience }
      : { https: { cert: secrets.tls.cert, key: secrets.tls.key, ...patience } }),
  }) as unknown as FastifyInstance;
  http.server.headersTimeout = transportLimits.requestHeadersMs;
  // Inputs are checked by the dispatcher's own compiled validators; the schemas here are the OpenAPI page's.
  http.setValidatorCompiler(() => () => true);
  http.setSerializerCompiler(() => (data) => JSON.stringify(data));
  http.setErrorHandler((error, request, reply) => {
    const coded = translateHttpError(error);
    if (coded.code === 'INTERNAL')
      options.logger.error({ err: error, route: request.routeOptions.url }, 'request failed');
    return sendRefusal(reply, coded);
  });
  http.addHook('onRequest', (request, _reply, done) => {
    limitTime(request);
    done();
  });
  http.setNotFoundHandler((_request, reply) => sendRefusal(reply, new CodedError('NOT_FOUND')));

  await http.register(fastifySensible);
  await http.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        // Mantine sets its variables in style elements.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        mediaSrc: ["'self'", 'blob:'],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        workerSrc: ["'self'"],
        manifestSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: config.http.publicUrl?.startsWith('https:') === true,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  await http.register(fastifyCookie);
  await http.register(fastifyCors, {
    delegator: (request, callback) => {
      const { origin } = request.headers;
      callback(null, { origin: origin !== undefined && options.isAllowedOrigin(origin), credentials: true });
    },
  });
  if (config.rateLimits) {
    await http.register(fastifyRateLimit, {
      ...requestsPerAddress,
      keyGenerator: (request) => options.addressOf(request.raw),
      // The messenger's own files: a thousand phones behind one address fetch them all on the morning after an update.
      allowList: (request) => !request.url.startsWith('/api/'),
      errorResponseBuilder: (_request, context) =>
        new CodedError('RATE_LIMITED', { retryAfterMs: context.ttl }),
    });
  }
  await http.register(fastifySwagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Zvonok', version: contractVersion } },
  });
  await http.register(fastifySwaggerUi, { routePrefix: '/api/docs' });

  http.get('/healthz', { schema: { hide: true } }, (_request, reply) => reply.send(options.health()));
  http.get('/readyz', { schema: { hide: true } }, (_request, reply) =>
    reply.code(options.isReady() ? 200 : 503).send({ ready: options.isReady() }),
  );

  for (const procedure of dispatcher.procedures) {
    http.post(`/api/v1/${procedure.name}`, { schema: openApiOf(procedure) }, async (request, reply) => {
      if (!options.isAllowedOrigin(request.headers.origin))
        return sendRefusal(reply, new CodedError('ORIGIN_REFUSED'));
      if (!isServedVersion(request.headers['zvonok-version'])) {
        return sendRefusal(reply, new CodedError('CLIENT_OUTDATED', { data: { served: contractVersion } }));
      }
      const caller = await findCaller(request, options.findSession);
      const result = await dispatcher.call(procedure.name, request.body, {
        caller,
        address: options.addressOf(request.raw),
        userAgent: request.headers['user-agent'] ?? '',
        carrier: carrierOf(reply, config),
      });
      return sendReply(reply, result);
    });
  }
  // Unknown procedures answer in the same words as the socket does, whatever the method's case.
  http.post('/api/v1/*', { schema: { hide: true } }, async (_request, reply) =>
    sendRefusal(reply, new CodedError('NOT_FOUND', { message: 'There is no such procedure.' })),
  );
  await serveMessenger(http);
  return http;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is a file: it may take long, as long as bytes come. */
    readonly transfer?: true;
  }
}

/** Ends a request that does not arrive in time: as a whole, or for a file from byte to byte. */
function limitTime({ raw, routeOptions }: FastifyRequest) {
  const isTransfer = routeOptions.config?.transfer === true;
  const ms = isTransfer ? transportLimits.transferStalledMs : transportLimits.requestMs;
  let read = -1;
  const look = () => {
    if (raw.complete) return;
    const { bytesRead } = raw.socket;
    if (!isTransfer || bytesRead === read) return void raw.destroy();
    read = bytesRead;
    timer = setTimeout(look, ms);
  };
  let timer = setTimeout(look, ms);
  raw.once('close', () => clearTimeout(timer));
}

/** Whose session came with a request. */
export async function findCaller(
  request: FastifyRequest,
  findSession: HttpOptions['findSession'],
): Promise<Caller | undefined> {
  const bearer = /^Bearer ([\w-]{20,200})$/.exec(request.headers.authorization ?? '');
  const token = bearer?.[1] ?? tokenFromCookie(request.raw);
  return token === undefined ? undefined : findSession(token);
}

/** The cookie of a reply. */
export function carrierOf(reply: FastifyReply, config: Config): SessionCarrier {
  const secure = config.http.tls || config.http.publicUrl?.startsWith('https:') === true;
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;
  return {
    set: (token, { untilClosed = false } = {}) => {
      reply.setCookie(sessionCookieName, token, {
        ...attributes,
        ...(untilClosed ? {} : { maxAge: accountLimits.sessionIdleMs / 1_000 }),
      });
    },
    clear: () => {
      reply.clearCookie(sessionCookieName, attributes);
    },
  };
}

function sendReply(reply: FastifyReply, result: Reply) {
  reply.header('cache-control', 'no-store');
  if (result.ok) return reply.send(result.result);
  const { status } = errorCatalogue[result.error.code];
  if (result.error.retryAfterMs !== undefined) {
    reply.header('retry-after', Math.ceil(result.error.retryAfterMs / 1_000));
  }
  return reply.code(status).send(result.error);
}

function sendRefusal(reply: FastifyReply, error: CodedError) {
  return sendReply(reply, { ok: false, error: error.toBody() });
}

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'VALIDATION',
  404: 'NOT_FOUND',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_TYPE',
  429: 'RATE_LIMITED',
};

/** Fastify's own refusals (body too large, not JSON, unknown type) in the words of the catalogue. */
function translateHttpError(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return new CodedError((typeof status === 'number' ? codeOfStatus[status] : undefined) ?? 'INTERNAL');
}

function openApiOf(procedure: Procedure) {
  return {
    summary: procedure.summary,
    tags: [procedure.name.split('.')[0] ?? ''],
    body: procedure.input,
    response: { 200: { description: 'Done.', ...procedure.output } },
  };
}

/** The built messenger; every other address of it is the same page. */
async function serveMessenger(http: FastifyInstance) {
  const root = join(repositoryRoot, 'web/dist');
  if (!existsSync(join(root, 'index.html'))) return;
  await http.register(fastifyStatic, {
    root,
    wildcard: false,
    setHeaders: (response, path) => {
      const forEver = path.includes('/assets/');
      response.header('cache-control', forEver ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  http.get('/*', { schema: { hide: true } }, (request, reply) => {
    // A missing asset or API address must not answer with a page.
    const [path = '/'] = request.url.split(/[?#]/, 1);
    const isPage = !/^\/(?:api|assets|media|socket\.io)\b|\.\w+$/.test(path);
    return isPage ? reply.header('cache-control', 'no-cache').sendFile('index.html') : reply.callNotFound();
  });
}
