import { type AccountId, CodedError } from '@zvonok/shared';
import type { Accounts } from '../accounts/index.ts';
import type { Chat } from '../chat/index.ts';
import type { Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Caller } from '../platform/procedures.ts';
import type { School } from '../school/index.ts';
import { createDeskActions } from './desk.actions.ts';
import { type HttpDoor, mountOrders } from './desk.http.ts';
import { recordOperator } from './desk.records.store.ts';
import { mountDesk } from './desk.routes.ts';
import { createSchoolDesk } from './desk.schools.actions.ts';
import { addOperator, isOperator, removeOperator } from './desk.store.ts';

/** The operator's desk: schools that apply, schools that are let in, suspended, let in again. */
export function createDesk(
  platform: Platform,
  neighbours: { readonly accounts: Accounts; readonly school: School; readonly chat: Chat },
) {
  const { database } = platform;
  const actions = createDeskActions(platform, neighbours.accounts, neighbours.school);
  const asked = ({ accountId }: Pick<Caller, 'accountId'>) => isOperator(database, accountId);
  async function requireOperator(caller: Caller) {
    if (!(await asked(caller))) throw new CodedError('FORBIDDEN');
    await neighbours.accounts.requirePasskey(caller);
  }
  return {
    procedures: mountDesk(actions, createSchoolDesk(platform, neighbours)),
    /** Asked of the database each time: operators are few, and one who was taken back must not act for a second more. */
    isOperator: asked,
    /** @throws CodedError FORBIDDEN, or PASSKEY_REQUIRED where this session of an operator has not seen their passkey */
    requireOperator,
    async addOperator(tx: Transaction, accountId: AccountId, fullName: string): Promise<void> {
      await addOperator(tx, accountId, fullName);
      await recordOperator(tx, null, { action: 'operatorAdded', operatorId: accountId });
    },
    /** False where they were none. */
    async removeOperator(tx: Transaction, accountId: AccountId): Promise<boolean> {
      const removed = await removeOperator(tx, accountId);
      if (removed) await recordOperator(tx, null, { action: 'operatorRemoved', operatorId: accountId });
      return removed;
    },
    attachOrder: actions.attachOrder,
    mountHttp: (door: HttpDoor) => mountOrders(door, actions, requireOperator),
  };
}

export type Desk = ReturnType<typeof createDesk>;
