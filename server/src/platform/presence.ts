import { chatLimits, type MembershipId } from '@zvonok/shared';
import type { Logger } from './logger.ts';
import type { AudienceKey } from './sockets.ts';

/**
 * Who is connected to this node. Going is told only after a moment of grace, so that a phone changing networks does not
 * blink at the whole class; coming is told at once, unless nobody was told of the going.
 */
export interface Presence {
  /** The first device of a membership connected, or the last one went. */
  changed(person: AudienceKey, online: boolean): void;
  isOnline(membershipId: MembershipId): boolean;
  close(): void;
}

export function createPresence(
  announce: (person: AudienceKey, online: boolean) => Promise<void>,
  logger: Logger,
): Presence {
  const online = new Set<MembershipId>();
  const leaving = new Map<MembershipId, NodeJS.Timeout>();

  function tell(person: AudienceKey, isOnline: boolean) {
    announce(person, isOnline).catch((error: unknown) => {
      logger.warn({ err: error }, 'presence could not be told');
    });
  }

  return {
    changed(person, isOnline) {
      const { membershipId } = person;
      if (isOnline) {
        const timer = leaving.get(membershipId);
        clearTimeout(timer);
        leaving.delete(membershipId);
        online.add(membershipId);
        if (timer === undefined) tell(person, true);
        return;
      }
      online.delete(membershipId);
      const timer = setTimeout(() => {
        leaving.delete(membershipId);
        tell(person, false);
      }, chatLimits.presenceGraceMs);
      timer.unref();
      leaving.set(membershipId, timer);
    },
    isOnline: (membershipId) => online.has(membershipId) || leaving.has(membershipId),
    close() {
      for (const timer of leaving.values()) clearTimeout(timer);
      leaving.clear();
    },
  };
}
