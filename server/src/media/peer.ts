import {
  CodedError,
  type DisconnectCode,
  type DtlsParameters,
  type MembershipId,
  mediaLimits,
  type PeerId,
  type PeerInfo,
  type RtpCapabilities,
  type SessionId,
  type SignallingEventData,
  type SignallingEventName,
  type SignallingParams,
  type SignallingResult,
  type SourceRights,
  type TrackSource,
} from '@zvonok/shared';
import type { types } from 'mediasoup';
import { withinDeadline } from './deadline.ts';
import type { Room, Stage } from './room.ts';
import { kindOf, requireRtpParameters, usableCapabilities } from './validate.ts';

/** Who joins, decided by the room of calls. Nothing here comes from the client. */
export interface PeerFacts {
  /** A person is in a room at most once, under this id. */
  readonly membershipId: MembershipId;
  readonly sessionId: SessionId;
  /** What the others read under the picture. */
  readonly caption: { readonly fullName: string; readonly role: string; readonly verified: boolean };
  /** May mute, allow and remove others; their presence opens the room for those who need a host. */
  readonly host: boolean;
  /** Must not be seen, heard or shown anything while no host is there. */
  readonly needsHost: boolean;
  /** Where no host has said otherwise. */
  readonly allowed: SourceRights;
  /** Whether a host may allow what `allowed` does not. */
  readonly grantable: boolean;
}

/** The peer's way to its client. Neither waits nor throws. */
export interface PeerConnection {
  notify<E extends SignallingEventName>(event: E, data: SignallingEventData<E>): void;
  close(code: DisconnectCode): void;
}

interface OwnProducer {
  readonly source: TrackSource;
  readonly producer: types.Producer;
  /** Switched off by the person; a host's mute and the lobby come on top. */
  ownerPaused: boolean;
  /** The pause that the SFU was last brought to is being changed. */
  settling: Promise<void> | undefined;
}

interface OwnConsumer {
  readonly consumer: types.Consumer;
  readonly source: TrackSource;
  layer: number | undefined;
}

/** The simulcast layer (a quarter, a half, the whole) that a picture of this width needs. */
export function layerFor(width: number): number {
  if (width <= 320) return 0;
  return width <= 640 ? 1 : 2;
}

/**
 * One presence of a person in a room: owns its transports, producers and consumers, and closes them with itself.
 *
 * Requests come one at a time (signalling queues them); what other peers cause (consumers, pauses) runs beside them and
 * looks at the state again after each wait.
 */
export class Peer {
  readonly id: PeerId;
  readonly room: Room;
  readonly stage: Stage;
  readonly #connection: PeerConnection;
  facts: PeerFacts;
  #closed = false;
  #send: types.WebRtcTransport | undefined;
  #recv:
    | { readonly transport: types.WebRtcTransport; readonly capabilities: types.RtpCapabilities }
    | undefined;
  readonly #connected = new Set<string>();
  readonly #producers = new Map<TrackSource, OwnProducer>();
  /** By the id of the producer they bring. */
  readonly #consumers = new Map<string, OwnConsumer>();
  /** `peerId source` -> width; what the client shows. */
  #visible = new Map<string, number>();
  #consumersStale = false;
  #consumersRunning = false;

  constructor(id: PeerId, room: Room, stage: Stage, facts: PeerFacts, connection: PeerConnection) {
    this.id = id;
    this.room = room;
    this.stage = stage;
    this.facts = facts;
    this.#connection = connection;
  }

  get closed(): boolean {
    return this.#closed;
  }

  info(): PeerInfo {
    const { membershipId, caption, host } = this.facts;
    return {
      peerId: this.id,
      membershipId,
      fullName: caption.fullName,
      role: caption.role,
      verified: caption.verified,
      host,
      allowed: this.room.rightsOf(this.facts),
      handRaisedAt: this.room.handOf(membershipId),
      producers: [...this.#producers.values()].map((own) => ({
        producerId: own.producer.id,
        source: own.source,
        paused: this.#mustPause(own),
      })),
    };
  }

  notify<E extends SignallingEventName>(event: E, data: SignallingEventData<E>): void {
    if (!this.#closed) this.#connection.notify(event, data);
  }

  /** Closes media and tells nobody; `Room` removes it. With a code the connection ends too. Idempotent. */
  close(code?: DisconnectCode): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const transport of [this.#send, this.#recv?.transport]) quietly(() => transport?.close());
    this.stage.worker.load -= this.#producers.size + this.#consumers.size;
    this.#producers.clear();
    this.#consumers.clear();
    if (code !== undefined) this.#connection.close(code);
  }

  async createTransport(
    params: SignallingParams<'createTransport'>,
  ): Promise<SignallingResult<'createTransport'>> {
    const sending = params.direction === 'send';
    if ((sending ? this.#send : this.#recv) !== undefined) {
      throw new CodedError('CONFLICT', { message: 'There is a transport of this direction.' });
    }
    const capabilities = sending ? undefined : this.#usable(params.rtpCapabilities);
    const transport = await withinDeadline(
      'createWebRtcTransport',
      this.stage.router.createWebRtcTransport({
        webRtcServer: this.stage.worker.webRtcServer,
        enableUdp: true,
        enableTcp: true,
        preferUdp: true,
        initialAvailableOutgoingBitrate: mediaLimits.initialOutgoingBitrate,
      }),
      (late) => late.close(),
    );
    if (this.#closed) {
      transport.close();
      throw gone();
    }
    transport.on('dtlsstatechange', (state) => {
      if (state === 'failed' || state === 'closed')
        this.notify('transportLost', { transportId: transport.id });
    });
    transport.on('icestatechange', (state) => {
      if (state === 'disconnected') this.notify('transportLost', { transportId: transport.id });
    });
    if (capabilities === undefined) {
      this.#send = transport;
      await withinDeadline(
        'setMaxIncomingBitrate',
        transport.setMaxIncomingBitrate(mediaLimits.incomingBitrateMax),
      );
    } else {
      this.#recv = { transport, capabilities };
      // A client connects its transport only when it has something to receive there.
      this.refreshConsumers();
    }
    return {
      transportId: transport.id,
      iceParameters: transport.iceParameters,
      iceCandidates: transport.iceCandidates,
      dtlsParameters: transport.dtlsParameters as DtlsParameters,
    } as SignallingResult<'createTransport'>;
  }

  #usable(given: RtpCapabilities): types.RtpCapabilities {
    return usableCapabilities(given, this.stage.router.rtpCapabilities);
  }

  async connectTransport({
    transportId,
    dtlsParameters,
  }: SignallingParams<'connectTransport'>): Promise<void> {
    const transport = this.#requireTransport(transportId);
    if (this.#connected.has(transportId)) {
      throw new CodedError('CONFLICT', { message: 'The transport is connected.' });
    }
    this.#connected.add(transportId);
    await withinDeadline('connect', transport.connect({ dtlsParameters }));
  }

  async restartIce({ transportId }: SignallingParams<'restartIce'>): Promise<SignallingResult<'restartIce'>> {
    const transport = this.#requireTransport(transportId);
    return { iceParameters: await withinDeadline('restartIce', transport.restartIce()) };
  }

  async produce(params: SignallingParams<'produce'>): Promise<SignallingResult<'produce'>> {
    const { source, transportId } = params;
    const transport = this.#send;
    if (transport === undefined || transport.id !== transportId) throw new CodedError('NOT_FOUND');
    this.#requireAllowed(source);
    if (this.#producers.has(source)) {
      throw new CodedError('CONFLICT', { message: 'There is a producer of this source.' });
    }
    const rtpParameters = requireRtpParameters(
      source,
      params.rtpParameters,
      this.stage.router.rtpCapabilities,
    );
    const producer = await withinDeadline(
      'produce',
      // Starts silent: what is allowed may change while the SFU works, so the right is looked at again afterwards.
      transport.produce({ kind: kindOf[source], rtpParameters, paused: true }),
      (late) => late.close(),
    );
    if (this.#closed) {
      producer.close();
      throw gone();
    }
    const own: OwnProducer = {
      source,
      producer,
      ownerPaused: params.paused === true,
      settling: undefined,
    };
    this.#producers.set(source, own);
    this.stage.worker.load += 1;
    producer.on('transportclose', () => this.#forgetProducer(own));
    await this.#settle(own);
    if (source === 'microphone') await this.room.listenTo(this, producer);
    this.room.producersChanged(this);
    return { producerId: producer.id };
  }

  async pauseProducer({ producerId }: { producerId: string }): Promise<void> {
    const own = this.#requireProducer(producerId);
    own.ownerPaused = true;
    await this.#settle(own);
    this.room.tellOf(this);
  }

  async resumeProducer({ producerId }: { producerId: string }): Promise<void> {
    const own = this.#requireProducer(producerId);
    this.#requireAllowed(own.source);
    own.ownerPaused = false;
    await this.#settle(own);
    this.room.tellOf(this);
  }

  closeProducer({ producerId }: { producerId: string }): void {
    const own = this.#requireProducer(producerId);
    quietly(() => own.producer.close());
    this.#forgetProducer(own);
    this.room.producersChanged(this);
  }

  async resumeConsumer({ consumerId }: { consumerId: string }): Promise<void> {
    const own = [...this.#consumers.values()].find(({ consumer }) => consumer.id === consumerId);
    if (own === undefined) throw new CodedError('NOT_FOUND');
    await withinDeadline('consumer.resume', own.consumer.resume());
  }

  setVisible({ tiles }: SignallingParams<'setVisible'>): void {
    this.#visible = new Map(tiles.map((tile) => [`${tile.peerId} ${tile.source}`, tile.width]));
    this.refreshConsumers();
  }

  /** The producers of this peer that others may be sent, by source. */
  producersToOffer(): readonly { readonly source: TrackSource; readonly producer: types.Producer }[] {
    return [...this.#producers.values()];
  }

  /** Whether the microphone is open for others: on, allowed, not in the lobby. */
  get audible(): boolean {
    const own = this.#producers.get('microphone');
    return own !== undefined && !this.#mustPause(own);
  }

  /** Brings every producer to the pause that rights and room ask for now; resolves when the SFU has it. */
  async applyRights(): Promise<void> {
    await Promise.all([...this.#producers.values()].map((own) => this.#settle(own)));
  }

  /** Brings consumers to what this peer should be sent now. Coalesces; never throws. */
  refreshConsumers(): void {
    this.#consumersStale = true;
    if (this.#consumersRunning) return;
    this.#consumersRunning = true;
    void (async () => {
      while (this.#consumersStale && !this.#closed) {
        this.#consumersStale = false;
        await this.#bringConsumers().catch((error: unknown) => {
          // A worker that died or hangs: the room moves, and this peer with it.
          this.room.logger.warn(
            { err: error, roomId: this.room.id },
            'consumers could not be brought up to date',
          );
        });
      }
      this.#consumersRunning = false;
    })();
  }

  async #bringConsumers(): Promise<void> {
    const recv = this.#recv;
    if (recv === undefined) return;
    const wanted = this.#wantedProducers();
    for (const [producerId, own] of this.#consumers) {
      if (!wanted.has(producerId)) this.#dropConsumer(producerId, own);
    }
    for (const [producerId, { peer, source, layer }] of wanted) {
      if (this.#closed) return;
      const own = this.#consumers.get(producerId);
      if (own !== undefined) {
        if (layer !== undefined && own.layer !== layer) {
          own.layer = layer;
          await withinDeadline(
            'setPreferredLayers',
            own.consumer.setPreferredLayers({ spatialLayer: layer }),
          ).catch(() => undefined);
        }
        continue;
      }
      await this.#consume(recv, peer, source, producerId, layer);
    }
  }

  #wantedProducers() {
    const wanted = new Map<string, { peer: Peer; source: TrackSource; layer: number | undefined }>();
    if (this.room.state === 'lobby') return wanted;
    for (const peer of this.room.peers()) {
      if (peer === this || peer.closed) continue;
      for (const { source, producer } of peer.producersToOffer()) {
        if (producer.closed) continue;
        if (source === 'microphone') {
          if (this.room.isHeard(peer)) wanted.set(producer.id, { peer, source, layer: undefined });
          continue;
        }
        const width = this.#visible.get(`${peer.id} ${source}`);
        if (width !== undefined) wanted.set(producer.id, { peer, source, layer: layerFor(width) });
      }
    }
    return wanted;
  }

  async #consume(
    recv: { readonly transport: types.WebRtcTransport; readonly capabilities: types.RtpCapabilities },
    peer: Peer,
    source: TrackSource,
    producerId: string,
    layer: number | undefined,
  ): Promise<void> {
    if (!this.stage.router.canConsume({ producerId, rtpCapabilities: recv.capabilities })) return;
    let consumer: types.Consumer;
    try {
      consumer = await withinDeadline(
        'consume',
        recv.transport.consume({
          producerId,
          rtpCapabilities: recv.capabilities,
          // The client builds its side first and then acknowledges: earlier packets would be lost, a key frame among them.
          paused: true,
          ...(layer === undefined ? {} : { preferredLayers: { spatialLayer: layer } }),
        }),
        (late) => late.close(),
      );
    } catch (error) {
      // The producer may have closed meanwhile; the next round sees that.
      if (peer.closed || this.#closed) return;
      throw error;
    }
    // The room may have changed while the SFU worked: a host may have left, the person may have been removed.
    if (this.#closed || consumer.closed || !this.#wantedProducers().has(producerId)) {
      quietly(() => consumer.close());
      this.#consumersStale = true;
      return;
    }
    const own: OwnConsumer = { consumer, source, layer };
    this.#consumers.set(producerId, own);
    this.stage.worker.load += 1;
    consumer.on('producerclose', () => this.#dropConsumer(producerId, own));
    this.notify('consumerAdded', {
      consumerId: consumer.id,
      producerId,
      peerId: peer.id,
      source,
      kind: consumer.kind,
      rtpParameters: consumer.rtpParameters as SignallingEventData<'consumerAdded'>['rtpParameters'],
      producerPaused: consumer.producerPaused,
    });
  }

  #dropConsumer(producerId: string, own: OwnConsumer): void {
    if (this.#consumers.get(producerId) !== own) return;
    this.#consumers.delete(producerId);
    this.stage.worker.load -= 1;
    quietly(() => own.consumer.close());
    this.notify('consumerClosed', { consumerId: own.consumer.id });
  }

  #forgetProducer(own: OwnProducer): void {
    if (this.#producers.get(own.source) !== own) return;
    this.#producers.delete(own.source);
    this.stage.worker.load -= 1;
  }

  #mustPause(own: OwnProducer): boolean {
    return own.ownerPaused || this.room.state === 'lobby' || !this.room.rightsOf(this.facts)[own.source];
  }

  /** Pauses or resumes on the server until it is what it must be, however often that changes meanwhile. */
  #settle(own: OwnProducer): Promise<void> {
    own.settling ??= (async () => {
      try {
        while (!own.producer.closed && own.producer.paused !== this.#mustPause(own)) {
          if (own.producer.paused) await withinDeadline('producer.resume', own.producer.resume());
          else await withinDeadline('producer.pause', own.producer.pause());
        }
      } catch (error) {
        // A producer that can't be silenced must not go on.
        if (!own.producer.closed && this.#mustPause(own)) {
          quietly(() => own.producer.close());
          this.#forgetProducer(own);
          this.room.producersChanged(this);
        }
        throw error;
      } finally {
        own.settling = undefined;
      }
    })();
    return own.settling;
  }

  #requireAllowed(source: TrackSource): void {
    if (this.room.state === 'lobby') {
      throw new CodedError('FORBIDDEN', { message: 'The room waits for a host.', data: { lobby: true } });
    }
    if (!this.room.rightsOf(this.facts)[source]) {
      throw new CodedError('FORBIDDEN', { message: `The host does not allow the ${source}.` });
    }
  }

  #requireTransport(transportId: string): types.WebRtcTransport {
    const transport = [this.#send, this.#recv?.transport].find((each) => each?.id === transportId);
    if (transport === undefined) throw new CodedError('NOT_FOUND');
    return transport;
  }

  #requireProducer(producerId: string): OwnProducer {
    const own = [...this.#producers.values()].find(({ producer }) => producer.id === producerId);
    if (own === undefined) throw new CodedError('NOT_FOUND');
    return own;
  }
}

function gone(): CodedError {
  return new CodedError('UNAVAILABLE', { message: 'The peer has left the room.' });
}

/** Closing what is closed, or whose worker is gone, is fine. */
function quietly(close: () => void): void {
  try {
    close();
  } catch {
    // See above.
  }
}
