/**
 * `npm run school -- create 'Школа №29' +79123456789 'Петрова Анна Ивановна'`: makes a school with its staff room, its
 * channels and its first administrator, who then signs in with that phone. Works beside a running server.
 */
import { FullName, schoolLimits } from '@zvonok/shared';
import { Check } from 'typebox/value';
import { normalisePhone } from './accounts/index.ts';
import { runCommand, UsageError } from './command.ts';
import { normaliseLabel } from './school/index.ts';

const usage = `Usage: npm run school -- create <school name> <administrator's mobile phone> <administrator's full name>
Example: npm run school -- create 'Школа №29' +79123456789 'Петрова Анна Ивановна'`;

runCommand((args) => {
  const [command, name = '', phone = '', fullName = '', ...rest] = args;
  if (command !== 'create' || fullName === '' || rest.length > 0) throw new UsageError(usage);
  const schoolName = normaliseLabel(name);
  if (schoolName === '' || schoolName.length > schoolLimits.nameLength) {
    throw new UsageError(`The school's name must have 1 to ${schoolLimits.nameLength} characters.`);
  }
  if (!Check(FullName, fullName)) throw new UsageError('This is not a name that a person can have here.');
  const e164 = normalisePhone(phone);
  return async ({ database, accounts, school }) => {
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
  };
});
