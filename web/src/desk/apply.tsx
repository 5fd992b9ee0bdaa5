import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useNavigate } from 'react-router';
import { Door } from '../accounts/door.tsx';
import { ApplicationForm } from './application-form.tsx';
import { ApplicationStatus } from './application-status.tsx';

/** The form by which a school applies; behind `#` and the application's token, how it stands. */
export function Apply() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { hash } = useLocation();
  const [sent, setSent] = useState<{ readonly token: string; readonly order: File }>();
  // Behind `#` the token reaches no server log and no link preview.
  const token = hash.slice(1);
  if (token !== '') {
    return (
      <ApplicationStatus key={token} token={token} order={sent?.token === token ? sent.order : undefined} />
    );
  }
  return (
    <Door title={t('apply.title')} wide>
      <ApplicationForm
        onSubmitted={(made, order) => {
          setSent({ token: made, order });
          navigate(`/apply#${made}`, { replace: true });
          window.scrollTo(0, 0);
        }}
      />
    </Door>
  );
}
