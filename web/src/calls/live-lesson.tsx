import { Loader } from '@mantine/core';
import { IconWifi1, IconWifiOff, IconX } from '@tabler/icons-react';
import type { ConversationItem } from '@zvonok/client-sdk';
import type { Lesson, LessonSnapshot } from '@zvonok/client-sdk/lesson.ts';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSource } from '../platform/client.ts';
import { ChatPanel } from './chat-panel.tsx';
import { DeviceMenu } from './device-menu.tsx';
import { LessonBanners, useNotices } from './lesson-banners.tsx';
import { LessonControls, type Panel } from './lesson-controls.tsx';
import { LessonGrid, useTiles } from './lesson-grid.tsx';
import classes from './live-lesson.module.css';
import { PeoplePanel } from './people-panel.tsx';

/** The lesson one is in: stage, panel and toolbar. */
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
          <LessonBanners lesson={lesson} snapshot={snapshot} notice={notice} />
          {snapshot.status === 'connecting' ? (
            <div className={classes.center} role="status">
              <Loader color="brass.4" />
              <p>{t('lesson.connecting')}</p>
            </div>
          ) : (
            <LessonGrid
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
      <LessonControls
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
