import { Button, Drawer, Loader } from '@mantine/core';
import type { Group, MemberCard, MembershipId } from '@zvonok/client-sdk';
import { mayRequest, mightDo } from '@zvonok/client-sdk';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Avatar } from '../platform/avatar.tsx';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { BadgedName } from '../platform/verified-badge.tsx';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords, fullDate, phoneWords, roleWord } from '../platform/words.ts';
import { AskToMove, type Wish } from './ask-to-move.tsx';
import { LinkGuardian, Relatives } from './link-guardian.tsx';
import {
  CorrectDialog,
  EndDialog,
  HandOverDialog,
  RevokeDialog,
  TransferDialog,
  VerifyDialog,
} from './member-dialogs.tsx';
import { attachmentLines, groupNameOf, isStaffRole } from './member-words.ts';
import classes from './people.module.css';

type Asked =
  | 'verify'
  | 'revoke'
  | 'correct'
  | 'transfer'
  | 'expelled'
  | 'graduated'
  | 'left'
  | 'handOver'
  | 'role'
  | 'head'
  | 'admin'
  | 'link';

/** One person: what they are and were here, to whom they belong, and what can be done. */
export function MemberCardDrawer({
  id,
  groups,
  onOpen,
  onClose,
  onChanged,
}: {
  id: MembershipId | undefined;
  groups: readonly Group[];
  onOpen: (id: MembershipId) => void;
  onClose: () => void;
  onChanged: () => void;
}) {
  const { t } = useTranslation();
  const membership = useMembership();
  const { id: as, vocabulary } = membership;
  const forms = formsOf(vocabulary, t);
  const [card, setCard] = useState<MemberCard>();
  const [problem, setProblem] = useState<unknown>();
  const [asked, setAsked] = useState<Asked>();
  const [wish, setWish] = useState<Wish>();

  /** Whose card is open: an answer about anybody else came too late. */
  const open = useRef(id);

  const load = useCallback(() => {
    if (id === undefined) return;
    const here = () => open.current === id;
    if (here()) setProblem(undefined);
    client.school.getMember({ as, membershipId: id }).then(
      (answer) => here() && setCard(answer.card),
      (error: unknown) => here() && setProblem(error),
    );
  }, [as, id]);
  useEffect(() => {
    open.current = id;
    setCard(undefined);
    load();
  }, [id, load]);

  const shut = useCallback(() => setAsked(undefined), []);
  const changed = () => {
    load();
    onChanged();
  };
  /** Where the person's own membership is over by it, there is another card to look at. */
  const gone = (next?: MembershipId) => {
    onChanged();
    if (next === undefined) load();
    else onOpen(next);
  };

  const member = card?.member;
  const of = (wanted: Asked) => (asked === wanted ? member : undefined);
  const moves = mightDo('moveMembers', membership);
  const links = mightDo('linkGuardian', membership);
  const asks = !moves && mayRequest('moveMembers', membership);
  const active = member !== undefined && member.endedAt === null;
  const self = member?.membershipId === as;
  const staff = member !== undefined && isStaffRole(member.role);
  const actions: readonly (readonly [boolean, string, () => void, boolean?])[] = [
    [
      active && staff && !member.verified && !self && mightDo('verifyTeacher', membership),
      t('people.verify'),
      () => setAsked('verify'),
    ],
    [active && moves, t('people.correct'), () => setAsked('correct')],
    [
      active && links && (member.role === 'pupil' || member.role === 'guardian'),
      t(member?.role === 'guardian' ? 'people.linkChild' : 'people.linkGuardian'),
      () => setAsked('link'),
    ],
    [active && moves && member.role === 'pupil', t('people.transfer'), () => setAsked('transfer')],
    [active && moves && staff && member.verified, t('people.handOver'), () => setAsked('handOver')],
    [
      active && moves && staff && member.verified && !self,
      member?.role === 'teacher' ? t('people.makeHead') : t('people.makeTeacher', { ...forms }),
      () => setAsked('role'),
    ],
    [
      active && moves && member.role === 'head' && member.verified,
      member?.isHead === true ? t('people.dismissHead') : t('people.appointHead'),
      () => setAsked('head'),
    ],
    [
      active &&
        member.verified &&
        (member.role === 'teacher' || member.role === 'head') &&
        mightDo('appointAdmin', membership),
      t('people.appointAdmin'),
      () => setAsked('admin'),
    ],
    [
      active && staff && member.verified && !self && mightDo('verifyTeacher', membership),
      t('people.revoke'),
      () => setAsked('revoke'),
      true,
    ],
    [active && moves && member.role === 'pupil', t('people.graduate'), () => setAsked('graduated'), true],
    [active && moves && member.role === 'pupil', t('people.expel'), () => setAsked('expelled'), true],
    [
      active && moves && member.role !== 'pupil' && !self,
      member?.role === 'admin' ? t('people.dismissAdmin') : t('people.remove'),
      () => setAsked('left'),
      true,
    ],
    ...(member?.role === 'pupil'
      ? (['transfer', 'graduated', 'expelled'] as const)
      : (['left'] as const)
    ).map(
      (each) =>
        [
          active && asks && !self,
          t(`requests.move.${each}`),
          () => setWish(each),
          each !== 'transfer',
        ] as const,
    ),
  ];

  async function restore() {
    if (member === undefined) return;
    try {
      await client.school.restoreMembership({ as, membershipId: member.membershipId });
      tell(t('people.restored', { name: member.fullName }));
      changed();
    } catch (error) {
      tellError(errorWords(error, t));
    }
  }

  return (
    <>
      <Drawer
        opened={id !== undefined}
        onClose={onClose}
        position="right"
        size="md"
        title={t('people.card')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
        {card === undefined || member === undefined ? (
          problem === undefined && <Loader aria-label={t('common.loading')} />
        ) : (
          <div data-testid="member-card">
            <div className={classes.person}>
              <Avatar name={member.fullName} size={56} />
              <div className={classes.words}>
                <div className={classes.cardName}>
                  <BadgedName name={member.fullName} verified={member.verified} />
                </div>
                <div className={classes.quiet}>
                  {member.isHead ? t('people.isHead') : roleWord(member.role, vocabulary, t)}
                  {groupNameOf(groups, member.groupId) !== undefined &&
                    ` · ${groupNameOf(groups, member.groupId)}`}
                </div>
                {member.phone !== null && (
                  <a className={classes.quiet} href={`tel:${member.phone}`}>
                    {phoneWords(member.phone)}
                  </a>
                )}
              </div>
            </div>
            {card.restorableUntil !== null && moves && (
              <Button fullWidth mb="md" onClick={() => void restore()}>
                {t('people.restore')}
              </Button>
            )}
            <div className={classes.actions}>
              {actions.flatMap(([shown, words, act, danger]) =>
                shown
                  ? [
                      <Button
                        key={words}
                        size="xs"
                        variant={danger === true ? 'subtle' : 'light'}
                        {...(danger === true ? { color: 'red.7' } : {})}
                        onClick={act}
                      >
                        {words}
                      </Button>,
                    ]
                  : [],
              )}
            </div>
            {member.attachments.length > 0 && (
              <CardPart title={t('people.teaches')}>
                {attachmentLines(member, groups, vocabulary, t).map((words) => (
                  <li key={words}>{words}</li>
                ))}
              </CardPart>
            )}
            {card.verification !== null && (
              <CardPart title={t('people.verification')}>
                <li>
                  {t('people.verifiedBy', {
                    date: fullDate(card.verification.verifiedAt),
                    name: card.verification.by?.fullName ?? t('people.operator'),
                  })}
                  {card.verification.basis !== null && (
                    <div className={classes.quiet}>{card.verification.basis}</div>
                  )}
                </li>
              </CardPart>
            )}
            {member.role === 'pupil' && (
              <CardPart title={t(`words.${vocabulary}.guardians`)} empty={t('people.noGuardians')}>
                {card.guardians.length === 0 ? (
                  []
                ) : (
                  <Relatives
                    of={member}
                    relatives={card.guardians}
                    groups={groups}
                    unlinks={active && links}
                    onOpen={onOpen}
                    onChanged={changed}
                  />
                )}
              </CardPart>
            )}
            {member.role === 'guardian' && (
              <CardPart title={t('people.children')} empty={t('people.noChildren', { ...forms })}>
                {card.children.length === 0 ? (
                  []
                ) : (
                  <Relatives
                    of={member}
                    relatives={card.children}
                    groups={groups}
                    unlinks={active && links}
                    onOpen={onOpen}
                    onChanged={changed}
                  />
                )}
              </CardPart>
            )}
            <CardPart title={t('people.history')}>
              {card.history.map((stay) => (
                <li key={`${stay.membershipId} ${stay.startedAt}`}>
                  {[roleWord(stay.role, vocabulary, t), groupNameOf(groups, stay.groupId)]
                    .filter((part) => part !== undefined)
                    .join(' · ')}
                  <div className={classes.quiet}>
                    {stay.endedAt === null
                      ? t('people.since', { date: fullDate(stay.startedAt) })
                      : t('people.between', {
                          from: fullDate(stay.startedAt),
                          until: fullDate(stay.endedAt),
                        })}
                    {stay.endReason !== null && ` · ${t(`people.reasons.${stay.endReason}`)}`}
                  </div>
                </li>
              ))}
            </CardPart>
          </div>
        )}
      </Drawer>
      {asked === 'link' && member !== undefined && (
        <LinkGuardian of={member} groups={groups} onClose={shut} onDone={changed} />
      )}
      <VerifyDialog member={of('verify')} onClose={shut} onDone={changed} />
      <RevokeDialog member={of('revoke')} onClose={shut} onDone={changed} />
      <AskToMove wish={wish} person={member} groups={groups} onClose={() => setWish(undefined)} />
      <CorrectDialog member={of('correct')} onClose={shut} onDone={changed} />
      <HandOverDialog member={of('handOver')} groups={groups} onClose={shut} onDone={() => gone()} />
      <TransferDialog
        members={asked === 'transfer' && member !== undefined ? [member] : []}
        groups={groups.filter((group) => group.kind === 'class' && group.archivedAt === null)}
        onClose={shut}
        onDone={changed}
      />
      {(['expelled', 'graduated', 'left'] as const).map((reason) => (
        <EndDialog
          key={reason}
          members={asked === reason && member !== undefined ? [member] : []}
          reason={reason}
          onClose={shut}
          onDone={() => gone()}
        />
      ))}
      <Confirm
        opened={asked === 'role'}
        title={t('people.roleTitle', { name: member?.fullName ?? '' })}
        confirm={member?.role === 'teacher' ? t('people.makeHead') : t('people.makeTeacher', { ...forms })}
        onClose={shut}
        onConfirm={async () => {
          if (member === undefined) return;
          const role = member.role === 'teacher' ? 'head' : 'teacher';
          const { membershipId } = member;
          const next = await client.school.changeRole({ as, membershipId, role });
          tell(t('people.roleChanged'));
          gone(next.membershipId);
        }}
      >
        {t('people.roleText')}
      </Confirm>
      <Confirm
        opened={asked === 'head'}
        title={member?.isHead === true ? t('people.dismissHead') : t('people.appointHead')}
        confirm={member?.isHead === true ? t('people.dismissHead') : t('people.appointHead')}
        onClose={shut}
        onConfirm={async () => {
          if (member === undefined) return;
          const { membershipId } = member;
          if (member.isHead) await client.school.dismissHead({ as, membershipId });
          else await client.school.appointHead({ as, membershipId });
          changed();
        }}
      >
        {t('people.headText')}
      </Confirm>
      <Confirm
        opened={asked === 'admin'}
        title={t('people.adminTitle', { name: member?.fullName ?? '' })}
        confirm={t('people.appointAdmin')}
        onClose={shut}
        onConfirm={async () => {
          if (member === undefined) return;
          await client.school.appointAdmin({ as, membershipId: member.membershipId });
          tell(t('people.adminAppointed', { name: member.fullName }));
          changed();
        }}
      >
        {t('people.adminText')}
      </Confirm>
    </>
  );
}

function CardPart({
  title,
  empty,
  children,
}: {
  title: string;
  empty?: string;
  children: ReactNode[] | ReactNode;
}) {
  const isEmpty = Array.isArray(children) && children.length === 0;
  return (
    <section className={classes.part} aria-label={title}>
      <h3>{title}</h3>
      {isEmpty ? <p className={classes.quiet}>{empty}</p> : <ul>{children}</ul>}
    </section>
  );
}
