import { Button, Loader } from '@mantine/core';
import { IconAlertTriangle, IconHandStop, IconHourglass, IconVolume } from '@tabler/icons-react';
import type { Lesson, LessonSnapshot } from '@zvonok/client-sdk/lesson.ts';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './live-lesson.module.css';

const trackErrors = {
  denied: 'lesson.denied',
  notFound: 'lesson.deviceMissing',
  busy: 'lesson.deviceBusy',
  forbidden: 'lesson.mutedByTeacher',
  failed: 'lesson.deviceFailed',
} as const;

/** What stands in the way of the lesson, told over the stage, and `notice` of what just happened. */
export function LessonBanners({
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
export function useNotices(snapshot: LessonSnapshot): string | undefined {
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
