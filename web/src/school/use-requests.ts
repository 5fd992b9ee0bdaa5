import type { ProcedureInput, SchoolRequest } from '@zvonok/client-sdk';
import { useCallback, useEffect } from 'react';
import { client } from '../platform/client.ts';
import { useMembership } from '../platform/membership.tsx';
import { usePages } from '../platform/use-pages.ts';

/** The requests of the acting member, kept up to date while they are shown; those that need one right alone, where given. */
export function useRequests(
  which: 'mine' | 'toDecide',
  state: 'open' | 'closed',
  permission?: ProcedureInput<'school.listRequests'>['permission'],
) {
  const { id: as } = useMembership();
  const ask = useCallback(
    async (after?: SchoolRequest) => {
      const { requests, ...rest } = await client.school.listRequests({
        as,
        which,
        state,
        ...(permission === undefined ? {} : { permission }),
        ...(after === undefined ? {} : { after: after.id }),
      });
      return { items: requests, ...rest };
    },
    [as, which, state, permission],
  );
  const { items: requests, reload, ...pages } = usePages(ask);
  useEffect(
    () =>
      client.on('school.requestChanged', (event) => {
        if (event.membershipId === as) void reload();
      }),
    [as, reload],
  );
  return { ...pages, requests, reload: () => void reload(), more: () => void pages.more() };
}
