import { Skeleton } from '@mantine/core';
import type { Invite, Group as SchoolGroup } from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame } from '../platform/page.tsx';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords } from '../platform/words.ts';
import { CreateInvite } from './create-invite.tsx';
import { InviteList } from './invite-list.tsx';
import { PersonalCodes } from './personal-codes.tsx';

/** The page of invites, kept true by events while it is open. */
export function Invites() {
  const { t } = useTranslation();
  const membership = useMembership();
  const as = membership.id;
  const [groups, setGroups] = useState<readonly SchoolGroup[]>();
  const [invites, setInvites] = useState<readonly Invite[]>();
  const [problem, setProblem] = useState<unknown>();

  const load = useCallback(() => {
    setProblem(undefined);
    Promise.all([client.school.listGroups({ as }), client.school.listInvites({ as, personal: false })]).then(
      ([groupAnswer, inviteAnswer]) => {
        setGroups(groupAnswer.groups);
        setInvites(inviteAnswer.invites);
      },
      setProblem,
    );
  }, [as]);

  useEffect(() => {
    const stops = [
      client.on('school.inviteChanged', ({ invite }) =>
        setInvites((known) => known && (invite.personName === null ? withInvite(known, invite) : known)),
      ),
      client.on('school.invitesChanged', load),
      client.on('school.groupChanged', load),
    ];
    load();
    return () => {
      for (const stop of stops) stop();
    };
  }, [load]);

  const open = groups?.filter((group) => group.archivedAt === null);
  return (
    <PageFrame title={t('invites.title')} lead={t('invites.lead', { ...formsOf(membership.vocabulary, t) })}>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
      {groups === undefined || open === undefined || invites === undefined ? (
        problem === undefined && (
          <div role="status" aria-busy aria-label={t('common.loading')}>
            <Skeleton height={260} mt={22} radius={20} />
            <Skeleton height={180} mt={22} radius={20} />
          </div>
        )
      ) : (
        <>
          <CreateInvite
            membership={membership}
            groups={open}
            onMade={(invite) => setInvites((known) => known && withInvite(known, invite))}
          />
          <PersonalCodes membership={membership} groups={open} />
          <InviteList membership={membership} groups={groups} invites={invites} reload={load} />
        </>
      )}
    </PageFrame>
  );
}

/** The newest first; a known one is replaced. */
function withInvite(known: readonly Invite[], invite: Invite): readonly Invite[] {
  return [...known.filter((each) => each.id !== invite.id), invite].sort((a, b) => (a.id < b.id ? 1 : -1));
}
