import { CodedError, type RtpCapabilities, type RtpParameters, type TrackSource } from '@zvonok/shared';
import { getSupportedRtpCapabilities, ortc, type types } from 'mediasoup';
import { describe, expect, test } from 'vitest';
import { roomCodecs } from './codecs.ts';
import { layerFor } from './peer.ts';
import { BadMessage, readRequest, requireRtpParameters, usableCapabilities } from './validate.ts';

const router = ortc.generateRouterRtpCapabilities(roomCodecs) as types.RtpCapabilities;

const opus: RtpParameters = {
  mid: '0',
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }],
  headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1 }],
  encodings: [{ ssrc: 1_234 }],
  rtcp: { cname: 'x' },
};
const vp8: RtpParameters = {
  mid: '1',
  codecs: [
    { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 },
    { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
  ],
  headerExtensions: [],
  encodings: [
    { ssrc: 1, rtx: { ssrc: 2 }, rid: 'r0' },
    { ssrc: 3, rtx: { ssrc: 4 }, rid: 'r1' },
  ],
  rtcp: {},
};

function outcome(method: string, params: unknown): string {
  const read = readRequest(JSON.stringify({ id: 1, method, params }));
  return 'request' in read ? 'ok' : read.refusal.code;
}

function semantics(source: TrackSource, parameters: RtpParameters): string {
  try {
    requireRtpParameters(source, parameters, router);
    return 'ok';
  } catch (error) {
    return error instanceof CodedError ? error.code : 'broken';
  }
}

const transportId = '00000000-0000-4000-8000-000000000000';
const fingerprint = { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '0A').join(':') };

describe('a frame', () => {
  test.each([
    ['not JSON', '{'],
    ['a number', '1'],
    ['null', 'null'],
    ['an array', '[]'],
    ['no id', '{"method":"ping","params":{}}'],
    ['a negative id', '{"id":-1,"method":"ping","params":{}}'],
    ['a fraction as id', '{"id":1.5,"method":"ping","params":{}}'],
    ['a method that is no text', '{"id":1,"method":{},"params":{}}'],
    ['unknown fields', '{"id":1,"method":"ping","params":{},"admin":true}'],
    ['20,000 levels', `{"id":1,"method":"ping","params":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
    ['13 levels', `{"id":1,"method":"ping","params":${'{"a":'.repeat(13)}1${'}'.repeat(13)}}`],
  ])('that is %s ends the connection', (_what, text) => {
    expect(() => readRequest(text)).toThrow(BadMessage);
  });

  test.each(['toString', '__proto__', 'constructor', 'hasOwnProperty', 'Join', ''.padEnd(40, 'x')])(
    'with the method %s is refused',
    (method) => {
      expect(outcome(method, {})).toBe('VALIDATION');
    },
  );

  test('with unknown params, or params of another method, is refused', () => {
    expect(outcome('ping', {})).toBe('ok');
    expect(outcome('ping', { extra: 1 })).toBe('VALIDATION');
    expect(outcome('ping', null)).toBe('VALIDATION');
    expect(outcome('ping', JSON.parse('{"__proto__":{"host":true}}'))).toBe('VALIDATION');
    expect(outcome('raiseHand', { raised: 'yes' })).toBe('VALIDATION');
    expect(outcome('setAllowed', { peerId: 'x', source: 'microphone', allowed: true })).toBe('VALIDATION');
    expect(outcome('createTransport', { direction: 'recv' })).toBe('VALIDATION');
    expect(outcome('createTransport', { direction: 'both' })).toBe('VALIDATION');
  });
});

describe('DTLS parameters', () => {
  const connect = (dtlsParameters: unknown) => outcome('connectTransport', { transportId, dtlsParameters });

  test('are taken as browsers send them', () => {
    expect(connect({ role: 'client', fingerprints: [fingerprint] })).toBe('ok');
  });

  test.each([
    [
      '20,000 fingerprints',
      { role: 'client', fingerprints: Array.from({ length: 20_000 }, () => fingerprint) },
    ],
    ['none', { role: 'client', fingerprints: [] }],
    ['a short one', { role: 'client', fingerprints: [{ ...fingerprint, value: 'AA:BB' }] }],
    ['a weak algorithm', { role: 'client', fingerprints: [{ ...fingerprint, algorithm: 'sha-1' }] }],
    ['a strange role', { role: 'both', fingerprints: [fingerprint] }],
  ])('with %s are refused', (_what, dtlsParameters) => {
    expect(connect(dtlsParameters)).toBe('VALIDATION');
  });
});

describe('RTP parameters', () => {
  const produce = (rtpParameters: unknown, source = 'microphone') =>
    outcome('produce', { transportId, source, rtpParameters });
  const codec = opus.codecs[0];

  test('are taken as browsers send them', () => {
    expect(produce(opus)).toBe('ok');
    expect(produce(vp8, 'camera')).toBe('ok');
    expect(semantics('microphone', opus)).toBe('ok');
    expect(semantics('camera', vp8)).toBe('ok');
    expect(semantics('screen', vp8)).toBe('ok');
    // What leaves here is what mediasoup itself takes.
    const clean = requireRtpParameters('camera', vp8, router);
    expect(() => ortc.getProducerRtpParametersMapping(clean, router)).not.toThrow();
  });

  test.each([
    ['a negative ssrc', { ...opus, encodings: [{ ssrc: -1 }] }],
    ['an ssrc of 33 bits', { ...opus, encodings: [{ ssrc: 2 ** 32 }] }],
    ['payload type 99999', { ...opus, codecs: [{ ...codec, payloadType: 99_999 }] }],
    ['5,000 encodings', { ...opus, encodings: Array.from({ length: 5_000 }, (_, n) => ({ ssrc: n + 1 })) }],
    ['no encodings', { ...opus, encodings: [] }],
    ['no codecs', { ...opus, codecs: [] }],
    ['an extension id of 0', { ...opus, headerExtensions: [{ uri: 'x', id: 0 }] }],
    ['objects as codec parameters', { ...opus, codecs: [{ ...codec, parameters: { a: {} } }] }],
    ['a mid with a line break', { ...opus, mid: 'a\r\nb' }],
    ['unknown fields', { ...opus, admin: true }],
    ['text as numbers', { ...opus, encodings: [{ ssrc: '1' }] }],
  ])('with %s do not fit the schema', (_what, rtpParameters) => {
    expect(produce(rtpParameters)).toBe('VALIDATION');
  });

  test.each<[string, TrackSource, RtpParameters]>([
    ['a camera in a microphone', 'microphone', vp8],
    ['a microphone in a camera', 'camera', opus],
    [
      'a codec that rooms do not speak',
      'camera',
      { ...vp8, codecs: [{ mimeType: 'video/H264', payloadType: 96, clockRate: 90_000 }] },
    ],
    ['retransmission alone', 'camera', { ...vp8, codecs: vp8.codecs.slice(1) }],
    [
      'retransmission of something else',
      'camera',
      { ...vp8, codecs: vp8.codecs.map((each) => ({ ...each, parameters: { apt: 1 } })) },
    ],
    [
      'two codecs with one payload type',
      'camera',
      { ...vp8, codecs: vp8.codecs.map((each) => ({ ...each, payloadType: 96 })) },
    ],
    ['one ssrc twice', 'camera', { ...vp8, encodings: [{ ssrc: 1 }, { ssrc: 1 }] }],
    [
      'an ssrc that is its own retransmission',
      'camera',
      { ...vp8, encodings: [{ ssrc: 1, rtx: { ssrc: 1 } }] },
    ],
    ['one rid twice', 'camera', { ...vp8, encodings: [{ rid: 'a' }, { rid: 'a' }] }],
    ['encodings that can’t be told apart', 'camera', { ...vp8, encodings: [{}, {}] }],
    [
      'a stream with neither ssrc nor mid',
      'microphone',
      { codecs: opus.codecs, headerExtensions: [], encodings: [{}], rtcp: {} },
    ],
    ['sound in two encodings', 'microphone', { ...opus, encodings: [{ ssrc: 1 }, { ssrc: 2 }] }],
    ['an unknown extension', 'microphone', { ...opus, headerExtensions: [{ uri: 'urn:evil', id: 1 }] }],
    [
      'one extension id twice',
      'microphone',
      {
        ...opus,
        headerExtensions: [
          { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1 },
          { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 },
        ],
      },
    ],
  ])('with %s are refused', (_what, source, parameters) => {
    expect(semantics(source, parameters)).toBe('VALIDATION');
  });
});

describe('capabilities', () => {
  const given = getSupportedRtpCapabilities() as RtpCapabilities;

  test('are cut down to what rooms speak', () => {
    const usable = usableCapabilities(given, router);
    expect(new Set(usable.codecs?.map((each) => each.mimeType.toLowerCase()))).toEqual(
      new Set(['audio/opus', 'video/vp8']),
    );
    expect(() => ortc.validateAndNormalizeRtpCapabilities(usable)).not.toThrow();
  });

  test('without a common codec are refused', () => {
    expect(() => usableCapabilities({ codecs: [], headerExtensions: [] }, router)).toThrow(CodedError);
    const kinds = given.codecs.map((each) => ({ ...each, kind: 'audio' as const }));
    expect(() => usableCapabilities({ ...given, codecs: kinds }, router)).toThrow(CodedError);
  });
});

test('a small picture is served from a small layer', () => {
  expect([100, 320, 321, 640, 641, 4_000].map(layerFor)).toEqual([0, 0, 1, 1, 2, 2]);
});
