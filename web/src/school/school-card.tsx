import { Alert, Button, SegmentedControl, Skeleton, TextInput } from '@mantine/core';
import { mightDo, type School, schoolLimits, type Vocabulary, vocabularies } from '@zvonok/client-sdk';
import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { plainLine } from '../desk/plain-text.ts';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { tell } from '../platform/tell.ts';
import { tellUndo } from '../platform/tell-undo.tsx';
import { formsOf } from '../platform/vocabulary.ts';
import { errorWords, hasCode } from '../platform/words.ts';
import classes from './school-card.module.css';

const textFields = ['name', 'address', 'contactEmail', 'contactPhone', 'journalUrl'] as const;
type TextField = (typeof textFields)[number];
/** As it is typed: empty for what is not given. */
type Card = Readonly<Record<TextField, string>> & { readonly vocabulary: Vocabulary };

const cardOf = (school: School): Card => ({
  name: school.name,
  vocabulary: school.vocabulary,
  address: school.address ?? '',
  contactEmail: school.contactEmail ?? '',
  contactPhone: school.contactPhone ?? '',
  journalUrl: school.journalUrl ?? '',
});

/** An address that somebody copied without its beginning. */
function webAddress(typed: string): string {
  const plain = typed.trim();
  return plain === '' || /^[a-z]+:/i.test(plain) ? plain : `https://${plain}`;
}

const tidied = (typed: Card): Card => ({
  ...typed,
  name: plainLine(typed.name),
  address: plainLine(typed.address),
  contactEmail: typed.contactEmail.trim(),
  contactPhone: typed.contactPhone.trim(),
  journalUrl: webAddress(typed.journalUrl),
});

/** What surely will be refused; the server judges the rest. */
function faultsOf(card: Card): TextField[] {
  const wrong: Record<TextField, boolean> = {
    name: card.name === '',
    address: false,
    contactEmail: card.contactEmail !== '' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(card.contactEmail),
    contactPhone: card.contactPhone !== '' && !/^[+0-9 ()-]{5,25}$/.test(card.contactPhone),
    journalUrl: card.journalUrl !== '' && !/^https:\/\/[^\s/]+\.[^\s]+$/.test(card.journalUrl),
  };
  return textFields.filter((field) => wrong[field]);
}

/** What differs of the two, as the server takes it: null for what is not given. */
function differences(before: Card, after: Card) {
  const { name, vocabulary, ...others } = after;
  return {
    ...(name !== before.name && { name }),
    ...(vocabulary !== before.vocabulary && { vocabulary }),
    ...Object.fromEntries(
      Object.entries(others)
        .filter(([field, text]) => text !== before[field as TextField])
        .map(([field, text]) => [field, text === '' ? null : text]),
    ),
  };
}

/** What the school tells of itself. The administrator corrects it here, a head asks for a correction. */
export function SchoolCardPage() {
  const { t } = useTranslation();
  const membership = useMembership();
  const as = membership.id;
  const [school, setSchool] = useState<School>();
  const [problem, setProblem] = useState<unknown>();

  const load = useCallback(() => {
    setProblem(undefined);
    client.school.getSchool({ as }).then((answer) => setSchool(answer.school), setProblem);
  }, [as]);

  useEffect(() => {
    const stop = client.on('school.schoolChanged', ({ school: changed }) => {
      if (changed.id === membership.schoolId) setSchool(changed);
    });
    load();
    return stop;
  }, [load, membership.schoolId]);

  const forms = formsOf(membership.vocabulary, t);
  return (
    <PageFrame
      title={t('card.title')}
      lead={`${t('card.lead', { ...forms })}${mightDo('editSchool', membership) ? '' : ` ${t('card.askLead')}`}`}
    >
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={load} />}
      {school === undefined ? (
        problem === undefined && (
          <div role="status" aria-busy aria-label={t('common.loading')}>
            <Skeleton height={420} mt={22} radius={20} />
          </div>
        )
      ) : (
        <EditCard school={school} asks={!mightDo('editSchool', membership)} onSaved={setSchool} />
      )}
    </PageFrame>
  );
}

function EditCard({
  school,
  asks,
  onSaved,
}: {
  school: School;
  /** Whether what is typed is asked for and not done. */
  asks: boolean;
  onSaved: (school: School) => void;
}) {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const stored = cardOf(school);
  /** What was typed and differs from what is stored: a change by somebody else shows beside it. */
  const [typed, setTyped] = useState<Partial<Card>>({});
  const [wrong, setWrong] = useState<readonly TextField[]>([]);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const card = { ...stored, ...typed };
  const changed = Object.keys(differences(stored, tidied(card))).length > 0;

  const type = (given: Partial<Card>) => {
    setTyped({ ...typed, ...given });
    setWrong(wrong.filter((field) => given[field] === undefined));
    setProblem(undefined);
  };

  async function save(event: FormEvent) {
    event.preventDefault();
    const given = tidied(card);
    const faults = faultsOf(given);
    setWrong(faults);
    if (faults.length > 0) {
      document.querySelector<HTMLElement>(`[data-field="${faults[0]}"]`)?.focus();
      return;
    }
    setBusy(true);
    setProblem(undefined);
    try {
      if (asks) {
        await client.school.createRequest({
          as,
          what: { kind: 'editSchool', card: differences(stored, given) },
        });
        setTyped({});
        tell(t('card.asked'));
        return;
      }
      const answer = await client.school.updateSchool({ as, ...differences(stored, given) });
      onSaved(answer.school);
      setTyped({});
      tellUndo(t('card.saved'), () =>
        client.school.updateSchool({ as, ...differences(given, stored) }).then((was) => onSaved(was.school)),
      );
    } catch (error) {
      const named = hasCode(error, 'VALIDATION') ? /^\/(\w+)/.exec(error.message)?.[1] : undefined;
      const field = textFields.find((each) => each === named);
      if (field === undefined) setProblem(error);
      else setWrong([field]);
    } finally {
      setBusy(false);
    }
  }

  const field = (name: TextField) => ({
    label: t(`card.${name}`),
    value: card[name],
    onChange: (event: { currentTarget: { value: string } }) => type({ [name]: event.currentTarget.value }),
    error: wrong.includes(name) ? t(`card.${name}Wrong`) : undefined,
    'data-field': name,
  });

  return (
    <form onSubmit={save} noValidate data-testid="card-form">
      <Section title={t(`words.${card.vocabulary}.organisation`)}>
        <div className={classes.fields}>
          <TextInput {...field('name')} maxLength={schoolLimits.nameLength} required withAsterisk={false} />
          <TextInput
            {...field('address')}
            maxLength={schoolLimits.addressLength}
            placeholder={t('card.addressExample')}
            autoComplete="street-address"
          />
        </div>
      </Section>
      <Section title={t('card.contacts')}>
        <div className={classes.two}>
          <TextInput
            {...field('contactPhone')}
            description={t('card.contactPhoneHint')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            type="tel"
            inputMode="tel"
          />
          <TextInput
            {...field('contactEmail')}
            maxLength={schoolLimits.emailLength}
            type="email"
            inputMode="email"
          />
        </div>
      </Section>
      <Section title={t('card.journal')}>
        <TextInput
          {...field('journalUrl')}
          description={t('card.journalHint')}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          maxLength={schoolLimits.urlLength}
          placeholder="https://"
          inputMode="url"
        />
      </Section>
      <Section title={t('card.vocabulary')} lead={t('card.vocabularyLead')}>
        <SegmentedControl
          fullWidth
          aria-label={t('card.vocabulary')}
          value={card.vocabulary}
          onChange={(value) => type({ vocabulary: value as Vocabulary })}
          data={vocabularies.map((value) => ({ value, label: t(`words.${value}.organisation`) }))}
        />
        <ul className={classes.words} aria-label={t('card.words')} data-testid="card-words">
          {wordsShown.map((word) => (
            <li key={word}>{t(`words.${card.vocabulary}.${word}`)}</li>
          ))}
        </ul>
      </Section>
      {problem !== undefined && (
        <Alert color="red" role="alert" mt="md">
          {errorWords(problem, t)}
        </Alert>
      )}
      <div className={classes.actions} data-changed={changed || undefined}>
        <Button type="submit" loading={busy} disabled={!changed} data-testid="card-save">
          {t(asks ? 'card.ask' : 'card.save')}
        </Button>
        {changed && (
          <Button
            variant="default"
            disabled={busy}
            onClick={() => {
              setTyped({});
              setWrong([]);
              setProblem(undefined);
            }}
          >
            {t('card.reset')}
          </Button>
        )}
      </div>
    </form>
  );
}

/** Enough of them to see what another choice would change. */
const wordsShown = [
  'group',
  'pupil',
  'teacher',
  'classTeacher',
  'lesson',
  'staffRoom',
  'generalChannel',
] as const;
