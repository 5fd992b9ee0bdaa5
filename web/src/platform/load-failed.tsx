import { Alert, Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** What could not be read is told with a way to try again. */
export function LoadFailed({ words, onRetry }: { words: string; onRetry: () => void }) {
  const { t } = useTranslation();
  return (
    <Alert color="red" role="alert" my="md">
      {words}
      <Button size="xs" variant="light" color="red" ml="md" onClick={onRetry}>
        {t('common.retry')}
      </Button>
    </Alert>
  );
}
