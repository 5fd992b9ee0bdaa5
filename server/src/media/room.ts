import {
  CodedError,
  type DisconnectCode,
  type MembershipId,
  mediaLimits,
  type PeerId,
  type PeerInfo,
  type RoomState,
  type SignallingEventData,
  type SignallingEventName,
  type SourceRights,
  type TrackSource,
} from '@zvonok/shared';
import type { types } from 'mediasoup';
import { v7 as uuid } from 'uuid';
import type { Logger } from '../platform/logger.ts';
import { roomCodecs } from './codecs.ts';
import { withinDeadline } from './deadline.ts';
import { Peer, type PeerConnection, type PeerFacts } from './peer.ts';
import type { MediaWorker, WorkerPool } from './workers.ts';

/** What a room has in the SFU; another one after each loss of a worker. */
export interface Stage {
  readonly worker: MediaWorker;
  readonly router: types.Router;
  readonly levels: types.AudioLevelObserver;
  readonly speakers: types.ActiveSpeakerObserver;
}

/** What a room remembers of a person while they come and go, over lost connections and lost workers. */
interface PersonMemory {
  /** A host's word on a source; undefined where none was spoken. */
  readonly rights: Partial<Record<TrackSource, boolean>>;
  handRaisedAt: string | null;
  /** Since when the person is not in the room; undefined while they are. */
  absentSince: number | undefined;
}

export interface RoomOptions {
  readonly id: string;
  readonly pool: WorkerPool;
  readonly logger: Logger;
  /** Above so many open microphones the others are sent those who spoke last, not all. */
  readonly audioConsumers: number;
  /** After each coming and going. */
  readonly onCountChanged: (count: number) => void;
}

/**
 * A live room: who is in it, what they may send, and the SFU's part of it. Owns its peers and its stage.
 *
 * When the worker dies every connection ends with `ROOM_MOVED`; the people come back by themselves and find the room on
 * another worker with its rights and hands as they were.
 */
export class Room {
  readonly id: string;
  readonly logger: Logger;
  readonly #options: RoomOptions;
  readonly #peers = new Map<PeerId, Peer>();
  readonly #memory = new Map<MembershipId, PersonMemory>();
  /** A host's word to all who are no hosts. */
  readonly #rightsOfAll: Partial<Record<TrackSource, boolean>> = {};
  #stage: Promise<Stage> | undefined;
  #closed = false;
  #state: RoomState = 'open';
  #activeSpeaker: PeerId | null = null;
  #quiet: NodeJS.Timeout | undefined;
  #silent = true;
  /** Who spoke, the latest first; decides who is heard where not all can be. */
  #voices: PeerId[] = [];
  /** Whose microphones the others are sent; undefined: everybody's. */
  #chosen: ReadonlySet<PeerId> | undefined;

  constructor(options: RoomOptions) {
    this.id = options.id;
    this.logger = options.logger;
    this.#options = options;
  }

  get state(): RoomState {
    return this.#state;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get count(): number {
    return this.#peers.size;
  }

  get activeSpeaker(): PeerId | null {
    return this.#activeSpeaker;
  }

  peers(): IterableIterator<Peer> {
    return this.#peers.values();
  }

  find(membershipId: MembershipId): Peer | undefined {
    for (const peer of this.#peers.values()) if (peer.facts.membershipId === membershipId) return peer;
    return undefined;
  }

  /** The SFU's part of the room, made on first use and again after a loss. Creation is serialised. */
  requireStage(): Promise<Stage> {
    if (this.#closed) return Promise.reject(new CodedError('CALL_ENDED'));
    if (this.#stage === undefined) {
      const stage = this.#openStage();
      this.#stage = stage;
      stage.catch(() => {
        if (this.#stage === stage) this.#stage = undefined;
      });
    }
    return this.#stage;
  }

  async #openStage(): Promise<Stage> {
    const worker = await this.#options.pool.pick();
    // Counted at once: rooms that open together spread over the workers.
    worker.load += 1;
    let router: types.Router | undefined;
    try {
      router = await withinDeadline(
        'createRouter',
        worker.process.createRouter({ mediaCodecs: roomCodecs }),
        (late) => late.close(),
      );
      const [levels, speakers] = await Promise.all([
        withinDeadline(
          'createAudioLevelObserver',
          router.createAudioLevelObserver({
            maxEntries: mediaLimits.audioLevelEntries,
            threshold: mediaLimits.audioLevelThresholdDb,
            interval: mediaLimits.audioLevelIntervalMs,
          }),
        ),
        withinDeadline('createActiveSpeakerObserver', router.createActiveSpeakerObserver()),
      ]);
      if (this.#closed) throw new CodedError('CALL_ENDED');
      const stage: Stage = { worker, router, levels, speakers };
      router.observer.once('close', () => {
        worker.load -= 1;
        this.#stageLost(stage);
      });
      if (router.closed) throw new CodedError('UNAVAILABLE', { message: 'The media worker died.' });
      this.#listen(stage);
      return stage;
    } catch (error) {
      if (router === undefined || router.observer.listenerCount('close') === 0) worker.load -= 1;
      router?.close();
      throw error;
    }
  }

  #stageLost(stage: Stage): void {
    void this.#stage?.then(
      (current) => {
        if (current !== stage) return;
        this.#stage = undefined;
        if (this.#closed) return;
        this.logger.warn({ roomId: this.id, people: this.#peers.size }, 'room lost its worker and moves');
        for (const peer of [...this.#peers.values()]) this.#remove(peer, 'ROOM_MOVED');
      },
      () => undefined,
    );
  }

  #listen(stage: Stage): void {
    stage.levels.on('volumes', (volumes) => {
      const levels = volumes.flatMap(({ producer, volume }) => {
        const peerId = producer.appData.peerId as PeerId | undefined;
        return peerId !== undefined && this.#peers.has(peerId) ? [{ peerId, level: volume }] : [];
      });
      if (levels.length === 0) return;
      this.#silent = false;
      clearTimeout(this.#quiet);
      this.#quiet = undefined;
      this.#heard(levels.map((each) => each.peerId));
      this.broadcast('audioLevels', { levels });
    });
    stage.levels.on('silence', () => {
      if (!this.#silent) this.broadcast('audioLevels', { levels: [] });
      this.#silent = true;
      this.#quiet ??= setTimeout(() => this.#setActiveSpeaker(null), mediaLimits.quietMs);
    });
    stage.speakers.on('dominantspeaker', ({ producer }) => {
      const peerId = producer.appData.peerId as PeerId | undefined;
      if (peerId !== undefined && this.#peers.get(peerId)?.audible === true) this.#setActiveSpeaker(peerId);
    });
  }

  #setActiveSpeaker(peerId: PeerId | null): void {
    if (this.#activeSpeaker === peerId) return;
    this.#activeSpeaker = peerId;
    this.broadcast('activeSpeakerChanged', { peerId });
  }

  #heard(peerIds: readonly PeerId[]): void {
    this.#voices = [...new Set([...peerIds, ...this.#voices])].filter((id) => this.#peers.has(id));
    this.#reconsiderVoices();
  }

  /** Looks whose voices the others are sent; to be called after whatever may change that. */
  #reconsiderVoices(): void {
    const peers = [...this.#peers.values()];
    const { audioConsumers } = this.#options;
    const crowded = peers.filter((peer) => peer.audible).length > audioConsumers;
    const hosts = peers.filter((peer) => peer.facts.host).map((peer) => peer.id);
    const chosen = crowded ? new Set([...hosts, ...this.#voices.slice(0, audioConsumers)]) : undefined;
    const before = this.#chosen;
    this.#chosen = chosen;
    const same = chosen?.size === before?.size && [...(chosen ?? [])].every((id) => before?.has(id));
    if (!same) for (const peer of peers) peer.refreshConsumers();
  }

  /** Whether the others are sent this peer's microphone: everybody's, or in a crowd the hosts' and the last voices'. */
  isHeard(peer: Peer): boolean {
    return this.#chosen === undefined || this.#chosen.has(peer.id);
  }

  /** Whether there is no place for this person; who is in keeps theirs. */
  isFullFor(membershipId: MembershipId): boolean {
    return this.#peers.size >= mediaLimits.peersPerRoom && this.find(membershipId) === undefined;
  }

  /** Adds a microphone to those whose level is watched. */
  async listenTo(peer: Peer, producer: types.Producer): Promise<void> {
    producer.appData = { peerId: peer.id };
    await Promise.all([
      withinDeadline('addProducer', peer.stage.levels.addProducer({ producerId: producer.id })),
      withinDeadline('addProducer', peer.stage.speakers.addProducer({ producerId: producer.id })),
    ]);
  }

  /**
   * Puts a person into the room. The same person's earlier presence ends with `REPLACED`. Throws `CALL_FULL`,
   * `CALL_ENDED`. Synchronous, so that nothing changes between the caller's last check and the presence.
   */
  join(facts: PeerFacts, stage: Stage, connection: PeerConnection): Peer {
    if (this.#closed) throw new CodedError('CALL_ENDED');
    if (stage.router.closed) throw new CodedError('UNAVAILABLE', { retryAfterMs: 500 });
    const earlier = this.find(facts.membershipId);
    if (this.isFullFor(facts.membershipId)) {
      throw new CodedError('CALL_FULL', { retryAfterMs: 10_000 });
    }
    if (earlier !== undefined) this.#remove(earlier, 'REPLACED');
    const memory = this.#remember(facts.membershipId);
    if (memory.absentSince !== undefined && Date.now() - memory.absentSince > mediaLimits.absentHandMs) {
      memory.handRaisedAt = null;
    }
    memory.absentSince = undefined;
    const peer = new Peer(uuid() as PeerId, this, stage, facts, connection);
    this.broadcast('peerJoined', { peer: peer.info() });
    this.#peers.set(peer.id, peer);
    this.#reconsiderState();
    this.#options.onCountChanged(this.#peers.size);
    return peer;
  }

  /** The peer's connection is gone, or it said good-bye (`forGood`: its hand goes down). Idempotent. */
  leave(peer: Peer, forGood: boolean): void {
    if (forGood) this.#remember(peer.facts.membershipId).handRaisedAt = null;
    this.#remove(peer, undefined);
  }

  /** Puts a person out. Their media ends before this returns. */
  evict(membershipId: MembershipId, code: DisconnectCode): void {
    const peer = this.find(membershipId);
    if (peer !== undefined) this.#remove(peer, code);
  }

  /** Gives a person other rights, at once. */
  async changeFacts(membershipId: MembershipId, facts: PeerFacts): Promise<void> {
    const peer = this.find(membershipId);
    if (peer === undefined) return;
    peer.facts = facts;
    this.#reconsiderState();
    await peer.applyRights();
    this.tellOf(peer);
  }

  /** Ends the room for everybody. Idempotent. */
  close(code: DisconnectCode): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#quiet);
    for (const peer of this.#peers.values()) peer.close(code);
    this.#peers.clear();
    this.#memory.clear();
    void this.#stage?.then((stage) => stage.router.close()).catch(() => undefined);
    this.#stage = undefined;
    this.#options.onCountChanged(0);
  }

  #remove(peer: Peer, code: DisconnectCode | undefined): void {
    if (this.#peers.get(peer.id) !== peer) return;
    this.#peers.delete(peer.id);
    peer.close(code);
    this.#remember(peer.facts.membershipId).absentSince = Date.now();
    this.#voices = this.#voices.filter((id) => id !== peer.id);
    this.broadcast('peerLeft', { peerId: peer.id });
    if (this.#activeSpeaker === peer.id) this.#setActiveSpeaker(null);
    this.#reconsiderState();
    this.#reconsiderVoices();
    this.#options.onCountChanged(this.#peers.size);
    this.releaseWhenEmpty();
  }

  /** An empty room holds nothing in the SFU; what it remembers of its people stays until the call ends. */
  releaseWhenEmpty(): void {
    const stage = this.#stage;
    if (stage === undefined || this.#peers.size > 0) return;
    void stage
      .then((empty) => {
        if (this.#peers.size > 0 || this.#stage !== stage) return;
        this.#stage = undefined;
        empty.router.close();
      })
      .catch(() => undefined);
  }

  #remember(membershipId: MembershipId): PersonMemory {
    let memory = this.#memory.get(membershipId);
    if (memory === undefined) {
      memory = { rights: {}, handRaisedAt: null, absentSince: Date.now() };
      this.#memory.set(membershipId, memory);
    }
    return memory;
  }

  /** Opens the room or sends it to the lobby, as those who are in it demand. */
  #reconsiderState(): void {
    const peers = [...this.#peers.values()];
    const waits = peers.some((peer) => peer.facts.needsHost) && !peers.some((peer) => peer.facts.host);
    const state: RoomState = waits ? 'lobby' : 'open';
    if (state === this.#state) return;
    this.#state = state;
    this.broadcast('stateChanged', { state });
    this.#reconsiderVoices();
    for (const peer of peers) {
      this.#applyRights(peer);
      peer.refreshConsumers();
    }
  }

  /** What this person may send. */
  rightsOf(facts: PeerFacts): SourceRights {
    const said = this.#memory.get(facts.membershipId)?.rights;
    const right = (source: TrackSource): boolean => {
      if (facts.host || !facts.grantable) return facts.allowed[source];
      return said?.[source] ?? this.#rightsOfAll[source] ?? facts.allowed[source];
    };
    return { microphone: right('microphone'), camera: right('camera'), screen: right('screen') };
  }

  handOf(membershipId: MembershipId): string | null {
    return this.#memory.get(membershipId)?.handRaisedAt ?? null;
  }

  raiseHand(peer: Peer, raised: boolean): void {
    const memory = this.#remember(peer.facts.membershipId);
    if ((memory.handRaisedAt !== null) === raised) return;
    memory.handRaisedAt = raised ? new Date().toISOString() : null;
    this.tellOf(peer);
  }

  lowerHand(by: Peer, peerId: PeerId | null): void {
    this.#requireHost(by);
    const peers = peerId === null ? [...this.#peers.values()] : [this.#requirePeer(peerId)];
    if (peerId === null) for (const memory of this.#memory.values()) memory.handRaisedAt = null;
    for (const peer of peers) {
      this.#remember(peer.facts.membershipId).handRaisedAt = null;
      this.tellOf(peer);
    }
  }

  /** Resolves when the SFU lets nothing more (or lets it again) through. */
  async setAllowed(by: Peer, peerId: PeerId, source: TrackSource, allowed: boolean): Promise<void> {
    this.#requireHost(by);
    const peer = this.#requirePeer(peerId);
    if (peer.facts.host || !peer.facts.grantable) {
      throw new CodedError('FORBIDDEN', { message: 'The rights of this person can’t be changed here.' });
    }
    this.#remember(peer.facts.membershipId).rights[source] = allowed;
    this.tellOf(peer);
    await peer.applyRights();
  }

  async setAllAllowed(by: Peer, source: TrackSource, allowed: boolean): Promise<void> {
    this.#requireHost(by);
    this.#rightsOfAll[source] = allowed;
    for (const memory of this.#memory.values()) delete memory.rights[source];
    const peers = [...this.#peers.values()].filter((peer) => !peer.facts.host);
    for (const peer of peers) this.tellOf(peer);
    await Promise.all(peers.map((peer) => peer.applyRights()));
  }

  #requireHost(peer: Peer): void {
    if (!peer.facts.host) throw new CodedError('FORBIDDEN', { message: 'Only a host may do this.' });
  }

  #requirePeer(peerId: PeerId): Peer {
    const peer = this.#peers.get(peerId);
    if (peer === undefined) throw new CodedError('NOT_FOUND');
    return peer;
  }

  /** A failure here means that the worker is dying: what could not be paused was closed, and the room moves. */
  #applyRights(peer: Peer): void {
    void peer.applyRights().catch((error: unknown) => {
      this.logger.warn({ err: error, roomId: this.id }, 'rights could not be applied');
    });
  }

  /** The peer has another producer, or one less: everybody is told and brought up to date. */
  producersChanged(peer: Peer): void {
    if (this.#peers.get(peer.id) !== peer) return;
    this.tellOf(peer);
    for (const other of this.#peers.values()) if (other !== peer) other.refreshConsumers();
  }

  /** Tells everybody, the peer itself too, how it stands with a peer. */
  tellOf(peer: Peer): void {
    if (this.#peers.get(peer.id) !== peer) return;
    if (this.#activeSpeaker === peer.id && !peer.audible) this.#setActiveSpeaker(null);
    this.broadcast('peerChanged', { peer: peer.info() });
    this.#reconsiderVoices();
  }

  infos(): PeerInfo[] {
    return [...this.#peers.values()].map((peer) => peer.info());
  }

  broadcast<E extends SignallingEventName>(event: E, data: SignallingEventData<E>): void {
    for (const peer of this.#peers.values()) peer.notify(event, data);
  }
}
