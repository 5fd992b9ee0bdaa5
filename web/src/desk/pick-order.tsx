import { Button, FileButton } from '@mantine/core';
import { IconFileText, IconPaperclip } from '@tabler/icons-react';
import { deskLimits } from '@zvonok/client-sdk';
import type { TFunction } from 'i18next';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './apply.module.css';

/** By these a phone offers its camera too, and turns its own picture format into JPEG. */
const accepted = 'application/pdf,image/jpeg,image/png';
const megabyte = 1024 * 1024;

/** What is wrong with a file before it is sent, in words; undefined for one that may go. */
export function orderFault(file: File, t: TFunction): string | undefined {
  if (!accepted.includes(file.type) || file.type === '') return t('apply.orderType');
  if (file.size === 0) return t('apply.orderEmpty');
  if (file.size > deskLimits.orderBytes) {
    return t('apply.orderTooLarge', { megabytes: deskLimits.orderBytes / megabyte });
  }
  return undefined;
}

/** A box that shows the scan, or what it should be, with the button that picks another. */
export function PickOrder({
  name,
  error,
  attached = false,
  busy = false,
  onPick,
  children,
}: {
  name: string | undefined;
  error?: string | undefined;
  /** Whether the server has it. */
  attached?: boolean;
  busy?: boolean;
  onPick: (file: File) => void;
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <div>
      <div className={classes.order} data-error={error !== undefined || undefined}>
        <span className={classes.orderIcon} data-filled={name !== undefined || undefined} aria-hidden>
          {name === undefined ? <IconPaperclip size={22} /> : <IconFileText size={22} />}
        </span>
        <span className={classes.orderWords}>
          <span className={classes.orderName} data-testid="order-name">
            {name ?? t('apply.order')}
          </span>
          <span className={classes.quiet}>
            {attached
              ? t('apply.orderAttached')
              : t('apply.orderHint', { megabytes: deskLimits.orderBytes / megabyte })}
          </span>
        </span>
        <FileButton
          accept={accepted}
          onChange={(file) => file !== null && onPick(file)}
          inputProps={{ 'aria-label': t('apply.order'), tabIndex: -1 }}
        >
          {({ onClick }) => (
            <Button
              variant="light"
              size="sm"
              onClick={onClick}
              disabled={busy}
              {...(error === undefined ? {} : { 'aria-describedby': 'order-error' })}
              data-testid="pick-order"
            >
              {t(name === undefined ? 'apply.orderPick' : 'apply.orderReplace')}
            </Button>
          )}
        </FileButton>
        {children}
      </div>
      {error !== undefined && (
        <p className={classes.error} id="order-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
