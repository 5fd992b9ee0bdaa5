import { IconRosetteDiscountCheckFilled } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import classes from './verified-badge.module.css';

/** A name as running text; its badge stays with the last word and never stands on a line of its own. */
export function BadgedName({ name, verified }: { name: string; verified: boolean }) {
  if (!verified) return name;
  const last = name.lastIndexOf(' ') + 1;
  return (
    <>
      {name.slice(0, last)}
      <span className={classes.together}>
        {name.slice(last)} <VerifiedBadge />
      </span>
    </>
  );
}

/** Says that the school has confirmed who this person is. */
export function VerifiedBadge({ size = 16 }: { size?: number }) {
  const { t } = useTranslation();
  return (
    <span className={classes.badge} role="img" title={t('common.verified')} aria-label={t('common.verified')}>
      <IconRosetteDiscountCheckFilled size={size} />
    </span>
  );
}
