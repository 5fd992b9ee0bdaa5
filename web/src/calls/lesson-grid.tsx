import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import type { Lesson, LessonSnapshot } from '@zvonok/client-sdk/lesson.ts';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMembership } from '../platform/membership.tsx';
import { fitTiles, pageOf, tilesPerPage } from './layout.ts';
import classes from './live-lesson.module.css';
import { Tile, type TileFacts } from './tile.tsx';

const gap = 10;

/** A tile for everybody, screens first; an unchanged person keeps the same object. */
export function useTiles(snapshot: LessonSnapshot): readonly TileFacts[] {
  const membership = useMembership();
  const { self, participants } = snapshot;
  return useMemo(() => {
    const cameras: TileFacts[] = [
      {
        key: `${self.membershipId}/camera`,
        membershipId: self.membershipId,
        source: 'camera',
        fullName: self.fullName === '' ? membership.fullName : self.fullName,
        verified: membership.verified,
        own: true,
        track: self.camera.track,
        microphoneOn: self.microphone.state === 'on',
        handRaised: self.handRaisedAt !== null,
      },
    ];
    const screens: TileFacts[] = [];
    if (self.screen.state === 'on') {
      screens.push({
        ...(cameras[0] as TileFacts),
        key: `${self.membershipId}/screen`,
        source: 'screen',
        track: self.screen.track,
      });
    }
    // Whoever leads stands first.
    const ordered = [...participants].sort((a, b) => Number(b.host) - Number(a.host));
    for (const person of ordered) {
      const camera: TileFacts = {
        key: `${person.membershipId}/camera`,
        membershipId: person.membershipId,
        source: 'camera',
        fullName: person.fullName,
        verified: person.verified,
        own: false,
        track: person.camera.on ? person.camera.track : null,
        microphoneOn: person.microphone.on,
        handRaised: person.handRaisedAt !== null,
      };
      cameras.push(camera);
      if (person.screen.on) {
        screens.push({
          ...camera,
          key: `${person.membershipId}/screen`,
          source: 'screen',
          track: person.screen.track,
        });
      }
    }
    // Oneself comes last but is never lost: the others are what one looks at.
    const own = cameras.shift();
    return [...screens, ...cameras, ...(own === undefined ? [] : [own])];
  }, [self, participants, membership.fullName, membership.verified]);
}

function useSize(): { ref: (element: HTMLElement | null) => void; width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [element, ref] = useState<HTMLElement | null>(null);
  useEffect(() => {
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return { ref, ...size };
}

/** The strip of small tiles beside a large one. */
const strip = { width: 208, height: 128 } as const;
/** Beside on a wide stage, below on a narrow one. */
const wideStage = 720;

/**
 * The tiles of the lesson, in pages of what fits; a pinned tile or a screen stands large beside the rest.
 * Asks the server for the pictures that are seen, no larger than they are shown.
 */
export function LessonGrid({
  lesson,
  tiles,
  pinned,
  speaker,
  waiting,
  onPin,
}: {
  lesson: Lesson;
  tiles: readonly TileFacts[];
  pinned: string | undefined;
  speaker: string | null;
  /** The banner above already tells that nobody is seen yet. */
  waiting: boolean;
  onPin: (key: string) => void;
}) {
  const { t } = useTranslation();
  const { ref, width, height } = useSize();
  const [page, setPage] = useState(0);

  const large = tiles.find((tile) => tile.key === pinned) ?? tiles.find((tile) => tile.source === 'screen');
  const rest = large === undefined ? tiles : tiles.filter((tile) => tile !== large);
  const wide = width >= wideStage;

  // Where a large tile stands, the rest is a strip of what fits.
  const perPage =
    large === undefined
      ? tilesPerPage(rest.length, width, height, gap)
      : Math.max(
          1,
          wide ? Math.floor((height + gap) / (strip.height + gap)) : Math.floor((width + gap) / (112 + gap)),
        );
  const speakerKey = speaker === null ? null : `${speaker}/camera`;
  const {
    shown: keys,
    page: current,
    pages,
  } = pageOf(
    rest.map((tile) => tile.key),
    page,
    perPage,
    speakerKey,
  );
  const shown = keys.map((key) => rest.find((tile) => tile.key === key)).filter((tile) => tile !== undefined);

  const cell = fitTiles(shown.length, width, height, gap);
  const alone = rest.length === 0;
  const largeSize = wide
    ? { width: Math.max(0, width - (alone ? 0 : strip.width + gap)), height }
    : { width, height: Math.max(0, height - (alone ? 0 : 96 + gap)) };
  const smallSize =
    large === undefined
      ? { width: cell.width, height: cell.height }
      : wide
        ? { width: strip.width, height: strip.height }
        : { width: 112, height: 96 };

  // Only what is seen is sent, and no larger than it is shown.
  const wanted = useMemo(() => {
    const sized = [
      ...(large === undefined ? [] : [{ tile: large, width: largeSize.width }]),
      ...shown.map((tile) => ({ tile, width: smallSize.width })),
    ];
    return sized
      .filter(({ tile, width: tileWidth }) => !tile.own && tileWidth > 0)
      .map(({ tile, width: tileWidth }) => ({
        membershipId: tile.membershipId,
        source: tile.source,
        width: Math.max(1, Math.round(tileWidth * Math.min(2, window.devicePixelRatio))),
      }));
  }, [large, shown, largeSize.width, smallSize.width]);
  const wantedKey = JSON.stringify(wanted);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is compared by what it says
  useEffect(() => {
    if (width > 0) lesson.setVisible(wanted);
  }, [lesson, wantedKey, width > 0]);

  const draw = (tile: TileFacts, size: { width: number; height: number }) => (
    <Tile
      key={tile.key}
      tile={tile}
      lesson={lesson}
      speaking={tile.key === speakerKey && tiles.length > 1}
      pinned={tile.key === pinned}
      width={size.width}
      height={size.height}
      onPin={onPin}
    />
  );

  return (
    <section
      ref={ref}
      className={classes.grid}
      aria-label={t('lesson.grid')}
      data-large={large === undefined ? undefined : wide ? 'beside' : 'below'}
    >
      {width > 0 && (
        <>
          {large !== undefined && draw(large, largeSize)}
          <div className={classes.tiles} style={{ gap }}>
            {shown.map((tile) => draw(tile, smallSize))}
          </div>
          {pages > 1 && (
            <div className={classes.pages}>
              <button
                type="button"
                aria-label={t('lesson.previousPage')}
                disabled={current === 0}
                onClick={() => setPage(current - 1)}
              >
                <IconChevronLeft size={20} aria-hidden />
              </button>
              <span>{t('lesson.page', { page: current + 1, pages })}</span>
              <button
                type="button"
                aria-label={t('lesson.nextPage')}
                disabled={current === pages - 1}
                onClick={() => setPage(current + 1)}
              >
                <IconChevronRight size={20} aria-hidden />
              </button>
            </div>
          )}
          {tiles.length === 1 && !waiting && <p className={classes.alone}>{t('lesson.alone')}</p>}
        </>
      )}
    </section>
  );
}
