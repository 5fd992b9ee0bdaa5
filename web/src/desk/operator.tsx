import { Menu, UnstyledButton } from '@mantine/core';
import {
  IconChevronDown,
  IconKey,
  IconLanguage,
  IconLogout,
  IconMessages,
  IconUserCircle,
} from '@tabler/icons-react';
import { Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { Navigate, NavLink, Outlet, useNavigate } from 'react-router';
import { client, type SignedIn, useSession } from '../platform/client.ts';
import { ConnectionBanner } from '../platform/connection-banner.tsx';
import { chooseLanguage, currentLanguage } from '../platform/i18n.ts';
import { SkipLink } from '../platform/skip-link.tsx';
import { tellError } from '../platform/tell.ts';
import { Waiting } from '../platform/waiting.tsx';
import { errorWords, phoneWords } from '../platform/words.ts';
import classes from './operator.module.css';
import { PasskeyGate } from './passkey-gate.tsx';

/** The console of whoever runs the server: applications and schools, and nothing of what is written in them. */
export function Operator() {
  const { t } = useTranslation();
  const session = useSession();
  if (session.state === 'unknown') {
    return (
      <main>
        <ConnectionBanner />
        <Waiting />
      </main>
    );
  }
  if (session.state === 'signedOut') return <Navigate to="/signin" replace />;
  if (!session.operator) return <Navigate to="/" replace />;
  const tab = ({ isActive }: { isActive: boolean }) => `${classes.tab} ${isActive ? classes.tabOn : ''}`;
  return (
    <div className={classes.console}>
      <SkipLink />
      <header className={classes.bar}>
        <div className={classes.barInner}>
          <div className={classes.brand}>
            <img src="/icons/bell.svg" alt="" width={36} height={36} />
            <span className={classes.name}>{t('operator.title')}</span>
          </div>
          <nav className={classes.tabs} aria-label={t('nav.main')}>
            <NavLink to="/operator" end className={tab}>
              {t('operator.applications')}
            </NavLink>
            <NavLink to="/operator/schools" className={tab} data-testid="to-schools">
              {t('operator.schools')}
            </NavLink>
            <NavLink to="/operator/log" className={tab} data-testid="to-log">
              {t('operator.log')}
            </NavLink>
          </nav>
          <AccountMenu session={session} />
        </div>
      </header>
      <ConnectionBanner />
      <main id="content" className={classes.main} tabIndex={-1}>
        <Suspense fallback={<Waiting />}>
          <PasskeyGate>
            <Outlet />
          </PasskeyGate>
        </Suspense>
      </main>
    </div>
  );
}

function AccountMenu({ session }: { session: SignedIn }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const other = currentLanguage() === 'ru' ? 'en' : 'ru';
  return (
    <Menu width={260} position="bottom-end" radius="md" shadow="md">
      <Menu.Target>
        <UnstyledButton className={classes.account} data-testid="account-menu">
          <IconUserCircle size={24} stroke={1.7} aria-hidden />
          <span className={classes.phone}>{phoneWords(session.account.phone ?? '')}</span>
          <IconChevronDown size={18} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {session.memberships.length > 0 && (
          <Menu.Item leftSection={<IconMessages size={18} aria-hidden />} onClick={() => navigate('/')}>
            {t('common.toChats')}
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<IconKey size={18} aria-hidden />}
          onClick={() => navigate('/operator/passkeys')}
          data-testid="to-passkeys"
        >
          {t('passkeys.title')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLanguage size={18} aria-hidden />}
          onClick={() => void chooseLanguage(other)}
          lang={other}
        >
          {other === 'en' ? 'English' : 'Русский'}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLogout size={18} aria-hidden />}
          onClick={() =>
            void client.accounts.signOut().catch((error: unknown) => tellError(errorWords(error, t)))
          }
          data-testid="sign-out"
        >
          {t('settings.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
