import { Button, Text } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorWords } from '../platform/words.ts';
import { passkeysWork, signInWithPasskey } from './passkeys.ts';

/** The way in without a code, where the browser knows it. */
export function PasskeySignIn() {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  if (!passkeysWork()) return null;

  async function signIn() {
    setBusy(true);
    setProblem(undefined);
    try {
      await signInWithPasskey();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  }

  return (
    <>
      <Button
        variant="default"
        size="lg"
        fz="md"
        fullWidth
        leftSection={<IconKey size={20} aria-hidden />}
        loading={busy}
        onClick={() => void signIn()}
        data-testid="passkey-sign-in"
      >
        {t('passkeys.signIn')}
      </Button>
      {problem !== undefined && (
        <Text c="red" size="sm" role="alert">
          {errorWords(problem, t)}
        </Text>
      )}
    </>
  );
}
