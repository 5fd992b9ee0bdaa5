import type { ProcedureInput, SchoolRequest } from '@zvonok/client-sdk';
import { useCallback, useEffect, useState } from 'react';
import { client } from '../platform/client.ts';
import { useMembership } from '../platform/membership.tsx';

export interface Requests {
  /** Undefined until they have come. */
  readonly requests: readonly SchoolRequest[] | undefined;
  readonly hasMore: boolean;
  readonly problem: unknown;
  /** Reads the list anew. */
  readonly reload: () => void;
  readonly more: () => void;
}

/** The requests of the acting member, kept up to date while they are shown; those that need one right alone, where given. */
export function useRequests(
  which: 'mine' | 'toDecide',
  state: 'open' | 'closed',
  permission?: ProcedureInput<'school.listRequests'>['permission'],
): Requests {
  const { id: as } = useMembership();
  const [requests, setRequests] = useState<readonly SchoolRequest[]>();
  const [hasMore, setHasMore] = useState(false);
  const [problem, setProblem] = useState<unknown>();

  const load = useCallback(
    async (after?: SchoolRequest) => {
      setProblem(undefined);
      try {
        const page = await client.school.listRequests({
          as,
          which,
          state,
          ...(permission === undefined ? {} : { permission }),
          ...(after === undefined ? {} : { after: after.id }),
        });
        setRequests((shown) => (after === undefined ? page.requests : [...(shown ?? []), ...page.requests]));
        setHasMore(page.hasMore);
      } catch (error) {
        setProblem(error);
      }
    },
    [as, which, state, permission],
  );

  useEffect(() => {
    setRequests(undefined);
    const stop = client.on('school.requestChanged', (event) => {
      if (event.membershipId === as) void load();
    });
    void load();
    return stop;
  }, [load, as]);

  return {
    requests,
    hasMore,
    problem,
    reload: () => void load(),
    more: () => void load(requests?.at(-1)),
  };
}
