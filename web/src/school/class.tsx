import { Alert, Autocomplete, Badge, Button, NumberInput, Select, Skeleton, TextInput } from '@mantine/core';
import { IconChevronLeft, IconMapOff } from '@tabler/icons-react';
import {
  type GroupId,
  type MembershipId,
  mayRequest,
  mightDo,
  type SchoolClass,
  schoolLimits,
} from '@zvonok/client-sdk';
import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { plainLine } from '../desk/plain-text.ts';
import { Avatar } from '../platform/avatar.tsx';
import { client, onAny } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { tellUndo } from '../platform/tell-undo.tsx';
import { BadgedName } from '../platform/verified-badge.tsx';
import { errorWords, hasCode, longDate } from '../platform/words.ts';
import classes from './classes.module.css';
import { useTeachers } from './use-teachers.ts';

type Teacher = SchoolClass['teachers'][number];

/** One class: its name and year, who leads it, who teaches what in it, and how it is closed. */
export function ClassPage() {
  const { t } = useTranslation();
  const membership = useMembership();
  const { id: as, vocabulary } = membership;
  const groupId = useParams().groupId as GroupId;
  const [shown, setShown] = useState<SchoolClass>();
  const [problem, setProblem] = useState<unknown>();

  const load = useCallback(() => {
    client.school.getClass({ as, groupId }).then(
      (answer) => {
        setShown(answer.class);
        setProblem(undefined);
      },
      (error: unknown) => setProblem(error),
    );
  }, [as, groupId]);

  useEffect(() => {
    load();
    return onAny(['school.groupChanged', 'school.peopleChanged'], load);
  }, [load]);

  if (hasCode(problem, 'NOT_FOUND', 'VALIDATION')) {
    return (
      <Notice icon={<IconMapOff size={36} />} title={t('classes.goneTitle')} text={t('classes.goneText')}>
        <Button component={Link} to="/school/classes" variant="light">
          {t(`words.${vocabulary}.groups`)}
        </Button>
      </Notice>
    );
  }
  const open = shown?.group.archivedAt === null;
  const edits = open && mightDo('manageGroups', membership);
  const attaches = open && mightDo('attachTeachers', membership);
  const asks = open && !attaches && mayRequest('attachTeachers', membership);
  return (
    <PageFrame title={shown?.group.name ?? '…'}>
      <div className={classes.facts}>
        <Link to="/school/classes" className={classes.back}>
          <IconChevronLeft size={18} aria-hidden />
          {t(`words.${vocabulary}.groups`)}
        </Link>
        {shown !== undefined && (
          <span className={classes.quiet}>
            {shown.group.year !== null && `${t(`words.${vocabulary}.yearOf`, { year: shown.group.year })} · `}
            {t(`words.${vocabulary}.pupilCount`, { count: shown.pupils })}
            {shown.group.archivedAt !== null &&
              ` · ${t('classes.inArchiveSince', { when: longDate(shown.group.archivedAt) })}`}
          </span>
        )}
      </div>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
      {shown === undefined ? (
        problem === undefined && (
          <div role="status" aria-busy aria-label={t('common.loading')}>
            <Skeleton height={320} mt={22} radius={20} />
          </div>
        )
      ) : (
        <>
          <Teachers of={shown} kind="class" attaches={attaches} asks={asks} onChanged={load} />
          <Teachers of={shown} kind="subject" attaches={attaches} asks={asks} onChanged={load} />
          {edits && (
            <>
              <Rename key={`${shown.group.name} ${shown.group.year}`} of={shown} onChanged={load} />
              <Archive of={shown} onChanged={load} />
            </>
          )}
        </>
      )}
    </PageFrame>
  );
}

function Teachers({
  of: { group, teachers },
  kind,
  attaches,
  asks,
  onChanged,
}: {
  of: SchoolClass;
  kind: Teacher['kind'];
  attaches: boolean;
  /** May ask somebody who does it. */
  asks: boolean;
  onChanged: () => void;
}) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const listed = teachers.filter((teacher) => teacher.kind === kind);
  const tieOf = ({ membershipId, subject }: Pick<Teacher, 'membershipId' | 'subject'>) => ({
    as,
    membershipId,
    groupId: group.id,
    kind,
    ...(subject === null ? {} : { subject }),
  });

  async function detach(teacher: Teacher) {
    try {
      await client.school.detachTeacher(tieOf(teacher));
      onChanged();
      tellUndo(t('classes.detached', { name: teacher.fullName }), async () => {
        await client.school.attachTeacher(tieOf(teacher));
        onChanged();
      });
    } catch (error) {
      tellError(errorWords(error, t));
    }
  }

  return (
    <Section
      title={kind === 'class' ? t(`words.${vocabulary}.classTeacher`) : t('classes.subjects')}
      {...(kind === 'subject' ? { lead: t('classes.subjectsLead') } : {})}
    >
      {listed.length === 0 && (
        <p className={classes.quiet}>
          {t(kind === 'class' ? 'classes.noClassTeacher' : 'classes.noSubjects')}
        </p>
      )}
      <ul className={classes.people} data-testid={`teachers-${kind}`}>
        {listed.map((teacher) => (
          <li key={`${teacher.membershipId} ${teacher.subject}`} className={classes.person}>
            <Avatar name={teacher.fullName} size={40} />
            <div className={classes.words}>
              {teacher.subject !== null && <div className={classes.quiet}>{teacher.subject}</div>}
              <div className={classes.personName}>
                <BadgedName name={teacher.fullName} verified={teacher.verified} />{' '}
                {!teacher.verified && (
                  <Badge color="brass" variant="light" tt="none">
                    {t('classes.unverified')}
                  </Badge>
                )}
              </div>
            </div>
            {attaches && (
              <Button
                size="xs"
                variant="subtle"
                color="red"
                aria-label={t('classes.detachName', { name: teacher.fullName })}
                onClick={() => void detach(teacher)}
              >
                {t('classes.detach')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {(attaches || asks) && (
        <Attach
          kind={kind}
          asks={asks}
          subjects={[...new Set(teachers.flatMap((teacher) => teacher.subject ?? []))]}
          again={listed.length > 0}
          onAttach={async (membershipId, subject, name) => {
            if (asks) {
              const what = { kind: 'attachTeacher', membershipId, groupId: group.id, subject } as const;
              await client.school.createRequest({ as, what });
              tell(t('requests.sent'));
              return;
            }
            await client.school.attachTeacher(tieOf({ membershipId, subject }));
            onChanged();
            tell(t('classes.attached', { name }));
          }}
        />
      )}
    </Section>
  );
}

function Attach({
  kind,
  asks,
  subjects,
  again,
  onAttach,
}: {
  kind: Teacher['kind'];
  subjects: readonly string[];
  again: boolean;
  asks: boolean;
  onAttach: (membershipId: MembershipId, subject: string | null, name: string) => Promise<void>;
}) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const [reached, setReached] = useState(false);
  const teachers = useTeachers(reached);
  const [chosen, setChosen] = useState<string | null>(null);
  const [subject, setSubject] = useState('');
  const [missing, setMissing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();

  async function attach(event: FormEvent) {
    event.preventDefault();
    const teacher = teachers?.find((each) => each.membershipId === chosen);
    const named = plainLine(subject);
    setMissing(kind === 'subject' && named === '');
    if (teacher === undefined || (kind === 'subject' && named === '')) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await onAttach(teacher.membershipId, kind === 'subject' ? named : null, teacher.fullName);
      setChosen(null);
      setSubject('');
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={attach} className={classes.attach} data-testid={`attach-${kind}`}>
      {kind === 'subject' && (
        <Autocomplete
          label={t('classes.subject')}
          placeholder={t('classes.subjectExample')}
          maxLength={schoolLimits.subjectLength}
          data={[...subjects]}
          size="md"
          value={subject}
          onChange={(value) => {
            setSubject(value);
            setMissing(false);
          }}
          error={missing ? t('classes.subjectWrong') : undefined}
        />
      )}
      <Select
        label={kind === 'class' ? t(`words.${vocabulary}.classTeacher`) : t('classes.teacher')}
        placeholder={t('classes.teacherPick')}
        nothingFoundMessage={teachers === undefined ? t('common.loading') : t('classes.teacherNone')}
        searchable
        limit={50}
        data={(teachers ?? []).map((teacher) => ({
          value: teacher.membershipId,
          label: teacher.verified ? teacher.fullName : `${teacher.fullName} (${t('classes.unverified')})`,
        }))}
        value={chosen}
        onChange={setChosen}
        onFocus={() => setReached(true)}
        data-testid={`teacher-${kind}`}
      />
      <Button type="submit" variant="light" loading={busy} disabled={chosen === null}>
        {t(asks ? 'requests.attach' : again ? 'classes.attachOther' : 'classes.attach')}
      </Button>
      {problem !== undefined && (
        <Alert color="red" role="alert">
          {errorWords(problem, t)}
        </Alert>
      )}
    </form>
  );
}

function Rename({ of: { group }, onChanged }: { of: SchoolClass; onChanged: () => void }) {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const [name, setName] = useState(group.name);
  const [year, setYear] = useState<number | null>(group.year);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const typed = plainLine(name);
  const changed = typed !== '' && (typed !== group.name || year !== group.year);

  async function save(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await client.school.updateGroup({ as, groupId: group.id, name: typed, year });
      onChanged();
      tellUndo(t('classes.renamed', { name: typed }), async () => {
        await client.school.updateGroup({ as, groupId: group.id, name: group.name, year: group.year });
        onChanged();
      });
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Section title={t('classes.rename')}>
      <form onSubmit={save} className={classes.create}>
        <TextInput
          label={t('classes.createOne')}
          maxLength={schoolLimits.groupNameLength}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
            setProblem(undefined);
          }}
          error={problem === undefined ? undefined : errorWords(problem, t)}
          className={classes.createName ?? ''}
          data-testid="rename-class"
        />
        <NumberInput
          label={t('classes.year')}
          placeholder={t('classes.yearNone')}
          min={0}
          max={schoolLimits.groupYearMax}
          allowDecimal={false}
          allowNegative={false}
          hideControls
          value={year ?? ''}
          onChange={(value) => setYear(value === '' ? null : Number(value))}
          className={classes.createYear ?? ''}
        />
        <Button type="submit" variant="light" loading={busy} disabled={!changed}>
          {t('classes.save')}
        </Button>
      </form>
    </Section>
  );
}

function Archive({ of: { group, pupils }, onChanged }: { of: SchoolClass; onChanged: () => void }) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const [asking, setAsking] = useState(false);
  const blocked = pupils > 0;
  return (
    <Section
      title={t('classes.archive')}
      lead={
        blocked
          ? t('classes.archiveBlocked', { pupils: t(`words.${vocabulary}.pupilCount`, { count: pupils }) })
          : t('classes.archiveLead')
      }
      action={
        <Button
          variant="light"
          color="red"
          size="sm"
          flex="none"
          disabled={blocked}
          onClick={() => setAsking(true)}
          data-testid="archive-class"
        >
          {t('classes.archive')}
        </Button>
      }
    >
      {null}
      <Confirm
        opened={asking}
        title={t('classes.archiveTitle', { name: group.name })}
        confirm={t('classes.archive')}
        danger
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          await client.school.archiveGroup({ as, groupId: group.id });
          tell(t('classes.archiveDone', { name: group.name }));
          onChanged();
        }}
      >
        {t('classes.archiveLead')}
      </Confirm>
    </Section>
  );
}
