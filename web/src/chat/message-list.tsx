import { ActionIcon, Button, Loader } from '@mantine/core';
import {
  IconAlertCircle,
  IconCheck,
  IconChevronDown,
  IconClock,
  IconMessages,
  IconShieldCheck,
  IconVideo,
} from '@tabler/icons-react';
import type { ConversationItem, ConversationView, ShownMessage } from '@zvonok/client-sdk';
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Virtuoso, type VirtuosoHandle } from 'react-virtuoso';
import type { LiveCall } from '../calls/live-calls.ts';
import { Avatar } from '../platform/avatar.tsx';
import { useSource } from '../platform/client.ts';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { VerifiedBadge } from '../platform/verified-badge.tsx';
import {
  bodyWords,
  callWords,
  codeWords,
  dayNumber,
  dayWords,
  durationWords,
  moment,
  timeOfDay,
} from '../platform/words.ts';
import classes from './message-list.module.css';
import type { People } from './people.ts';

/** Messages of one person closer than this are one group: the name is said once. */
const groupMs = 5 * 60_000;

/** A scroll this soon after a touch, a key or the wheel is the person's own. */
const handMs = 1_000;
/** So many unread ones fit under the divider on any screen: the chat opens at its end. */
const fewUnread = 5;

interface MessageListProps {
  readonly view: ConversationView;
  readonly conversation: ConversationItem;
  readonly people: People;
  readonly live: LiveCall | undefined;
  /** Shown beside the lesson: its card needs no way in. */
  readonly inLesson?: boolean;
}

interface ListContext {
  readonly loadingOlder: boolean;
}

function Top({ context }: { context?: ListContext }) {
  const { t } = useTranslation();
  if (context === undefined) return null;
  return (
    <div className={classes.top}>
      {context.loadingOlder && <Loader size="sm" aria-label={t('chat.showEarlier')} />}
    </div>
  );
}

const components = { Header: Top };

export function MessageList({ view, conversation, people, live, inLesson = false }: MessageListProps) {
  const { t } = useTranslation();
  const snapshot = useSource(view);
  const { messages, hasOlder, loadingOlder, generation } = snapshot;
  const list = useRef<VirtuosoHandle>(null);
  const [atBottom, setAtBottom] = useState(true);

  // Where the divider stands is decided when the chat is opened: it must not run away while one reads.
  const [divider] = useState(() => {
    const read = Math.max(conversation.readSeq, conversation.joinedSeq);
    return conversation.unread > 0 ? read : undefined;
  });
  const dividerKey = useMemo(
    () =>
      divider === undefined
        ? undefined
        : messages.find((message) => message.seq !== null && message.seq > divider && !message.mine)?.key,
    [messages, divider],
  );

  // seq has no gaps, so it is the index of a message whatever was loaded before it.
  const firstIndex = messages[0]?.seq ?? conversation.lastSeq + 1;
  const [start] = useState(() => {
    const index = messages.findIndex((message) => message.key === dividerKey);
    const whole = index > 0 || (index === 0 && !hasOlder);
    return whole && messages.length - index > fewUnread
      ? ({ index, align: 'start', offset: -96 } as const)
      : ({ index: 'LAST', align: 'end' } as const);
  });

  const markRead = useCallback(
    (seq?: number) => {
      if (document.visibilityState === 'visible') view.markRead(seq);
    },
    [view],
  );

  const newest = messages.at(-1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message at the bottom is read
  useEffect(() => {
    if (!atBottom) return undefined;
    const mark = () => markRead();
    mark();
    document.addEventListener('visibilitychange', mark);
    window.addEventListener('focus', mark);
    return () => {
      document.removeEventListener('visibilitychange', mark);
      window.removeEventListener('focus', mark);
    };
  }, [atBottom, markRead, newest?.key, newest?.seq]);

  // One's own message is always followed, wherever one was reading.
  useEffect(() => {
    if (newest?.state === 'sending') list.current?.scrollToIndex({ index: 'LAST', align: 'end' });
  }, [newest?.state]);

  // At the end one stays at the end, whatever grows: names that load, a card that changes, the phone's keyboard.
  const sticking = useRef(start.index === 'LAST');
  const touchedAt = useRef(0);
  const stick = useCallback(() => {
    // After the layout that the growth leads to.
    requestAnimationFrame(() => {
      if (sticking.current) list.current?.scrollTo({ top: Number.MAX_SAFE_INTEGER });
    });
  }, []);
  const follow = useCallback((bottom: boolean) => {
    setAtBottom(bottom);
    if (bottom) sticking.current = true;
    else if (Date.now() - touchedAt.current < handMs) sticking.current = false;
  }, []);
  const touched = () => {
    touchedAt.current = Date.now();
  };
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (frame.current === null) return undefined;
    const observer = new ResizeObserver(stick);
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, [stick]);

  const announcement = useAnnouncement(snapshot.messages, people, conversation);
  const context = useMemo(() => ({ loadingOlder }), [loadingOlder]);
  const reduced = window.matchMedia('(prefers-reduced-motion: reduce)').matches;

  return (
    <div ref={frame} className={classes.frame}>
      <div role="log" aria-live="polite" className={classes.hidden} data-testid="announcement">
        {announcement}
      </div>
      {messages.length === 0 ? (
        <Notice
          icon={<IconMessages size={36} />}
          title={t('chat.emptyTitle')}
          text={t(conversation.canPost ? 'chat.emptyText' : 'chat.emptyReadOnly')}
        />
      ) : (
        <Virtuoso<ShownMessage, ListContext>
          key={generation}
          ref={list}
          className={classes.scroller ?? ''}
          role="region"
          aria-label={t('chat.messages')}
          tabIndex={0}
          data={messages as ShownMessage[]}
          context={context}
          components={components}
          firstItemIndex={firstIndex}
          initialTopMostItemIndex={start}
          alignToBottom
          atBottomThreshold={80}
          atBottomStateChange={follow}
          totalListHeightChanged={stick}
          onWheel={touched}
          onTouchMove={touched}
          onPointerDown={touched}
          onKeyDown={touched}
          followOutput={(isAtBottom) => (isAtBottom ? 'auto' : false)}
          increaseViewportBy={{ top: 600, bottom: 200 }}
          computeItemKey={(_, message) => message.key}
          startReached={() => {
            if (hasOlder) void view.loadOlder().catch(() => undefined);
          }}
          itemContent={(index, message) => (
            <Item
              message={message}
              previous={messages[index - firstIndex - 1]}
              next={messages[index - firstIndex + 1]}
              divided={message.key === dividerKey}
              people={people}
              conversation={conversation}
              live={live}
              view={view}
              inLesson={inLesson}
            />
          )}
        />
      )}
      {!atBottom && (
        <div className={classes.jump}>
          <ActionIcon
            variant="default"
            size={48}
            radius="xl"
            aria-label={
              conversation.unread > 0 ? t('chat.jumpNew', { count: conversation.unread }) : t('chat.jump')
            }
            onClick={() =>
              list.current?.scrollToIndex({
                index: 'LAST',
                align: 'end',
                behavior: reduced ? 'auto' : 'smooth',
              })
            }
            data-testid="jump"
          >
            <IconChevronDown size={24} aria-hidden />
          </ActionIcon>
          {conversation.unread > 0 && (
            <span className={classes.jumpCount} aria-hidden>
              {conversation.unread > 99 ? '99+' : conversation.unread}
            </span>
          )}
        </div>
      )}
    </div>
  );
}

/** The newest message of somebody else, for a screen reader; only what came while the chat is open. */
function useAnnouncement(
  messages: readonly ShownMessage[],
  people: People,
  conversation: ConversationItem,
): string {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const lastConfirmed = messages.findLast((message) => message.seq !== null);
  const [opened] = useState(() => lastConfirmed?.seq ?? 0);
  if (lastConfirmed === undefined || lastConfirmed.mine || (lastConfirmed.seq ?? 0) <= opened) return '';
  const name = people.get(lastConfirmed.senderId)?.fullName ?? t('chat.former');
  return t('chat.announce', {
    name,
    text: bodyWords(lastConfirmed.body, conversation.kind === 'direct', vocabulary, t),
  });
}

interface ItemProps {
  readonly message: ShownMessage;
  readonly previous: ShownMessage | undefined;
  readonly next: ShownMessage | undefined;
  readonly divided: boolean;
  readonly people: People;
  readonly conversation: ConversationItem;
  readonly live: LiveCall | undefined;
  readonly view: ConversationView;
  readonly inLesson: boolean;
}

function sameGroup(a: ShownMessage | undefined, b: ShownMessage | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.body.kind === 'text' &&
    b.body.kind === 'text' &&
    a.senderId === b.senderId &&
    dayNumber(a.sentAt) === dayNumber(b.sentAt) &&
    Math.abs(Date.parse(b.sentAt) - Date.parse(a.sentAt)) < groupMs
  );
}

const Item = memo(function Item(props: ItemProps) {
  const { t } = useTranslation();
  const { message, previous, next, divided } = props;
  const newDay = previous === undefined || dayNumber(previous.sentAt) !== dayNumber(message.sentAt);
  return (
    <div className={classes.item} data-newest={next === undefined || undefined}>
      {newDay && (
        <div className={classes.day}>
          <span>{dayWords(message.sentAt, t)}</span>
        </div>
      )}
      {divided && (
        <div className={classes.newLine}>
          <span>{t('chat.newMessages')}</span>
        </div>
      )}
      {message.body.kind === 'call' ? (
        <CallCard {...props} />
      ) : message.body.kind === 'notice' ? (
        <NoticeCard {...props} />
      ) : (
        <Bubble {...props} first={!sameGroup(previous, message) || divided} />
      )}
    </div>
  );
});

function Bubble({ message, next, people, conversation, view, first }: ItemProps & { first: boolean }) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const direct = conversation.kind === 'direct';
  const sender = people.get(message.senderId);
  const name = sender?.fullName ?? (people.size === 0 ? '…' : t('chat.former'));
  const last = !sameGroup(message, next);
  return (
    <article
      className={classes.line}
      data-mine={message.mine || undefined}
      data-first={first || undefined}
      data-last={last || undefined}
      data-testid="message"
      data-state={message.state}
      aria-label={`${message.mine ? t('common.you') : name}, ${timeOfDay(message.sentAt)}`}
    >
      {!message.mine && !direct && (
        <span className={classes.face}>{first && <Avatar name={name} size={36} />}</span>
      )}
      <div className={classes.stack}>
        <div className={classes.bubble}>
          {!message.mine && !direct && first && (
            <div className={classes.sender}>
              <span>{name}</span>
              {sender?.verified === true && <VerifiedBadge size={15} />}
            </div>
          )}
          <p className={classes.text}>{bodyWords(message.body, direct, vocabulary, t)}</p>
          <span className={classes.meta}>
            <time dateTime={message.sentAt} title={moment(message.sentAt, t)}>
              {timeOfDay(message.sentAt)}
            </time>
            {message.mine && <State message={message} />}
          </span>
        </div>
        {message.state === 'failed' && message.clientMessageId !== null && (
          <div className={classes.failed} role="alert">
            <span>{message.failure === null ? t('chat.failed') : codeWords(message.failure, t)}</span>
            <span className={classes.failedActions}>
              <button
                type="button"
                onClick={() => message.clientMessageId !== null && view.retry(message.clientMessageId)}
                data-testid="retry"
              >
                {t('common.retry')}
              </button>
              <button
                type="button"
                onClick={() => message.clientMessageId !== null && view.discard(message.clientMessageId)}
                data-testid="discard"
              >
                {t('chat.discard')}
              </button>
            </span>
          </div>
        )}
      </div>
    </article>
  );
}

function State({ message }: { message: ShownMessage }) {
  const { t } = useTranslation();
  const icon =
    message.state === 'sending' ? (
      <IconClock size={14} aria-hidden />
    ) : message.state === 'failed' ? (
      <IconAlertCircle size={15} aria-hidden />
    ) : (
      <IconCheck size={15} stroke={2.4} aria-hidden />
    );
  return (
    <span className={classes.state} role="img" aria-label={t(`chat.${message.state}`)}>
      {icon}
    </span>
  );
}

/** What the whole staff must know: not said by anybody, but by the server. */
function NoticeCard({ message, people }: ItemProps) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const about = people.get(message.senderId);
  return (
    <article className={classes.call} data-testid="notice-card">
      <span className={classes.callIcon} aria-hidden>
        <IconShieldCheck size={22} stroke={1.8} />
      </span>
      <span className={classes.callText}>
        <strong>{about?.fullName ?? t('chat.notice')}</strong>
        <span>{bodyWords(message.body, false, vocabulary, t)}</span>
      </span>
    </article>
  );
}

function CallCard({ message, conversation, people, live, inLesson }: ItemProps) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const { body } = message;
  if (body.kind !== 'call') return null;
  const on = body.state === 'live';
  const direct = conversation.kind === 'direct';
  const count = live?.id === body.callId ? live.participantCount : 0;
  const by = people.get(message.senderId);
  const detail = () => {
    if (!on && body.endedAt !== null) {
      return t('chat.lessonLasted', {
        duration: durationWords(Date.parse(body.endedAt) - Date.parse(message.sentAt)),
      });
    }
    return count > 0 && !direct ? t('chat.inLesson', { count }) : timeOfDay(message.sentAt);
  };
  return (
    <article
      className={classes.call}
      data-live={on || undefined}
      data-testid="call-card"
      data-state={body.state}
    >
      <span className={classes.callIcon} aria-hidden>
        <IconVideo size={22} stroke={1.8} />
      </span>
      <span className={classes.callText}>
        <strong>{callWords(body.state, direct, vocabulary, t)}</strong>
        <span>
          {by === undefined ? '' : `${by.fullName} · `}
          <span className={classes.nowrap}>{detail()}</span>
        </span>
      </span>
      {on && !inLesson && (
        <Button component={Link} to="lesson" size="sm" data-testid="join-from-card">
          {t('chat.join')}
        </Button>
      )}
    </article>
  );
}
