import { useTranslation } from 'react-i18next';
import { NavLink } from 'react-router';
import { useMembership } from '../platform/membership.tsx';
import classes from './desk-nav.module.css';
import { desk } from './desk-pages.ts';
import { useOverview } from './overview-source.ts';

/** What the desk has for this person: beside its pages on a desktop, a page of its own on a phone. */
export function DeskNav() {
  const { t } = useTranslation();
  const membership = useMembership();
  const { vocabulary } = membership;
  const { overview } = useOverview();
  return (
    <nav className={classes.nav} aria-label={t('deskParts.nav')} data-testid="desk">
      <h2 className={classes.hidden}>{t('deskParts.nav')}</h2>
      {desk.map((part) => {
        const pages = part.pages.filter((page) => page.isFor(membership));
        if (pages.length === 0) return null;
        return (
          <div key={pages[0]?.path} className={classes.part}>
            {part.title !== null && <h3 className={classes.title}>{part.title(t, vocabulary)}</h3>}
            <ul className={classes.pages}>
              {pages.map(({ path, name, icon: PageIcon, waiting }) => (
                <li key={path}>
                  <NavLink
                    to={`/school/${path}`}
                    className={({ isActive }) => `${classes.page} ${isActive ? classes.active : ''}`}
                    data-testid={`desk-${path}`}
                  >
                    <PageIcon size={22} stroke={1.7} aria-hidden />
                    <span className={classes.name}>{name(t, vocabulary)}</span>
                    <Count of={waiting === undefined ? 0 : (overview?.waiting[waiting] ?? 0)} />
                  </NavLink>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}

/** Until the page itself says what waits there. */
function Count({ of: count }: { of: number }) {
  const { t } = useTranslation();
  if (count === 0) return null;
  return (
    <span className={classes.count}>
      <span aria-hidden>{count > 99 ? '99+' : count}</span>
      <span className={classes.hidden}>{t('deskParts.waiting', { count })}</span>
    </span>
  );
}
