import { Button } from '@mantine/core';
import { IconChevronLeft, IconLock } from '@tabler/icons-react';
import { Suspense, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'react-router';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { Waiting } from '../platform/waiting.tsx';
import classes from './desk-page.module.css';
import type { DeskPage } from './desk-pages.ts';

/** One page of the desk, with the way back to the desk's list where there is no room for both. */
export function OpenDeskPage({ of }: { of: DeskPage }) {
  const { t } = useTranslation();
  const membership = useMembership();
  const top = useRef<HTMLDivElement>(null);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page begins at its top
  useEffect(() => {
    // Newer browsers answer a promise, which is no way to clean an effect up.
    top.current?.scrollIntoView();
  }, [pathname]);
  if (!of.isFor(membership)) {
    return (
      <Notice icon={<IconLock size={36} />} title={t('deskParts.closedTitle')} text={t('errors.FORBIDDEN')}>
        <Button component={Link} to="/school" variant="light">
          {t('common.back')}
        </Button>
      </Notice>
    );
  }
  const { page: Screen } = of;
  // From a page below a page one goes back to that page.
  const below = pathname !== `/school/${of.path}`;
  return (
    <div ref={top} className={classes.page}>
      <Link to={below ? `/school/${of.path}` : '/school'} className={classes.back} data-testid="desk-back">
        <IconChevronLeft size={20} aria-hidden />
        {below ? of.name(t, membership.vocabulary) : t(`words.${membership.vocabulary}.organisation`)}
      </Link>
      <Suspense fallback={<Waiting />}>
        <Screen />
      </Suspense>
    </div>
  );
}
