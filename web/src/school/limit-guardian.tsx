import { Radio, Stack, TextInput } from '@mantine/core';
import { type GuardianOfPupil, type RegisterPupil, schoolLimits } from '@zvonok/client-sdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tell } from '../platform/tell.ts';
import { formsOf } from '../platform/vocabulary.ts';

const standings = ['full', 'read', 'none'] as const;
type Standing = (typeof standings)[number];

const standingOf = ({ mayBeInformed, mayBeContacted }: GuardianOfPupil): Standing =>
  mayBeContacted ? 'full' : mayBeInformed ? 'read' : 'none';

/** How far a guardian may be told of a child and spoken with about it. */
export function LimitGuardian({
  child,
  guardian,
  onClose,
  onDone,
}: {
  child: RegisterPupil;
  guardian: GuardianOfPupil;
  onClose: () => void;
  onDone: () => void;
}) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const forms = formsOf(vocabulary, t);
  const [standing, setStanding] = useState<Standing>(standingOf(guardian));
  const [reason, setReason] = useState(guardian.limitReason ?? '');
  const [missing, setMissing] = useState(false);
  const names = {
    full: 'register.full',
    read: 'register.notContacted',
    none: 'register.notInformed',
  } as const;
  const texts = { full: 'register.fullText', read: 'register.readText', none: 'register.noneText' } as const;
  return (
    <Confirm
      opened
      title={t('register.limitTitle', { name: guardian.fullName })}
      confirm={t('register.save')}
      isReady={() => {
        const ready = standing === 'full' || reason.trim() !== '';
        setMissing(!ready);
        return ready;
      }}
      onClose={onClose}
      onConfirm={async () => {
        await client.school.limitGuardian({
          as,
          guardianId: guardian.membershipId,
          childId: child.membershipId,
          mayBeInformed: standing !== 'none',
          mayBeContacted: standing === 'full',
          ...(standing === 'full' ? {} : { reason: reason.trim() }),
        });
        tell(t('register.saved'));
        onDone();
      }}
    >
      <Stack gap="md">
        {child.fullName}
        <Radio.Group value={standing} onChange={(value) => setStanding(value as Standing)}>
          <Stack gap="sm">
            {standings.map((each) => (
              <Radio
                key={each}
                value={each}
                label={t(names[each])}
                description={t(texts[each], { ...forms })}
              />
            ))}
          </Stack>
        </Radio.Group>
        {standing !== 'full' && (
          <>
            <TextInput
              label={t('register.reason')}
              placeholder={t('register.reasonExample')}
              maxLength={schoolLimits.reasonLength}
              value={reason}
              onChange={(event) => {
                setReason(event.currentTarget.value);
                setMissing(false);
              }}
              error={missing ? t('register.reasonMissing') : undefined}
            />
            <span>{t('register.untold')}</span>
          </>
        )}
      </Stack>
    </Confirm>
  );
}
