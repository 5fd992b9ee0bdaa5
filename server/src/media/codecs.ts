import type { types } from 'mediasoup';

/**
 * What rooms speak. Every browser has Opus and VP8 (RFC 7874, RFC 7742), so nobody is left out and nothing is
 * transcoded. Opus: DTX sends next to nothing in silence, in-band FEC mends single losses.
 */
export const roomCodecs: types.RouterRtpCodecCapability[] = [
  {
    kind: 'audio',
    mimeType: 'audio/opus',
    clockRate: 48_000,
    channels: 2,
    parameters: { useinbandfec: 1, usedtx: 1 },
  },
  {
    kind: 'video',
    mimeType: 'video/VP8',
    clockRate: 90_000,
    parameters: { 'x-google-start-bitrate': 600 },
  },
];
