import { Button, Skeleton, Tabs } from '@mantine/core';
import { IconInbox } from '@tabler/icons-react';
import { mightDo } from '@zvonok/client-sdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords } from '../platform/words.ts';
import { AskForChild } from './ask.tsx';
import { DecideRequest } from './decide-request.tsx';
import { RequestList } from './request-card.tsx';
import classes from './requests.module.css';
import { useRequests } from './use-requests.ts';

/** What people asked for: of those who decide, and one's own. */
export function Requests() {
  const { t } = useTranslation();
  const membership = useMembership();
  const decides = (['verifyTeacher', 'postGeneralChannel', 'postStaffChannel'] as const).some((permission) =>
    mightDo(permission, membership),
  );
  const asks = !membership.standings.includes('SA');
  const [chosen, choose] = useState<'mine' | 'toDecide'>(decides ? 'toDecide' : 'mine');
  return (
    <PageFrame title={t('requests.title')} lead={t('requests.lead')}>
      {decides && asks && (
        <Tabs
          value={chosen}
          onChange={(value) => choose(value === 'mine' ? 'mine' : 'toDecide')}
          className={classes.tabs ?? ''}
        >
          <Tabs.List>
            <Tabs.Tab value="toDecide">{t('requests.toDecide')}</Tabs.Tab>
            <Tabs.Tab value="mine">{t('requests.mine')}</Tabs.Tab>
          </Tabs.List>
        </Tabs>
      )}
      {membership.role === 'guardian' && (
        <div className={classes.ask}>
          <AskForChild />
        </div>
      )}
      <Both key={chosen} which={chosen} />
    </PageFrame>
  );
}

function Both({ which }: { which: 'mine' | 'toDecide' }) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const open = useRequests(which, 'open');
  const closed = useRequests(which, 'closed');
  const problem = open.problem ?? closed.problem;
  const reload = () => {
    open.reload();
    closed.reload();
  };
  if (problem !== undefined) return <LoadFailed words={errorWords(problem, t)} onRetry={reload} />;
  if (open.requests === undefined || closed.requests === undefined) {
    return (
      <div role="status" aria-busy aria-label={t('common.loading')}>
        <Skeleton height={240} mt={22} radius={20} />
      </div>
    );
  }
  if (open.requests.length === 0 && closed.requests.length === 0) {
    return (
      <Notice
        icon={<IconInbox size={36} />}
        title={t(which === 'mine' ? 'requests.noneMineTitle' : 'requests.noneTitle')}
        text={t(which === 'mine' ? 'requests.noneMine' : 'requests.none', { ...formsOf(vocabulary, t) })}
      />
    );
  }
  return (
    <>
      {open.requests.length > 0 && (
        <Section title={t('requests.open')}>
          <RequestList
            requests={open.requests}
            hasMore={open.hasMore}
            onMore={open.more}
            actions={(request) =>
              which === 'toDecide' ? (
                <DecideRequest request={request} onDone={reload} />
              ) : (
                <Button
                  size="sm"
                  variant="default"
                  onClick={() =>
                    void client.school.withdrawRequest({ as, requestId: request.id }).then(
                      () => {
                        tell(t('requests.withdrawn'));
                        reload();
                      },
                      (error: unknown) => tellError(errorWords(error, t)),
                    )
                  }
                  data-testid="withdraw"
                >
                  {t('requests.withdraw')}
                </Button>
              )
            }
          />
        </Section>
      )}
      {closed.requests.length > 0 && (
        <Section title={t('requests.closed')}>
          <RequestList requests={closed.requests} hasMore={closed.hasMore} onMore={closed.more} />
        </Section>
      )}
    </>
  );
}
