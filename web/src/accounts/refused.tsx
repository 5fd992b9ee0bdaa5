import { Alert } from '@mantine/core';
import { identityRefusals } from '@zvonok/client-sdk';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { useIdentityProvider } from '../platform/health.ts';

/** Why the identity provider's word let nobody in: the server sends people here with it. */
export function Refused() {
  const { t } = useTranslation();
  const [parameters] = useSearchParams();
  const name = useIdentityProvider();
  const reason = identityRefusals.find((each) => each === parameters.get('refused'));
  if (reason === undefined || name === undefined) return null;
  return (
    <Alert color="red" role="alert" my="md" data-testid="refused">
      {t(`identity.refused.${reason}`, { name })}
    </Alert>
  );
}
