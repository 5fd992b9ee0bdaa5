import { Button, Paper, Text } from '@mantine/core';
import { waitFor } from '@zvonok/client-sdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMatch } from 'react-router';
import { client, useSource } from './client.ts';
import { useNewVersion } from './service-worker.ts';
import classes from './update-prompt.module.css';

/** How long an update waits for unsent messages; they are stored anyway and go out after the reload. */
const flushMs = 8_000;

/** Offers a new version, and never takes it by itself: not in a lesson, not before the outbox is empty. */
export function UpdatePrompt() {
  const { t } = useTranslation();
  const connection = useSource(client.connection);
  const inLesson = useMatch('/c/:conversationId/lesson') !== null;
  const [later, setLater] = useState(false);
  const [flushing, setFlushing] = useState(false);
  const { ready, activate } = useNewVersion();
  const outdated = connection === 'outdated';
  if (inLesson || (!outdated && (!ready || later))) return null;

  async function update() {
    setFlushing(true);
    await waitFor(client.outbox, (outbox) => outbox.waiting === 0, flushMs).catch(() => undefined);
    if (ready) activate();
    else location.reload();
  }

  return (
    <Paper className={classes.prompt ?? ''} shadow="lg" role="status">
      <Text fw={600}>{t(flushing ? 'update.flushing' : outdated ? 'update.required' : 'update.ready')}</Text>
      <div className={classes.actions}>
        {!outdated && !flushing && (
          <Button size="sm" variant="subtle" onClick={() => setLater(true)}>
            {t('update.later')}
          </Button>
        )}
        <Button size="sm" loading={flushing} onClick={() => void update()}>
          {t('update.now')}
        </Button>
      </div>
    </Paper>
  );
}
