import { NativeSelect, Stack, Textarea } from '@mantine/core';
import {
  type Group,
  type GroupId,
  type Member,
  type MembershipId,
  type RequestedAction,
  schoolLimits,
} from '@zvonok/client-sdk';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { plainParagraph } from '../desk/plain-text.ts';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { errorWords } from '../platform/words.ts';
import classes from './people.module.css';

/** What can be asked for about somebody, by staff who may not do it themselves. */
export const wishes = ['transfer', 'graduated', 'expelled', 'left'] as const;
export type Wish = (typeof wishes)[number];

type Person = Pick<Member, 'membershipId' | 'fullName'> & { readonly groupId: GroupId | null };

/** Asks whoever may to move somebody or to end their membership: what and why. */
export function AskToMove({
  wish,
  person,
  groups,
  onClose,
}: {
  /** Undefined: the dialog is closed. */
  wish: Wish | undefined;
  person: Person | undefined;
  groups: readonly Group[];
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const [groupId, setGroupId] = useState('');
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState(false);
  const [shown, setShown] = useState<Wish>('transfer');
  useEffect(() => {
    if (wish === undefined) return;
    // What it is about stays while the dialog fades away.
    setShown(wish);
    setGroupId('');
    setReason('');
    setMissing(false);
  }, [wish]);
  return (
    <Confirm
      opened={wish !== undefined && person !== undefined}
      title={t(`requests.moveTitles.${shown}`, { name: person?.fullName ?? '' })}
      confirm={t('requests.send')}
      isReady={() => {
        setMissing(wish === 'transfer' && groupId === '');
        return wish !== 'transfer' || groupId !== '';
      }}
      onClose={onClose}
      onConfirm={async () => {
        if (wish === undefined || person === undefined) return;
        const { membershipId } = person;
        const what: RequestedAction =
          wish === 'transfer'
            ? { kind: 'transferMember', membershipId, groupId: groupId as GroupId }
            : { kind: 'endMembership', membershipId, endReason: wish };
        const why = plainParagraph(reason);
        await client.school.createRequest({ as, what, ...(why === '' ? {} : { reason: why }) });
        tell(t('requests.sent'));
      }}
    >
      <p className={classes.why}>{t('requests.moveText')}</p>
      <Stack gap="sm">
        {shown === 'transfer' && (
          <NativeSelect
            label={t(`words.${vocabulary}.group`)}
            value={groupId}
            error={missing ? t('people.chooseGroup') : undefined}
            onChange={(event) => {
              setGroupId(event.currentTarget.value);
              setMissing(false);
            }}
            data={[
              { value: '', label: t('people.chooseGroup') },
              ...groups
                .filter(
                  (group) =>
                    group.kind === 'class' && group.archivedAt === null && group.id !== person?.groupId,
                )
                .map((group) => ({ value: group.id, label: group.name })),
            ]}
            data-testid="ask-group"
          />
        )}
        <Why value={reason} onChange={setReason} />
      </Stack>
    </Confirm>
  );
}

/** Asks whoever may to link a guardian, of those who came for the class, to a pupil of it. */
export function AskToLink({ child, onClose }: { child: Person | undefined; onClose: () => void }) {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const [guardians, setGuardians] = useState<readonly Member[]>();
  const [guardianId, setGuardianId] = useState('');
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    if (child === undefined) return;
    const { groupId } = child;
    setGuardians(undefined);
    setGuardianId('');
    setReason('');
    setMissing(false);
    client.school.listMembers({ as, role: 'guardian', limit: schoolLimits.membersListed }).then(
      ({ members }) => setGuardians(members.filter((each) => each.groupId === groupId)),
      (error: unknown) => {
        tellError(errorWords(error, t));
        onClose();
      },
    );
  }, [as, child, onClose, t]);
  const nobody = guardians?.length === 0;
  return (
    <Confirm
      opened={child !== undefined && guardians !== undefined}
      title={t('requests.linkTitle', { name: child?.fullName ?? '' })}
      confirm={t(nobody ? 'common.close' : 'requests.send')}
      isReady={() => {
        setMissing(guardianId === '');
        return nobody || guardianId !== '';
      }}
      onClose={onClose}
      onConfirm={async () => {
        if (child === undefined || nobody) return;
        const why = plainParagraph(reason);
        await client.school.createRequest({
          as,
          what: {
            kind: 'linkGuardian',
            guardianId: guardianId as MembershipId,
            childId: child.membershipId,
          },
          ...(why === '' ? {} : { reason: why }),
        });
        tell(t('requests.sent'));
      }}
    >
      <p className={classes.why}>{t(nobody ? 'requests.linkNobody' : 'requests.linkText')}</p>
      {!nobody && (
        <Stack gap="sm">
          <NativeSelect
            label={t('requests.linkGuardian')}
            value={guardianId}
            error={missing ? t('requests.linkChoose') : undefined}
            onChange={(event) => {
              setGuardianId(event.currentTarget.value);
              setMissing(false);
            }}
            data={[
              { value: '', label: t('requests.linkChoose') },
              ...(guardians ?? []).map((each) => ({ value: each.membershipId, label: each.fullName })),
            ]}
            data-testid="ask-guardian"
          />
          <Why value={reason} onChange={setReason} />
        </Stack>
      )}
    </Confirm>
  );
}

function Why({ value, onChange }: { value: string; onChange: (typed: string) => void }) {
  const { t } = useTranslation();
  return (
    <Textarea
      label={t('requests.moveWhy')}
      autosize
      minRows={2}
      maxLength={schoolLimits.reasonLength}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
