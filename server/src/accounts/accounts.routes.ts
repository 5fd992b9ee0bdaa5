import { accountsProcedures, CodedError } from '@zvonok/shared';
import type { Database } from '../platform/database.ts';
import { type MountedProcedure, mount } from '../platform/procedures.ts';
import type { CodeActions } from './accounts.codes.actions.ts';
import type { SessionActions } from './accounts.sessions.actions.ts';
import { findAccount, type StoredAccount } from './accounts.store.ts';
import type { AccountsPorts } from './index.ts';

export function mountAccounts(
  database: Database,
  ports: AccountsPorts,
  codes: CodeActions,
  sessions: SessionActions,
): MountedProcedure[] {
  return mount(accountsProcedures, {
    'accounts.requestCode': (input, context) => codes.requestCode(input, context),

    'accounts.verifyCode': async (input, context) => {
      const account = await codes.redeemCode(input, context);
      const start = await sessions.startSession(
        account.id,
        { carrier: input.carrier, deviceName: input.deviceName },
        context,
      );
      const [memberships, operator] = await Promise.all([
        ports.membershipsOf(account.id),
        ports.isOperator({ accountId: account.id }),
      ]);
      return { ...start, account: describe(account), memberships, operator };
    },

    'accounts.getMe': async (_input, { caller }) => {
      const [account, refreshAt, memberships, operator] = await Promise.all([
        findAccount(database.db, caller.accountId),
        sessions.refreshAt(caller),
        ports.membershipsOf(caller.accountId),
        ports.isOperator(caller),
      ]);
      if (account === undefined) throw new CodedError('UNAUTHENTICATED');
      return { account: describe(account), sessionId: caller.sessionId, refreshAt, memberships, operator };
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

    'accounts.signOut': async (_input, context) => {
      await sessions.signOut(context);
      return {};
    },
  });
}

const describe = (account: StoredAccount) => ({
  id: account.id,
  phone: account.phone,
  createdAt: account.createdAt.toISOString(),
});
