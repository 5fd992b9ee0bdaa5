import { Badge, Button, Skeleton, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconBuildingCommunity, IconSearch, IconSearchOff } from '@tabler/icons-react';
import { type HostedSchool, schoolLimits } from '@zvonok/client-sdk';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { Notice } from '../platform/notice.tsx';
import { tell } from '../platform/tell.ts';
import { usePages } from '../platform/use-pages.ts';
import { errorWords, longDate } from '../platform/words.ts';
import { AppointAdministrator } from './appoint-administrator.tsx';
import classes from './operator.module.css';
import { ReasonDialog } from './reason-dialog.tsx';

/** Somebody types faster than it would help to ask. */
const typingMs = 300;

/** The schools of this server: found by name, suspended, opened again. */
export function Schools() {
  const { t } = useTranslation();
  const [parameters] = useSearchParams();
  const [typed, setTyped] = useState(parameters.get('search') ?? '');
  const [search] = useDebouncedValue(typed.trim(), typingMs);
  const [suspending, setSuspending] = useState<HostedSchool>();
  const [appointing, setAppointing] = useState<HostedSchool>();
  const [resuming, setResuming] = useState<HostedSchool>();

  const ask = useCallback(
    async (after?: HostedSchool) => {
      const { schools: items, ...rest } = await client.desk.listSchools({
        ...(search === '' ? {} : { search }),
        ...(after === undefined ? {} : { after: after.id }),
      });
      return { items, ...rest };
    },
    [search],
  );
  const { items: schools, setItems, hasMore, problem, reload, more } = usePages(ask, { keeps: true });

  const put = (school: HostedSchool) =>
    setItems((known) => known?.map((each) => (each.id === school.id ? school : each)));

  return (
    <div className={classes.schools}>
      <h1 className={classes.title}>{t('operator.schools')}</h1>
      <TextInput
        mt="md"
        aria-label={t('operator.search')}
        placeholder={t('operator.search')}
        leftSection={<IconSearch size={18} aria-hidden />}
        maxLength={schoolLimits.nameLength}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        data-testid="search-schools"
      />
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void reload()} />}
      {schools === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton h={72} mt="md" radius="lg" />
          <Skeleton h={72} mt="sm" radius="lg" />
        </div>
      )}
      {schools?.length === 0 && (
        <div className={classes.empty}>
          {search === '' ? (
            <Notice
              icon={<IconBuildingCommunity size={36} />}
              title={t('operator.noSchoolsTitle')}
              text={t('operator.noSchoolsText')}
            >
              <Button component={Link} to="/operator" variant="light">
                {t('operator.toApplications')}
              </Button>
            </Notice>
          ) : (
            <Notice
              icon={<IconSearchOff size={36} />}
              title={t('operator.notFoundTitle')}
              text={t('operator.notFoundText')}
            />
          )}
        </div>
      )}
      <ul className={classes.hosted} data-testid="schools">
        {schools?.map((school) => {
          const suspended = school.suspendedAt !== null;
          return (
            <li key={school.id} className={classes.school} data-suspended={suspended || undefined}>
              <div className={classes.schoolWords}>
                <div className={classes.schoolName}>
                  {school.name}
                  {suspended && (
                    <Badge color="red" variant="light" tt="none">
                      {t('operator.suspended')}
                    </Badge>
                  )}
                </div>
                <div className={classes.quiet}>
                  {t(`apply.vocabularies.${school.vocabulary}`)} ·{' '}
                  {t('operator.people', { count: school.memberCount })} ·{' '}
                  {t('operator.since', { when: longDate(school.createdAt) })}
                </div>
                {school.suspendedAt !== null && (
                  <div className={classes.why}>
                    {t('operator.suspendedSince', { when: longDate(school.suspendedAt) })}
                    {school.suspendReason !== null && `: ${school.suspendReason}`}
                  </div>
                )}
              </div>
              {!suspended && (
                <Button
                  size="sm"
                  variant="subtle"
                  onClick={() => setAppointing(school)}
                  aria-label={t('operator.appointName', { name: school.name })}
                  data-testid="appoint"
                >
                  {t('operator.appoint')}
                </Button>
              )}
              {suspended ? (
                <Button
                  size="sm"
                  variant="light"
                  onClick={() => setResuming(school)}
                  aria-label={t('operator.resumeName', { name: school.name })}
                  data-testid="resume"
                >
                  {t('operator.resume')}
                </Button>
              ) : (
                <Button
                  size="sm"
                  variant="default"
                  onClick={() => setSuspending(school)}
                  aria-label={t('operator.suspendName', { name: school.name })}
                  data-testid="suspend"
                >
                  {t('operator.suspend')}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {hasMore && (
        <Button variant="light" fullWidth mt="md" onClick={() => void more()}>
          {t('people.more')}
        </Button>
      )}
      <AppointAdministrator
        school={appointing}
        onClose={() => setAppointing(undefined)}
        onDone={(school) => {
          put(school);
          tell(t('operator.appointedDone', { name: school.name }));
        }}
      />
      <ReasonDialog
        opened={suspending !== undefined}
        title={t('operator.suspendTitle', { name: suspending?.name ?? '' })}
        lead={t('operator.suspendText')}
        label={t('operator.suspendReason')}
        missing={t('operator.reasonMissing')}
        confirm={t('operator.suspend')}
        danger
        onClose={() => setSuspending(undefined)}
        onConfirm={async (reason) => {
          if (suspending === undefined) return;
          const { school } = await client.desk.suspendSchool({ schoolId: suspending.id, reason });
          put(school);
          tell(t('operator.suspendedDone', { name: school.name }));
        }}
      />
      <Confirm
        opened={resuming !== undefined}
        title={t('operator.resumeTitle', { name: resuming?.name ?? '' })}
        confirm={t('operator.resume')}
        onClose={() => setResuming(undefined)}
        onConfirm={async () => {
          if (resuming === undefined) return;
          const { school } = await client.desk.resumeSchool({ schoolId: resuming.id });
          put(school);
          tell(t('operator.resumedDone', { name: school.name }));
        }}
      >
        {t('operator.resumeText')}
      </Confirm>
    </div>
  );
}
