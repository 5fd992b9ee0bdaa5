import { Alert, Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import type { ChallengeId } from '@zvonok/client-sdk';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { useDemo } from '../platform/health.ts';
import { errorWords, inWords, phoneWords } from '../platform/words.ts';
import classes from './phone-sign-in.module.css';

interface Challenge {
  readonly challengeId: ChallengeId;
  /** When another code may be asked for, by this device's clock. */
  readonly resendAt: number;
}

const codeLength = 6;

/** Phone, then code; `otherWays` stand below the phone. When it is done the session is signed in and whoever shows this screen goes on. */
export function PhoneSignIn({ inviteToken, otherWays }: { inviteToken?: string; otherWays?: ReactNode }) {
  const { t } = useTranslation();
  const demo = useDemo();
  const [phone, setPhone] = useState('');
  const [challenge, setChallenge] = useState<Challenge>();
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const codeInput = useRef<HTMLInputElement>(null);

  async function requestCode() {
    setBusy(true);
    setProblem(undefined);
    try {
      const sent = await client.accounts.requestCode({
        phone: phone.trim(),
        ...(inviteToken === undefined ? {} : { inviteToken }),
      });
      setChallenge({ challengeId: sent.challengeId, resendAt: Date.now() + sent.resendAfterMs });
      setCode('');
    } catch (error) {
      setProblem(errorWords(error, t));
    } finally {
      setBusy(false);
    }
  }

  function submitPhone(event: FormEvent) {
    event.preventDefault();
    if (phone.replace(/\D/g, '').length < 10) {
      setProblem(t('signIn.phoneShort'));
      return;
    }
    void requestCode();
  }

  async function verify(typed: string) {
    if (challenge === undefined || busy) return;
    if (typed.length < codeLength) {
      setProblem(t('signIn.codeDigits'));
      return;
    }
    setBusy(true);
    setProblem(undefined);
    try {
      await client.accounts.verifyCode({ challengeId: challenge.challengeId, code: typed });
    } catch (error) {
      setProblem(errorWords(error, t));
      setCode('');
      setBusy(false);
      requestAnimationFrame(() => codeInput.current?.focus());
    }
  }

  if (challenge === undefined) {
    return (
      <>
        <form onSubmit={submitPhone} noValidate>
          <Stack gap="md">
            <Text c="dimmed">{t(inviteToken === undefined ? 'signIn.lead' : 'invite.lead')}</Text>
            <TextInput
              size="lg"
              label={t('signIn.phone')}
              type="tel"
              name="phone"
              autoComplete="tel"
              inputMode="tel"
              placeholder="+7 912 345-67-89"
              value={phone}
              onChange={(event) => {
                setPhone(event.currentTarget.value.replace(/[^-+0-9 ().\u00a0\u2011]/g, '').slice(0, 32));
                setProblem(undefined);
              }}
              error={problem}
              autoFocus
              data-testid="phone"
            />
            <Button type="submit" size="lg" fullWidth loading={busy} data-testid="request-code">
              {t('signIn.sendCode')}
            </Button>
          </Stack>
        </form>
        {otherWays}
      </>
    );
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void verify(code);
      }}
      noValidate
    >
      <Stack gap="md">
        <Text c="dimmed">{t('signIn.codeLead', { phone: phoneWords(phone) })}</Text>
        {demo && <Alert color="brass">{t('signIn.demoHint')}</Alert>}
        <TextInput
          ref={codeInput}
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
            if (digits.length === codeLength) void verify(digits);
          }}
          error={problem}
          readOnly={busy}
          autoFocus
          data-testid="code"
        />
        <Button type="submit" size="lg" fullWidth loading={busy} data-testid="verify-code">
          {t('signIn.confirm')}
        </Button>
        <Resend at={challenge.resendAt} busy={busy} onResend={requestCode} />
        <Anchor
          component="button"
          type="button"
          ta="center"
          className={classes.quiet}
          onClick={() => {
            setChallenge(undefined);
            setProblem(undefined);
          }}
        >
          {t('signIn.otherPhone')}
        </Anchor>
        <Text size="sm" c="dimmed" ta="center">
          {t('signIn.noCode')}
        </Text>
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
