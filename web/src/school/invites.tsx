import {
  Alert,
  Badge,
  Button,
  CopyButton,
  Group,
  NativeSelect,
  NumberInput,
  Skeleton,
  TextInput,
} from '@mantine/core';
import { IconCheck, IconCopy, IconPlus, IconPrinter } from '@tabler/icons-react';
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
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { QRCode } from 'react-qr-code';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell } from '../platform/tell.ts';
import { errorWords, longDate, roleWord } from '../platform/words.ts';
import classes from './invites.module.css';

const dayMs = 24 * 60 * 60_000;
const lives = [1, 7, 14, 30, 90];
const usualDays = 14;
const usualUses: Record<InvitableRole, number> = { pupil: 30, guardian: 60, teacher: 1, head: 1 };

export function Invites() {
  const { t } = useTranslation();
  const membership = useMembership();
  const as = membership.id;
  const [groups, setGroups] = useState<readonly SchoolGroup[]>();
  const [invites, setInvites] = useState<readonly Invite[]>();
  const [problem, setProblem] = useState<unknown>();

  const load = useCallback(() => {
    setProblem(undefined);
    Promise.all([client.school.listGroups({ as }), client.school.listInvites({ as })]).then(
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
        setInvites((known) => known && withInvite(known, invite)),
      ),
      client.on('school.groupChanged', load),
    ];
    load();
    return () => {
      for (const stop of stops) stop();
    };
  }, [load]);

  const open = groups?.filter((group) => group.archivedAt === null);
  return (
    <PageFrame title={t('invites.title')} lead={t('invites.lead')}>
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
          {mightDo('manageGroups', membership.standings) && (
            <Groups
              membership={membership}
              groups={open}
              onMade={(group) =>
                setGroups((known) => known && [...known.filter((g) => g.id !== group.id), group])
              }
            />
          )}
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

function rolesOf(membership: MyMembership): InvitableRole[] {
  const roles: InvitableRole[] = [];
  if (mightDo('invitePupils', membership.standings)) roles.push('pupil');
  if (mightDo('inviteGuardians', membership.standings)) roles.push('guardian');
  if (mightDo('inviteStaff', membership.standings)) roles.push('teacher', 'head');
  return roles;
}

function CreateInvite({
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
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [made, setMade] = useState<{ invite: Invite; token: string }>();

  const bound = role === 'pupil' || role === 'guardian';
  const permission = role === 'pupil' ? 'invitePupils' : 'inviteGuardians';
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
      <Made
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
      {bound && choices.length === 0 ? (
        <p className={classes.quiet}>{t('invites.noGroups')}</p>
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
          </div>
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

function Made({
  membership,
  role,
  groupName,
  token,
  expiresAt,
  onDone,
}: {
  membership: MyMembership;
  role: InvitableRole;
  groupName: string | undefined;
  token: string;
  expiresAt: string;
  onDone: () => void;
}) {
  const { t } = useTranslation();
  const heading = useRef<HTMLDivElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const link = `${location.origin}/invite#${token}`;
  const who = roleWord(role, membership.vocabulary, t);
  return (
    <Section title={t('invites.readyTitle')} lead={t('invites.readyText')}>
      <div ref={heading} tabIndex={-1} className={classes.made} data-testid="invite-made">
        {/* Printed alone: see the print rules. */}
        <div className={classes.poster} data-print>
          <div className={classes.posterWords}>
            <div className={classes.posterSchool}>{membership.schoolName}</div>
            <div className={classes.posterWho}>
              {who}
              {groupName === undefined ? '' : ` · ${groupName}`}
            </div>
            <div className={classes.quiet}>{t('invites.until', { when: longDate(expiresAt) })}</div>
          </div>
          <div className={classes.qr}>
            <QRCode
              value={link}
              size={196}
              level="M"
              bgColor="#ffffff"
              fgColor="#1d2b26"
              title={t('invites.qr')}
              style={{ width: '100%', height: 'auto' }}
            />
          </div>
          <div className={classes.posterHow}>{t('invites.printHow')}</div>
          <div className={classes.posterLink}>{link}</div>
        </div>
        <div className={classes.madeSide}>
          <TextInput
            label={t('invites.link')}
            value={link}
            readOnly
            onFocus={(event) => event.currentTarget.select()}
            data-testid="invite-link"
          />
          <CopyButton value={link}>
            {({ copied, copy }) => (
              <Button
                fullWidth
                onClick={copy}
                leftSection={
                  copied ? <IconCheck size={20} aria-hidden /> : <IconCopy size={20} aria-hidden />
                }
              >
                <span aria-live="polite">{copied ? t('common.copied') : t('invites.copyLink')}</span>
              </Button>
            )}
          </CopyButton>
          <Button
            fullWidth
            variant="light"
            leftSection={<IconPrinter size={20} aria-hidden />}
            onClick={() => window.print()}
          >
            {t('invites.print')}
          </Button>
          <Button fullWidth variant="default" onClick={onDone} data-testid="invite-done">
            {t('invites.done')}
          </Button>
        </div>
      </div>
    </Section>
  );
}

function Groups({
  membership,
  groups,
  onMade,
}: {
  membership: MyMembership;
  groups: readonly SchoolGroup[];
  onMade: (group: SchoolGroup) => void;
}) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const words = `words.${membership.vocabulary}` as const;

  async function create(event: FormEvent) {
    event.preventDefault();
    const trimmed = name.trim();
    if (trimmed === '') return;
    setBusy(true);
    setProblem(undefined);
    try {
      const { group } = await client.school.createGroup({ as: membership.id, name: trimmed });
      onMade(group);
      setName('');
      tell(t('invites.groupCreated', { name: group.name }));
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  const classGroups = groups
    .filter((group) => group.kind === 'class')
    .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (
    <Section title={t('invites.groups')}>
      {classGroups.length > 0 && (
        <ul className={classes.groups} data-testid="groups">
          {classGroups.map((group) => (
            <li key={group.id}>{group.name}</li>
          ))}
        </ul>
      )}
      <form onSubmit={create} className={classes.groupForm}>
        <TextInput
          label={t(`${words}.groupNew`)}
          placeholder={t(`${words}.groupExample`)}
          maxLength={schoolLimits.groupNameLength}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
            setProblem(undefined);
          }}
          error={problem === undefined ? undefined : errorWords(problem, t)}
          className={classes.groupName ?? ''}
          data-testid="group-name"
        />
        <Button
          type="submit"
          variant="light"
          loading={busy}
          disabled={name.trim() === ''}
          leftSection={<IconPlus size={20} aria-hidden />}
          data-testid="create-group"
        >
          {t('invites.groupAdd')}
        </Button>
      </form>
    </Section>
  );
}

const stateColors = { open: 'board', used: 'gray', expired: 'gray', annulled: 'red' } as const;

function InviteList({
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
    return `${roleWord(invite.role, membership.vocabulary, t)} · ${place}`;
  };
  const open = invites.filter((invite) => invite.state === 'open');
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
                </div>
              </div>
              <Group gap="xs" wrap="nowrap">
                <Badge color={stateColors[invite.state]} variant="light" size="lg" tt="none" fw={600}>
                  {t(`invites.state.${invite.state}`)}
                </Badge>
                {invite.state === 'open' && (
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
