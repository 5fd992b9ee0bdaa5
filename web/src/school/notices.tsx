import { Button, Skeleton } from '@mantine/core';
import { IconMailExclamation, IconShieldCheck, IconUserExclamation } from '@tabler/icons-react';
import type { MembershipId, SchoolNotice } from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, onAny } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { usePages } from '../platform/use-pages.ts';
import { errorWords, moment, momentWithin, roleWord } from '../platform/words.ts';
import classes from './notices.module.css';

type State = 'open' | 'settled';

/** What administrators and heads are told: what waits for them first, then what was looked after. */
export function Notices() {
  const { t } = useTranslation();
  const open = useNotices('open');
  const settled = useNotices('settled');
  const load = () => {
    open.load();
    settled.load();
  };
  const problem = open.problem ?? settled.problem;
  return (
    <PageFrame title={t('notices.title')} lead={t('notices.lead')}>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
      {open.notices === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton height={180} mt={22} radius={20} />
        </div>
      )}
      {open.notices?.length === 0 && (
        <div className={classes.calm}>
          <Notice
            icon={<IconShieldCheck size={36} />}
            title={t('notices.emptyTitle')}
            text={t('notices.emptyText')}
          />
        </div>
      )}
      {open.notices !== undefined && open.notices.length > 0 && (
        <Section title={t('notices.open', { count: open.openCount })}>
          <List of={open} onSettled={load} />
        </Section>
      )}
      {settled.notices !== undefined && settled.notices.length > 0 && (
        <Section title={t('notices.settled')}>
          <List of={settled} onSettled={load} />
        </Section>
      )}
    </PageFrame>
  );
}

/** The notices of one state, read again whenever one is raised or settled. */
function useNotices(state: State) {
  const { id: as } = useMembership();
  const ask = useCallback(
    async (after?: SchoolNotice) => {
      const { notices, ...rest } = await client.school.listNotices({
        as,
        state,
        ...(after === undefined ? {} : { after: after.id }),
      });
      return { items: notices, ...rest };
    },
    [as, state],
  );
  const { items: notices, answer, reload, ...pages } = usePages(ask);
  useEffect(() => onAny(['school.noticeRaised', 'school.noticeSettled'], () => void reload()), [reload]);
  return { ...pages, as, notices, openCount: answer?.openCount ?? 0, load: () => void reload() };
}

function List({ of, onSettled }: { of: ReturnType<typeof useNotices>; onSettled: () => void }) {
  const { t } = useTranslation();
  const [reading, setReading] = useState(false);
  return (
    <>
      <ul className={classes.notices} data-testid="notices">
        {of.notices?.map((notice) => (
          <Entry key={notice.id} as={of.as} notice={notice} onSettled={onSettled} />
        ))}
      </ul>
      {of.hasMore && (
        <Button
          variant="light"
          mt="sm"
          loading={reading}
          onClick={async () => {
            setReading(true);
            await of.more();
            setReading(false);
          }}
        >
          {t('people.more')}
        </Button>
      )}
    </>
  );
}

function Entry({ as, notice, onSettled }: { as: MembershipId; notice: SchoolNotice; onSettled: () => void }) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const [busy, setBusy] = useState(false);
  const { member, other, invite, settledAt, settledBy } = notice;
  const about =
    member !== null
      ? `${member.fullName} · ${roleWord(member.role, vocabulary, t)}`
      : invite !== null
        ? `${roleWord(invite.role, vocabulary, t)} · ${invite.groupName}`
        : '';

  async function settle() {
    setBusy(true);
    try {
      await client.school.settleNotice({ as, noticeId: notice.id });
      tell(t('notices.done'));
      onSettled();
    } catch (error) {
      tellError(errorWords(error, t));
      setBusy(false);
    }
  }

  return (
    <li className={classes.notice} data-state={settledAt === null ? 'open' : 'settled'}>
      <span className={classes.icon} aria-hidden>
        {member === null ? (
          <IconMailExclamation size={22} stroke={1.7} />
        ) : (
          <IconUserExclamation size={22} stroke={1.7} />
        )}
      </span>
      <div className={classes.words}>
        <div className={classes.title}>{t(`notices.kinds.${notice.kind}.title`)}</div>
        <div className={classes.about}>{about}</div>
        {other !== null && (
          <div className={classes.quiet}>
            {t('notices.other', { name: other.fullName, role: roleWord(other.role, vocabulary, t) })}
          </div>
        )}
        {settledAt === null && (
          <p className={classes.text}>
            {t(`notices.kinds.${notice.kind}.text`)} {t(`notices.kinds.${notice.kind}.next`)}
          </p>
        )}
        <div className={classes.quiet}>
          {moment(notice.createdAt, t)}
          {settledAt !== null &&
            ` · ${t('notices.settledBy', {
              name: settledBy?.fullName ?? '',
              when: momentWithin(settledAt, t),
            })}`}
        </div>
      </div>
      {settledAt === null && (
        <Button
          size="sm"
          variant="light"
          loading={busy}
          className={classes.settle ?? ''}
          aria-label={t('notices.settleName', { name: about })}
          onClick={() => void settle()}
          data-testid="settle-notice"
        >
          {t('notices.settle')}
        </Button>
      )}
    </li>
  );
}
