import { Button } from '@mantine/core';
import { IconMapOff, IconMessages, IconSchool } from '@tabler/icons-react';
import { lazy, type ReactNode, Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, Navigate, Outlet, Route, Routes } from 'react-router';
import { Confirmation } from './accounts/confirmation.tsx';
import { EndWhenAlone } from './accounts/shared-device.tsx';
import { SignIn } from './accounts/sign-in.tsx';
import { forgetDrafts } from './chat/drafts.ts';
import { client, useSession } from './platform/client.ts';
import { ConnectionBanner } from './platform/connection-banner.tsx';
import { useActing } from './platform/membership.tsx';
import { Notice } from './platform/notice.tsx';
import { Shell } from './platform/shell.tsx';
import { tellError } from './platform/tell.ts';
import { UpdatePrompt } from './platform/update-prompt.tsx';
import { Waiting } from './platform/waiting.tsx';
import { errorWords } from './platform/words.ts';
import { deskPages } from './school/desk-pages.ts';

// The list is shown while the conversation's own code comes; it is asked for at once, not at the first tap.
const conversation = import('./chat/conversation.tsx');
const Conversation = lazy(() => conversation.then((module) => ({ default: module.Conversation })));
// What many never open comes when it is opened: the lesson brings the whole of WebRTC's signalling with it.
const Lesson = lazy(() => import('./calls/lesson.tsx').then((module) => ({ default: module.LessonPage })));
const Settings = lazy(() =>
  import('./accounts/settings.tsx').then((module) => ({ default: module.Settings })),
);
const OpenDeskPage = lazy(() =>
  import('./school/desk-page.tsx').then((module) => ({ default: module.OpenDeskPage })),
);
const CardSignIn = lazy(() =>
  import('./accounts/card-sign-in.tsx').then((module) => ({ default: module.CardSignIn })),
);
const Children = lazy(() => import('./school/children.tsx').then((module) => ({ default: module.Children })));
const Join = lazy(() => import('./school/join.tsx').then((module) => ({ default: module.Join })));
const RedeemInvite = lazy(() =>
  import('./school/redeem-invite.tsx').then((module) => ({ default: module.RedeemInvite })),
);
const Suspended = lazy(() =>
  import('./school/suspended.tsx').then((module) => ({ default: module.Suspended })),
);
const Apply = lazy(() => import('./desk/apply.tsx').then((module) => ({ default: module.Apply })));
const Operator = lazy(() => import('./desk/operator.tsx').then((module) => ({ default: module.Operator })));
const Applications = lazy(() =>
  import('./desk/applications.tsx').then((module) => ({ default: module.Applications })),
);
const OperatorPasskeys = lazy(() =>
  import('./desk/operator-passkeys.tsx').then((module) => ({ default: module.OperatorPasskeys })),
);
const OperatorLog = lazy(() =>
  import('./desk/operator-log.tsx').then((module) => ({ default: module.OperatorLog })),
);
const Schools = lazy(() => import('./desk/schools.tsx').then((module) => ({ default: module.Schools })));

export function App() {
  return (
    <>
      <Suspense fallback={<Waiting />}>
        <Routes>
          <Route path="/signin" element={<SignIn />} />
          <Route path="/card" element={<CardSignIn />} />
          <Route path="/invite" element={<RedeemInvite />} />
          <Route path="/join" element={<Join />} />
          <Route path="/apply" element={<Apply />} />
          <Route path="/operator" element={<Operator />}>
            <Route index element={<Applications />} />
            <Route path="schools" element={<Schools />} />
            <Route path="log" element={<OperatorLog />} />
            <Route path="passkeys" element={<OperatorPasskeys />} />
          </Route>
          <Route element={<SignedInOnly />}>
            <Route path="/c/:conversationId/lesson" element={<Lesson />} />
            <Route element={<Shell />}>
              <Route index element={<ChooseChat />} />
              <Route path="/c/:conversationId" element={<Page of={<Conversation />} />} />
              <Route path="/settings" element={<Page of={<Settings />} />} />
              <Route path="/children" element={<Page of={<Children />} />} />
              <Route path="/school" element={<ChoosePage />} />
              {deskPages.map((page) => (
                <Route
                  key={page.path}
                  path={`/school/${page.path}${page.nested === true ? '/*' : ''}`}
                  element={<Page of={<OpenDeskPage key={page.path} of={page} />} />}
                />
              ))}
            </Route>
          </Route>
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Suspense>
      <EndWhenAlone />
      <Confirmation />
      <UpdatePrompt />
    </>
  );
}

/** A page beside the list: the list stays while the page comes. */
function Page({ of }: { of: ReactNode }) {
  return <Suspense fallback={<Waiting />}>{of}</Suspense>;
}

function SignedInOnly() {
  const session = useSession();
  const { current } = useActing();
  const signedOut = session.state === 'signedOut';
  useEffect(() => {
    if (signedOut) forgetDrafts();
  }, [signedOut]);
  if (session.state === 'unknown') {
    return (
      <main>
        <ConnectionBanner />
        <Waiting />
      </main>
    );
  }
  if (session.state === 'signedOut') return <Navigate to="/signin" replace />;
  if (current === undefined) {
    return session.operator ? <Navigate to="/operator" replace /> : <NoMembership />;
  }
  return current.suspended ? <Suspended /> : <Outlet />;
}

function NoMembership() {
  const { t } = useTranslation();
  return (
    <main style={{ height: '100%' }}>
      <Notice icon={<IconMessages size={36} />} title={t('chats.emptyTitle')} text={t('signIn.noCode')}>
        <Button component={Link} to="/join">
          {t('join.title')}
        </Button>
        <SignOutButton />
      </Notice>
    </main>
  );
}

function SignOutButton() {
  const { t } = useTranslation();
  return (
    <Button
      variant="light"
      onClick={() =>
        void client.accounts.signOut().catch((error: unknown) => tellError(errorWords(error, t)))
      }
    >
      {t('settings.signOut')}
    </Button>
  );
}

function ChooseChat() {
  const { t } = useTranslation();
  return (
    <Notice icon={<IconMessages size={36} />} title={t('chats.chooseTitle')} text={t('chats.chooseText')} />
  );
}

function ChoosePage() {
  const { t } = useTranslation();
  return (
    <Notice
      icon={<IconSchool size={36} />}
      title={t('deskParts.chooseTitle')}
      text={t('deskParts.chooseText')}
    />
  );
}

function NotFound() {
  const { t } = useTranslation();
  return (
    <main style={{ height: '100%' }}>
      <Notice icon={<IconMapOff size={36} />} title={t('notFound.title')} text={t('notFound.text')}>
        <Button component={Link} to="/" variant="light">
          {t('common.toChats')}
        </Button>
      </Notice>
    </main>
  );
}
