import { Loader } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './waiting.module.css';

/** A loader that comes in half a second is only a flicker. */
const patienceMs = 400;

/** Stands where something is still coming. */
export function Waiting() {
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), patienceMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={classes.waiting} role="status" aria-label={t('common.loading')}>
      {shown && <Loader />}
    </div>
  );
}
