import { Alert, Button, NativeSelect, Text, TextInput } from '@mantine/core';
import {
  CodedError,
  deskLimits,
  type ApplicationForm as Form,
  schoolLimits,
  vocabularies,
} from '@zvonok/client-sdk';
import { type ChangeEvent, type FormEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { errorWords, hasCode } from '../platform/words.ts';
import classes from './apply.module.css';
import { useKept } from './kept.ts';
import { orderFault, PickOrder } from './pick-order.tsx';
import { plainLine } from './plain-text.ts';

const empty: Form = {
  schoolName: '',
  vocabulary: 'school',
  registerId: '',
  address: '',
  adminName: '',
  adminPhone: '',
  adminEmail: '',
  orderNumber: '',
  orderDate: '',
};
type Field = keyof Form;
const isField = (name: string): name is Field => Object.hasOwn(empty, name);

/** 256 random bits, as the server's own tokens. */
const newToken = () =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(deskLimits.tokenBytes))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** What is sent of what was typed. */
function tidied(typed: Form): Form {
  return {
    ...typed,
    schoolName: plainLine(typed.schoolName),
    address: plainLine(typed.address),
    registerId: typed.registerId.replaceAll(/\s/g, ''),
    orderNumber: plainLine(typed.orderNumber),
    adminName: plainLine(typed.adminName),
    adminEmail: typed.adminEmail.trim(),
    adminPhone: typed.adminPhone.trim(),
  };
}

/** A year with a digit too few or too many. */
const isDay = (typed: string) => typed > '1990' && typed < '2100';

/** What surely will be refused, the topmost of the page first; the server judges the rest. */
function faultsOf(form: Form): Field[] {
  const wrong: Record<Field, boolean> = {
    schoolName: form.schoolName === '',
    vocabulary: false,
    registerId: !/^[0-9A-Za-z./-]{3,}$/.test(form.registerId),
    address: form.address === '',
    adminName: !form.adminName.includes(' '),
    adminPhone: form.adminPhone.replaceAll(/\D/g, '').length < 10,
    adminEmail: !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(form.adminEmail),
    orderNumber: form.orderNumber === '',
    orderDate: !isDay(form.orderDate),
  };
  return Object.keys(wrong)
    .filter(isField)
    .filter((field) => wrong[field]);
}

/** The field that the server refused; undefined where the refusal is about something else. */
function refusedField(error: unknown): Field | undefined {
  if (hasCode(error, 'PHONE_INVALID')) return 'adminPhone';
  if (!hasCode(error, 'VALIDATION')) return undefined;
  const name = /^\/form\/(\w+)/.exec(error.message)?.[1] ?? '';
  return isField(name) ? name : undefined;
}

/** The application of a school. What is typed stays in this tab until it was sent. */
export function ApplicationForm({
  onSubmitted,
}: {
  /** The way back to the application, and the scan that follows it. */
  onSubmitted: (token: string, order: File) => void;
}) {
  const { t } = useTranslation();
  const [typed, keep, forget] = useKept('application', empty);
  const [order, setOrder] = useState<File>();
  const [wrong, setWrong] = useState<readonly Field[]>([]);
  const [orderError, setOrderError] = useState<string>();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  /** Names what is typed: sent again after a lost reply it makes no second application. Other words, another name. */
  const token = useRef<string>(undefined);

  const focusOn = (name: string) =>
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>(`[data-field="${name}"]`)?.focus());

  function show(fields: readonly Field[]) {
    setWrong(fields);
    if (fields[0] !== undefined) focusOn(fields[0]);
  }

  function pick(file: File) {
    const fault = orderFault(file, t);
    setOrderError(fault);
    setOrder(fault === undefined ? file : undefined);
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    const ready = tidied(typed);
    const faults = faultsOf(ready);
    setProblem(undefined);
    show(faults);
    if (order === undefined) {
      setOrderError((known) => known ?? t('apply.orderMissing'));
      if (faults.length === 0)
        form.current?.querySelector<HTMLElement>('[data-testid="pick-order"]')?.focus();
    }
    if (faults.length > 0 || order === undefined) return;
    setBusy(true);
    try {
      token.current ??= newToken();
      await client.desk.submitApplication({ form: ready, token: token.current });
      forget();
      onSubmitted(token.current, order);
    } catch (error) {
      const field = refusedField(error);
      if (field === undefined) setProblem(error);
      else show([field]);
      setBusy(false);
    }
  }

  const field = (name: Exclude<Field, 'vocabulary'>) => ({
    label: t(`apply.fields.${name}`),
    value: typed[name],
    onChange: (event: ChangeEvent<HTMLInputElement>) => {
      token.current = undefined;
      keep({ ...typed, [name]: event.currentTarget.value });
      setWrong(wrong.filter((each) => each !== name));
    },
    error: wrong.includes(name) ? t(`apply.wrong.${name}`) : undefined,
    required: true,
    withAsterisk: false,
    'data-field': name,
  });

  return (
    <form ref={form} onSubmit={submit} noValidate data-testid="application-form">
      <Text c="dimmed">{t('apply.lead')}</Text>
      <fieldset className={classes.part}>
        <legend className={classes.partTitle}>{t('apply.school')}</legend>
        <div className={classes.fields}>
          <TextInput
            {...field('schoolName')}
            className={classes.whole ?? ''}
            placeholder={t('apply.examples.schoolName')}
            maxLength={schoolLimits.nameLength}
            autoComplete="organization"
          />
          <NativeSelect
            label={t('apply.fields.vocabulary')}
            value={typed.vocabulary}
            onChange={(event) =>
              keep({ ...typed, vocabulary: event.currentTarget.value as Form['vocabulary'] })
            }
            data={vocabularies.map((value) => ({ value, label: t(`apply.vocabularies.${value}`) }))}
            data-field="vocabulary"
          />
          <TextInput
            {...field('registerId')}
            placeholder={t('apply.examples.registerId')}
            maxLength={deskLimits.registerIdLength}
            autoComplete="off"
          />
          <TextInput
            {...field('address')}
            className={classes.whole ?? ''}
            placeholder={t('apply.examples.address')}
            maxLength={schoolLimits.addressLength}
            autoComplete="street-address"
          />
        </div>
      </fieldset>
      <fieldset className={classes.part}>
        <legend className={classes.partTitle}>{t('apply.admin')}</legend>
        <p className={classes.partLead}>{t('apply.adminLead')}</p>
        <div className={classes.fields}>
          <TextInput
            {...field('adminName')}
            className={classes.whole ?? ''}
            placeholder={t('apply.examples.adminName')}
            maxLength={schoolLimits.nameLength}
            autoComplete="name"
            autoCapitalize="words"
          />
          <TextInput
            {...field('adminPhone')}
            placeholder="+7 912 345-67-89"
            type="tel"
            inputMode="tel"
            maxLength={32}
            autoComplete="tel"
          />
          <TextInput
            {...field('adminEmail')}
            placeholder="school29@example.ru"
            type="email"
            inputMode="email"
            maxLength={schoolLimits.emailLength}
            autoComplete="email"
          />
        </div>
      </fieldset>
      <fieldset className={classes.part}>
        <legend className={classes.partTitle}>{t('apply.orderPart')}</legend>
        <p className={classes.partLead}>{t('apply.orderLead')}</p>
        <div className={classes.fields}>
          <TextInput
            {...field('orderNumber')}
            placeholder={t('apply.examples.orderNumber')}
            maxLength={deskLimits.orderNumberLength}
            autoComplete="off"
          />
          <TextInput {...field('orderDate')} type="date" />
          <div className={classes.whole}>
            <PickOrder
              name={order?.name}
              error={order === undefined ? orderError : undefined}
              busy={busy}
              onPick={pick}
            />
          </div>
        </div>
      </fieldset>
      {problem !== undefined && (
        <Alert color="red" role="alert" mt="lg">
          {errorWords(problem, t)}
          {problem instanceof CodedError && problem.code !== 'RATE_LIMITED' && ` ${t('apply.typedKept')}`}
        </Alert>
      )}
      <Button
        type="submit"
        size="lg"
        mt="lg"
        loading={busy}
        className={classes.send ?? ''}
        data-testid="submit"
      >
        {t('apply.submit')}
      </Button>
      <Text size="sm" c="dimmed" mt="md">
        {t('apply.privacy')}
      </Text>
    </form>
  );
}
