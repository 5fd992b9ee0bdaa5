import { Button } from '@mantine/core';
import { IconPrinter } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { QRCode } from 'react-qr-code';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame } from '../platform/page.tsx';
import classes from './register.module.css';
import type { MadeCard } from './register.tsx';

/** New cards to print, while their secrets are known: the server keeps hashes alone. */
export function MadeCards({ cards, onDone }: { cards: readonly MadeCard[]; onDone: () => void }) {
  const { t } = useTranslation();
  const { schoolName } = useMembership();
  return (
    <PageFrame title={t('register.made')} lead={t('register.madeText')}>
      <div className={classes.made}>
        <Button leftSection={<IconPrinter size={20} aria-hidden />} onClick={() => window.print()}>
          {t('register.print')}
        </Button>
        <Button variant="default" onClick={onDone} data-testid="cards-done">
          {t('register.done')}
        </Button>
      </div>
      {/* Printed alone: see the print rules. */}
      <div data-print>
        {cards.map((card) => (
          <article key={card.membershipId} className={classes.card} data-testid="card">
            <div className={classes.front}>
              <div className={classes.words}>
                <div className={classes.quiet}>{schoolName}</div>
                <div className={classes.name}>{card.fullName}</div>
                <div>{card.groupName}</div>
                <div className={classes.how}>{t('register.how', { address: `${location.host}/card` })}</div>
              </div>
              <QRCode
                value={`${location.origin}/card#${card.token}`}
                size={150}
                level="M"
                bgColor="#ffffff"
                fgColor="#1d2b26"
                title={t('register.qr')}
                data-testid="card-qr"
                data-token={card.token}
              />
            </div>
            <div className={classes.fold}>
              <div className={classes.pin}>
                {t('register.pin')} <b data-testid="card-secret">{card.pin}</b>
              </div>
              <div className={classes.how}>{t('register.fold')}</div>
            </div>
          </article>
        ))}
      </div>
    </PageFrame>
  );
}
