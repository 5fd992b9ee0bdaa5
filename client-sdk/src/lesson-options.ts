import type { CallId, MembershipId } from '@zvonok/shared';
import type { HandlerFactory } from 'mediasoup-client/types';
import type { Call } from './api.ts';
import type { AcquireTrack } from './lesson-devices.ts';
import type { WebSocketFactory } from './lesson-signalling.ts';

export interface LessonOptions {
  /** Switch the microphone on once in (default: join silent). */
  readonly microphone?: boolean;
  readonly camera?: boolean;
  /** Device ids to begin with. */
  readonly devices?: { readonly microphone?: string; readonly camera?: string; readonly speaker?: string };
  /** Where local tracks come from; default the browser's devices. */
  readonly acquire?: AcquireTrack;
  /** Play the others' sound (default: where there is a document). */
  readonly playAudio?: boolean;
  /** false: signalling alone, nothing is sent or received (Node). */
  readonly media?: boolean;
  /** mediasoup-client's way into WebRTC, for places that are no browser. */
  readonly handlerFactory?: HandlerFactory;
  readonly webSocket?: WebSocketFactory;
}

/** The part of the client that a lesson needs. */
export interface LessonClient {
  /** Origin of the server. */
  readonly url: string;
  readonly call: Call;
}

/** Which call, and as which membership. */
export interface LessonPlace {
  readonly as: MembershipId;
  readonly callId: CallId;
}
