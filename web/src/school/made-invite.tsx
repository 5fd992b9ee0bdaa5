import { Button, CopyButton, TextInput } from '@mantine/core';
import { IconCheck, IconCopy, IconPrinter } from '@tabler/icons-react';
import type { InvitableRole, MyMembership } from '@zvonok/client-sdk';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { QRCode } from 'react-qr-code';
import { Section } from '../platform/page.tsx';
import { longDate, roleWord } from '../platform/words.ts';
import classes from './invites.module.css';

/** A new invite to copy or print, while its token is known: the server keeps a hash alone. */
export function MadeInvite({
  membership,
  role,
  groupName,
  token,
  expiresAt,
  onDone,
}: {
  membership: MyMembership;
  role: InvitableRole;
  groupName: string | undefined;
  token: string;
  expiresAt: string;
  onDone: () => void;
}) {
  const { t } = useTranslation();
  const heading = useRef<HTMLDivElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const link = `${location.origin}/invite#${token}`;
  const who = roleWord(role, membership.vocabulary, t);
  return (
    <Section title={t('invites.readyTitle')} lead={t('invites.readyText')}>
      <div ref={heading} tabIndex={-1} className={classes.made} data-testid="invite-made">
        {/* Printed alone: see the print rules. */}
        <div className={classes.poster} data-print>
          <div className={classes.posterWords}>
            <div className={classes.posterSchool}>{membership.schoolName}</div>
            <div className={classes.posterWho}>
              {who}
              {groupName === undefined ? '' : ` · ${groupName}`}
            </div>
            <div className={classes.quiet}>{t('invites.until', { when: longDate(expiresAt) })}</div>
          </div>
          <div className={classes.qr}>
            <QRCode
              value={link}
              size={196}
              level="M"
              bgColor="#ffffff"
              fgColor="#1d2b26"
              title={t('invites.qr')}
              style={{ width: '100%', height: 'auto' }}
            />
          </div>
          <div className={classes.posterHow}>{t('invites.printHow')}</div>
          <div className={classes.posterLink}>{link}</div>
        </div>
        <div className={classes.madeSide}>
          <TextInput
            label={t('invites.link')}
            value={link}
            readOnly
            onFocus={(event) => event.currentTarget.select()}
            data-testid="invite-link"
          />
          <CopyButton value={link}>
            {({ copied, copy }) => (
              <Button
                fullWidth
                onClick={copy}
                leftSection={
                  copied ? <IconCheck size={20} aria-hidden /> : <IconCopy size={20} aria-hidden />
                }
              >
                <span aria-live="polite">{copied ? t('common.copied') : t('invites.copyLink')}</span>
              </Button>
            )}
          </CopyButton>
          <Button
            fullWidth
            variant="light"
            leftSection={<IconPrinter size={20} aria-hidden />}
            onClick={() => window.print()}
          >
            {t('invites.print')}
          </Button>
          <Button fullWidth variant="default" onClick={onDone} data-testid="invite-done">
            {t('invites.done')}
          </Button>
        </div>
      </div>
    </Section>
  );
}
