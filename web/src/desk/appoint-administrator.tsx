import { TextInput } from '@mantine/core';
import { type HostedSchool, schoolLimits } from '@zvonok/client-sdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { plainLine } from './plain-text.ts';

/** Gives a school that has lost all its administrators a new one. */
export function AppointAdministrator({
  school,
  onDone,
  onClose,
}: {
  school: HostedSchool | undefined;
  onDone: (school: HostedSchool) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [fullName, setFullName] = useState('');
  const [phone, setPhone] = useState('');
  const [basis, setBasis] = useState('');
  const [missing, setMissing] = useState(false);
  const typed = { fullName: plainLine(fullName), phone: phone.trim(), basis: plainLine(basis) };
  const problem = missing ? t('operator.appointMissing') : undefined;
  return (
    <Confirm
      opened={school !== undefined}
      title={t('operator.appointTitle', { name: school?.name ?? '' })}
      confirm={t('operator.appoint')}
      isReady={() => {
        const ready = Object.values(typed).every((words) => words !== '');
        setMissing(!ready);
        return ready;
      }}
      onConfirm={async () => {
        if (school === undefined) return;
        onDone((await client.desk.appointAdministrator({ schoolId: school.id, ...typed })).school);
        setFullName('');
        setPhone('');
        setBasis('');
      }}
      onClose={onClose}
    >
      {t('operator.appointText')}
      <TextInput
        mt="md"
        label={t('operator.appointFullName')}
        maxLength={schoolLimits.nameLength}
        value={fullName}
        onChange={(event) => setFullName(event.currentTarget.value)}
        autoComplete="off"
        data-autofocus
        data-testid="appoint-name"
      />
      <TextInput
        mt="sm"
        type="tel"
        label={t('operator.appointPhone')}
        maxLength={32}
        value={phone}
        onChange={(event) => setPhone(event.currentTarget.value)}
        autoComplete="off"
        data-testid="appoint-phone"
      />
      <TextInput
        mt="sm"
        label={t('operator.appointBasis')}
        placeholder={t('operator.appointBasisExample')}
        maxLength={schoolLimits.basisLength}
        value={basis}
        onChange={(event) => setBasis(event.currentTarget.value)}
        autoComplete="off"
        error={problem}
        data-testid="appoint-basis"
      />
    </Confirm>
  );
}
