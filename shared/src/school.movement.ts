/** How a school's people move: to another class, out and back, to another role, one after another. */
import Type, { type Static } from 'typebox';
import { memberProcedure, nullable, oneOf, perMinute, procedures, strict } from './contract.ts';
import { ConversationId, GroupId, MembershipId } from './ids.ts';
import { schoolLimits } from './limits.ts';
import { Attachment, EndReason } from './school.objects.ts';

/** Several people; each once. */
const Several = Type.Array(MembershipId, {
  minItems: 1,
  maxItems: schoolLimits.movedAtOnce,
  uniqueItems: true,
});

/** What somebody who leaves can hand to a successor. */
export const HandOverPlan = strict({
  attachments: Type.Array(Attachment),
  /** Conversations that were filled by hand; all others follow the groups. */
  conversations: Type.Array(strict({ conversationId: ConversationId, title: nullable(Type.String()) })),
});
export type HandOverPlan = Static<typeof HandOverPlan>;

export const movementProcedures = procedures('school', {
  transferMembers: memberProcedure({
    summary:
      'Moves pupils to another class, all of them or none. They leave the old class’s conversations at once; the history keeps where they were. Their guardians follow.',
    input: { membershipIds: Several, groupId: GroupId },
    output: strict({ transferred: Type.Integer({ minimum: 0 }) }),
    errors: ['NOT_FOUND', 'WRONG_ROLE'],
    limit: perMinute(60),
  }),
  endMemberships: memberProcedure({
    summary:
      'Ends several memberships for one reason, all of them or none; the history keeps them. Their devices leave within a second.',
    input: { membershipIds: Several, reason: EndReason },
    output: strict({ ended: Type.Integer({ minimum: 0 }) }),
    errors: ['NOT_FOUND', 'LAST_ADMIN'],
    limit: perMinute(60),
    confirmed: true,
  }),
  restoreMembership: memberProcedure({
    summary:
      'Brings back a membership that was ended by mistake less than a day ago, with its conversations and links.',
    input: { membershipId: MembershipId },
    output: strict({}),
    errors: ['NOT_FOUND', 'CONFLICT', 'ALREADY_MEMBER', 'UNDO_EXPIRED'],
    confirmed: true,
  }),
  planHandOver: memberProcedure({
    summary: 'What a member of staff could hand to a successor.',
    input: { membershipId: MembershipId },
    output: HandOverPlan,
    errors: ['NOT_FOUND', 'WRONG_ROLE'],
  }),
  handOver: memberProcedure({
    summary:
      'Gives classes, subjects and hand-filled conversations of one member of staff to another in one step; with `leaves` the first one’s membership ends in the same step. What is left out stays.',
    input: {
      membershipId: MembershipId,
      toId: MembershipId,
      attachments: Type.Array(Attachment, { maxItems: schoolLimits.rolloverChoices }),
      conversationIds: Type.Array(ConversationId, { maxItems: schoolLimits.rolloverChoices }),
      leaves: Type.Boolean(),
    },
    output: strict({}),
    errors: ['NOT_FOUND', 'WRONG_ROLE', 'LAST_ADMIN'],
    confirmed: true,
  }),
  changeRole: memberProcedure({
    summary:
      'Gives a verified member of staff another role: a new membership with the same verification, and the old one ends. What they taught ends with it: hand it over first.',
    input: { membershipId: MembershipId, role: oneOf(['head', 'teacher']) },
    output: strict({ membershipId: MembershipId }),
    errors: ['NOT_FOUND', 'WRONG_ROLE', 'ALREADY_MEMBER', 'LAST_ADMIN'],
    confirmed: true,
  }),
  appointHead: memberProcedure({
    summary: 'Marks one of the verified heads as the school’s head; the one before becomes a deputy.',
    input: { membershipId: MembershipId },
    output: strict({}),
    errors: ['NOT_FOUND', 'WRONG_ROLE'],
    confirmed: true,
  }),
  dismissHead: memberProcedure({
    summary: 'Takes the mark of the school’s head back: they are a deputy again.',
    input: { membershipId: MembershipId },
    output: strict({}),
    errors: ['NOT_FOUND'],
  }),
});
