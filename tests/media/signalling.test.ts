// needs: media-worker
// alone: live media keeps time
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  server = await startMediaServer();
});
afterAll(() => server?.stop());

async function enter(roomId: string, facts = person()) {
  const peer = new RawPeer(server.url);
  const joined = await peer.join(server.ticketFor(roomId, facts));
  return { peer, joined, facts, id: joined.peerId };
}

async function withTransports(entered: Awaited<ReturnType<typeof enter>>) {
  const { peer, joined } = entered;
  const send = await peer.request('createTransport', { direction: 'send' });
  const recv = await peer.request('createTransport', {
    direction: 'recv',
    rtpCapabilities: capabilitiesOf(joined),
  });
  await peer.request('connectTransport', { transportId: send.transportId, dtlsParameters });
  await peer.request('connectTransport', { transportId: recv.transportId, dtlsParameters });
  return { ...entered, send, recv };
}

describe('a room', () => {
  test('brings two people together: who is there, what they send, what they are sent', async () => {
    const room = randomUUID();
    const teacher = await withTransports(await enter(room, person({ host: true })));
    const pupil = await withTransports(await enter(room));
    expect(pupil.joined.peers.map((peer) => peer.peerId).sort()).toEqual([teacher.id, pupil.id].sort());
    await teacher.peer.next('peerJoined', ({ peer }) => peer.peerId === pupil.id);

    const { producerId } = await teacher.peer.request('produce', {
      transportId: teacher.send.transportId,
      source: 'microphone',
      rtpParameters: opusParameters(),
    });
    const added = await pupil.peer.next('consumerAdded', (each) => each.producerId === producerId);
    expect(added).toMatchObject({ peerId: teacher.id, source: 'microphone', kind: 'audio' });
    await pupil.peer.request('resumeConsumer', { consumerId: added.consumerId });

    // A picture is sent to those who show it, and to nobody else.
    const camera = await teacher.peer.request('produce', {
      transportId: teacher.send.transportId,
      source: 'camera',
      rtpParameters: vp8Parameters(),
    });
    await pupil.peer.next('peerChanged', ({ peer }) => peer.producers.length === 2);
    await pupil.peer.request('ping', {});
    expect(
      pupil.peer.events.some(
        (each) =>
          each.event === 'consumerAdded' &&
          (each.data as { producerId: string }).producerId === camera.producerId,
      ),
    ).toBe(false);
    await pupil.peer.request('setVisible', { tiles: [{ peerId: teacher.id, source: 'camera', width: 640 }] });
    const shown = await pupil.peer.next('consumerAdded', (each) => each.producerId === camera.producerId);
    await pupil.peer.request('setVisible', { tiles: [] });
    await pupil.peer.next('consumerClosed', (each) => each.consumerId === shown.consumerId);

    teacher.peer.close();
    await pupil.peer.next('peerLeft', ({ peerId }) => peerId === teacher.id);
    await pupil.peer.next('consumerClosed', (each) => each.consumerId === added.consumerId);
    pupil.peer.close();
  });

  test('keeps pupils in the lobby until a host comes, and sends them back when the last one goes', async () => {
    const room = randomUUID();
    const pupil = await withTransports(await enter(room));
    expect(pupil.joined.state).toBe('lobby');
    const produce = {
      transportId: pupil.send.transportId,
      source: 'microphone' as const,
      rtpParameters: opusParameters(),
    };
    expect(await pupil.peer.refusal('produce', produce)).toBe('FORBIDDEN');
    const teacher = await enter(room, person({ host: true }));
    expect(teacher.joined.state).toBe('open');
    await pupil.peer.next('stateChanged', ({ state }) => state === 'open');
    const { producerId } = await pupil.peer.request('produce', produce);
    teacher.peer.close();
    await pupil.peer.next('stateChanged', ({ state }) => state === 'lobby');
    const self = server.media.findRoom(room)?.find(pupil.facts.membershipId);
    await until(() => self?.producersToOffer()[0]?.producer.paused === true);
    // The owner can't open it: the room is closed, not the person muted.
    expect(await pupil.peer.refusal('resumeProducer', { producerId })).toBe('FORBIDDEN');
    pupil.peer.close();
  });

  test('binds a mute on the server, over a new producer and a new connection', async () => {
    const room = randomUUID();
    const teacher = await enter(room, person({ host: true }));
    const facts = person();
    const pupil = await withTransports(await enter(room, facts));
    const produce = (transportId: string) => ({
      transportId,
      source: 'microphone' as const,
      rtpParameters: opusParameters(),
    });
    const { producerId } = await pupil.peer.request('produce', produce(pupil.send.transportId));
    const serverSide = () =>
      server.media.findRoom(room)?.find(facts.membershipId)?.producersToOffer()[0]?.producer;
    expect(serverSide()?.paused).toBe(false);

    await teacher.peer.request('setAllowed', { peerId: pupil.id, source: 'microphone', allowed: false });
    expect(serverSide()?.paused).toBe(true);
    expect(await pupil.peer.refusal('resumeProducer', { producerId })).toBe('FORBIDDEN');
    await pupil.peer.request('closeProducer', { producerId });
    expect(await pupil.peer.refusal('produce', produce(pupil.send.transportId))).toBe('FORBIDDEN');

    const again = await withTransports(await enter(room, facts));
    expect(await pupil.peer.ended).toBe(closeCodeOf('REPLACED'));
    expect(again.joined.peers.find((each) => each.peerId === again.id)?.allowed.microphone).toBe(false);
    expect(await again.peer.refusal('produce', produce(again.send.transportId))).toBe('FORBIDDEN');

    await teacher.peer.request('setAllowed', { peerId: again.id, source: 'microphone', allowed: true });
    await again.peer.request('produce', produce(again.send.transportId));
    expect(serverSide()?.paused).toBe(false);

    // All at once, those who join later included; hosts are not touched.
    await teacher.peer.request('setAllAllowed', { source: 'microphone', allowed: false });
    expect(serverSide()?.paused).toBe(true);
    const late = await enter(room);
    expect(late.joined.peers.find((each) => each.peerId === late.id)?.allowed.microphone).toBe(false);
    expect(late.joined.peers.find((each) => each.peerId === teacher.id)?.allowed.microphone).toBe(true);
    for (const each of [teacher, again, late]) each.peer.close();
  });

  test('lets nobody but a host command, and nobody command a host', async () => {
    const room = randomUUID();
    const teacher = await enter(room, person({ host: true }));
    const other = await enter(room, person({ host: true }));
    const pupil = await enter(room);
    const mute = (peerId: string) => ({ peerId, source: 'microphone', allowed: false });
    expect(await pupil.peer.refusal('setAllowed', mute(teacher.id))).toBe('FORBIDDEN');
    expect(await pupil.peer.refusal('setAllAllowed', { source: 'camera', allowed: false })).toBe('FORBIDDEN');
    expect(await pupil.peer.refusal('lowerHand', { peerId: null })).toBe('FORBIDDEN');
    expect(await teacher.peer.refusal('setAllowed', mute(other.id))).toBe('FORBIDDEN');
    expect(await teacher.peer.refusal('setAllowed', mute(randomUUID()))).toBe('NOT_FOUND');

    await pupil.peer.request('raiseHand', { raised: true });
    const raised = await teacher.peer.next('peerChanged', ({ peer }) => peer.handRaisedAt !== null);
    expect(raised.peer.peerId).toBe(pupil.id);
    await teacher.peer.request('lowerHand', { peerId: pupil.id });
    await until(() => pupil.peer.last('peerChanged')?.peer.handRaisedAt === null);
    for (const each of [teacher, other, pupil]) each.peer.close();
  });

  test('answers NOT_FOUND for the transports, producers and consumers of others', async () => {
    const room = randomUUID();
    const teacher = await withTransports(await enter(room, person({ host: true })));
    const pupil = await withTransports(await enter(room));
    const { producerId } = await teacher.peer.request('produce', {
      transportId: teacher.send.transportId,
      source: 'microphone',
      rtpParameters: opusParameters(),
    });
    const { consumerId } = await pupil.peer.next('consumerAdded');
    const transportId = teacher.send.transportId;
    expect(await pupil.peer.refusal('connectTransport', { transportId, dtlsParameters })).toBe('NOT_FOUND');
    expect(await pupil.peer.refusal('restartIce', { transportId })).toBe('NOT_FOUND');
    const produce = { source: 'microphone', rtpParameters: opusParameters() };
    expect(await pupil.peer.refusal('produce', { ...produce, transportId })).toBe('NOT_FOUND');
    expect(await pupil.peer.refusal('produce', { ...produce, transportId: pupil.recv.transportId })).toBe(
      'NOT_FOUND',
    );
    for (const method of ['pauseProducer', 'resumeProducer', 'closeProducer'] as const) {
      expect(await pupil.peer.refusal(method, { producerId })).toBe('NOT_FOUND');
    }
    expect(await teacher.peer.refusal('resumeConsumer', { consumerId })).toBe('NOT_FOUND');
    for (const each of [teacher, pupil]) each.peer.close();
  });

  test('takes one of each: transport, producer, connection of a transport', async () => {
    const room = randomUUID();
    const teacher = await withTransports(await enter(room, person({ host: true })));
    expect(await teacher.peer.refusal('createTransport', { direction: 'send' })).toBe('CONFLICT');
    const { transportId } = teacher.send;
    expect(await teacher.peer.refusal('connectTransport', { transportId, dtlsParameters })).toBe('CONFLICT');
    const produce = { transportId, source: 'camera' as const };
    await teacher.peer.request('produce', { ...produce, rtpParameters: vp8Parameters() });
    expect(await teacher.peer.refusal('produce', { ...produce, rtpParameters: vp8Parameters() })).toBe(
      'CONFLICT',
    );
    expect(await teacher.peer.refusal('join', { ticket: 'x', version: '0.1' })).toBe('CONFLICT');
    teacher.peer.close();
  });
});

describe('the door', () => {
  test('opens to a ticket once', async () => {
    const ticket = server.ticketFor(randomUUID(), person());
    const first = new RawPeer(server.url);
    await first.join(ticket);
    const second = new RawPeer(server.url);
    expect(await second.refusal('join', { ticket, version: '0.1' })).toBe('UNAUTHENTICATED');
    expect(await second.ended).toBe(closeCodeOf('TICKET_INVALID'));
    first.close();
  });

  test('answers nothing but a refusal before the join', async () => {
    const peer = new RawPeer(server.url);
    expect(await peer.refusal('createTransport', { direction: 'send' })).toBe('UNAUTHENTICATED');
    expect(await peer.refusal('raiseHand', { raised: true })).toBe('UNAUTHENTICATED');
    peer.close();
  });

  test('is closed to pages of other sites', async () => {
    const stranger = new RawPeer(server.url, { origin: 'http://evil.example' });
    await expect(stranger.opened).rejects.toThrow('403');
  });
});
