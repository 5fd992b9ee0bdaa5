import { Button, Skeleton, VisuallyHidden } from '@mantine/core';
import { IconChevronRight, IconCircle, IconCircleCheckFilled, IconCoffee } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords } from '../platform/words.ts';
import { deskPages } from './desk-pages.ts';
import classes from './overview.module.css';
import { type Overview, useOverview } from './overview-source.ts';

/** The steps of a new school, and the pages where each is taken: the first that there is for this person. */
const steps = [
  { step: 'card', pages: ['card'] },
  { step: 'classes', pages: ['classes'] },
  { step: 'pupils', pages: ['import', 'invites'] },
  { step: 'teachers', pages: ['invites'] },
] as const;

/** What waits for whoever looks after the school, and with what a new one begins. */
export function OverviewPage() {
  const { t } = useTranslation();
  const { overview, problem, ask } = useOverview();
  return (
    <PageFrame title={t('overview.title')}>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void ask()} />}
      {overview === undefined ? (
        problem === undefined && (
          <div role="status" aria-busy aria-label={t('common.loading')}>
            <Skeleton height={220} mt={22} radius={20} />
          </div>
        )
      ) : (
        <>
          {overview.begun !== null && <Beginnings begun={overview.begun} />}
          <WaitingList waiting={overview.waiting} />
        </>
      )}
    </PageFrame>
  );
}

function WaitingList({ waiting }: { waiting: Overview['waiting'] }) {
  const { t } = useTranslation();
  const membership = useMembership();
  const rows = deskPages.flatMap((page) => {
    const count = page.waiting === undefined ? undefined : waiting[page.waiting];
    return page.waiting === undefined || count === undefined || count === 0 || !page.isFor(membership)
      ? []
      : [{ key: page.waiting, path: page.path, icon: page.icon, count }];
  });
  if (rows.length === 0) {
    return (
      <Notice
        icon={<IconCoffee size={36} />}
        title={t('overview.nothingTitle')}
        text={t('overview.nothing')}
      />
    );
  }
  return (
    <Section title={t('overview.waitingTitle')}>
      <ul className={classes.rows} data-testid="waiting">
        {rows.map(({ key, path, icon: RowIcon, count }) => (
          <li key={key}>
            <Link to={`/school/${path}`} className={classes.row} data-testid={`waiting-${key}`}>
              <span className={classes.icon} aria-hidden>
                <RowIcon size={22} stroke={1.7} />
              </span>
              <span className={classes.words}>
                <span className={classes.name}>{t(`overview.waiting.${key}`, { count })}</span>
                <span className={classes.quiet}>{t(`overview.waiting.${key}Text`)}</span>
              </span>
              <IconChevronRight size={20} className={classes.chevron} aria-hidden />
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Goes by itself when the last of it is done. */
function Beginnings({ begun }: { begun: NonNullable<Overview['begun']> }) {
  const { t } = useTranslation();
  const membership = useMembership();
  if (steps.every(({ step }) => begun[step])) return null;
  const forms = formsOf(membership.vocabulary, t);
  const next = steps.find(({ step }) => !begun[step])?.step;
  return (
    <Section title={t('overview.beginTitle')} lead={t('overview.beginLead')}>
      <ol className={classes.rows} data-testid="beginnings">
        {steps.map(({ step, pages }) => {
          const done = begun[step];
          const path = pages.find((wanted) =>
            deskPages.some((page) => page.path === wanted && page.isFor(membership)),
          );
          return (
            <li
              key={step}
              className={classes.step}
              data-done={done || undefined}
              data-testid={`step-${step}`}
            >
              {done ? (
                <IconCircleCheckFilled size={26} className={classes.tick} aria-hidden />
              ) : (
                <IconCircle size={26} stroke={1.5} className={classes.circle} aria-hidden />
              )}
              <div className={classes.words}>
                <div className={classes.name}>
                  {t(`overview.steps.${step}.title`, { ...forms })}
                  {done && <VisuallyHidden> {t('overview.done')}</VisuallyHidden>}
                </div>
                {!done && (
                  <div className={classes.quiet}>{t(`overview.steps.${step}.text`, { ...forms })}</div>
                )}
              </div>
              {!done && path !== undefined && (
                <Button
                  component={Link}
                  to={`/school/${path}`}
                  size="sm"
                  variant={step === next ? 'filled' : 'light'}
                  aria-label={`${t('overview.open')}: ${t(`overview.steps.${step}.title`, { ...forms })}`}
                >
                  {t('overview.open')}
                </Button>
              )}
            </li>
          );
        })}
      </ol>
    </Section>
  );
}
