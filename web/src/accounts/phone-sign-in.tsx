import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { errorWords } from '../platform/words.ts';
import { type Challenge, CodeForm, challengeOf } from './code-form.tsx';
import classes from './phone-sign-in.module.css';
import { SharedDevice } from './shared-device.tsx';

/** Phone, then code; `otherWays` stand below the phone. When it is done the session is signed in and whoever shows this screen goes on. */
export function PhoneSignIn({
  inviteToken,
  joinCode,
  otherWays,
}: {
  inviteToken?: string;
  /** Of the school that the person asks to join. */
  joinCode?: string;
  otherWays?: ReactNode;
}) {
  const { t } = useTranslation();
  const [phone, setPhone] = useState('');
  const [challenge, setChallenge] = useState<Challenge>();
  const [shared, setShared] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function send() {
    const sent = await client.accounts.requestCode({
      phone: phone.trim(),
      ...(inviteToken === undefined ? {} : { inviteToken }),
      ...(joinCode === undefined ? {} : { joinCode }),
    });
    setChallenge(challengeOf(sent));
  }

  async function requestCode() {
    setBusy(true);
    setProblem(undefined);
    try {
      await send();
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

  if (challenge === undefined) {
    return (
      <>
        <form onSubmit={submitPhone} noValidate>
          <Stack gap="md">
            <Text c="dimmed">
              {t((inviteToken ?? joinCode) === undefined ? 'signIn.lead' : 'invite.lead')}
            </Text>
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
            <SharedDevice checked={shared} onChange={setShared} />
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
    <CodeForm
      phone={phone}
      challenge={challenge}
      submit={t('signIn.confirm')}
      onCode={(code) => client.accounts.verifyCode({ challengeId: challenge.challengeId, code, shared })}
      onResend={send}
    >
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
    </CodeForm>
  );
}
