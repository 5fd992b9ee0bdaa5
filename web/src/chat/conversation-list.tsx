import { CloseButton, Skeleton, TextInput } from '@mantine/core';
import { IconMessages, IconSearch, IconUserCheck, IconVideo } from '@tabler/icons-react';
import type { ConversationItem, MyMembership } from '@zvonok/client-sdk';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink } from 'react-router';
import { useLiveCalls } from '../calls/live-calls.ts';
import { ConversationAvatar } from '../platform/avatar.tsx';
import { useSource } from '../platform/client.ts';
import { useMembership, useMessenger } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { VerifiedBadge } from '../platform/verified-badge.tsx';
import { formsOf } from '../platform/vocabulary.ts';
import { bodyWords, conversationTitle, matches, shortTime } from '../platform/words.ts';
import classes from './conversation-list.module.css';
import { useDraft } from './drafts.ts';

const AskVerification = lazy(() =>
  import('../school/ask.tsx').then((module) => ({ default: module.AskVerification })),
);
const AskForChild = lazy(() =>
  import('../school/ask.tsx').then((module) => ({ default: module.AskForChild })),
);

export function ConversationList() {
  const { t } = useTranslation();
  const membership = useMembership();
  const messenger = useMessenger();
  const { status, conversations } = useSource(messenger);
  const live = useLiveCalls(membership.id);
  const [typed, setTyped] = useState('');

  const shown =
    typed.trim() === ''
      ? conversations
      : conversations.filter((conversation) =>
          matches(conversationTitle(conversation, membership.vocabulary, t), typed),
        );

  return (
    <nav className={classes.list} aria-label={t('chats.list')}>
      <h2 className={classes.hidden}>{t('chats.title')}</h2>
      <div className={classes.search}>
        <TextInput
          size="md"
          radius="xl"
          variant="filled"
          aria-label={t('chats.search')}
          placeholder={t('chats.search')}
          leftSection={<IconSearch size={18} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setTyped('');
          }}
          rightSection={
            typed === '' ? undefined : (
              <CloseButton aria-label={t('chats.clearSearch')} onClick={() => setTyped('')} />
            )
          }
        />
      </div>
      {status === 'loading' && conversations.length === 0 ? (
        <Loading />
      ) : conversations.length === 0 ? (
        <Waiting membership={membership} />
      ) : shown.length === 0 ? (
        <p className={classes.nothing}>{t('chats.nothingFound')}</p>
      ) : (
        <>
          {(membership.standings.includes('TU') || membership.standings.includes('PU')) && (
            <div className={classes.ask}>
              <Suspense>
                {membership.standings.includes('TU') ? <AskVerification /> : <AskForChild />}
              </Suspense>
            </div>
          )}
          <ul className={classes.rows} data-testid="conversations">
            {shown.map((conversation) => (
              <li key={conversation.id}>
                <Row conversation={conversation} membership={membership} live={live.has(conversation.id)} />
              </li>
            ))}
          </ul>
        </>
      )}
    </nav>
  );
}

function Waiting({ membership }: { membership: MyMembership }) {
  const { t } = useTranslation();
  const forms = formsOf(membership.vocabulary, t);
  if (membership.standings.includes('PU')) {
    return (
      <Notice
        icon={<IconUserCheck size={36} />}
        title={t('chats.unlinkedTitle')}
        text={t('chats.unlinkedText', { ...forms })}
      >
        <Suspense>
          <AskForChild />
        </Suspense>
      </Notice>
    );
  }
  if (membership.standings.includes('TU')) {
    return (
      <Notice
        icon={<IconUserCheck size={36} />}
        title={t('chats.waitingTitle')}
        text={t('chats.waitingText')}
      >
        <Suspense>
          <AskVerification />
        </Suspense>
      </Notice>
    );
  }
  return (
    <Notice
      icon={<IconMessages size={36} />}
      title={t('chats.emptyTitle')}
      text={t('chats.emptyText', { ...forms })}
    />
  );
}

function Loading() {
  const { t } = useTranslation();
  return (
    <div aria-busy role="status" aria-label={t('common.loading')}>
      {[64, 40, 72, 52, 60, 44].map((width) => (
        <div key={width} className={classes.row}>
          <Skeleton width={48} height={48} radius={14} />
          <div className={classes.text}>
            <Skeleton height={14} width={`${width}%`} mb={10} mt={4} />
            <Skeleton height={11} width={`${width + 20}%`} />
          </div>
        </div>
      ))}
    </div>
  );
}

function Row({
  conversation,
  membership,
  live,
}: {
  conversation: ConversationItem;
  membership: MyMembership;
  live: boolean;
}) {
  const { t } = useTranslation();
  const draft = useDraft(conversation.id);
  const title = conversationTitle(conversation, membership.vocabulary, t);
  const last = conversation.lastMessage;
  const preview = () => {
    if (draft.trim() !== '') return t('chats.draft', { text: draft.trim() });
    if (last === null) return t('chats.noMessages');
    const words = bodyWords(last.body, conversation.kind === 'direct', membership.vocabulary, t);
    return last.senderId === membership.id && last.body.kind === 'text'
      ? t('chats.youPrefix', { text: words })
      : words;
  };
  return (
    <NavLink
      to={`/c/${conversation.id}`}
      className={({ isActive }) => `${classes.row} ${isActive ? classes.active : ''}`}
      data-testid="conversation"
      data-kind={conversation.kind}
      data-title={title}
    >
      <ConversationAvatar conversation={conversation} title={title} />
      <span className={classes.text}>
        <span className={classes.top}>
          <span className={classes.title}>{title}</span>
          {conversation.other?.verified === true && <VerifiedBadge size={15} />}
          {last !== null && (
            <time className={classes.time} dateTime={last.sentAt}>
              {shortTime(last.sentAt)}
            </time>
          )}
        </span>
        <span className={classes.bottom}>
          {live ? (
            <span className={classes.live}>
              <IconVideo size={15} stroke={2} aria-hidden />
              {conversation.kind === 'direct'
                ? t('chat.callLive')
                : t(`words.${membership.vocabulary}.lessonLive`)}
            </span>
          ) : (
            <span className={classes.preview} data-draft={draft.trim() !== '' || undefined}>
              {preview()}
            </span>
          )}
          {conversation.unread > 0 && (
            <span className={classes.unread} data-testid="unread">
              <span aria-hidden>{conversation.unread > 999 ? '999+' : conversation.unread}</span>
              <span className={classes.hidden}>{t('chats.unread', { count: conversation.unread })}</span>
            </span>
          )}
        </span>
      </span>
    </NavLink>
  );
}
