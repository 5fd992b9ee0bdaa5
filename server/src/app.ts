import { type AccountsPorts, createAccounts } from './accounts/index.ts';
import { createCalls } from './calls/index.ts';
import { createChat } from './chat/index.ts';
import { createDesk, type Desk } from './desk/index.ts';
import { createMedia, type Media } from './media/index.ts';
import type { Config, Secrets } from './platform/config.ts';
import { createMemoryCounters } from './platform/counters.ts';
import { openDatabase } from './platform/database.ts';
import { startEmbeddedPostgres } from './platform/embedded-postgres.ts';
import { refuseDemoDataOutsideDemo } from './platform/facts.store.ts';
import { createGateway } from './platform/gateway.ts';
import { createJobs } from './platform/jobs.ts';
import { createLogger, type Logger } from './platform/logger.ts';
import { createOutbound } from './platform/outbound.ts';
import type { Platform } from './platform/platform.ts';
import { createPresence } from './platform/presence.ts';
import { createSchool } from './school/index.ts';

/** What a test or a command may replace; everything else follows from the configuration. */
export interface Overrides {
  readonly sms?: AccountsPorts['sms'];
  readonly logger?: Logger;
  /** Compare every answer with the contract even where limits are lifted. */
  readonly checkOutputs?: boolean;
}

export interface App {
  readonly platform: Platform;
  readonly accounts: ReturnType<typeof createAccounts>;
  readonly school: ReturnType<typeof createSchool>;
  readonly chat: ReturnType<typeof createChat>;
  readonly desk: Desk;
  readonly media: Media;
  /** Opens the doors. Resolves to the address that a browser opens. */
  listen(): Promise<string>;
  /** Lets what is under way finish, then closes in reverse order of building. Idempotent. */
  close(): Promise<void>;
}

/**
 * Builds the whole server from a configuration: the ground floor first, then the rooms from left to right, each plugged
 * into its neighbours. Nothing listens before `listen`. A failure on the way closes what was opened.
 */
export async function createApp(config: Config, secrets: Secrets, overrides: Overrides = {}): Promise<App> {
  const closers: (() => Promise<void> | void)[] = [];
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      for (const closer of closers.reverse()) await closer();
    })();
    return closing;
  };

  try {
    const logger = overrides.logger ?? createLogger(config);
    const postgres = config.database.embedded
      ? await startEmbeddedPostgres({ dataDir: config.dataDir, logger })
      : undefined;
    if (postgres !== undefined) closers.push(() => postgres.stop());
    // Most servers have no Redis: what speaks to one is a quarter of what a start would load.
    const redis =
      secrets.redisUrl === undefined
        ? undefined
        : await (await import('./platform/redis.ts')).openRedis(secrets.redisUrl, logger);
    if (redis !== undefined) closers.push(() => redis.close());
    const outbound = createOutbound(logger);
    const url = postgres?.url ?? secrets.databaseUrl ?? '';
    const database = await openDatabase({
      url,
      poolSize: config.database.poolSize,
      onCommitted: outbound.publish,
      onSinkError: (error) => logger.error({ err: error }, 'announcements failed'),
    });
    closers.push(() => database.close());
    await refuseDemoDataOutsideDemo(database, config);

    const platform: Platform = {
      config,
      secrets,
      logger,
      database,
      counters: redis?.counters ?? createMemoryCounters(),
      outbound,
      jobs: createJobs({ url, outbound, logger }),
    };

    const accounts = createAccounts(platform, {
      membershipsOf: (accountId) => school.membershipsOf(accountId),
      inviteIsOpen: (token) => school.inviteIsOpen(token),
      schoolByJoinCode: (code) => school.schoolByJoinCode(code),
      isExpected: (phone) => school.rosterClaims.isExpected(phone),
      claimRoster: (...claim) => school.rosterClaims.claimByPhone(...claim),
      isOperator: (caller) => desk.isOperator(caller),
      origin: () => gateway.origin(),
      strangeSignInReported: (tx, report) => school.strangeSignInReported(tx, report),
      cardLocked: (tx, accountId) => school.cardLocked(tx, accountId),
      ...(overrides.sms === undefined ? {} : { sms: overrides.sms }),
    });
    closers.push(() => accounts.close());

    const school = createSchool(platform, {
      accounts,
      peopleChanged: (tx, change) => chat.followPeople(tx, change),
      postToChannel: (...post) => chat.postToChannel(...post),
      handPicked: {
        list: (...asked) => chat.handPicked.list(...asked),
        handOver: (...asked) => chat.handPicked.handOver(...asked),
      },
    });
    closers.push(() => school.close());

    const presence = createPresence((person, online) => chat.announcePresence(person, online), logger);
    const chat = createChat(platform, {
      school,
      mayStartCall: (actor, facts) => calls.mayStartCall(actor, facts),
      isOnline: presence.isOnline,
    });
    closers.push(() => chat.close());

    const media = createMedia({ config, logger });
    closers.push(() => media.close());
    const calls = createCalls(platform, { school, chat, media });
    closers.push(() => calls.close());

    const desk = createDesk(platform, { accounts, school, chat });

    closers.push(() => platform.jobs.close());
    const gateway = await createGateway({
      config,
      secrets,
      logger,
      outbound,
      mounted: [
        ...accounts.procedures,
        ...school.procedures,
        ...chat.procedures,
        ...calls.procedures,
        ...desk.procedures,
      ],
      adapter: redis?.adapter,
      findSession: accounts.findSession,
      requireActor: school.requireActor,
      requireOperator: desk.requireOperator,
      isConfirmed: accounts.isConfirmed,
      async audienceOf(caller) {
        const memberships = await school.listAudience(caller.accountId);
        const conversations = await chat.conversationIdsOf(memberships);
        return memberships.map((membership) => ({
          ...membership,
          conversationIds: conversations.get(membership.membershipId) ?? [],
        }));
      },
      presenceChanged: presence.changed,
      calls: () => media.status().state,
      // A breach of the contract is found by whoever develops; measurements and users don't pay for the search.
      checkOutputs: overrides.checkOutputs ?? (!config.production && config.rateLimits),
    });
    closers.push(() => gateway.close());
    closers.push(() => presence.close());
    await platform.jobs.start();
    await calls.mountSignalling(gateway.http, gateway.isAllowedOrigin);
    accounts.mountHttp(gateway);
    await school.mountHttp(gateway);
    await desk.mountHttp(gateway);

    return { platform, accounts, school, chat, desk, media, listen: gateway.listen, close };
  } catch (error) {
    await close();
    throw error;
  }
}
