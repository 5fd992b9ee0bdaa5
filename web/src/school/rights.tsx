import { Badge, Switch } from '@mantine/core';
import { isSet, settingNames } from '@zvonok/client-sdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tellError } from '../platform/tell.ts';
import { tellUndo } from '../platform/tell-undo.tsx';
import { type Forms, formsOf } from '../platform/vocabulary.ts';
import { errorWords } from '../platform/words.ts';
import classes from './rights.module.css';

type Shown = (typeof settingNames)[number];
type Part = 'invites' | 'requests' | 'channels' | 'chats' | 'direct';

/** Where each switch stands on the page. A new one is given its place, and words under `rights`. */
const partOf: { readonly [Name in Shown]: Part } = {
  'invitePupils.ST': 'invites',
  'inviteGuardians.HD': 'invites',
  'inviteGuardians.ST': 'invites',
  'decidePupilRequests.CT': 'requests',
  'postGeneralChannel.HD': 'channels',
  'readGeneralChannel.TU': 'channels',
  'readGeneralChannel.PU': 'channels',
  'readStaffChannel.TU': 'channels',
  'writeParentsChat.PV': 'chats',
  'directWithStaff.SU': 'direct',
  'directPupilToPupil.SU': 'direct',
  'startDirectCall.SU': 'direct',
};
const parts = [...new Set(Object.values(partOf))];

/** The switches of the permission table that a school may turn, in sentences. */
export function RightsPage() {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const forms = formsOf(vocabulary, t);
  return (
    <PageFrame title={t('rights.title')} lead={t('rights.lead')}>
      {parts.map((part) => (
        <Section key={part} title={t(`rights.parts.${part}`)}>
          <ul className={classes.settings}>
            {settingNames
              .filter((name) => partOf[name] === part)
              .map((name) => (
                <Setting key={name} name={name} forms={forms} />
              ))}
          </ul>
        </Section>
      ))}
    </PageFrame>
  );
}

/** One switch: turned at once, and back by the same stroke for a while. */
function Setting({ name, forms }: { name: Shown; forms: Forms }) {
  const { t } = useTranslation();
  const { id: as, settings } = useMembership();
  /** What was asked for and is not known to hold yet. */
  const [asked, setAsked] = useState<boolean>();
  const on = isSet(name, settings);
  const usual = isSet(name, {});
  const title = t(`rights.${name}.title`, { ...forms });

  async function turn(wanted: boolean) {
    setAsked(wanted);
    try {
      await client.school.changeSettings({ as, settings: { [name]: wanted } });
      await client.accounts.getMe();
    } finally {
      setAsked(undefined);
    }
  }

  async function choose(wanted: boolean) {
    try {
      await turn(wanted);
      tellUndo(t(wanted ? 'rights.on' : 'rights.off', { title }), () => turn(!wanted));
    } catch (error) {
      tellError(errorWords(error, t));
    }
  }

  return (
    <li className={classes.setting}>
      <Switch
        checked={asked ?? on}
        disabled={asked !== undefined}
        onChange={(event) => void choose(event.currentTarget.checked)}
        label={title}
        description={t(`rights.${name}.text`, { ...forms })}
        labelPosition="left"
        size="md"
        classNames={{ body: classes.body ?? '', labelWrapper: classes.label ?? '' }}
        data-testid={`setting-${name}`}
      />
      <div className={classes.marks}>
        <span className={classes.quiet}>{t(usual ? 'rights.usualOn' : 'rights.usualOff')}</span>
        {on !== usual && (
          <Badge color="brass" variant="light" tt="none" fw={600}>
            {t('rights.changed')}
          </Badge>
        )}
      </div>
    </li>
  );
}
