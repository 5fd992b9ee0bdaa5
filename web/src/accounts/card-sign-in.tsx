import { Alert, Anchor, Button, PinInput, Stack, Text } from '@mantine/core';
import { IconCamera } from '@tabler/icons-react';
import { accountLimits } from '@zvonok/client-sdk';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, Navigate } from 'react-router';
import { client, useSession } from '../platform/client.ts';
import { errorWords, hasCode, inWords } from '../platform/words.ts';
import classes from './card-sign-in.module.css';
import { Door } from './door.tsx';
import { SharedDevice } from './shared-device.tsx';

/** The token of a card in a link, or in what a camera read: behind `#`, so that no log and no preview sees it. */
const tokenIn = (text: string): string | undefined => /#([\w-]{43})$/.exec(text)?.[1];

/** A child without a phone: the card's QR code, then its PIN. */
export function CardSignIn() {
  const { t } = useTranslation();
  const session = useSession();
  const [token, setToken] = useState(() => tokenIn(location.hash));
  useEffect(() => {
    // The next child at this device must not find the card in the address or the history.
    if (location.hash !== '') history.replaceState(null, '', location.pathname);
  }, []);
  if (session.state === 'signedIn') return <Navigate to="/" replace />;
  return (
    <Door
      title={t('childCard.title')}
      below={
        <Anchor component={Link} to="/signin">
          {t('childCard.byPhone')}
        </Anchor>
      }
    >
      {token === undefined ? (
        <Scanner onToken={setToken} />
      ) : (
        <Pin token={token} onOther={() => setToken(undefined)} />
      )}
    </Door>
  );
}

function Scanner({ onToken }: { onToken: (token: string) => void }) {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const [on, setOn] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!on) return undefined;
    let stop: () => void = () => undefined;
    let over = false;
    async function look() {
      try {
        const [{ rearCamera, frameLoop, QRCanvas }, player] = [await import('qr/dom.js'), video.current];
        if (player === null || over) return;
        const camera = await rearCamera(player);
        const canvas = new QRCanvas();
        let reading = false;
        const cancel = frameLoop(async () => {
          if (reading) return;
          reading = true;
          const read = await camera.readFrame(canvas).catch(() => undefined);
          reading = false;
          const found = typeof read === 'string' ? tokenIn(read) : undefined;
          if (found !== undefined && !over) onToken(found);
        });
        stop = () => {
          cancel();
          camera.stop();
        };
        if (over) stop();
      } catch {
        setOn(false);
        setFailed(true);
      }
    }
    void look();
    return () => {
      over = true;
      stop();
    };
  }, [on, onToken]);
  return (
    <Stack gap="md">
      <Text c="dimmed">{t('childCard.lead')}</Text>
      {failed && <Alert color="brass">{t('childCard.noCamera')}</Alert>}
      {on ? (
        <div className={classes.camera}>
          <video ref={video} playsInline muted aria-label={t('childCard.scanning')} />
        </div>
      ) : (
        <Button
          size="lg"
          fullWidth
          leftSection={<IconCamera size={20} aria-hidden />}
          onClick={() => {
            setFailed(false);
            setOn(true);
          }}
          data-testid="scan-card"
        >
          {t('childCard.scan')}
        </Button>
      )}
    </Stack>
  );
}

function Pin({ token, onOther }: { token: string; onOther: () => void }) {
  const { t } = useTranslation();
  const [pin, setPin] = useState('');
  // A card is for the school's own computer more often than not.
  const [shared, setShared] = useState(true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();

  async function enter(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await client.accounts.signInByCard({ token, pin, shared });
    } catch (error) {
      setProblem(error);
      setPin('');
    } finally {
      setBusy(false);
    }
  }

  const wait = hasCode(problem, 'CARD_LOCKED') ? problem.retryAfterMs : undefined;
  return (
    <form onSubmit={enter} noValidate>
      <Stack gap="md">
        <Text component="label" htmlFor="card-pin" fw={600}>
          {t('childCard.pin')}
        </Text>
        <PinInput
          id="card-pin"
          length={accountLimits.cardPinLength}
          type="number"
          inputMode="numeric"
          size="xl"
          mask
          autoFocus
          value={pin}
          onChange={setPin}
          aria-label={t('childCard.pin')}
          data-testid="card-pin"
        />
        {problem !== undefined && (
          <Alert color="red" role="alert">
            {errorWords(problem, t)} {wait !== undefined && inWords(wait, t)}
          </Alert>
        )}
        <SharedDevice checked={shared} onChange={setShared} />
        <Button
          type="submit"
          size="lg"
          fullWidth
          loading={busy}
          disabled={pin.length < accountLimits.cardPinLength}
          data-testid="card-enter"
        >
          {t('childCard.enter')}
        </Button>
        <Anchor component="button" type="button" ta="center" onClick={onOther}>
          {t('childCard.again')}
        </Anchor>
      </Stack>
    </form>
  );
}
