import { randomInt } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createCalls, type SweepTimes } from '@zvonok/server/calls/index.ts';
import { createMedia, type Media } from '@zvonok/server/media/index.ts';
import { type Person, type Rooms, startRooms, unwrap } from '@zvonok/server/testing/rooms.ts';
import type { CallId, SignallingResult } from '@zvonok/shared';
import { type FastifyInstance, fastify } from 'fastify';
import { dtlsParameters, opusParameters, RawPeer, until } from './media-server.ts';

/** From accounts to media on a real database and real workers; only the gateway is left out. */
export interface CallsServer {
  readonly rooms: Rooms;
  readonly media: Media;
  /** Where `/media/v1` is. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function startCallsServer(
  options: { readonly workers?: number; readonly times?: SweepTimes } = {},
): Promise<CallsServer> {
  const workers = options.workers ?? 1;
  const http = fastify() as unknown as FastifyInstance;
  let media: Media | undefined;
  let mounting: Promise<void> | undefined;
  const rooms = await startRooms({
    calls(platform, neighbours) {
      media = createMedia({
        config: {
          rtc: {
            listen: '127.0.0.1',
            announcedAddress: '127.0.0.1',
            portBase: randomInt(20_000, 30_000),
            workers,
          },
          calls: { setup: 'root', workerBin: process.env.MEDIASOUP_WORKER_BIN },
        },
        logger: platform.logger,
      });
      const calls = createCalls(platform, { ...neighbours, media }, options.times);
      mounting = calls.mountSignalling(http, () => true);
      return calls;
    },
  });
  await mounting;
  await http.listen({ host: '127.0.0.1', port: 0 });
  const running = media as unknown as Media;
  await until(() => running.workerPids().length === workers, 60_000);
  return {
    rooms,
    media: running,
    url: `http://127.0.0.1:${(http.server.address() as AddressInfo).port}`,
    async stop() {
      await running.close();
      await http.close();
      await rooms.close();
    },
  };
}

export interface Entered {
  readonly peer: RawPeer;
  readonly joined: SignallingResult<'join'>;
  readonly me: SignallingResult<'join'>['peers'][number];
}

/** Joins a call with a ticket of the person's own. */
export async function enterCall(
  { rooms, url }: CallsServer,
  person: Person,
  callId: CallId,
): Promise<Entered> {
  const { ticket } = unwrap(await rooms.call('calls.createTicket', person, { callId }));
  const peer = new RawPeer(url);
  const joined = await peer.join(ticket);
  const me = joined.peers.find((each) => each.peerId === joined.peerId);
  if (me === undefined) throw new Error('not among the peers');
  return { peer, joined, me };
}

/** Opens the microphone of somebody who is in. */
export async function speak({ peer }: Pick<Entered, 'peer'>) {
  const { transportId } = await peer.request('createTransport', { direction: 'send' });
  await peer.request('connectTransport', { transportId, dtlsParameters });
  return peer.request('produce', { transportId, source: 'microphone', rtpParameters: opusParameters() });
}
