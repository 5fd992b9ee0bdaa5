import { Alert, Button, Checkbox, NativeSelect, NumberInput, Stack, TextInput } from '@mantine/core';
import {
  type GroupId,
  type InvitableRole,
  type Invite,
  type MyMembership,
  mayInGroup,
  mightDo,
  type Group as SchoolGroup,
  schoolLimits,
} from '@zvonok/client-sdk';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { plainLine } from '../desk/plain-text.ts';
import { client } from '../platform/client.ts';
import { Section } from '../platform/page.tsx';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords, roleWord } from '../platform/words.ts';
import classes from './invites.module.css';
import { MadeInvite } from './made-invite.tsx';

const dayMs = 24 * 60 * 60_000;
const lives = [1, 7, 14, 30, 90];
const usualDays = 14;
const usualUses: Record<InvitableRole, number> = { pupil: 30, guardian: 60, teacher: 1, head: 1 };

function rolesOf(membership: MyMembership): InvitableRole[] {
  const roles: InvitableRole[] = [];
  if (mightDo('invitePupils', membership)) roles.push('pupil');
  if (mightDo('inviteGuardians', membership)) roles.push('guardian');
  if (mightDo('inviteStaff', membership)) roles.push('teacher', 'head');
  return roles;
}

/** The form of a new invite, for the roles that `membership` may invite; then the invite it made. */
export function CreateInvite({
  membership,
  groups,
  onMade,
}: {
  membership: MyMembership;
  groups: readonly SchoolGroup[];
  onMade: (invite: Invite) => void;
}) {
  const { t } = useTranslation();
  const roles = rolesOf(membership);
  const [role, setRole] = useState<InvitableRole>(roles[0] ?? 'pupil');
  const [groupId, setGroupId] = useState<GroupId>();
  const [uses, setUses] = useState<number>(usualUses[role]);
  const [days, setDays] = useState(usualDays);
  const [subject, setSubject] = useState('');
  const [needsApproval, setNeedsApproval] = useState(false);
  const [match, setMatch] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [made, setMade] = useState<{ invite: Invite; token: string }>();

  const ofClass = role === 'pupil' || role === 'guardian';
  const taught = role === 'teacher' && plainLine(subject) !== '';
  const bound = ofClass || taught;
  const permission =
    role === 'pupil' ? 'invitePupils' : role === 'guardian' ? 'inviteGuardians' : 'attachTeachers';
  const choices = bound
    ? groups.filter((group) => group.kind === 'class' && mayInGroup(permission, membership, group.id))
    : [];
  const chosen = choices.find((group) => group.id === groupId) ?? choices[0];

  async function create(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const answer = await client.school.createInvite({
        as: membership.id,
        role,
        ...(bound && chosen !== undefined ? { groupId: chosen.id } : {}),
        ...(taught ? { subject: plainLine(subject) } : {}),
        ...(needsApproval ? { needsApproval } : {}),
        ...(match ? { match: 'roster' as const } : {}),
        uses,
        lifeMs: days * dayMs,
      });
      setMade(answer);
      onMade(answer.invite);
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  if (made !== undefined) {
    return (
      <MadeInvite
        membership={membership}
        role={made.invite.role}
        groupName={groups.find((group) => group.id === made.invite.groupId)?.name}
        token={made.token}
        expiresAt={made.invite.expiresAt}
        onDone={() => setMade(undefined)}
      />
    );
  }
  return (
    <Section title={t('invites.create')}>
      {ofClass && choices.length === 0 ? (
        <p className={classes.quiet}>{t('invites.noGroups', { ...formsOf(membership.vocabulary, t) })}</p>
      ) : (
        <form onSubmit={create}>
          <div className={classes.fields}>
            <NativeSelect
              label={t('invites.forWhom')}
              value={role}
              onChange={(event) => {
                const next = event.currentTarget.value as InvitableRole;
                setRole(next);
                setUses(usualUses[next]);
              }}
              data={roles.map((value) => ({ value, label: roleWord(value, membership.vocabulary, t) }))}
              data-testid="invite-role"
            />
            {bound ? (
              <NativeSelect
                label={t('invites.where')}
                value={chosen?.id ?? ''}
                onChange={(event) => setGroupId(event.currentTarget.value as GroupId)}
                data={choices.map((group) => ({ value: group.id, label: group.name }))}
                data-testid="invite-group"
              />
            ) : (
              <TextInput
                label={t('invites.where')}
                value={t(`words.${membership.vocabulary}.staffRoom`)}
                readOnly
              />
            )}
            <NumberInput
              label={t('invites.uses')}
              min={1}
              max={schoolLimits.inviteUsesMax}
              clampBehavior="strict"
              allowDecimal={false}
              allowNegative={false}
              size="md"
              value={uses}
              onChange={(value) => setUses(Math.max(1, Number(value) || 1))}
              data-testid="invite-uses"
            />
            <NativeSelect
              label={t('invites.expiry')}
              value={String(days)}
              onChange={(event) => setDays(Number(event.currentTarget.value))}
              data={lives.map((count) => ({ value: String(count), label: t('invites.days', { count }) }))}
              data-testid="invite-days"
            />
            {role === 'teacher' && mightDo('attachTeachers', membership) && (
              <TextInput
                label={t('invites.subject')}
                description={t('invites.subjectHint')}
                maxLength={schoolLimits.subjectLength}
                value={subject}
                onChange={(event) => setSubject(event.currentTarget.value)}
                data-testid="invite-subject"
              />
            )}
          </div>
          <Stack mt="md" gap="sm">
            <Checkbox
              label={t('invites.needsApproval')}
              description={t('invites.needsApprovalHint')}
              checked={needsApproval}
              onChange={(event) => setNeedsApproval(event.currentTarget.checked)}
            />
            <Checkbox
              label={t('invites.matchRoster')}
              description={t('invites.matchRosterHint')}
              checked={match}
              onChange={(event) => setMatch(event.currentTarget.checked)}
            />
          </Stack>
          {problem !== undefined && (
            <Alert color="red" role="alert" mt="md">
              {errorWords(problem, t)}
            </Alert>
          )}
          <Button type="submit" mt="md" loading={busy} data-testid="create-invite">
            {t('invites.make')}
          </Button>
        </form>
      )}
    </Section>
  );
}
