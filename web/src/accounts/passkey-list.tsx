import { ActionIcon, Button, Skeleton, TextInput } from '@mantine/core';
import { IconKey, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { accountLimits, type Passkey, type ProcedureOutput } from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { Section } from '../platform/page.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { errorWords, hasCode, longDate, momentWithin } from '../platform/words.ts';
import { addPasskey, confirmWithPasskey, passkeysWork } from './passkeys.ts';
import classes from './settings.module.css';

export type PasskeyStanding = ProcedureOutput<'accounts.listPasskeys'>;

/** The person's passkeys and what they open, read again at each change. */
export function usePasskeys() {
  const [standing, setStanding] = useState<PasskeyStanding>();
  const [problem, setProblem] = useState<unknown>();
  const load = useCallback(() => {
    setProblem(undefined);
    client.accounts.listPasskeys().then(setStanding, setProblem);
  }, []);
  useEffect(() => {
    const stop = client.on('accounts.passkeysChanged', load);
    load();
    return stop;
  }, [load]);
  return { standing, problem, load };
}

/** The keys that somebody signs in with: added, renamed, removed. Nothing where they may have none. */
export function Passkeys() {
  const { t } = useTranslation();
  const { standing, problem, load } = usePasskeys();
  const [adding, setAdding] = useState(false);
  const [proving, setProving] = useState(false);
  const [renaming, setRenaming] = useState<Passkey>();
  const [removing, setRemoving] = useState<Passkey>();
  const keys = standing?.passkeys ?? [];
  const works = passkeysWork();
  if (standing !== undefined && !standing.allowed && keys.length === 0) return null;

  async function add() {
    setAdding(true);
    try {
      const { name } = await addPasskey();
      tell(t('passkeys.added', { name }));
      load();
    } catch (error) {
      if (hasCode(error, 'PASSKEY_REQUIRED')) setProving(true);
      else tellError(errorWords(error, t));
    } finally {
      setAdding(false);
    }
  }

  return (
    <Section title={t('passkeys.title')} lead={t('passkeys.lead')}>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
      {standing === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton height={56} />
        </div>
      )}
      {standing !== undefined && keys.length === 0 && (
        <p className={classes.quiet}>{t(works ? 'passkeys.none' : 'passkeys.unsupported')}</p>
      )}
      {keys.length > 0 && (
        <ul className={classes.devices} data-testid="passkeys">
          {keys.map((passkey) => (
            <li key={passkey.id} className={classes.device}>
              <span className={classes.deviceIcon} aria-hidden>
                <IconKey size={22} stroke={1.7} />
              </span>
              <span className={classes.who}>
                <span className={classes.deviceName}>{passkey.name}</span>
                <span className={classes.quiet}>
                  {t('passkeys.since', { when: longDate(passkey.createdAt) })}
                  {passkey.lastUsedAt !== null &&
                    ` · ${t('passkeys.used', { when: momentWithin(passkey.lastUsedAt, t) })}`}
                </span>
              </span>
              <span className={classes.keyActions}>
                <ActionIcon
                  aria-label={t('passkeys.renameName', { name: passkey.name })}
                  onClick={() => setRenaming(passkey)}
                  data-testid="rename-passkey"
                >
                  <IconPencil size={20} stroke={1.7} />
                </ActionIcon>
                <ActionIcon
                  color="red"
                  aria-label={t('passkeys.removeName', { name: passkey.name })}
                  onClick={() => setRemoving(passkey)}
                  data-testid="remove-passkey"
                >
                  <IconTrash size={20} stroke={1.7} />
                </ActionIcon>
              </span>
            </li>
          ))}
        </ul>
      )}
      {standing?.allowed === true && works && (
        <Button
          mt="sm"
          variant="light"
          leftSection={<IconPlus size={18} aria-hidden />}
          loading={adding}
          onClick={() => void add()}
          data-testid="add-passkey"
        >
          {t('passkeys.add')}
        </Button>
      )}
      <Rename passkey={renaming} onClose={() => setRenaming(undefined)} onDone={load} />
      <Confirm
        opened={removing !== undefined}
        title={t('passkeys.removeTitle', { name: removing?.name ?? '' })}
        confirm={t('passkeys.remove')}
        danger
        onClose={() => setRemoving(undefined)}
        onConfirm={async () => {
          if (removing === undefined) return;
          await client.accounts.removePasskey({ passkeyId: removing.id });
          tell(t('passkeys.removed'));
          load();
        }}
      >
        {t('passkeys.removeText')}
      </Confirm>
      <Confirm
        opened={proving}
        title={t('passkeys.proveTitle')}
        confirm={t('passkeys.prove')}
        onClose={() => setProving(false)}
        onConfirm={async () => {
          await confirmWithPasskey();
          tell(t('passkeys.proved'));
          load();
        }}
      >
        {t('passkeys.proveText')}
      </Confirm>
    </Section>
  );
}

function Rename({
  passkey,
  onClose,
  onDone,
}: {
  passkey: Passkey | undefined;
  onClose: () => void;
  onDone: () => void;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    setTyped(passkey?.name ?? '');
    setMissing(false);
  }, [passkey]);
  const name = typed.replaceAll(/\s+/g, ' ').trim();
  return (
    <Confirm
      opened={passkey !== undefined}
      title={t('passkeys.renameTitle')}
      confirm={t('passkeys.rename')}
      isReady={() => {
        const ready = /^[\p{L}\p{N}]/u.test(name);
        setMissing(!ready);
        return ready;
      }}
      onClose={onClose}
      onConfirm={async () => {
        if (passkey === undefined) return;
        await client.accounts.renamePasskey({ passkeyId: passkey.id, name });
        onDone();
      }}
    >
      <TextInput
        label={t('passkeys.name')}
        placeholder={t('passkeys.nameExample')}
        maxLength={accountLimits.passkeyNameLength}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setMissing(false);
        }}
        error={missing ? t('passkeys.nameMissing') : undefined}
        styles={{ label: { color: 'var(--mantine-color-text)' } }}
        data-autofocus
        data-testid="passkey-name"
      />
    </Confirm>
  );
}
