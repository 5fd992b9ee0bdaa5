import { may, ownGroupsOf, rightOf, type SourceRights, type Standing, staffRoles } from '@zvonok/shared';
import type { ConversationFacts } from '../chat/index.ts';
import type { MemberFacts } from '../school/index.ts';

/** What of a conversation decides about its calls. */
export type CallPlace = Pick<ConversationFacts, 'kind' | 'groupId' | 'subject' | 'archivedAt' | 'reader'>;

/** The other person of a direct chat, and whether the contact policy lets the two meet now. */
export interface DirectOther {
  readonly facts: MemberFacts;
  readonly mayContact: boolean;
}

/**
 * Who may start a call: in a direct chat by the row of 1:1 calls, as long as the two may contact each other; elsewhere by
 * the row of group calls. Nobody in a channel, in an archived chat, or where they only read.
 */
export function canStartCall(place: CallPlace, facts: MemberFacts, other?: DirectOther): boolean {
  if (place.archivedAt !== null || place.kind === 'channel' || place.reader) return false;
  if (place.kind !== 'direct') return may('startGroupCall', facts, isOwn(place, facts));
  return (
    other?.mayContact === true &&
    may('startDirectCall', facts, (standing) =>
      // A guardian's own are staff; which of them, the contact policy has said.
      standing === 'PV' ? isStaff(other.facts) : true,
    )
  );
}

/** Who may mute, remove and end: verified staff within what they are tied to. Never a pupil or a guardian. */
export function canHost(place: CallPlace, facts: MemberFacts): boolean {
  return (
    isStaff(facts) && may('hostLesson', facts, place.kind === 'direct' ? () => true : isOwn(place, facts))
  );
}

/** What somebody may send, and whether a host may change that. */
export function mediaRightsOf(facts: MemberFacts): { allowed: SourceRights; grantable: boolean } {
  const rights = facts.standings.map((standing) => rightOf('useLessonMedia', standing, facts.settings));
  if (rights.includes('Y')) {
    return { allowed: { microphone: true, camera: true, screen: true }, grantable: true };
  }
  if (rights.includes('granted')) {
    // Being seen and heard is what one comes for; the screen belongs to whoever teaches until they hand it over.
    return { allowed: { microphone: true, camera: true, screen: false }, grantable: true };
  }
  return { allowed: { microphone: false, camera: false, screen: false }, grantable: false };
}

/** Whether this person must not meet others in a call without a host (rule 9). */
export function needsHost(facts: Pick<MemberFacts, 'role'>): boolean {
  return facts.role === 'pupil';
}

function isStaff(facts: Pick<MemberFacts, 'role'>): boolean {
  return staffRoles.some((role) => role === facts.role);
}

/** Own: the groups that the standing is tied to, for a subject teacher the subject; without a group, being a member. */
function isOwn(place: CallPlace, facts: MemberFacts): (standing: Standing) => boolean {
  return (standing) => {
    const { groupId, subject } = place;
    if (groupId === null) return true;
    if (!ownGroupsOf(standing, facts).includes(groupId)) return false;
    if (standing !== 'ST' || place.kind !== 'subject') return true;
    return facts.attachments.some((each) => each.groupId === groupId && each.subject === subject);
  };
}
