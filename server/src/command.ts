import { CodedError } from '@zvonok/shared';
import { type Accounts, createAccounts } from './accounts/index.ts';
import { createChat } from './chat/index.ts';
import { createDesk, type Desk } from './desk/index.ts';
import { ConfigError, readConfig } from './platform/config.ts';
import { createMemoryCounters } from './platform/counters.ts';
import { type Database, openDatabase, UnfitDatabaseError } from './platform/database.ts';
import { EmbeddedPostgresError, startEmbeddedPostgres } from './platform/embedded-postgres.ts';
import { refuseDemoDataOutsideDemo } from './platform/facts.store.ts';
import { createJobs } from './platform/jobs.ts';
import { createLogger } from './platform/logger.ts';
import { createOutbound } from './platform/outbound.ts';
import type { Platform } from './platform/platform.ts';
import { createSchool, type School } from './school/index.ts';

/** What is wrong with how a command was called: shown without a stack. */
export class UsageError extends Error {}

export interface CommandRooms {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly school: School;
  readonly desk: Desk;
}

/**
 * Runs one of the operator's commands on the rooms of the server, on the server's own database: beside a running server or
 * without one. What went wrong is written to standard error, and the process ends with 1.
 */
export function runCommand(work: (args: readonly string[]) => (rooms: CommandRooms) => Promise<void>): void {
  main(work).catch((error: unknown) => {
    const explained = [UsageError, CodedError, ConfigError, UnfitDatabaseError, EmbeddedPostgresError];
    const known = error instanceof Error && explained.some((kind) => error instanceof kind);
    process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  });
}

/** `work` reads the arguments first: a wrong word starts no database. */
async function main(work: Parameters<typeof runCommand>[0]): Promise<void> {
  const act = work(process.argv.slice(2));
  const { config, secrets } = readConfig(process.env);
  const logger = createLogger({ logLevel: 'warn' });
  const postgres = config.database.embedded
    ? await startEmbeddedPostgres({ dataDir: config.dataDir, logger, join: true })
    : undefined;
  try {
    // Nobody is connected to this process: what it announces has no listener, and clients find it in the database.
    const outbound = createOutbound(logger);
    const url = postgres?.url ?? secrets.databaseUrl ?? '';
    const database = await openDatabase({
      url,
      poolSize: 2,
      onCommitted: outbound.publish,
      applicationName: 'zvonok command',
    });
    try {
      await refuseDemoDataOutsideDemo(database, config);
      const counters = createMemoryCounters();
      // Never started: a command leaves no work behind.
      const jobs = createJobs({ url, outbound, logger });
      const platform: Platform = { config, secrets, logger, database, counters, outbound, jobs };
      const accounts = createAccounts(platform, {
        membershipsOf: (accountId) => school.membershipsOf(accountId),
        inviteIsOpen: (token) => school.inviteIsOpen(token),
        schoolByJoinCode: (code) => school.schoolByJoinCode(code),
        isExpected: (phone) => school.rosterClaims.isExpected(phone),
        claimRoster: (...claim) => school.rosterClaims.claimByPhone(...claim),
        isOperator: (caller) => desk.isOperator(caller),
        origin: () => config.http.publicUrl ?? 'http://localhost',
        strangeSignInReported: (tx, report) => school.strangeSignInReported(tx, report),
        cardLocked: (tx, accountId) => school.cardLocked(tx, accountId),
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
        mayStartCall: () => Promise.resolve(false),
        isOnline: () => false,
      });
      const desk = createDesk(platform, { accounts, school, chat });
      await act({ database, accounts, school, desk });
      await chat.close();
      school.close();
      accounts.close();
    } finally {
      await database.close();
    }
  } finally {
    // Does nothing to a cluster that a running server owns.
    await postgres?.stop();
  }
}
