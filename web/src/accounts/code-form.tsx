import { Alert, Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import type { ChallengeId } from '@zvonok/client-sdk';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useDemo } from '../platform/health.ts';
import { errorWords, inWords, phoneWords } from '../platform/words.ts';
import classes from './phone-sign-in.module.css';

/** A code that is on its way. */
export interface Challenge {
  readonly challengeId: ChallengeId;
  /** When another code may be asked for, by this device's clock. */
  readonly resendAt: number;
}

export const challengeOf = (sent: {
  readonly challengeId: ChallengeId;
  readonly resendAfterMs: number;
}): Challenge => ({ challengeId: sent.challengeId, resendAt: Date.now() + sent.resendAfterMs });

const codeLength = 6;

interface CodeFormProps {
  /** Where the code went. */
  readonly phone: string;
  readonly challenge: Challenge;
  /** What the button says. */
  readonly submit: string;
  /** The form stays with the refusal in words where it rejects. */
  readonly onCode: (code: string) => Promise<unknown>;
  readonly onResend: () => Promise<unknown>;
  /** What stands below. */
  readonly children?: ReactNode;
}

/** Where a code is typed that was sent; with its last digit it is taken by itself. */
export function CodeForm({ phone, challenge, submit, onCode, onResend, children }: CodeFormProps) {
  const { t } = useTranslation();
  const demo = useDemo();
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const input = useRef<HTMLInputElement>(null);

  async function run(work: () => Promise<unknown>) {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      setProblem(errorWords(error, t));
    } finally {
      setBusy(false);
      setCode('');
      requestAnimationFrame(() => input.current?.focus());
    }
  }

  function take(typed: string) {
    if (busy) return;
    if (typed.length < codeLength) setProblem(t('signIn.codeDigits'));
    else void run(() => onCode(typed));
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        take(code);
      }}
      noValidate
    >
      <Stack gap="md">
        <Text c="dimmed">{t('signIn.codeLead', { phone: phoneWords(phone) })}</Text>
        {demo && <Alert color="brass">{t('signIn.demoHint')}</Alert>}
        <TextInput
          ref={input}
          size="lg"
          label={t('signIn.code')}
          classNames={{ input: classes.code ?? '' }}
          name="code"
          autoComplete="one-time-code"
          inputMode="numeric"
          value={code}
          placeholder="––––––"
          onChange={(event) => {
            const digits = event.currentTarget.value.replace(/\D/g, '').slice(0, codeLength);
            setCode(digits);
            setProblem(undefined);
            if (digits.length === codeLength) take(digits);
          }}
          error={problem}
          readOnly={busy}
          autoFocus
          data-autofocus
          data-testid="code"
        />
        <Button type="submit" size="lg" fullWidth loading={busy} data-testid="verify-code">
          {submit}
        </Button>
        <Resend at={challenge.resendAt} busy={busy} onResend={() => void run(onResend)} />
        {children}
      </Stack>
    </form>
  );
}

function Resend({ at, busy, onResend }: { at: number; busy: boolean; onResend: () => void }) {
  const { t } = useTranslation();
  const [now, setNow] = useState(Date.now);
  const waiting = at > now;
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [waiting]);
  if (waiting) {
    return (
      <Text ta="center" c="dimmed" size="sm" className={classes.resend}>
        {t('signIn.resendIn', { when: inWords(at - now, t) })}
      </Text>
    );
  }
  return (
    <Anchor
      component="button"
      type="button"
      ta="center"
      className={classes.resend}
      disabled={busy}
      onClick={onResend}
    >
      {t('signIn.resend')}
    </Anchor>
  );
}
