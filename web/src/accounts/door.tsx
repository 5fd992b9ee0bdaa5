import { SegmentedControl } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { chooseLanguage, currentLanguage, type Language } from '../platform/i18n.ts';
import classes from './door.module.css';

interface DoorProps {
  readonly title: string;
  readonly children: ReactNode;
  /** For a long form: room for two columns on a desktop. */
  readonly wide?: boolean;
  /** What stands below the card. */
  readonly below?: ReactNode;
}

/** The page outside the school's walls: sign-in, invites and applications stand on it. */
export function Door({ title, children, wide = false, below }: DoorProps) {
  const { t } = useTranslation();
  return (
    <div className={classes.page} data-wide={wide || undefined}>
      <header className={classes.brand}>
        <img src="/icons/bell.svg" alt="" width={52} height={52} />
        <div>
          <div className={classes.name}>{t('app.name')}</div>
          <div className={classes.tagline}>{t('app.tagline')}</div>
        </div>
      </header>
      <main className={classes.card}>
        <h1 className={classes.title}>{title}</h1>
        {children}
      </main>
      {below}
      <footer className={classes.footer}>
        <LanguageSwitch />
      </footer>
    </div>
  );
}

export function LanguageSwitch() {
  const { t } = useTranslation();
  return (
    <SegmentedControl
      size="sm"
      aria-label={t('settings.language')}
      value={currentLanguage()}
      onChange={(value) => void chooseLanguage(value as Language)}
      data={[
        { value: 'ru', label: 'Русский' },
        { value: 'en', label: 'English' },
      ]}
    />
  );
}
