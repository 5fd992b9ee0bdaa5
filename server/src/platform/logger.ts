import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import type { Config } from './config.ts';

export type { Logger } from 'pino';

/**
 * Names whose values never reach a log, at any depth, in any spelling (`phoneNumber`, `PHONE`, `set-cookie`). A one-time
 * code hides under `code`, so that name is dropped too: log an error's code by logging the error (`{ err }`), or as `errorCode`.
 */
const forbiddenNames =
  /phone|e-?mail|^text$|^body$|^payload$|^input$|^code$|^codes$|onetime|token|ticket|cookie|authorization|password|secret|credential|^headers?$|rawHeaders|^query$|^params$|^parameters$|^args$|fullname|firstname|lastname|patronymic|^detail$|^url$/i;

/** What looks like a phone: international with a plus, or eleven digits the Russian way; not part of an id. */
const phoneLike =
  /\+\d[\d\s()-]{7,}\d|(?<![\w-])[78][\s(-]*\d{3}[\s)-]*\d{3}[\s-]*\d{2}[\s-]*\d{2}(?![\w-])/g;
/** 256-bit tokens in base64url or hex, as sessions, invites and tickets are; UUIDs are shorter and have dashes. */
const tokenLike = /(?<![\w-])[\w-]{40,}(?:\.[\w-]+)*(?![\w-])/g;
const urlQuery = /(https?:\/\/[^\s?#]+|\/[\w./-]*)\?[^\s'"]*/g;

const removed = '[removed]';
const maxDepth = 6;
const maxItems = 50;
const maxText = 2_000;

const scrubText = (text: string): string =>
  text
    .slice(0, maxText)
    .replace(urlQuery, `$1?${removed}`)
    .replace(phoneLike, removed)
    .replace(tokenLike, removed);

const scrubValue = (value: unknown, depth: number): unknown => {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth >= maxDepth) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, maxItems).map((each) => scrubValue(each, depth + 1));
  return scrubObject(value, depth + 1);
};

const scrubObject = (object: object, depth: number): Record<string, unknown> => {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object).slice(0, maxItems)) {
    result[name] = forbiddenNames.test(name) && value !== undefined ? removed : scrubValue(value, depth);
  }
  return result;
};

const stringOf = (error: object, name: string): string | undefined => {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
};

/** SQLSTATE (five), a system code (ECONNREFUSED) or one of our catalogue; a one-time code is none of them. */
const wordCode = /^(?:[0-9A-Z]{5}|[A-Z][A-Z0-9_]{2,60})$/;

/**
 * An error as it is logged. A database error's message, detail and query may hold what people wrote or their phones
 * (`Key (phone)=(+7…) already exists`, `invalid input syntax for …: "…"`; drizzle repeats all parameters), so of those
 * only the code and the names of table and constraint are kept.
 */
const describeError = (error: Error, depth = 0): Record<string, unknown> => {
  const code = stringOf(error, 'code');
  const fromDatabase = 'severity' in error || ('query' in error && 'params' in error);
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: error.name,
    ...(code !== undefined && wordCode.test(code) ? { errorCode: code } : {}),
    ...(fromDatabase
      ? {
          table: stringOf(error, 'table_name'),
          constraint: stringOf(error, 'constraint_name'),
          routine: stringOf(error, 'routine'),
        }
      : { message: scrubText(error.message) }),
    stack: frames?.slice(0, 20).join('\n'),
    ...(error.cause instanceof Error && depth < maxDepth
      ? { cause: describeError(error.cause, depth + 1) }
      : {}),
  };
};

const describeRequest = (request: unknown): unknown => {
  if (typeof request !== 'object' || request === null) return undefined;
  const route: unknown = Reflect.get(request, 'routeOptions');
  const pattern = typeof route === 'object' && route !== null ? stringOf(route, 'url') : undefined;
  // The route's pattern, not the address: an invite's link or a file's ticket is part of the address.
  return { id: stringOf(request, 'id'), method: stringOf(request, 'method'), route: pattern ?? '(none)' };
};

const describeReply = (reply: unknown): unknown =>
  typeof reply === 'object' && reply !== null ? { statusCode: Reflect.get(reply, 'statusCode') } : undefined;

/**
 * The process's logger: JSON lines for machines, on standard output unless another `destination` is given.
 *
 * Guarantee: no phone, text, code, token, cookie or header is written, whatever a caller passes: values under telling
 * names are dropped at every depth, strings lose what looks like a phone, a token or a query, errors of the database keep
 * only their codes, requests their method and route pattern. It is a net under careful callers, not a licence.
 */
export const createLogger = (config: Pick<Config, 'logLevel'>, destination?: DestinationStream): Logger => {
  const options: LoggerOptions = {
    level: config.logLevel,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: {
      err: (error: unknown) => (error instanceof Error ? describeError(error) : scrubValue(error, 0)),
      error: (error: unknown) => (error instanceof Error ? describeError(error) : scrubValue(error, 0)),
      req: describeRequest,
      request: describeRequest,
      res: describeReply,
      reply: describeReply,
    },
    formatters: {
      level: (label) => ({ level: label }),
      bindings: (bindings) => scrubTop(bindings),
      log: (object) => scrubTop(object),
    },
    hooks: {
      logMethod(args, method) {
        // Message and format arguments are strings of the caller's making.
        const scrubbed = args.map((arg: unknown, index) =>
          typeof arg === 'string' ? scrubText(arg) : index === 0 ? arg : scrubValue(arg, 0),
        );
        const [first, ...rest] = scrubbed;
        const error = first instanceof Error ? first : errorWithin(first);
        // Without a message of the caller's pino would copy the error's own, unscrubbed.
        if (error === undefined || typeof rest[0] === 'string')
          return Reflect.apply(method, this, putErrorAside(scrubbed));
        Reflect.apply(
          method,
          this,
          putErrorAside([first, stringOf(describeError(error), 'message') ?? error.name]),
        );
      },
    },
  };
  const logger = destination === undefined ? pino(options) : pino(options, destination);
  // pino passes a child's bindings by the formatter above. Children inherit this from their parent.
  const { child } = logger;
  logger.child = function (this: Logger, bindings, childOptions) {
    return Reflect.apply(child, this, [scrubTop(bindings), childOptions]);
  } as typeof child;
  return logger;
};

const errorWithin = (value: unknown): Error | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  const error: unknown = Reflect.get(value, 'err');
  return error instanceof Error ? error : undefined;
};

/** `log.error(error, …)` as `log.error({ err: error }, …)`. */
const putErrorAside = ([first, ...rest]: readonly unknown[]): unknown[] =>
  first instanceof Error ? [{ err: first }, ...rest] : [first, ...rest];

/** The names that serializers of their own take care of (they run after the formatter). */
const serialized = new Set(['err', 'error', 'req', 'request', 'res', 'reply']);

const scrubTop = (object: Record<string, unknown>): Record<string, unknown> => {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object)) {
    if (serialized.has(name)) result[name] = value;
    else result[name] = forbiddenNames.test(name) && value !== undefined ? removed : scrubValue(value, 0);
  }
  return result;
};
