import { Checkbox } from '@mantine/core';
import { IconLogout } from '@tabler/icons-react';
import { accountLimits } from '@zvonok/client-sdk';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { client, useSession } from '../platform/client.ts';
import { tellError } from '../platform/tell.ts';
import { errorWords } from '../platform/words.ts';

/** Said at sign-in: the device is not one's own. */
export function SharedDevice({
  checked,
  onChange,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  const { t } = useTranslation();
  return (
    <Checkbox
      size="md"
      label={t('childCard.shared')}
      description={checked ? t('childCard.sharedHint') : undefined}
      checked={checked}
      onChange={(event) => onChange(event.currentTarget.checked)}
      data-testid="shared-device"
    />
  );
}

/** How often somebody's presence is told to the server: well within the time after which it ends the session. */
const toldMs = accountLimits.sharedIdleMs / 4;
const lookMs = 5_000;

/** Ends the session of a shared device once nobody is at it; a lesson is somebody. */
export function EndWhenAlone() {
  const session = useSession();
  const shared = session.state === 'signedIn' && session.shared;
  useEffect(() => {
    if (!shared) return undefined;
    let seenAt = Date.now();
    let toldAt = Date.now();
    const seen = () => {
      seenAt = Date.now();
    };
    const signs = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;
    for (const sign of signs) addEventListener(sign, seen, { passive: true });
    const timer = setInterval(() => {
      const now = Date.now();
      if (location.pathname.endsWith('/lesson')) seenAt = now;
      if (now - seenAt >= accountLimits.sharedIdleMs) {
        // The server ends it by its own clock if this does not get through.
        void client.accounts.signOut().catch(() => undefined);
      } else if (now - toldAt >= toldMs && seenAt > toldAt) {
        toldAt = now;
        void client.accounts.keepSession().catch(() => undefined);
      }
    }, lookMs);
    return () => {
      clearInterval(timer);
      for (const sign of signs) removeEventListener(sign, seen);
    };
  }, [shared]);
  return null;
}

/** Always in sight on a shared device: ends the session and leaves nothing behind. */
export function FinishTab({
  className,
  iconClass,
}: {
  className: string | undefined;
  iconClass: string | undefined;
}) {
  const { t } = useTranslation();
  const session = useSession();
  if (session.state !== 'signedIn' || !session.shared) return null;
  return (
    <button
      type="button"
      className={className}
      onClick={() =>
        void client.accounts.signOut().catch((error: unknown) => tellError(errorWords(error, t)))
      }
      data-testid="finish"
    >
      <span className={iconClass}>
        <IconLogout size={24} stroke={1.7} aria-hidden />
      </span>
      <span>{t('childCard.finish')}</span>
    </button>
  );
}
