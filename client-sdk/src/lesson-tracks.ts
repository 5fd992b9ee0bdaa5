import type { SourceRights, TrackSource } from '@zvonok/shared';
import { CodedError } from '@zvonok/shared/errors.ts';
import { type AcquireTrack, describeDeviceError, type LocalTrackError } from './lesson-devices.ts';
import type { LessonSession } from './lesson-session.ts';
import type { LocalTrack } from './lesson-snapshot.ts';

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

const sources = ['microphone', 'camera', 'screen'] as const satisfies readonly TrackSource[];

export interface LocalTracksPorts {
  readonly acquire: AcquireTrack;
  /** Where tracks are sent; undefined while there is no connection. */
  readonly session: () => LessonSession | undefined;
  /** The lesson has ended: no device is touched any more. */
  readonly isOver: () => boolean;
  readonly changed: () => void;
}

/** What is wanted of one source to begin with. */
export interface LocalWish {
  readonly on: boolean;
  readonly deviceId: string | undefined;
}

/** What oneself sends: what the person wants of each source outlives connections, devices come and go with it. */
export class LocalTracks {
  readonly #ports: LocalTracksPorts;
  readonly #local: Readonly<Record<TrackSource, LocalSource>>;

  constructor(ports: LocalTracksPorts, wishes: Readonly<Record<'microphone' | 'camera', LocalWish>>) {
    this.#ports = ports;
    const local = ({ on, deviceId }: LocalWish): LocalSource => ({
      wanted: on,
      state: 'off',
      track: null,
      error: null,
      deviceId,
      working: undefined,
      onEnded: undefined,
    });
    this.#local = {
      microphone: local(wishes.microphone),
      camera: local(wishes.camera),
      screen: local({ on: false, deviceId: undefined }),
    };
  }

  show(source: TrackSource): LocalTrack {
    const { state, track, error } = this.#local[source];
    return { state, track: state === 'on' ? track : null, error };
  }

  deviceOf(source: TrackSource): string | null {
    return this.#local[source].deviceId ?? null;
  }

  /** There is a connection or an open room (again): what waits for it is sent. */
  settleAll(): void {
    for (const source of sources) void this.settle(source);
  }

  releaseAll(): void {
    for (const source of sources) this.#release(source);
  }

  /** What the host has just taken away is off here too, and stays off when it is given back: that is one's own to say. */
  obeyRights(allowed: SourceRights): void {
    for (const source of sources) {
      const local = this.#local[source];
      if (allowed[source] || !local.wanted) continue;
      local.wanted = false;
      local.error = 'forbidden';
      void this.settle(source);
    }
  }

  set(source: TrackSource, on: boolean): Promise<void> {
    if (this.#ports.isOver()) return Promise.resolve();
    const local = this.#local[source];
    local.wanted = on;
    local.error = null;
    return this.settle(source);
  }

  async useDevice(source: 'microphone' | 'camera', deviceId: string): Promise<void> {
    const local = this.#local[source];
    local.deviceId = deviceId;
    this.#ports.changed();
    await local.working;
    if (local.track === null) return;
    let track: MediaStreamTrack;
    try {
      track = await this.#ports.acquire(source, deviceId);
    } catch (error) {
      local.error = describeDeviceError(error);
      this.#ports.changed();
      return;
    }
    // Switched off or left while the browser asked: no device may stay on behind that.
    if (local.track === null || this.#ports.isOver()) return track.stop();
    this.#release(source);
    this.#adopt(source, track);
    const producer = this.#ports.session()?.media?.producerOf(source);
    await producer?.replaceTrack({ track });
    this.#ports.changed();
  }

  /** Brings a source to what the person wants, as far as host, device and connection let it. One at a time. */
  settle(source: TrackSource): Promise<void> {
    const local = this.#local[source];
    local.working ??= (async () => {
      try {
        // A wish that changes meanwhile is followed too.
        for (let wish: boolean | undefined; wish !== local.wanted && !this.#ports.isOver(); ) {
          wish = local.wanted;
          await (wish ? this.#switchOn(source) : this.#switchOff(source));
        }
      } finally {
        local.working = undefined;
        this.#ports.changed();
      }
    })();
    return local.working;
  }

  async #switchOn(source: TrackSource): Promise<void> {
    const local = this.#local[source];
    const session = this.#ports.session();
    if (session?.self?.allowed[source] === false) {
      return this.#giveUp(source, 'forbidden');
    }
    if (local.track === null || local.track.readyState === 'ended') {
      local.state = 'starting';
      this.#ports.changed();
      try {
        this.#adopt(source, await this.#ports.acquire(source, local.deviceId));
      } catch (error) {
        return this.#giveUp(source, describeDeviceError(error));
      }
    }
    if (this.#ports.isOver()) return this.#release(source);
    const media = this.#ports.session()?.media;
    // Without a connection or in the lobby it is ready, and sent as soon as that is possible.
    if (media !== undefined && this.#ports.session()?.room === 'open' && local.track !== null) {
      try {
        local.track.enabled = true;
        if (media.producerOf(source) === undefined) await media.produce(source, local.track);
        else await media.resume(source);
      } catch (error) {
        if (error instanceof CodedError && error.code === 'FORBIDDEN') {
          // In the lobby it is not the person who is refused.
          if (error.data?.lobby !== true) return this.#giveUp(source, 'forbidden');
        } else if (!(error instanceof CodedError) && this.#ports.session()?.media === media) {
          return this.#giveUp(source, 'failed');
        }
        // Anything else is the connection's trouble: the next one tries again.
      }
    }
    local.state = 'on';
    local.error = null;
    this.#ports.changed();
  }

  async #switchOff(source: TrackSource): Promise<void> {
    const local = this.#local[source];
    local.state = 'off';
    const media = this.#ports.session()?.media;
    // A microphone stays at hand, silent, so that the next word is not lost; a camera's light goes out.
    if (source === 'microphone') {
      if (local.track !== null) local.track.enabled = false;
    } else this.#release(source);
    this.#ports.changed();
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
    this.#release(source);
    this.#ports.changed();
  }

  #adopt(source: TrackSource, track: MediaStreamTrack): void {
    const local = this.#local[source];
    local.track = track;
    // Unplugged, or the browser's own button to stop sharing.
    local.onEnded = () => {
      if (local.track !== track) return;
      if (source === 'microphone' && local.wanted) void this.#replaceLostMicrophone();
      else void this.set(source, false);
    };
    track.addEventListener('ended', local.onEnded);
  }

  async #replaceLostMicrophone(): Promise<void> {
    const local = this.#local.microphone;
    local.deviceId = undefined;
    await local.working;
    try {
      const track = await this.#ports.acquire('microphone', undefined);
      if (this.#ports.isOver()) return track.stop();
      this.#release('microphone');
      this.#adopt('microphone', track);
      await this.#ports.session()?.media?.producerOf('microphone')?.replaceTrack({ track });
      this.#ports.changed();
    } catch (error) {
      await this.set('microphone', false);
      local.error = describeDeviceError(error);
      this.#ports.changed();
    }
  }

  #release(source: TrackSource): void {
    const local = this.#local[source];
    const { track } = local;
    if (track === null) return;
    local.track = null;
    if (local.onEnded !== undefined) track.removeEventListener('ended', local.onEnded);
    track.stop();
  }
}
