import { Alert, Button, Loader } from '@mantine/core';
import {
  IconBellRinging,
  IconDeviceMobileOff,
  IconDoorExit,
  IconHourglass,
  IconMessageOff,
  IconPlugConnectedX,
  IconUserOff,
  IconUsersGroup,
  IconVideoOff,
} from '@tabler/icons-react';
import type { CallId, ConversationId, ConversationItem, LessonEndReason } from '@zvonok/client-sdk';
import { joinLesson, type Lesson } from '@zvonok/client-sdk/lesson.ts';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { client, useSource } from '../platform/client.ts';
import { useMembership, useMessenger } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { Waiting } from '../platform/waiting.tsx';
import { conversationTitle, errorWords, hasCode, inWords } from '../platform/words.ts';
import { liveCalls, useLiveCalls } from './live-calls.ts';
import { LiveLesson } from './live-lesson.tsx';
import { PreJoin } from './pre-join.tsx';
import type { DeviceChoice } from './preview.ts';

/** The lesson of a conversation: the way in, the lesson itself, and what is said after it. */
export function LessonPage() {
  const { t } = useTranslation();
  const { conversationId = '' } = useParams();
  const messenger = useMessenger();
  const view = useMemo(
    () => messenger.openConversation(conversationId as ConversationId),
    [messenger, conversationId],
  );
  const { status, conversation } = useSource(view);
  if (status === 'gone') {
    return (
      <Closed icon={<IconMessageOff size={36} />} title={t('chat.goneTitle')} text={t('chat.goneText')}>
        <Button component={Link} to="/" variant="light">
          {t('common.toChats')}
        </Button>
      </Closed>
    );
  }
  if (conversation === undefined) return <Waiting />;
  return <Lobby key={conversationId} conversation={conversation} />;
}

/** A preparing server that does not say for how long is asked again after this. */
const usualRetryMs = 15_000;

function Lobby({ conversation }: { conversation: ConversationItem }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const membership = useMembership();
  const as = membership.id;
  const live = useLiveCalls(as).get(conversation.id);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [lesson, setLesson] = useState<Lesson>();
  /** What was chosen before the server turned out to be still preparing. */
  const [waiting, setWaiting] = useState<{ readonly choice: DeviceChoice; readonly retryAt: number }>();

  const title = conversationTitle(conversation, membership.vocabulary, t);
  const chat = `/c/${conversation.id}`;

  useEffect(() => {
    let here = true;
    liveCalls(as)
      .ask(conversation.id)
      .catch((error: unknown) => here && setProblem(error))
      .finally(() => here && setAsked(true));
    return () => {
      here = false;
    };
  }, [as, conversation.id]);

  const enter = useCallback(
    (callId: CallId, choice: DeviceChoice) => {
      setWaiting(undefined);
      setLesson(
        joinLesson(
          client,
          { as, callId },
          {
            microphone: choice.microphone,
            camera: choice.camera,
            devices: {
              ...(choice.microphoneId === undefined ? {} : { microphone: choice.microphoneId }),
              ...(choice.cameraId === undefined ? {} : { camera: choice.cameraId }),
              ...(choice.speakerId === undefined ? {} : { speaker: choice.speakerId }),
            },
          },
        ),
      );
    },
    [as],
  );

  const start = useCallback(
    async (choice: DeviceChoice) => {
      setBusy(true);
      setProblem(undefined);
      try {
        const known = await liveCalls(as).ask(conversation.id);
        const call = known ?? (await client.calls.startCall({ as, conversationId: conversation.id })).call;
        enter(call.id, choice);
      } catch (error) {
        if (hasCode(error, 'CALL_IN_PROGRESS') && typeof error.data?.callId === 'string') {
          enter(error.data.callId as CallId, choice);
        } else if (hasCode(error, 'CALLS_PREPARING')) {
          setWaiting({ choice, retryAt: Date.now() + (error.retryAfterMs ?? usualRetryMs) });
        } else {
          setWaiting(undefined);
          setProblem(error);
        }
      } finally {
        setBusy(false);
      }
    },
    [as, conversation.id, enter],
  );

  // The device is let go when the page is left, not when React looks twice.
  const shown = useRef(false);
  useEffect(() => {
    shown.current = true;
    return () => {
      shown.current = false;
      setTimeout(() => {
        if (!shown.current) lesson?.leave();
      });
    };
  }, [lesson]);

  if (lesson !== undefined) {
    return (
      <InLesson
        lesson={lesson}
        title={title}
        conversation={conversation}
        onAgain={() => {
          setAsked(true);
          setLesson(undefined);
        }}
      />
    );
  }
  if (waiting !== undefined) {
    return (
      <Preparing
        retryAt={waiting.retryAt}
        busy={busy}
        onRetry={() => void start(waiting.choice)}
        back={chat}
      />
    );
  }
  if (hasCode(problem, 'CALLS_UNAVAILABLE')) {
    return (
      <Closed
        icon={<IconVideoOff size={36} />}
        title={t('lesson.unavailableTitle')}
        text={t('lesson.unavailableText')}
      >
        <ToChat to={chat} />
      </Closed>
    );
  }
  if (!asked) return <Waiting />;
  if (live === undefined && !conversation.canStartCall) {
    return (
      <Closed
        icon={<IconBellRinging size={36} />}
        title={t('lesson.endedTitle')}
        text={t('lesson.endedText')}
      >
        <ToChat to={chat} />
      </Closed>
    );
  }
  const direct = conversation.kind === 'direct';
  return (
    <PreJoin
      title={title}
      action={
        live !== undefined
          ? t('lesson.join')
          : direct
            ? t('chat.startCall')
            : t(`words.${membership.vocabulary}.startLesson`)
      }
      busy={busy}
      speaks={direct || conversation.canStartCall}
      problem={
        problem === undefined ? undefined : (
          <Alert color="red" role="alert">
            {errorWords(problem, t)}
          </Alert>
        )
      }
      onJoin={(choice) => void start(choice)}
      onBack={() => navigate(chat)}
    />
  );
}

function InLesson({
  lesson,
  title,
  conversation,
  onAgain,
}: {
  lesson: Lesson;
  title: string;
  conversation: ConversationItem;
  onAgain: () => void;
}) {
  const { status, endReason } = useSource(lesson);
  if (status === 'ended') {
    return <Ended reason={endReason ?? 'failed'} chat={`/c/${conversation.id}`} onAgain={onAgain} />;
  }
  return <LiveLesson lesson={lesson} title={title} conversation={conversation} />;
}

function Ended({ reason, chat, onAgain }: { reason: LessonEndReason; chat: string; onAgain: () => void }) {
  const { t } = useTranslation();
  const icon = { size: 36 };
  switch (reason) {
    case 'left':
      return (
        <Closed icon={<IconDoorExit {...icon} />} title={t('lesson.leftTitle')} text={t('lesson.leftText')}>
          <ToChat to={chat} />
          <Button variant="light" onClick={onAgain} data-testid="rejoin">
            {t('lesson.rejoin')}
          </Button>
        </Closed>
      );
    case 'callEnded':
    case 'notFound':
    case 'signedOut':
      return (
        <Closed
          icon={<IconBellRinging {...icon} />}
          title={t('lesson.endedTitle')}
          text={t('lesson.endedText')}
        >
          <ToChat to={chat} />
        </Closed>
      );
    case 'removed':
      return (
        <Closed
          icon={<IconUserOff {...icon} />}
          title={t('lesson.removedTitle')}
          text={t('lesson.removedText')}
        >
          <ToChat to={chat} />
        </Closed>
      );
    case 'replaced':
      return (
        <Closed
          icon={<IconDeviceMobileOff {...icon} />}
          title={t('lesson.replacedTitle')}
          text={t('lesson.replacedText')}
        >
          <ToChat to={chat} />
          <Button variant="light" onClick={onAgain}>
            {t('lesson.replacedBack')}
          </Button>
        </Closed>
      );
    case 'full':
      return (
        <Closed icon={<IconUsersGroup {...icon} />} title={t('lesson.fullTitle')} text={t('lesson.fullText')}>
          <ToChat to={chat} />
          <Button variant="light" onClick={onAgain}>
            {t('common.retry')}
          </Button>
        </Closed>
      );
    case 'callsUnavailable':
      return (
        <Closed
          icon={<IconVideoOff {...icon} />}
          title={t('lesson.unavailableTitle')}
          text={t('lesson.unavailableText')}
        >
          <ToChat to={chat} />
        </Closed>
      );
    case 'outdated':
      return (
        <Closed icon={<IconHourglass {...icon} />} title={t('update.ready')} text={t('update.required')}>
          <Button onClick={() => location.reload()}>{t('update.now')}</Button>
        </Closed>
      );
    case 'failed':
      return (
        <Closed
          icon={<IconPlugConnectedX {...icon} />}
          title={t('lesson.failedTitle')}
          text={t('lesson.failedText')}
        >
          <ToChat to={chat} />
          <Button variant="light" onClick={onAgain}>
            {t('common.retry')}
          </Button>
        </Closed>
      );
  }
}

function Preparing({
  retryAt,
  busy,
  onRetry,
  back,
}: {
  retryAt: number;
  busy: boolean;
  onRetry: () => void;
  back: string;
}) {
  const { t } = useTranslation();
  const [now, setNow] = useState(Date.now);
  const due = now >= retryAt;
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each deadline
  useEffect(() => {
    if (due && !busy) onRetry();
  }, [due, retryAt]);
  return (
    <Closed
      icon={<Loader color="brass.6" />}
      title={t('lesson.preparingTitle')}
      text={
        <>
          {t('lesson.preparingText')}{' '}
          {busy || due
            ? t('lesson.connecting')
            : t('lesson.preparingWhen', { when: inWords(retryAt - now, t) })}
        </>
      }
    >
      <Button loading={busy} onClick={onRetry} data-testid="calls-preparing">
        {t('common.retry')}
      </Button>
      <ToChat to={back} quiet />
    </Closed>
  );
}

function ToChat({ to, quiet }: { to: string; quiet?: boolean }) {
  const { t } = useTranslation();
  return (
    <Button component={Link} to={to} variant={quiet === true ? 'default' : 'filled'} data-testid="to-chat">
      {t('lesson.openChat')}
    </Button>
  );
}

function Closed({
  icon,
  title,
  text,
  children,
}: {
  icon: ReactNode;
  title: string;
  text: ReactNode;
  children: ReactNode;
}) {
  return (
    <main style={{ height: '100%' }} data-testid="lesson-closed">
      <Notice icon={icon} title={title} text={text}>
        {children}
      </Notice>
    </main>
  );
}
