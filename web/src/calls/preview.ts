import type { LocalTrackError, MediaDevicesList } from '@zvonok/client-sdk';
import { acquireFromBrowser, describeDeviceError, listDevices } from '@zvonok/client-sdk/lesson-devices.ts';
import { useCallback, useEffect, useRef, useState } from 'react';

export type PreviewError = LocalTrackError | 'insecure';

export interface PreviewSource {
  readonly on: boolean;
  readonly state: 'off' | 'starting' | 'on';
  readonly track: MediaStreamTrack | null;
  readonly error: PreviewError | null;
  readonly deviceId: string | undefined;
}

const off: PreviewSource = { on: false, state: 'off', track: null, error: null, deviceId: undefined };
const choiceKey = 'zvonok.lesson';

export interface DeviceChoice {
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly microphoneId?: string;
  readonly cameraId?: string;
  readonly speakerId?: string;
}

/** What the person chose the last time on this device. */
export function keptChoice(): Partial<DeviceChoice> {
  try {
    return JSON.parse(localStorage.getItem(choiceKey) ?? '{}') as Partial<DeviceChoice>;
  } catch {
    return {};
  }
}

export function keepChoice(choice: DeviceChoice): void {
  localStorage.setItem(choiceKey, JSON.stringify(choice));
}

/**
 * One device before the lesson: switched on and off, another chosen, its error told. The track is stopped when the
 * screen goes, so that the lesson can take the device.
 */
export function usePreview(
  source: 'microphone' | 'camera',
  initiallyOn: boolean,
  initialDevice: string | undefined,
): PreviewSource & { set(on: boolean): void; use(deviceId: string): void } {
  const [state, setState] = useState<PreviewSource>({ ...off, on: initiallyOn, deviceId: initialDevice });
  const { on, deviceId } = state;
  const turn = useRef(0);

  useEffect(() => {
    turn.current += 1;
    const mine = turn.current;
    if (!on) {
      setState((now) => ({ ...now, state: 'off', track: null }));
      return undefined;
    }
    if (!window.isSecureContext) {
      setState((now) => ({ ...now, on: false, state: 'off', error: 'insecure' }));
      return undefined;
    }
    let track: MediaStreamTrack | undefined;
    setState((now) => ({ ...now, state: 'starting', track: null, error: null }));
    acquireFromBrowser(source, deviceId).then(
      (acquired) => {
        if (turn.current !== mine) {
          acquired.stop();
          return;
        }
        track = acquired;
        setState((now) => ({ ...now, state: 'on', track: acquired }));
      },
      (error: unknown) => {
        if (turn.current !== mine) return;
        setState((now) => ({ ...now, on: false, state: 'off', error: describeDeviceError(error) }));
      },
    );
    return () => {
      turn.current += 1;
      track?.stop();
    };
  }, [source, on, deviceId]);

  const set = useCallback((wanted: boolean) => {
    setState((now) => ({ ...now, on: wanted, error: wanted ? null : now.error }));
  }, []);
  const use = useCallback((id: string) => {
    setState((now) => ({ ...now, deviceId: id === '' ? undefined : id, on: true }));
  }, []);
  return { ...state, set, use };
}

const noDevices: MediaDevicesList = { microphones: [], cameras: [], speakers: [] };

/** What can be chosen from; asked again when something is plugged in, and when `seen` changes (names come with permission). */
export function useDevices(seen: unknown): MediaDevicesList {
  const [devices, setDevices] = useState(noDevices);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `seen` asks again
  useEffect(() => {
    let here = true;
    const look = () => void listDevices().then((found) => here && setDevices(found));
    look();
    // Absent without HTTPS, whatever the type says.
    const source: MediaDevices | undefined = navigator.mediaDevices;
    source?.addEventListener('devicechange', look);
    return () => {
      here = false;
      source?.removeEventListener('devicechange', look);
    };
  }, [seen]);
  return devices;
}

/** How loud a track is, 0..1, about 15 times a second; 0 without a track. */
export function useTrackLevel(track: MediaStreamTrack | null): number {
  const [level, setLevel] = useState(0);
  useEffect(() => {
    if (track === null) {
      setLevel(0);
      return undefined;
    }
    const audio = new AudioContext();
    const analyser = audio.createAnalyser();
    analyser.fftSize = 512;
    audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Uint8Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getByteTimeDomainData(samples);
      let sum = 0;
      for (const sample of samples) sum += (sample - 128) ** 2;
      const loudness = Math.sqrt(sum / samples.length) / 128;
      // Speech lies between about -50 and -10 dBFS: that is the whole meter.
      setLevel(Math.min(1, Math.max(0, (20 * Math.log10(loudness + 1e-5) + 50) / 40)));
    }, 66);
    return () => {
      clearInterval(timer);
      void audio.close();
    };
  }, [track]);
  return level;
}
