import { Alert, Button, Text } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type PasskeyStanding, usePasskeys } from '../accounts/passkey-list.tsx';
import { addPasskey, confirmWithPasskey, passkeysWork } from '../accounts/passkeys.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { Notice } from '../platform/notice.tsx';
import { tell } from '../platform/tell.ts';
import { Waiting } from '../platform/waiting.tsx';
import { errorWords } from '../platform/words.ts';
import classes from './operator.module.css';

const resetCommand = 'npm run operator -- reset-passkeys +7…';

/** Opens the console to a session that has seen the operator's passkey, and leads there who has none yet. */
export function PasskeyGate({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const { standing, problem, load } = usePasskeys();
  if (standing === undefined) {
    return problem === undefined ? <Waiting /> : <LoadFailed words={errorWords(problem, t)} onRetry={load} />;
  }
  if (standing.required && !standing.confirmed) return <Closed standing={standing} onOpened={load} />;
  return (
    <>
      {!standing.required && (
        <Alert color="brass" mb="lg" data-testid="passkey-waived">
          {t('passkeys.gate.demo')}
        </Alert>
      )}
      {children}
    </>
  );
}

function Closed({ standing, onOpened }: { standing: PasskeyStanding; onOpened: () => void }) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const first = standing.passkeys.length === 0;

  async function open() {
    setBusy(true);
    setProblem(undefined);
    try {
      if (first) {
        await addPasskey();
        tell(t('passkeys.gate.done'));
      } else await confirmWithPasskey();
      onOpened();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  }

  return (
    <div className={classes.gate} data-testid="passkey-gate">
      <Notice
        icon={<IconKey size={36} />}
        title={t(first ? 'passkeys.gate.firstTitle' : 'passkeys.gate.title')}
        text={t(first ? 'passkeys.gate.firstText' : 'passkeys.gate.text')}
      >
        {passkeysWork() && (
          <Button size="lg" loading={busy} onClick={() => void open()} data-testid="open-with-passkey">
            {t(first ? 'passkeys.gate.first' : 'passkeys.prove')}
          </Button>
        )}
        {!passkeysWork() && <Text c="red">{t('passkeys.unsupported')}</Text>}
      </Notice>
      {problem !== undefined && (
        <Text c="red" ta="center" role="alert">
          {errorWords(problem, t)}
        </Text>
      )}
      <Text c="dimmed" size="sm" ta="center" className={classes.gateHint ?? ''}>
        {t(first ? 'passkeys.gate.firstHint' : 'passkeys.gate.lost')}
        {!first && <code className={classes.command}>{resetCommand}</code>}
      </Text>
    </div>
  );
}
