import { Anchor } from '@mantine/core';
import type { Invite, MembershipId, Redemption } from '@zvonok/client-sdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { tellError } from '../platform/tell.ts';
import { errorWords, momentWithin } from '../platform/words.ts';
import classes from './invites.module.css';

/** Who came by an invite; asked for when it is opened. */
export function WhoUsed({ as, invite }: { as: MembershipId; invite: Invite }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState<readonly Redemption[]>();

  async function toggle() {
    if (shown !== undefined) {
      setShown(undefined);
      return;
    }
    try {
      setShown((await client.school.listRedemptions({ as, inviteId: invite.id })).redemptions);
    } catch (error) {
      tellError(errorWords(error, t));
    }
  }

  return (
    <>
      <Anchor
        component="button"
        type="button"
        size="sm"
        aria-expanded={shown !== undefined}
        onClick={() => void toggle()}
      >
        {t('invites.whoUsed')}
      </Anchor>
      {shown !== undefined && (
        <ul className={classes.used}>
          {shown.map((each) => (
            <li key={`${each.at} ${each.fullName}`}>
              {each.fullName} · {t(`invites.redemption.${each.state}`)} · {momentWithin(each.at, t)}
              {each.onRoster === false && ` · ${t('invites.notOnRoster')}`}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
