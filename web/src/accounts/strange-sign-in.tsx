import { Alert } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import type { Session } from '@zvonok/client-sdk';
import { useTranslation } from 'react-i18next';
import { client, useSession } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { momentWithin } from '../platform/words.ts';
import classes from './settings.module.css';

/** Asks before everything is ended because of a device that the person does not know. */
export function ReportStrangeSignIn({
  session,
  onClose,
}: {
  session: Session | undefined;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Confirm
      opened={session !== undefined}
      title={t('strangeSignIn.title')}
      confirm={t('strangeSignIn.confirm')}
      danger
      onClose={onClose}
      onConfirm={async () => {
        if (session !== undefined) await client.accounts.reportStrangeSignIn({ sessionId: session.id });
      }}
    >
      {session !== undefined &&
        t('strangeSignIn.lead', {
          name: session.deviceName,
          when: momentWithin(session.createdAt, t),
        })}
      <ul className={classes.consequences}>
        <li>{t('strangeSignIn.endsAll')}</li>
        <li>{t('strangeSignIn.burns')}</li>
        <li>{t('strangeSignIn.tells')}</li>
      </ul>
      {t('strangeSignIn.after')}
    </Confirm>
  );
}

/** On the sign-in page: why this device is signed out, and what to do next. Nothing where the person did it themselves. */
export function WhySignedOut() {
  const { t } = useTranslation();
  const session = useSession();
  if (session.state !== 'signedOut') return null;
  if (session.reason === 'strangeSignIn') {
    return (
      <Alert
        color="board"
        my="md"
        icon={<IconShieldCheck aria-hidden />}
        title={t('strangeSignIn.doneTitle')}
        data-testid="strange-sign-in-done"
      >
        {t('strangeSignIn.doneText')}
        <p className={classes.next}>{t('strangeSignIn.again')}</p>
      </Alert>
    );
  }
  if (session.reason !== 'byServer') return null;
  return (
    <Alert color="brass" my="md" title={t('strangeSignIn.endedTitle')} data-testid="signed-out-by-server">
      {t('strangeSignIn.endedText')}
    </Alert>
  );
}
