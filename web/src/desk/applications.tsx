import { Badge, Button, Skeleton } from '@mantine/core';
import { IconFileSearch, IconInbox } from '@tabler/icons-react';
import {
  type Application,
  type ApplicationState,
  applicationStates,
  type deskProcedures,
  type OutputOf,
} from '@zvonok/client-sdk';
import { useCallback, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { useAskedAgain } from '../platform/asked-again.ts';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { Notice } from '../platform/notice.tsx';
import { errorWords, shortTime } from '../platform/words.ts';
import { ApplicationCard } from './application.tsx';
import classes from './operator.module.css';

type Counts = OutputOf<(typeof deskProcedures)['desk.listApplications']>['counts'];

const isState = (text: string | null): text is ApplicationState =>
  applicationStates.some((state) => state === text);

/** Schools that apply, by what has become of them; the chosen one beside the list, on a phone instead of it. */
export function Applications() {
  const [parameters] = useSearchParams();
  const asked = parameters.get('state');
  const state = isState(asked) ? asked : 'submitted';
  // Another state is another list: nothing of the former is shown meanwhile.
  return <Queue key={state} state={state} chosenId={parameters.get('application')} />;
}

function Queue({ state, chosenId }: { state: ApplicationState; chosenId: string | null }) {
  const { t } = useTranslation();
  const [, setParameters] = useSearchParams();
  const [applications, setApplications] = useState<readonly Application[]>();
  const [hasMore, setHasMore] = useState(false);
  const [counts, setCounts] = useState<Counts>();
  const [problem, setProblem] = useState<unknown>();
  /** Whether more than the first page is shown. */
  const paged = useRef(false);

  const load = useCallback(
    async (after?: Application) => {
      try {
        const page = await client.desk.listApplications({
          state,
          ...(after === undefined ? {} : { after: after.id }),
        });
        paged.current = after !== undefined;
        setCounts(page.counts);
        setProblem(undefined);
        setHasMore(page.hasMore);
        setApplications((known) =>
          after === undefined ? page.applications : [...(known ?? []), ...page.applications],
        );
      } catch (error) {
        setProblem(error);
      }
    },
    [state],
  );
  const reload = useCallback(() => void load(), [load]);
  // The first page alone is asked again: whoever reads further down must not lose the place.
  const look = useCallback(() => {
    if (!paged.current) reload();
  }, [reload]);
  useAskedAgain(look);

  const chosen = applications?.find(({ id }) => id === chosenId);
  const pathOf = (application?: Application) =>
    `/operator?state=${state}${application === undefined ? '' : `&application=${application.id}`}`;
  return (
    <div
      className={classes.queue}
      data-chosen={chosen !== undefined || undefined}
      data-empty={applications?.length === 0 || undefined}
    >
      <div className={classes.head}>
        <h1 className={classes.title}>{t('operator.applications')}</h1>
        <nav className={classes.states} aria-label={t('operator.states')}>
          {applicationStates.map((each) => (
            <Link
              key={each}
              to={`/operator?state=${each}`}
              className={classes.state}
              aria-current={each === state ? 'page' : undefined}
              data-testid={`state-${each}`}
            >
              {t(`operator.state.${each}`)}
              {counts !== undefined && counts[each] > 0 && (
                <span className={classes.count} data-new={each === 'submitted' || undefined}>
                  {counts[each]}
                </span>
              )}
            </Link>
          ))}
        </nav>
      </div>
      <div className={classes.list}>
        {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={reload} />}
        {applications === undefined && problem === undefined && (
          <div role="status" aria-busy aria-label={t('common.loading')}>
            <Skeleton h={76} mt="sm" radius="lg" />
            <Skeleton h={76} mt="sm" radius="lg" />
          </div>
        )}
        {applications?.length === 0 && (
          <div className={classes.empty} data-testid="queue-empty">
            <Notice
              icon={<IconInbox size={36} />}
              title={t(`operator.empty.${state}.title`)}
              text={t(`operator.empty.${state}.text`)}
            />
          </div>
        )}
        <ul className={classes.items} data-testid="queue">
          {applications?.map((application) => (
            <li key={application.id}>
              <Link
                to={pathOf(application)}
                className={classes.item}
                aria-current={application === chosen ? 'true' : undefined}
                data-testid="application"
              >
                <span className={classes.itemTop}>
                  <span className={classes.itemName}>{application.schoolName}</span>
                  <time className={classes.quiet} dateTime={application.submittedAt}>
                    {shortTime(application.submittedAt)}
                  </time>
                </span>
                <span className={classes.quiet}>{application.address}</span>
                <Marks application={application} />
              </Link>
            </li>
          ))}
        </ul>
        {hasMore && (
          <Button variant="light" fullWidth mt="md" onClick={() => void load(applications?.at(-1))}>
            {t('people.more')}
          </Button>
        )}
      </div>
      <div className={classes.detail}>
        {chosen === undefined ? (
          applications !== undefined &&
          applications.length > 0 && (
            <Notice
              icon={<IconFileSearch size={36} />}
              title={t('operator.chooseTitle')}
              text={t('operator.chooseText')}
            />
          )
        ) : (
          <ApplicationCard
            key={chosen.id}
            application={chosen}
            back={pathOf()}
            onDecided={() => {
              setParameters({ state });
              reload();
            }}
          />
        )}
      </div>
    </div>
  );
}

/** What makes an application wait or needs a second look. */
function Marks({ application }: { application: Application }) {
  const { t } = useTranslation();
  const { state, answer, orderFile, similar } = application;
  if (state === 'approved' || state === 'declined') return null;
  return (
    <span className={classes.marks}>
      {state === 'submitted' && answer !== null && (
        <Badge color="board" variant="light" size="lg" tt="none" fw={600}>
          {t('operator.markAnswered')}
        </Badge>
      )}
      {orderFile === null && (
        <Badge color="brass" variant="light" size="lg" tt="none" fw={600}>
          {t('operator.markNoOrder')}
        </Badge>
      )}
      {similar.length > 0 && (
        <Badge color="red" variant="light" size="lg" tt="none" fw={600}>
          {t('operator.markSimilar')}
        </Badge>
      )}
    </span>
  );
}
