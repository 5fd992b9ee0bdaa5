import { hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accountLimits } from '@zvonok/shared/limits.ts';

/** The checkout: relative paths in the environment are resolved against it, wherever the process was started. */
export const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url));

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Everything the server may be told, without what must stay secret. It may be logged as a whole. */
export interface Config {
  readonly version: string;
  /**
   * HOST is loopback, PUBLIC_URL and DATABASE_URL are unset and NODE_ENV is not production. It alone seeds the demo
   * school and prints sign-in codes to the terminal; any other server refuses to start without a real SMS sender.
   */
  readonly demo: boolean;
  readonly production: boolean;
  /** The parts this process runs. Only `all` exists so far. */
  readonly role: 'all';
  readonly http: {
    readonly host: string;
    /** 0 takes any free port (tests). */
    readonly port: number;
    /** HOST is an address that only this machine reaches. */
    readonly loopback: boolean;
    /** Where people reach the server: an origin without a trailing slash; undefined in demo mode. */
    readonly publicUrl: string | undefined;
    /** The server speaks TLS itself (`secrets.tls` holds the pair). */
    readonly tls: boolean;
  };
  /** Absolute. Holds the embedded database, the generated secret and later the files. */
  readonly dataDir: string;
  readonly database: {
    /** DATABASE_URL is unset: the server starts its own PostgreSQL in DATA_DIR. */
    readonly embedded: boolean;
    readonly poolSize: number;
  };
  /** REDIS_URL is set: several nodes share rooms and counters. */
  readonly redis: boolean;
  readonly sms: 'console' | 'http';
  /** The region's own identity provider (OpenID Connect); undefined where people sign in by code and passkey alone. */
  readonly identityProvider:
    | {
        /** Its issuer identifier, exactly as it spells it. */
        readonly issuer: string;
        readonly clientId: string;
        /** What the button on the sign-in page calls it. */
        readonly name: string;
      }
    | undefined;
  readonly rtc: {
    /** The address that the media ports are bound to. */
    readonly listen: string;
    /** The address or host name that is written into ICE candidates. */
    readonly announcedAddress: string;
    /** Worker n uses the UDP and TCP port base + n. */
    readonly portBase: number;
    /** How many workers, and so ports, from the base on. */
    readonly workers: number;
  };
  readonly calls: {
    /** `auto` may install system packages with sudo -n, `root` only when running as root, `off` never prepares a worker. */
    readonly setup: 'root' | 'auto' | 'off';
    readonly workerBin: string | undefined;
  };
  readonly logLevel: LogLevel;
  /** False only for measurements, never where others can reach the server. Session, schema and policy are not affected. */
  readonly rateLimits: boolean;
}

/** What must never be logged, sent or shown. Kept apart from `Config` so that it is passed only where it is needed. */
export interface Secrets {
  /** The root of every derived key; use `deriveKey`. */
  readonly secretKey: Buffer;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  /** The SMS gateway's URL with `{phone}` and `{text}`; it usually holds the gateway's password. */
  readonly smsUrlTemplate: string | undefined;
  /** The secret of the client that the identity provider knows this server as. */
  readonly identityProviderSecret: string | undefined;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
}

/** Refusal to start: `faults` has one plain sentence for each thing that is wrong, and never a secret value. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The server can't start with this configuration:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** One variable as `.env.example` and the README show it. */
export interface ConfigVariable {
  readonly name: string;
  /** What holds while it is unset, in words where it is not a value. */
  readonly default: string;
  readonly meaning: string;
  /** A value that shows the form. */
  readonly example: string;
}

const variables = [
  {
    name: 'HOST',
    default: '127.0.0.1',
    meaning:
      'Address to listen on. Anything but loopback ends demo mode and needs PUBLIC_URL and SMS_URL_TEMPLATE.',
    example: '0.0.0.0',
  },
  {
    name: 'PORT',
    default: '3000',
    meaning: 'Port of the messenger, its API and its sockets.',
    example: '3000',
  },
  {
    name: 'PUBLIC_URL',
    default: 'none; demo mode serves http://localhost:PORT',
    meaning:
      'The origin that people type. Browsers of other origins are refused. https outside this machine.',
    example: 'https://chat.school29.example',
  },
  {
    name: 'DATA_DIR',
    default: '.data in the checkout',
    meaning:
      'Holds the embedded database, uploaded files and the generated secret. Relative to the checkout. Back it up.',
    example: '/var/lib/zvonok',
  },
  {
    name: 'DATABASE_URL',
    default: 'an embedded PostgreSQL 18 in DATA_DIR',
    meaning: 'An existing PostgreSQL 15 to 18, UTF8, with fsync, synchronous_commit and full_page_writes on.',
    example: 'postgres://zvonok:password@db.internal:5432/zvonok',
  },
  {
    name: 'DATABASE_POOL',
    default: '10',
    meaning: 'Connections to the database that this process opens at most (2 to 100).',
    example: '10',
  },
  {
    name: 'REDIS_URL',
    default: 'none; one node needs no Redis',
    meaning: 'Joins several nodes: rooms, rate limits and presence are shared through it. Needs SECRET_KEY.',
    example: 'redis://:password@redis.internal:6379',
  },
  {
    name: 'SECRET_KEY',
    default: 'generated once into DATA_DIR/secret-key',
    meaning:
      'At least 32 random characters, the same on every node; codes, tickets and tokens are derived from it.',
    example: '(openssl rand -hex 32)',
  },
  {
    name: 'SMS_URL_TEMPLATE',
    default: 'none; demo mode prints codes to the terminal',
    meaning: "The SMS gateway's https URL; {phone} and {text} are filled in. Required outside demo mode.",
    example: 'https://sms.example/send?key=secret&to={phone}&text={text}',
  },
  {
    name: 'OIDC_ISSUER',
    default: 'none; people sign in by code and passkey',
    meaning:
      "The region's own identity provider (OpenID Connect): its issuer URL, https. With OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.",
    example: 'https://id.region.example',
  },
  {
    name: 'OIDC_CLIENT_ID',
    default: 'none',
    meaning: 'What the provider knows this server as. Its redirect URI is PUBLIC_URL/api/auth/oidc/callback.',
    example: 'zvonok',
  },
  {
    name: 'OIDC_CLIENT_SECRET',
    default: 'none',
    meaning: 'The secret that belongs to OIDC_CLIENT_ID.',
    example: '(from the provider)',
  },
  {
    name: 'OIDC_NAME',
    default: 'the host of OIDC_ISSUER',
    meaning: 'What the button on the sign-in page calls the provider.',
    example: 'Моя область',
  },
  {
    name: 'TLS_CERT',
    default: 'none; plain HTTP, for loopback or behind a proxy',
    meaning: 'Path of the certificate chain (PEM). With TLS_KEY the server speaks HTTPS itself.',
    example: '/etc/zvonok/fullchain.pem',
  },
  {
    name: 'TLS_KEY',
    default: 'none',
    meaning: 'Path of the private key (PEM) that belongs to TLS_CERT.',
    example: '/etc/zvonok/privkey.pem',
  },
  {
    name: 'ANNOUNCED_ADDRESS',
    default: 'the host of PUBLIC_URL, else 127.0.0.1',
    meaning: 'The public IP address or host name that call media is sent to.',
    example: '203.0.113.10',
  },
  {
    name: 'RTC_LISTEN',
    default: '127.0.0.1 in demo mode, else 0.0.0.0',
    meaning: 'The IP address that the media ports are bound to.',
    example: '0.0.0.0',
  },
  {
    name: 'RTC_PORT_BASE',
    default: '40000',
    meaning: 'First media port. Each worker uses one port, UDP and TCP: open as many as there are workers.',
    example: '40000',
  },
  {
    name: 'RTC_WORKERS',
    default: 'one per processor core',
    meaning: 'Number of media workers (1 to 64).',
    example: '2',
  },
  {
    name: 'CALLS_SETUP',
    default: 'packages are installed only as root',
    meaning: 'auto: may install what the media worker needs with sudo. off: calls are switched off.',
    example: 'auto',
  },
  {
    name: 'MEDIASOUP_WORKER_BIN',
    default: 'found in the cache, downloaded or built',
    meaning: 'Path of a ready media worker of the mediasoup version in server/package.json.',
    example: '/usr/local/lib/mediasoup-worker',
  },
  {
    name: 'NODE_ENV',
    default: 'none',
    meaning: 'production switches demo mode and every development shortcut off.',
    example: 'production',
  },
  {
    name: 'ROLE',
    default: 'all',
    meaning: 'The parts this process runs. gateway and media alone come later.',
    example: 'all',
  },
  {
    name: 'LOG_LEVEL',
    default: 'info; warn in demo mode',
    meaning: 'trace, debug, info, warn, error, fatal or silent.',
    example: 'info',
  },
  {
    name: 'RATE_LIMITS',
    default: 'on',
    meaning: 'off lifts the rate limits for measurements; refused where others can reach the server.',
    example: 'on',
  },
] as const satisfies readonly ConfigVariable[];

type VariableName = (typeof variables)[number]['name'];

/** Every variable that the server reads, in the order to be shown. `.env.example` is generated from it. */
export const describeConfig = (): readonly ConfigVariable[] => variables;

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/**
 * Reads the environment. Empty variables count as unset.
 *
 * Reads the files that TLS_CERT and TLS_KEY name, and when SECRET_KEY is unset reads or creates
 * `DATA_DIR/secret-key` (mode 0600). It touches no disk for writing unless everything else is right.
 *
 * @throws ConfigError naming every fault at once
 */
export const readConfig = (
  env: Readonly<Record<string, string | undefined>>,
): { config: Config; secrets: Secrets } => {
  const faults: string[] = [];
  const fault = (text: string): undefined => {
    faults.push(text);
  };
  const text = (name: VariableName): string | undefined => {
    const value = env[name]?.trim();
    return value === '' ? undefined : value;
  };
  const integer = (name: VariableName, fallback: number, min: number, max: number): number => {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    fault(`${name} must be a whole number from ${min} to ${max}.`);
    return fallback;
  };
  const oneOf = <T extends string>(name: VariableName, allowed: readonly T[], fallback: T): T => {
    const value = text(name);
    if (value === undefined) return fallback;
    const found = allowed.find((each) => each === value);
    if (found !== undefined) return found;
    fault(`${name} must be one of ${allowed.join(', ')}.`);
    return fallback;
  };
  const url = (name: VariableName, schemes: readonly string[]): URL | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (parsed !== undefined && schemes.includes(parsed.protocol.slice(0, -1)) && parsed.hostname !== '') {
      return parsed;
    }
    return fault(
      `${name} must be a URL that starts with ${schemes.map((each) => `${each}://`).join(' or ')}.`,
    );
  };
  const file = (name: VariableName): Buffer | undefined => {
    const path = text(name);
    if (path === undefined) return undefined;
    try {
      return readFileSync(resolve(repositoryRoot, path));
    } catch (error) {
      return fault(`${name}: ${path} can't be read (${errorCode(error)}).`);
    }
  };

  const host = text('HOST') ?? '127.0.0.1';
  const loopback = isLoopback(host);
  if (host !== 'localhost' && isIP(host) === 0) {
    fault('HOST must be an IP address to listen on, or localhost; the public name goes into PUBLIC_URL.');
  }
  const port = integer('PORT', 3000, 0, 65_535);
  const production = text('NODE_ENV') === 'production';
  const demo =
    loopback && text('PUBLIC_URL') === undefined && text('DATABASE_URL') === undefined && !production;

  const publicUrl = readPublicUrl();
  function readPublicUrl(): string | undefined {
    const parsed = url('PUBLIC_URL', ['https', 'http']);
    if (parsed === undefined) return undefined;
    if (parsed.pathname !== '/' || parsed.search !== '' || parsed.hash !== '' || parsed.username !== '') {
      return fault('PUBLIC_URL must be an origin alone: no path, query or user.');
    }
    if (parsed.protocol === 'http:' && (production || !isLoopback(parsed.hostname.replace(/^\[|\]$/g, '')))) {
      return fault(
        'PUBLIC_URL must start with https: browsers give cameras and secure cookies to nothing else.',
      );
    }
    return parsed.origin;
  }
  if (text('PUBLIC_URL') === undefined && !loopback) {
    fault('PUBLIC_URL is required when HOST is not loopback: browsers are let in by exact origin.');
  }
  if (text('PUBLIC_URL') === undefined && loopback && production) {
    fault('PUBLIC_URL is required in production: browsers are let in by exact origin.');
  }

  const cert = file('TLS_CERT');
  const key = file('TLS_KEY');
  if ((text('TLS_CERT') === undefined) !== (text('TLS_KEY') === undefined)) {
    fault('TLS_CERT and TLS_KEY belong together: set both or neither.');
  }

  const smsUrlTemplate = readSmsTemplate();
  function readSmsTemplate(): string | undefined {
    const template = text('SMS_URL_TEMPLATE');
    if (template === undefined) {
      return demo
        ? undefined
        : fault(
            'SMS_URL_TEMPLATE is required: sign-in codes are printed to the terminal only in demo mode ' +
              '(loopback HOST, no PUBLIC_URL, no DATABASE_URL, NODE_ENV not production).',
          );
    }
    if (!template.includes('{phone}') || !template.includes('{text}')) {
      return fault('SMS_URL_TEMPLATE must contain {phone} and {text}.');
    }
    const parsed = url('SMS_URL_TEMPLATE', ['https', 'http']);
    if (parsed === undefined) return undefined;
    if (/[{}]|%7B|%7D/i.test(parsed.host)) {
      return fault('SMS_URL_TEMPLATE must not put {phone} or {text} into the host.');
    }
    if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname.replace(/^\[|\]$/g, ''))) {
      return fault('SMS_URL_TEMPLATE must start with https: phones and codes travel in it.');
    }
    return template;
  }

  const identityProvider = readIdentityProvider();
  function readIdentityProvider(): Config['identityProvider'] {
    const issuer = text('OIDC_ISSUER');
    const clientId = text('OIDC_CLIENT_ID');
    const set = [issuer, clientId, text('OIDC_CLIENT_SECRET')].filter((value) => value !== undefined);
    if (set.length === 0) return undefined;
    if (issuer === undefined || clientId === undefined || set.length < 3) {
      return fault(
        'OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together: set all three or none.',
      );
    }
    const parsed = url('OIDC_ISSUER', ['https', 'http']);
    if (parsed === undefined) return undefined;
    if (parsed.search !== '' || parsed.hash !== '' || parsed.username !== '' || parsed.password !== '') {
      return fault('OIDC_ISSUER must be the bare issuer URL: no query, fragment or user.');
    }
    if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname.replace(/^\[|\]$/g, ''))) {
      return fault('OIDC_ISSUER must start with https: whoever is on the way could be anybody.');
    }
    const name = text('OIDC_NAME') ?? parsed.hostname;
    if (name.length > accountLimits.identityNameLength || /\p{C}/u.test(name)) {
      return fault(`OIDC_NAME must be at most ${accountLimits.identityNameLength} printable characters.`);
    }
    return { issuer, clientId, name };
  }

  const databaseUrl = url('DATABASE_URL', ['postgres', 'postgresql']) && text('DATABASE_URL');
  const redisUrl = url('REDIS_URL', ['redis', 'rediss']) && text('REDIS_URL');

  const role = text('ROLE') ?? 'all';
  if (role === 'gateway' || role === 'media') {
    fault(`ROLE=${role} is not supported yet: one process runs everything (all).`);
  } else if (role !== 'all') {
    fault('ROLE must be all.');
  }

  const rateLimits = oneOf('RATE_LIMITS', ['on', 'off'], 'on') === 'on';
  if (!rateLimits && (production || !loopback || publicUrl?.startsWith('https:') === true)) {
    // Codes of six digits are safe by their limits alone.
    fault('RATE_LIMITS=off is for measurements on this machine: refused where others can reach the server.');
  }

  const workers = integer('RTC_WORKERS', Math.min(64, availableParallelism()), 1, 64);
  const portBase = integer('RTC_PORT_BASE', 40_000, 1_024, 65_535 - workers + 1);
  const rtcListen = text('RTC_LISTEN') ?? (demo ? '127.0.0.1' : '0.0.0.0');
  if (isIP(rtcListen) === 0) fault('RTC_LISTEN must be an IP address.');
  const announcedAddress =
    text('ANNOUNCED_ADDRESS') ?? (publicUrl === undefined ? '127.0.0.1' : new URL(publicUrl).hostname);
  if (!/^[\w.:-]{1,253}$/.test(announcedAddress)) {
    fault('ANNOUNCED_ADDRESS must be an IP address or a host name, without a port or scheme.');
  }

  const callsSetup = oneOf('CALLS_SETUP', ['root', 'auto', 'off'], 'root');
  const workerBin = text('MEDIASOUP_WORKER_BIN');
  if (workerBin !== undefined && !existsSync(resolve(repositoryRoot, workerBin))) {
    fault(`MEDIASOUP_WORKER_BIN: ${workerBin} does not exist.`);
  }
  // In demo mode a person reads the terminal, and codes appear there.
  const logLevel = oneOf('LOG_LEVEL', logLevels, demo ? 'warn' : 'info');
  const poolSize = integer('DATABASE_POOL', 10, 2, 100);

  const givenSecret = text('SECRET_KEY');
  if (givenSecret !== undefined && givenSecret.length < 32) {
    fault('SECRET_KEY must have at least 32 characters (openssl rand -hex 32).');
  }
  if (givenSecret === undefined && redisUrl !== undefined) {
    fault('SECRET_KEY is required with REDIS_URL: every node must have the same one.');
  }

  const dataDir = resolve(repositoryRoot, text('DATA_DIR') ?? '.data');
  if (faults.length > 0) throw new ConfigError(faults);

  const secretKey = givenSecret === undefined ? keptSecret(dataDir) : Buffer.from(givenSecret);
  return {
    config: {
      version: packageVersion(),
      demo,
      production,
      role: 'all',
      http: { host, port, loopback, publicUrl, tls: cert !== undefined },
      dataDir,
      database: { embedded: databaseUrl === undefined, poolSize },
      redis: redisUrl !== undefined,
      sms: smsUrlTemplate === undefined ? 'console' : 'http',
      identityProvider,
      rtc: { listen: rtcListen, announcedAddress, portBase, workers },
      calls: {
        setup: callsSetup,
        workerBin: workerBin === undefined ? undefined : resolve(repositoryRoot, workerBin),
      },
      logLevel,
      rateLimits,
    },
    secrets: {
      secretKey,
      databaseUrl,
      redisUrl,
      smsUrlTemplate,
      identityProviderSecret: identityProvider === undefined ? undefined : text('OIDC_CLIENT_SECRET'),
      tls: cert === undefined || key === undefined ? undefined : { cert, key },
    },
  };
};

/**
 * A 32-byte key for one purpose (`media-ticket`, `code-hash`), so that a key leaked in one place opens nothing else.
 * The same on every node that has the same SECRET_KEY.
 */
export const deriveKey = (secrets: Pick<Secrets, 'secretKey'>, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secrets.secretKey, 'zvonok', purpose, 32));

const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';

const packageVersion = (): string => {
  const parsed: unknown = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : '0';
};

/** Reads `DATA_DIR/secret-key` or makes it; of two processes that start at once both get the one that was written first. */
const keptSecret = (dataDir: string): Buffer => {
  const path = join(dataDir, 'secret-key');
  try {
    mkdirSync(dataDir, { recursive: true });
    if (!existsSync(path)) {
      try {
        writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
    }
    chmodSync(path, 0o600);
    const value = readFileSync(path, 'utf8').trim();
    if (value.length >= 32) return Buffer.from(value);
  } catch (error) {
    throw new ConfigError([`DATA_DIR: ${path} can't be read or created (${errorCode(error)}).`]);
  }
  throw new ConfigError([`DATA_DIR: ${path} is damaged: it must hold at least 32 characters.`]);
};
