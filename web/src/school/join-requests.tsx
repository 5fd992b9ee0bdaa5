import { Button, NativeSelect, SegmentedControl, Skeleton } from '@mantine/core';
import { IconInbox } from '@tabler/icons-react';
import {
  type Group,
  type GroupId,
  type InvitableRole,
  invitableRoles,
  type JoinRequest,
  may,
  mayInGroup,
  mightDo,
} from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ReasonDialog } from '../desk/reason-dialog.tsx';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { usePages } from '../platform/use-pages.ts';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords, momentWithin, phoneWords, roleWord } from '../platform/words.ts';
import { JoinCodeSection } from './join-code.tsx';
import classes from './join-requests.module.css';

type Match = JoinRequest['matches'][number];

/** Who asks to be let in: each with whom of the roster they may be. Let in or declined here, by whoever decides it. */
export function JoinRequests() {
  const { t } = useTranslation();
  const membership = useMembership();
  const as = membership.id;
  const [state, setState] = useState<'open' | 'decided'>('open');
  const [declining, setDeclining] = useState<JoinRequest>();
  const [approving, setApproving] = useState<JoinRequest>();
  const [taking, setTaking] = useState<{ request: JoinRequest; match: Match }>();

  const ask = useCallback(
    async (after?: JoinRequest) => {
      const [{ requests, ...rest }, known] = await Promise.all([
        client.school.listJoinRequests({ as, state, ...(after === undefined ? {} : { after: after.id }) }),
        client.school.listGroups({ as }),
      ]);
      const groups = known.groups.filter((group) => group.kind === 'class' && group.archivedAt === null);
      return { items: requests, groups, ...rest };
    },
    [as, state],
  );
  const { items: requests, answer, hasMore, problem, reload, more } = usePages(ask);
  useEffect(() => client.on('school.joinQueueChanged', () => void reload()), [reload]);

  async function letInAs(request: JoinRequest, { entryId }: Match) {
    await client.school.approveJoinRequest({ as, requestId: request.id, entryId });
    tell(t('joinRequests.approved', { name: request.fullName }));
  }

  async function take(request: JoinRequest, match: Match) {
    // Whoever has another phone than the roster knows may be anybody who knows the name.
    if (match.otherPhone) {
      setTaking({ request, match });
      return;
    }
    try {
      await letInAs(request, match);
    } catch (error) {
      tellError(errorWords(error, t));
    }
    await reload();
  }

  return (
    <PageFrame title={t('joinRequests.title')} lead={t('joinRequests.lead')}>
      {mightDo('editSchool', membership) && <JoinCodeSection />}
      <Section
        title={t(`joinRequests.${state}`)}
        action={
          <SegmentedControl
            aria-label={t('joinRequests.which')}
            value={state}
            onChange={(value) => setState(value === 'decided' ? 'decided' : 'open')}
            data={(['open', 'decided'] as const).map((value) => ({
              value,
              label: t(`joinRequests.${value}`),
            }))}
          />
        }
      >
        {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void reload()} />}
        {requests === undefined && problem === undefined && (
          <div role="status" aria-busy aria-label={t('common.loading')}>
            <Skeleton height={140} radius={16} />
          </div>
        )}
        {requests?.length === 0 && (
          <Notice
            icon={<IconInbox size={36} />}
            title={t(`joinRequests.empty.${state}.title`)}
            text={t(`joinRequests.empty.${state}.text`)}
          />
        )}
        <ul className={classes.requests} data-testid="join-requests">
          {requests?.map((request) => (
            <Entry
              key={request.id}
              request={request}
              onTake={(match) => take(request, match)}
              onApprove={() => setApproving(request)}
              onDecline={() => setDeclining(request)}
            />
          ))}
        </ul>
        {hasMore && (
          <Button variant="light" mt="md" fullWidth onClick={() => void more()}>
            {t('people.more')}
          </Button>
        )}
      </Section>
      {approving !== undefined && (
        <ApproveDialog
          request={approving}
          groups={answer?.groups ?? []}
          onClose={() => setApproving(undefined)}
          onDone={() => void reload()}
        />
      )}
      <Confirm
        opened={taking !== undefined}
        title={t('joinRequests.takeTitle', { name: taking?.match.fullName ?? '' })}
        confirm={t('joinRequests.take')}
        danger
        onClose={() => setTaking(undefined)}
        onConfirm={async () => {
          if (taking === undefined) return;
          await letInAs(taking.request, taking.match);
          await reload();
        }}
      >
        {t('joinRequests.takeText')}
      </Confirm>
      <ReasonDialog
        opened={declining !== undefined}
        title={t('joinRequests.declineTitle', { name: declining?.fullName ?? '' })}
        lead={t('joinRequests.declineText')}
        label={t('joinRequests.reason')}
        missing={t('joinRequests.reasonMissing')}
        confirm={t('joinRequests.decline')}
        danger
        onClose={() => setDeclining(undefined)}
        onConfirm={async (reason) => {
          if (declining === undefined) return;
          await client.school.declineJoinRequest({ as, requestId: declining.id, reason });
          tell(t('joinRequests.declined'));
          await reload();
        }}
      />
    </PageFrame>
  );
}

function Entry({
  request,
  onTake,
  onApprove,
  onDecline,
}: {
  request: JoinRequest;
  onTake: (match: Match) => Promise<void>;
  onApprove: () => void;
  onDecline: () => void;
}) {
  const { t } = useTranslation();
  const membership = useMembership();
  const { vocabulary } = membership;
  const [busy, setBusy] = useState(false);
  const isOfClass = request.role === 'pupil' || request.role === 'guardian';
  /** A class teacher takes somebody of the class alone. */
  const takesAll = may(isOfClass ? 'decidePupilRequests' : 'decideStaffRequests', membership);
  const open = request.state === 'open';
  const line = [
    roleWord(request.role, vocabulary, t),
    request.group?.name ?? request.groupWords,
    request.childWords === null ? null : t('joinRequests.child', { name: request.childWords }),
    request.phone === null ? null : phoneWords(request.phone),
  ].filter((part) => part !== null);
  return (
    <li className={classes.request} data-testid="join-request">
      <div className={classes.name}>{request.fullName}</div>
      <div className={classes.quiet}>{line.join(' · ')}</div>
      <div className={classes.quiet}>
        {t(request.inviteId === null ? 'joinRequests.byCode' : 'joinRequests.byInvite')} ·{' '}
        {momentWithin(request.createdAt, t)}
      </div>
      {request.message !== null && <p className={classes.message}>{request.message}</p>}
      {request.matches.length > 0 && (
        <div className={classes.matches}>
          <div className={classes.quiet}>{t('joinRequests.matches')}</div>
          {request.matches.map((match) => (
            <div key={match.entryId} className={classes.match}>
              <span>
                <b>{match.fullName}</b>
                {match.groupName === null ? '' : ` · ${match.groupName}`}
                {match.claimed && ` · ${t('joinRequests.claimed')}`}
                {!match.inGroup && ` · ${t(`words.${vocabulary}.otherGroup`)}`}
                {match.otherPhone && ` · ${t('joinRequests.otherPhone')}`}
              </span>
              {!match.claimed && (takesAll || match.inGroup) && (
                <Button
                  size="xs"
                  loading={busy}
                  aria-label={t('joinRequests.takeName', { name: match.fullName })}
                  onClick={() => {
                    setBusy(true);
                    void onTake(match).finally(() => setBusy(false));
                  }}
                  data-testid="take-match"
                >
                  {t('joinRequests.take')}
                </Button>
              )}
            </div>
          ))}
        </div>
      )}
      {request.namesakes.map((each) => (
        <p key={each.membershipId} className={classes.warning}>
          {t(each.own ? 'joinRequests.ownAlready' : 'joinRequests.namesake', {
            role: roleWord(each.role, vocabulary, t),
            group: each.groupName === null ? '' : ` · ${each.groupName}`,
          })}
        </p>
      ))}
      {open ? (
        <div className={classes.actions}>
          <Button size="sm" onClick={onApprove} data-testid="approve">
            {t('joinRequests.approve')}
          </Button>
          <Button size="sm" variant="subtle" color="red" onClick={onDecline} data-testid="decline">
            {t('joinRequests.decline')}
          </Button>
        </div>
      ) : (
        <div className={classes.quiet}>
          {t(`joinRequests.state.${request.state}`)}
          {request.decidedBy !== null && ` · ${request.decidedBy.fullName}`}
          {request.reason !== null && ` · ${request.reason}`}
        </div>
      )}
    </li>
  );
}

/** As what and where: the applicant’s own words are the first choice; where they name no class, whoever decides does. */
function ApproveDialog({
  request,
  groups,
  onClose,
  onDone,
}: {
  request: JoinRequest;
  groups: readonly Group[];
  onClose: () => void;
  onDone: () => void;
}) {
  const { t } = useTranslation();
  const membership = useMembership();
  const { vocabulary, id: as } = membership;
  const [role, setRole] = useState<InvitableRole>(request.role);
  const [groupId, setGroupId] = useState<GroupId | undefined>(request.group?.groupId);
  const ofClass = role === 'pupil' || role === 'guardian';
  const choices = groups.filter((group) => mayInGroup('decidePupilRequests', membership, group.id));
  const chosen = choices.find((group) => group.id === groupId);
  const [missing, setMissing] = useState(false);
  const choose = t('joinRequests.chooseGroup', { ...formsOf(vocabulary, t) });
  const roles = invitableRoles.filter((each) =>
    mightDo(
      each === 'pupil' || each === 'guardian' ? 'decidePupilRequests' : 'decideStaffRequests',
      membership,
    ),
  );
  return (
    <Confirm
      opened
      title={t('joinRequests.approveTitle', { name: request.fullName })}
      confirm={t('joinRequests.approve')}
      isReady={() => {
        const ready = !ofClass || chosen !== undefined;
        setMissing(!ready);
        return ready;
      }}
      onClose={onClose}
      onConfirm={async () => {
        await client.school.approveJoinRequest({
          as,
          requestId: request.id,
          ...(role === request.role ? {} : { role }),
          ...(ofClass && chosen !== undefined ? { groupId: chosen.id } : {}),
        });
        tell(t('joinRequests.approved', { name: request.fullName }));
        onDone();
      }}
    >
      {ofClass
        ? t('joinRequests.approveText', { ...formsOf(vocabulary, t) })
        : t('joinRequests.approveStaff')}
      <NativeSelect
        mt="md"
        label={t('invite.role')}
        value={role}
        onChange={(event) => setRole(event.currentTarget.value as InvitableRole)}
        data={roles.map((value) => ({ value, label: roleWord(value, vocabulary, t) }))}
      />
      {ofClass && (
        <NativeSelect
          mt="md"
          label={t('invites.where')}
          value={chosen?.id ?? ''}
          onChange={(event) => {
            setGroupId(event.currentTarget.value as GroupId);
            setMissing(false);
          }}
          error={missing ? choose : undefined}
          data={[
            ...(chosen === undefined ? [{ value: '', label: choose }] : []),
            ...choices.map((group) => ({ value: group.id, label: group.name })),
          ]}
          data-testid="approve-group"
        />
      )}
    </Confirm>
  );
}
