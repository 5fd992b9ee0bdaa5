import { Tooltip } from '@mantine/core';
import { IconRosetteDiscountCheckFilled } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import classes from './verified-badge.module.css';

/** Says that the school has confirmed who this person is. */
export function VerifiedBadge({ size = 16 }: { size?: number }) {
  const { t } = useTranslation();
  return (
    <Tooltip label={t('common.verified')}>
      <span className={classes.badge} role="img" aria-label={t('common.verified')}>
        <IconRosetteDiscountCheckFilled size={size} />
      </span>
    </Tooltip>
  );
}
