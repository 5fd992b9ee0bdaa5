import {
  Alert,
  Badge,
  Button,
  NativeSelect,
  NumberInput,
  Group as Row,
  Skeleton,
  TextInput,
} from '@mantine/core';
import {
  type Rollover,
  type RolloverAction,
  type RolloverChoices,
  type RolloverClass,
  type RolloverPlan,
  rolloverActions,
  schoolLimits,
} from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, onAny } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell } from '../platform/tell.ts';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords, fullDate, hasCode } from '../platform/words.ts';
import classes from './rollover.module.css';

const nothingChosen: RolloverChoices = { classes: [], newClasses: [], teachers: [] };

/** The turn of the school year: what will happen, class by class, before it happens; and the way back for 30 days. */
export function RolloverPage() {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const forms = formsOf(vocabulary, t);
  const [choices, setChoices] = useState<RolloverChoices>(nothingChosen);
  const [plan, setPlan] = useState<RolloverPlan>();
  const [last, setLast] = useState<Rollover | null>();
  const [problem, setProblem] = useState<unknown>();
  const [confirming, setConfirming] = useState<'apply' | 'undo'>();
  const [again, setAgain] = useState(false);
  const [inTheWay, setInTheWay] = useState<readonly string[]>([]);

  const load = useCallback(() => {
    setProblem(undefined);
    Promise.all([client.school.planRollover({ as, choices }), client.school.findRollover({ as })]).then(
      ([planned, found]) => {
        setPlan(planned.plan);
        setLast(found.rollover);
      },
      setProblem,
    );
  }, [as, choices]);
  useEffect(() => {
    load();
    return onAny(['school.groupChanged', 'school.peopleChanged'], load);
  }, [load]);

  const decide = (each: RolloverClass, change: { action?: RolloverAction; name?: string }) =>
    setChoices((known) => {
      const before = known.classes.find((choice) => choice.groupId === each.groupId);
      const { name: _old, ...rest } = { action: each.action, ...before, ...change, groupId: each.groupId };
      const name = (change.name ?? before?.name ?? '').trim();
      const kept = known.classes.filter((choice) => choice.groupId !== each.groupId);
      return { ...known, classes: [...kept, name === '' ? rest : { ...rest, name }] };
    });

  const undoable =
    last !== undefined &&
    last !== null &&
    last.undoneAt === null &&
    Date.parse(last.undoableUntil) > Date.now();
  const years = new Set((plan?.classes ?? []).map((each) => each.year));
  const first = Math.min(...[...years].filter((year) => year !== null), schoolLimits.groupYearMax);
  return (
    <PageFrame title={t('rollover.title')} {...(undoable && !again ? {} : { lead: t('rollover.lead') })}>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
      {undoable && last !== null && (
        <Alert mt={22} color="board" title={t('rollover.doneTitle', { date: fullDate(last.appliedAt) })}>
          <p className={classes.text}>
            {t('rollover.doneText', {
              name: last.appliedBy.fullName,
              promoted: last.promoted,
              graduates: last.graduates,
              until: fullDate(last.undoableUntil),
            })}
          </p>
          {inTheWay.length > 0 && (
            <p role="alert" className={classes.text}>
              {t('rollover.inTheWay', { names: inTheWay.join(', ') })}
            </p>
          )}
          <Row gap="sm">
            <Button size="xs" onClick={() => setConfirming('undo')} data-testid="undo-rollover">
              {t('rollover.undo')}
            </Button>
            {!again && (
              <Button size="xs" variant="subtle" onClick={() => setAgain(true)}>
                {t('rollover.again')}
              </Button>
            )}
          </Row>
        </Alert>
      )}
      {undoable && !again ? null : plan === undefined ? (
        problem === undefined && <Skeleton height={360} mt={22} radius={20} />
      ) : plan.classes.length === 0 ? (
        <Alert mt={22} variant="light" title={t('rollover.emptyTitle')}>
          {t('rollover.emptyText', { ...forms })}
        </Alert>
      ) : (
        <>
          <Section
            title={t('rollover.what')}
            lead={t('rollover.summary', { promoted: plan.promoted, graduates: plan.graduates })}
            action={
              <NumberInput
                label={t('rollover.lastYear')}
                min={0}
                max={schoolLimits.groupYearMax}
                w={180}
                value={plan.lastYear}
                onChange={(value) => {
                  if (typeof value === 'number') setChoices((known) => ({ ...known, lastYear: value }));
                }}
              />
            }
          >
            <ul className={classes.list} data-testid="rollover-classes">
              {plan.classes.map((each) => (
                <ClassLine key={each.groupId} of={each} decide={(change) => decide(each, change)} />
              ))}
              {plan.newClasses.map((each) => (
                <li key={each.name} className={classes.line}>
                  <span className={classes.names}>
                    <strong>{each.name}</strong>
                    <Badge color="board" variant="light" tt="none">
                      {t('rollover.isNew')}
                    </Badge>
                    {each.problem !== null && (
                      <Badge color="red" variant="light" tt="none">
                        {t(`rollover.problems.${each.problem}`)}
                      </Badge>
                    )}
                  </span>
                  <Button
                    size="xs"
                    variant="subtle"
                    className={classes.takeOut ?? ''}
                    onClick={() =>
                      setChoices((known) => ({
                        ...known,
                        newClasses: known.newClasses.filter((choice) => choice.name !== each.name),
                      }))
                    }
                  >
                    {t('rollover.takeOut')}
                  </Button>
                </li>
              ))}
            </ul>
            <NewClass
              onAdd={(name) =>
                setChoices((known) => ({
                  ...known,
                  newClasses: [
                    ...known.newClasses.filter((each) => each.name !== name),
                    { name, year: Number(/^\d{1,2}/.exec(name)?.[0] ?? first) },
                  ],
                }))
              }
            />
          </Section>
          <Section title={t('rollover.rules')}>
            <ul className={classes.rules}>
              <li>{t('rollover.ruleChats')}</li>
              <li>{t('rollover.ruleGraduates')}</li>
              <li>{t('rollover.ruleTeachers', { ...forms })}</li>
              <li>{t('rollover.ruleUndo')}</li>
            </ul>
            <Row mt="md">
              <Button
                size="md"
                disabled={plan.problems > 0}
                onClick={() => setConfirming('apply')}
                data-testid="apply-rollover"
              >
                {t('rollover.apply')}
              </Button>
              {plan.problems > 0 && (
                <span className={classes.quiet}>{t('rollover.mend', { count: plan.problems })}</span>
              )}
            </Row>
          </Section>
        </>
      )}
      <Confirm
        opened={confirming === 'apply'}
        title={t('rollover.confirmTitle')}
        confirm={t('rollover.apply')}
        onClose={() => setConfirming(undefined)}
        onConfirm={async () => {
          if (plan === undefined) return;
          await client.school.applyRollover({ as, choices, digest: plan.digest });
          setChoices(nothingChosen);
          setAgain(false);
          tell(t('rollover.done'));
        }}
      >
        {t('rollover.confirmText', {
          promoted: plan?.promoted ?? 0,
          graduates: plan?.graduates ?? 0,
          organisation: t(`words.${vocabulary}.organisation`),
        })}
      </Confirm>
      <Confirm
        opened={confirming === 'undo'}
        danger
        title={t('rollover.undoTitle')}
        confirm={t('rollover.undo')}
        onClose={() => setConfirming(undefined)}
        onConfirm={async () => {
          if (last === undefined || last === null) return;
          try {
            await client.school.undoRollover({ as, rolloverId: last.id });
            setInTheWay([]);
            tell(t('rollover.undone'));
          } catch (error) {
            if (hasCode(error, 'ROLLOVER_CHANGED')) setInTheWay(namesIn(error.data?.changes));
            throw error;
          }
          load();
        }}
      >
        {t('rollover.undoText', { ...forms })}
      </Confirm>
    </PageFrame>
  );
}

/** What the server named as changed since. */
function namesIn(changes: unknown): string[] {
  if (!Array.isArray(changes)) return [];
  return changes.flatMap((each: unknown) =>
    typeof each === 'object' && each !== null && 'name' in each && typeof each.name === 'string'
      ? [each.name]
      : [],
  );
}

function ClassLine({
  of,
  decide,
}: {
  of: RolloverClass;
  decide: (change: { action?: RolloverAction; name?: string }) => void;
}) {
  const { t } = useTranslation();
  const [name, setName] = useState(of.newName);
  useEffect(() => setName(of.newName), [of.newName]);
  return (
    <li className={classes.line}>
      <span className={classes.names}>
        <strong>{of.name}</strong>
        <span className={classes.quiet}>{t('rollover.pupils', { count: of.pupils })}</span>
        {of.problem !== null && (
          <Badge color="red" variant="light" tt="none">
            {t(`rollover.problems.${of.problem}`)}
          </Badge>
        )}
      </span>
      <NativeSelect
        aria-label={t('rollover.actionOf', { name: of.name })}
        value={of.action}
        onChange={(event) => decide({ action: event.currentTarget.value as RolloverAction })}
        data={rolloverActions.map((value) => ({ value, label: t(`rollover.actions.${value}`) }))}
      />
      {of.action === 'promote' ? (
        <TextInput
          aria-label={t('rollover.nameOf', { name: of.name })}
          value={name}
          maxLength={schoolLimits.groupNameLength}
          onChange={(event) => setName(event.currentTarget.value)}
          onBlur={() => {
            if (name.trim() !== '' && name.trim() !== of.newName) decide({ name });
          }}
          className={classes.next ?? ''}
        />
      ) : (
        <span className={classes.next} />
      )}
    </li>
  );
}

function NewClass({ onAdd }: { onAdd: (name: string) => void }) {
  const { t } = useTranslation();
  const { vocabulary } = useMembership();
  const [name, setName] = useState('');
  return (
    <form
      className={classes.add}
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() === '') return;
        onAdd(name.trim());
        setName('');
      }}
    >
      <TextInput
        label={t('rollover.newClass')}
        placeholder={t(`words.${vocabulary}.firstGroupExample`)}
        maxLength={schoolLimits.groupNameLength}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Button type="submit" variant="light" disabled={name.trim() === ''}>
        {t('rollover.add')}
      </Button>
    </form>
  );
}
