import { Button } from '@mantine/core';
import { IconLogout } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, useSource } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';

/** Signs out of this device, after asking where something unsent would be lost. */
export function SignOut() {
  const { t } = useTranslation();
  const { waiting, failed } = useSource(client.outbox);
  const [asking, setAsking] = useState(false);
  const unsent = waiting + failed;
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconLogout size={20} aria-hidden />}
        onClick={() => setAsking(true)}
        data-testid="sign-out"
      >
        {t('settings.signOut')}
      </Button>
      <Confirm
        opened={asking}
        title={t('settings.signOutTitle')}
        confirm={t(unsent > 0 ? 'settings.signOutAnyway' : 'settings.signOut')}
        danger={unsent > 0}
        onClose={() => setAsking(false)}
        onConfirm={() => client.accounts.signOut()}
      >
        {unsent > 0 ? t('settings.unsent', { count: unsent }) : t('settings.signOutText')}
      </Confirm>
    </>
  );
}
