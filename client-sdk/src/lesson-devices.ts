import type { TrackSource } from '@zvonok/shared';

/** Why a microphone, camera or screen could not be switched on. `forbidden`: by the host. */
export type LocalTrackError = 'denied' | 'notFound' | 'busy' | 'forbidden' | 'failed';

export type AcquireTrack = (source: TrackSource, deviceId?: string) => Promise<MediaStreamTrack>;

export interface MediaDevice {
  readonly deviceId: string;
  /** Empty until the person has let the page use some device. */
  readonly label: string;
}

export interface MediaDevicesList {
  readonly microphones: readonly MediaDevice[];
  readonly cameras: readonly MediaDevice[];
  readonly speakers: readonly MediaDevice[];
}

/** What can be chosen from. Empty lists where the browser has no devices to offer (no HTTPS, Node). */
export async function listDevices(): Promise<MediaDevicesList> {
  const found = (await mediaDevices()?.enumerateDevices()) ?? [];
  const of = (kind: MediaDeviceKind) =>
    found
      .filter((device) => device.kind === kind && device.deviceId !== '')
      .map(({ deviceId, label }) => ({ deviceId, label }));
  return { microphones: of('audioinput'), cameras: of('videoinput'), speakers: of('audiooutput') };
}

/** Browsers give no devices to pages without HTTPS. */
function mediaDevices(): MediaDevices | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator.mediaDevices;
}

/** Asks the browser, and the browser the person. */
export async function acquireFromBrowser(source: TrackSource, deviceId?: string): Promise<MediaStreamTrack> {
  const devices = mediaDevices();
  if (devices === undefined) throw new DOMException('No devices without HTTPS.', 'NotSupportedError');
  // `ideal`: a device that was unplugged since is replaced by the usual one instead of none.
  const wanted = deviceId === undefined ? {} : { deviceId: { ideal: deviceId } };
  let stream: MediaStream;
  if (source === 'screen') {
    stream = await devices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
  } else if (source === 'camera') {
    stream = await devices.getUserMedia({
      video: {
        ...wanted,
        width: { ideal: 1_280 },
        height: { ideal: 720 },
        frameRate: { ideal: 24, max: 30 },
      },
    });
  } else {
    stream = await devices.getUserMedia({
      audio: { ...wanted, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
  }
  const [track] = stream.getTracks();
  if (track === undefined) throw new DOMException('The stream has no track.', 'NotFoundError');
  if (source === 'screen') track.contentHint = 'detail';
  return track;
}

export function describeDeviceError(error: unknown): LocalTrackError {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'notFound';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'failed';
}
