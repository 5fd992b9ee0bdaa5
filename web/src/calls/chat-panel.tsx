import type { ConversationItem } from '@zvonok/client-sdk';
import { useEffect, useMemo } from 'react';
import { Composer } from '../chat/composer.tsx';
import { MessageList } from '../chat/message-list.tsx';
import { peopleOf } from '../chat/people.ts';
import { useSource } from '../platform/client.ts';
import { useMembership, useMessenger } from '../platform/membership.tsx';
import { Waiting } from '../platform/waiting.tsx';
import classes from './chat-panel.module.css';
import { useLiveCalls } from './live-calls.ts';

/** The chat of the lesson's conversation, beside the lesson. */
export function ChatPanel({ conversation }: { conversation: ConversationItem }) {
  const messenger = useMessenger();
  const membership = useMembership();
  const view = useMemo(() => messenger.openConversation(conversation.id), [messenger, conversation.id]);
  const { status, members } = useSource(view);
  const live = useLiveCalls(membership.id).get(conversation.id);
  const ready = status === 'ready';
  useEffect(() => {
    if (ready) view.loadMembers().catch(() => undefined);
  }, [view, ready]);
  const people = useMemo(() => peopleOf(members), [members]);
  return (
    <div className={classes.chat}>
      {ready ? (
        <MessageList view={view} conversation={conversation} people={people} live={live} inLesson />
      ) : (
        <Waiting />
      )}
      {conversation.canPost && <Composer view={view} />}
    </div>
  );
}
