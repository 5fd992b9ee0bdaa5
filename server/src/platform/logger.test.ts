import fastify from 'fastify';
import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';

const phone = '+79161234567';
const canaries = {
  phone,
  phoneSpelled: '8 (916) 123-45-67',
  text: 'Canary text of a message',
  code: '493817',
  token: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4',
  cookie: 'zvonok_session=canarycookie',
  authorization: 'Bearer canarybearer',
};

const capture = () => {
  const lines: string[] = [];
  const logger = createLogger({ logLevel: 'trace' }, { write: (line: string) => void lines.push(line) });
  return { logger, lines };
};

const expectClean = (lines: readonly string[]) => {
  const all = lines.join('\n');
  for (const [name, canary] of Object.entries(canaries)) expect(all, name).not.toContain(canary);
};

it('keeps what it is for', () => {
  const { logger, lines } = capture();
  logger.info({ conversationId: '0198c0de-1234-7890-8123-456789012345', attempt: 3 }, 'conversation opened');
  logger.warn({ err: Object.assign(new Error('it broke'), { code: 'ECONNREFUSED' }) }, 'failed');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    conversationId: '0198c0de-1234-7890-8123-456789012345',
    attempt: 3,
    msg: 'conversation opened',
  });
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({
    err: {
      type: 'Error',
      message: 'it broke',
      errorCode: 'ECONNREFUSED',
      stack: expect.stringContaining('at '),
    },
  });
});

it('writes no personal data or secret, wherever a caller puts it', () => {
  const { logger, lines } = capture();
  const { text, code, token, cookie, authorization } = canaries;
  logger.info({ phone, text, code, token, cookie, authorization }, 'top level');
  logger.info({ account: { phoneNumber: phone, sessions: [{ sessionToken: token }] } }, 'nested');
  logger.info({ input: { as: 'x', text }, payload: { body: { text } } }, 'procedure');
  logger.info({ headers: { cookie, authorization, 'x-forwarded-for': '1.2.3.4' } }, 'headers');
  logger.info({ rows: [[phone, token]] }, 'unnamed values');
  logger.info(`sent to ${phone} and ${canaries.phoneSpelled}`);
  logger.info('sent to %s with %s', phone, token);
  logger.info({ note: `GET /i/x?invite=${token}` }, 'query');
  logger.child({ phone, token, session: { cookie } }).info('child');
  logger.error(new Error(`no such account ${phone}`), 'as first argument');
  logger.error(new Error(`no such account ${phone}`));
  logger.error({ err: new Error(`bad token ${token}`, { cause: new Error(phone) }) });
  logger.error({ reason: new Error(phone), list: [new Error(token)] });
  logger.error(
    {
      err: Object.assign(new Error(`Failed query: insert into messages\nparams: ${text},${phone}`), {
        query: 'insert into messages',
        params: [text, phone, code],
        cause: Object.assign(new Error(`invalid input syntax: "${text}"`), {
          name: 'PostgresError',
          code: '22P02',
          severity: 'ERROR',
          detail: `Key (phone)=(${phone}) already exists.`,
          parameters: [text],
        }),
      }),
    },
    'database',
  );
  expect(lines).toHaveLength(14);
  expectClean(lines);
  // The database's own code survives the cleaning.
  expect(lines.at(-1)).toContain('22P02');
});

it('logs a request by its route pattern, without address, headers and body', async () => {
  const { logger, lines } = capture();
  const server = fastify({ loggerInstance: logger });
  server.post('/i/:token', (request) => {
    request.log.info({ req: request, body: request.body }, 'inside');
    request.log.error({ err: new Error(canaries.token) });
    throw new Error(`for ${phone}`);
  });
  await server.inject({
    method: 'POST',
    url: `/i/${canaries.token}?code=${canaries.code}`,
    headers: { cookie: canaries.cookie, authorization: canaries.authorization },
    payload: { phone, text: canaries.text },
  });
  await server.inject({ method: 'GET', url: `/absent/${canaries.token}` });
  await server.close();
  expect(lines.some((line) => line.includes('/i/:token'))).toBe(true);
  expectClean(lines);
});

it('survives values that can not be written', () => {
  const { logger, lines } = capture();
  const circular: Record<string, unknown> = { big: 10n, buffer: Buffer.alloc(4), date: new Date(0) };
  circular.self = circular;
  logger.info(circular, 'circular');
  logger.info(null as never);
  logger.info({ long: 'x '.repeat(100_000) }, 'long');
  expect(lines).toHaveLength(3);
  expect((lines[2] ?? '').length).toBeLessThan(5_000);
});
