import { Button, CopyButton, Group } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Section } from '../platform/page.tsx';
import { tell } from '../platform/tell.ts';
import { errorWords } from '../platform/words.ts';
import classes from './join-requests.module.css';
import { shownJoinCode } from './join-words.ts';

/** The code by which people without a link ask to join: opened, turned and closed here. */
export function JoinCodeSection() {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const [code, setCode] = useState<string | null>();
  const [problem, setProblem] = useState<unknown>();
  const [asking, setAsking] = useState<'rotate' | 'close'>();

  function load() {
    setProblem(undefined);
    client.school.getJoinCode({ as }).then((answer) => setCode(answer.code), setProblem);
  }
  useEffect(load, [as]);

  async function rotate() {
    setCode((await client.school.rotateJoinCode({ as })).code);
  }

  return (
    <Section title={t('joinCode.title')} lead={t(code === null ? 'joinCode.closed' : 'joinCode.lead')}>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
      {code === null && (
        <Button onClick={() => void rotate().catch(setProblem)} data-testid="open-join-code">
          {t('joinCode.open')}
        </Button>
      )}
      {typeof code === 'string' && (
        <Group gap="sm">
          <output className={classes.code} data-testid="join-code">
            {shownJoinCode(code)}
          </output>
          <CopyButton value={`${location.origin}/join#${code}`}>
            {({ copied, copy }) => (
              <Button
                variant="light"
                onClick={copy}
                leftSection={
                  copied ? <IconCheck size={18} aria-hidden /> : <IconCopy size={18} aria-hidden />
                }
              >
                <span aria-live="polite">{copied ? t('common.copied') : t('invites.copyLink')}</span>
              </Button>
            )}
          </CopyButton>
          <Button variant="default" onClick={() => setAsking('rotate')}>
            {t('joinCode.rotate')}
          </Button>
          <Button variant="subtle" color="red" onClick={() => setAsking('close')}>
            {t('joinCode.close')}
          </Button>
        </Group>
      )}
      <Confirm
        opened={asking !== undefined}
        title={t(asking === 'close' ? 'joinCode.closeTitle' : 'joinCode.rotateTitle')}
        confirm={t(asking === 'close' ? 'joinCode.close' : 'joinCode.rotate')}
        danger={asking === 'close'}
        onClose={() => setAsking(undefined)}
        onConfirm={async () => {
          if (asking === 'close') {
            await client.school.closeJoinCode({ as });
            setCode(null);
          } else await rotate();
          tell(t(asking === 'close' ? 'joinCode.closedNow' : 'joinCode.rotated'));
        }}
      >
        {t(asking === 'close' ? 'joinCode.closeText' : 'joinCode.rotateText')}
      </Confirm>
    </Section>
  );
}
