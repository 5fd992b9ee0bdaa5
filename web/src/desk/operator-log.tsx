import { Button, Skeleton } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import type { OperatorRecord } from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { Notice } from '../platform/notice.tsx';
import { errorWords, longDate, timeOfDay } from '../platform/words.ts';
import classes from './operator.module.css';

/** What the operators of this server did: read alone, and never changed. */
export function OperatorLog() {
  const { t } = useTranslation();
  const [records, setRecords] = useState<readonly OperatorRecord[]>();
  const [hasMore, setHasMore] = useState(false);
  const [problem, setProblem] = useState<unknown>();

  const load = useCallback(async (after?: OperatorRecord) => {
    setProblem(undefined);
    try {
      const page = await client.desk.listRecords(after === undefined ? {} : { after: after.id });
      setRecords((known) => (after === undefined ? page.records : [...(known ?? []), ...page.records]));
      setHasMore(page.hasMore);
    } catch (error) {
      setProblem(error);
    }
  }, []);
  useEffect(() => void load(), [load]);

  return (
    <div className={classes.schools}>
      <h1 className={classes.title}>{t('operator.log')}</h1>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void load()} />}
      {records === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton h={64} mt="md" radius="lg" />
          <Skeleton h={64} mt="sm" radius="lg" />
        </div>
      )}
      {records?.length === 0 && (
        <div className={classes.empty}>
          <Notice
            icon={<IconHistory size={36} />}
            title={t('operator.logEmptyTitle')}
            text={t('operator.logEmptyText')}
          />
        </div>
      )}
      <ol className={classes.hosted} data-testid="operator-log">
        {records?.map((record) => (
          <li key={record.id} className={classes.school}>
            <div className={classes.schoolWords}>
              <div className={classes.schoolName}>
                {t(`operator.logActions.${record.action}`, {
                  operator: record.operator ?? '',
                  application: record.application?.schoolName ?? '',
                  school: record.school?.name ?? '',
                })}
              </div>
              {record.note !== null && <div className={classes.why}>{record.note}</div>}
              <div className={classes.quiet}>
                {[
                  `${longDate(record.at)}, ${timeOfDay(record.at)}`,
                  record.by === null ? t('operator.logByCommand') : t('operator.logBy', { name: record.by }),
                  ...(record.address === null ? [] : [t('operator.logFrom', { address: record.address })]),
                ].join(' · ')}
              </div>
            </div>
          </li>
        ))}
      </ol>
      {hasMore && (
        <Button variant="light" fullWidth mt="md" onClick={() => void load(records?.at(-1))}>
          {t('people.more')}
        </Button>
      )}
    </div>
  );
}
