import { Menu } from '@mantine/core';
import {
  IconHandStop,
  IconMessage2,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhoneOff,
  IconScreenShare,
  IconScreenShareOff,
  IconUsers,
  IconVideo,
  IconVideoOff,
} from '@tabler/icons-react';
import type { Lesson, LessonSnapshot, LocalTrack } from '@zvonok/client-sdk/lesson.ts';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Confirm } from '../platform/confirm.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tellError } from '../platform/tell.ts';
import { errorWords } from '../platform/words.ts';
import classes from './live-lesson.module.css';

/** What is open beside the stage, if anything. */
export type Panel = 'people' | 'chat' | undefined;

/** The toolbar under the stage: own tracks, hand, panels, and the way out. */
export function LessonControls({
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
