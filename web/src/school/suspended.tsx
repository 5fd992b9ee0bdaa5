import { Button } from '@mantine/core';
import { IconPlayerPause } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { SignOut } from '../accounts/sign-out.tsx';
import { useAskedAgain } from '../platform/asked-again.ts';
import { client, useSession } from '../platform/client.ts';
import { ConnectionBanner } from '../platform/connection-banner.tsx';
import { useActing, useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { membershipWords } from '../platform/words.ts';
import classes from './suspended.module.css';

/** The session itself learns the answer. */
function askWhoIAm(): void {
  client.accounts.getMe().catch(() => undefined);
}

/** Stands where the chats would be while the operator keeps the school closed; goes by itself when it is opened. */
export function Suspended() {
  const { t } = useTranslation();
  const { all, choose } = useActing();
  const membership = useMembership();
  const session = useSession();
  // The event that the school is open again may be lost.
  useAskedAgain(askWhoIAm);
  const others = all.filter((other) => !other.suspended);
  return (
    <main className={classes.page} data-testid="school-suspended">
      <ConnectionBanner />
      <Notice
        icon={<IconPlayerPause size={36} />}
        title={t('suspended.title', { school: membership.schoolName })}
        text={
          <>
            {t('suspended.text')} {t(membership.role === 'admin' ? 'suspended.adminNext' : 'suspended.next')}
          </>
        }
      >
        {others.map((other) => (
          <Button key={other.id} variant="light" onClick={() => choose(other.id)}>
            {other.schoolName} · {membershipWords(other, t)}
          </Button>
        ))}
        {session.state === 'signedIn' && session.operator && (
          <Button component={Link} to="/operator" variant="light">
            {t('operator.title')}
          </Button>
        )}
        <SignOut />
      </Notice>
    </main>
  );
}
