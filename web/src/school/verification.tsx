import { Button, Skeleton } from '@mantine/core';
import { IconRosetteDiscountCheck } from '@tabler/icons-react';
import type { Member } from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Avatar } from '../platform/avatar.tsx';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { usePages } from '../platform/use-pages.ts';
import { errorWords, roleWord } from '../platform/words.ts';
import { DecideRequest } from './decide-request.tsx';
import { VerifyDialog } from './member-dialogs.tsx';
import classes from './people.module.css';
import { RequestList } from './request-card.tsx';
import { useRequests } from './use-requests.ts';

/** Staff who are not verified: those who asked, or for whom the head did, and all others. */
export function Verification() {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const { requests, hasMore, problem, reload, more } = useRequests('toDecide', 'open', 'verifyTeacher');
  const staff = useUnverified();
  const [verifying, setVerifying] = useState<Member>();
  const asked = new Set(requests?.map(({ askedBy, member }) => (member ?? askedBy).membershipId));
  const others = staff.members?.filter((member) => !asked.has(member.membershipId));
  const broken = problem ?? staff.problem;
  const retry = () => {
    reload();
    staff.load();
  };
  return (
    <PageFrame title={t('verification.title')} lead={t('verification.lead')}>
      {broken !== undefined && <LoadFailed words={errorWords(broken, t)} onRetry={retry} />}
      {(requests === undefined || others === undefined) && broken === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton height={240} mt={22} radius={20} />
        </div>
      )}
      {requests?.length === 0 && others?.length === 0 && (
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
            actions={(request) => <DecideRequest request={request} onDone={retry} />}
          />
        </Section>
      )}
      {others !== undefined && others.length > 0 && (
        <Section title={t('verification.others')} lead={t('verification.othersLead')}>
          <ul className={classes.people} data-testid="unverified">
            {others.map((member) => (
              <li key={member.membershipId} className={classes.person}>
                <Avatar name={member.fullName} size={44} />
                <div className={classes.words}>
                  <div className={classes.name}>{member.fullName}</div>
                  <div className={classes.quiet}>{roleWord(member.role, vocabulary, t)}</div>
                </div>
                {member.membershipId !== as && (
                  <Button
                    size="xs"
                    variant="light"
                    aria-label={t('people.verifyName', { name: member.fullName })}
                    onClick={() => setVerifying(member)}
                  >
                    {t('people.verify')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
          {staff.hasMore && (
            <Button variant="light" mt="md" fullWidth onClick={() => void staff.more()}>
              {t('people.more')}
            </Button>
          )}
        </Section>
      )}
      <VerifyDialog member={verifying} onClose={() => setVerifying(undefined)} onDone={retry} />
    </PageFrame>
  );
}

/** All staff who are not verified, read again whenever the school's people change. */
function useUnverified() {
  const { id: as } = useMembership();
  const ask = useCallback(
    async (after?: Member) => {
      const { members, ...rest } = await client.school.listMembers({
        as,
        filter: 'unverifiedStaff',
        ...(after === undefined ? {} : { after: after.membershipId }),
      });
      return { items: members, ...rest };
    },
    [as],
  );
  const { items: members, reload, ...pages } = usePages(ask);
  useEffect(() => client.on('school.peopleChanged', () => void reload()), [reload]);
  return { ...pages, members, load: () => void reload() };
}
