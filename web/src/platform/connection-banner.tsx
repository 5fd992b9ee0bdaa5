import { IconCloudOff } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, useSource } from './client.ts';
import classes from './connection-banner.module.css';

/** A blink of the network is nobody's business; what lasts is told. */
const patienceMs = 2_000;

/** Tells that the server is out of reach, and that what is written is safe. */
export function ConnectionBanner() {
  const { t } = useTranslation();
  const connection = useSource(client.connection);
  const away = connection === 'offline' || connection === 'reconnecting';
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!away) {
      setShown(false);
      return undefined;
    }
    const timer = setTimeout(() => setShown(true), patienceMs);
    return () => clearTimeout(timer);
  }, [away]);
  return (
    <div role="status" className={classes.slot}>
      {shown && (
        <div className={classes.banner}>
          <IconCloudOff size={18} aria-hidden />
          <span>{t(connection === 'offline' ? 'connection.offline' : 'connection.reconnecting')}</span>
        </div>
      )}
    </div>
  );
}
