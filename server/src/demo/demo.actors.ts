import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AccountId,
  ImportId,
  InputOf,
  MembershipId,
  OutputOf,
  ProcedureName,
  procedureContract,
  SchoolId,
  SessionId,
} from '@zvonok/shared';
import type { App } from '../app.ts';
import type { Transaction } from '../platform/database.ts';
import { createDispatcher, type Reply } from '../platform/dispatcher.ts';
import type { Caller } from '../platform/procedures.ts';

type Contract = typeof procedureContract;
type InputFor<N extends ProcedureName> = Omit<InputOf<Contract[N]>, 'as'>;

/** What the demo is played on. */
export type Stage = Pick<App, 'platform' | 'accounts' | 'school' | 'chat' | 'desk'>;

/** Somebody who acts, by the phone that they are known by. */
export interface Actor {
  readonly caller: Caller;
  /** In the school where they act; undefined while they are in none. */
  readonly as: MembershipId | undefined;
}

export type Actors = ReturnType<typeof createActors>;

/** Where the people of the demo sit. */
const address = '127.0.0.1';
/** An import is two jobs of a moment each; a machine under load may take its time. */
const importLook = { everyMs: 25, tries: 1_200 };

/**
 * People who use the server as clients do: through the mounted procedures, each as themselves, with their rights and
 * records. Their sessions are taken for granted, and limits that are meant for strangers are not asked.
 */
export function createActors({ platform, accounts, school, chat, desk }: Stage) {
  const { database, logger } = platform;
  const dispatcher = createDispatcher({
    mounted: [...accounts.procedures, ...school.procedures, ...chat.procedures, ...desk.procedures],
    requireActor: school.requireActor,
    requireOperator: desk.requireOperator,
    isConfirmed: async () => true,
    logger,
    limits: 'off',
    checkOutputs: false,
  });

  async function reply(name: ProcedureName, caller: Caller | undefined, input: object): Promise<Reply> {
    // A cookie that nobody keeps.
    const carrier = { set: () => undefined, clear: () => undefined };
    return dispatcher.call(name, input, { caller, address, userAgent: 'demo', carrier });
  }

  /** @throws Error where it is refused: the demo does nothing that its people may not do */
  async function act<N extends ProcedureName>(
    name: N,
    actor: Actor | undefined,
    input: InputFor<N>,
  ): Promise<OutputOf<Contract[N]>> {
    const as = actor?.as === undefined ? {} : { as: actor.as };
    const answer = await reply(name, actor?.caller, { ...as, ...input });
    if (!answer.ok) throw new Error(`demo: ${name} was refused with ${answer.error.code}`);
    return answer.result as OutputOf<Contract[N]>;
  }

  const callerOf = (accountId: AccountId): Caller => ({
    accountId,
    sessionId: crypto.randomUUID() as SessionId,
  });

  /** Whoever is expected with this phone becomes a member by it, as at any first sign-in. */
  async function claim(tx: Transaction, phone: string): Promise<AccountId> {
    const accountId = await accounts.ensureAccount(tx, phone);
    await school.rosterClaims.claimByPhone(tx, accountId, phone, address);
    return accountId;
  }

  async function signIn(phone: string, schoolId?: SchoolId): Promise<Actor> {
    const accountId = await database.inTransaction((tx) => claim(tx, phone));
    const found = await school.membershipsOf(accountId);
    const own = schoolId === undefined ? found : found.filter((each) => each.schoolId === schoolId);
    return { caller: callerOf(accountId), as: own[0]?.id };
  }

  return {
    act,
    /** All of them sign in for the first time; nobody of them acts. */
    async arrive(phones: readonly string[]): Promise<void> {
      await database.inTransaction(async (tx) => {
        for (const phone of phones) await claim(tx, phone);
      });
    },
    /** Does what may be refused: a wrong PIN. */
    async attempt<N extends ProcedureName>(name: N, input: InputFor<N>): Promise<void> {
      await reply(name, undefined, input);
    },
    signIn,

    /** Signs in with a card, in a session of its own that can be ended. */
    async signInByCard({ token, pin }: { readonly token: string; readonly pin: string }): Promise<Actor> {
      const started = await act('accounts.signInByCard', undefined, { token, pin, carrier: 'bearer' });
      const caller = await accounts.findSession(started.token ?? '');
      if (caller === undefined) throw new Error('demo: the card opened nothing');
      return { caller, as: undefined };
    },

    /** Follows an invite; where it lets in at once, the answer acts as the new member. */
    async redeem(phone: string, token: string, fullName?: string): Promise<Actor> {
      const { caller } = await signIn(phone);
      const { membership } = await act(
        'school.redeemInvite',
        { caller, as: undefined },
        { token, ...(fullName === undefined ? {} : { fullName }) },
      );
      return { caller, as: membership?.id };
    },

    /** Imports a table and waits until it is applied. */
    async importPeople(admin: Actor, fileName: string, lines: readonly string[]): Promise<void> {
      if (admin.as === undefined) throw new Error('demo: who imports is no member');
      const actor = { ...(await school.requireActor(admin.caller, admin.as)), address };
      const { id } = await school.addImport(actor, fileName, Buffer.from(lines.join('\n')));
      await reached(admin, id, 'ready');
      await act('school.applyImport', admin, { importId: id });
      await reached(admin, id, 'applied');
    },
  };

  async function reached(admin: Actor, id: ImportId, state: 'ready' | 'applied'): Promise<void> {
    for (let tries = 0; tries < importLook.tries; tries += 1) {
      const { imports } = await act('school.listImports', admin, {});
      const found = imports.find((each) => each.id === id);
      if (found?.state === state) {
        if ((found.counts?.error ?? 0) > 0) throw new Error('demo: the table has faults');
        return;
      }
      if (found?.state === 'failed' || found?.state === 'stale') break;
      await sleep(importLook.everyMs);
    }
    throw new Error(`demo: the table was not ${state}`);
  }
}
