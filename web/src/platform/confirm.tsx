import { Alert, Button, Group, Modal, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorWords } from './words.ts';

interface ConfirmProps {
  readonly opened: boolean;
  readonly title: string;
  readonly children: ReactNode;
  readonly confirm: string;
  /** Red for what can't be taken back. */
  readonly danger?: boolean;
  /** Asked first; where it answers false nothing happens: the caller shows what is missing. */
  readonly isReady?: () => boolean;
  /** The dialog stays with the error in words where it rejects. */
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** Asks before something that can't be undone. */
export function Confirm(props: ConfirmProps) {
  const { opened, title, children, confirm, danger, isReady, onConfirm, onClose } = props;
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  async function run() {
    if (isReady?.() === false) return;
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  }

  function close() {
    setError(undefined);
    onClose();
  }

  return (
    <Modal
      opened={opened}
      onClose={close}
      title={title}
      // What is under way is not called back by a key; a code may be asked for over it.
      closeOnEscape={!busy}
      closeOnClickOutside={!busy}
      closeButtonProps={{ 'aria-label': t('common.close'), disabled: busy }}
    >
      <Text component="div" c="dimmed">
        {children}
      </Text>
      {error !== undefined && (
        <Alert color="red" mt="md" role="alert">
          {errorWords(error, t)}
        </Alert>
      )}
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={close} disabled={busy}>
          {t('common.cancel')}
        </Button>
        <Button
          {...(danger === true ? { color: 'red.7' } : {})}
          loading={busy}
          onClick={run}
          data-autofocus
          data-testid="confirm"
        >
          {confirm}
        </Button>
      </Group>
    </Modal>
  );
}
