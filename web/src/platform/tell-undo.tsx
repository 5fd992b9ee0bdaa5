import { Button, Group } from '@mantine/core';
import { randomId } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import i18next from 'i18next';
import { tellError } from './tell.ts';
import { errorWords } from './words.ts';

/** Long enough to notice a slip and to reach for the button. */
const regretMs = 10_000;

/** Says that something was done, with a way to take it back for a while. */
export function tellUndo(message: string, undo: () => Promise<unknown>): void {
  const id = randomId();
  const t = i18next.t;
  notifications.show({
    id,
    color: 'board',
    autoClose: regretMs,
    role: 'status',
    message: (
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <span>{message}</span>
        <Button
          size="xs"
          variant="light"
          flex="none"
          data-testid="undo"
          onClick={() => {
            notifications.hide(id);
            undo().catch((error: unknown) => tellError(errorWords(error, t)));
          }}
        >
          {t('common.undo')}
        </Button>
      </Group>
    ),
  });
}
