import type { MembershipId, OutputOf, overviewProcedures } from '@zvonok/client-sdk';
import { client, useSource } from '../platform/client.ts';
import { useMembership } from '../platform/membership.tsx';

export type Overview = OutputOf<(typeof overviewProcedures)['school.getOverview']>;

interface Held {
  readonly overview?: Overview;
  readonly problem?: unknown;
}

/** Events come in bursts: a class that is imported is thirty of them. */
const gatherMs = 300;
/** What no event tells, or one that was lost, is asked again this often. */
const againMs = 60_000;

/** What changes a count. */
const events = [
  'school.groupChanged',
  'school.inviteChanged',
  'school.joinQueueChanged',
  'school.noticeRaised',
  'school.noticeSettled',
  'school.peopleChanged',
  'school.requestChanged',
  'school.rosterChanged',
  'school.schoolChanged',
] as const;

/** What waits in the school, for the navigation and the page alike: asked once, and again when something changed. */
function createOverviewSource(as: MembershipId) {
  let held: Held = {};
  const listeners = new Set<() => void>();
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let stop: (() => void) | undefined;

  function hold(next: Held) {
    held = next;
    for (const listener of listeners) listener();
  }

  async function ask() {
    try {
      hold({ overview: await client.school.getOverview({ as }) });
    } catch (problem) {
      hold({ ...held, problem });
    }
  }

  function askSoon() {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      void ask();
    }, gatherMs);
  }

  function start() {
    const look = () => {
      if (document.visibilityState === 'visible') askSoon();
    };
    const timer = setInterval(look, againMs);
    document.addEventListener('visibilitychange', look);
    const stops = events.map((name) => client.on(name, askSoon));
    void ask();
    return () => {
      clearInterval(timer);
      clearTimeout(gathering);
      gathering = undefined;
      document.removeEventListener('visibilitychange', look);
      for (const each of stops) each();
    };
  }

  return {
    ask,
    getSnapshot: () => held,
    subscribe(listener: () => void) {
      listeners.add(listener);
      stop ??= start();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stop?.();
        stop = undefined;
      };
    },
  };
}

let last: { readonly as: MembershipId; readonly source: ReturnType<typeof createOverviewSource> } | undefined;

/** What waits for the person who acts; only below screens of the desk. */
export function useOverview(): Held & { readonly ask: () => Promise<void> } {
  const { id: as } = useMembership();
  // Whoever acts as somebody else sees nothing of what waited for the former.
  if (last?.as !== as) last = { as, source: createOverviewSource(as) };
  const { source } = last;
  return { ...useSource(source), ask: source.ask };
}
