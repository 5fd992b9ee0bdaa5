import {
  IconHandStop,
  IconMicrophoneOff,
  IconPin,
  IconPinnedOff,
  IconScreenShare,
} from '@tabler/icons-react';
import type { MembershipId } from '@zvonok/client-sdk';
import type { Lesson } from '@zvonok/client-sdk/lesson.ts';
import { memo, useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Avatar } from '../platform/avatar.tsx';
import { VerifiedBadge } from '../platform/verified-badge.tsx';
import classes from './tile.module.css';

/** What one tile shows, whoever it is of. */
export interface TileFacts {
  /** `<membershipId>/camera` or `<membershipId>/screen`. */
  readonly key: string;
  readonly membershipId: MembershipId;
  readonly source: 'camera' | 'screen';
  readonly fullName: string;
  readonly verified: boolean;
  readonly own: boolean;
  readonly track: MediaStreamTrack | null;
  readonly microphoneOn: boolean;
  readonly handRaised: boolean;
}

/** Narrower than this a tile has room for a name alone. */
const smallPx = 150;

interface TileProps {
  readonly tile: TileFacts;
  readonly lesson: Lesson;
  readonly speaking: boolean;
  readonly pinned: boolean;
  readonly width: number;
  readonly height: number;
  readonly onPin: (key: string) => void;
}

export const Tile = memo(function Tile({ tile, lesson, speaking, pinned, width, height, onPin }: TileProps) {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const screen = tile.source === 'screen';
  const name = tile.own ? t('lesson.youLabel', { name: tile.fullName }) : tile.fullName;

  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    element.srcObject = tile.track === null ? null : new MediaStream([tile.track]);
    // Refused only while the tab has no picture to show; `autoplay` tries again by itself.
    if (tile.track !== null) element.play().catch(() => undefined);
  }, [tile.track]);

  return (
    <figure
      className={classes.tile}
      style={{ width, height }}
      data-speaking={speaking || undefined}
      data-source={tile.source}
      data-small={width < smallPx || undefined}
      data-testid="tile"
      data-member={tile.membershipId}
      data-name={tile.fullName}
      data-own={tile.own || undefined}
      data-microphone={tile.microphoneOn ? 'on' : 'off'}
    >
      <video
        ref={video}
        className={classes.video}
        data-mirrored={(tile.own && !screen) || undefined}
        data-hidden={tile.track === null || undefined}
        autoPlay
        playsInline
        muted
        aria-hidden
      />
      {tile.track === null && (
        <div className={classes.face}>
          {screen ? (
            <IconScreenShare size={48} stroke={1.3} aria-hidden />
          ) : (
            <Avatar name={tile.fullName} size={Math.round(Math.min(112, Math.max(44, height * 0.38)))} />
          )}
        </div>
      )}
      {!screen && <Voice lesson={lesson} membershipId={tile.membershipId} />}
      <figcaption className={classes.caption}>
        {tile.handRaised && !screen && (
          <span className={classes.hand} role="img" aria-label={t('lesson.handRaised')}>
            <IconHandStop size={16} stroke={2} />
          </span>
        )}
        <span className={classes.name}>
          {!screen && !tile.microphoneOn && (
            <IconMicrophoneOff size={15} stroke={2} role="img" aria-label={t('lesson.mutedMark')} />
          )}
          <span className={classes.words}>
            {screen
              ? tile.own
                ? t('lesson.yourScreen')
                : t('lesson.screenOf', { name: tile.fullName })
              : name}
          </span>
          {tile.verified && !screen && <VerifiedBadge size={15} />}
          {speaking && <span className={classes.hidden}>{t('lesson.speaking')}</span>}
        </span>
      </figcaption>
      <button
        type="button"
        className={classes.pin}
        aria-pressed={pinned}
        aria-label={pinned ? t('lesson.unpin') : t('lesson.pin', { name: tile.fullName })}
        title={pinned ? t('lesson.unpin') : t('lesson.pin', { name: tile.fullName })}
        onClick={() => onPin(tile.key)}
      >
        {pinned ? <IconPinnedOff size={18} aria-hidden /> : <IconPin size={18} aria-hidden />}
      </button>
    </figure>
  );
});

/** A ring that breathes with the voice; kept apart, so that a word does not draw the grid again. */
function Voice({ lesson, membershipId }: { lesson: Lesson; membershipId: MembershipId }) {
  const level = useSyncExternalStore(
    lesson.levels.subscribe,
    useCallback(() => lesson.levels.getSnapshot().get(membershipId) ?? 0, [lesson, membershipId]),
  );
  return (
    <span className={classes.voice} style={{ opacity: level > 0.02 ? 0.35 + level * 0.65 : 0 }} aria-hidden />
  );
}
