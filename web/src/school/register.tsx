import { Badge, Button, Menu, NativeSelect, Skeleton } from '@mantine/core';
import {
  type Group,
  type GroupId,
  type GuardianOfPupil,
  type MembershipId,
  mayInGroup,
  mayRequest,
  mightDo,
  type ProcedureOutput,
  type RegisterPupil,
  type RosterEntryId,
} from '@zvonok/client-sdk';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords, longDate } from '../platform/words.ts';
import { AskToLink, AskToMove, type Wish, wishes } from './ask-to-move.tsx';
import { LimitGuardian } from './limit-guardian.tsx';
import { MadeCards } from './made-cards.tsx';
import classes from './register.module.css';

type Register = ProcedureOutput<'school.getClassRegister'>;
export type MadeCard = ProcedureOutput<'school.issueCard'>;
type Wanted = { readonly membershipId: MembershipId } | { readonly entryId: RosterEntryId };

/** A class for those who answer for it: cards for children without a phone, guardians and what limits them. */
export function Register() {
  const { t } = useTranslation();
  const membership = useMembership();
  const as = membership.id;
  const forms = formsOf(membership.vocabulary, t);
  const [groups, setGroups] = useState<readonly Group[]>();
  const [allGroups, setAllGroups] = useState<readonly Group[]>([]);
  const [chosen, setChosen] = useState<GroupId>();
  const [register, setRegister] = useState<Register>();
  const [problem, setProblem] = useState<unknown>();
  const [made, setMade] = useState<readonly MadeCard[]>([]);
  const [busy, setBusy] = useState(false);
  const [reissuing, setReissuing] = useState<RegisterPupil>();
  const [revoking, setRevoking] = useState<RegisterPupil>();
  const [wish, setWish] = useState<{ pupil: RegisterPupil; wish: Wish }>();
  const [linking, setLinking] = useState<RegisterPupil>();
  const [limiting, setLimiting] = useState<{ child: RegisterPupil; guardian: GuardianOfPupil }>();
  const groupId = chosen ?? groups?.[0]?.id;
  const linkingTo = useMemo(
    () => (linking === undefined ? undefined : { ...linking, groupId: groupId ?? null }),
    [linking, groupId],
  );
  const stopLinking = useCallback(() => setLinking(undefined), []);

  useEffect(() => {
    client.school.listGroups({ as }).then((known) => {
      setAllGroups(known.groups);
      setGroups(
        known.groups.filter(
          (group) =>
            group.kind === 'class' &&
            group.archivedAt === null &&
            mayInGroup('seeClassRegister', membership, group.id),
        ),
      );
    }, setProblem);
  }, [as, membership]);

  const load = useCallback(() => {
    if (groupId === undefined) return;
    setProblem(undefined);
    client.school.getClassRegister({ as, groupId }).then(setRegister, setProblem);
  }, [as, groupId]);
  useEffect(() => {
    const stops = [
      client.on('school.classRegisterChanged', (change) => {
        if (change.groupId === groupId) load();
      }),
      client.on('school.peopleChanged', load),
    ];
    load();
    return () => {
      for (const stop of stops) stop();
    };
  }, [load, groupId]);

  async function issue(wanted: readonly Wanted[]) {
    setBusy(true);
    // Shown together: whoever printed the first would lose the others.
    const cards: MadeCard[] = [];
    try {
      // One after the other: each is shown even if a later one is refused.
      for (const each of wanted) {
        const card =
          'entryId' in each
            ? await client.school.admitWithCard({ as, ...each })
            : await client.school.issueCard({ as, ...each });
        cards.push(card);
      }
    } catch (error) {
      tellError(errorWords(error, t));
    } finally {
      setMade(cards);
      setBusy(false);
      load();
    }
  }

  const issues = groupId !== undefined && mayInGroup('issueCards', membership, groupId);
  const limits = mightDo('linkGuardian', membership);
  const asksToMove = !mightDo('moveMembers', membership) && mayRequest('moveMembers', membership);
  const asksToLink = !limits && mayRequest('linkGuardian', membership);
  const without: Wanted[] =
    register === undefined
      ? []
      : [
          ...register.expected.map(({ entryId }) => ({ entryId })),
          ...register.pupils
            .filter((pupil) => !pupil.hasPhone && pupil.card === null)
            .map(({ membershipId }) => ({ membershipId })),
        ];
  const lineOf = ({ hasPhone, card }: RegisterPupil) => {
    if (card !== null) return t('register.byCard', { when: longDate(card.issuedAt) });
    return t(hasPhone ? 'register.byPhone' : 'register.byNothing');
  };
  if (made.length > 0) return <MadeCards cards={made} onDone={() => setMade([])} />;
  return (
    <PageFrame title={t('register.title', { ...forms })} lead={t('register.lead', { ...forms })}>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
      {groups !== undefined && groups.length > 1 && (
        <NativeSelect
          mt="md"
          label={t(`words.${membership.vocabulary}.group`)}
          value={groupId ?? ''}
          onChange={(event) => {
            setRegister(undefined);
            setChosen(event.currentTarget.value as GroupId);
          }}
          data={groups.map((group) => ({ value: group.id, label: group.name }))}
          data-testid="register-group"
        />
      )}
      {groups?.length === 0 && <p className={classes.quiet}>{t('register.noGroups', { ...forms })}</p>}
      {groups?.length !== 0 && register === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton height={280} mt={22} radius={20} />
        </div>
      )}
      {register !== undefined && (
        <Section
          title={groups?.find((group) => group.id === groupId)?.name ?? ''}
          action={
            issues &&
            without.length > 0 && (
              <Button
                variant="light"
                loading={busy}
                onClick={() => void issue(without)}
                data-testid="issue-all"
              >
                {t('register.issueAll', { count: without.length })}
              </Button>
            )
          }
        >
          {register.pupils.length === 0 && register.expected.length === 0 && (
            <p className={classes.quiet}>{t('register.empty', { ...forms })}</p>
          )}
          <ul className={classes.pupils} data-testid="register">
            {register.pupils.map((pupil) => (
              <li key={pupil.membershipId} className={classes.pupil}>
                <div className={classes.head}>
                  <div>
                    <div className={classes.name}>{pupil.fullName}</div>
                    <div className={classes.quiet}>{lineOf(pupil)}</div>
                    {pupil.card !== null && pupil.card.state !== 'good' && (
                      <Badge color="red" variant="light" tt="none">
                        {t(`register.${pupil.card.state}`)}
                      </Badge>
                    )}
                  </div>
                  {(issues || asksToMove || asksToLink) && (
                    <div className={classes.actions}>
                      {issues && !pupil.hasPhone && (
                        <Button
                          size="xs"
                          variant="light"
                          disabled={busy}
                          onClick={() =>
                            pupil.card === null
                              ? void issue([{ membershipId: pupil.membershipId }])
                              : setReissuing(pupil)
                          }
                          data-testid="issue-card"
                        >
                          {t(pupil.card === null ? 'register.issue' : 'register.reissue')}
                        </Button>
                      )}
                      {issues && pupil.card !== null && (
                        <Button size="xs" variant="subtle" color="red" onClick={() => setRevoking(pupil)}>
                          {t('register.revoke')}
                        </Button>
                      )}
                      {(asksToMove || asksToLink) && (
                        <Menu position="bottom-end">
                          <Menu.Target>
                            <Button
                              size="xs"
                              variant="subtle"
                              aria-label={t('requests.askAbout', { name: pupil.fullName })}
                              data-testid="ask-about"
                            >
                              {t('requests.ask')}
                            </Button>
                          </Menu.Target>
                          <Menu.Dropdown>
                            {asksToMove &&
                              wishes
                                .filter((each) => each !== 'left')
                                .map((each) => (
                                  <Menu.Item key={each} onClick={() => setWish({ pupil, wish: each })}>
                                    {t(`requests.move.${each}`)}
                                  </Menu.Item>
                                ))}
                            {asksToLink && (
                              <Menu.Item onClick={() => setLinking(pupil)}>{t('requests.linkAsk')}</Menu.Item>
                            )}
                          </Menu.Dropdown>
                        </Menu>
                      )}
                    </div>
                  )}
                </div>
                <ul className={classes.guardians}>
                  {pupil.guardians.length === 0 && (
                    <li className={classes.quiet}>{t('register.noGuardians')}</li>
                  )}
                  {pupil.guardians.map((guardian) => (
                    <li key={guardian.membershipId} className={classes.guardian}>
                      <span>
                        {guardian.fullName}{' '}
                        {!guardian.mayBeContacted && (
                          <Badge color="brass" variant="light" tt="none">
                            {t(guardian.mayBeInformed ? 'register.notContacted' : 'register.notInformed')}
                          </Badge>
                        )}
                        {guardian.limitReason !== null && (
                          <span className={classes.quiet}> {guardian.limitReason}</span>
                        )}
                      </span>
                      {limits && (
                        <Button
                          size="xs"
                          variant="subtle"
                          className={classes.limit ?? ''}
                          aria-label={t('register.limitName', { name: guardian.fullName })}
                          onClick={() => setLimiting({ child: pupil, guardian })}
                        >
                          {t('register.limit')}
                        </Button>
                      )}
                    </li>
                  ))}
                </ul>
              </li>
            ))}
            {register.expected.map(({ entryId, fullName }) => (
              <li key={entryId} className={classes.pupil}>
                <div className={classes.head}>
                  <div>
                    <div className={classes.name}>{fullName}</div>
                    <div className={classes.quiet}>{t('register.expected')}</div>
                  </div>
                  {issues && (
                    <Button
                      size="xs"
                      variant="light"
                      disabled={busy}
                      onClick={() => void issue([{ entryId }])}
                      data-testid="issue-card"
                    >
                      {t('register.issue')}
                    </Button>
                  )}
                </div>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Confirm
        opened={reissuing !== undefined}
        title={t('register.reissueTitle')}
        confirm={t('register.issue')}
        danger
        onClose={() => setReissuing(undefined)}
        onConfirm={async () => {
          if (reissuing !== undefined) await issue([{ membershipId: reissuing.membershipId }]);
        }}
      >
        {t('register.reissueText', { name: reissuing?.fullName ?? '' })}
      </Confirm>
      <Confirm
        opened={revoking !== undefined}
        title={t('register.revokeTitle')}
        confirm={t('register.revoke')}
        danger
        onClose={() => setRevoking(undefined)}
        onConfirm={async () => {
          if (revoking === undefined) return;
          await client.school.revokeCard({ as, membershipId: revoking.membershipId });
          tell(t('register.revoked'));
          load();
        }}
      >
        {t('register.revokeText', { name: revoking?.fullName ?? '' })}
      </Confirm>
      <AskToMove
        wish={wish?.wish}
        person={wish === undefined ? undefined : { ...wish.pupil, groupId: groupId ?? null }}
        groups={allGroups}
        onClose={() => setWish(undefined)}
      />
      <AskToLink child={linkingTo} onClose={stopLinking} />
      {limiting !== undefined && (
        <LimitGuardian {...limiting} onClose={() => setLimiting(undefined)} onDone={load} />
      )}
    </PageFrame>
  );
}
