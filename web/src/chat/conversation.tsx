import { ActionIcon, Button, Skeleton, VisuallyHidden } from '@mantine/core';
import { IconArrowLeft, IconLock, IconMessageOff, IconUsers, IconVideo } from '@tabler/icons-react';
import {
  type ConversationId,
  type ConversationItem,
  type MembershipId,
  mayRequest,
} from '@zvonok/client-sdk';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useLiveCalls } from '../calls/live-calls.ts';
import { ConversationAvatar } from '../platform/avatar.tsx';
import { useSource } from '../platform/client.ts';
import { ConnectionBanner } from '../platform/connection-banner.tsx';
import { useMembership, useMessenger } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { VerifiedBadge } from '../platform/verified-badge.tsx';
import { conversationTitle, roleWord } from '../platform/words.ts';
import { Composer } from './composer.tsx';
import classes from './conversation.module.css';
import { MessageList } from './message-list.tsx';
import { type People, peopleOf } from './people.ts';

const AskToPost = lazy(() => import('../school/ask.tsx').then((module) => ({ default: module.AskToPost })));
const Members = lazy(() => import('./members.tsx').then((module) => ({ default: module.Members })));

const idShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function Conversation() {
  const { conversationId = '' } = useParams();
  if (!idShape.test(conversationId)) return <Gone />;
  return <Opened key={conversationId} conversationId={conversationId as ConversationId} />;
}

function Gone() {
  const { t } = useTranslation();
  return (
    <Notice icon={<IconMessageOff size={36} />} title={t('chat.goneTitle')} text={t('chat.goneText')}>
      <Button component={Link} to="/" variant="light">
        {t('common.toChats')}
      </Button>
    </Notice>
  );
}

function Opened({ conversationId }: { conversationId: ConversationId }) {
  const { t } = useTranslation();
  const membership = useMembership();
  const messenger = useMessenger();
  const view = useMemo(() => messenger.openConversation(conversationId), [messenger, conversationId]);
  const snapshot = useSource(view);
  const live = useLiveCalls(membership.id).get(conversationId);
  const [membersShown, setMembersShown] = useState(false);
  const ready = snapshot.status === 'ready';

  // Names of senders come with the members.
  useEffect(() => {
    if (ready) view.loadMembers().catch(() => undefined);
  }, [view, ready]);

  const people = useMemo(() => peopleOf(snapshot.members), [snapshot.members]);

  if (snapshot.status === 'gone') return <Gone />;
  const { conversation } = snapshot;
  return (
    <section
      className={classes.conversation}
      aria-label={
        conversation === undefined
          ? t('kinds.free')
          : conversationTitle(conversation, membership.vocabulary, t)
      }
    >
      {conversation === undefined ? (
        <header className={classes.header} aria-busy>
          <BackButton />
          <Skeleton width={42} height={42} radius={13} />
          <Skeleton width={180} height={16} />
        </header>
      ) : (
        <Header
          conversation={conversation}
          people={people}
          typing={snapshot.typing}
          live={live !== undefined}
          onMembers={() => setMembersShown(true)}
        />
      )}
      <div className={classes.banner}>
        <ConnectionBanner />
      </div>
      {conversation !== undefined && ready ? (
        <MessageList view={view} conversation={conversation} people={people} live={live} />
      ) : (
        <Loading />
      )}
      {conversation !== undefined &&
        (conversation.canPost ? (
          <Composer view={view} />
        ) : (
          <div className={classes.readOnly} role="note" data-testid="read-only">
            <IconLock size={18} aria-hidden />
            {t(conversation.kind === 'channel' ? 'chat.readOnlyChannel' : 'chat.readOnly')}
            {conversation.channel !== null &&
              mayRequest(
                conversation.channel === 'general' ? 'postGeneralChannel' : 'postStaffChannel',
                membership,
              ) && (
                <Suspense>
                  <AskToPost channel={conversation.channel} />
                </Suspense>
              )}
          </div>
        ))}
      {conversation !== undefined && membersShown && (
        <Suspense>
          <Members view={view} conversation={conversation} onClose={() => setMembersShown(false)} />
        </Suspense>
      )}
    </section>
  );
}

function BackButton() {
  const { t } = useTranslation();
  return (
    <ActionIcon component={Link} to="/" className={classes.back ?? ''} aria-label={t('common.toChats')}>
      <IconArrowLeft size={24} aria-hidden />
    </ActionIcon>
  );
}

function Header({
  conversation,
  people,
  typing,
  live,
  onMembers,
}: {
  conversation: ConversationItem;
  people: People;
  typing: readonly MembershipId[];
  live: boolean;
  onMembers: () => void;
}) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const title = conversationTitle(conversation, vocabulary, t);
  const direct = conversation.kind === 'direct';
  const other = conversation.other;
  const online = other !== null && people.get(other.membershipId)?.online === true;

  const typingWords = () => {
    const names = typing.map((id) => people.get(id)?.fullName ?? t('chat.former'));
    const [first, second] = names;
    if (first === undefined) return undefined;
    if (names.length > 2) return t('chat.typingMany');
    return second === undefined
      ? t('chat.typingOne', { name: first })
      : t('chat.typingTwo', { first, second });
  };
  const still = direct
    ? other === null
      ? ''
      : `${roleWord(other.role, vocabulary, t)} · ${t(online ? 'common.online' : 'common.offline')}`
    : t('chat.members', { count: conversation.memberCount });
  const who = typingWords();

  const startWord = direct ? t('chat.startCall') : t(`words.${vocabulary}.startLesson`);
  return (
    <header className={classes.header}>
      <VisuallyHidden component="h1">{title}</VisuallyHidden>
      <BackButton />
      <button
        type="button"
        className={classes.identity}
        onClick={onMembers}
        aria-label={`${title}. ${t('chat.openMembers')}`}
      >
        <ConversationAvatar conversation={conversation} title={title} size={42} online={online} />
        <span className={classes.names}>
          <span className={classes.title} data-testid="conversation-title">
            {title}
            {other?.verified === true && <VerifiedBadge size={16} />}
          </span>
          <span className={classes.subtitle} data-typing={who !== undefined || undefined}>
            {who ?? still}
          </span>
        </span>
      </button>
      <div className={classes.actions} data-live={live || undefined}>
        {live ? (
          <LessonButton to="lesson" word={t('chat.join')} testId="join-lesson" filled />
        ) : (
          conversation.canStartCall && <LessonButton to="lesson" word={startWord} testId="start-lesson" />
        )}
        <ActionIcon
          aria-label={t('chat.openMembers')}
          title={t('chat.openMembers')}
          onClick={onMembers}
          data-testid="open-members"
        >
          <IconUsers size={22} stroke={1.8} aria-hidden />
        </ActionIcon>
      </div>
    </header>
  );
}

function LessonButton({
  to,
  word,
  testId,
  filled,
}: {
  to: string;
  word: string;
  testId: string;
  filled?: boolean;
}) {
  return (
    <Button
      component={Link}
      to={to}
      variant={filled === true ? 'filled' : 'light'}
      leftSection={<IconVideo size={20} aria-hidden />}
      className={classes.lessonButton ?? ''}
      aria-label={word}
      data-testid={testId}
    >
      <span className={classes.lessonWord}>{word}</span>
    </Button>
  );
}

function Loading() {
  const { t } = useTranslation();
  return (
    <div className={classes.loading} role="status" aria-busy aria-label={t('common.loading')}>
      {[46, 62, 34, 54, 40].map((width, index) => (
        <Skeleton key={width} height={44} width={`${width}%`} radius={18} ml={index % 3 === 2 ? 'auto' : 0} />
      ))}
    </div>
  );
}
