import { Alert, Anchor, Button, NumberInput, Textarea, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { schoolLimits } from '@zvonok/client-sdk';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { useMembership } from '../platform/membership.tsx';
import { Section } from '../platform/page.tsx';
import { tell } from '../platform/tell.ts';
import { errorWords, hasCode } from '../platform/words.ts';
import classes from './classes.module.css';

/** 7 of «7Б», 10 of «10-А». A college's «ИС-21» names no year. */
function yearIn(name: string): number | null {
  const year = Number(/^\d{1,2}/.exec(name)?.[0] ?? Number.NaN);
  return year <= schoolLimits.groupYearMax ? year : null;
}

/** Names as somebody lists them: each once. */
export function namesIn(typed: string): string[] {
  const names = typed
    .split(/[,;\n]+/)
    .map((name) => name.replaceAll(/\s+/g, ' ').trim())
    .filter((name) => name !== '' && name.length <= schoolLimits.groupNameLength);
  return [...new Map(names.map((name) => [name.toLocaleLowerCase(), name])).values()];
}

/** Makes classes: one with its year, or a list of them at once. */
export function CreateClasses({ onMade }: { onMade: () => void }) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const [many, setMany] = useState(false);
  const [typed, setTyped] = useState('');
  /** Undefined: as the name says. */
  const [year, setYear] = useState<number | null>();
  const [progress, setProgress] = useState<{ done: number; all: number }>();
  const [problem, setProblem] = useState<unknown>();
  const [left, setLeft] = useState<{ existed: string[]; failed: string[] }>({ existed: [], failed: [] });
  const words = `words.${vocabulary}` as const;
  const names = many ? namesIn(typed) : namesIn(typed.replaceAll(/[,;]/g, ' '));
  const shownYear = year === undefined ? yearIn(typed.trim()) : year;

  async function create(event: FormEvent) {
    event.preventDefault();
    const existed: string[] = [];
    const failed: string[] = [];
    let made = 0;
    setProblem(undefined);
    setLeft({ existed, failed });
    for (const [index, name] of names.entries()) {
      setProgress({ done: index, all: names.length });
      try {
        await client.school.createGroup({ as, name, year: many ? yearIn(name) : shownYear });
        made += 1;
      } catch (error) {
        if (hasCode(error, 'NAME_TAKEN') && many) existed.push(name);
        else {
          failed.push(name);
          setProblem(error);
        }
      }
    }
    setProgress(undefined);
    setLeft({ existed, failed });
    if (made > 0) {
      tell(t('classes.created', { count: made }));
      onMade();
    }
    // What was refused stays to be corrected.
    setTyped(failed.join('\n'));
    if (failed.length === 0) setYear(undefined);
  }

  const type = (text: string) => {
    setTyped(text);
    setProblem(undefined);
  };
  return (
    <Section
      title={t(`${words}.groupNew`)}
      action={
        <Anchor
          component="button"
          type="button"
          size="sm"
          onClick={() => {
            setMany(!many);
            setProblem(undefined);
          }}
          data-testid="create-many"
        >
          {t(many ? 'classes.onlyOne' : 'classes.createMany')}
        </Anchor>
      }
    >
      <form onSubmit={create} className={classes.create} data-many={many || undefined}>
        {many ? (
          <Textarea
            label={t('classes.createMany')}
            description={t('classes.createManyHint')}
            placeholder={t(`${words}.groupsExample`)}
            autosize
            minRows={3}
            maxRows={10}
            value={typed}
            onChange={(event) => type(event.currentTarget.value)}
            className={classes.createName ?? ''}
            data-testid="class-names"
          />
        ) : (
          <>
            <TextInput
              label={t('classes.createOne')}
              placeholder={t(`${words}.groupExample`)}
              maxLength={schoolLimits.groupNameLength}
              value={typed}
              onChange={(event) => type(event.currentTarget.value)}
              className={classes.createName ?? ''}
              data-testid="class-name"
            />
            <NumberInput
              label={t('classes.year')}
              placeholder={t('classes.yearNone')}
              min={0}
              max={schoolLimits.groupYearMax}
              allowDecimal={false}
              allowNegative={false}
              hideControls
              value={shownYear ?? ''}
              onChange={(value) => setYear(value === '' ? null : Number(value))}
              className={classes.createYear ?? ''}
            />
          </>
        )}
        <Button
          type="submit"
          variant="light"
          loading={progress !== undefined}
          disabled={names.length === 0}
          leftSection={<IconPlus size={20} aria-hidden />}
          data-testid="create-class"
        >
          {t('classes.create')}
        </Button>
      </form>
      <div role="status" className={classes.said}>
        {progress !== undefined && progress.all > 1 && t('classes.creating', progress)}
        {left.existed.length > 0 && t('classes.existed', { names: left.existed.join(', ') })}
      </div>
      {problem !== undefined && (
        <Alert color="red" role="alert" mt="sm">
          {errorWords(problem, t)}{' '}
          {many && left.failed.length > 0 && t('classes.notMade', { names: left.failed.join(', ') })}
        </Alert>
      )}
    </Section>
  );
}
