import { Checkbox, NativeSelect, Stack, TextInput } from '@mantine/core';
import {
  type ConversationId,
  type Group,
  type HandOverPlan,
  type Member,
  type MembershipId,
  mightDo,
  schoolLimits,
} from '@zvonok/client-sdk';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { plainLine, plainParagraph } from '../desk/plain-text.ts';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords } from '../platform/words.ts';
import { attachmentWords, groupNameOf } from './member-words.ts';
import classes from './people.module.css';
import { useTeachers } from './use-teachers.ts';

interface DialogProps {
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** What the dialog is about stays in it while it fades away. */
function useLast<T>(value: T | undefined): T | undefined {
  const [last, setLast] = useState(value);
  useEffect(() => {
    if (value !== undefined) setLast(value);
  }, [value]);
  return value ?? last;
}

const several = (members: readonly Member[]) => (members.length === 0 ? undefined : members);

/** Confirms a member of staff; whoever may not, asks somebody who may. */
export function VerifyDialog({ member, onClose, onDone }: DialogProps & { member: Member | undefined }) {
  const { t } = useTranslation();
  const membership = useMembership();
  const { id: as } = membership;
  const mayVerify = mightDo('verifyTeacher', membership);
  const [basis, setBasis] = useState('');
  const name = useLast(member)?.fullName ?? '';
  useEffect(() => {
    if (member !== undefined) setBasis('');
  }, [member]);
  return (
    <Confirm
      opened={member !== undefined}
      title={t(mayVerify ? 'people.verifyTitle' : 'people.askVerifyTitle', { name })}
      confirm={t(mayVerify ? 'people.verify' : 'requests.send')}
      onClose={onClose}
      onConfirm={async () => {
        if (member === undefined) return;
        if (!mayVerify) {
          const { membershipId } = member;
          await client.school.createRequest({
            as,
            what: { kind: 'verifyTeacher', membershipId, basis: plainLine(basis) },
          });
          tell(t('requests.sent'));
          return;
        }
        await client.school.verifyTeacher({ as, membershipId: member.membershipId, basis: basis.trim() });
        tell(t('people.verified', { name }));
        onDone();
      }}
    >
      <p className={classes.why}>{t(mayVerify ? 'people.verifyText' : 'people.askVerifyText')}</p>
      <TextInput
        label={t('people.basis')}
        placeholder={t('people.basisExample')}
        maxLength={300}
        value={basis}
        onChange={(event) => setBasis(event.currentTarget.value)}
      />
    </Confirm>
  );
}

/** Takes a verification back, for a reason that the record keeps. */
export function RevokeDialog({ member, onClose, onDone }: DialogProps & { member: Member | undefined }) {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const [reason, setReason] = useState('');
  const name = useLast(member)?.fullName ?? '';
  useEffect(() => {
    if (member !== undefined) setReason('');
  }, [member]);
  return (
    <Confirm
      opened={member !== undefined}
      danger
      title={t('people.revokeTitle', { name })}
      confirm={t('people.revoke')}
      onClose={onClose}
      onConfirm={async () => {
        if (member === undefined) return;
        const { membershipId } = member;
        await client.school.revokeVerification({ as, membershipId, reason: plainParagraph(reason) });
        tell(t('people.revoked', { name }));
        onDone();
      }}
    >
      <p className={classes.why}>{t('people.revokeText')}</p>
      <TextInput
        label={t('people.revokeReason')}
        maxLength={schoolLimits.reasonLength}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        data-testid="revoke-reason"
      />
    </Confirm>
  );
}

export function CorrectDialog({ member, onClose, onDone }: DialogProps & { member: Member | undefined }) {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const [fullName, setFullName] = useState('');
  useEffect(() => {
    if (member !== undefined) setFullName(member.fullName);
  }, [member]);
  return (
    <Confirm
      opened={member !== undefined}
      title={t('people.correct')}
      confirm={t('people.save')}
      onClose={onClose}
      onConfirm={async () => {
        if (member === undefined) return;
        const { membershipId } = member;
        await client.school.correctMember({ as, membershipId, fullName: fullName.trim() });
        tell(t('people.corrected'));
        onDone();
      }}
    >
      <p className={classes.why}>{t('people.correctText')}</p>
      <TextInput
        label={t('people.fullName')}
        maxLength={120}
        value={fullName}
        onChange={(event) => setFullName(event.currentTarget.value)}
      />
    </Confirm>
  );
}

/** Asks where to, and says what a transfer does to what the pupils see. */
export function TransferDialog({
  members,
  groups,
  onClose,
  onDone,
}: DialogProps & { members: readonly Member[]; groups: readonly Group[] }) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const [groupId, setGroupId] = useState('');
  const [missing, setMissing] = useState(false);
  const shown = useLast(several(members)) ?? [];
  const from = new Set(shown.map((member) => member.groupId));
  return (
    <Confirm
      opened={members.length > 0}
      title={t('people.transferTitle', { count: shown.length, name: shown[0]?.fullName ?? '' })}
      confirm={t('people.transfer')}
      isReady={() => {
        setMissing(groupId === '');
        return groupId !== '';
      }}
      onClose={onClose}
      onConfirm={async () => {
        const { transferred } = await client.school.transferMembers({
          as,
          membershipIds: members.map((member) => member.membershipId),
          groupId: groupId as Group['id'],
        });
        tell(t('people.transferred', { count: transferred }));
        onDone();
      }}
    >
      <p className={classes.why}>{t('people.transferText', { ...formsOf(vocabulary, t) })}</p>
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
            .filter((group) => from.size > 1 || !from.has(group.id))
            .map((group) => ({ value: group.id, label: group.name })),
        ]}
      />
    </Confirm>
  );
}

/** Asks before people leave; it can be taken back for a day. */
export function EndDialog({
  members,
  reason,
  onClose,
  onDone,
}: DialogProps & { members: readonly Member[]; reason: 'left' | 'expelled' | 'graduated' }) {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const shown = useLast(several(members)) ?? [];
  return (
    <Confirm
      opened={members.length > 0}
      danger
      title={t(`people.endTitles.${reason}`, { count: shown.length, name: shown[0]?.fullName ?? '' })}
      confirm={t(`people.endWords.${reason}`)}
      onClose={onClose}
      onConfirm={async () => {
        const membershipIds = members.map((member) => member.membershipId);
        await client.school.endMemberships({ as, membershipIds, reason });
        tell(t('people.ended', { count: membershipIds.length }));
        onDone();
      }}
    >
      <p className={classes.why}>{t('people.endText')}</p>
    </Confirm>
  );
}

/** Whoever leaves, or goes on with less, hands their classes to another teacher. */
export function HandOverDialog({
  member,
  groups,
  onClose,
  onDone,
}: DialogProps & { member: Member | undefined; groups: readonly Group[] }) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const [plan, setPlan] = useState<HandOverPlan>();
  const everybody = useTeachers(member !== undefined);
  const teachers = (everybody ?? []).filter(
    (each) => each.verified && each.membershipId !== member?.membershipId,
  );
  const [toId, setToId] = useState('');
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [leaves, setLeaves] = useState(true);
  const [missing, setMissing] = useState(false);
  const name = useLast(member)?.fullName ?? '';

  useEffect(() => {
    if (member === undefined) return;
    const { membershipId } = member;
    setPlan(undefined);
    setToId('');
    setLeft(new Set());
    client.school.planHandOver({ as, membershipId }).then(setPlan, (error: unknown) => {
      tellError(errorWords(error, t));
      onClose();
    });
  }, [as, member, onClose, t]);

  const taught =
    plan?.attachments.map(({ subject, groupId }) =>
      attachmentWords(subject, groupNameOf(groups, groupId) ?? '', vocabulary, t),
    ) ?? [];
  const toggle = (key: string, on: boolean) =>
    setLeft((known) => {
      const next = new Set(known);
      if (on) next.delete(key);
      else next.add(key);
      return next;
    });
  return (
    <Confirm
      opened={member !== undefined && plan !== undefined && everybody !== undefined}
      title={t('people.handOverTitle', { name })}
      confirm={leaves ? t('people.handOverLeave') : t('people.handOver')}
      danger={leaves}
      isReady={() => {
        setMissing(toId === '');
        return toId !== '';
      }}
      onClose={onClose}
      onConfirm={async () => {
        if (member === undefined || plan === undefined) return;
        await client.school.handOver({
          as,
          membershipId: member.membershipId,
          toId: toId as MembershipId,
          attachments: plan.attachments.filter((_each, index) => !left.has(String(index))),
          conversationIds: plan.conversations
            .map((each): ConversationId => each.conversationId)
            .filter((id) => !left.has(id)),
          leaves,
        });
        tell(t('people.handedOver'));
        onDone();
      }}
    >
      <p className={classes.why}>{t('people.handOverText')}</p>
      <Stack gap="sm">
        <NativeSelect
          label={t('people.successor')}
          value={toId}
          error={missing ? t('people.chooseSuccessor') : undefined}
          onChange={(event) => {
            setToId(event.currentTarget.value);
            setMissing(false);
          }}
          data={[
            { value: '', label: t('people.chooseSuccessor') },
            ...teachers.map((each) => ({ value: each.membershipId, label: each.fullName })),
          ]}
        />
        {taught.map((words, index) => (
          <Checkbox
            key={words}
            label={words}
            checked={!left.has(String(index))}
            onChange={(event) => toggle(String(index), event.currentTarget.checked)}
          />
        ))}
        {plan?.conversations.map((each) => (
          <Checkbox
            key={each.conversationId}
            label={t('people.chatNamed', { title: each.title ?? '' })}
            checked={!left.has(each.conversationId)}
            onChange={(event) => toggle(each.conversationId, event.currentTarget.checked)}
          />
        ))}
        <Checkbox
          label={t('people.leavesToo')}
          checked={leaves}
          onChange={(event) => setLeaves(event.currentTarget.checked)}
        />
      </Stack>
    </Confirm>
  );
}
