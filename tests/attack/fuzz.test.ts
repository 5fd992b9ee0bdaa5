// long: it tries everything on everything
import { contractVersion, errorCatalogue, procedureContract } from '@zvonok/shared';
import { io, type Socket } from 'socket.io-client';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { demoOperator, demoPeople } from '../harness/demo.ts';
import { hostileInputs, nestedJson, sampleOf } from './inputs.ts';

type Ack = { ok: true; result: unknown } | { ok: false; error: { code: string } };

/** Also whoever runs the server, who is a member of nothing. */
const people = { ...demoPeople, operator: demoOperator };

let running: RunningApp;
const sockets = new Map<string, { socket: Socket; token: string; as: string }>();
const unhandled: unknown[] = [];
const onUnhandled = (error: unknown) => unhandled.push(error);

beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled);
  process.on('uncaughtException', onUnhandled);
  running = await startApp({ RATE_LIMITS: 'off' }, { checkOutputs: true, demo: true });
  for (const [role, phone] of Object.entries(people)) {
    const { token, membershipId } = await running.session(phone);
    const socket = io(running.url, {
      transports: ['websocket'],
      auth: { token, version: contractVersion },
      reconnection: false,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    sockets.set(role, { socket, token, as: membershipId });
  }
});

afterAll(async () => {
  for (const { socket } of sockets.values()) socket.disconnect();
  await running?.stop();
  process.off('unhandledRejection', onUnhandled);
  process.off('uncaughtException', onUnhandled);
});

/** A catalogued answer within 5 s, and never our own fault. */
function expectCatalogued(code: string, what: () => string) {
  // Asked over a hundred thousand times: a comparison is, an expectation and its words are not for nothing.
  if (code in errorCatalogue && code !== 'INTERNAL') return;
  expect.fail(`${what()} was answered with ${code}`);
}

describe.each(Object.keys(people))('hostile input from %s', (role) => {
  it('is answered with a catalogued code, whatever the procedure', async () => {
    const seat = sockets.get(role);
    if (seat === undefined) throw new Error('No seat.');
    let answered = 0;
    for (const procedure of Object.values(procedureContract)) {
      // Ending one's own session is right, and ends this test.
      if (/^accounts\.(?:signOut|revoke|reportStrangeSignIn)/.test(procedure.name)) continue;
      for (const input of hostileInputs(procedure.input)) {
        const filled = fillAs(input, seat.as);
        const ack: Ack = await seat.socket.timeout(5_000).emitWithAck(procedure.name, filled);
        if (!ack.ok) expectCatalogued(ack.error.code, () => `${procedure.name} ${short(filled)}`);
        answered += 1;
      }
      // Without an acknowledgement, and without anything.
      seat.socket.emit(procedure.name);
      seat.socket.emit(procedure.name, sampleOf(procedure.input), 'not a function');
      seat.socket.emit(procedure.name, 1, 2, 3, 4);
    }
    expect(answered).toBeGreaterThan(1_000);
    const health = await fetch(`${running.url}/healthz`, { signal: AbortSignal.timeout(1_000) });
    expect(health.status).toBe(200);
    expect(seat.socket.connected).toBe(true);
    expect(unhandled).toEqual([]);
  }, 180_000);
});

describe('hostile input over HTTP', () => {
  const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`${running.url}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
      signal: AbortSignal.timeout(5_000),
    });

  it('is answered with a catalogued code and its status', async () => {
    const token = sockets.get('pupil')?.token ?? '';
    const bodies: [BodyInit, string][] = [
      ['', 'application/json'],
      ['null', 'application/json'],
      ['{', 'application/json'],
      [nestedJson(20_000), 'application/json'],
      [`{"as":${nestedJson(20_000)}}`, 'application/json'],
      [JSON.stringify({ text: 'x'.repeat(70_000) }), 'application/json'],
      ['as=1', 'application/x-www-form-urlencoded'],
      [new Uint8Array([0, 255, 1]), 'application/octet-stream'],
      ['<a/>', 'text/xml'],
    ];
    for (const procedure of Object.values(procedureContract)) {
      for (const [body, type] of bodies) {
        const response = await post(`/api/v1/${procedure.name}`, body, {
          'content-type': type,
          authorization: `Bearer ${token}`,
        });
        const answer = (await response.json()) as { code: keyof typeof errorCatalogue };
        const what = `${procedure.name} ${type} ${String(body).slice(0, 40)}`;
        expectCatalogued(answer.code, () => what);
        expect(response.status, what).toBe(errorCatalogue[answer.code].status);
      }
    }
  }, 120_000);

  it('needs a session for everything that is not public', async () => {
    for (const procedure of Object.values(procedureContract)) {
      if (procedure.access === 'public') continue;
      const response = await post(`/api/v1/${procedure.name}`, JSON.stringify(sampleOf(procedure.input)));
      expect(response.status, procedure.name).toBe(401);
    }
  });

  it('refuses another site’s page, with a session too', async () => {
    const token = sockets.get('admin')?.token ?? '';
    for (const origin of [
      'https://evil.example',
      'null',
      `${running.url}.evil.example`,
      'http://localhost:1',
    ]) {
      const response = await post('/api/v1/accounts.getMe', '{}', {
        origin,
        cookie: `zvonok_session=${token}`,
      });
      expect(((await response.json()) as { code: string }).code, origin).toBe('ORIGIN_REFUSED');
      expect(response.headers.get('access-control-allow-origin'), origin).toBeNull();
      const socket = io(running.url, {
        transports: ['websocket'],
        auth: { token },
        extraHeaders: { origin },
        reconnection: false,
      });
      const outcome = await new Promise((resolve) => {
        socket.once('connect', () => resolve('connected'));
        socket.once('connect_error', () => resolve('refused'));
      });
      socket.disconnect();
      expect(outcome, origin).toBe('refused');
    }
  });
});

describe('raw frames', () => {
  it.each([
    ['deep nesting', `420["chat.sendMessage",${nestedJson(20_000)}]`],
    ['a huge frame', `42["chat.sendMessage",{"text":"${'x'.repeat(80_000)}"}]`],
    ['an unknown packet', '49[]'],
    ['a reserved event', '42["connect"]'],
    ['a number as event', '42[5,{}]'],
    ['an acknowledgement of nothing', '43999["x"]'],
    ['an unfinished binary event', '451-["chat.sendMessage",{"_placeholder":true,"num":0}]'],
    ['a placeholder for nothing', '451-["chat.sendMessage",{"_placeholder":true,"num":7}]'],
    ['no JSON', '42{{{'],
    ['another namespace', '40/admin,'],
  ])('survives %s', async (_name, frame) => {
    const token = sockets.get('pupil')?.token ?? '';
    const socket = new WebSocket(`${running.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    socket.send(`40${JSON.stringify({ token, version: contractVersion })}`);
    await new Promise((resolve) => socket.addEventListener('message', resolve));
    socket.send(frame);
    if (frame.startsWith('45')) socket.send(new Uint8Array([1, 2, 3]));
    const health = await fetch(`${running.url}/healthz`, { signal: AbortSignal.timeout(1_000) });
    expect(health.status).toBe(200);
    socket.close();
    expect(unhandled).toEqual([]);
  });
});

/** The caller's own membership where a valid one was sampled, so that the input gets past the first door. */
function fillAs(input: unknown, as: string): unknown {
  if (typeof input !== 'object' || input === null || !('as' in input)) return input;
  return typeof input.as === 'string' && input.as.startsWith('01890000') ? { ...input, as } : input;
}

function short(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 120);
}

it('samples valid inputs, so that the handlers themselves are reached', () => {
  for (const procedure of Object.values(procedureContract)) {
    const sample = sampleOf(procedure.input);
    expect([...Compile(procedure.input).Errors(sample)], procedure.name).toEqual([]);
  }
});
