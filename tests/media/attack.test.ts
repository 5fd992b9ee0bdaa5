// needs: media-worker
// alone: live media keeps time
import { randomUUID } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { type ErrorCode, errorCatalogue, mediaLimits, signallingRequests } from '@zvonok/shared';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import {
  capabilitiesOf,
  closeCodeOf,
  dtlsParameters,
  type MediaServer,
  opusParameters,
  person,
  RawPeer,
  startMediaServer,
  until,
  vp8Parameters,
} from './media-server.ts';

let server: MediaServer;
beforeAll(async () => {
  server = await startMediaServer({ workers: 1 });
});
afterAll(() => server?.stop());

async function enter(roomId: string, host: boolean) {
  const peer = new RawPeer(server.url);
  const facts = person({ host });
  const joined = await peer.join(server.ticketFor(roomId, facts));
  return { peer, joined, facts };
}

/** Any JSON value, hostile names included. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    -1,
    1e308,
    '',
    'x'.repeat(5_000),
    '\u0000',
    '\ud800',
    [],
    {},
    JSON.parse('{"__proto__":{"host":true}}'),
    Array.from({ length: 3_000 }, () => 0),
  ),
);

/** A value with one part of it replaced, dropped or added. */
function spoil(value: unknown, path: readonly number[], bad: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return bad;
  const keys = Object.keys(value);
  if (keys.length === 0) return Array.isArray(value) ? [bad] : { extra: bad };
  const key = keys[step % keys.length] as string;
  const part = (value as Record<string, unknown>)[key];
  const changed = spoil(part, rest, bad);
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? changed : item));
  return { ...value, [key]: changed };
}

test('no message of a client ends the process, the worker or others’ lessons', {
  timeout: 120_000,
}, async () => {
  const room = randomUUID();
  const honest = await enter(room, true);
  const workers = server.media.workerPids();
  const methods = Object.keys(signallingRequests);
  const answers = new Map<string, number>();

  for (let round = 0; round < 16; round += 1) {
    const { peer, joined } = await enter(room, round % 2 === 0);
    const transportId = (await peer.request('createTransport', { direction: 'send' })).transportId;
    const valid: Record<string, unknown> = {
      join: { ticket: 'x', version: '0.1' },
      createTransport: { direction: 'recv', rtpCapabilities: capabilitiesOf(joined) },
      connectTransport: { transportId, dtlsParameters },
      restartIce: { transportId },
      produce: { transportId, source: 'microphone', rtpParameters: opusParameters() },
      pauseProducer: { producerId: transportId },
      resumeConsumer: { consumerId: transportId },
      setVisible: { tiles: [{ peerId: joined.peerId, source: 'camera', width: 1 }] },
      raiseHand: { raised: true },
      setAllowed: { peerId: honest.joined.peerId, source: 'camera', allowed: false },
      setAllAllowed: { source: 'screen', allowed: true },
      lowerHand: { peerId: null },
    };
    const messages = fc.sample(
      fc.record({
        method: fc.oneof(
          { weight: 9, arbitrary: fc.constantFrom(...methods) },
          { weight: 1, arbitrary: fc.string() },
        ),
        path: fc.array(fc.nat(50), { maxLength: 6 }),
        bad: anything,
        video: fc.boolean(),
      }),
      { numRuns: 120, seed: 7_000 + round },
    );
    for (const { method, path, bad, video } of messages) {
      if (method === 'leave') continue;
      const base =
        method === 'produce' && video
          ? { transportId, source: 'camera', rtpParameters: vp8Parameters() }
          : (valid[method] ?? {});
      let outcome: string;
      try {
        const reply = await peer.ask(method, spoil(base, path, bad), 6_000);
        outcome = reply.ok ? 'OK' : reply.error.code;
      } catch (error) {
        outcome = String(error);
        expect(outcome).toContain(String(closeCodeOf('BAD_MESSAGE')));
        answers.set('closed', (answers.get('closed') ?? 0) + 1);
        break;
      }
      expect(outcome === 'OK' || errorCatalogue[outcome as ErrorCode] !== undefined).toBe(true);
      expect(outcome).not.toBe('INTERNAL');
      answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
    }
    peer.close();
  }
  console.log('answers', Object.fromEntries(answers));
  expect(answers.get('VALIDATION')).toBeGreaterThan(200);
  expect(server.media.workerPids()).toEqual(workers);
  expect((await honest.peer.request('raiseHand', { raised: true })) as object).toEqual({});
  await until(() => server.media.findRoom(room)?.count === 1);
  honest.peer.close();
});

test.each<[string, (socket: WebSocket) => void, number]>([
  ['binary', (socket) => socket.send(Buffer.alloc(10)), closeCodeOf('BAD_MESSAGE')],
  ['no JSON', (socket) => socket.send('{'), closeCodeOf('BAD_MESSAGE')],
  [
    'too much',
    (socket) => socket.send(JSON.stringify({ id: 1, method: 'x'.repeat(70_000), params: {} })),
    1009,
  ],
  [
    'a flood',
    (socket) => {
      for (let id = 1; id < 2_000; id += 1)
        socket.send(`{"id":${id},"method":"raiseHand","params":{"raised":true}}`);
    },
    closeCodeOf('BAD_MESSAGE'),
  ],
])('a connection that sends %s is cut, and the others stay', async (_what, send, code) => {
  const room = randomUUID();
  const [honest, other] = [await enter(room, true), await enter(room, false)];
  send(other.peer.socket);
  expect(await other.peer.ended).toBe(code);
  await honest.peer.next('peerLeft', ({ peerId }) => peerId === other.joined.peerId);
  expect((await honest.peer.request('ping', {})) as object).toEqual({});
  honest.peer.close();
});

/** A client's frame is masked; a mask of zeros leaves the text as it is. */
function frame(message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 255, 0, 0, 0, 0]), text]);
}

/** A WebSocket by hand, which can stop reading and answering as a vanished device does. */
async function vanishing(roomId: string): Promise<{ socket: Socket }> {
  const facts = person();
  const { hostname, port } = new URL(server.url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  let received = '';
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.write(
    `GET /media/v1 HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  );
  await until(() => received.includes('101 Switching'));
  socket.write(
    frame({ id: 1, method: 'join', params: { ticket: server.ticketFor(roomId, facts), version: '0.1' } }),
  );
  await until(() => received.includes('"peerId"'));
  return { socket };
}

// Each waits for its deadline to pass, all at once.
describe.concurrent('silence', () => {
  test('of one who never joins ends the connection', async () => {
    const silent = new RawPeer(server.url);
    await silent.opened;
    expect(await silent.ended).toBe(closeCodeOf('PEER_TIMEOUT'));
  });

  test('a device that vanished without a word is gone within 15 s', async () => {
    const room = randomUUID();
    const honest = await enter(room, true);
    const { socket } = await vanishing(room);
    await until(() => server.media.findRoom(room)?.count === 2);
    const at = Date.now();
    await honest.peer.next('peerLeft', () => true, 16_000);
    expect(Date.now() - at).toBeLessThan(15_500);
    expect(Date.now() - at).toBeGreaterThan(mediaLimits.heartbeatMs);
    socket.destroy();
    honest.peer.close();
  });

  test('one that talks and never reads is cut, and hurts nobody', async () => {
    const room = randomUUID();
    const honest = await enter(room, true);
    const { socket } = await vanishing(room);
    await until(() => server.media.findRoom(room)?.count === 2);
    socket.pause();
    const talking = setInterval(() => socket.write(frame({ id: 2, method: 'ping', params: {} })), 100);
    await honest.peer.next('peerLeft', () => true, 16_000).finally(() => clearInterval(talking));
    expect((await honest.peer.request('ping', {})) as object).toEqual({});
    socket.destroy();
    honest.peer.close();
  });
});

test('one that reads too slowly is cut with a word when a megabyte waits, and may come back', async () => {
  const room = randomUUID();
  const honest = await enter(room, true);
  const slow = await enter(room, false);
  // A caption of this length comes with every change of its hand: the buffers of the two sockets fill up first.
  const caption = { fullName: 'x'.repeat(60_000), role: 'teacher', verified: true };
  const noisy = new RawPeer(server.url);
  await noisy.join(server.ticketFor(room, person({ host: true, caption })));
  await slow.peer.request('ping', {});
  slow.peer.socket.pause();
  const at = Date.now();
  const isGone = () =>
    honest.peer.events.some(
      ({ event, data }) => event === 'peerLeft' && (data as { peerId: string }).peerId === slow.joined.peerId,
    );
  let sent = 0;
  while (!isGone() && sent < mediaLimits.requests.burst - 20) {
    await noisy.request('raiseHand', { raised: sent % 2 === 0 });
    sent += 1;
  }
  await until(isGone, 1_000);
  // Not for its silence: that takes two heartbeats.
  expect(Date.now() - at).toBeLessThan(mediaLimits.heartbeatMs);
  expect(sent * caption.fullName.length).toBeGreaterThan(mediaLimits.slowReaderBytes);
  slow.peer.socket.resume();
  expect(await slow.peer.ended).toBe(closeCodeOf('SLOW_READER'));
  const back = new RawPeer(server.url);
  await back.join(server.ticketFor(room, slow.facts));
  for (const peer of [honest.peer, noisy, back]) {
    expect(await peer.request('ping', {})).toEqual({});
    peer.close();
  }
});
