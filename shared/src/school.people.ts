/** The list of a school's people as its administrators work with it, and the card of one of them. */
import Type, { type Static } from 'typebox';
import { memberProcedure, nullable, oneOf, perMinute, procedures, strict, Time } from './contract.ts';
import { GroupId, MembershipId } from './ids.ts';
import { schoolLimits } from './limits.ts';
import { EndReason, FullName, Member, Role } from './school.objects.ts';
import { roles } from './school.words.ts';

/** What an administrator looks after: people of whom something is missing, and those who are gone. */
export const memberFilters = [
  'unverifiedStaff',
  'guardiansWithoutChild',
  'pupilsWithoutGuardian',
  'ended',
] as const;
export const MemberFilter = oneOf(memberFilters);
export type MemberFilter = (typeof memberFilters)[number];

/** Words of a name, or digits of a phone. */
export const MemberSearch = Type.String({
  minLength: 1,
  maxLength: schoolLimits.searchLength,
  pattern: "^[\\p{L}\\p{M}\\p{N} .'’()+-]+$",
});

const Count = Type.Integer({ minimum: 0 });

/** How many people a list would hold, by what it can be narrowed to. */
export const MemberCounts = strict({
  all: Count,
  roles: strict(Object.fromEntries(roles.map((role) => [role, Count])) as { [R in Role]: typeof Count }),
  filters: strict(
    Object.fromEntries(memberFilters.map((filter) => [filter, Count])) as {
      [F in MemberFilter]: typeof Count;
    },
  ),
});
export type MemberCounts = Static<typeof MemberCounts>;

/** A time in one role and one class: what a person was here, and when. */
export const Stay = strict({
  membershipId: MembershipId,
  role: Role,
  groupId: nullable(GroupId),
  startedAt: Time,
  /** Null: it lasts. */
  endedAt: nullable(Time),
  endReason: nullable(EndReason),
});
export type Stay = Static<typeof Stay>;

/** Another person on a card. */
const Relative = strict({
  membershipId: MembershipId,
  fullName: FullName,
  groupId: nullable(GroupId),
  /** Null where the reader may not know it. */
  phone: nullable(Type.String()),
});

export const MemberCard = strict({
  member: Member,
  /** Who confirmed a member of staff, and when. */
  verification: nullable(
    strict({
      verifiedAt: Time,
      /** Null: the operator, who made the school. */
      by: nullable(strict({ membershipId: MembershipId, fullName: FullName })),
      /** Null for everybody but administrators. */
      basis: nullable(Type.String()),
    }),
  ),
  /** Of a pupil. */
  guardians: Type.Array(Relative),
  /** Of a guardian. */
  children: Type.Array(Relative),
  /** Everything that this person was and is in the school, the newest first. */
  history: Type.Array(Stay),
  /** Until when an ended membership can be brought back; null where it can't. */
  restorableUntil: nullable(Time),
});
export type MemberCard = Static<typeof MemberCard>;

export const peopleProcedures = procedures('school', {
  countMembers: memberProcedure({
    summary:
      'How many people each role and each filter of the list holds, of those that fit the group and the search. For administrators and heads.',
    input: { groupId: Type.Optional(GroupId), search: Type.Optional(MemberSearch) },
    output: strict({ counts: MemberCounts }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  getMember: memberProcedure({
    summary:
      'The card of one person, whose membership may be over: what they are and were here, and to whom they belong. For administrators and heads.',
    input: { membershipId: MembershipId },
    output: strict({ card: MemberCard }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  correctMember: memberProcedure({
    summary:
      'Corrects a person’s name. Everybody sees the new one at once, on old messages too; other memberships of the same person that bore the old name are corrected with it.',
    input: { membershipId: MembershipId, fullName: FullName },
    output: strict({ fullName: FullName }),
    errors: ['NOT_FOUND'],
  }),
});
