import type {
  CallId,
  MembershipId,
  PeerId,
  PeerInfo,
  Role,
  RoomState,
  SignallingMethod,
  SignallingNotification,
  SignallingParams,
  SignallingResult,
  SourceRights,
  TrackSource,
} from '@zvonok/shared';
import { CodedError, type ErrorCode } from '@zvonok/shared/errors.ts';
import { contractVersion, lessonLimits, mediaLimits } from '@zvonok/shared/limits.ts';
import type { HandlerFactory } from 'mediasoup-client/types';
import type { Call } from './api.ts';
import { backoffMs } from './backoff.ts';
import {
  type AcquireTrack,
  acquireFromBrowser,
  describeDeviceError,
  type LocalTrackError,
} from './lesson-devices.ts';
import { LessonMedia, type LessonStats, noStats, type RemoteTrack } from './lesson-media.ts';
import { Playback } from './lesson-playback.ts';
import { type Ending, SignallingConnection, type WebSocketFactory } from './lesson-signalling.ts';
import { Listeners, type Source, ValueSource } from './source.ts';

export interface LessonOptions {
  /** Switch the microphone on once in (default: join silent). */
  readonly microphone?: boolean;
  readonly camera?: boolean;
  /** Device ids to begin with. */
  readonly devices?: { readonly microphone?: string; readonly camera?: string; readonly speaker?: string };
  /** Where local tracks come from; default the browser's devices. */
  readonly acquire?: AcquireTrack;
  /** Play the others' sound (default: where there is a document). */
  readonly playAudio?: boolean;
  /** false: signalling alone, nothing is sent or received (Node). */
  readonly media?: boolean;
  /** mediasoup-client's way into WebRTC, for places that are no browser. */
  readonly handlerFactory?: HandlerFactory;
  readonly webSocket?: WebSocketFactory;
}

/** The part of the client that a lesson needs. */
export interface LessonClient {
  /** Origin of the server. */
  readonly url: string;
  readonly call: Call;
}

export type LessonEndReason =
  | 'left'
  | 'callEnded'
  | 'removed'
  /** The same person joined from another tab or device. */
  | 'replaced'
  | 'signedOut'
  | 'full'
  | 'notFound'
  | 'callsUnavailable'
  | 'outdated'
  | 'failed';

export interface LocalTrack {
  readonly state: 'off' | 'starting' | 'on';
  /** For the own preview. */
  readonly track: MediaStreamTrack | null;
  /** Of the last try to switch on. */
  readonly error: LocalTrackError | null;
}

export interface LessonSelf {
  readonly membershipId: MembershipId;
  /** Empty until joined. */
  readonly fullName: string;
  /** May use the host's controls. */
  readonly host: boolean;
  /** False: the host has switched it off, and only a host can lift that. */
  readonly allowed: SourceRights;
  readonly handRaisedAt: string | null;
  readonly microphone: LocalTrack;
  readonly camera: LocalTrack;
  readonly screen: LocalTrack;
}

/** A picture or voice of somebody: a picture that is `on` without a track is not asked for (`setVisible`) or still on its way. */
export interface RemoteMedia {
  readonly on: boolean;
  readonly track: MediaStreamTrack | null;
}

export interface LessonParticipant {
  /** One presence each, stable over reconnections: the key of a tile. */
  readonly membershipId: MembershipId;
  readonly fullName: string;
  readonly role: Role;
  readonly verified: boolean;
  readonly host: boolean;
  readonly allowed: SourceRights;
  readonly handRaisedAt: string | null;
  /** Played by the SDK already; the track is for meters. */
  readonly microphone: RemoteMedia;
  readonly camera: RemoteMedia;
  readonly screen: RemoteMedia;
}

export interface LessonSnapshot {
  readonly status: 'connecting' | 'connected' | 'reconnecting' | 'ended';
  readonly endReason: LessonEndReason | null;
  /** When the next try is, ms since 1970; null unless one is waited for. */
  readonly retryAt: number | null;
  /** `lobby`: waiting for a teacher; nobody is seen or heard. */
  readonly room: RoomState;
  readonly self: LessonSelf;
  /** The others, in the order of joining. */
  readonly participants: readonly LessonParticipant[];
  /** May be oneself. */
  readonly activeSpeaker: MembershipId | null;
  /** The browser wants a tap before it plays sound: call `startPlayback` from a click. */
  readonly playbackBlocked: boolean;
  readonly quality: 'good' | 'poor' | 'lost' | null;
  readonly devices: {
    readonly microphone: string | null;
    readonly camera: string | null;
    readonly speaker: string | null;
  };
}

export interface VisibleTile {
  readonly membershipId: MembershipId;
  readonly source: 'camera' | 'screen';
  /** In device pixels. */
  readonly width: number;
}

/** What the person wants of one source, and how far it has come. */
interface LocalSource {
  wanted: boolean;
  state: LocalTrack['state'];
  track: MediaStreamTrack | null;
  error: LocalTrackError | null;
  deviceId: string | undefined;
  working: Promise<void> | undefined;
  onEnded: (() => void) | undefined;
}

/** One connection from its join to its end. */
interface Session {
  readonly connection: SignallingConnection;
  /** Consumers that arrive while it opens wait for it. */
  opening: Promise<LessonMedia> | undefined;
  media: LessonMedia | undefined;
  readonly selfId: PeerId;
  readonly peers: Map<PeerId, PeerInfo>;
  room: RoomState;
  activeSpeaker: PeerId | null;
  /** As sent last. */
  visible: string;
}

const endOfCode: Partial<Record<ErrorCode, LessonEndReason>> = {
  CALL_ENDED: 'callEnded',
  REMOVED_FROM_CALL: 'removed',
  NOT_FOUND: 'notFound',
  FORBIDDEN: 'notFound',
  UNAUTHENTICATED: 'signedOut',
  CLIENT_OUTDATED: 'outdated',
  CALLS_UNAVAILABLE: 'callsUnavailable',
  CALL_FULL: 'full',
};
const endOfDisconnect: Partial<Record<NonNullable<Ending>, LessonEndReason>> = {
  CALL_ENDED: 'callEnded',
  REMOVED_FROM_CALL: 'removed',
  SESSION_ENDED: 'signedOut',
  REPLACED: 'replaced',
  ACCESS_ENDED: 'notFound',
  BAD_MESSAGE: 'failed',
};

const noRights: SourceRights = { microphone: false, camera: false, screen: false };
const sources = ['microphone', 'camera', 'screen'] as const satisfies readonly TrackSource[];
/** Width of a camera's picture while nobody says which are shown. */
const usualWidth = { camera: 640, screen: 1_280 } as const;

/** Joins a call. Returns at once; the lesson connects by itself, and again after every loss, until it ends. */
export function joinLesson(
  client: LessonClient,
  place: { readonly as: MembershipId; readonly callId: CallId },
  options: LessonOptions = {},
): Lesson {
  return new Lesson(client, place, options);
}

/**
 * A lesson as one person lives it: who is there, what is seen and heard, what oneself sends. A `Source` for React's
 * `useSyncExternalStore`; parts of a snapshot that did not change are the same objects as before.
 */
export class Lesson implements Source<LessonSnapshot> {
  readonly #client: LessonClient;
  readonly #place: { readonly as: MembershipId; readonly callId: CallId };
  readonly #options: LessonOptions;
  readonly #listeners = new Listeners();
  readonly #levels = new ValueSource<ReadonlyMap<MembershipId, number>>(new Map());
  readonly #playback: Playback | undefined;
  readonly #local: Readonly<Record<TrackSource, LocalSource>>;
  readonly #stop = new AbortController();
  #session: Session | undefined;
  #status: LessonSnapshot['status'] = 'connecting';
  #endReason: LessonEndReason | null = null;
  #retryAt: number | null = null;
  #quality: LessonSnapshot['quality'] = null;
  #speaker: string | null;
  #lastSelf: Pick<LessonSelf, 'fullName' | 'host' | 'allowed' | 'handRaisedAt'> = {
    fullName: '',
    host: false,
    allowed: noRights,
    handRaisedAt: null,
  };
  /** Who was there before a loss: shown until the lesson is back. */
  #lastParticipants: readonly LessonParticipant[] = [];
  #tiles: readonly VisibleTile[] | null = null;
  #visibleTimer: ReturnType<typeof setTimeout> | undefined;
  #statsTimer: ReturnType<typeof setInterval> | undefined;
  #stats: LessonStats = noStats;
  #snapshot: LessonSnapshot;

  constructor(
    client: LessonClient,
    place: { readonly as: MembershipId; readonly callId: CallId },
    options: LessonOptions,
  ) {
    this.#client = client;
    this.#place = place;
    this.#options = options;
    this.#speaker = options.devices?.speaker ?? null;
    const local = (wanted: boolean, deviceId: string | undefined): LocalSource => ({
      wanted,
      state: 'off',
      track: null,
      error: null,
      deviceId,
      working: undefined,
      onEnded: undefined,
    });
    this.#local = {
      microphone: local(options.microphone === true, options.devices?.microphone),
      camera: local(options.camera === true, options.devices?.camera),
      screen: local(false, undefined),
    };
    if (options.playAudio ?? typeof document !== 'undefined') {
      this.#playback = new Playback(() => this.#publish(), options.devices?.speaker);
    }
    this.#snapshot = this.#build();
    void this.#live();
  }

  readonly getSnapshot = (): LessonSnapshot => this.#snapshot;
  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  /** Loudness of each voice, 0..1; silent ones are absent. Kept apart: it changes several times a second. */
  get levels(): Source<ReadonlyMap<MembershipId, number>> {
    return this.#levels;
  }

  // What oneself sends

  /** Resolves when it is so. Where a device or the host refuses, `LocalTrack.error` says why and it resolves too. */
  setMicrophone(on: boolean): Promise<void> {
    return this.#setLocal('microphone', on);
  }

  setCamera(on: boolean): Promise<void> {
    return this.#setLocal('camera', on);
  }

  setScreen(on: boolean): Promise<void> {
    return this.#setLocal('screen', on);
  }

  async useMicrophone(deviceId: string): Promise<void> {
    await this.#useDevice('microphone', deviceId);
  }

  async useCamera(deviceId: string): Promise<void> {
    await this.#useDevice('camera', deviceId);
  }

  async useSpeaker(deviceId: string): Promise<void> {
    this.#speaker = deviceId;
    await this.#playback?.useSpeaker(deviceId);
    this.#publish();
  }

  /** Call it from a click, while `playbackBlocked`. */
  async startPlayback(): Promise<void> {
    await this.#playback?.start();
  }

  /**
   * Which pictures are shown, and how wide; others are not sent. null (the default): everybody's, up to the cap. Told
   * to the server a moment later, and again after each reconnection.
   */
  setVisible(tiles: readonly VisibleTile[] | null): void {
    this.#tiles = tiles;
    this.#tellVisibleSoon();
  }

  async raiseHand(raised: boolean): Promise<void> {
    await this.#request('raiseHand', { raised });
  }

  // What a host does. Each rejects with CodedError: FORBIDDEN for those who are none.

  async setAllowed(membershipId: MembershipId, source: TrackSource, allowed: boolean): Promise<void> {
    await this.#request('setAllowed', { peerId: this.#requirePeer(membershipId), source, allowed });
  }

  async setAllAllowed(source: TrackSource, allowed: boolean): Promise<void> {
    await this.#request('setAllAllowed', { source, allowed });
  }

  async lowerHand(membershipId: MembershipId | null): Promise<void> {
    const peerId = membershipId === null ? null : this.#requirePeer(membershipId);
    await this.#request('lowerHand', { peerId });
  }

  async remove(membershipId: MembershipId): Promise<void> {
    await this.#client.call('calls.removeMember', { ...this.#place, membershipId });
  }

  async readmit(membershipId: MembershipId): Promise<void> {
    await this.#client.call('calls.readmitMember', { ...this.#place, membershipId });
  }

  /** Ends the lesson for everybody. */
  async end(): Promise<void> {
    await this.#client.call('calls.endCall', this.#place);
  }

  /** Leaves and releases the devices. Idempotent. */
  leave(): void {
    if (this.#status === 'ended') return;
    const session = this.#session;
    session?.connection.request('leave', {}).catch(() => undefined);
    this.#finish('left');
  }

  /** Of the last few seconds; zeros without media. */
  async getStats(): Promise<LessonStats> {
    return this.#stats;
  }

  // The life of the connection

  async #live(): Promise<void> {
    let failures = 0;
    let movedSoon = false;
    while (!this.#stop.signal.aborted) {
      if (failures > 0 || movedSoon) {
        const wait = movedSoon
          ? Math.random() * lessonLimits.movedMs
          : backoffMs(failures - 1, lessonLimits.retryMinMs, lessonLimits.retryMaxMs);
        await this.#pause(wait);
        if (this.#stop.signal.aborted) return;
      }
      movedSoon = false;
      try {
        const session = await this.#join();
        const joinedAt = Date.now();
        const ending = await session.connection.ended;
        this.#drop(session);
        if (this.#stop.signal.aborted) return;
        const reason = ending === undefined ? undefined : endOfDisconnect[ending];
        if (reason !== undefined) return this.#finish(reason);
        if (ending === 'ROOM_MOVED') movedSoon = true;
        else failures = Date.now() - joinedAt > lessonLimits.settledMs ? 1 : failures + 1;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const code = error instanceof CodedError ? error.code : 'INTERNAL';
        const reason = endOfCode[code];
        if (reason !== undefined) return this.#finish(reason);
        failures += 1;
        const advised = error instanceof CodedError ? error.retryAfterMs : undefined;
        if (advised !== undefined) await this.#pause(advised);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    this.#retryAt = Date.now() + ms;
    this.#publish();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stop.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#retryAt = null;
  }

  async #join(): Promise<Session> {
    const { ticket, path } = await this.#client.call('calls.createTicket', this.#place);
    if (this.#stop.signal.aborted) throw new CodedError('UNAVAILABLE');
    const url = new URL(path, this.#client.url);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    // What arrives before the join is answered is about what the answer holds already, apart from consumers: none yet.
    let session: Session | undefined;
    const early: SignallingNotification[] = [];
    const open = this.#options.webSocket ?? ((address: string) => new WebSocket(address));
    const connection = new SignallingConnection(open, url.href, (notification) => {
      if (session === undefined) early.push(notification);
      else this.#hear(session, notification);
    });
    const abort = () => connection.close();
    this.#stop.signal.addEventListener('abort', abort);
    void connection.ended.then(() => this.#stop.signal.removeEventListener('abort', abort));
    let joined: SignallingResult<'join'>;
    try {
      await connection.opened;
      joined = await connection.request('join', { ticket, version: contractVersion });
    } catch (error) {
      connection.close();
      // It is the ticket that is not known (it was too old); the session was judged when the ticket was given.
      const stale = error instanceof CodedError && error.code === 'UNAUTHENTICATED';
      throw stale ? new CodedError('UNAVAILABLE', { cause: error }) : error;
    }
    session = {
      connection,
      opening: undefined,
      media: undefined,
      selfId: joined.peerId,
      peers: new Map(joined.peers.map((peer) => [peer.peerId, peer])),
      room: joined.state,
      activeSpeaker: joined.activeSpeaker,
      visible: '',
    };
    this.#session = session;
    this.#status = 'connected';
    this.#quality = null;
    for (const notification of early) this.#hear(session, notification);
    this.#publish();
    this.#tellVisible();
    if (this.#options.media !== false) await this.#openMedia(session, joined);
    return session;
  }

  async #openMedia(session: Session, joined: SignallingResult<'join'>): Promise<void> {
    const { connection } = session;
    session.opening = LessonMedia.open(
      connection,
      joined,
      this.#options.handlerFactory,
      () => this.#tracksChanged(session),
      () => connection.close(),
    );
    try {
      const media = await session.opening;
      if (this.#session !== session || connection.over) return media.close();
      session.media = media;
    } catch (error) {
      const broken = connection.over;
      connection.close();
      // No answer in time may be better next time; a browser without WebRTC stays one.
      if (!broken && !(error instanceof CodedError)) this.#finish('failed');
      return;
    }
    for (const source of sources) void this.#settle(source);
    this.#statsTimer = setInterval(() => void this.#measure(session), lessonLimits.statsMs);
  }

  /** Everything of a connection that has ended; what the person wants stays. */
  #drop(session: Session): void {
    if (this.#session !== session) return;
    const noTrack = (media: RemoteMedia): RemoteMedia => ({ on: media.on, track: null });
    this.#lastParticipants = this.#snapshot.participants.map((each) => ({
      ...each,
      microphone: noTrack(each.microphone),
      camera: noTrack(each.camera),
      screen: noTrack(each.screen),
    }));
    this.#session = undefined;
    clearInterval(this.#statsTimer);
    clearTimeout(this.#visibleTimer);
    this.#visibleTimer = undefined;
    session.media?.close();
    void session.opening?.then((media) => media.close()).catch(() => undefined);
    this.#playback?.clear();
    this.#playing.clear();
    this.#levels.set(new Map());
    if (this.#status !== 'ended') {
      this.#status = 'reconnecting';
      this.#quality = 'lost';
    }
    this.#publish();
  }

  #finish(reason: LessonEndReason): void {
    if (this.#status === 'ended') return;
    this.#status = 'ended';
    this.#endReason = reason;
    this.#retryAt = null;
    // After the good-bye was written: closing here would drop it with the socket.
    const session = this.#session;
    if (session !== undefined) this.#drop(session);
    this.#stop.abort();
    for (const source of sources) this.#releaseTrack(source);
    this.#lastParticipants = [];
    this.#publish();
  }

  #hear(session: Session, notification: SignallingNotification): void {
    if (this.#session !== session) return;
    const { event, data } = notification;
    switch (event) {
      case 'peerJoined':
        session.peers.set(data.peer.peerId, data.peer);
        this.#tellVisibleSoon();
        break;
      case 'peerChanged':
        if (!session.peers.has(data.peer.peerId)) return;
        session.peers.set(data.peer.peerId, data.peer);
        if (data.peer.peerId === session.selfId) this.#obeyRights(data.peer.allowed);
        break;
      case 'peerLeft':
        session.peers.delete(data.peerId);
        this.#tellVisibleSoon();
        break;
      case 'stateChanged':
        session.room = data.state;
        if (data.state === 'open') for (const source of sources) void this.#settle(source);
        break;
      case 'consumerAdded':
        session.opening?.then((media) => media.consume(data)).catch(() => undefined);
        return;
      case 'consumerClosed':
        session.opening?.then((media) => media.closeConsumer(data.consumerId)).catch(() => undefined);
        return;
      case 'activeSpeakerChanged':
        session.activeSpeaker = data.peerId;
        break;
      case 'audioLevels':
        this.#levels.set(
          new Map(
            data.levels.flatMap(({ peerId, level }) => {
              const peer = session.peers.get(peerId);
              return peer === undefined ? [] : [[peer.membershipId, loudnessOf(level)] as const];
            }),
          ),
        );
        return;
      // The device's own end of the transport notices it as well, and mends it.
      case 'transportLost':
        return;
    }
    this.#publish();
  }

  /** What the host has just taken away is off here too, and stays off when it is given back: that is one's own to say. */
  #obeyRights(allowed: SourceRights): void {
    for (const source of sources) {
      const local = this.#local[source];
      if (allowed[source] || !local.wanted) continue;
      local.wanted = false;
      local.error = 'forbidden';
      void this.#settle(source);
    }
  }

  #tracksChanged(session: Session): void {
    if (this.#session !== session) return;
    this.#playVoices(session);
    this.#publish();
  }

  readonly #playing = new Set<string>();

  #playVoices(session: Session): void {
    if (this.#playback === undefined) return;
    const voices = new Map<string, RemoteTrack>();
    for (const remote of session.media?.remoteTracks() ?? []) {
      if (remote.source === 'microphone') voices.set(remote.consumerId, remote);
    }
    for (const key of this.#playing) {
      if (voices.has(key)) continue;
      this.#playing.delete(key);
      this.#playback.remove(key);
    }
    for (const [key, { track }] of voices) {
      if (this.#playing.has(key)) continue;
      this.#playing.add(key);
      this.#playback.add(key, track);
    }
  }

  async #measure(session: Session): Promise<void> {
    const { media } = session;
    if (media === undefined) return;
    try {
      const [stats, stands] = await Promise.all([media.getStats(), media.pathStands()]);
      if (this.#session !== session) return;
      this.#stats = stats;
      const poor =
        stats.packetsLostRatio > lessonLimits.poorLossRatio || stats.rttMs > lessonLimits.poorRttMs;
      this.#quality = stands ? (poor ? 'poor' : 'good') : 'lost';
      this.#publish();
    } catch {
      // The connection ended while it was asked.
    }
  }

  // Own tracks

  #setLocal(source: TrackSource, on: boolean): Promise<void> {
    if (this.#status === 'ended') return Promise.resolve();
    const local = this.#local[source];
    local.wanted = on;
    local.error = null;
    return this.#settle(source);
  }

  async #useDevice(source: 'microphone' | 'camera', deviceId: string): Promise<void> {
    const local = this.#local[source];
    local.deviceId = deviceId;
    this.#publish();
    await local.working;
    if (local.track === null) return;
    let track: MediaStreamTrack;
    try {
      track = await this.#acquire(source, deviceId);
    } catch (error) {
      local.error = describeDeviceError(error);
      this.#publish();
      return;
    }
    this.#releaseTrack(source);
    this.#adoptTrack(source, track);
    const producer = this.#session?.media?.producerOf(source);
    await producer?.replaceTrack({ track });
    this.#publish();
  }

  /** Brings a source to what the person wants, as far as host, device and connection let it. One at a time. */
  #settle(source: TrackSource): Promise<void> {
    const local = this.#local[source];
    local.working ??= (async () => {
      try {
        // A wish that changes meanwhile is followed too.
        for (let wish: boolean | undefined; wish !== local.wanted && this.#status !== 'ended'; ) {
          wish = local.wanted;
          await (wish ? this.#switchOn(source) : this.#switchOff(source));
        }
      } finally {
        local.working = undefined;
        this.#publish();
      }
    })();
    return local.working;
  }

  async #switchOn(source: TrackSource): Promise<void> {
    const local = this.#local[source];
    const session = this.#session;
    if (session !== undefined && session.peers.get(session.selfId)?.allowed[source] === false) {
      return this.#giveUp(source, 'forbidden');
    }
    if (local.track === null || local.track.readyState === 'ended') {
      local.state = 'starting';
      this.#publish();
      try {
        this.#adoptTrack(source, await this.#acquire(source, local.deviceId));
      } catch (error) {
        return this.#giveUp(source, describeDeviceError(error));
      }
    }
    if (this.#stop.signal.aborted) return this.#releaseTrack(source);
    const media = this.#session?.media;
    // Without a connection or in the lobby it is ready, and sent as soon as that is possible.
    if (media !== undefined && this.#session?.room === 'open' && local.track !== null) {
      try {
        local.track.enabled = true;
        if (media.producerOf(source) === undefined) await media.produce(source, local.track);
        else await media.resume(source);
      } catch (error) {
        if (error instanceof CodedError && error.code === 'FORBIDDEN') {
          // In the lobby it is not the person who is refused.
          if (error.data?.lobby !== true) return this.#giveUp(source, 'forbidden');
        } else if (!(error instanceof CodedError) && this.#session?.media === media) {
          return this.#giveUp(source, 'failed');
        }
        // Anything else is the connection's trouble: the next one tries again.
      }
    }
    local.state = 'on';
    local.error = null;
    this.#publish();
  }

  async #switchOff(source: TrackSource): Promise<void> {
    const local = this.#local[source];
    local.state = 'off';
    const media = this.#session?.media;
    // A microphone stays at hand, silent, so that the next word is not lost; a camera's light goes out.
    if (source === 'microphone') {
      if (local.track !== null) local.track.enabled = false;
    } else this.#releaseTrack(source);
    this.#publish();
    try {
      if (source === 'microphone') await media?.pause(source);
      else await media?.stop(source);
    } catch {
      // What does not arrive is made good by the next connection, which begins with nothing sent.
    }
  }

  #giveUp(source: TrackSource, error: LocalTrackError): void {
    const local = this.#local[source];
    local.wanted = false;
    local.state = 'off';
    local.error = error;
    this.#releaseTrack(source);
    this.#publish();
  }

  #acquire(source: TrackSource, deviceId: string | undefined): Promise<MediaStreamTrack> {
    return (this.#options.acquire ?? acquireFromBrowser)(source, deviceId);
  }

  #adoptTrack(source: TrackSource, track: MediaStreamTrack): void {
    const local = this.#local[source];
    local.track = track;
    // Unplugged, or the browser's own button to stop sharing.
    local.onEnded = () => {
      if (local.track !== track) return;
      if (source === 'microphone' && local.wanted) void this.#replaceLostMicrophone();
      else void this.#setLocal(source, false);
    };
    track.addEventListener('ended', local.onEnded);
  }

  async #replaceLostMicrophone(): Promise<void> {
    const local = this.#local.microphone;
    local.deviceId = undefined;
    await local.working;
    try {
      const track = await this.#acquire('microphone', undefined);
      this.#releaseTrack('microphone');
      this.#adoptTrack('microphone', track);
      await this.#session?.media?.producerOf('microphone')?.replaceTrack({ track });
      this.#publish();
    } catch (error) {
      await this.#setLocal('microphone', false);
      local.error = describeDeviceError(error);
      this.#publish();
    }
  }

  #releaseTrack(source: TrackSource): void {
    const local = this.#local[source];
    const { track } = local;
    if (track === null) return;
    local.track = null;
    if (local.onEnded !== undefined) track.removeEventListener('ended', local.onEnded);
    track.stop();
  }

  // What is shown

  #tellVisibleSoon(): void {
    this.#visibleTimer ??= setTimeout(() => {
      this.#visibleTimer = undefined;
      this.#tellVisible();
    }, lessonLimits.visibleMs);
  }

  #tellVisible(): void {
    const session = this.#session;
    if (session === undefined || this.#options.media === false) return;
    const others = [...session.peers.values()].filter((peer) => peer.peerId !== session.selfId);
    const tiles =
      this.#tiles === null
        ? // Screens first: where not everything fits, what is taught matters more than who listens.
          (['screen', 'camera'] as const).flatMap((source) =>
            others.map(({ peerId }) => ({ peerId, source, width: usualWidth[source] })),
          )
        : this.#tiles.flatMap(({ membershipId, source, width }) => {
            const peer = others.find((each) => each.membershipId === membershipId);
            return peer === undefined ? [] : [{ peerId: peer.peerId, source, width: Math.round(width) }];
          });
    const params = {
      tiles: tiles
        .map((tile) => ({ ...tile, width: Math.min(8_192, Math.max(1, tile.width)) }))
        .slice(0, mediaLimits.visibleTiles),
    };
    const visible = JSON.stringify(params);
    if (visible === session.visible) return;
    session.visible = visible;
    session.connection.request('setVisible', params).catch(() => {
      if (this.#session === session) session.visible = '';
    });
  }

  // Asking and showing

  #request<M extends SignallingMethod>(method: M, params: SignallingParams<M>): Promise<SignallingResult<M>> {
    const session = this.#session;
    if (session === undefined) return Promise.reject(new CodedError('UNAVAILABLE'));
    return session.connection.request(method, params);
  }

  #requirePeer(membershipId: MembershipId): PeerId {
    for (const peer of this.#session?.peers.values() ?? []) {
      if (peer.membershipId === membershipId) return peer.peerId;
    }
    throw new CodedError('NOT_FOUND');
  }

  #publish(): void {
    const next = this.#build();
    if (next === this.#snapshot) return;
    this.#snapshot = next;
    this.#listeners.notify();
  }

  #build(): LessonSnapshot {
    const session = this.#session;
    const self = session?.peers.get(session.selfId);
    if (self !== undefined) {
      const { fullName, host, allowed, handRaisedAt } = self;
      this.#lastSelf = { fullName, host, allowed, handRaisedAt };
    }
    const show = ({ state, track, error }: LocalSource): LocalTrack => ({
      state,
      track: state === 'on' ? track : null,
      error,
    });
    const speaker = session?.activeSpeaker;
    const next: LessonSnapshot = {
      status: this.#status,
      endReason: this.#endReason,
      retryAt: this.#retryAt,
      room: session?.room ?? 'open',
      self: {
        membershipId: this.#place.as,
        ...this.#lastSelf,
        microphone: show(this.#local.microphone),
        camera: show(this.#local.camera),
        screen: show(this.#local.screen),
      },
      participants: session === undefined ? this.#lastParticipants : this.#participantsOf(session),
      activeSpeaker: (speaker && session?.peers.get(speaker)?.membershipId) ?? null,
      playbackBlocked: this.#playback?.blocked ?? false,
      quality: this.#quality,
      devices: {
        microphone: this.#local.microphone.deviceId ?? null,
        camera: this.#local.camera.deviceId ?? null,
        speaker: this.#speaker,
      },
    };
    return share(this.#snapshot, next);
  }

  #participantsOf(session: Session): readonly LessonParticipant[] {
    const tracks = new Map(
      (session.media?.remoteTracks() ?? []).map((each) => [`${each.peerId} ${each.source}`, each.track]),
    );
    const participants: LessonParticipant[] = [];
    for (const peer of session.peers.values()) {
      if (peer.peerId === session.selfId) continue;
      const media = (source: TrackSource): RemoteMedia => {
        const on = peer.producers.some((producer) => producer.source === source && !producer.paused);
        return { on, track: on ? (tracks.get(`${peer.peerId} ${source}`) ?? null) : null };
      };
      participants.push({
        membershipId: peer.membershipId,
        fullName: peer.fullName,
        role: peer.role as Role,
        verified: peer.verified,
        host: peer.host,
        allowed: peer.allowed,
        handRaisedAt: peer.handRaisedAt,
        microphone: media('microphone'),
        camera: media('camera'),
        screen: media('screen'),
      });
    }
    return participants;
  }
}

/** -60 dB and less is silence, 0 dB as loud as it goes. */
function loudnessOf(level: number): number {
  return Math.min(1, Math.max(0, (level + 60) / 60));
}

/**
 * `next` with every part that equals the one before replaced by it, so that what did not change is the same object.
 * Participants are matched by their membership: somebody who leaves does not renew the others.
 */
function share<T>(before: T | undefined, next: T): T {
  if (Object.is(before, next) || !isPlain(before) || !isPlain(next)) return next;
  if (Array.isArray(next)) {
    const earlier = before as unknown as readonly { readonly membershipId?: unknown }[];
    const shared = next.map((item: { readonly membershipId?: unknown }, index) =>
      share(
        item.membershipId === undefined
          ? earlier[index]
          : earlier.find((each) => each.membershipId === item.membershipId),
        item,
      ),
    );
    const same = shared.length === earlier.length && shared.every((item, index) => item === earlier[index]);
    return same ? before : (shared as T);
  }
  const shared: Record<string, unknown> = {};
  let same = true;
  for (const [key, value] of Object.entries(next)) {
    const earlier = (before as Record<string, unknown>)[key];
    shared[key] = share(earlier, value);
    if (!Object.is(shared[key], earlier)) same = false;
  }
  return same ? before : (shared as T);
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
