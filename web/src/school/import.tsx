import { Alert, Button, Loader, Progress } from '@mantine/core';
import { IconDownload, IconTable, IconUpload } from '@tabler/icons-react';
import { type Import, spreadsheetLimits } from '@zvonok/client-sdk';
import { type DragEvent, useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useAskedAgain } from '../platform/asked-again.ts';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords, moment } from '../platform/words.ts';
import classes from './import.module.css';
import { ImportPreview } from './import-preview.tsx';
import { saveTable } from './save-table.ts';

const megabyte = 1024 * 1024;
const accepted = '.xlsx,.csv,.txt,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** People come from a table: it is given in, shown as what it would change, and applied once somebody has looked. */
export function ImportPeople() {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const [imports, setImports] = useState<readonly Import[]>();
  /** Somebody wants to give in another file although a preview waits. */
  const [another, setAnother] = useState(false);
  const [sent, setSent] = useState<number>();
  const [problem, setProblem] = useState<unknown>();

  const put = useCallback((changed: Import) => {
    setImports((known = []) => [changed, ...known.filter((each) => each.id !== changed.id)]);
  }, []);
  const ask = useCallback(() => {
    client.school.listImports({ as }).then(
      (answer) => {
        setImports(answer.imports);
        setProblem(undefined);
      },
      (error: unknown) => setProblem(error),
    );
  }, [as]);
  useAskedAgain(ask);
  useEffect(
    () =>
      client.on('school.importChanged', (event) => {
        if (event.membershipId === as) put(event.import);
      }),
    [as, put],
  );

  async function send(file: File) {
    setProblem(undefined);
    setSent(0);
    try {
      put(await client.school.importTable(as, file, file.name, setSent));
      setAnother(false);
    } catch (error) {
      setProblem(error);
    } finally {
      setSent(undefined);
    }
  }

  const newest = imports?.toSorted((one, other) => other.createdAt.localeCompare(one.createdAt))[0];
  const shown = another ? undefined : newest;
  const again = (
    <Button variant="light" onClick={() => setAnother(true)} data-testid="import-another">
      {t('import.another')}
    </Button>
  );
  return (
    <PageFrame title={t('import.title')} lead={t('import.lead', { ...formsOf(vocabulary, t) })}>
      {problem !== undefined && imports === undefined && (
        <LoadFailed words={errorWords(problem, t)} onRetry={ask} />
      )}
      {problem !== undefined && imports !== undefined && (
        <Alert color="red" role="alert" mt="md">
          {errorWords(problem, t)}
        </Alert>
      )}
      {sent !== undefined ? (
        <Working words={t('import.sending')} share={sent} />
      ) : imports === undefined ? (
        problem === undefined && <Working words={t('common.loading')} />
      ) : shown === undefined ||
        shown.state === 'applied' ||
        shown.state === 'failed' ||
        shown.state === 'stale' ? (
        <>
          {shown !== undefined && <Outcome of={shown} />}
          <GiveIn onPick={(file) => void send(file)} />
        </>
      ) : shown.state === 'ready' ? (
        <ImportPreview key={shown.id} of={shown} onChanged={put} onAnother={() => setAnother(true)} />
      ) : (
        <>
          <Working words={t(shown.state === 'reading' ? 'import.reading' : 'import.applying')} />
          {shown.state === 'reading' && <div className={classes.buttons}>{again}</div>}
        </>
      )}
    </PageFrame>
  );
}

function Working({ words, share }: { words: string; share?: number }) {
  return (
    <div className={classes.working} role="status">
      {share === undefined ? <Loader /> : <Progress value={share * 100} aria-label={words} />}
      <p className={classes.quiet}>{words}</p>
    </div>
  );
}

/** How the last import ended, and what to do next. */
function Outcome({ of }: { of: Import }) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  if (of.state === 'applied') {
    const { new: added = 0, changed = 0, moved = 0, group = 0 } = of.counts ?? {};
    return (
      <Alert mt="md" title={t('import.applied')} data-testid="import-applied">
        {t('import.appliedText', {
          ...formsOf(vocabulary, t),
          added,
          changed: changed + moved,
          made: group,
        })}{' '}
        {of.appliedAt !== null && moment(of.appliedAt, t)}
        <div className={classes.buttons}>
          <Button component={Link} to="/school/invites" size="sm">
            {t('import.toInvites')}
          </Button>
          <Button component={Link} to="/school/roster" size="sm" variant="light">
            {t('roster.title')}
          </Button>
        </div>
      </Alert>
    );
  }
  return (
    <Alert color="red" mt="md" role="alert" title={t('import.failed', { name: of.fileName })}>
      {of.state === 'stale'
        ? t('errors.IMPORT_STALE')
        : t(`import.failures.${of.failure?.reason ?? 'INTERNAL'}`)}{' '}
      {of.failure?.line != null && t('import.nearLine', { line: of.failure.line })}
    </Alert>
  );
}

function GiveIn({ onPick }: { onPick: (file: File) => void }) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const [over, setOver] = useState(false);
  const [fault, setFault] = useState<string>();
  const input = useRef<HTMLInputElement>(null);

  function pick(file: File | undefined | null) {
    if (file == null) return;
    const megabytes = spreadsheetLimits.fileBytes / megabyte;
    const wrong =
      file.size === 0
        ? t('import.failures.EMPTY')
        : file.size > spreadsheetLimits.fileBytes
          ? t('import.tooLarge', { megabytes })
          : undefined;
    setFault(wrong);
    if (wrong === undefined) onPick(file);
  }

  const save = (format: 'csv' | 'xlsx', blank = false) =>
    saveTable(as, format, blank).catch((error: unknown) => setFault(errorWords(error, t)));
  return (
    <>
      <ol className={classes.steps}>
        <li>{t('import.stepFill')}</li>
        <li>{t('import.stepLook')}</li>
        <li>{t('import.stepNext')}</li>
      </ol>
      <fieldset
        className={classes.drop}
        aria-label={t('import.drop')}
        data-over={over || undefined}
        onDragOver={(event: DragEvent) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event: DragEvent) => {
          event.preventDefault();
          setOver(false);
          pick(event.dataTransfer.files[0]);
        }}
      >
        <span className={classes.dropIcon} aria-hidden>
          <IconTable size={26} />
        </span>
        <p className={classes.dropTitle}>{t('import.drop')}</p>
        <p className={classes.quiet}>{t('import.dropHint')}</p>
        <input
          ref={input}
          type="file"
          accept={accepted}
          hidden
          onChange={(event) => {
            pick(event.currentTarget.files?.[0]);
            event.currentTarget.value = '';
          }}
          data-testid="import-file"
        />
        <Button leftSection={<IconUpload size={20} aria-hidden />} onClick={() => input.current?.click()}>
          {t('import.pick')}
        </Button>
      </fieldset>
      {fault !== undefined && (
        <Alert color="red" role="alert" mt="md">
          {fault}
        </Alert>
      )}
      <Section title={t('import.tables')} lead={t('import.tablesLead')}>
        <div className={classes.buttons}>
          <Button
            variant="light"
            leftSection={<IconDownload size={20} aria-hidden />}
            onClick={() => void save('xlsx', true)}
            data-testid="import-blank"
          >
            {t('import.blank')}
          </Button>
          <Button variant="default" onClick={() => void save('xlsx')} data-testid="export-xlsx">
            {t('import.exportXlsx')}
          </Button>
          <Button variant="default" onClick={() => void save('csv')}>
            {t('import.exportCsv')}
          </Button>
        </div>
        <p className={classes.quiet}>{t('import.columns', { ...formsOf(vocabulary, t) })}</p>
      </Section>
    </>
  );
}
