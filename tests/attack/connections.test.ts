// alone: it measures what others feel of a flood
import { connect } from 'node:net';
import { queryObjects } from 'node:v8';
import { contractVersion } from '@zvonok/shared';
import { Socket } from 'socket.io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { demoPeople } from '../harness/demo.ts';
import { sendRaw } from '../harness/raw-http.ts';

/** Clients that open connections for their own sake: nothing they hold outlives their right to it. */
let running: RunningApp;
let port: number;
let pupil: string;

beforeAll(async () => {
  running = await startApp({}, { demo: true });
  port = Number(new URL(running.url).port);
  pupil = (await running.session(demoPeople.pupil)).token;
});

afterAll(() => running?.stop());

const upgradeOf = (path: string, method = 'GET') =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

async function openSocket(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  return socket;
}

const helloOf = (token: string) => `40${JSON.stringify({ token, version: contractVersion })}`;

function heard(socket: WebSocket, start: string): Promise<void> {
  return new Promise((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      if (String(data).startsWith(start)) resolve();
    });
  });
}

const closed = (socket: WebSocket) =>
  new Promise<string>((resolve) => socket.addEventListener('close', () => resolve('closed')));
const within = (ms: number) => new Promise<string>((resolve) => setTimeout(() => resolve('still open'), ms));

describe('raw HTTP', () => {
  it.each(['/', '/nothing', '/media/v2', '/media/v1/', '/api/v1/accounts.getMe', '//', '/socket.iox'])(
    'ends an upgrade that is nobody’s: %s',
    async (path) => {
      await sendRaw(port, upgradeOf(path), 2_000);
    },
  );

  it('ends an upgrade of the media’s path by another method', async () => {
    await sendRaw(port, upgradeOf('/media/v1', 'POST'), 2_000);
  });

  it.each(['//', '///', '/\\', '/%00', '//evil.example/%2f..', '/%', '/api/v1/%2e%2e/%', '/?//'])(
    'answers a strange address without a fault of its own: %s',
    async (path) => {
      const { answer } = await sendRaw(
        port,
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        2_000,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 (?:200|400|404) /);
      expect(answer).not.toContain('FST_');
    },
  );
});

describe('sockets', () => {
  it('don’t stay open once their client has left the namespace', async () => {
    const socket = await openSocket();
    const welcome = heard(socket, '40');
    socket.send(helloOf(pupil));
    await welcome;
    socket.send('41');
    expect(await Promise.race([closed(socket), within(2_000)])).toBe('closed');
  });

  it('that go while they are admitted leave nothing behind', async () => {
    const gone = 60;
    const before = Number(queryObjects(Socket, { format: 'count' }));
    for (let count = 0; count < gone; count += 1) {
      const socket = await openSocket();
      socket.send(helloOf(pupil));
      socket.close();
      await closed(socket);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(Number(queryObjects(Socket, { format: 'count' })) - before).toBeLessThan(gone / 4);
  });

  it('are cut when they flood, with a session and without one', async () => {
    const stranger = await openSocket();
    for (let count = 0; count < 50; count += 1) stranger.send(helloOf('x'.repeat(43)));
    expect(await Promise.race([closed(stranger), within(2_000)])).toBe('closed');

    const member = await openSocket();
    const welcome = heard(member, '40');
    member.send(helloOf(pupil));
    await welcome;
    for (let count = 0; count < 3_000; count += 1) member.send('42["chat.nothing"]');
    expect(await Promise.race([closed(member), within(3_000)])).toBe('closed');
  });
});

it('a stop waits for nobody who asked for an upgrade', async () => {
  const other = await startApp({}, { demo: true });
  const lingering = connect(Number(new URL(other.url).port), '127.0.0.1');
  lingering.on('error', () => undefined);
  lingering.write(upgradeOf('/nothing'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const stopped = other.stop().then(() => 'stopped');
  expect(await Promise.race([stopped, within(10_000)])).toBe('stopped');
  lingering.destroy();
  await stopped;
});
