import { Skeleton } from '@mantine/core';
import { IconRosetteDiscountCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { LoadFailed } from '../platform/load-failed.tsx';
import { Notice } from '../platform/notice.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { errorWords } from '../platform/words.ts';
import { DecideRequest } from './decide-request.tsx';
import { RequestList } from './request-card.tsx';
import { useRequests } from './use-requests.ts';

/** Staff who wait to be verified: by their own asking, or by the head's. */
export function Verification() {
  const { t } = useTranslation();
  const { requests, hasMore, problem, reload, more } = useRequests('toDecide', 'open', 'verifyTeacher');
  return (
    <PageFrame title={t('verification.title')} lead={t('verification.lead')}>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={reload} />}
      {requests === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton height={240} mt={22} radius={20} />
        </div>
      )}
      {requests?.length === 0 && (
        <Notice
          icon={<IconRosetteDiscountCheck size={36} />}
          title={t('verification.noneTitle')}
          text={t('verification.none')}
        />
      )}
      {requests !== undefined && requests.length > 0 && (
        <Section title={t('verification.waiting')}>
          <RequestList
            requests={requests}
            hasMore={hasMore}
            onMore={more}
            actions={(request) => <DecideRequest request={request} onDone={reload} />}
          />
        </Section>
      )}
    </PageFrame>
  );
}
