import { Alert, Button, NativeSelect } from '@mantine/core';
import { IconPrinter } from '@tabler/icons-react';
import {
  type GroupId,
  type MyMembership,
  mayInGroup,
  type PersonalCode,
  type Group as SchoolGroup,
} from '@zvonok/client-sdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { QRCode } from 'react-qr-code';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { Section } from '../platform/page.tsx';
import { longDate, roleWord } from '../platform/words.ts';
import classes from './personal-codes.module.css';

interface Sheet {
  readonly groupName: string;
  readonly codes: readonly PersonalCode[];
  readonly expiresAt: string | null;
}

/** Codes of one use for everybody expected in a class who has not come: a sheet to print, cut and hand out. */
export function PersonalCodes({
  membership,
  groups,
}: {
  membership: MyMembership;
  groups: readonly SchoolGroup[];
}) {
  const { t } = useTranslation();
  const [groupId, setGroupId] = useState<GroupId>();
  const [asking, setAsking] = useState(false);
  /** The tokens are here and nowhere else: whoever leaves the page makes new ones. */
  const [sheet, setSheet] = useState<Sheet>();
  const choices = groups.filter(
    (group) =>
      group.kind === 'class' &&
      mayInGroup('invitePupils', membership, group.id) &&
      mayInGroup('inviteGuardians', membership, group.id),
  );
  const chosen = choices.find((group) => group.id === groupId) ?? choices[0];
  if (chosen === undefined) return null;
  return (
    <Section title={t('codes.title')} lead={t('codes.lead')}>
      <div className={classes.form}>
        <NativeSelect
          label={t(`words.${membership.vocabulary}.group`)}
          value={chosen.id}
          onChange={(event) => {
            setGroupId(event.currentTarget.value as GroupId);
            setSheet(undefined);
          }}
          data={choices.map((group) => ({ value: group.id, label: group.name }))}
          data-testid="codes-group"
        />
        <Button onClick={() => setAsking(true)} data-testid="make-codes">
          {t('codes.make')}
        </Button>
      </div>
      <Confirm
        opened={asking}
        title={t('codes.confirmTitle', { group: chosen.name })}
        confirm={t('codes.make')}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          const made = await client.school.createPersonalInvites({ as: membership.id, groupId: chosen.id });
          setSheet({ groupName: chosen.name, ...made });
        }}
      >
        {t('codes.confirmText')}
      </Confirm>
      {sheet !== undefined && sheet.codes.length === 0 && <Alert mt="md">{t('codes.nobody')}</Alert>}
      {sheet !== undefined && sheet.codes.length > 0 && (
        <>
          <Alert mt="md" color="brass">
            {t('codes.once')}
          </Alert>
          <Button
            mt="md"
            leftSection={<IconPrinter size={20} aria-hidden />}
            onClick={() => window.print()}
            data-testid="print-codes"
          >
            {t('codes.print')}
          </Button>
          <div className={classes.sheet} data-print data-testid="codes">
            {sheet.codes.map((code) => {
              const link = `${location.origin}/invite#${code.token}`;
              return (
                <div key={code.inviteId} className={classes.slip} data-testid="code">
                  <div className={classes.qr}>
                    <QRCode
                      value={link}
                      size={120}
                      level="M"
                      bgColor="#ffffff"
                      fgColor="#1d2b26"
                      title={t('invites.qr')}
                      style={{ width: '100%', height: 'auto' }}
                    />
                  </div>
                  <div>
                    <div className={classes.name}>{code.fullName}</div>
                    <div>
                      {roleWord(code.role, membership.vocabulary, t)} · {sheet.groupName}
                      {code.children.length > 0 &&
                        ` · ${t('codes.childOf', { names: code.children.join(', ') })}`}
                    </div>
                    <div className={classes.small}>{membership.schoolName}</div>
                    <div className={classes.small}>
                      {t('codes.how')}
                      {sheet.expiresAt !== null &&
                        ` ${t('codes.until', { when: longDate(sheet.expiresAt) })}`}
                    </div>
                    <div className={classes.link}>{link}</div>
                  </div>
                </div>
              );
            })}
          </div>
        </>
      )}
    </Section>
  );
}
