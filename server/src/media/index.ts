import { type MembershipId, mediaLimits, type SessionId } from '@zvonok/shared';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import type { Peer } from './peer.ts';
import { Room } from './room.ts';
import { acquireWorkerBinary, type WorkerBinaryState } from './worker-binary.ts';
import { WorkerPool } from './workers.ts';

export type { PeerFacts } from './peer.ts';
export type { Room } from './room.ts';
export { type Admission, mountSignalling, type SignallingOptions } from './signalling.ts';

/** How it stands with the SFU, for `/healthz` and for whoever starts a call. */
export type MediaStatus =
  | { readonly state: 'ready' }
  | { readonly state: 'preparing'; readonly etaMs: number }
  | { readonly state: 'unavailable'; readonly reason: string; readonly command: string | undefined };

export interface Media {
  status(): MediaStatus;
  /** The room of this id, made if it is new. It costs nothing in the SFU until somebody joins. */
  openRoom(id: string): Room;
  findRoom(id: string): Room | undefined;
  rooms(): IterableIterator<Room>;
  /** Peers of a session, in whichever room. */
  peersOfSession(sessionId: SessionId): Peer[];
  peersOf(membershipId: MembershipId): Peer[];
  /** Called after each coming and going in a room. One listener. */
  onCountChanged(listener: (room: Room, count: number) => void): void;
  /** Processes of the workers that run, for tests and telemetry. */
  workerPids(): readonly number[];
  /** Ends all rooms (`SERVER_STOPPING`) and waits for the workers to exit. Idempotent. */
  close(): Promise<void>;
}

export interface MediaOptions {
  readonly config: Pick<Config, 'rtc' | 'calls'>;
  readonly logger: Logger;
  /** Open microphones that everybody is sent; beyond it the last voices. `mediaLimits.audioConsumers` unless given. */
  readonly audioConsumers?: number;
}

/** Workers are tried on and on; after so many failures in a row people are told rather than kept waiting. */
const startsBeforeGivingUp = 4;

/**
 * The SFU of this node. Returns at once: workers are prepared in the background, and nothing but calls waits for them.
 */
export function createMedia(options: MediaOptions): Media {
  const { config, logger } = options;
  const rooms = new Map<string, Room>();
  const pool = new WorkerPool({ ...config.rtc, logger });
  let binary: WorkerBinaryState = { state: 'preparing', etaMs: 5_000, step: 'starting' };
  let preparedBy = Date.now() + 5_000;
  let told: (room: Room, count: number) => void = () => undefined;
  let stopAcquiring: () => void = () => undefined;
  let closing: Promise<void> | undefined;

  const onBinary = (state: WorkerBinaryState) => {
    binary = state;
    if (state.state === 'preparing') preparedBy = Date.now() + state.etaMs;
    if (state.state === 'ready' && closing === undefined) pool.start(state.path);
    if (state.state === 'unavailable') {
      logger.warn({ reason: state.reason, command: state.command }, 'calls are unavailable');
    }
  };
  if (config.calls.workerBin !== undefined) onBinary({ state: 'ready', path: config.calls.workerBin });
  else if (config.calls.setup === 'off') {
    onBinary({ state: 'unavailable', reason: 'CALLS_SETUP is off.', command: undefined });
  } else stopAcquiring = acquireWorkerBinary(logger, onBinary);

  return {
    status() {
      if (binary.state === 'unavailable') return binary;
      if (pool.size > 0) return { state: 'ready' };
      if (pool.failedStarts >= startsBeforeGivingUp) {
        const reason = `No media worker starts: see the log. Is port ${config.rtc.portBase} taken, UDP or TCP?`;
        return { state: 'unavailable', reason, command: undefined };
      }
      const etaMs = binary.state === 'ready' ? 1_000 : Math.max(1_000, preparedBy - Date.now());
      // A worker that is being replaced is back in a moment: whoever joins waits for it.
      return pool.hasRun ? { state: 'ready' } : { state: 'preparing', etaMs };
    },
    openRoom(id) {
      let room = rooms.get(id);
      if (room === undefined || room.closed) {
        const opened: Room = new Room({
          id,
          pool,
          logger,
          audioConsumers: options.audioConsumers ?? mediaLimits.audioConsumers,
          onCountChanged: (count) => {
            if (opened.closed && rooms.get(id) === opened) rooms.delete(id);
            told(opened, count);
          },
        });
        room = opened;
        rooms.set(id, room);
      }
      return room;
    },
    findRoom: (id) => rooms.get(id),
    rooms: () => rooms.values(),
    peersOfSession: (sessionId) =>
      [...rooms.values()].flatMap((room) =>
        [...room.peers()].filter((peer) => peer.facts.sessionId === sessionId),
      ),
    peersOf: (membershipId) => [...rooms.values()].flatMap((room) => room.find(membershipId) ?? []),
    onCountChanged(listener) {
      told = listener;
    },
    workerPids: () => pool.pids,
    close() {
      closing ??= (async () => {
        stopAcquiring();
        for (const room of [...rooms.values()]) room.close('SERVER_STOPPING');
        await pool.close();
      })();
      return closing;
    },
  };
}
