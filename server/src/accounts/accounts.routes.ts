import {
  type AccountId,
  accountsProcedures,
  CodedError,
  cardProcedures,
  passkeyProcedures,
} from '@zvonok/shared';
import type { Database } from '../platform/database.ts';
import { type MountedProcedure, mount } from '../platform/procedures.ts';
import type { CardActions } from './accounts.cards.actions.ts';
import type { CodeActions } from './accounts.codes.actions.ts';
import type { IdentityActions } from './accounts.identity.actions.ts';
import type { PasskeyActions } from './accounts.passkeys.actions.ts';
import type { SessionActions, SessionStart } from './accounts.sessions.actions.ts';
import { findAccount, type StoredAccount } from './accounts.store.ts';
import type { AccountsPorts } from './index.ts';

export function mountAccounts(
  database: Database,
  ports: AccountsPorts,
  codes: CodeActions,
  sessions: SessionActions,
  passkeys: PasskeyActions,
  identity: IdentityActions | undefined,
  cards: CardActions,
): MountedProcedure[] {
  /** Tells a device that has just signed in who it is. */
  async function greet(
    { accountId, ...start }: SessionStart & { readonly accountId: AccountId },
    shared = false,
  ) {
    const [account, memberships, operator] = await Promise.all([
      findAccount(database.db, accountId),
      ports.membershipsOf(accountId),
      ports.isOperator({ accountId }),
    ]);
    if (account === undefined) throw new CodedError('UNAUTHENTICATED');
    return { ...start, account: describe(account), memberships, operator, shared };
  }

  const ofAccounts = mount(accountsProcedures, {
    'accounts.requestCode': (input, context) => codes.requestCode(input, context),

    'accounts.verifyCode': async (input, context) => {
      const { carrier, deviceName, shared } = input;
      const prove = await codes.checkCode(input, context);
      return greet(await sessions.startSession(prove, { carrier, deviceName, shared }, context), shared);
    },

    'accounts.getMe': async (_input, { caller }) => {
      const [account, times, memberships, operator] = await Promise.all([
        findAccount(database.db, caller.accountId),
        sessions.getTimes(caller),
        ports.membershipsOf(caller.accountId),
        ports.isOperator(caller),
      ]);
      if (account === undefined) throw new CodedError('UNAUTHENTICATED');
      return { account: describe(account), sessionId: caller.sessionId, ...times, memberships, operator };
    },

    'accounts.refreshSession': (_input, context) => sessions.refreshSession(context),

    'accounts.listSessions': async (_input, { caller }) => ({
      sessions: await sessions.listSessions(caller),
    }),

    'accounts.revokeSession': async ({ sessionId }, { caller }) => {
      await sessions.revokeSession(caller, sessionId);
      return {};
    },

    'accounts.revokeOtherSessions': async (_input, { caller }) => ({
      revoked: await sessions.revokeOtherSessions(caller),
    }),

    'accounts.getIdentityLink': async (_input, { caller }) => ({
      linkedAt: (await identity?.linkedSince(caller.accountId))?.toISOString() ?? null,
    }),

    'accounts.removeIdentityLink': async (_input, { caller }) => {
      if ((await identity?.unlink(caller.accountId)) !== true) throw new CodedError('NOT_FOUND');
      return {};
    },

    'accounts.signOut': async (_input, context) => {
      await sessions.signOut(context);
      return {};
    },

    'accounts.reportStrangeSignIn': async ({ sessionId }, context) => {
      await sessions.reportStrangeSignIn(context, sessionId);
      return {};
    },

    'accounts.requestConfirmation': (_input, context) => codes.requestConfirmation(context),

    'accounts.confirm': async (input, { caller }) => ({
      confirmedUntil: (await codes.confirm(input, caller)).toISOString(),
    }),
  });

  const ofPasskeys = mount(passkeyProcedures, {
    'accounts.beginPasskeySignIn': () => passkeys.beginSignIn(),

    'accounts.finishPasskeySignIn': async (input, context) => {
      const { prove, passkeyId } = await passkeys.redeemAssertion(input.challengeId, input.credential);
      const { carrier, deviceName } = input;
      return greet(await sessions.startSession(prove, { carrier, deviceName, passkeyId }, context));
    },

    'accounts.beginPasskeyConfirmation': (_input, { caller }) => passkeys.beginConfirmation(caller),

    'accounts.finishPasskeyConfirmation': async ({ challengeId, credential }, { caller }) => {
      await passkeys.finishConfirmation(caller, challengeId, credential);
      return {};
    },

    'accounts.beginPasskeyRegistration': (_input, { caller }) => passkeys.beginRegistration(caller),

    'accounts.finishPasskeyRegistration': async ({ challengeId, credential, name }, context) => ({
      passkey: await passkeys.finishRegistration(context, { challengeId, credential, name }),
    }),

    'accounts.listPasskeys': (_input, { caller }) => passkeys.list(caller),

    'accounts.renamePasskey': async ({ passkeyId, name }, { caller }) => ({
      passkey: await passkeys.rename(caller, passkeyId, name),
    }),

    'accounts.removePasskey': async ({ passkeyId }, { caller }) => {
      await passkeys.remove(caller, passkeyId);
      return {};
    },
  });
  const ofCards = mount(cardProcedures, {
    'accounts.signInByCard': async (input, context) => {
      const { carrier, deviceName, shared } = input;
      const prove = await cards.checkCard(input.token, input.pin);
      const options = { carrier, deviceName, shared, byCard: true };
      return greet(await sessions.startSession(prove, options, context), shared);
    },

    'accounts.keepSession': async (_input, { caller }) => {
      await sessions.keep(caller);
      return {};
    },
  });
  return [...ofAccounts, ...ofPasskeys, ...ofCards];
}

const describe = (account: StoredAccount) => ({
  id: account.id,
  phone: account.phone,
  createdAt: account.createdAt.toISOString(),
});
