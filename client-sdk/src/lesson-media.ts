import type {
  PeerId,
  RtpCapabilities,
  RtpParameters,
  SignallingEventData,
  SignallingResult,
  TrackSource,
} from '@zvonok/shared';
import { CodedError } from '@zvonok/shared/errors.ts';
import { lessonLimits } from '@zvonok/shared/limits.ts';
import type {
  Consumer,
  Device,
  HandlerFactory,
  Producer,
  ProducerOptions,
  Transport,
} from 'mediasoup-client/types';
import type { SignallingConnection } from './lesson-signalling.ts';

/** A track that arrives. */
export interface RemoteTrack {
  readonly consumerId: string;
  readonly peerId: PeerId;
  readonly source: TrackSource;
  readonly track: MediaStreamTrack;
}

export interface LessonStats {
  /** Of the packets of the last interval; 0..1. */
  readonly packetsLostRatio: number;
  readonly rttMs: number;
  readonly bitrateInKbps: number;
  readonly bitrateOutKbps: number;
  readonly framesDecoded: number;
}

export const noStats: LessonStats = {
  packetsLostRatio: 0,
  rttMs: 0,
  bitrateInKbps: 0,
  bitrateOutKbps: 0,
  framesDecoded: 0,
};

/** How each source is sent: a camera in three sizes of which everybody gets the one that fits; the rest once. */
const sending: Readonly<Record<TrackSource, Pick<ProducerOptions, 'encodings' | 'codecOptions'>>> = {
  microphone: { codecOptions: { opusDtx: true, opusFec: true, opusStereo: false } },
  camera: {
    encodings: [
      { scaleResolutionDownBy: 4, maxBitrate: 120_000, scalabilityMode: 'L1T3' },
      { scaleResolutionDownBy: 2, maxBitrate: 350_000, scalabilityMode: 'L1T3' },
      { scaleResolutionDownBy: 1, maxBitrate: 1_200_000, scalabilityMode: 'L1T3' },
    ],
    codecOptions: { videoGoogleStartBitrate: 600 },
  },
  screen: {
    encodings: [{ maxBitrate: 2_500_000, scalabilityMode: 'L1T3' }],
    codecOptions: { videoGoogleStartBitrate: 1_000 },
  },
};

/** WebRTC of one connection: the transports, what is sent and what arrives. Dies with the connection. */
export class LessonMedia {
  readonly #connection: SignallingConnection;
  readonly #device: Device;
  readonly #onTracks: () => void;
  readonly #onLost: () => void;
  readonly #producers = new Map<TrackSource, Producer>();
  readonly #consumers = new Map<string, { consumer: Consumer; peerId: PeerId; source: TrackSource }>();
  /** Consumers that were closed before they were made. */
  readonly #closedEarly = new Set<string>();
  #send: Promise<Transport> | undefined;
  #recv: Promise<Transport> | undefined;
  #closed = false;
  #lastCounts: { at: number; in: number; out: number; received: number; lost: number } | undefined;

  private constructor(
    connection: SignallingConnection,
    device: Device,
    onTracks: () => void,
    onLost: () => void,
  ) {
    this.#connection = connection;
    this.#device = device;
    this.#onTracks = onTracks;
    this.#onLost = onLost;
  }

  /** `onTracks`: what arrives has changed. `onLost`: the media path broke and could not be mended. */
  static async open(
    connection: SignallingConnection,
    joined: SignallingResult<'join'>,
    handlerFactory: HandlerFactory | undefined,
    onTracks: () => void,
    onLost: () => void,
  ): Promise<LessonMedia> {
    const mediasoup = await import('mediasoup-client');
    const device = await mediasoup.Device.factory(handlerFactory === undefined ? {} : { handlerFactory });
    await device.load({ routerRtpCapabilities: joined.routerRtpCapabilities as never });
    const media = new LessonMedia(connection, device, onTracks, onLost);
    media.#recv = media.#openTransport('recv');
    await media.#recv;
    return media;
  }

  remoteTracks(): RemoteTrack[] {
    return [...this.#consumers.values()].map(({ consumer, peerId, source }) => ({
      consumerId: consumer.id,
      peerId,
      source,
      track: consumer.track,
    }));
  }

  producerOf(source: TrackSource): Producer | undefined {
    return this.#producers.get(source);
  }

  async produce(source: TrackSource, track: MediaStreamTrack): Promise<void> {
    this.#send ??= this.#openTransport('send');
    const transport = await this.#send;
    const producer = await transport.produce({
      track,
      ...sending[source],
      streamId: source === 'screen' ? 'screen' : 'person',
      stopTracks: false,
      // Off means off: while paused nothing but silence leaves the device, whatever the server thinks.
      disableTrackOnPause: true,
      appData: { source },
    });
    if (this.#closed) {
      producer.close();
      throw new CodedError('UNAVAILABLE');
    }
    this.#producers.set(source, producer);
  }

  async pause(source: TrackSource): Promise<void> {
    const producer = this.#producers.get(source);
    if (producer === undefined) return;
    producer.pause();
    await this.#connection.request('pauseProducer', { producerId: producer.id });
  }

  async resume(source: TrackSource): Promise<void> {
    const producer = this.#producers.get(source);
    if (producer === undefined) return;
    await this.#connection.request('resumeProducer', { producerId: producer.id });
    producer.resume();
  }

  async stop(source: TrackSource): Promise<void> {
    const producer = this.#producers.get(source);
    if (producer === undefined) return;
    this.#producers.delete(source);
    producer.close();
    await this.#connection.request('closeProducer', { producerId: producer.id });
  }

  async consume(added: SignallingEventData<'consumerAdded'>): Promise<void> {
    const transport = await this.#recv;
    if (transport === undefined || this.#closed) return;
    const consumer = await transport.consume({
      id: added.consumerId,
      producerId: added.producerId,
      kind: added.kind,
      rtpParameters: added.rtpParameters as never,
      // Voice and face of one person are kept in step; a screen goes its own way.
      streamId: `${added.peerId}-${added.source === 'screen' ? 'screen' : 'person'}`,
    });
    if (this.#closedEarly.delete(added.consumerId) || this.#closed) return consumer.close();
    this.#consumers.set(consumer.id, { consumer, peerId: added.peerId, source: added.source });
    this.#onTracks();
    await this.#connection.request('resumeConsumer', { consumerId: consumer.id });
  }

  closeConsumer(consumerId: string): void {
    const own = this.#consumers.get(consumerId);
    if (own === undefined) {
      this.#closedEarly.add(consumerId);
      return;
    }
    this.#consumers.delete(consumerId);
    own.consumer.close();
    this.#onTracks();
  }

  /** Whether the path stands, as far as ICE can tell. */
  async pathStands(): Promise<boolean> {
    const transports = await Promise.all([this.#send, this.#recv]);
    return transports.every(
      (transport) =>
        transport === undefined || !['failed', 'disconnected'].includes(transport.connectionState),
    );
  }

  /** Rates are of the time since the last asking. */
  async getStats(): Promise<LessonStats> {
    let bytesIn = 0;
    let bytesOut = 0;
    let received = 0;
    let lost = 0;
    let rttMs = 0;
    let framesDecoded = 0;
    const transports = await Promise.all([this.#send, this.#recv]);
    const reports = await Promise.all(
      transports.map((transport) =>
        transport === undefined || transport.closed ? [] : transport.getStats(),
      ),
    );
    for (const report of reports) {
      for (const entry of report.values() as Iterable<Record<string, unknown>>) {
        const count = (name: string): number =>
          typeof entry[name] === 'number' ? (entry[name] as number) : 0;
        if (entry.type === 'inbound-rtp') {
          bytesIn += count('bytesReceived');
          received += count('packetsReceived');
          lost += Math.max(0, count('packetsLost'));
          framesDecoded += count('framesDecoded');
        } else if (entry.type === 'outbound-rtp') bytesOut += count('bytesSent');
        else if (entry.type === 'candidate-pair' && entry.nominated === true) {
          rttMs = Math.max(rttMs, count('currentRoundTripTime') * 1_000);
        }
      }
    }
    const now = performance.now();
    const before = this.#lastCounts;
    this.#lastCounts = { at: now, in: bytesIn, out: bytesOut, received, lost };
    const ms = before === undefined ? 0 : now - before.at;
    const rate = (bytes: number, earlier: number) => (ms > 0 ? Math.max(0, ((bytes - earlier) * 8) / ms) : 0);
    const packets = before === undefined ? 0 : received - before.received + (lost - before.lost);
    return {
      packetsLostRatio: packets > 0 ? Math.max(0, (lost - (before?.lost ?? 0)) / packets) : 0,
      rttMs: Math.round(rttMs),
      bitrateInKbps: Math.round(rate(bytesIn, before?.in ?? 0)),
      bitrateOutKbps: Math.round(rate(bytesOut, before?.out ?? 0)),
      framesDecoded,
    };
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    for (const transport of [this.#send, this.#recv]) {
      void transport?.then((open) => open.close()).catch(() => undefined);
    }
    this.#producers.clear();
    this.#consumers.clear();
  }

  async #openTransport(direction: 'send' | 'recv'): Promise<Transport> {
    const offered = await this.#connection.request(
      'createTransport',
      direction === 'send'
        ? { direction }
        : { direction, rtpCapabilities: capabilitiesToSend(this.#device.recvRtpCapabilities as never) },
    );
    const options = {
      id: offered.transportId,
      iceParameters: offered.iceParameters as never,
      iceCandidates: offered.iceCandidates as never,
      dtlsParameters: offered.dtlsParameters,
    };
    const transport =
      direction === 'send'
        ? this.#device.createSendTransport(options)
        : this.#device.createRecvTransport(options);
    const transportId = transport.id;
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      this.#connection
        .request('connectTransport', {
          transportId,
          dtlsParameters: {
            role: dtlsParameters.role ?? 'auto',
            fingerprints: dtlsParameters.fingerprints as never,
          },
        })
        .then(() => done(), failed);
    });
    transport.on('produce', ({ rtpParameters, appData }, done, failed) => {
      this.#connection
        .request('produce', {
          transportId,
          source: appData.source as TrackSource,
          rtpParameters: parametersToSend(rtpParameters as never),
        })
        .then(({ producerId }) => done({ id: producerId }), failed);
    });
    transport.on('connectionstatechange', (state) => {
      if (state === 'failed' || state === 'disconnected') void this.#mend(transport);
    });
    return transport;
  }

  /** ICE is tried anew once; what does not come back by that needs a new connection. */
  async #mend(transport: Transport): Promise<void> {
    await delay(lessonLimits.iceGraceMs);
    if (this.#closed || transport.closed || isUp(transport)) return;
    try {
      const { iceParameters } = await this.#connection.request('restartIce', { transportId: transport.id });
      await transport.restartIce({ iceParameters: iceParameters as never });
    } catch {
      // Judged below.
    }
    await delay(lessonLimits.iceRestartMs);
    if (!this.#closed && !transport.closed && !isUp(transport)) this.#onLost();
  }
}

function isUp(transport: Transport): boolean {
  return transport.connectionState === 'connected' || transport.connectionState === 'new';
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// Browsers add fields of their own to these; the protocol knows its own alone.

function parametersToSend(given: RtpParameters): RtpParameters {
  return {
    ...(given.mid === undefined ? {} : { mid: given.mid }),
    codecs: given.codecs.map(({ mimeType, payloadType, clockRate, channels, parameters, rtcpFeedback }) => ({
      mimeType,
      payloadType,
      clockRate,
      ...(channels === undefined ? {} : { channels }),
      parameters: scalars(parameters),
      rtcpFeedback: feedbacks(rtcpFeedback),
    })),
    headerExtensions: given.headerExtensions.map(({ uri, id, encrypt }) => ({
      uri,
      id,
      encrypt: encrypt ?? false,
    })),
    encodings: given.encodings.map(
      ({ ssrc, rid, rtx, dtx, scalabilityMode, scaleResolutionDownBy, maxBitrate }) => ({
        ...(ssrc === undefined ? {} : { ssrc }),
        ...(rid === undefined ? {} : { rid }),
        ...(rtx === undefined ? {} : { rtx: { ssrc: rtx.ssrc } }),
        ...(dtx === undefined ? {} : { dtx }),
        ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
        ...(scaleResolutionDownBy === undefined ? {} : { scaleResolutionDownBy }),
        ...(maxBitrate === undefined ? {} : { maxBitrate }),
      }),
    ),
    rtcp: {
      ...(given.rtcp.cname === undefined ? {} : { cname: given.rtcp.cname }),
      ...(given.rtcp.reducedSize === undefined ? {} : { reducedSize: given.rtcp.reducedSize }),
    },
  };
}

function capabilitiesToSend(given: RtpCapabilities): RtpCapabilities {
  return {
    codecs: given.codecs.map(
      ({ kind, mimeType, preferredPayloadType, clockRate, channels, parameters, rtcpFeedback }) => ({
        kind,
        mimeType,
        ...(preferredPayloadType === undefined ? {} : { preferredPayloadType }),
        clockRate,
        ...(channels === undefined ? {} : { channels }),
        parameters: scalars(parameters),
        rtcpFeedback: feedbacks(rtcpFeedback),
      }),
    ),
    headerExtensions: given.headerExtensions.map(
      ({ kind, uri, preferredId, preferredEncrypt, direction }) => ({
        kind,
        uri,
        preferredId,
        ...(preferredEncrypt === undefined ? {} : { preferredEncrypt }),
        ...(direction === undefined ? {} : { direction }),
      }),
    ),
  };
}

function scalars(parameters: Readonly<Record<string, unknown>> | undefined): Record<string, string | number> {
  const kept: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (typeof value === 'string' || typeof value === 'number') kept[name] = value;
  }
  return kept;
}

function feedbacks(given: readonly { type: string; parameter?: string }[] | undefined) {
  return (given ?? []).map(({ type, parameter }) => ({
    type,
    ...(parameter === undefined ? {} : { parameter }),
  }));
}
