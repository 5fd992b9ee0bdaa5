import type { ReactNode } from 'react';
import { ConnectionBanner } from './connection-banner.tsx';
import classes from './page.module.css';

/** A page with a title beside the list of chats. */
export function PageFrame({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <div className={classes.page}>
      <div className={classes.banner}>
        <ConnectionBanner />
      </div>
      <h1 className={classes.title}>{title}</h1>
      {lead !== undefined && <p className={classes.lead}>{lead}</p>}
      {children}
    </div>
  );
}

export function Section({
  title,
  lead,
  action,
  children,
}: {
  title: string;
  lead?: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={classes.section} aria-label={title}>
      <div className={classes.sectionHead}>
        <div>
          <h2 className={classes.sectionTitle}>{title}</h2>
          {lead !== undefined && <p className={classes.sectionLead}>{lead}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}
