/**
 * Guardians and their children. A link may be limited, by administrators alone:
 * without `mayBeInformed` it is on record and gives nothing: the guardian sees neither the child, nor its group, its
 * parents’ chat, its teachers; without `mayBeContacted` the guardian reads what the class is told, and neither the
 * child’s teachers write to them nor they to the teachers. No answer tells a guardian of a limit: what it takes away is
 * absent.
 */
import Type, { type Static } from 'typebox';
import {
  contractEvent,
  events,
  memberProcedure,
  nullable,
  perMinute,
  procedures,
  strict,
  Time,
} from './contract.ts';
import { GroupId, MembershipId, RosterEntryId } from './ids.ts';
import { schoolLimits } from './limits.ts';
import { line } from './schemas.ts';
import { Card } from './school.cards.ts';
import { FullName } from './school.objects.ts';

export const LimitReason = line(schoolLimits.reasonLength);

/** Somebody who answers for a child, as those see it who answer for the class. */
export const GuardianOfPupil = strict({
  membershipId: MembershipId,
  fullName: FullName,
  /** False where the link is on record alone. Then `mayBeContacted` is false too. */
  mayBeInformed: Type.Boolean(),
  mayBeContacted: Type.Boolean(),
  /** Since when the link is limited; null where it is not. */
  limitedAt: nullable(Time),
  /** Why; null for everybody but administrators. */
  limitReason: nullable(LimitReason),
});
export type GuardianOfPupil = Static<typeof GuardianOfPupil>;

/** A pupil in the register of their class. */
export const RegisterPupil = strict({
  membershipId: MembershipId,
  fullName: FullName,
  guardians: Type.Array(GuardianOfPupil),
  /** Whether they can sign in by a phone of their own. */
  hasPhone: Type.Boolean(),
  card: nullable(Card),
});
export type RegisterPupil = Static<typeof RegisterPupil>;

export const guardianProcedures = procedures('school', {
  getClassRegister: memberProcedure({
    summary:
      'A class for those who answer for it: its pupils by name, each with their guardians. For administrators, heads and its class teachers.',
    input: { groupId: GroupId },
    output: strict({
      pupils: Type.Array(RegisterPupil),
      /** Pupils whom the class expects, who have no phone on the roster and have not come: a card lets them in. */
      expected: Type.Array(strict({ entryId: RosterEntryId, fullName: FullName })),
    }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  limitGuardian: memberProcedure({
    summary:
      'Says whether a guardian may be informed of a child and contacted about it; both lift every limit. Chats, lists and calls follow at once. The guardian is not told.',
    input: {
      guardianId: MembershipId,
      childId: MembershipId,
      mayBeInformed: Type.Boolean(),
      /** Whoever may not be informed is not contacted either, whatever this says. */
      mayBeContacted: Type.Boolean(),
      /** Required for a limit. */
      reason: Type.Optional(LimitReason),
    },
    output: strict({ guardian: GuardianOfPupil }),
    errors: ['NOT_FOUND'],
    limit: perMinute(60),
  }),
});

export const guardianEvents = events('school', {
  classRegisterChanged: contractEvent({
    summary:
      'A limit or a card of one of the class’s pupils changed. Goes to administrators, heads and the class’s teachers.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, groupId: GroupId }),
  }),
});
