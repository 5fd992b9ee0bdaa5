import Type, { type Static } from 'typebox';
import {
  accountProcedure,
  contractEvent,
  events,
  perMinute,
  procedures,
  publicProcedure,
  strict,
  Time,
} from './contract.ts';
import { AccountId, ChallengeId, SessionId } from './ids.ts';
import { accountLimits } from './limits.ts';
import { TypedJoinCode } from './school.joining.ts';
import { InviteToken, MyMembership } from './school.objects.ts';

/** A phone as people type it; the server brings it to E.164 or answers PHONE_INVALID. */
export const TypedPhone = Type.String({
  minLength: 3,
  maxLength: 32,
  pattern: '^[-+0-9 ().\\u00a0\\u2011]+$',
});

/** How the session travels: a browser keeps an HttpOnly cookie, others read the token from the reply. */
export const Carrier = Type.Unsafe<'cookie' | 'bearer'>(
  Type.Union([Type.Literal('cookie'), Type.Literal('bearer')]),
);

/** The device is used by several people: the session ends with the browser or when nobody is there. */
export const Shared = Type.Optional(Type.Boolean());

/** A signed-in device. */
export const Session = strict({
  id: SessionId,
  /** What the device called itself, or a short form of its User-Agent. */
  deviceName: Type.String(),
  createdAt: Time,
  /** Exact to a few minutes. */
  lastUsedAt: Time,
  /** Whether this is the session that asks. */
  current: Type.Boolean(),
  /** Whether it was begun or confirmed with a passkey that the person still has. */
  passkey: Type.Boolean(),
  /** Whether it was begun with a card. */
  card: Type.Boolean(),
  /** Whether the device is used by several people. */
  shared: Type.Boolean(),
});
export type Session = Static<typeof Session>;

export const Account = strict({
  id: AccountId,
  /** E.164; the owner's own. Null: signs in with a card alone. */
  phone: Type.Union([Type.String(), Type.Null()]),
  createdAt: Time,
});
export type Account = Static<typeof Account>;

/** Whether this person runs the server: the console of `desk` is theirs. */
const Operator = Type.Boolean();

/** A code is on its way. */
const CodeSent = strict({
  challengeId: ChallengeId,
  expiresAt: Time,
  /** How long the client waits before it offers to send another. */
  resendAfterMs: Type.Integer({ minimum: 0 }),
});
const Code = Type.String({ pattern: '^[0-9]{6}$' });

const SessionStart = strict({
  /** Null where the token went into the cookie. */
  token: Type.Union([Type.String(), Type.Null()]),
  sessionId: SessionId,
  /** When the client should ask for `accounts.refreshSession`. */
  refreshAt: Time,
});
const OnSharedDevice = Type.Boolean();

/** A session that has just begun, and whose it is. */
export const SignedIn = strict({
  ...SessionStart.properties,
  account: Account,
  memberships: Type.Array(MyMembership),
  operator: Operator,
  /** Nothing is to be kept on the device. */
  shared: OnSharedDevice,
});

export const accountsProcedures = procedures('accounts', {
  requestCode: publicProcedure({
    summary:
      'Sends a one-time code to the phone of a known person, or of anybody who holds an open invite or a school’s join code. The answer is the same for everybody.',
    input: {
      phone: TypedPhone,
      inviteToken: Type.Optional(InviteToken),
      joinCode: Type.Optional(TypedJoinCode),
    },
    output: CodeSent,
    errors: ['PHONE_INVALID'],
    /** A whole school signs in from one address at 8:00: 20 a second. */
    limit: perMinute(1_200),
  }),
  verifyCode: publicProcedure({
    summary: 'Exchanges a code for a session. A code works once and bears 5 tries.',
    input: {
      challengeId: ChallengeId,
      code: Code,
      carrier: Carrier,
      deviceName: Type.Optional(Type.String({ minLength: 1, maxLength: accountLimits.deviceNameLength })),
      shared: Shared,
    },
    output: SignedIn,
    errors: ['CODE_WRONG'],
    /** The same morning, with typing errors; guesses are bounded by the challenge. */
    limit: perMinute(1_800),
  }),
  getMe: accountProcedure({
    summary: 'The signed-in person, this session and their active memberships.',
    input: {},
    output: strict({
      account: Account,
      sessionId: SessionId,
      refreshAt: Time,
      memberships: Type.Array(MyMembership),
      operator: Operator,
      shared: OnSharedDevice,
    }),
  }),
  refreshSession: accountProcedure({
    summary:
      'Exchanges the token for a new one, carried as the session was begun. The old one works until a minute after the new one was first used, so that a lost reply locks nobody out.',
    input: {},
    output: SessionStart,
    limit: perMinute(30),
  }),
  listSessions: accountProcedure({
    summary: 'The devices that are signed in, the last used first.',
    input: {},
    output: strict({ sessions: Type.Array(Session) }),
  }),
  revokeSession: accountProcedure({
    summary: 'Signs a device out; its connections are cut within a second.',
    input: { sessionId: SessionId },
    output: strict({}),
    errors: ['NOT_FOUND'],
  }),
  revokeOtherSessions: accountProcedure({
    summary: 'Signs every other device out.',
    input: {},
    output: strict({ revoked: Type.Integer({ minimum: 0 }) }),
  }),
  getIdentityLink: accountProcedure({
    summary: 'Since when the region’s identity provider signs this person in; null where it does not.',
    input: {},
    output: strict({ linkedAt: Type.Union([Time, Type.Null()]) }),
  }),
  removeIdentityLink: accountProcedure({
    summary:
      'The identity that is linked to this account opens it no more. Whoever next signs in by the provider with this verified phone is linked anew.',
    input: {},
    output: strict({}),
    errors: ['NOT_FOUND'],
  }),
  signOut: accountProcedure({
    summary: 'Signs this device out.',
    input: {},
    output: strict({}),
  }),
  reportStrangeSignIn: accountProcedure({
    summary:
      'Somebody else got in: signs out every device of the account, this one included, burns the codes that were sent to its phone, unlinks it from the identity provider, removes the passkeys that were added since, and tells the administrators of its schools.',
    input: {
      /** The device that is not theirs, where it is still in the list. */
      sessionId: Type.Optional(SessionId),
    },
    output: strict({}),
    limit: perMinute(10),
  }),
  requestConfirmation: accountProcedure({
    summary:
      'Sends a code to the account’s own phone, by which this session alone is confirmed. It signs nobody in, and a code for signing in confirms nothing.',
    input: {},
    output: CodeSent,
    limit: perMinute(10),
  }),
  confirm: accountProcedure({
    summary: 'Confirms this session for dangerous actions. A code works once and bears 5 tries.',
    input: { challengeId: ChallengeId, code: Code },
    output: strict({
      /** Until when it may do what needs a confirmation. */
      confirmedUntil: Time,
    }),
    errors: ['CODE_WRONG'],
    limit: perMinute(30),
  }),
});

export const accountsEvents = events('accounts', {
  sessionStarted: contractEvent({
    summary: 'A device signed in. `current` is false: no other device shares a session.',
    audience: 'account',
    payload: strict({ session: Session }),
  }),
  passkeysChanged: contractEvent({
    summary: 'A passkey of this person was added, renamed or removed.',
    audience: 'account',
    payload: strict({}),
  }),
  sessionEnded: contractEvent({
    summary: 'A device was signed out.',
    audience: 'account',
    payload: strict({ sessionId: SessionId }),
  }),
});
