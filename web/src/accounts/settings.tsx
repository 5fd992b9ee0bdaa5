import { Badge, Button, SegmentedControl, Skeleton, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconDeviceMobile } from '@tabler/icons-react';
import type { Session } from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Avatar } from '../platform/avatar.tsx';
import { client, onAny, useSession } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { useServerVersion } from '../platform/health.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell } from '../platform/tell.ts';
import { VerifiedBadge } from '../platform/verified-badge.tsx';
import { errorWords, membershipWords, moment, phoneWords } from '../platform/words.ts';
import { LanguageSwitch } from './door.tsx';
import { IdentityLink } from './identity-link.tsx';
import { Passkeys } from './passkey-list.tsx';
import classes from './settings.module.css';
import { SignOut } from './sign-out.tsx';
import { ReportStrangeSignIn } from './strange-sign-in.tsx';

export function Settings() {
  const { t } = useTranslation();
  const version = useServerVersion();
  return (
    <PageFrame title={t('settings.title')}>
      <Profile />
      <Look />
      <Devices />
      <Passkeys />
      <IdentityLink />
      <div className={classes.leave}>
        <SignOut />
      </div>
      {version !== undefined && <p className={classes.version}>{t('settings.version', { version })}</p>}
    </PageFrame>
  );
}

function Profile() {
  const { t } = useTranslation();
  const session = useSession();
  const membership = useMembership();
  return (
    <Section title={t('settings.profile')}>
      <div className={classes.profile}>
        <Avatar name={membership.fullName} size={64} />
        <div className={classes.who}>
          <div className={classes.name}>
            {membership.fullName} {membership.verified && <VerifiedBadge size={18} />}
          </div>
          <div className={classes.quiet}>
            {membershipWords(membership, t)} · {membership.schoolName}
          </div>
          {session.state === 'signedIn' && (
            <div className={classes.quiet}>
              {t('settings.phone')}: {phoneWords(session.account.phone ?? '—')}
            </div>
          )}
        </div>
      </div>
      <p className={classes.note}>{t('settings.nameNote')}</p>
    </Section>
  );
}

function Look() {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Section title={t('settings.appearance')}>
      <div className={classes.choice}>
        <span id="language-label">{t('settings.language')}</span>
        <LanguageSwitch />
      </div>
      <div className={classes.choice}>
        <span>{t('settings.scheme')}</span>
        <SegmentedControl
          size="sm"
          aria-label={t('settings.scheme')}
          value={colorScheme}
          onChange={(value) => setColorScheme(value as 'auto' | 'light' | 'dark')}
          data={[
            { value: 'auto', label: t('settings.schemeAuto') },
            { value: 'light', label: t('settings.schemeLight') },
            { value: 'dark', label: t('settings.schemeDark') },
          ]}
        />
      </div>
    </Section>
  );
}

function Devices() {
  const { t } = useTranslation();
  const [sessions, setSessions] = useState<readonly Session[]>();
  const [problem, setProblem] = useState<unknown>();
  const [revoking, setRevoking] = useState<Session>();
  const [revokingOthers, setRevokingOthers] = useState(false);
  const [strange, setStrange] = useState<Session>();

  const load = useCallback(() => {
    setProblem(undefined);
    client.accounts.listSessions({}).then((answer) => setSessions(answer.sessions), setProblem);
  }, []);
  useEffect(() => {
    load();
    return onAny(['accounts.sessionStarted', 'accounts.sessionEnded', 'accounts.passkeysChanged'], load);
  }, [load]);

  const others = sessions?.filter((session) => !session.current) ?? [];
  return (
    <Section
      title={t('settings.devices')}
      lead={t('settings.devicesLead')}
      action={
        others.length > 1 && (
          <Button
            size="xs"
            variant="light"
            color="red"
            onClick={() => setRevokingOthers(true)}
            className={classes.all ?? ''}
          >
            {t('settings.revokeOthers')}
          </Button>
        )
      }
    >
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
      {sessions === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton height={56} mb={8} />
          <Skeleton height={56} />
        </div>
      )}
      <ul className={classes.devices} data-testid="devices">
        {sessions?.map((session) => (
          <li key={session.id} className={classes.device}>
            <span className={classes.deviceIcon} aria-hidden>
              {/android|iphone|mobile|ios/i.test(session.deviceName) ? (
                <IconDeviceMobile size={22} stroke={1.7} />
              ) : (
                <IconDeviceDesktop size={22} stroke={1.7} />
              )}
            </span>
            <span className={classes.who}>
              <span className={classes.deviceName}>
                {session.deviceName}
                {session.current && (
                  <Badge color="board" variant="light" tt="none" size="md">
                    {t('settings.current')}
                  </Badge>
                )}
                {session.passkey && (
                  <Badge color="gray" variant="light" tt="none" size="md">
                    {t('settings.byPasskey')}
                  </Badge>
                )}
              </span>
              <span className={classes.quiet}>
                {session.current
                  ? t('settings.since', { when: moment(session.createdAt, t) })
                  : t('settings.lastUsed', { when: moment(session.lastUsedAt, t) })}
              </span>
            </span>
            {!session.current && (
              <span className={classes.deviceActions}>
                <Button
                  size="xs"
                  variant="subtle"
                  aria-label={t('settings.revokeName', { name: session.deviceName })}
                  onClick={() => setRevoking(session)}
                >
                  {t('settings.revoke')}
                </Button>
                <Button
                  size="xs"
                  variant="subtle"
                  color="red"
                  aria-label={t('strangeSignIn.actionName', { name: session.deviceName })}
                  onClick={() => setStrange(session)}
                  data-testid="strange-sign-in"
                >
                  {t('strangeSignIn.action')}
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
      <Confirm
        opened={revoking !== undefined}
        title={t('settings.revokeTitle')}
        confirm={t('settings.revoke')}
        danger
        onClose={() => setRevoking(undefined)}
        onConfirm={async () => {
          if (revoking === undefined) return;
          await client.accounts.revokeSession({ sessionId: revoking.id });
          tell(t('settings.revoked'));
          load();
        }}
      >
        {t('settings.revokeText', { name: revoking?.deviceName ?? '' })}
      </Confirm>
      <Confirm
        opened={revokingOthers}
        title={t('settings.revokeOthersTitle')}
        confirm={t('settings.revokeOthers')}
        danger
        onClose={() => setRevokingOthers(false)}
        onConfirm={async () => {
          const { revoked } = await client.accounts.revokeOtherSessions({});
          tell(t('settings.revokedOthers', { count: revoked }));
          load();
        }}
      >
        {t('settings.revokeOthersText')}
      </Confirm>
      <ReportStrangeSignIn session={strange} onClose={() => setStrange(undefined)} />
    </Section>
  );
}
