import {
  Badge,
  Button,
  CloseButton,
  Menu,
  NativeSelect,
  Skeleton,
  TextInput,
  UnstyledButton,
} from '@mantine/core';
import { IconPrinter, IconTableDown } from '@tabler/icons-react';
import {
  type AuditAction,
  type AuditFilter,
  type AuditRecord,
  auditActions,
  type MembershipId,
} from '@zvonok/client-sdk';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { saveFile } from '../platform/save-file.ts';
import { tell, tellError } from '../platform/tell.ts';
import { usePages } from '../platform/use-pages.ts';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords, moment } from '../platform/words.ts';
import classes from './audit.module.css';
import { actionSentence, actionTitle, factsOf } from './audit-words.ts';

const pageSize = 50;
const dayMs = 24 * 60 * 60_000;

const isAction = (text: string | null): text is AuditAction => auditActions.some((action) => action === text);
/** The begin of a day of this device's clock; undefined for a day that is typed by half. */
function dayOf(typed: string | null, plusMs = 0): string | undefined {
  const day = new Date(`${typed ?? ''}T00:00:00`);
  return Number.isNaN(day.getTime()) || day.getFullYear() < 2000 || day.getFullYear() > 2200
    ? undefined
    : new Date(day.getTime() + plusMs).toISOString();
}

/** What was done in the school, whoever did it: filtered, printed, saved. The conditions stand in the address. */
export function AuditPage() {
  const { t } = useTranslation();
  const membership = useMembership();
  const { id: as, vocabulary } = membership;
  const [parameters, setParameters] = useSearchParams();
  const [saving, setSaving] = useState(false);
  const whole = membership.standings.includes('SA') || membership.standings.includes('HD');

  const action = parameters.get('action');
  const by = parameters.get('by') as MembershipId | null;
  const member = parameters.get('member') as MembershipId | null;
  const from = dayOf(parameters.get('from'));
  const until = dayOf(parameters.get('until'), dayMs);
  const put = (given: Readonly<Record<string, string>>) => {
    const next = new URLSearchParams(parameters);
    for (const [name, value] of Object.entries(given)) {
      if (value === '') next.delete(name);
      else next.set(name, value);
    }
    setParameters(next, { replace: true });
  };

  const filter = useMemo<AuditFilter>(
    () => ({
      ...(isAction(action) && { action }),
      ...(by !== null && { by }),
      ...(member !== null && { member }),
      ...(from !== undefined && { from }),
      ...(until !== undefined && { until }),
    }),
    [action, by, member, from, until],
  );
  const ask = useCallback(
    async (after?: AuditRecord) => {
      const { records: items, ...rest } = await client.school.listAuditRecords({
        as,
        limit: pageSize,
        ...filter,
        ...(after !== undefined && { after: after.id }),
      });
      return { items, ...rest };
    },
    [as, filter],
  );
  const { items: records, hasMore, problem, reload, more } = usePages(ask, { keeps: true });

  async function save() {
    setSaving(true);
    try {
      const { name, table } = await client.school.exportAudit(
        as,
        filter,
        new Intl.DateTimeFormat().resolvedOptions().timeZone,
      );
      saveFile(name, table);
      tell(t('audit.saved'));
    } catch (error) {
      tellError(errorWords(error, t));
    } finally {
      setSaving(false);
    }
  }

  const nameOf = (id: MembershipId) =>
    records?.flatMap((record) => [record.by, record.member]).find((person) => person?.membershipId === id)
      ?.fullName ?? '…';
  return (
    <PageFrame
      title={t('audit.title')}
      lead={whole ? t('audit.lead') : t('audit.leadOwn', { ...formsOf(vocabulary, t) })}
    >
      <div className={classes.filters}>
        <NativeSelect
          label={t('audit.action')}
          value={isAction(action) ? action : ''}
          onChange={(event) => put({ action: event.currentTarget.value })}
          data={[
            { value: '', label: t('audit.anyAction') },
            ...auditActions.map((value) => ({ value, label: actionTitle(value, vocabulary, t) })),
          ]}
          data-testid="audit-action"
        />
        {(['from', 'until'] as const).map((name) => (
          <TextInput
            key={name}
            type="date"
            label={t(`audit.${name}`)}
            value={parameters.get(name) ?? ''}
            onChange={(event) => put({ [name]: event.currentTarget.value })}
          />
        ))}
      </div>
      {(by !== null || member !== null) && (
        <div className={classes.chips}>
          {by !== null && (
            <Condition words={t('audit.byOnly', { name: nameOf(by) })} onForget={() => put({ by: '' })} />
          )}
          {member !== null && (
            <Condition
              words={t('audit.memberOnly', { name: nameOf(member) })}
              onForget={() => put({ member: '' })}
            />
          )}
        </div>
      )}
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void reload()} />}
      {records === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          <Skeleton height={320} mt={22} radius={20} />
        </div>
      )}
      {records?.length === 0 && <p className={classes.nothing}>{t('audit.empty')}</p>}
      {records !== undefined && records.length > 0 && (
        <div data-print>
          <p className={classes.printed}>
            {membership.schoolName}.{' '}
            {t('audit.printed', { when: moment(new Date().toISOString(), t), count: records.length })}
          </p>
          <Section
            title={isAction(action) ? actionTitle(action, vocabulary, t) : t('audit.anyAction')}
            action={
              whole && (
                <div className={classes.actions}>
                  <Button
                    size="xs"
                    variant="light"
                    leftSection={<IconTableDown size={18} aria-hidden />}
                    loading={saving}
                    onClick={() => void save()}
                    data-testid="save-audit"
                  >
                    {t('audit.save')}
                  </Button>
                  <Button
                    size="xs"
                    variant="light"
                    leftSection={<IconPrinter size={18} aria-hidden />}
                    onClick={() => window.print()}
                  >
                    {t('audit.print')}
                  </Button>
                </div>
              )
            }
          >
            <ol className={classes.records} data-testid="audit">
              {records.map((record) => (
                <RecordRow key={record.id} record={record} onFilter={put} />
              ))}
            </ol>
          </Section>
        </div>
      )}
      {hasMore && (
        <Button variant="light" mt="md" fullWidth onClick={() => void more()}>
          {t('audit.more')}
        </Button>
      )}
    </PageFrame>
  );
}

function Condition({ words, onForget }: { words: string; onForget: () => void }) {
  const { t } = useTranslation();
  return (
    <Badge
      size="lg"
      variant="light"
      tt="none"
      fw={600}
      rightSection={
        <CloseButton size="xs" aria-label={t('audit.forget', { name: words })} onClick={onForget} />
      }
    >
      {words}
    </Badge>
  );
}

function RecordRow({
  record,
  onFilter,
}: {
  record: AuditRecord;
  onFilter: (given: Readonly<Record<string, string>>) => void;
}) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const facts = factsOf(record, vocabulary, t);
  return (
    <li className={classes.record} data-action={record.action}>
      <div className={classes.sentence}>{actionSentence(record, vocabulary, t)}</div>
      {facts.length > 0 && (
        <dl className={classes.facts}>
          {facts.map(({ name, before, after }) => (
            <div key={name} className={classes.fact}>
              <dt>{name}</dt>
              <dd>
                {before !== undefined && (
                  <span className={after === undefined ? undefined : classes.before}>{before}</span>
                )}
                {before !== undefined && after !== undefined && ' → '}
                {after}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <div className={classes.quiet}>
        <Who record={record} onFilter={onFilter} /> · <time dateTime={record.at}>{moment(record.at, t)}</time>
        {record.address !== null && ` · ${record.address}`}
      </div>
    </li>
  );
}

/** Who did it; from the name further records of the two people are one step away. */
function Who({
  record: { by, member },
  onFilter,
}: {
  record: AuditRecord;
  onFilter: (given: Readonly<Record<string, string>>) => void;
}) {
  const { t } = useTranslation();
  if (by === null) return t('audit.operator');
  return (
    <Menu width={300} position="bottom-start" radius="md" shadow="md">
      <Menu.Target>
        <UnstyledButton className={classes.who}>{by.fullName}</UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{by.fullName}</Menu.Label>
        <Menu.Item onClick={() => onFilter({ by: by.membershipId, member: '' })}>
          {t('audit.onlyBy')}
        </Menu.Item>
        <Menu.Item onClick={() => onFilter({ member: by.membershipId, by: '' })}>
          {t('audit.onlyMember')}
        </Menu.Item>
        {member !== null && member.membershipId !== by.membershipId && (
          <>
            <Menu.Label>{member.fullName}</Menu.Label>
            <Menu.Item onClick={() => onFilter({ by: member.membershipId, member: '' })}>
              {t('audit.onlyBy')}
            </Menu.Item>
            <Menu.Item onClick={() => onFilter({ member: member.membershipId, by: '' })}>
              {t('audit.onlyMember')}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
