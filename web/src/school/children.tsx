import { Button, Skeleton } from '@mantine/core';
import { IconMessage } from '@tabler/icons-react';
import type { Member, MembershipId } from '@zvonok/client-sdk';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { Avatar } from '../platform/avatar.tsx';
import { client, useSource } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useActing, useMembership, useMessenger } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tellError } from '../platform/tell.ts';
import { BadgedName } from '../platform/verified-badge.tsx';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords } from '../platform/words.ts';
import classes from './register.module.css';

/** A guardian's children, each with their class, its parents' chat and the teachers to write to. */
export function Children() {
  const { t } = useTranslation();
  const membership = useMembership();
  const { all, choose } = useActing();
  const { conversations } = useSource(useMessenger());
  const navigate = useNavigate();
  const as = membership.id;
  const [staff, setStaff] = useState<readonly Member[]>();
  const [problem, setProblem] = useState<unknown>();
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when the membership changes or after a failure
  useEffect(() => {
    setProblem(undefined);
    client.school.listMembers({ as, role: 'teacher' }).then((found) => setStaff(found.members), setProblem);
  }, [as, membership, tries]);

  async function write(membershipId: MembershipId) {
    try {
      const { conversation } = await client.chat.openDirect({ as, membershipId });
      await navigate(`/c/${conversation.id}`);
    } catch (error) {
      tellError(errorWords(error, t));
    }
  }

  const elsewhere = all.filter(
    (other) => other.role === 'guardian' && other.id !== as && !other.suspended && other.children.length > 0,
  );
  return (
    <PageFrame title={t('children.title')} lead={t('children.lead')}>
      {problem !== undefined && (
        <LoadFailed words={errorWords(problem, t)} onRetry={() => setTries(tries + 1)} />
      )}
      {membership.children.length === 0 && (
        <p className={classes.quiet}>{t('children.none', { ...formsOf(membership.vocabulary, t) })}</p>
      )}
      {membership.children.map((child) => {
        const chat = conversations?.find(
          ({ kind, groupId }) => kind === 'parents' && groupId === child.groupId,
        );
        const teachers = staff?.filter((member) =>
          member.attachments.some(({ groupId }) => groupId === child.groupId),
        );
        return (
          <Section
            key={child.membershipId}
            title={`${child.fullName} · ${child.groupName}`}
            action={
              chat !== undefined && (
                <Button component={Link} to={`/c/${chat.id}`} variant="light" size="sm">
                  {t('children.chat')}
                </Button>
              )
            }
          >
            {teachers === undefined && problem === undefined && <Skeleton height={60} />}
            {teachers?.length === 0 && <p className={classes.quiet}>{t('children.noTeachers')}</p>}
            <ul className={classes.pupils} data-testid="child-teachers">
              {teachers?.map((teacher) => (
                <li key={teacher.membershipId} className={classes.teacher}>
                  <Avatar name={teacher.fullName} size={40} />
                  <span className={classes.teacherWords}>
                    <BadgedName name={teacher.fullName} verified={teacher.verified} />
                    <span className={classes.subjects}>
                      {teacher.attachments
                        .filter(({ groupId }) => groupId === child.groupId)
                        .map(({ subject }) => subject ?? t(`words.${membership.vocabulary}.classTeacher`))
                        .join(', ')}
                    </span>
                  </span>
                  <Button
                    size="xs"
                    variant="light"
                    leftSection={<IconMessage size={16} aria-hidden />}
                    aria-label={t('children.writeName', { name: teacher.fullName })}
                    onClick={() => void write(teacher.membershipId)}
                    data-testid="write-teacher"
                  >
                    {t('children.write')}
                  </Button>
                </li>
              ))}
            </ul>
          </Section>
        );
      })}
      {elsewhere.map((other) => (
        <Section
          key={other.id}
          title={other.schoolName}
          action={
            <Button variant="light" size="sm" onClick={() => choose(other.id)}>
              {t('common.open')}
            </Button>
          }
        >
          {other.children.map((child) => (
            <div key={child.membershipId}>
              {child.fullName} · {child.groupName}
            </div>
          ))}
        </Section>
      ))}
    </PageFrame>
  );
}
