import type { SignallingNotification, SignallingResult } from '@zvonok/shared';
import { CodedError, type ErrorCode } from '@zvonok/shared/errors.ts';
import { contractVersion, lessonLimits } from '@zvonok/shared/limits.ts';
import { backoffMs } from './backoff.ts';
import { LessonMedia, type LessonStats, noStats } from './lesson-media.ts';
import type { LessonClient, LessonOptions, LessonPlace } from './lesson-options.ts';
import { LessonSession } from './lesson-session.ts';
import { type Ending, SignallingConnection } from './lesson-signalling.ts';
import type { LessonEndReason, LessonSnapshot } from './lesson-snapshot.ts';

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

/** Who lives by the line. Nothing here may throw. */
export interface LessonLineListener {
  /** `status` and what belongs to it, or the tracks that arrive. */
  changed(): void;
  /** A new session stands; its media is opened next. */
  joined(session: LessonSession): void;
  /** Something can be sent from now on. */
  mediaOpened(): void;
  heard(session: LessonSession, notification: SignallingNotification): void;
  tracksChanged(session: LessonSession): void;
  /** The session is over; the line's `session` is undefined already. `changed` follows. */
  dropped(): void;
  /** The lesson is over for good. `changed` follows. */
  ended(): void;
}

/** A lesson's line to the server: connects, and again after every loss, until the lesson ends. */
export class LessonLine {
  readonly #client: LessonClient;
  readonly #place: LessonPlace;
  readonly #options: Pick<LessonOptions, 'webSocket' | 'media' | 'handlerFactory'>;
  readonly #listener: LessonLineListener;
  readonly #stop = new AbortController();
  #session: LessonSession | undefined;
  #status: LessonSnapshot['status'] = 'connecting';
  #endReason: LessonEndReason | null = null;
  #retryAt: number | null = null;
  #quality: LessonSnapshot['quality'] = null;
  #stats: LessonStats = noStats;
  #statsTimer: ReturnType<typeof setInterval> | undefined;

  constructor(
    client: LessonClient,
    place: LessonPlace,
    options: Pick<LessonOptions, 'webSocket' | 'media' | 'handlerFactory'>,
    listener: LessonLineListener,
  ) {
    this.#client = client;
    this.#place = place;
    this.#options = options;
    this.#listener = listener;
  }

  get session(): LessonSession | undefined {
    return this.#session;
  }

  get state(): Pick<LessonSnapshot, 'status' | 'endReason' | 'retryAt' | 'quality'> {
    return {
      status: this.#status,
      endReason: this.#endReason,
      retryAt: this.#retryAt,
      quality: this.#quality,
    };
  }

  get isOver(): boolean {
    return this.#status === 'ended';
  }

  /** Of the last few seconds. */
  get stats(): LessonStats {
    return this.#stats;
  }

  /** Call it once. */
  start(): void {
    void this.#live();
  }

  /** Ends it for good. Idempotent. */
  finish(reason: LessonEndReason): void {
    if (this.#status === 'ended') return;
    this.#status = 'ended';
    this.#endReason = reason;
    this.#retryAt = null;
    // After the good-bye was written: closing here would drop it with the socket.
    const session = this.#session;
    if (session !== undefined) this.#drop(session);
    this.#stop.abort();
    this.#listener.ended();
    this.#listener.changed();
  }

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
        if (reason !== undefined) return this.finish(reason);
        if (ending === 'ROOM_MOVED') movedSoon = true;
        else failures = Date.now() - joinedAt > lessonLimits.settledMs ? 1 : failures + 1;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const code = error instanceof CodedError ? error.code : 'INTERNAL';
        const reason = endOfCode[code];
        if (reason !== undefined) return this.finish(reason);
        failures += 1;
        const advised = error instanceof CodedError ? error.retryAfterMs : undefined;
        if (advised !== undefined) await this.#pause(advised);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    this.#retryAt = Date.now() + ms;
    this.#listener.changed();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stop.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#retryAt = null;
  }

  async #join(): Promise<LessonSession> {
    const { ticket, path } = await this.#client.call('calls.createTicket', this.#place);
    if (this.#stop.signal.aborted) throw new CodedError('UNAVAILABLE');
    const url = new URL(path, this.#client.url);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    // What arrives before the join is answered is about what the answer holds already, apart from consumers: none yet.
    let session: LessonSession | undefined;
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
    session = new LessonSession(connection, joined);
    this.#session = session;
    this.#status = 'connected';
    this.#quality = null;
    for (const notification of early) this.#hear(session, notification);
    this.#listener.changed();
    this.#listener.joined(session);
    if (this.#options.media !== false) await this.#openMedia(session, joined);
    return session;
  }

  async #openMedia(session: LessonSession, joined: SignallingResult<'join'>): Promise<void> {
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
      if (!broken && !(error instanceof CodedError)) this.finish('failed');
      return;
    }
    this.#listener.mediaOpened();
    this.#statsTimer = setInterval(() => void this.#measure(session), lessonLimits.statsMs);
  }

  /** Everything of a connection that has ended. */
  #drop(session: LessonSession): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    clearInterval(this.#statsTimer);
    session.closeMedia();
    this.#listener.dropped();
    if (this.#status !== 'ended') {
      this.#status = 'reconnecting';
      this.#quality = 'lost';
    }
    this.#listener.changed();
  }

  #hear(session: LessonSession, notification: SignallingNotification): void {
    if (this.#session === session) this.#listener.heard(session, notification);
  }

  #tracksChanged(session: LessonSession): void {
    if (this.#session === session) this.#listener.tracksChanged(session);
  }

  async #measure(session: LessonSession): Promise<void> {
    const { media } = session;
    if (media === undefined) return;
    try {
      const [stats, stands] = await Promise.all([media.getStats(), media.pathStands()]);
      if (this.#session !== session) return;
      this.#stats = stats;
      const poor =
        stats.packetsLostRatio > lessonLimits.poorLossRatio || stats.rttMs > lessonLimits.poorRttMs;
      this.#quality = stands ? (poor ? 'poor' : 'good') : 'lost';
      this.#listener.changed();
    } catch {
      // The connection ended while it was asked.
    }
  }
}
