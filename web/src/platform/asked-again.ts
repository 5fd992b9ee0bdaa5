import { useEffect } from 'react';

/** What no event tells, or an event that may be lost, is asked again this often. */
const everyMs = 20_000;

/** Calls `ask` now, then regularly while the page is looked at, and at once when somebody comes back to it. */
export function useAskedAgain(ask: () => void): void {
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') ask();
    };
    ask();
    const timer = setInterval(look, everyMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [ask]);
}
