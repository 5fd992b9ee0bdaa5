import { Badge, Button, Group } from '@mantine/core';
import { type Invite, type MyMembership, may, type Group as SchoolGroup } from '@zvonok/client-sdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { Section } from '../platform/page.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { errorWords, longDate, roleWord } from '../platform/words.ts';
import classes from './invites.module.css';
import { WhoUsed } from './who-used.tsx';

const stateColors = {
  open: 'board',
  suspended: 'red',
  used: 'gray',
  expired: 'gray',
  annulled: 'red',
} as const;

/** The invites made so far, whatever became of them; open ones can be annulled, one or all. */
export function InviteList({
  membership,
  groups,
  invites,
  reload,
}: {
  membership: MyMembership;
  groups: readonly SchoolGroup[];
  invites: readonly Invite[];
  reload: () => void;
}) {
  const { t } = useTranslation();
  const [annulling, setAnnulling] = useState<Invite>();
  const [annullingAll, setAnnullingAll] = useState(false);
  const nameOf = (invite: Invite) => {
    const group = groups.find((each) => each.id === invite.groupId);
    const place =
      group?.kind === 'staff' ? t(`words.${membership.vocabulary}.staffRoom`) : (group?.name ?? '');
    return [roleWord(invite.role, membership.vocabulary, t), place, invite.subject]
      .filter((part) => part !== null)
      .join(' · ');
  };
  const isUnclaimed = (invite: Invite) => invite.state === 'open' || invite.state === 'suspended';
  const open = invites.filter(isUnclaimed);
  async function resume(invite: Invite) {
    try {
      await client.school.resumeInvite({ as: membership.id, inviteId: invite.id });
      tell(t('invites.resumed'));
      reload();
    } catch (error) {
      tellError(errorWords(error, t));
    }
  }

  return (
    <Section
      title={t('invites.list')}
      action={
        open.length > 1 && (
          <Button
            size="xs"
            variant="light"
            color="red"
            onClick={() => setAnnullingAll(true)}
            data-testid="annul-all"
          >
            {t('invites.annulAll')}
          </Button>
        )
      }
    >
      {invites.length === 0 ? (
        <p className={classes.quiet}>{t('invites.listEmpty')}</p>
      ) : (
        <ul className={classes.invites} data-testid="invites">
          {invites.map((invite) => (
            <li key={invite.id} className={classes.invite} data-state={invite.state}>
              <div className={classes.inviteWords}>
                <div className={classes.inviteName}>{nameOf(invite)}</div>
                <div className={classes.quiet}>
                  {t('invites.used', { used: invite.used, uses: invite.uses })} ·{' '}
                  {t('invites.until', { when: longDate(invite.expiresAt) })}
                  {invite.needsApproval && ` · ${t('invites.byApproval')}`}
                  {invite.match === 'roster' && ` · ${t('invites.byRoster')}`}
                </div>
                {invite.state === 'suspended' && (
                  <div className={classes.quiet}>{t('invites.suspendedText')}</div>
                )}
                {invite.used > 0 && <WhoUsed as={membership.id} invite={invite} />}
              </div>
              <Group gap="xs" wrap="nowrap">
                <Badge color={stateColors[invite.state]} variant="light" size="lg" tt="none" fw={600}>
                  {t(`invites.state.${invite.state}`)}
                </Badge>
                {invite.state === 'suspended' && may('annulInvites', membership) && (
                  <Button size="xs" variant="light" onClick={() => void resume(invite)}>
                    {t('invites.resume')}
                  </Button>
                )}
                {isUnclaimed(invite) && (
                  <Button
                    size="xs"
                    variant="subtle"
                    color="red"
                    aria-label={t('invites.annulName', { name: nameOf(invite) })}
                    onClick={() => setAnnulling(invite)}
                  >
                    {t('invites.annul')}
                  </Button>
                )}
              </Group>
            </li>
          ))}
        </ul>
      )}
      <Confirm
        opened={annulling !== undefined}
        title={t('invites.annulTitle')}
        confirm={t('invites.annul')}
        danger
        onClose={() => setAnnulling(undefined)}
        onConfirm={async () => {
          if (annulling === undefined) return;
          await client.school.annulInvite({ as: membership.id, inviteId: annulling.id });
          tell(t('invites.annulled'));
          reload();
        }}
      >
        {annulling === undefined ? '' : nameOf(annulling)}. {t('invites.annulText')}
      </Confirm>
      <Confirm
        opened={annullingAll}
        title={t('invites.annulAllTitle')}
        confirm={t('invites.annulAll')}
        danger
        onClose={() => setAnnullingAll(false)}
        onConfirm={async () => {
          const { annulled } = await client.school.annulAllInvites({ as: membership.id });
          tell(t('invites.annulledAll', { count: annulled }));
          reload();
        }}
      >
        {t('invites.annulAllText')}
      </Confirm>
    </Section>
  );
}
