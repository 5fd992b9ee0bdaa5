import Type, { type Static, type TSchema } from 'typebox';
import { strict } from './contract.ts';
import type { DisconnectCode, ErrorBody } from './errors.ts';
import { CallId, MembershipId, PeerId } from './ids.ts';
import { mediaLimits } from './limits.ts';

/**
 * The signalling protocol of a call's media: one WebSocket at `/media/v1`, JSON text frames.
 *
 * - client to server `{id, method, params}`: `id` a positive integer, rising; answered once by
 *   `{id, ok: true, result}` or `{id, ok: false, error: {code, message, retryAfterMs?, data?}}`;
 * - server to client `{event, data}`: no answer.
 *
 * The first message is `join` with a ticket of `calls.createTicket`. The server ends the connection with a close code
 * of `disconnectCatalogue`: 4000-4499 come back with a new ticket, 4500-4999 do not.
 */
export const signallingPath = '/media/v1';

/** What a track shows or sounds. A peer has at most one of each. */
export const trackSources = ['microphone', 'camera', 'screen'] as const;
export type TrackSource = (typeof trackSources)[number];
export const TrackSource = Type.Union([
  Type.Literal('microphone'),
  Type.Literal('camera'),
  Type.Literal('screen'),
]);

// What WebRTC itself describes: bounded here, because the SFU takes nearly anything.

const MimeType = Type.String({ pattern: '^(audio|video)/[A-Za-z0-9.+-]{1,32}$' });
const PayloadType = Type.Integer({ minimum: 0, maximum: 127 });
const ClockRate = Type.Integer({ minimum: 8_000, maximum: 192_000 });
const Channels = Type.Integer({ minimum: 1, maximum: 8 });
const Ssrc = Type.Integer({ minimum: 1, maximum: 0xffffffff });
const ExtensionUri = Type.String({ minLength: 1, maxLength: 120 });
const ExtensionId = Type.Integer({ minimum: 1, maximum: 14 });
const CodecParameters = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9-]{1,40}$' }),
  Type.Union([Type.String({ maxLength: 200 }), Type.Number()]),
  { maxProperties: 24 },
);
const RtcpFeedback = Type.Array(
  strict({
    type: Type.String({ minLength: 1, maxLength: 40 }),
    parameter: Type.Optional(Type.String({ maxLength: 40 })),
  }),
  { maxItems: 16 },
);
const MediaKind = Type.Union([Type.Literal('audio'), Type.Literal('video')]);

export const RtpCapabilities = strict({
  codecs: Type.Array(
    strict({
      kind: MediaKind,
      mimeType: MimeType,
      preferredPayloadType: Type.Optional(PayloadType),
      clockRate: ClockRate,
      channels: Type.Optional(Channels),
      parameters: Type.Optional(CodecParameters),
      rtcpFeedback: Type.Optional(RtcpFeedback),
    }),
    { maxItems: 64 },
  ),
  headerExtensions: Type.Array(
    strict({
      kind: MediaKind,
      uri: ExtensionUri,
      preferredId: ExtensionId,
      preferredEncrypt: Type.Optional(Type.Boolean()),
      direction: Type.Optional(
        Type.Union([
          Type.Literal('sendrecv'),
          Type.Literal('sendonly'),
          Type.Literal('recvonly'),
          Type.Literal('inactive'),
        ]),
      ),
    }),
    { maxItems: 64 },
  ),
});
export type RtpCapabilities = Static<typeof RtpCapabilities>;

export const RtpParameters = strict({
  mid: Type.Optional(Type.String({ minLength: 1, maxLength: 32, pattern: '^[A-Za-z0-9_-]+$' })),
  codecs: Type.Array(
    strict({
      mimeType: MimeType,
      payloadType: PayloadType,
      clockRate: ClockRate,
      channels: Type.Optional(Channels),
      parameters: Type.Optional(CodecParameters),
      rtcpFeedback: Type.Optional(RtcpFeedback),
    }),
    { minItems: 1, maxItems: 8 },
  ),
  headerExtensions: Type.Array(
    strict({
      uri: ExtensionUri,
      id: ExtensionId,
      encrypt: Type.Optional(Type.Boolean()),
    }),
    { maxItems: 16 },
  ),
  encodings: Type.Array(
    strict({
      ssrc: Type.Optional(Ssrc),
      rid: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9]{1,16}$' })),
      rtx: Type.Optional(strict({ ssrc: Ssrc })),
      dtx: Type.Optional(Type.Boolean()),
      scalabilityMode: Type.Optional(Type.String({ pattern: '^[LS][1-3]T[1-3](_KEY|h)?$' })),
      scaleResolutionDownBy: Type.Optional(Type.Number({ minimum: 1, maximum: 16 })),
      maxBitrate: Type.Optional(Type.Integer({ minimum: 1, maximum: 20_000_000 })),
    }),
    { minItems: 1, maxItems: mediaLimits.encodings },
  ),
  rtcp: strict({
    cname: Type.Optional(Type.String({ maxLength: 64 })),
    reducedSize: Type.Optional(Type.Boolean()),
  }),
});
export type RtpParameters = Static<typeof RtpParameters>;

export const DtlsParameters = strict({
  role: Type.Union([Type.Literal('auto'), Type.Literal('client'), Type.Literal('server')]),
  fingerprints: Type.Array(
    strict({
      algorithm: Type.Union([Type.Literal('sha-256'), Type.Literal('sha-384'), Type.Literal('sha-512')]),
      value: Type.String({ pattern: '^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31,63}$' }),
    }),
    { minItems: 1, maxItems: 4 },
  ),
});
export type DtlsParameters = Static<typeof DtlsParameters>;

const IceParameters = strict({
  usernameFragment: Type.String(),
  password: Type.String(),
  iceLite: Type.Optional(Type.Boolean()),
});
const IceCandidate = strict({
  foundation: Type.String(),
  priority: Type.Integer(),
  ip: Type.String(),
  address: Type.String(),
  protocol: Type.Union([Type.Literal('udp'), Type.Literal('tcp')]),
  port: Type.Integer(),
  type: Type.Literal('host'),
  tcpType: Type.Optional(Type.Literal('passive')),
});

/** Ids that the SFU makes; they mean nothing outside one connection, and another's are answered NOT_FOUND. */
const MediaId = Type.String({ minLength: 1, maxLength: 40, pattern: '^[0-9a-f-]+$' });

/** A right per source. */
export const SourceRights = strict({
  microphone: Type.Boolean(),
  camera: Type.Boolean(),
  screen: Type.Boolean(),
});
export type SourceRights = Static<typeof SourceRights>;

export const ProducerInfo = strict({
  producerId: MediaId,
  source: TrackSource,
  /** Nothing flows: switched off by its owner, muted by the host, or the room waits for a host. */
  paused: Type.Boolean(),
});
export type ProducerInfo = Static<typeof ProducerInfo>;

/** One person who is in the room. A person is in it at most once: a second join replaces the first. */
export const PeerInfo = strict({
  peerId: PeerId,
  membershipId: MembershipId,
  fullName: Type.String(),
  /** A role of the school, such as `pupil`, for the caption. */
  role: Type.String(),
  /** A verified teacher's badge. */
  verified: Type.Boolean(),
  /** May mute, allow and remove others, and end the call. */
  host: Type.Boolean(),
  /** What the host allows this person; false is a mute that only a host lifts. */
  allowed: SourceRights,
  /** When the hand went up, ISO 8601; null while it is down. */
  handRaisedAt: Type.Union([Type.String(), Type.Null()]),
  producers: Type.Array(ProducerInfo),
});
export type PeerInfo = Static<typeof PeerInfo>;

/**
 * `open`, or `lobby`: there are pupils and no host, so nobody is seen or heard, `produce` is refused with FORBIDDEN and
 * nothing is consumed until a host comes.
 */
export const RoomState = Type.Union([Type.Literal('open'), Type.Literal('lobby')]);
export type RoomState = Static<typeof RoomState>;

const nothing = strict({});
const byProducer = strict({ producerId: MediaId });

export const signallingRequests = {
  join: {
    summary: 'Comes in, by a ticket. First of all, within 10 s of opening.',
    params: strict({
      ticket: Type.String({ minLength: 1, maxLength: 2_048 }),
      version: Type.String({ maxLength: 16 }),
    }),
    result: strict({
      callId: CallId,
      peerId: PeerId,
      state: RoomState,
      routerRtpCapabilities: Type.Unsafe<RtpCapabilities>(Type.Any()),
      /** Everybody in the room, the caller included. */
      peers: Type.Array(PeerInfo),
      /** Whose voice was the last dominant one. */
      activeSpeaker: Type.Union([PeerId, Type.Null()]),
    }),
  },
  leave: {
    summary: 'Leaves for good: the hand goes down and the others see it at once.',
    params: nothing,
    result: nothing,
  },
  ping: { summary: 'Asks whether the server is there; every few seconds.', params: nothing, result: nothing },
  createTransport: {
    summary:
      'One `send` and one `recv` for each connection; `recv` names what the client can decode, and starts consumption.',
    params: Type.Union([
      strict({ direction: Type.Literal('send') }),
      strict({ direction: Type.Literal('recv'), rtpCapabilities: RtpCapabilities }),
    ]),
    result: strict({
      transportId: MediaId,
      iceParameters: IceParameters,
      iceCandidates: Type.Array(IceCandidate),
      dtlsParameters: DtlsParameters,
    }),
  },
  connectTransport: {
    summary: 'The client’s side of the DTLS handshake; once for each transport.',
    params: strict({ transportId: MediaId, dtlsParameters: DtlsParameters }),
    result: nothing,
  },
  restartIce: {
    summary: 'New ICE credentials for a path that was lost.',
    params: strict({ transportId: MediaId }),
    result: strict({ iceParameters: IceParameters }),
  },
  produce: {
    summary:
      'Sends a track. One producer for each source: a second is CONFLICT, one that the host does not allow, or any in the lobby, FORBIDDEN.',
    params: strict({
      transportId: MediaId,
      source: TrackSource,
      rtpParameters: RtpParameters,
      /** Begin switched off. */
      paused: Type.Optional(Type.Boolean()),
    }),
    result: byProducer,
  },
  pauseProducer: { summary: 'Switches an own track off.', params: byProducer, result: nothing },
  resumeProducer: {
    summary: 'Switches it on again. FORBIDDEN while the host does not allow the source, and in the lobby.',
    params: byProducer,
    result: nothing,
  },
  closeProducer: { summary: 'Ends an own track.', params: byProducer, result: nothing },
  resumeConsumer: {
    summary: 'The client has made the consumer of `consumerAdded`: let it flow.',
    params: strict({ consumerId: MediaId }),
    result: nothing,
  },
  setVisible: {
    summary:
      'Which pictures the client shows, and how wide in device pixels: those and no others are sent to it, in the layer that fits. Replaces the list before. Sound needs no asking. Ids that are gone are skipped.',
    params: strict({
      tiles: Type.Array(
        strict({
          peerId: PeerId,
          source: Type.Union([Type.Literal('camera'), Type.Literal('screen')]),
          width: Type.Integer({ minimum: 1, maximum: 8_192 }),
        }),
        { maxItems: mediaLimits.visibleTiles },
      ),
    }),
    result: nothing,
  },
  raiseHand: {
    summary: 'Raises or lowers the own hand.',
    params: strict({ raised: Type.Boolean() }),
    result: nothing,
  },
  setAllowed: {
    summary: 'Host: forbids (mutes) or allows one person’s source. Another host’s can’t be changed.',
    params: strict({ peerId: PeerId, source: TrackSource, allowed: Type.Boolean() }),
    result: nothing,
  },
  setAllAllowed: {
    summary: 'Host: the same for all who are no hosts, those who join later included.',
    params: strict({ source: TrackSource, allowed: Type.Boolean() }),
    result: nothing,
  },
  lowerHand: {
    summary: 'Host: takes a hand down, or all of them (peerId null).',
    params: strict({ peerId: Type.Union([PeerId, Type.Null()]) }),
    result: nothing,
  },
} as const satisfies Record<string, { summary: string; params: TSchema; result: TSchema }>;

const signallingEvent = <Data extends TSchema>(summary: string, data: Data) => ({ summary, data });

export const signallingEvents = {
  peerJoined: signallingEvent('Somebody came in.', strict({ peer: PeerInfo })),
  peerChanged: signallingEvent(
    'Hand, rights, host or a producer of this peer changed; the whole state replaces the one before.',
    strict({ peer: PeerInfo }),
  ),
  peerLeft: signallingEvent('Somebody is gone.', strict({ peerId: PeerId })),
  stateChanged: signallingEvent('The room opened or went back to the lobby.', strict({ state: RoomState })),
  consumerAdded: signallingEvent(
    'Make this consumer on the receiving transport and answer with `resumeConsumer`; it is paused until then.',
    strict({
      consumerId: MediaId,
      producerId: MediaId,
      peerId: PeerId,
      source: TrackSource,
      kind: MediaKind,
      rtpParameters: Type.Unsafe<RtpParameters>(Type.Any()),
      producerPaused: Type.Boolean(),
    }),
  ),
  consumerClosed: signallingEvent('This consumer is over.', strict({ consumerId: MediaId })),
  activeSpeakerChanged: signallingEvent(
    'Whose voice is the dominant one; null when it has become quiet.',
    strict({ peerId: Type.Union([PeerId, Type.Null()]) }),
  ),
  audioLevels: signallingEvent(
    'The voices of the last moment, loudest first, -127..0 dBov; empty once when all are silent.',
    strict({ levels: Type.Array(strict({ peerId: PeerId, level: Type.Integer() })) }),
  ),
  transportLost: signallingEvent(
    'The server’s end of this transport is lost: restart ICE or join again.',
    strict({ transportId: MediaId }),
  ),
} as const satisfies Record<string, { summary: string; data: TSchema }>;

export type SignallingMethod = keyof typeof signallingRequests;
export type SignallingParams<M extends SignallingMethod> = Static<(typeof signallingRequests)[M]['params']>;
export type SignallingResult<M extends SignallingMethod> = Static<(typeof signallingRequests)[M]['result']>;
export type SignallingEventName = keyof typeof signallingEvents;
export type SignallingEventData<E extends SignallingEventName> = Static<(typeof signallingEvents)[E]['data']>;

export interface SignallingRequest<M extends SignallingMethod = SignallingMethod> {
  readonly id: number;
  readonly method: M;
  readonly params: SignallingParams<M>;
}
export type SignallingReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorBody };
export type SignallingNotification = {
  [E in SignallingEventName]: { readonly event: E; readonly data: SignallingEventData<E> };
}[SignallingEventName];

/** The frame around each request; the params are then held to the schema of the method. */
export const SignallingEnvelope = strict({
  id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  method: Type.String({ minLength: 1, maxLength: 40 }),
  params: Type.Any(),
});

/** Close codes that this WebSocket may end with. */
export const signallingDisconnects = [
  'SERVER_STOPPING',
  'SLOW_READER',
  'ROOM_MOVED',
  'PEER_TIMEOUT',
  'SESSION_ENDED',
  'BAD_MESSAGE',
  'CALL_ENDED',
  'REMOVED_FROM_CALL',
  'TICKET_INVALID',
  'REPLACED',
  'ACCESS_ENDED',
] as const satisfies readonly DisconnectCode[];
