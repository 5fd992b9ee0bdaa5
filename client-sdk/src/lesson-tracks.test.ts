import { describe, expect, test } from 'vitest';
import { LocalTracks } from './lesson-tracks.ts';

/** What the browser gives for a device, as far as anybody here can tell. */
class DeviceTrack extends EventTarget {
  enabled = true;
  readyState: 'live' | 'ended' = 'live';
  stop(): void {
    this.readyState = 'ended';
  }
  /** The plug is pulled. */
  lose(): void {
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }
}

/** Own tracks whose devices are given when the test says so, without a connection. */
function setUp() {
  const given: DeviceTrack[] = [];
  const asked: { source: string; deviceId: string | undefined; give: () => void; refuse: () => void }[] = [];
  let isOver = false;
  const tracks = new LocalTracks(
    {
      acquire: (source, deviceId) =>
        new Promise((resolve, reject) => {
          asked.push({
            source,
            deviceId,
            give() {
              const track = new DeviceTrack();
              given.push(track);
              resolve(track as unknown as MediaStreamTrack);
            },
            refuse: () => reject(new DOMException('No.', 'NotAllowedError')),
          });
        }),
      session: () => undefined,
      isOver: () => isOver,
      changed: () => undefined,
    },
    { microphone: { on: false, deviceId: undefined }, camera: { on: false, deviceId: undefined } },
  );
  return {
    tracks,
    given,
    asked,
    end() {
      isOver = true;
      tracks.releaseAll();
    },
    async switchOn(source: 'microphone' | 'camera') {
      const done = tracks.set(source, true);
      asked.at(-1)?.give();
      await done;
      const track = given.at(-1);
      if (track === undefined) throw new Error('nothing was given');
      return track;
    },
  };
}

describe('no device stays on behind', () => {
  test('a camera that was switched off', async () => {
    const { tracks, switchOn } = setUp();
    const camera = await switchOn('camera');
    expect(tracks.show('camera')).toMatchObject({ state: 'on', track: camera });
    await tracks.set('camera', false);
    expect(camera.readyState).toBe('ended');
    expect(tracks.show('camera')).toEqual({ state: 'off', track: null, error: null });
  });

  test('a lesson that ended while the browser asked', async () => {
    const { tracks, given, asked, end } = setUp();
    const done = tracks.set('camera', true);
    end();
    asked[0]?.give();
    await done;
    expect(given.map((track) => track.readyState)).toEqual(['ended']);
  });

  test('another camera that came after the lesson had ended, or the camera had been switched off', async () => {
    for (const stopIt of ['end', 'switch off'] as const) {
      const { tracks, given, asked, end, switchOn } = setUp();
      await switchOn('camera');
      const changing = tracks.useDevice('camera', 'other');
      await Promise.resolve();
      expect(asked.at(-1)).toMatchObject({ source: 'camera', deviceId: 'other' });
      if (stopIt === 'end') end();
      else await tracks.set('camera', false);
      asked.at(-1)?.give();
      await changing;
      expect(given.map((track) => track.readyState)).toEqual(['ended', 'ended']);
    }
  });
});

test('a device that is refused is off and says why, and can be tried again', async () => {
  const { tracks, asked, switchOn } = setUp();
  const done = tracks.set('camera', true);
  expect(tracks.show('camera').state).toBe('starting');
  asked[0]?.refuse();
  await done;
  expect(tracks.show('camera')).toEqual({ state: 'off', track: null, error: 'denied' });
  await switchOn('camera');
  expect(tracks.show('camera')).toMatchObject({ state: 'on', error: null });
});

test('a microphone that was unplugged is replaced by the usual one', async () => {
  const { tracks, given, asked, switchOn } = setUp();
  const lost = await switchOn('microphone');
  lost.lose();
  await Promise.resolve();
  expect(asked.at(-1)).toMatchObject({ source: 'microphone', deviceId: undefined });
  asked.at(-1)?.give();
  await new Promise((resolve) => setTimeout(resolve));
  expect(tracks.show('microphone')).toMatchObject({ state: 'on', track: given.at(-1) });
  expect(given.map((track) => track.readyState)).toEqual(['ended', 'live']);
});

test('what the host takes away is off, and stays off when it is given back', async () => {
  const { tracks, switchOn } = setUp();
  const camera = await switchOn('camera');
  const allowed = { microphone: true, camera: true, screen: true };
  tracks.obeyRights({ ...allowed, camera: false });
  expect(camera.readyState).toBe('ended');
  tracks.obeyRights(allowed);
  expect(tracks.show('camera')).toMatchObject({ state: 'off', error: 'forbidden' });
});
