import { Button, NativeSelect, SegmentedControl, Skeleton } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import {
  type Group,
  type InvitableRole,
  invitableRoles,
  type ProcedureOutput,
  type RosterEntry,
} from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, onAny } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { usePages } from '../platform/use-pages.ts';
import { errorWords, phoneWords, roleWord } from '../platform/words.ts';
import classes from './import.module.css';

const pageSize = 100;
/** Until the first answer. */
const nothing: {
  readonly groups: readonly Group[];
  readonly counts: ProcedureOutput<'school.listRoster'>['counts'];
} = {
  groups: [],
  counts: [],
};

/** Whom the school expects: who has not come yet, and how many of each role. */
export function Roster() {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const [come, setCome] = useState(false);
  const [role, setRole] = useState<InvitableRole | ''>('');
  const [groupId, setGroupId] = useState('');

  const ask = useCallback(
    async (after?: RosterEntry) => {
      const [{ entries, ...rest }, known] = await Promise.all([
        client.school.listRoster({
          as,
          come,
          limit: pageSize,
          ...(role === '' ? {} : { role }),
          ...(groupId === '' ? {} : { groupId: groupId as Group['id'] }),
          ...(after === undefined ? {} : { after: after.id }),
        }),
        client.school.listGroups({ as }),
      ]);
      const groups = known.groups.filter((group) => group.kind === 'class' && group.archivedAt === null);
      return { items: entries, groups, ...rest };
    },
    [as, come, role, groupId],
  );
  const { items: entries, answer, hasMore, problem, reload, more } = usePages(ask);
  const { groups, counts } = answer ?? nothing;
  useEffect(() => onAny(['school.rosterChanged', 'school.peopleChanged'], () => void reload()), [reload]);

  const nameOf = (id: string | null) => groups.find((group) => group.id === id)?.name;
  const isEmpty = entries !== undefined && counts.every((each) => each.expected === 0);
  const lineOf = (entry: RosterEntry) =>
    [
      roleWord(entry.role, vocabulary, t),
      nameOf(entry.groupId),
      entry.children.length > 0 ? t('roster.childrenOf', { names: entry.children.join(', ') }) : undefined,
      entry.phone === null ? undefined : phoneWords(entry.phone),
      entry.externalId === null ? undefined : t('roster.number', { number: entry.externalId }),
    ]
      .filter((part) => part !== undefined)
      .join(' · ');
  const rolesWord = (each: InvitableRole) =>
    each === 'head' ? t('people.roles.head') : t(`words.${vocabulary}.${each}s`);
  return (
    <PageFrame title={t('roster.title')} lead={t('roster.lead')}>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void reload()} />}
      {isEmpty ? (
        <Notice icon={<IconUserPlus size={36} />} title={t('roster.emptyTitle')} text={t('roster.emptyText')}>
          <Button component={Link} to="/school/import">
            {t('import.title')}
          </Button>
        </Notice>
      ) : (
        <>
          <dl className={classes.counts} data-testid="roster-counts">
            {counts
              .filter((each) => each.expected > 0)
              .map((each) => (
                <div key={each.role} className={classes.count}>
                  <dt>{rolesWord(each.role)}</dt>
                  <dd>{t('roster.comeOf', { come: each.come, expected: each.expected })}</dd>
                </div>
              ))}
          </dl>
          <div className={classes.narrow}>
            <SegmentedControl
              aria-label={t('roster.title')}
              value={come ? 'come' : 'waiting'}
              onChange={(value) => setCome(value === 'come')}
              data={[
                { value: 'waiting', label: t('roster.waiting') },
                { value: 'come', label: t('roster.come') },
              ]}
            />
            <NativeSelect
              aria-label={t('people.role')}
              value={role}
              onChange={(event) => {
                const { value } = event.currentTarget;
                setRole(value as InvitableRole | '');
              }}
              data={[
                { value: '', label: t('people.allRoles') },
                ...invitableRoles.map((value) => ({ value, label: rolesWord(value) })),
              ]}
            />
            <NativeSelect
              aria-label={t(`words.${vocabulary}.group`)}
              value={groupId}
              onChange={(event) => {
                const { value } = event.currentTarget;
                setGroupId(value);
              }}
              data={[
                { value: '', label: t(`words.${vocabulary}.allGroups`) },
                ...groups.map((group) => ({ value: group.id, label: group.name })),
              ]}
            />
          </div>
          {entries === undefined ? (
            problem === undefined && (
              <div role="status" aria-busy aria-label={t('common.loading')}>
                <Skeleton height={320} mt={22} radius={20} />
              </div>
            )
          ) : entries.length === 0 ? (
            <p className={classes.quiet}>{t(come ? 'roster.nobodyCame' : 'roster.allCame')}</p>
          ) : (
            <Section title={t(come ? 'roster.come' : 'roster.waiting')}>
              <ul className={classes.lines} data-testid="roster">
                {entries.map((entry) => (
                  <li key={entry.id} className={classes.line}>
                    <div className={classes.words}>
                      <div className={classes.name}>{entry.fullName}</div>
                      <p className={classes.facts}>{lineOf(entry)}</p>
                    </div>
                  </li>
                ))}
              </ul>
              {hasMore && (
                <Button variant="light" mt="md" fullWidth onClick={() => void more()}>
                  {t('people.more')}
                </Button>
              )}
            </Section>
          )}
        </>
      )}
    </PageFrame>
  );
}
