import type { MembershipId, Role, RoomState, SourceRights } from '@zvonok/shared';
import type { LocalTrackError } from './lesson-devices.ts';

export type LessonEndReason =
  | 'left'
  | 'callEnded'
  | 'removed'
  /** The same person joined from another tab or device. */
  | 'replaced'
  | 'signedOut'
  | 'full'
  | 'notFound'
  | 'callsUnavailable'
  | 'outdated'
  | 'failed';

export interface LocalTrack {
  readonly state: 'off' | 'starting' | 'on';
  /** For the own preview. */
  readonly track: MediaStreamTrack | null;
  /** Of the last try to switch on. */
  readonly error: LocalTrackError | null;
}

export interface LessonSelf {
  readonly membershipId: MembershipId;
  /** Empty until joined. */
  readonly fullName: string;
  /** May use the host's controls. */
  readonly host: boolean;
  /** False: the host has switched it off, and only a host can lift that. */
  readonly allowed: SourceRights;
  readonly handRaisedAt: string | null;
  readonly microphone: LocalTrack;
  readonly camera: LocalTrack;
  readonly screen: LocalTrack;
}

/** A picture or voice of somebody: a picture that is `on` without a track is not asked for (`setVisible`) or still on its way. */
export interface RemoteMedia {
  readonly on: boolean;
  readonly track: MediaStreamTrack | null;
}

export interface LessonParticipant {
  /** One presence each, stable over reconnections: the key of a tile. */
  readonly membershipId: MembershipId;
  readonly fullName: string;
  readonly role: Role;
  readonly verified: boolean;
  readonly host: boolean;
  readonly allowed: SourceRights;
  readonly handRaisedAt: string | null;
  /** Played by the SDK already; the track is for meters. */
  readonly microphone: RemoteMedia;
  readonly camera: RemoteMedia;
  readonly screen: RemoteMedia;
}

export interface LessonSnapshot {
  readonly status: 'connecting' | 'connected' | 'reconnecting' | 'ended';
  readonly endReason: LessonEndReason | null;
  /** When the next try is, ms since 1970; null unless one is waited for. */
  readonly retryAt: number | null;
  /** `lobby`: waiting for a teacher; nobody is seen or heard. */
  readonly room: RoomState;
  readonly self: LessonSelf;
  /** The others, in the order of joining. */
  readonly participants: readonly LessonParticipant[];
  /** May be oneself. */
  readonly activeSpeaker: MembershipId | null;
  /** The browser wants a tap before it plays sound: call `startPlayback` from a click. */
  readonly playbackBlocked: boolean;
  readonly quality: 'good' | 'poor' | 'lost' | null;
  readonly devices: {
    readonly microphone: string | null;
    readonly camera: string | null;
    readonly speaker: string | null;
  };
}
