import { Badge, Button } from '@mantine/core';
import type { SchoolRequest } from '@zvonok/client-sdk';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useMembership } from '../platform/membership.tsx';
import { BadgedName } from '../platform/verified-badge.tsx';
import { longDate, momentWithin, roleWord } from '../platform/words.ts';
import { stateWord, wishDetails, wishWords } from './request-words.ts';
import classes from './requests.module.css';

const colours = {
  open: 'brass',
  approved: 'board',
  declined: 'red',
  withdrawn: 'gray',
  expired: 'gray',
} as const;

/** One request: what is asked for, by whom, what became of it. Buttons are the list's. */
export function RequestCard({ request, children }: { request: SchoolRequest; children?: ReactNode }) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const title = useId();
  const { askedBy, state, decidedBy, comment } = request;
  return (
    <li className={classes.request} aria-labelledby={title} data-testid="request" data-state={state}>
      <div className={classes.head}>
        <h3 id={title} className={classes.wish}>
          {wishWords(request, vocabulary, t)}
        </h3>
        <Badge color={colours[state]} variant="light" tt="none">
          {stateWord(state, t)}
        </Badge>
      </div>
      <p className={classes.who}>
        {askedBy.membershipId !== as && (
          <>
            <BadgedName name={askedBy.fullName} verified={askedBy.verified} /> ·{' '}
            {roleWord(askedBy.role, vocabulary, t)} ·{' '}
          </>
        )}
        <time dateTime={request.createdAt}>{momentWithin(request.createdAt, t)}</time>
        {state === 'open' && ` · ${t('requests.until', { when: longDate(request.expiresAt) })}`}
      </p>
      {wishDetails(request, t).map((detail) => (
        <p key={detail} className={classes.detail}>
          {detail}
        </p>
      ))}
      {(decidedBy !== null || comment !== null) && state !== 'withdrawn' && (
        <p className={classes.answer}>
          {comment === null
            ? t('requests.decidedBy', { name: decidedBy?.fullName ?? '' })
            : t('requests.said', { name: decidedBy?.fullName ?? '', comment })}
        </p>
      )}
      {children !== undefined && <div className={classes.actions}>{children}</div>}
    </li>
  );
}

/** The cards of a list, and the way to those that follow. */
export function RequestList({
  requests,
  hasMore = false,
  onMore,
  actions,
}: {
  requests: readonly SchoolRequest[];
  hasMore?: boolean;
  onMore?: () => void;
  actions?: (request: SchoolRequest) => ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <>
      <ul className={classes.list} data-testid="requests">
        {requests.map((request) => (
          <RequestCard key={request.id} request={request}>
            {actions?.(request)}
          </RequestCard>
        ))}
      </ul>
      {hasMore && (
        <Button variant="light" mt="md" fullWidth onClick={onMore}>
          {t('people.more')}
        </Button>
      )}
    </>
  );
}
