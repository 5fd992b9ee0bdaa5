// needs: media-worker
// alone: live media keeps time
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerId } from '@zvonok/shared';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  capabilitiesOf,
  dtlsParameters,
  type MediaServer,
  opusParameters,
  person,
  RawPeer,
  startMediaServer,
  until,
} from './media-server.ts';

/** A crowd is more open microphones than this; forty in the product. */
const audioConsumers = 2;
let server: MediaServer;
beforeAll(async () => {
  server = await startMediaServer({ workers: 1, audioConsumers });
});
afterAll(() => server?.stop());

async function enter(roomId: string, host = false) {
  const peer = new RawPeer(server.url);
  const facts = person({ host, needsHost: false });
  const joined = await peer.join(server.ticketFor(roomId, facts));
  await peer.request('createTransport', { direction: 'recv', rtpCapabilities: capabilitiesOf(joined) });
  return { peer, joined, facts, id: joined.peerId };
}
type Entered = Awaited<ReturnType<typeof enter>>;

async function openMicrophone({ peer }: Entered): Promise<string> {
  const { transportId } = await peer.request('createTransport', { direction: 'send' });
  await peer.request('connectTransport', { transportId, dtlsParameters });
  const { producerId } = await peer.request('produce', {
    transportId,
    source: 'microphone',
    rtpParameters: opusParameters(),
  });
  return producerId;
}

/** Whose microphones somebody is sent at the moment. */
function heardBy({ peer }: Entered): Set<PeerId> {
  const open = new Map<string, PeerId>();
  for (const { event, data } of peer.events as { event: string; data: Record<string, string> }[]) {
    if (event === 'consumerAdded') open.set(data.consumerId as string, data.peerId as PeerId);
    if (event === 'consumerClosed') open.delete(data.consumerId as string);
  }
  return new Set(open.values());
}

async function untilHears(listener: Entered, wanted: readonly Entered[]): Promise<void> {
  const ids = wanted.map(({ id }) => id);
  try {
    await until(() => {
      const heard = heardBy(listener);
      return heard.size === ids.length && ids.every((id) => heard.has(id));
    }, 3_000);
  } catch {
    // Says what it was instead.
    expect([...heardBy(listener)].sort()).toEqual(ids.sort());
  }
}

const levelUri = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
let nextSsrc = 5_000_000;

/**
 * Lets a voice of this person reach the room's ear. The packets go into the SFU by a direct transport, since nobody here
 * speaks DTLS; that they come in at the person's microphone otherwise makes no difference to the level that is measured.
 */
async function say(roomId: string, { facts }: Entered): Promise<void> {
  const room = server.media.findRoom(roomId);
  const peer = room?.find(facts.membershipId);
  if (room === undefined || peer === undefined) throw new Error('not in the room');
  const transport = await peer.stage.router.createDirectTransport();
  const ssrc = nextSsrc++;
  const producer = await transport.produce({
    kind: 'audio',
    rtpParameters: {
      ...opusParameters(),
      headerExtensions: [{ uri: levelUri, id: 10 }],
      encodings: [{ ssrc }],
    } as never,
  });
  await room.listenTo(peer, producer);
  const packet = (sequence: number) => {
    const bytes = Buffer.alloc(12 + 8 + 40, 1);
    bytes.writeUInt8(0x90, 0);
    bytes.writeUInt8(111, 1);
    bytes.writeUInt16BE(sequence, 2);
    bytes.writeUInt32BE(sequence * 960, 4);
    bytes.writeUInt32BE(ssrc, 8);
    // One-byte header extension 10: voice, 10 dB under full scale.
    bytes.writeUInt16BE(0xbede, 12);
    bytes.writeUInt16BE(1, 14);
    bytes.set([10 << 4, 0x80 | 10, 0, 0], 16);
    return bytes;
  };
  // Levels are measured every 400 ms: two measures, so that one is of nothing else.
  for (let sequence = 1; sequence <= 100; sequence += 1) {
    producer.send(packet(sequence));
    await sleep(10);
  }
  transport.close();
}

test('where not all can be heard, the hosts are and those who spoke last', async () => {
  const room = randomUUID();
  const listener = await enter(room);
  const [host, first, second, third] = [
    await enter(room, true),
    await enter(room),
    await enter(room),
    await enter(room),
  ];
  await openMicrophone(host);
  const firstMicrophone = await openMicrophone(first);
  await untilHears(listener, [host, first]);

  const secondMicrophone = await openMicrophone(second);
  const thirdMicrophone = await openMicrophone(third);
  await untilHears(listener, [host]);
  await say(room, first);
  await untilHears(listener, [host, first]);
  await say(room, second);
  await untilHears(listener, [host, first, second]);
  await say(room, third);
  await untilHears(listener, [host, second, third]);
  // The others hear the same, but not themselves.
  await untilHears(third, [host, second]);
  await untilHears(first, [host, second, third]);

  // When the crowd is over everybody is heard, without having to speak first: by a mute of one's own, by leaving.
  await second.peer.request('pauseProducer', { producerId: secondMicrophone });
  await third.peer.request('pauseProducer', { producerId: thirdMicrophone });
  await untilHears(listener, [host, first, second, third]);
  await second.peer.request('resumeProducer', { producerId: secondMicrophone });
  await third.peer.request('resumeProducer', { producerId: thirdMicrophone });
  await untilHears(listener, [host, second, third]);
  await second.peer.request('leave', {});
  await third.peer.request('leave', {});
  await untilHears(listener, [host, first]);
  await first.peer.request('closeProducer', { producerId: firstMicrophone });
  await untilHears(listener, [host]);
  for (const { peer } of [listener, host, first, second, third]) peer.close();
});
