import { useCallback, useEffect, useState } from 'react';
import { client, onAny } from '../platform/client.ts';
import { useMembership } from '../platform/membership.tsx';
import { answersForSchool } from './answers-for-school.ts';

/** How many notices wait for whoever answers for the school. 0 for everybody else, and until it is known. */
export function useOpenNotices(): number {
  const membership = useMembership();
  const as = membership.id;
  const isTold = answersForSchool(membership);
  const [count, setCount] = useState(0);
  const read = useCallback(() => {
    if (!isTold) return setCount(0);
    // What can't be read now is told by the page itself, and by the next event.
    client.school.listNotices({ as, state: 'open', limit: 1 }).then(
      ({ openCount }) => setCount(openCount),
      () => undefined,
    );
  }, [as, isTold]);
  useEffect(() => {
    read();
    return onAny(['school.noticeRaised', 'school.noticeSettled'], read);
  }, [read]);
  return count;
}
