import { IconRosetteDiscountCheckFilled } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import classes from './verified-badge.module.css';

/** Says that the school has confirmed who this person is. */
export function VerifiedBadge({ size = 16 }: { size?: number }) {
  const { t } = useTranslation();
  return (
    <span className={classes.badge} role="img" title={t('common.verified')} aria-label={t('common.verified')}>
      <IconRosetteDiscountCheckFilled size={size} />
    </span>
  );
}
