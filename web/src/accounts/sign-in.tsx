import { Anchor, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link, Navigate } from 'react-router';
import { useSession } from '../platform/client.ts';
import { Door } from './door.tsx';
import { OtherWays } from './other-ways.tsx';
import { PhoneSignIn } from './phone-sign-in.tsx';
import { Refused } from './refused.tsx';
import { WhySignedOut } from './strange-sign-in.tsx';

export function SignIn() {
  const { t } = useTranslation();
  const session = useSession();
  if (session.state === 'signedIn') return <Navigate to="/" replace />;
  return (
    <Door
      title={t('signIn.title')}
      below={
        <Text c="dimmed" ta="center">
          {t('signIn.noSchool')}{' '}
          <Anchor component={Link} to="/apply" data-testid="to-apply">
            {t('apply.link')}
          </Anchor>
          {' · '}
          <Anchor component={Link} to="/join" data-testid="to-join">
            {t('join.link')}
          </Anchor>
        </Text>
      }
    >
      <WhySignedOut />
      <Refused />
      <PhoneSignIn otherWays={<OtherWays />} />
    </Door>
  );
}
