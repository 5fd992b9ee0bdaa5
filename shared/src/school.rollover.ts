/** The turn of the school year: every class a year on, the last ones graduate. */
import Type, { type Static } from 'typebox';
import { memberProcedure, nullable, oneOf, perMinute, procedures, strict, Time } from './contract.ts';
import { GroupId, MembershipId, RolloverId } from './ids.ts';
import { schoolLimits } from './limits.ts';
import { FullName, GroupName, GroupYear, Subject } from './school.objects.ts';

/** `promote`: a year on under a new name; `graduate`: its pupils leave and it is archived; `keep`: stays as it is. */
export const rolloverActions = ['promote', 'graduate', 'keep'] as const;
export const RolloverAction = oneOf(rolloverActions);
export type RolloverAction = (typeof rolloverActions)[number];

const many = { maxItems: schoolLimits.rolloverChoices };

/** What an administrator decides otherwise than the plan proposes. */
export const RolloverChoices = strict({
  /** The year after which pupils leave; unless given, what the kind of school suggests. */
  lastYear: Type.Optional(GroupYear),
  classes: Type.Array(
    strict({ groupId: GroupId, action: RolloverAction, name: Type.Optional(GroupName) }),
    many,
  ),
  /** Made empty: next year's first classes. */
  newClasses: Type.Array(strict({ name: GroupName, year: nullable(GroupYear) }), many),
  /** Teachers who go on with another one; `toId` null: nobody yet. Everybody else stays with their class. */
  teachers: Type.Array(
    strict({
      groupId: GroupId,
      membershipId: MembershipId,
      kind: oneOf(['class', 'subject']),
      subject: nullable(Subject),
      toId: nullable(MembershipId),
    }),
    many,
  ),
});
export type RolloverChoices = Static<typeof RolloverChoices>;

/** Why a class can't go on as planned: `nameTaken` another one has the name; `noYear` nobody knows its year. */
export const rolloverProblems = ['nameTaken', 'noYear'] as const;

const Count = Type.Integer({ minimum: 0 });

export const RolloverClass = strict({
  groupId: GroupId,
  name: GroupName,
  year: nullable(GroupYear),
  pupils: Count,
  action: RolloverAction,
  newName: GroupName,
  newYear: nullable(GroupYear),
  problem: nullable(oneOf(rolloverProblems)),
  teachers: Type.Array(
    strict({
      membershipId: MembershipId,
      fullName: FullName,
      kind: oneOf(['class', 'subject']),
      subject: nullable(Subject),
      /** Who goes on with it; the same person unless chosen otherwise, null: nobody. */
      to: nullable(strict({ membershipId: MembershipId, fullName: FullName })),
    }),
  ),
});
export type RolloverClass = Static<typeof RolloverClass>;

export const RolloverPlan = strict({
  lastYear: GroupYear,
  /** By year and name. */
  classes: Type.Array(RolloverClass),
  newClasses: Type.Array(
    strict({ name: GroupName, year: nullable(GroupYear), problem: nullable(oneOf(['nameTaken'])) }),
  ),
  /** Pupils whose memberships end as graduated. */
  graduates: Count,
  /** Pupils who go on. */
  promoted: Count,
  /** Conversations that are renamed with their classes or become read-only are not lost: they are only read. */
  problems: Count,
  /** Names exactly this plan: what is applied is what was shown. */
  digest: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
});
export type RolloverPlan = Static<typeof RolloverPlan>;

/** A rollover that took place. */
export const Rollover = strict({
  id: RolloverId,
  appliedAt: Time,
  appliedBy: strict({ membershipId: MembershipId, fullName: FullName }),
  promoted: Count,
  archived: Count,
  created: Count,
  graduates: Count,
  undoneAt: nullable(Time),
  /** Until when it can be taken back. */
  undoableUntil: Time,
});
export type Rollover = Static<typeof Rollover>;

export const rolloverProcedures = procedures('school', {
  planRollover: memberProcedure({
    summary: 'What the turn of the year would do, class by class, with these choices. Changes nothing.',
    input: { choices: RolloverChoices },
    output: strict({ plan: RolloverPlan }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  applyRollover: memberProcedure({
    summary:
      'Does what the plan with this digest said, in one step. ROLLOVER_CHANGED where the school is not as it was when it was planned.',
    input: { choices: RolloverChoices, digest: RolloverPlan.properties.digest },
    output: strict({ rollover: Rollover }),
    errors: ['NOT_FOUND', 'NAME_TAKEN', 'ROLLOVER_CHANGED'],
    limit: perMinute(10),
    confirmed: true,
  }),
  findRollover: memberProcedure({
    summary: 'The last rollover of the school, or null. For administrators.',
    input: {},
    output: strict({ rollover: nullable(Rollover) }),
  }),
  undoRollover: memberProcedure({
    summary:
      'Takes a rollover back within 30 days: classes get their names and years, graduates come back. ROLLOVER_CHANGED, with what, where something it touched was changed since.',
    input: { rolloverId: RolloverId },
    output: strict({ rollover: Rollover }),
    errors: ['NOT_FOUND', 'ROLLOVER_CHANGED', 'UNDO_EXPIRED'],
    limit: perMinute(10),
    confirmed: true,
  }),
});
