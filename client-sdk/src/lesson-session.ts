import type {
  MembershipId,
  PeerId,
  PeerInfo,
  Role,
  RoomState,
  SignallingNotification,
  SignallingResult,
  TrackSource,
} from '@zvonok/shared';
import type { LessonMedia } from './lesson-media.ts';
import type { SignallingConnection } from './lesson-signalling.ts';
import type { LessonParticipant, RemoteMedia } from './lesson-snapshot.ts';

/** One connection from its join to its end, with what the server has said of the room since. */
export class LessonSession {
  readonly connection: SignallingConnection;
  readonly selfId: PeerId;
  /** Oneself included, in the order of joining. */
  readonly peers: Map<PeerId, PeerInfo>;
  room: RoomState;
  activeSpeaker: PeerId | null;
  /** Consumers that arrive while it opens wait for it. */
  opening: Promise<LessonMedia> | undefined;
  media: LessonMedia | undefined;

  constructor(connection: SignallingConnection, joined: SignallingResult<'join'>) {
    this.connection = connection;
    this.selfId = joined.peerId;
    this.peers = new Map(joined.peers.map((peer) => [peer.peerId, peer]));
    this.room = joined.state;
    this.activeSpeaker = joined.activeSpeaker;
  }

  get self(): PeerInfo | undefined {
    return this.peers.get(this.selfId);
  }

  peerIdOf(membershipId: MembershipId): PeerId | undefined {
    for (const peer of this.peers.values()) if (peer.membershipId === membershipId) return peer.peerId;
    return undefined;
  }

  /** Takes in what the server says; false where nothing that is shown has changed by it (yet). */
  hear({ event, data }: SignallingNotification): boolean {
    switch (event) {
      case 'peerJoined':
        this.peers.set(data.peer.peerId, data.peer);
        return true;
      case 'peerChanged':
        if (!this.peers.has(data.peer.peerId)) return false;
        this.peers.set(data.peer.peerId, data.peer);
        return true;
      case 'peerLeft':
        this.peers.delete(data.peerId);
        return true;
      case 'stateChanged':
        this.room = data.state;
        return true;
      case 'activeSpeakerChanged':
        this.activeSpeaker = data.peerId;
        return true;
      case 'consumerAdded':
        this.opening?.then((media) => media.consume(data)).catch(() => undefined);
        return false;
      case 'consumerClosed':
        this.opening?.then((media) => media.closeConsumer(data.consumerId)).catch(() => undefined);
        return false;
      case 'audioLevels':
      // The device's own end of the transport notices it as well, and mends it.
      case 'transportLost':
        return false;
    }
  }

  /** The others, with what arrives of them. */
  participants(): readonly LessonParticipant[] {
    const tracks = new Map(
      (this.media?.remoteTracks() ?? []).map((each) => [`${each.peerId} ${each.source}`, each.track]),
    );
    const participants: LessonParticipant[] = [];
    for (const peer of this.peers.values()) {
      if (peer.peerId === this.selfId) continue;
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

  /** Loudness of those who speak, 0..1. */
  loudnessOf(levels: readonly { readonly peerId: PeerId; readonly level: number }[]) {
    return new Map(
      levels.flatMap(({ peerId, level }) => {
        const peer = this.peers.get(peerId);
        return peer === undefined ? [] : [[peer.membershipId, loudness(level)] as const];
      }),
    );
  }

  /** Ends what was sent and received, also if it is only being opened. */
  closeMedia(): void {
    this.media?.close();
    void this.opening?.then((media) => media.close()).catch(() => undefined);
  }
}

/** -60 dB and less is silence, 0 dB as loud as it goes. */
function loudness(level: number): number {
  return Math.min(1, Math.max(0, (level + 60) / 60));
}
