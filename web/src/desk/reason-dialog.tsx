import { Textarea } from '@mantine/core';
import { deskLimits } from '@zvonok/client-sdk';
import { useState } from 'react';
import { Confirm } from '../platform/confirm.tsx';
import { plainParagraph } from './plain-text.ts';

/** Asks before something that needs words of its own. What was typed stays when the dialog is closed or refused. */
export function ReasonDialog({
  opened,
  title,
  lead,
  label,
  missing,
  confirm,
  danger = false,
  onConfirm,
  onClose,
}: {
  opened: boolean;
  title: string;
  lead: string;
  label: string;
  /** What is said where nothing was typed. */
  missing: string;
  confirm: string;
  danger?: boolean;
  onConfirm: (words: string) => Promise<void>;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState('');
  const [short, setShort] = useState(false);
  const words = plainParagraph(typed);
  return (
    <Confirm
      opened={opened}
      title={title}
      confirm={confirm}
      danger={danger}
      isReady={() => {
        // The server wants at least one letter or digit.
        const ready = /[\p{L}\p{N}]/u.test(words);
        setShort(!ready);
        return ready;
      }}
      onConfirm={async () => {
        await onConfirm(words);
        setTyped('');
      }}
      onClose={onClose}
    >
      {lead}
      <Textarea
        mt="md"
        label={label}
        autosize
        minRows={3}
        maxRows={10}
        maxLength={deskLimits.reasonLength}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setShort(false);
        }}
        error={short ? missing : undefined}
        styles={{ label: { color: 'var(--mantine-color-text)' } }}
        data-autofocus
        data-testid="reason"
      />
    </Confirm>
  );
}
