import { Button, Divider, Stack } from '@mantine/core';
import { IconBuildingBank, IconId } from '@tabler/icons-react';
import { identityStartPath } from '@zvonok/client-sdk';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useIdentityProvider } from '../platform/health.ts';
import classes from './other-ways.module.css';
import { PasskeySignIn } from './passkey-sign-in.tsx';
import { passkeysWork } from './passkeys.ts';

/** The ways in without a code, as far as there are any. */
export function OtherWays() {
  const { t } = useTranslation();
  const provider = useIdentityProvider();
  return (
    <Stack gap="md" mt="md">
      <Divider label={t('signIn.or')} />
      {provider !== undefined && (
        <Button
          component="a"
          href={identityStartPath}
          variant="default"
          size="lg"
          fullWidth
          classNames={{ root: classes.long ?? '', label: classes.longLabel ?? '' }}
          leftSection={<IconBuildingBank size={20} aria-hidden />}
          data-testid="provider-sign-in"
        >
          {t('identity.signIn', { name: provider })}
        </Button>
      )}
      {passkeysWork() && <PasskeySignIn />}
      <Button
        component={Link}
        to="/card"
        variant="default"
        size="lg"
        fullWidth
        leftSection={<IconId size={20} aria-hidden />}
        data-testid="to-card"
      >
        {t('childCard.link')}
      </Button>
    </Stack>
  );
}
