import { Badge, Button, SegmentedControl, Skeleton, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArchive, IconChalkboard, IconChevronRight, IconSearch } from '@tabler/icons-react';
import { mightDo, type SchoolClass, schoolLimits } from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, Route, Routes } from 'react-router';
import { client, onAny } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { usePages } from '../platform/use-pages.ts';
import { errorWords } from '../platform/words.ts';
import { ClassPage } from './class.tsx';
import classes from './classes.module.css';
import { CreateClasses } from './create-classes.tsx';

/** Somebody types faster than it would help to ask. */
const typingMs = 300;

/** The classes of the school, and each of them on a page of its own. */
export function ClassesPage() {
  return (
    <Routes>
      <Route index element={<Classes />} />
      <Route path=":groupId" element={<ClassPage />} />
    </Routes>
  );
}

function Classes() {
  const { t } = useTranslation();
  const membership = useMembership();
  const { id: as, vocabulary } = membership;
  const [state, setState] = useState<'open' | 'archived'>('open');
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.trim(), typingMs);
  const makes = mightDo('manageGroups', membership);

  const ask = useCallback(
    async (after?: SchoolClass) => {
      const { classes: items, ...rest } = await client.school.listClasses({
        as,
        state,
        ...(search === '' ? {} : { search }),
        ...(after === undefined ? {} : { after: after.group.id }),
      });
      return { items, ...rest };
    },
    [as, state, search],
  );
  const { items: listed, setItems, hasMore, problem, reload, more } = usePages(ask, { keeps: true });
  useEffect(() => onAny(['school.groupChanged', 'school.peopleChanged'], () => void reload()), [reload]);

  const words = `words.${vocabulary}` as const;
  return (
    <PageFrame title={t(`${words}.groups`)} lead={t('classes.lead')}>
      <div className={classes.filters}>
        <TextInput
          aria-label={t('classes.search')}
          placeholder={t('classes.search')}
          leftSection={<IconSearch size={18} aria-hidden />}
          maxLength={schoolLimits.groupNameLength}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          className={classes.search ?? ''}
          data-testid="search-classes"
        />
        <SegmentedControl
          aria-label={t('classes.state')}
          value={state}
          onChange={(value) => {
            setItems(undefined);
            setState(value as 'open' | 'archived');
          }}
          data={[
            { value: 'open', label: t('classes.open') },
            { value: 'archived', label: t('classes.archived') },
          ]}
        />
      </div>
      {makes && state === 'open' && <CreateClasses onMade={() => void reload()} />}
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void reload()} />}
      {listed === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton height={220} mt={22} radius={20} />
        </div>
      )}
      {listed?.length === 0 && <Empty state={state} searching={search !== ''} makes={makes} />}
      {[...Map.groupBy(listed ?? [], (each) => each.group.year)].map(([year, ofYear]) => (
        <Section key={year} title={year === null ? t('classes.noYear') : t(`${words}.yearOf`, { year })}>
          <ul className={classes.rows} data-testid="classes">
            {ofYear.map((each) => (
              <li key={each.group.id}>
                <Row of={each} />
              </li>
            ))}
          </ul>
        </Section>
      ))}
      {hasMore && (
        <Button variant="light" mt="md" fullWidth onClick={() => void more()}>
          {t('people.more')}
        </Button>
      )}
    </PageFrame>
  );
}

function Row({ of: { group, pupils, teachers } }: { of: SchoolClass }) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const leaders = teachers.filter((teacher) => teacher.kind === 'class');
  return (
    <Link to={group.id} className={classes.row} data-testid="class">
      <span className={classes.name}>{group.name}</span>
      <span className={classes.words}>
        <span className={classes.line}>
          {leaders.length > 0 ? (
            leaders.map((teacher) => teacher.fullName).join(', ')
          ) : group.archivedAt === null ? (
            <Badge color="brass" variant="light" tt="none" fw={600} size="lg">
              {t('classes.noClassTeacher')}
            </Badge>
          ) : null}
        </span>
        <span className={classes.quiet}>{t(`words.${vocabulary}.pupilCount`, { count: pupils })}</span>
      </span>
      <IconChevronRight size={20} className={classes.chevron} aria-hidden />
    </Link>
  );
}

function Empty({
  state,
  searching,
  makes,
}: {
  state: 'open' | 'archived';
  searching: boolean;
  makes: boolean;
}) {
  const { t } = useTranslation();
  if (searching) return <p className={classes.nothing}>{t('classes.notFound')}</p>;
  if (state === 'archived') {
    return (
      <Notice
        icon={<IconArchive size={36} />}
        title={t('classes.emptyArchive')}
        text={t('classes.emptyArchiveText')}
      />
    );
  }
  return (
    <Notice
      icon={<IconChalkboard size={36} />}
      title={t('classes.emptyTitle')}
      text={t(makes ? 'classes.emptyText' : 'classes.emptyOwn')}
    />
  );
}
