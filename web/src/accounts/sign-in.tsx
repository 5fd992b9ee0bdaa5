import { useTranslation } from 'react-i18next';
import { Navigate } from 'react-router';
import { useSession } from '../platform/client.ts';
import { Door } from './door.tsx';
import { PhoneSignIn } from './phone-sign-in.tsx';

export function SignIn() {
  const { t } = useTranslation();
  const session = useSession();
  if (session.state === 'signedIn') return <Navigate to="/" replace />;
  return (
    <Door title={t('signIn.title')}>
      <PhoneSignIn />
    </Door>
  );
}
