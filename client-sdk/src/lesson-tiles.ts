import type { MembershipId } from '@zvonok/shared';
import { lessonLimits, mediaLimits } from '@zvonok/shared/limits.ts';
import type { LessonSession } from './lesson-session.ts';

export interface VisibleTile {
  readonly membershipId: MembershipId;
  readonly source: 'camera' | 'screen';
  /** In device pixels. */
  readonly width: number;
}

/** Width of a picture while nobody says which are shown. */
const usualWidth = { camera: 640, screen: 1_280 } as const;

/** Tells the server which pictures are shown: a moment after a change, and at once in each new session. */
export class VisibleTiles {
  readonly #session: () => LessonSession | undefined;
  /** null: everybody's. */
  #tiles: readonly VisibleTile[] | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What was told last, and to which session. */
  #told: { readonly session: LessonSession; readonly visible: string } | undefined;

  constructor(session: () => LessonSession | undefined) {
    this.#session = session;
  }

  set(tiles: readonly VisibleTile[] | null): void {
    this.#tiles = tiles;
    this.tellSoon();
  }

  tellSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.tell();
    }, lessonLimits.visibleMs);
  }

  tell(): void {
    const session = this.#session();
    if (session === undefined) return;
    const params = { tiles: this.#tilesOf(session) };
    const visible = JSON.stringify(params);
    if (this.#told?.session === session && this.#told.visible === visible) return;
    this.#told = { session, visible };
    session.connection.request('setVisible', params).catch(() => {
      if (this.#told?.session === session) this.#told = undefined;
    });
  }

  /** The session is over. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#told = undefined;
  }

  #tilesOf(session: LessonSession) {
    const others = [...session.peers.values()].filter((peer) => peer.peerId !== session.selfId);
    const tiles =
      this.#tiles === null
        ? // Screens first: where not everything fits, what is taught matters more than who listens.
          (['screen', 'camera'] as const).flatMap((source) =>
            others.map(({ peerId }) => ({ peerId, source, width: usualWidth[source] })),
          )
        : this.#tiles.flatMap(({ membershipId, source, width }) => {
            const peer = others.find((each) => each.membershipId === membershipId);
            return peer === undefined ? [] : [{ peerId: peer.peerId, source, width: Math.round(width) }];
          });
    return tiles
      .map((tile) => ({ ...tile, width: Math.min(8_192, Math.max(1, tile.width)) }))
      .slice(0, mediaLimits.visibleTiles);
  }
}
