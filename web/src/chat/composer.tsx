import { ActionIcon } from '@mantine/core';
import { IconSend2 } from '@tabler/icons-react';
import { type ConversationView, chatLimits } from '@zvonok/client-sdk';
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './composer.module.css';
import { draftOf, keepDraft } from './drafts.ts';

/** Where Enter is the only comfortable key, it makes a new line and a button sends. */
const touch = () => window.matchMedia('(pointer: coarse)').matches;

/** Taller than this the field scrolls. */
const tallestPx = 168;

export function Composer({ view }: { view: ConversationView }) {
  const { t } = useTranslation();
  const [text, setText] = useState(() => draftOf(view.conversationId));
  const field = useRef<HTMLTextAreaElement>(null);
  const over = text.trim().length - chatLimits.textLength;
  const sendable = text.trim() !== '' && over <= 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, tallestPx)}px`;
  }, [text]);

  useEffect(() => {
    if (!touch()) field.current?.focus({ preventScroll: true });
  }, []);

  function change(value: string) {
    setText(value);
    keepDraft(view.conversationId, value);
    if (value.trim() !== '') view.notifyTyping();
  }

  function send() {
    if (!sendable) return;
    view.send(text.trim());
    setText('');
    keepDraft(view.conversationId, '');
    field.current?.focus();
  }

  function press(event: KeyboardEvent) {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || touch()) return;
    event.preventDefault();
    send();
  }

  return (
    <form
      className={classes.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {over > 0 && (
        <div className={classes.over} role="alert">
          {t('chat.tooLong', { count: over })}
        </div>
      )}
      <div className={classes.row}>
        <textarea
          ref={field}
          className={classes.field}
          rows={1}
          value={text}
          aria-label={t('chat.placeholder')}
          aria-invalid={over > 0}
          placeholder={t('chat.placeholder')}
          enterKeyHint={touch() ? 'enter' : 'send'}
          onChange={(event) => change(event.currentTarget.value)}
          onKeyDown={press}
          data-testid="composer"
        />
        <ActionIcon
          type="submit"
          variant="filled"
          color="board"
          size={44}
          radius="xl"
          disabled={!sendable}
          aria-label={t('chat.send')}
          data-testid="send"
          // Keeps the phone's keyboard open.
          onMouseDown={(event) => event.preventDefault()}
        >
          <IconSend2 size={22} aria-hidden />
        </ActionIcon>
      </div>
    </form>
  );
}
