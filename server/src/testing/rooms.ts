import type {
  AccountId,
  ErrorBody,
  InputOf,
  MembershipId,
  MyMembership,
  OutputOf,
  ProcedureName,
  procedureContract,
  SchoolId,
  SessionId,
} from '@zvonok/shared';
import { type Accounts, createAccounts, type SmsSender } from '../accounts/index.ts';
import type { Calls, CallsNeighbours } from '../calls/index.ts';
import { type Chat, createChat } from '../chat/index.ts';
import { createDesk, type Desk } from '../desk/index.ts';
import { readConfig } from '../platform/config.ts';
import { createMemoryCounters, type SharedCounters } from '../platform/counters.ts';
import { openDatabase } from '../platform/database.ts';
import { createDispatcher, type Dispatcher } from '../platform/dispatcher.ts';
import { createJobs } from '../platform/jobs.ts';
import { createLogger } from '../platform/logger.ts';
import { type Announcement, createOutbound } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import type { Caller, SessionCarrier } from '../platform/procedures.ts';
import { startTestPostgres } from '../platform/testing/test-postgres.ts';
import { createSchool, type School } from '../school/index.ts';

type Contract = typeof procedureContract;

/** Where browsers would reach the rooms. */
export const testOrigin = 'http://localhost:3000';

/** A reply whose cookies nobody keeps. */
const nowhere: SessionCarrier = { set: () => undefined, clear: () => undefined };

/** Who calls in a test: their session and, for what a member does, as whom. */
export interface Person {
  readonly caller: Caller;
  readonly as: MembershipId;
  readonly schoolId: SchoolId;
  readonly fullName: string;
}

export type Answer<P> =
  | { readonly ok: true; readonly result: OutputOf<P> }
  | { readonly ok: false; readonly error: ErrorBody };

/** The rooms from accounts to chat (and calls, where they are added) on a database of their own, called through the dispatcher as the gateway calls it. */
export interface Rooms {
  readonly platform: Platform;
  readonly accounts: Accounts;
  readonly school: School;
  readonly chat: Chat;
  readonly desk: Desk;
  readonly dispatcher: Dispatcher;
  /** What was announced after commits, in order; tests empty it with `splice`. */
  readonly announced: Announcement[];
  /** What was sent to phones, in order. */
  readonly texts: { readonly phone: string; readonly text: string }[];
  /** Calls a procedure; `input` without `as`, which comes from the person. */
  call<N extends ProcedureName>(
    name: N,
    by: Person | Caller | undefined,
    input: Omit<InputOf<Contract[N]>, 'as'>,
    options?: { readonly carrier?: SessionCarrier; readonly address?: string },
  ): Promise<Answer<Contract[N]>>;
  close(): Promise<void>;
}

/** Starts a PostgreSQL of its own and the rooms on it; `close` removes both. */
export async function startRooms(
  options: {
    readonly rateLimits?: 'on' | 'off';
    /** As a server that others can reach is configured. */
    readonly deployed?: boolean;
    /** Whether dangerous actions ask for a confirmed session; by default callers need not have signed in. */
    readonly confirmations?: 'asked' | 'taken for granted';
    readonly sms?: SmsSender;
    readonly counters?: SharedCounters;
    /** Adds the calls room, for those who have media to give it; `close` closes it, not the media. */
    readonly calls?: (platform: Platform, neighbours: Pick<CallsNeighbours, 'school' | 'chat'>) => Calls;
  } = {},
): Promise<Rooms> {
  const postgres = await startTestPostgres();
  const { config, secrets } = readConfig({
    DATA_DIR: postgres.dataDir,
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    RATE_LIMITS: options.rateLimits ?? 'off',
    ...(options.deployed === true
      ? { PUBLIC_URL: testOrigin, SMS_URL_TEMPLATE: 'https://sms.example/?to={phone}&text={text}' }
      : {}),
  });
  const logger = createLogger(config);
  const outbound = createOutbound(logger);
  const announced: Announcement[] = [];
  const database = await openDatabase({
    url: postgres.url,
    poolSize: config.database.poolSize,
    onCommitted: (announcements) => {
      announced.push(...announcements);
      outbound.publish(announcements);
    },
    onSinkError: (error) => {
      throw error;
    },
  });
  const platform: Platform = {
    config,
    secrets,
    logger,
    database,
    counters: options.counters ?? createMemoryCounters(),
    outbound,
    jobs: createJobs({ url: postgres.url, outbound, logger }),
  };
  const texts: { phone: string; text: string }[] = [];
  const accounts = createAccounts(platform, {
    membershipsOf: (accountId) => school.membershipsOf(accountId),
    inviteIsOpen: (token) => school.inviteIsOpen(token),
    schoolByJoinCode: (code) => school.schoolByJoinCode(code),
    isExpected: (phone) => school.rosterClaims.isExpected(phone),
    claimRoster: (...claim) => school.rosterClaims.claimByPhone(...claim),
    isOperator: (caller) => desk.isOperator(caller),
    origin: () => testOrigin,
    strangeSignInReported: (tx, report) => school.strangeSignInReported(tx, report),
    cardLocked: (tx, accountId) => school.cardLocked(tx, accountId),
    sms: options.sms ?? {
      async send(phone, text) {
        texts.push({ phone, text });
      },
    },
  });
  const school = createSchool(platform, {
    accounts,
    peopleChanged: (tx, change) => chat.followPeople(tx, change),
    postToChannel: (...post) => chat.postToChannel(...post),
    handPicked: {
      list: (...asked) => chat.handPicked.list(...asked),
      handOver: (...asked) => chat.handPicked.handOver(...asked),
    },
  });
  const chat = createChat(platform, {
    school,
    mayStartCall: async (actor, facts) => (await calls?.mayStartCall(actor, facts)) ?? false,
    isOnline: () => false,
  });
  const calls = options.calls?.(platform, { school, chat });
  const desk = createDesk(platform, { accounts, school, chat });
  await platform.jobs.start();
  const dispatcher = createDispatcher({
    mounted: [
      ...accounts.procedures,
      ...school.procedures,
      ...chat.procedures,
      ...(calls?.procedures ?? []),
      ...desk.procedures,
    ],
    requireActor: school.requireActor,
    requireOperator: desk.requireOperator,
    isConfirmed: options.confirmations === 'asked' ? accounts.isConfirmed : async () => true,
    logger,
    limits: options.rateLimits ?? 'off',
    checkOutputs: true,
  });
  return {
    platform,
    accounts,
    school,
    chat,
    desk,
    dispatcher,
    announced,
    texts,
    async call(name, by, input, { carrier, address = '192.0.2.1' } = {}) {
      const person = by !== undefined && 'as' in by ? by : undefined;
      const reply = await dispatcher.call(name, person === undefined ? input : { as: person.as, ...input }, {
        caller: person?.caller ?? (by as Caller | undefined),
        address,
        userAgent: 'Mozilla/5.0 (Linux; Android 15) Chrome/140.0',
        // A stranger comes over HTTP, as the gateway demands; whoever is signed in over a socket, unless told otherwise.
        carrier: carrier ?? (by === undefined ? nowhere : undefined),
      });
      return reply as Answer<Contract[typeof name]>;
    },
    async close() {
      await platform.jobs.close();
      calls?.close();
      await chat.close();
      school.close();
      accounts.close();
      await database.close();
      await postgres.stop();
    },
  };
}

/** The result, or an error that says which refusal came instead. */
export function unwrap<T>(
  answer: { readonly ok: true; readonly result: T } | { readonly ok: false; readonly error: ErrorBody },
): T {
  if (answer.ok) return answer.result;
  throw new Error(`refused with ${answer.error.code}: ${answer.error.message}`);
}

/** The membership that an invite made at once. */
export function joined(answer: Answer<Contract['school.redeemInvite']>): MyMembership {
  const { membership } = unwrap(answer);
  if (membership === null) throw new Error('asked to join instead');
  return membership;
}

/** `ok` or the code of the refusal. */
export function outcomeOf(
  answer: { readonly ok: true } | { readonly ok: false; readonly error: ErrorBody },
): string {
  return answer.ok ? 'ok' : answer.error.code;
}

/** A caller of an account that never signed in: the dispatcher takes the gateway's word for it. */
export function callerOf(accountId: AccountId): Caller {
  return { accountId, sessionId: crypto.randomUUID() as SessionId };
}
