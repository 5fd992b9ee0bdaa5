/**
 * `npm run school -- create 'Школа №29' +79123456789 'Петрова Анна Ивановна'`: makes a school with its staff room, its
 * channels and its first administrator, who then signs in with that phone. Works beside a running server.
 */
import { CodedError, FullName, schoolLimits } from '@zvonok/shared';
import { Check } from 'typebox/value';
import { createAccounts, normalisePhone } from './accounts/index.ts';
import { createChat } from './chat/index.ts';
import { ConfigError, readConfig } from './platform/config.ts';
import { openDatabase, UnfitDatabaseError } from './platform/database.ts';
import { EmbeddedPostgresError, startEmbeddedPostgres } from './platform/embedded-postgres.ts';
import { refuseDemoDataOutsideDemo } from './platform/facts.store.ts';
import { createLogger } from './platform/logger.ts';
import { createOutbound } from './platform/outbound.ts';
import type { Platform } from './platform/platform.ts';
import { createMemoryCounters } from './platform/redis.ts';
import { createSchool } from './school/index.ts';

const usage = `Usage: npm run school -- create <school name> <administrator's mobile phone> <administrator's full name>
Example: npm run school -- create 'Школа №29' +79123456789 'Петрова Анна Ивановна'`;

/** What is wrong with how it was called: shown without a stack. */
class UsageError extends Error {}

async function main(args: readonly string[]): Promise<void> {
  const [command, name = '', phone = '', fullName = '', ...rest] = args;
  if (command !== 'create' || fullName === '' || rest.length > 0) throw new UsageError(usage);
  const schoolName = name.normalize('NFC').replaceAll(/\s+/gu, ' ').trim();
  if (schoolName === '' || schoolName.length > schoolLimits.nameLength) {
    throw new UsageError(`The school's name must have 1 to ${schoolLimits.nameLength} characters.`);
  }
  if (!Check(FullName, fullName)) throw new UsageError('This is not a name that a person can have here.');
  const e164 = normalisePhone(phone);
  const { config, secrets } = readConfig(process.env);
  const logger = createLogger({ logLevel: 'warn' });
  const postgres = config.database.embedded
    ? await startEmbeddedPostgres({ dataDir: config.dataDir, logger, join: true })
    : undefined;
  try {
    // Nobody is connected to this process: what it announces has no listener, and clients find it in the database.
    const outbound = createOutbound(logger);
    const database = await openDatabase({
      url: postgres?.url ?? secrets.databaseUrl ?? '',
      poolSize: 2,
      onCommitted: outbound.publish,
      applicationName: 'zvonok school command',
    });
    try {
      await refuseDemoDataOutsideDemo(database, config);
      const platform: Platform = {
        config,
        secrets,
        logger,
        database,
        counters: createMemoryCounters(),
        outbound,
      };
      const accounts = createAccounts(platform, {
        membershipsOf: (accountId) => school.membershipsOf(accountId),
        inviteIsOpen: (token) => school.inviteIsOpen(token),
      });
      const school = createSchool(platform, {
        accounts,
        peopleChanged: (tx, change) => chat.followPeople(tx, change),
      });
      const chat = createChat(platform, {
        school,
        mayStartCall: () => Promise.resolve(false),
        isOnline: () => false,
      });
      const { schoolId } = await database.inTransaction(async (tx) =>
        school.operator.createSchool(tx, {
          name: schoolName,
          admin: { accountId: await accounts.ensureAccount(tx, e164), fullName },
          basis: 'named by the operator when the school was made',
        }),
      );
      process.stdout.write(
        `Made «${schoolName}» (${schoolId}).\n${fullName} signs in with the phone ${e164} and is its administrator.\n`,
      );
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

main(process.argv.slice(2)).catch((error: unknown) => {
  const explained = [UsageError, CodedError, ConfigError, UnfitDatabaseError, EmbeddedPostgresError];
  const known = error instanceof Error && explained.some((kind) => error instanceof kind);
  process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
