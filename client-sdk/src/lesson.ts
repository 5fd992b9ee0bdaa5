import type {
  MembershipId,
  PeerId,
  SignallingMethod,
  SignallingNotification,
  SignallingParams,
  SignallingResult,
  SourceRights,
  TrackSource,
} from '@zvonok/shared';
import { CodedError } from '@zvonok/shared/errors.ts';
import { acquireFromBrowser } from './lesson-devices.ts';
import { LessonLine } from './lesson-line.ts';
import type { LessonStats } from './lesson-media.ts';
import type { LessonClient, LessonOptions, LessonPlace } from './lesson-options.ts';
import { Playback } from './lesson-playback.ts';
import type { LessonSession } from './lesson-session.ts';
import type { LessonParticipant, LessonSelf, LessonSnapshot, RemoteMedia } from './lesson-snapshot.ts';
import { type VisibleTile, VisibleTiles } from './lesson-tiles.ts';
import { LocalTracks } from './lesson-tracks.ts';
import { share } from './share.ts';
import { Listeners, type Source, ValueSource } from './source.ts';

export type { LessonClient, LessonOptions } from './lesson-options.ts';
export type {
  LessonEndReason,
  LessonParticipant,
  LessonSelf,
  LessonSnapshot,
  LocalTrack,
  RemoteMedia,
} from './lesson-snapshot.ts';
export type { VisibleTile } from './lesson-tiles.ts';

const noRights: SourceRights = { microphone: false, camera: false, screen: false };

/** Joins a call. Returns at once; the lesson connects by itself, and again after every loss, until it ends. */
export function joinLesson(client: LessonClient, place: LessonPlace, options: LessonOptions = {}): Lesson {
  return new Lesson(client, place, options);
}

/**
 * A lesson as one person lives it: who is there, what is seen and heard, what oneself sends. A `Source` for React's
 * `useSyncExternalStore`; parts of a snapshot that did not change are the same objects as before.
 */
export class Lesson implements Source<LessonSnapshot> {
  readonly #client: LessonClient;
  readonly #place: LessonPlace;
  readonly #line: LessonLine;
  readonly #tracks: LocalTracks;
  readonly #tiles: VisibleTiles;
  readonly #playback: Playback | undefined;
  readonly #listeners = new Listeners();
  readonly #levels = new ValueSource<ReadonlyMap<MembershipId, number>>(new Map());
  #speaker: string | null;
  #lastSelf: Pick<LessonSelf, 'fullName' | 'host' | 'allowed' | 'handRaisedAt'> = {
    fullName: '',
    host: false,
    allowed: noRights,
    handRaisedAt: null,
  };
  /** Who was there before a loss: shown until the lesson is back. */
  #lastParticipants: readonly LessonParticipant[] = [];
  #snapshot: LessonSnapshot;

  constructor(client: LessonClient, place: LessonPlace, options: LessonOptions) {
    const { microphone, camera, devices, acquire = acquireFromBrowser } = options;
    this.#client = client;
    this.#place = place;
    this.#speaker = devices?.speaker ?? null;
    this.#line = new LessonLine(client, place, options, {
      changed: () => this.#publish(),
      joined: () => this.#tiles.tell(),
      mediaOpened: () => this.#tracks.settleAll(),
      heard: (session, notification) => this.#hear(session, notification),
      tracksChanged: (session) => this.#tracksChanged(session),
      dropped: () => this.#dropped(),
      ended: () => this.#ended(),
    });
    this.#tiles = new VisibleTiles(() => (options.media === false ? undefined : this.#line.session));
    this.#tracks = new LocalTracks(
      {
        acquire,
        session: () => this.#line.session,
        isOver: () => this.#line.isOver,
        changed: () => this.#publish(),
      },
      {
        microphone: { on: microphone === true, deviceId: devices?.microphone },
        camera: { on: camera === true, deviceId: devices?.camera },
      },
    );
    if (options.playAudio ?? typeof document !== 'undefined') {
      this.#playback = new Playback(() => this.#publish(), devices?.speaker);
    }
    this.#snapshot = this.#build();
    this.#line.start();
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
    return this.#tracks.set('microphone', on);
  }

  setCamera(on: boolean): Promise<void> {
    return this.#tracks.set('camera', on);
  }

  setScreen(on: boolean): Promise<void> {
    return this.#tracks.set('screen', on);
  }

  async useMicrophone(deviceId: string): Promise<void> {
    await this.#tracks.useDevice('microphone', deviceId);
  }

  async useCamera(deviceId: string): Promise<void> {
    await this.#tracks.useDevice('camera', deviceId);
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
    this.#tiles.set(tiles);
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
    if (this.#line.isOver) return;
    this.#line.session?.connection.request('leave', {}).catch(() => undefined);
    this.#line.finish('left');
  }

  /** Of the last few seconds; zeros without media. */
  async getStats(): Promise<LessonStats> {
    return this.#line.stats;
  }

  // What the line tells

  #hear(session: LessonSession, notification: SignallingNotification): void {
    const isShown = session.hear(notification);
    const { event, data } = notification;
    switch (event) {
      case 'peerJoined':
      case 'peerLeft':
        this.#tiles.tellSoon();
        break;
      case 'peerChanged':
        if (data.peer.peerId === session.selfId) this.#tracks.obeyRights(data.peer.allowed);
        break;
      case 'stateChanged':
        if (data.state === 'open') this.#tracks.settleAll();
        break;
      case 'audioLevels':
        this.#levels.set(session.loudnessOf(data.levels));
        break;
    }
    if (isShown) this.#publish();
  }

  #tracksChanged(session: LessonSession): void {
    const voices = (session.media?.remoteTracks() ?? []).filter((remote) => remote.source === 'microphone');
    this.#playback?.play(new Map(voices.map(({ consumerId, track }) => [consumerId, track])));
    this.#publish();
  }

  /** What the person wants stays, and who was there is shown without pictures. */
  #dropped(): void {
    const noTrack = (media: RemoteMedia): RemoteMedia => ({ on: media.on, track: null });
    this.#lastParticipants = this.#snapshot.participants.map((each) => ({
      ...each,
      microphone: noTrack(each.microphone),
      camera: noTrack(each.camera),
      screen: noTrack(each.screen),
    }));
    this.#tiles.stop();
    this.#playback?.clear();
    this.#levels.set(new Map());
  }

  #ended(): void {
    this.#tracks.releaseAll();
    this.#lastParticipants = [];
  }

  // Asking and showing

  #request<M extends SignallingMethod>(method: M, params: SignallingParams<M>): Promise<SignallingResult<M>> {
    const { session } = this.#line;
    if (session === undefined) return Promise.reject(new CodedError('UNAVAILABLE'));
    return session.connection.request(method, params);
  }

  #requirePeer(membershipId: MembershipId): PeerId {
    const peerId = this.#line.session?.peerIdOf(membershipId);
    if (peerId === undefined) throw new CodedError('NOT_FOUND');
    return peerId;
  }

  #publish(): void {
    const next = this.#build();
    if (next === this.#snapshot) return;
    this.#snapshot = next;
    this.#listeners.notify();
  }

  #build(): LessonSnapshot {
    const { session } = this.#line;
    if (session?.self !== undefined) {
      const { fullName, host, allowed, handRaisedAt } = session.self;
      this.#lastSelf = { fullName, host, allowed, handRaisedAt };
    }
    const speaker = session?.activeSpeaker;
    const next: LessonSnapshot = {
      ...this.#line.state,
      room: session?.room ?? 'open',
      self: {
        membershipId: this.#place.as,
        ...this.#lastSelf,
        microphone: this.#tracks.show('microphone'),
        camera: this.#tracks.show('camera'),
        screen: this.#tracks.show('screen'),
      },
      participants: session?.participants() ?? this.#lastParticipants,
      activeSpeaker: (speaker && session?.peers.get(speaker)?.membershipId) ?? null,
      playbackBlocked: this.#playback?.blocked ?? false,
      devices: {
        microphone: this.#tracks.deviceOf('microphone'),
        camera: this.#tracks.deviceOf('camera'),
        speaker: this.#speaker,
      },
    };
    return share(this.#snapshot, next);
  }
}
