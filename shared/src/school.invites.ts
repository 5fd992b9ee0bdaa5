import Type, { type Static } from 'typebox';
import {
  contractEvent,
  events,
  memberProcedure,
  nullable,
  oneOf,
  perMinute,
  procedures,
  strict,
  Time,
} from './contract.ts';
import { GroupId, InviteId, MembershipId } from './ids.ts';
import { schoolLimits } from './limits.ts';
import { Invite, InviteToken } from './school.objects.ts';

/** The invite of one person of the roster, while its token is known: the server keeps the hash alone. */
export const PersonalCode = strict({
  inviteId: InviteId,
  token: InviteToken,
  role: oneOf(['pupil', 'guardian']),
  fullName: Type.String(),
  /** Of a guardian: their expected children in the class. */
  children: Type.Array(Type.String()),
});
export type PersonalCode = Static<typeof PersonalCode>;

/** Who came by an invite, or asked to. */
export const Redemption = strict({
  fullName: Type.String(),
  at: Time,
  /** `member`: let in at once or by approval; `left`: no member any more. */
  state: oneOf(['member', 'left', 'waiting', 'refused']),
  /** Whether the class’s roster knew the name; null where the class had none, or nobody asked. */
  onRoster: nullable(Type.Boolean()),
});
export type Redemption = Static<typeof Redemption>;

export const inviteProcedures = procedures('school', {
  createPersonalInvites: memberProcedure({
    summary:
      'Makes an invite of one use for each expected pupil and guardian of a class who has not come yet, to be printed and handed out. Those that were made for them before are annulled. The tokens are answered once and never again.',
    input: {
      groupId: GroupId,
      /** Left out: everybody whom the caller may invite. */
      role: Type.Optional(oneOf(['pupil', 'guardian'])),
      lifeMs: Type.Optional(Type.Integer({ minimum: 60_000, maximum: schoolLimits.inviteLifeMaxMs })),
    },
    output: strict({
      codes: Type.Array(PersonalCode),
      expiresAt: nullable(Time),
      /** How many earlier ones are worth nothing now. */
      annulled: Type.Integer({ minimum: 0 }),
    }),
    errors: ['NOT_FOUND'],
    limit: perMinute(20),
  }),
  listRedemptions: memberProcedure({
    summary: 'Who used an invite, the newest first. For those who may annul it.',
    input: { inviteId: InviteId },
    /** As many as an invite has uses. */
    output: strict({ redemptions: Type.Array(Redemption) }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  resumeInvite: memberProcedure({
    summary:
      'Opens an invite again that was suspended because those who came by it were not on the roster. For administrators.',
    input: { inviteId: InviteId },
    output: strict({ invite: Invite }),
    errors: ['NOT_FOUND'],
  }),
});

export const inviteEvents = events('school', {
  invitesChanged: contractEvent({
    summary:
      'Many invites were made or annulled at once; asked again if they are shown. Goes to their makers and the administrators.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId }),
  }),
});
