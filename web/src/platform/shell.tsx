import {
  IconExternalLink,
  IconMessages,
  IconNotebook,
  IconSchool,
  IconSettings,
  IconUsersGroup,
} from '@tabler/icons-react';
import { lazy, type ReactNode, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink, Outlet, useLocation, useMatch } from 'react-router';
import { FinishTab } from '../accounts/shared-device.tsx';
import { ConversationList } from '../chat/conversation-list.tsx';
import { hasDesk } from '../school/desk-pages.ts';
import { useOpenNotices } from '../school/open-notices.ts';
import { client, useSession, useSource } from './client.ts';
import { ConnectionBanner } from './connection-banner.tsx';
import { useActing, useMembership } from './membership.tsx';
import classes from './shell.module.css';
import { SkipLink } from './skip-link.tsx';
import { Waiting } from './waiting.tsx';
import { membershipWords } from './words.ts';

const MembershipSwitch = lazy(() =>
  import('./membership-switch.tsx').then((module) => ({ default: module.MembershipSwitch })),
);
const DeskNav = lazy(() => import('../school/desk-nav.tsx').then((module) => ({ default: module.DeskNav })));

/** Two panes on a desktop; on a phone the list or what was opened from it. The list: of chats, or of the desk's pages. */
export function Shell() {
  const inConversation = useMatch('/c/:conversationId') !== null;
  const atDesk = useMatch('/school/*') !== null;
  const { pathname } = useLocation();
  const atList = pathname === '/' || pathname === '/school';
  return (
    <div className={classes.shell} data-place={atList ? 'list' : inConversation ? 'conversation' : 'page'}>
      <SkipLink />
      <div className={classes.side}>
        <SchoolHeader />
        <ConnectionBanner />
        {atDesk ? (
          <Suspense fallback={<Waiting />}>
            <DeskNav />
          </Suspense>
        ) : (
          <>
            <JournalLink />
            <ConversationList />
          </>
        )}
      </div>
      <Tabs />
      <main id="content" className={classes.main} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}

function SchoolHeader() {
  const { t } = useTranslation();
  const { all } = useActing();
  const membership = useMembership();
  const session = useSession();
  const hasChoice = all.length > 1 || (session.state === 'signedIn' && session.operator);
  const card = (
    <>
      <img src="/icons/bell.svg" alt="" width={40} height={40} className={classes.bell} />
      <span className={classes.names}>
        <span className={classes.school}>{membership.schoolName}</span>
        <span className={classes.who}>
          {membership.fullName} · {membershipWords(membership, t)}
        </span>
      </span>
    </>
  );
  return (
    <header className={classes.header}>
      {hasChoice ? (
        <Suspense fallback={card}>
          <MembershipSwitch>{card}</MembershipSwitch>
        </Suspense>
      ) : (
        card
      )}
    </header>
  );
}

/** The electronic journal and diary, where the school has named one: it opens beside the messenger. */
function JournalLink() {
  const { t } = useTranslation();
  const { journalUrl } = useMembership();
  if (journalUrl === null) return null;
  return (
    <a
      href={journalUrl}
      target="_blank"
      rel="noopener noreferrer"
      className={classes.journal}
      data-testid="journal"
    >
      <IconNotebook size={20} stroke={1.7} aria-hidden />
      <span className={classes.journalName}>{t('card.journal')}</span>
      <IconExternalLink size={18} stroke={1.7} aria-label={t('nav.newTab')} />
    </a>
  );
}

function Tabs() {
  const { t } = useTranslation();
  const membership = useMembership();
  const { unread } = useSource(client.messenger(membership.id));
  const waiting = useOpenNotices();
  const inChat = useMatch('/c/*') !== null;
  const chatsShown = useLocation().pathname === '/' || inChat;
  return (
    <nav className={classes.tabs} aria-label={t('nav.main')}>
      <Tab to="/" icon={<IconMessages size={24} stroke={1.7} />} label={t('nav.chats')} forced={chatsShown}>
        {unread > 0 && <Count of={unread} words={t('chats.unread', { count: unread })} />}
      </Tab>
      {membership.role === 'guardian' && (
        <Tab to="/children" icon={<IconUsersGroup size={24} stroke={1.7} />} label={t('children.title')} />
      )}
      {hasDesk(membership) && (
        <Tab
          to="/school"
          icon={<IconSchool size={24} stroke={1.7} />}
          label={t(`words.${membership.vocabulary}.organisation`)}
        >
          {waiting > 0 && <Count of={waiting} words={t('notices.open', { count: waiting })} />}
        </Tab>
      )}
      <FinishTab className={classes.tab} iconClass={classes.tabIcon} />
      <Tab to="/settings" icon={<IconSettings size={24} stroke={1.7} />} label={t('nav.settings')} />
    </nav>
  );
}

function Count({ of, words }: { of: number; words: string }) {
  return (
    <span className={classes.unread}>
      <span aria-hidden>{of > 99 ? '99+' : of}</span>
      <span className={classes.hidden}>{words}</span>
    </span>
  );
}

function Tab({
  to,
  icon,
  label,
  forced,
  children,
}: {
  to: string;
  icon: ReactNode;
  label: string;
  forced?: boolean;
  children?: ReactNode;
}) {
  return (
    <NavLink
      to={to}
      end={to === '/'}
      className={({ isActive }) => `${classes.tab} ${(forced ?? isActive) ? classes.tabOn : ''}`}
    >
      <span className={classes.tabIcon}>
        {icon}
        {children}
      </span>
      <span>{label}</span>
    </NavLink>
  );
}
