import {
  CodedError,
  mediaLimits,
  type RtpCapabilities,
  type RtpParameters,
  SignallingEnvelope,
  type SignallingMethod,
  type SignallingRequest,
  signallingRequests,
  type TrackSource,
} from '@zvonok/shared';
import type { types } from 'mediasoup';
import { Compile } from 'typebox/compile';

const envelope = Compile(SignallingEnvelope);
const params = new Map(
  Object.entries(signallingRequests).map(([method, { params }]) => [method, Compile(params)]),
);

/** A frame that no request could be made of: the connection is not speaking the protocol. */
export class BadMessage extends Error {}

/** What is known of a frame whose id could be read: the request, or why it is refused. */
export type ReadRequest =
  | { readonly id: number; readonly request: SignallingRequest }
  | { readonly id: number; readonly refusal: CodedError };

/**
 * Reads one text frame. Whatever it holds, the result is a request that fits the protocol, a refusal to be answered, or
 * `BadMessage`.
 */
export function readRequest(text: string): ReadRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadMessage('not JSON');
  }
  if (deeperThan(value, mediaLimits.messageDepth)) throw new BadMessage('nested too deep');
  if (!envelope.Check(value)) throw new BadMessage('not a request');
  const { id, method } = value;
  const schema = params.get(method);
  if (schema === undefined) return { id, refusal: invalid('There is no such method.') };
  if (!schema.Check(value.params)) return { id, refusal: invalid('The params do not fit the method.') };
  return { id, request: { id, method: method as SignallingMethod, params: value.params as never } };
}

/** Iterative: the depth of a hostile value is what is in question. */
function deeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}

function invalid(message: string): CodedError {
  return new CodedError('VALIDATION', { message });
}

export const kindOf = {
  microphone: 'audio',
  camera: 'video',
  screen: 'video',
} as const satisfies Record<TrackSource, types.MediaKind>;

const codecOf = { audio: 'audio/opus', video: 'video/vp8' } as const;

/**
 * What the schema can't say of RTP parameters: the one codec of the source (with its retransmission), nothing twice,
 * known extensions, streams that can be told apart. Throws `VALIDATION`; returns a fresh object of known fields.
 */
export function requireRtpParameters(
  source: TrackSource,
  given: RtpParameters,
  router: types.RtpCapabilities,
): types.RtpParameters {
  const kind = kindOf[source];
  const [media, ...others] = given.codecs.filter((codec) => !isRetransmission(codec.mimeType));
  if (media === undefined || others.length > 0 || media.mimeType.toLowerCase() !== codecOf[kind]) {
    throw invalid(`A ${source} is sent as ${codecOf[kind]} and nothing else.`);
  }
  const retransmissions = given.codecs.filter((codec) => isRetransmission(codec.mimeType));
  if (retransmissions.length > 1 || (kind === 'audio' && retransmissions.length > 0)) {
    throw invalid('More retransmission codecs than one for video.');
  }
  for (const codec of retransmissions) {
    if (codec.mimeType.toLowerCase() !== 'video/rtx' || codec.parameters?.apt !== media.payloadType) {
      throw invalid('The retransmission codec belongs to no other codec.');
    }
  }
  distinct(
    'payload types',
    given.codecs.map((codec) => codec.payloadType),
  );
  distinct(
    'header extension ids',
    given.headerExtensions.map((extension) => extension.id),
  );
  distinct(
    'header extensions',
    given.headerExtensions.map((extension) => extension.uri),
  );
  const known = new Set(
    router.headerExtensions?.filter((extension) => extension.kind === kind).map((each) => each.uri as string),
  );
  for (const extension of given.headerExtensions) {
    if (!known.has(extension.uri)) throw invalid('A header extension that the router does not have.');
    if (extension.encrypt === true) throw invalid('Encrypted header extensions are not accepted.');
  }

  const { encodings } = given;
  if (kind === 'audio' && encodings.length !== 1) throw invalid('Sound has one encoding.');
  const ssrcs = encodings.flatMap((encoding) => [encoding.ssrc, encoding.rtx?.ssrc]);
  distinct(
    'ssrcs',
    ssrcs.filter((ssrc) => ssrc !== undefined),
  );
  const rids = encodings.flatMap((encoding) => encoding.rid ?? []);
  distinct('rids', rids);
  for (const encoding of encodings) {
    if (encoding.ssrc === undefined && encoding.rid === undefined && encodings.length > 1) {
      throw invalid('Encodings that can’t be told apart.');
    }
    if (encoding.rtx !== undefined && encoding.ssrc === undefined) {
      throw invalid('Retransmission of an unnamed stream.');
    }
    if (encoding.rtx !== undefined && retransmissions.length === 0) {
      throw invalid('Retransmission without its codec.');
    }
  }
  if (given.mid === undefined && encodings.some((encoding) => encoding.ssrc === undefined)) {
    throw invalid('A stream without ssrc needs mid.');
  }

  return {
    ...(given.mid === undefined ? {} : { mid: given.mid }),
    codecs: given.codecs.map(copyCodec),
    headerExtensions: given.headerExtensions.map(({ uri, id }) => ({
      uri: uri as types.RtpHeaderExtensionUri,
      id,
      encrypt: false,
      parameters: {},
    })),
    encodings: encodings.map(({ ssrc, rid, rtx, dtx, scalabilityMode, maxBitrate }) => ({
      ...(ssrc === undefined ? {} : { ssrc }),
      ...(rid === undefined ? {} : { rid }),
      ...(rtx === undefined ? {} : { rtx: { ssrc: rtx.ssrc } }),
      ...(dtx === undefined ? {} : { dtx }),
      ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
      ...(maxBitrate === undefined ? {} : { maxBitrate }),
    })),
    rtcp: {
      ...(given.rtcp.cname === undefined ? {} : { cname: given.rtcp.cname }),
      reducedSize: given.rtcp.reducedSize ?? true,
    },
  };
}

/** Of what a client can decode, the part that rooms speak: the rest never reaches the SFU. */
export function usableCapabilities(
  given: RtpCapabilities,
  router: types.RtpCapabilities,
): types.RtpCapabilities {
  const spoken = new Set(router.codecs?.map((codec) => codec.mimeType.toLowerCase()));
  const known = new Set<string>(router.headerExtensions?.map((extension) => extension.uri));
  const codecs = given.codecs.filter((codec) => spoken.has(codec.mimeType.toLowerCase()));
  if (codecs.length === 0) throw invalid('None of the room’s codecs can be decoded.');
  distinct(
    'payload types',
    codecs.flatMap((codec) => codec.preferredPayloadType ?? []),
  );
  for (const codec of codecs) {
    if (!codec.mimeType.toLowerCase().startsWith(`${codec.kind}/`)) throw invalid('A codec of another kind.');
  }
  return {
    codecs: codecs.map((codec) => ({
      ...copyCodec(codec),
      kind: codec.kind,
      preferredPayloadType: codec.preferredPayloadType ?? 0,
    })),
    headerExtensions: given.headerExtensions
      .filter((extension) => known.has(extension.uri))
      .map(({ kind, uri, preferredId, direction }) => ({
        kind,
        uri: uri as types.RtpHeaderExtensionUri,
        preferredId,
        preferredEncrypt: false,
        direction: direction ?? 'sendrecv',
      })),
  };
}

function isRetransmission(mimeType: string): boolean {
  return mimeType.toLowerCase().endsWith('/rtx');
}

type GivenCodec = RtpParameters['codecs'][number] | RtpCapabilities['codecs'][number];

function copyCodec<Codec extends GivenCodec>(codec: Codec) {
  return {
    ...codec,
    parameters: { ...codec.parameters },
    rtcpFeedback: (codec.rtcpFeedback ?? []).map((feedback) => ({ ...feedback })),
  };
}

function distinct(what: string, values: readonly (string | number)[]): void {
  if (new Set(values).size !== values.length) throw invalid(`The ${what} are not distinct.`);
}
