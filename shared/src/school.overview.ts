/** What the school's desk shows of the school as a whole: its classes with who is in them, and what waits for somebody. */
import Type, { type Static } from 'typebox';
import { memberProcedure, nullable, oneOf, perMinute, procedures, strict } from './contract.ts';
import { GroupId, MembershipId } from './ids.ts';
import { schoolLimits } from './limits.ts';
import { FullName, Group, Subject } from './school.objects.ts';

const Count = Type.Integer({ minimum: 0 });

/** A class as whoever runs the school sees it. */
export const SchoolClass = strict({
  group: Group,
  /** Active ones. */
  pupils: Count,
  /** Its class teachers first, then those by subject; people who teach two subjects stand twice. */
  teachers: Type.Array(
    strict({
      membershipId: MembershipId,
      fullName: FullName,
      verified: Type.Boolean(),
      kind: oneOf(['class', 'subject']),
      /** Null for a class teacher. */
      subject: nullable(Subject),
    }),
  ),
});
export type SchoolClass = Static<typeof SchoolClass>;

/** How much waits for somebody to look after it; left out is what the caller has no part in. */
export const Waiting = strict({
  /** Notices that nobody has settled. */
  notices: Type.Optional(Count),
  /** Staff who are not verified. */
  verification: Type.Optional(Count),
  /** Requests that the caller may decide. */
  requests: Type.Optional(Count),
  /** People who ask to join and whom the caller may let in. */
  joinRequests: Type.Optional(Count),
  /** Expected people who have not come. */
  roster: Type.Optional(Count),
});
export type Waiting = Static<typeof Waiting>;

export const overviewProcedures = procedures('school', {
  getOverview: memberProcedure({
    summary:
      'What waits for the caller in the school, counted, and what of a new school’s beginnings is done.',
    input: {},
    output: strict({
      waiting: Waiting,
      /** Null for whoever does not set the school up. */
      begun: nullable(
        strict({
          /** The card has an address and a way to ask. */
          card: Type.Boolean(),
          classes: Type.Boolean(),
          /** Pupils are expected or here. */
          pupils: Type.Boolean(),
          /** Teachers are expected, invited or here. */
          teachers: Type.Boolean(),
        }),
      ),
    }),
    limit: perMinute(120),
  }),
  listClasses: memberProcedure({
    summary:
      'The classes by year and name, with their pupils counted and their teachers, in pages after the given class. Administrators and heads see all of them, verified teachers their own.',
    input: {
      state: oneOf(['open', 'archived']),
      /** A part of the name. */
      search: Type.Optional(Type.String({ minLength: 1, maxLength: schoolLimits.groupNameLength })),
      after: Type.Optional(GroupId),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: schoolLimits.classesPageSize })),
    },
    output: strict({
      classes: Type.Array(SchoolClass),
      hasMore: Type.Boolean(),
      /** How many there are on all pages. */
      total: Count,
    }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  getClass: memberProcedure({
    summary: 'One class, with its pupils counted and its teachers; the same people may see it.',
    input: { groupId: GroupId },
    output: strict({ class: SchoolClass }),
    errors: ['NOT_FOUND'],
    limit: perMinute(300),
  }),
});
