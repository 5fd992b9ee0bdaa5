import { Alert, Button, Loader, Modal, Stack, Text } from '@mantine/core';
import { IconDeviceMobileMessage, IconKey } from '@tabler/icons-react';
import { accountLimits } from '@zvonok/client-sdk';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { errorWords } from '../platform/words.ts';
import { type Challenge, CodeForm, challengeOf } from './code-form.tsx';
import { confirmWithPasskey, passkeysWork } from './passkeys.ts';

/** Above the dialog whose action waits, below what is told briefly. */
const zIndex = 300;

/** By a code to the person's own phone; whoever has a passkey chooses. */
export function ConfirmationDialog({
  phone,
  onAnswer,
}: {
  phone: string;
  onAnswer: (confirmed: boolean) => void;
}) {
  const { t } = useTranslation();
  const [choosing, setChoosing] = useState(false);
  const [challenge, setChallenge] = useState<Challenge>();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const asked = useRef(false);

  const send = useCallback(async () => {
    setChallenge(challengeOf(await client.accounts.requestConfirmation()));
  }, []);

  async function run(work: () => Promise<unknown>) {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    // Each time costs a message to somebody's phone.
    if (asked.current) return;
    asked.current = true;
    (async () => {
      if (passkeysWork()) {
        const { passkeys } = await client.accounts.listPasskeys();
        if (passkeys.length > 0) return setChoosing(true);
      }
      return send();
    })().catch(setProblem);
  }, [send]);

  return (
    <Modal
      opened
      onClose={() => onAnswer(false)}
      title={t('confirmation.title')}
      zIndex={zIndex}
      // The dialog below darkens the page already.
      overlayProps={{ backgroundOpacity: 0.3 }}
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': t('common.close') }}
      data-testid="confirmation"
    >
      <Stack gap="md">
        <Text c="dimmed">{t('confirmation.lead', { count: accountLimits.confirmationMs / 60_000 })}</Text>
        {problem !== undefined && (
          <Alert color="red" role="alert">
            {errorWords(problem, t)}
          </Alert>
        )}
        {challenge === undefined && choosing && (
          <>
            <Button
              size="lg"
              leftSection={<IconKey size={20} aria-hidden />}
              loading={busy}
              onClick={() =>
                void run(async () => {
                  await confirmWithPasskey();
                  onAnswer(true);
                })
              }
              data-autofocus
              data-testid="confirm-by-passkey"
            >
              {t('confirmation.byPasskey')}
            </Button>
            <Button
              size="lg"
              variant="light"
              leftSection={<IconDeviceMobileMessage size={20} aria-hidden />}
              disabled={busy}
              onClick={() => void run(send)}
              data-testid="confirm-by-code"
            >
              {t('confirmation.byCode')}
            </Button>
          </>
        )}
        {challenge === undefined && !choosing && problem === undefined && (
          <div role="status" style={{ display: 'flex', alignItems: 'center', gap: 12 }}>
            <Loader size="sm" />
            {t('confirmation.sending')}
          </div>
        )}
        {challenge === undefined && !choosing && problem !== undefined && (
          <Button variant="light" loading={busy} onClick={() => void run(send)}>
            {t('common.retry')}
          </Button>
        )}
        {challenge !== undefined && (
          <CodeForm
            phone={phone}
            challenge={challenge}
            submit={t('confirmation.confirm')}
            onCode={async (code) => {
              await client.accounts.confirm({ challengeId: challenge.challengeId, code });
              onAnswer(true);
            }}
            onResend={send}
          />
        )}
      </Stack>
    </Modal>
  );
}
