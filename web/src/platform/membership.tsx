import type { MembershipId, Messenger, MyMembership } from '@zvonok/client-sdk';
import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import { client, useSession } from './client.ts';

const storageKey = 'zvonok.membership';

interface Acting {
  /** All memberships of the signed-in person. */
  readonly all: readonly MyMembership[];
  /** The one they act as at the moment; undefined while they have none. */
  readonly current: MyMembership | undefined;
  choose(id: MembershipId): void;
}

const ActingContext = createContext<Acting>({ all: [], current: undefined, choose: () => undefined });

/** Remembers as whom the person acts: a teacher who is also a parent, a guardian with children in two schools. */
export function MembershipProvider({ children }: { children: ReactNode }) {
  const session = useSession();
  const [chosen, setChosen] = useState(() => localStorage.getItem(storageKey));
  const all = session.state === 'signedIn' ? session.memberships : none;
  const shared = session.state === 'signedIn' && session.shared;
  const acting = useMemo<Acting>(
    () => ({
      all,
      current:
        all.find((membership) => membership.id === chosen) ??
        all.find((membership) => !membership.suspended) ??
        all[0],
      choose(id) {
        // Nothing is kept on a device that several people use.
        if (!shared) localStorage.setItem(storageKey, id);
        setChosen(id);
      },
    }),
    [all, chosen, shared],
  );
  return <ActingContext value={acting}>{children}</ActingContext>;
}

const none: readonly MyMembership[] = [];

export function useActing(): Acting {
  return useContext(ActingContext);
}

/** The membership that acts; only below a screen that is shown to members. */
export function useMembership(): MyMembership {
  const { current } = useActing();
  if (current === undefined) throw new Error('this screen is for members');
  return current;
}

export function useMessenger(): Messenger {
  return client.messenger(useMembership().id);
}
