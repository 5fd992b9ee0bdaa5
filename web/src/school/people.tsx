import { Badge, Button, NativeSelect, Skeleton, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import {
  type Group,
  type Member,
  mayRequest,
  mightDo,
  type Role,
  roles,
  schoolLimits,
} from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { plainLine, plainParagraph } from '../desk/plain-text.ts';
import { Avatar } from '../platform/avatar.tsx';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell } from '../platform/tell.ts';
import { VerifiedBadge } from '../platform/verified-badge.tsx';
import { errorWords, matches, phoneWords, roleWord } from '../platform/words.ts';
import classes from './people.module.css';

const pageSize = 200;

/** Who is in the school. The administrator confirms teachers here: until then they see no minor. */
export function People() {
  const { t } = useTranslation();
  const membership = useMembership();
  const as = membership.id;
  const [role, setRole] = useState<Role | ''>('');
  const [typed, setTyped] = useState('');
  const [members, setMembers] = useState<readonly Member[]>();
  const [groups, setGroups] = useState<readonly Group[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [verifying, setVerifying] = useState<Member>();
  const [basis, setBasis] = useState('');
  const [revoking, setRevoking] = useState<Member>();
  const [reason, setReason] = useState('');

  const load = useCallback(
    async (after?: Member) => {
      setProblem(undefined);
      try {
        const [page, known] = await Promise.all([
          client.school.listMembers({
            as,
            limit: pageSize,
            ...(role === '' ? {} : { role }),
            ...(after === undefined ? {} : { after: after.membershipId }),
          }),
          client.school.listGroups({ as }),
        ]);
        setGroups(known.groups);
        setMembers((shown) => (after === undefined ? page.members : [...(shown ?? []), ...page.members]));
        setHasMore(page.hasMore);
      } catch (error) {
        setProblem(error);
      }
    },
    [as, role],
  );

  useEffect(() => {
    const stop = client.on('school.peopleChanged', () => void load());
    void load();
    return stop;
  }, [load]);

  const nameOf = (groupId: string | null) => groups.find((group) => group.id === groupId)?.name;
  const lineOf = (member: Member) => {
    const parts = [roleWord(member.role, membership.vocabulary, t)];
    const group = nameOf(member.groupId);
    if (group !== undefined) parts.push(group);
    for (const attachment of member.attachments) {
      const place = nameOf(attachment.groupId) ?? '';
      parts.push(
        attachment.kind === 'class'
          ? t('people.classTeacherOf', {
              title: t(`words.${membership.vocabulary}.classTeacher`),
              group: place,
            })
          : t('people.subjectOf', { subject: attachment.subject ?? '', group: place }),
      );
    }
    if (member.phone !== null) parts.push(phoneWords(member.phone));
    return parts.join(' · ');
  };
  const shown = members?.filter((member) => typed.trim() === '' || matches(member.fullName, typed));
  const mayVerify = mightDo('verifyTeacher', membership);
  const mayAskToVerify = !mayVerify && mayRequest('verifyTeacher', membership);
  return (
    <PageFrame title={t('people.title')}>
      <div className={classes.filters}>
        <TextInput
          aria-label={t('people.search')}
          placeholder={t('people.search')}
          leftSection={<IconSearch size={18} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          className={classes.search ?? ''}
        />
        <NativeSelect
          aria-label={t('people.role')}
          value={role}
          onChange={(event) => {
            setMembers(undefined);
            setRole(event.currentTarget.value as Role | '');
          }}
          data={[
            { value: '', label: t('people.allRoles') },
            ...roles.map((value) => ({ value, label: roleWord(value, membership.vocabulary, t) })),
          ]}
        />
      </div>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void load()} />}
      {shown === undefined
        ? problem === undefined && (
            <div role="status" aria-busy aria-label={t('common.loading')}>
              <Skeleton height={320} mt={22} radius={20} />
            </div>
          )
        : shown.length === 0 && <p className={classes.quiet}>{t('people.empty')}</p>}
      {shown !== undefined && shown.length > 0 && (
        <Section title={role === '' ? t('people.allRoles') : roleWord(role, membership.vocabulary, t)}>
          <ul className={classes.people} data-testid="people">
            {shown.map((member) => {
              const staff = member.role === 'teacher' || member.role === 'head' || member.role === 'admin';
              return (
                <li key={member.membershipId} className={classes.person}>
                  <Avatar name={member.fullName} size={44} />
                  <div className={classes.words}>
                    <div className={classes.name}>
                      {member.fullName}
                      {member.verified && <VerifiedBadge />}
                      {member.imitates !== null && (
                        <Badge color="red" variant="light" tt="none" title={t('people.imitatesWhy')}>
                          {t('people.imitates', {
                            name:
                              members?.find((each) => each.membershipId === member.imitates)?.fullName ??
                              t('requests.somebody'),
                          })}
                        </Badge>
                      )}
                      {staff && !member.verified && (
                        <Badge color="brass" variant="light" tt="none">
                          {t('roles.unverified')}
                        </Badge>
                      )}
                    </div>
                    <div className={classes.quiet}>{lineOf(member)}</div>
                  </div>
                  {staff && member.verified && mayVerify && member.membershipId !== as && (
                    <Button
                      size="xs"
                      variant="subtle"
                      color="red.7"
                      aria-label={t('people.revokeName', { name: member.fullName })}
                      onClick={() => {
                        setReason('');
                        setRevoking(member);
                      }}
                      data-testid="revoke"
                    >
                      {t('people.revoke')}
                    </Button>
                  )}
                  {staff &&
                    !member.verified &&
                    (mayVerify || mayAskToVerify) &&
                    member.membershipId !== as && (
                      <Button
                        size="xs"
                        variant="light"
                        aria-label={t(mayVerify ? 'people.verifyName' : 'people.askVerifyName', {
                          name: member.fullName,
                        })}
                        onClick={() => {
                          setBasis('');
                          setVerifying(member);
                        }}
                      >
                        {t(mayVerify ? 'people.verify' : 'people.askVerify')}
                      </Button>
                    )}
                </li>
              );
            })}
          </ul>
          {hasMore && (
            <Button variant="light" mt="md" fullWidth onClick={() => void load(members?.at(-1))}>
              {t('people.more')}
            </Button>
          )}
        </Section>
      )}
      <Confirm
        opened={verifying !== undefined}
        title={t(mayVerify ? 'people.verifyTitle' : 'people.askVerifyTitle', {
          name: verifying?.fullName ?? '',
        })}
        confirm={t(mayVerify ? 'people.verify' : 'requests.send')}
        onClose={() => setVerifying(undefined)}
        onConfirm={async () => {
          if (verifying === undefined) return;
          if (!mayVerify) {
            const { membershipId } = verifying;
            await client.school.createRequest({
              as,
              what: { kind: 'verifyTeacher', membershipId, basis: plainLine(basis) },
            });
            tell(t('requests.sent'));
            return;
          }
          await client.school.verifyTeacher({
            as,
            membershipId: verifying.membershipId,
            basis: basis.trim(),
          });
          tell(t('people.verified', { name: verifying.fullName }));
          await load();
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
      <Confirm
        opened={revoking !== undefined}
        title={t('people.revokeTitle', { name: revoking?.fullName ?? '' })}
        confirm={t('people.revoke')}
        danger
        onClose={() => setRevoking(undefined)}
        onConfirm={async () => {
          if (revoking === undefined) return;
          const { membershipId, fullName } = revoking;
          await client.school.revokeVerification({ as, membershipId, reason: plainParagraph(reason) });
          tell(t('people.revoked', { name: fullName }));
          await load();
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
    </PageFrame>
  );
}
