import { Button, Loader, Menu, Modal, Stack } from '@mantine/core';
import {
  IconAlertTriangle,
  IconChevronLeft,
  IconChevronRight,
  IconHandStop,
  IconHourglass,
  IconMessage2,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhoneOff,
  IconScreenShare,
  IconScreenShareOff,
  IconSettings,
  IconUsers,
  IconVideo,
  IconVideoOff,
  IconVolume,
  IconWifi1,
  IconWifiOff,
  IconX,
} from '@tabler/icons-react';
import type { ConversationItem } from '@zvonok/client-sdk';
import type { Lesson, LessonSnapshot, LocalTrack } from '@zvonok/client-sdk/lesson.ts';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSource } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tellError } from '../platform/tell.ts';
import { errorWords } from '../platform/words.ts';
import { ChatPanel } from './chat-panel.tsx';
import { DeviceSelect } from './device-select.tsx';
import { fitTiles, pageOf, tilesPerPage } from './layout.ts';
import classes from './live-lesson.module.css';
import { PeoplePanel } from './people-panel.tsx';
import { useDevices } from './preview.ts';
import { Tile, type TileFacts } from './tile.tsx';

const gap = 10;

type Panel = 'people' | 'chat' | undefined;

export function LiveLesson({
  lesson,
  title,
  conversation,
}: {
  lesson: Lesson;
  title: string;
  conversation: ConversationItem;
}) {
  const { t } = useTranslation();
  const snapshot = useSource(lesson);
  const [panel, setPanel] = useState<Panel>();
  const [pinned, setPinned] = useState<string>();
  useWakeLock();
  const notice = useNotices(snapshot);

  const togglePin = useCallback((key: string) => setPinned((now) => (now === key ? undefined : key)), []);
  const tiles = useTiles(snapshot);
  const hands = snapshot.participants.filter((person) => person.handRaisedAt !== null).length;

  return (
    <div
      className={classes.lesson}
      data-testid="lesson"
      data-status={snapshot.status}
      data-room={snapshot.room}
    >
      <header className={classes.header}>
        <h1 className={classes.title}>{title}</h1>
        <Quality quality={snapshot.quality} />
        <DeviceMenu lesson={lesson} snapshot={snapshot} />
      </header>
      <div className={classes.middle}>
        <main className={classes.stage}>
          <Banners lesson={lesson} snapshot={snapshot} notice={notice} />
          {snapshot.status === 'connecting' ? (
            <div className={classes.center} role="status">
              <Loader color="brass.4" />
              <p>{t('lesson.connecting')}</p>
            </div>
          ) : (
            <Grid
              lesson={lesson}
              tiles={tiles}
              pinned={pinned}
              speaker={snapshot.activeSpeaker}
              waiting={snapshot.room === 'lobby'}
              onPin={togglePin}
            />
          )}
        </main>
        {panel !== undefined && (
          <aside
            className={classes.panel}
            aria-label={t(panel === 'people' ? 'lesson.people' : 'chats.title')}
          >
            <div className={classes.panelHead}>
              <h2>
                {panel === 'people'
                  ? t('lesson.peopleCount', { count: snapshot.participants.length + 1 })
                  : title}
              </h2>
              <button
                type="button"
                className={classes.close}
                aria-label={t('common.close')}
                onClick={() => setPanel(undefined)}
              >
                <IconX size={22} aria-hidden />
              </button>
            </div>
            {panel === 'people' ? (
              <PeoplePanel lesson={lesson} snapshot={snapshot} pinned={pinned} onPin={togglePin} />
            ) : (
              <ChatPanel conversation={conversation} />
            )}
          </aside>
        )}
      </div>
      <Controls
        lesson={lesson}
        snapshot={snapshot}
        panel={panel}
        hands={hands}
        unread={conversation.unread}
        onPanel={(next) => setPanel((now) => (now === next ? undefined : next))}
      />
    </div>
  );
}

/** A tile for everybody, screens first; an unchanged person keeps the same object. */
function useTiles(snapshot: LessonSnapshot): readonly TileFacts[] {
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

function Grid({
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

const trackErrors = {
  denied: 'lesson.denied',
  notFound: 'lesson.deviceMissing',
  busy: 'lesson.deviceBusy',
  forbidden: 'lesson.mutedByTeacher',
  failed: 'lesson.deviceFailed',
} as const;

function Banners({
  lesson,
  snapshot,
  notice,
}: {
  lesson: Lesson;
  snapshot: LessonSnapshot;
  notice: string | undefined;
}) {
  const { t } = useTranslation();
  const { self } = snapshot;
  const failed = self.camera.error ?? self.microphone.error ?? self.screen.error;
  return (
    <div className={classes.banners} role="status" aria-live="polite">
      {snapshot.status === 'reconnecting' && (
        <p className={classes.banner} data-testid="reconnecting">
          <Loader size={18} color="brass.4" /> {t('lesson.reconnecting')}
        </p>
      )}
      {snapshot.room === 'lobby' && snapshot.status === 'connected' && (
        <p className={classes.banner} data-testid="lesson-lobby">
          <IconHourglass size={20} aria-hidden />
          <span>
            <strong>{t('lesson.lobbyTitle')}.</strong> {t('lesson.lobbyText')}
          </span>
        </p>
      )}
      {snapshot.playbackBlocked && (
        <p className={classes.banner}>
          <IconVolume size={20} aria-hidden />
          <span>{t('lesson.playback')}</span>
          <Button size="xs" color="brass.4" c="#3d2a05" onClick={() => void lesson.startPlayback()}>
            {t('lesson.playbackStart')}
          </Button>
        </p>
      )}
      {notice !== undefined && (
        <p className={classes.banner} data-testid="lesson-notice">
          <IconHandStop size={20} aria-hidden />
          <span>{notice}</span>
        </p>
      )}
      {failed !== null && failed !== 'forbidden' && (
        <p className={classes.banner}>
          <IconAlertTriangle size={20} aria-hidden />
          <span>{t(trackErrors[failed])}</span>
        </p>
      )}
    </div>
  );
}

/** A notice of what just happened is read and goes. */
const noticeMs = 8_000;

/** What the host did to oneself, and for a host whose hand went up. */
function useNotices(snapshot: LessonSnapshot): string | undefined {
  const { t } = useTranslation();
  const [notice, setNotice] = useState<string>();
  const before = useRef(snapshot);
  const { self, participants } = snapshot;

  useEffect(() => {
    const earlier = before.current;
    before.current = snapshot;
    if (snapshot.status !== 'connected' || earlier.status !== 'connected') return;
    if (earlier.self.allowed.microphone && !snapshot.self.allowed.microphone)
      setNotice(t('lesson.mutedByTeacher'));
    else if (!earlier.self.allowed.microphone && snapshot.self.allowed.microphone)
      setNotice(t('lesson.canSpeak'));
    else if (earlier.self.allowed.camera && !snapshot.self.allowed.camera)
      setNotice(t('lesson.cameraByTeacher'));
    else if (snapshot.self.host) {
      const raised = snapshot.participants.find(
        (person) =>
          person.handRaisedAt !== null &&
          earlier.participants.some(
            (known) => known.membershipId === person.membershipId && known.handRaisedAt === null,
          ),
      );
      if (raised !== undefined) setNotice(t('lesson.handOf', { name: raised.fullName }));
    }
  }, [snapshot, t]);

  useEffect(() => {
    if (notice === undefined) return undefined;
    const timer = setTimeout(() => setNotice(undefined), noticeMs);
    return () => clearTimeout(timer);
  }, [notice]);

  // The reason why the button is dead stays as long as it is.
  if (notice === undefined && self.fullName !== '' && !self.allowed.microphone && participants.length > 0) {
    return t('lesson.mutedByTeacher');
  }
  return notice;
}

function Quality({ quality }: { quality: LessonSnapshot['quality'] }) {
  const { t } = useTranslation();
  if (quality === null || quality === 'good') return null;
  const words = t(quality === 'poor' ? 'lesson.poor' : 'lesson.lost');
  return (
    <span className={classes.quality} title={words}>
      {quality === 'poor' ? <IconWifi1 size={18} aria-hidden /> : <IconWifiOff size={18} aria-hidden />}
      <span>{words}</span>
    </span>
  );
}

function DeviceMenu({ lesson, snapshot }: { lesson: Lesson; snapshot: LessonSnapshot }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const devices = useDevices(opened);
  const choose = (method: 'useMicrophone' | 'useCamera' | 'useSpeaker', deviceId: string) =>
    void lesson[method](deviceId).catch((error: unknown) => tellError(errorWords(error, t)));
  return (
    <>
      <button
        type="button"
        className={classes.headerButton}
        aria-label={t('lesson.devices')}
        title={t('lesson.devices')}
        onClick={() => setOpened(true)}
      >
        <IconSettings size={22} aria-hidden />
      </button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('lesson.devices')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <Stack>
          <DeviceSelect
            label={t('lesson.microphone')}
            icon={<IconMicrophone size={18} aria-hidden />}
            devices={devices.microphones}
            value={snapshot.devices.microphone}
            onChange={(id) => choose('useMicrophone', id)}
          />
          <DeviceSelect
            label={t('lesson.camera')}
            icon={<IconVideo size={18} aria-hidden />}
            devices={devices.cameras}
            value={snapshot.devices.camera}
            onChange={(id) => choose('useCamera', id)}
          />
          {devices.speakers.length > 0 && (
            <DeviceSelect
              label={t('lesson.speaker')}
              icon={<IconVolume size={18} aria-hidden />}
              devices={devices.speakers}
              value={snapshot.devices.speaker}
              onChange={(id) => choose('useSpeaker', id)}
            />
          )}
        </Stack>
      </Modal>
    </>
  );
}

function Controls({
  lesson,
  snapshot,
  panel,
  hands,
  unread,
  onPanel,
}: {
  lesson: Lesson;
  snapshot: LessonSnapshot;
  panel: Panel;
  hands: number;
  unread: number;
  onPanel: (panel: Panel) => void;
}) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const { self } = snapshot;
  const [ending, setEnding] = useState(false);
  const run = (action: Promise<void>) =>
    void action.catch((error: unknown) => tellError(errorWords(error, t)));
  const canShareScreen = 'getDisplayMedia' in (navigator.mediaDevices ?? {});
  const raised = self.handRaisedAt !== null;

  const source = (
    name: 'microphone' | 'camera',
    track: LocalTrack,
    icons: readonly [ReactNode, ReactNode],
  ) => {
    const on = track.state !== 'off';
    const label = t(on ? `lesson.${name}Off` : `lesson.${name}On`);
    return (
      <Control
        label={
          self.allowed[name] || self.fullName === ''
            ? label
            : t(name === 'microphone' ? 'lesson.mutedByTeacher' : 'lesson.cameraByTeacher')
        }
        state={on ? 'on' : 'off'}
        busy={track.state === 'starting'}
        disabled={self.fullName !== '' && !self.allowed[name]}
        onClick={() => run(name === 'microphone' ? lesson.setMicrophone(!on) : lesson.setCamera(!on))}
        testId={name}
      >
        {on ? icons[0] : icons[1]}
      </Control>
    );
  };

  return (
    <footer className={classes.controls} role="toolbar" aria-label={t('lesson.controls')}>
      {source('microphone', self.microphone, [
        <IconMicrophone key="on" size={24} aria-hidden />,
        <IconMicrophoneOff key="off" size={24} aria-hidden />,
      ])}
      {source('camera', self.camera, [
        <IconVideo key="on" size={24} aria-hidden />,
        <IconVideoOff key="off" size={24} aria-hidden />,
      ])}
      {canShareScreen && (
        <Control
          label={
            self.screen.state === 'on'
              ? t('lesson.screenOff')
              : self.allowed.screen || self.fullName === ''
                ? t('lesson.screenOn')
                : t('lesson.screenNotAllowed')
          }
          state={self.screen.state === 'on' ? 'active' : 'plain'}
          busy={self.screen.state === 'starting'}
          disabled={self.fullName !== '' && !self.allowed.screen}
          onClick={() => run(lesson.setScreen(self.screen.state === 'off'))}
          testId="screen"
        >
          {self.screen.state === 'on' ? (
            <IconScreenShareOff size={24} aria-hidden />
          ) : (
            <IconScreenShare size={24} aria-hidden />
          )}
        </Control>
      )}
      {!self.host && (
        <Control
          label={t(raised ? 'lesson.handDown' : 'lesson.handUp')}
          state={raised ? 'active' : 'plain'}
          pressed={raised}
          onClick={() => run(lesson.raiseHand(!raised))}
          testId="hand"
        >
          <IconHandStop size={24} aria-hidden />
        </Control>
      )}
      <span className={classes.spacer} />
      <Control
        label={t('chats.title')}
        state={panel === 'chat' ? 'active' : 'plain'}
        pressed={panel === 'chat'}
        badge={panel === 'chat' ? 0 : unread}
        onClick={() => onPanel('chat')}
        testId="lesson-chat"
      >
        <IconMessage2 size={24} aria-hidden />
      </Control>
      <Control
        label={t('lesson.peopleCount', { count: snapshot.participants.length + 1 })}
        state={panel === 'people' ? 'active' : 'plain'}
        pressed={panel === 'people'}
        badge={self.host ? hands : 0}
        onClick={() => onPanel('people')}
        testId="people"
      >
        <IconUsers size={24} aria-hidden />
      </Control>
      {self.host ? (
        <Menu position="top-end" width={280} shadow="lg">
          <Menu.Target>
            <button
              type="button"
              className={classes.leave}
              aria-label={t('lesson.leaveOrEnd')}
              data-testid="leave"
            >
              <IconPhoneOff size={24} aria-hidden />
              <span>{t('lesson.leave')}</span>
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => lesson.leave()} data-testid="leave-only">
              {t('lesson.leaveOnly')}
            </Menu.Item>
            <Menu.Item color="red" onClick={() => setEnding(true)} data-testid="end-for-all">
              {t(`words.${vocabulary}.lessonEnd`)}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      ) : (
        <button
          type="button"
          className={classes.leave}
          aria-label={t(`words.${vocabulary}.lessonLeave`)}
          onClick={() => lesson.leave()}
          data-testid="leave"
        >
          <IconPhoneOff size={24} aria-hidden />
          <span>{t('lesson.leave')}</span>
        </button>
      )}
      <Confirm
        opened={ending}
        title={t('lesson.endTitle')}
        confirm={t('lesson.endConfirm')}
        danger
        onClose={() => setEnding(false)}
        onConfirm={() => lesson.end()}
      >
        {t('lesson.endText')}
      </Confirm>
    </footer>
  );
}

function Control({
  label,
  state,
  busy,
  disabled,
  pressed,
  badge = 0,
  onClick,
  testId,
  children,
}: {
  label: string;
  /** `off` is what the others miss: shown in red. */
  state: 'on' | 'off' | 'plain' | 'active';
  busy?: boolean;
  disabled?: boolean;
  pressed?: boolean;
  badge?: number;
  onClick: () => void;
  testId: string;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      className={classes.control}
      data-state={state}
      data-busy={busy || undefined}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      // Still reachable with the keyboard, so that its label tells why it does not work.
      aria-disabled={disabled}
      onClick={disabled === true || busy === true ? undefined : onClick}
      data-testid={`control-${testId}`}
    >
      {children}
      {badge > 0 && <span className={classes.badge}>{badge > 99 ? '99+' : badge}</span>}
    </button>
  );
}

/** Keeps a phone's screen lit while the lesson is looked at. */
function useWakeLock() {
  useEffect(() => {
    if (!('wakeLock' in navigator)) return undefined;
    let lock: WakeLockSentinel | undefined;
    let here = true;
    const ask = () => {
      if (document.visibilityState !== 'visible') return;
      navigator.wakeLock.request('screen').then(
        (given) => {
          if (here) lock = given;
          else void given.release();
        },
        // Refused on a low battery: the lesson goes on all the same.
        () => undefined,
      );
    };
    ask();
    document.addEventListener('visibilitychange', ask);
    return () => {
      here = false;
      document.removeEventListener('visibilitychange', ask);
      void lock?.release().catch(() => undefined);
    };
  }, []);
}
