import { Badge, Button, NativeSelect, Skeleton } from '@mantine/core';
import {
  type Import,
  type ImportRow,
  type ImportRowKind,
  type InvitableRole,
  importRowKinds,
  invitableRoles,
  rosterColumns,
} from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { Section } from '../platform/page.tsx';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords, phoneWords, roleWord } from '../platform/words.ts';
import classes from './import.module.css';

const pageSize = 100;

/** What needs a look comes first. */
const order: readonly ImportRowKind[] = ['error', 'new', 'changed', 'moved', 'group', 'unchanged', 'missing'];

/** What a table would change, line by line, until somebody confirms it. */
export function ImportPreview({
  of,
  onChanged,
  onAnother,
}: {
  of: Import;
  onChanged: (changed: Import) => void;
  onAnother: () => void;
}) {
  const { t } = useTranslation();
  const membership = useMembership();
  const { id: as } = membership;
  const counts = of.counts ?? { group: 0, new: 0, changed: 0, moved: 0, unchanged: 0, missing: 0, error: 0 };
  const kinds = order.filter((each) => importRowKinds.includes(each) && counts[each] > 0);
  const [kind, setKind] = useState<ImportRowKind>(kinds[0] ?? 'unchanged');
  const [role, setRole] = useState<InvitableRole | ''>('');
  const [rows, setRows] = useState<readonly ImportRow[]>();
  const [hasMore, setHasMore] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [confirming, setConfirming] = useState(false);

  const load = useCallback(
    async (after?: ImportRow) => {
      setProblem(undefined);
      try {
        const page = await client.school.listImportRows({
          as,
          importId: of.id,
          kind,
          limit: pageSize,
          ...(role === '' ? {} : { role }),
          ...(after === undefined ? {} : { after: after.position }),
        });
        setRows((shown) => (after === undefined ? page.rows : [...(shown ?? []), ...page.rows]));
        setHasMore(page.hasMore);
      } catch (error) {
        setProblem(error);
      }
    },
    [as, of.id, kind, role],
  );
  useEffect(() => void load(), [load]);

  const work = counts.group + counts.new + counts.changed + counts.moved;
  const vocabulary = membership.vocabulary;
  const forms = formsOf(vocabulary, t);
  return (
    <>
      <p className={classes.quiet} data-testid="import-name">
        {t('import.previewOf', { name: of.fileName })}
      </p>
      <ul className={classes.kinds}>
        {kinds.map((each) => (
          <li key={each}>
            <Button
              size="sm"
              radius="xl"
              variant={each === kind ? 'filled' : 'default'}
              {...(each === 'error' && each === kind ? { color: 'red.7' } : {})}
              aria-pressed={each === kind}
              onClick={() => {
                setRows(undefined);
                setKind(each);
              }}
              data-testid={`import-${each}`}
            >
              {t(`import.kinds.${each}`, { ...forms })} · {counts[each]}
            </Button>
          </li>
        ))}
      </ul>
      <div className={classes.filters}>
        <NativeSelect
          aria-label={t('people.role')}
          value={role}
          onChange={(event) => {
            setRows(undefined);
            setRole(event.currentTarget.value as InvitableRole | '');
          }}
          data={[
            { value: '', label: t('people.allRoles') },
            ...invitableRoles.map((value) => ({ value, label: roleWord(value, vocabulary, t) })),
          ]}
        />
      </div>
      <Section title={t(`import.kinds.${kind}`, { ...forms })} lead={t(`import.leads.${kind}`, { ...forms })}>
        {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void load()} />}
        {rows === undefined && problem === undefined && (
          <div role="status" aria-busy aria-label={t('common.loading')}>
            <Skeleton height={240} radius={20} />
          </div>
        )}
        {rows?.length === 0 && <p className={classes.quiet}>{t('people.empty')}</p>}
        {rows !== undefined && rows.length > 0 && (
          <ul className={classes.lines} data-testid="import-rows">
            {rows.map((row) => (
              <Line key={row.position} row={row} />
            ))}
          </ul>
        )}
        {hasMore && (
          <Button variant="light" mt="md" fullWidth onClick={() => void load(rows?.at(-1))}>
            {t('people.more')}
          </Button>
        )}
      </Section>
      <div className={classes.bar}>
        <p>
          {work === 0
            ? t('import.nothing')
            : counts.error > 0
              ? t('import.withFaults', { count: counts.error })
              : t('import.notYet')}
        </p>
        <div className={classes.buttons} style={{ marginTop: 0 }}>
          <Button variant="default" onClick={onAnother}>
            {t('import.another')}
          </Button>
          <Button disabled={work === 0} onClick={() => setConfirming(true)} data-testid="import-apply">
            {t('import.apply')}
          </Button>
        </div>
      </div>
      <Confirm
        opened={confirming}
        title={t('import.applyTitle')}
        confirm={t('import.apply')}
        onClose={() => setConfirming(false)}
        onConfirm={async () => {
          onChanged((await client.school.applyImport({ as, importId: of.id })).import);
        }}
      >
        {t('import.applyText', {
          ...forms,
          added: counts.new,
          changed: counts.changed + counts.moved,
          made: counts.group,
        })}
      </Confirm>
    </>
  );
}

function Line({ row }: { row: ImportRow }) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const forms = formsOf(vocabulary, t);
  const shownAs = (column: (typeof rosterColumns)[number], value: string) =>
    column === 'phone' ? phoneWords(value) : value;
  // Of somebody new the class stands beside the name.
  const told = row.kind === 'new' ? ['role', 'group'] : ['role'];
  const columns = rosterColumns.filter(
    (column) => !told.includes(column) && row.after?.[column] !== undefined,
  );
  return (
    <li className={classes.line}>
      <span className={classes.number}>{row.line !== null && t('import.line', { line: row.line })}</span>
      <div className={classes.words}>
        <div className={classes.name}>
          {row.name === '' ? t('import.noName') : row.name}
          {row.role !== null && (
            <Badge variant="light" tt="none">
              {roleWord(row.role, vocabulary, t)}
              {row.group !== null && ` · ${row.group}`}
            </Badge>
          )}
        </div>
        {row.faults.map(({ column, fault }) => (
          <p key={`${column} ${fault}`} className={classes.fault}>
            {t('import.inColumn', { column: t(`import.columnNames.${column}`, { ...forms }) })}{' '}
            {t(`import.faults.${fault}`, { ...forms })}
          </p>
        ))}
        {row.kind !== 'group' &&
          columns.map((column) => (
            <p key={column} className={classes.facts}>
              {t(`import.columnNames.${column}`, { ...forms })}:{' '}
              {row.before?.[column] !== undefined && (
                <>
                  <del>{shownAs(column, row.before[column])}</del> →{' '}
                </>
              )}
              <ins>{shownAs(column, row.after?.[column] ?? '')}</ins>
            </p>
          ))}
        {row.notes.map((note) => (
          <p key={note} className={classes.note}>
            {t(`import.notes.${note}`)}
          </p>
        ))}
      </div>
    </li>
  );
}
