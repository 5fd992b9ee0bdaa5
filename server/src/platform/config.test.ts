import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, deriveKey, describeConfig, readConfig, repositoryRoot } from './config.ts';

const directory = mkdtempSync(join(tmpdir(), 'zvonok-config-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A server as a school runs it. */
const deployed = {
  HOST: '0.0.0.0',
  PUBLIC_URL: 'https://chat.school29.example',
  DATABASE_URL: 'postgres://zvonok:dbpassword@db:5432/zvonok',
  SMS_URL_TEMPLATE: 'https://sms.example/send?key=smskey&to={phone}&text={text}',
  SECRET_KEY: 'k'.repeat(64),
  NODE_ENV: 'production',
};

const read = (env: Record<string, string>) => readConfig({ DATA_DIR: join(directory, 'data'), ...env });

const faultsOf = (env: Record<string, string>): readonly string[] => {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe('demo mode', () => {
  it('holds on an empty environment, listening on loopback', () => {
    const { config, secrets } = readConfig({ DATA_DIR: join(directory, 'empty') });
    expect(config).toMatchObject({
      demo: true,
      sms: 'console',
      http: { host: '127.0.0.1', port: 3000, loopback: true, publicUrl: undefined, tls: false },
      database: { embedded: true },
      redis: false,
      rateLimits: true,
    });
    expect(secrets.databaseUrl).toBeUndefined();
  });

  it.each<[string, Record<string, string>]>([
    ['HOST is not loopback', { HOST: '0.0.0.0' }],
    ['PUBLIC_URL is set', { PUBLIC_URL: 'https://chat.example' }],
    ['DATABASE_URL is set', { DATABASE_URL: 'postgres://u:p@localhost/z' }],
    ['NODE_ENV is production', { NODE_ENV: 'production' }],
  ])('ends when %s: the console sender is refused', (_why, env) => {
    expect(faultsOf(env)).toContainEqual(expect.stringContaining('SMS_URL_TEMPLATE is required'));
  });

  it('has other loopback addresses, and none that merely look like it', () => {
    expect(read({ HOST: '127.8.8.8' }).config.demo).toBe(true);
    expect(read({ HOST: 'localhost' }).config.demo).toBe(true);
    expect(read({ HOST: '::1' }).config.demo).toBe(true);
    expect(faultsOf({ HOST: '127.0.0.1.example.com' })).not.toEqual([]);
    expect(faultsOf({ HOST: '::' })).not.toEqual([]);
  });
});

it('reads a deployed server', () => {
  const { config, secrets } = read({ ...deployed, PORT: '8443', RTC_WORKERS: '2' });
  expect(config).toMatchObject({
    demo: false,
    production: true,
    sms: 'http',
    http: { host: '0.0.0.0', port: 8443, publicUrl: 'https://chat.school29.example' },
    database: { embedded: false },
    rtc: { listen: '0.0.0.0', announcedAddress: 'chat.school29.example', portBase: 40_000, workers: 2 },
  });
  expect(secrets.smsUrlTemplate).toBe(deployed.SMS_URL_TEMPLATE);
});

it('names every fault at once, without showing a secret', () => {
  const DATA_DIR = join(directory, 'never-made');
  const faults = faultsOf({
    DATA_DIR,
    HOST: 'chat.example',
    PORT: '99999',
    PUBLIC_URL: 'http://chat.example/path',
    DATABASE_URL: 'mysql://u:topsecret@db/z',
    REDIS_URL: 'http://:topsecret@redis',
    SMS_URL_TEMPLATE: 'https://sms.example/?key=topsecret',
    SECRET_KEY: 'topsecret',
    TLS_CERT: join(directory, 'missing.pem'),
    ROLE: 'media',
    LOG_LEVEL: 'loud',
    RATE_LIMITS: 'off',
    NODE_ENV: 'production',
    DATABASE_POOL: '1',
    RTC_PORT_BASE: '80',
    RTC_LISTEN: 'eth0',
    ANNOUNCED_ADDRESS: 'https://x',
    CALLS_SETUP: 'maybe',
    MEDIASOUP_WORKER_BIN: join(directory, 'missing'),
  });
  for (const name of [
    ...[
      'HOST',
      'PORT',
      'PUBLIC_URL',
      'DATABASE_URL',
      'REDIS_URL',
      'SMS_URL_TEMPLATE',
      'SECRET_KEY',
      'TLS_CERT',
    ],
    ...[
      'ROLE',
      'LOG_LEVEL',
      'RATE_LIMITS',
      'DATABASE_POOL',
      'RTC_PORT_BASE',
      'RTC_LISTEN',
      'ANNOUNCED_ADDRESS',
    ],
    ...['CALLS_SETUP', 'MEDIASOUP_WORKER_BIN', 'TLS_KEY'],
  ]) {
    expect(faults.join('\n'), name).toContain(name);
  }
  expect(faults.join('\n')).not.toContain('topsecret');
  // Nothing was written on the way.
  expect(existsSync(DATA_DIR)).toBe(false);
});

const provider = {
  OIDC_ISSUER: 'https://id.example/realm',
  OIDC_CLIENT_ID: 'zvonok',
  OIDC_CLIENT_SECRET: 's',
};

it('reads the region’s identity provider, its secret apart, plain http on this machine alone', () => {
  const DATA_DIR = join(directory, 'provider');
  const { config, secrets } = readConfig({ DATA_DIR, ...provider });
  expect(config.identityProvider).toEqual({
    issuer: 'https://id.example/realm',
    clientId: 'zvonok',
    name: 'id.example',
  });
  expect(secrets.identityProviderSecret).toBe('s');
  expect(JSON.stringify(config)).not.toContain('"s"');
  const local = readConfig({
    DATA_DIR,
    ...provider,
    OIDC_ISSUER: 'http://localhost:9/',
    OIDC_NAME: 'Область',
  });
  expect(local.config.identityProvider).toMatchObject({ issuer: 'http://localhost:9/', name: 'Область' });
});

it.each<[string, Record<string, string>, string]>([
  ['no rate limits where others reach the server', { ...deployed, RATE_LIMITS: 'off' }, 'RATE_LIMITS'],
  ['plain http for the public address', { ...deployed, PUBLIC_URL: 'http://chat.example' }, 'https'],
  [
    'plain http to the SMS gateway',
    { ...deployed, SMS_URL_TEMPLATE: 'http://sms.example/{phone}/{text}' },
    'https',
  ],
  [
    'a phone that picks the host',
    { ...deployed, SMS_URL_TEMPLATE: 'https://{phone}.example/{text}' },
    'SMS_URL',
  ],
  ['nodes with different secrets', { REDIS_URL: 'redis://localhost' }, 'SECRET_KEY'],
  ['an open server without a known origin', { HOST: '0.0.0.0' }, 'PUBLIC_URL'],
  ['half an identity provider', { ...provider, OIDC_CLIENT_SECRET: '' }, 'OIDC_CLIENT_SECRET'],
  ['an identity provider over plain http', { ...provider, OIDC_ISSUER: 'http://id.example' }, 'https'],
  ['an issuer with a query', { ...provider, OIDC_ISSUER: 'https://id.example/?a=b' }, 'OIDC_ISSUER'],
  ['a provider without an end to its name', { ...provider, OIDC_NAME: 'Я'.repeat(61) }, 'OIDC_NAME'],
  ['roles that do not exist yet', { ROLE: 'gateway' }, 'not supported yet'],
])('refuses %s', (_what, env, words) => {
  expect(faultsOf(env).join('\n')).toContain(words);
});

it('reads the TLS pair', () => {
  const cert = join(directory, 'cert.pem');
  const key = join(directory, 'key.pem');
  writeFileSync(cert, 'certificate');
  writeFileSync(key, 'private');
  const { config, secrets } = read({ TLS_CERT: cert, TLS_KEY: key });
  expect(config.http.tls).toBe(true);
  expect(secrets.tls?.key.toString()).toBe('private');
});

describe('SECRET_KEY', () => {
  it('is generated once into DATA_DIR, for its owner alone', () => {
    const DATA_DIR = join(directory, 'generated');
    const first = readConfig({ DATA_DIR }).secrets;
    const second = readConfig({ DATA_DIR }).secrets;
    expect(first.secretKey.length).toBeGreaterThanOrEqual(32);
    expect(second.secretKey).toEqual(first.secretKey);
    expect(statSync(join(DATA_DIR, 'secret-key')).mode & 0o777).toBe(0o600);
  });

  it('is not replaced when damaged: every session would die silently', () => {
    const DATA_DIR = join(directory, 'damaged');
    readConfig({ DATA_DIR });
    writeFileSync(join(DATA_DIR, 'secret-key'), 'short');
    expect(() => readConfig({ DATA_DIR })).toThrow(/damaged/);
  });

  it('gives a different key for each purpose, the same each time', () => {
    const secrets = { secretKey: Buffer.from('k'.repeat(64)) };
    expect(deriveKey(secrets, 'a')).toEqual(deriveKey(secrets, 'a'));
    expect(deriveKey(secrets, 'a')).not.toEqual(deriveKey(secrets, 'b'));
    expect(deriveKey(secrets, 'a')).toHaveLength(32);
  });
});

it('describes every variable that it reads', () => {
  const source = readFileSync(join(repositoryRoot, 'server/src/platform/config.ts'), 'utf8');
  const readNames = [...source.matchAll(/(?:text|integer|oneOf|url|file)\('([A-Z_]+)'/g)].map(
    (match) => match[1],
  );
  expect([...new Set(readNames)].sort()).toEqual(
    describeConfig()
      .map((variable) => variable.name)
      .sort(),
  );
});
