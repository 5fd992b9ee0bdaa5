/**
 * `npm run operator -- create +79123456789 'Иванов Пётр Сергеевич'`: lets this phone into the operator's console, where
 * schools are approved and suspended. An operator reads no content. `reset-passkeys +7…` is for one whose passkeys are
 * lost. Works beside a running server.
 */
import { FullName } from '@zvonok/shared';
import { Check } from 'typebox/value';
import { normalisePhone } from './accounts/index.ts';
import { runCommand, UsageError } from './command.ts';

const usage = `Usage: npm run operator -- create <mobile phone> <full name>
       npm run operator -- remove <mobile phone>
       npm run operator -- reset-passkeys <mobile phone>
Example: npm run operator -- create +79123456789 'Иванов Пётр Сергеевич'`;

runCommand((args) => {
  const [command, phone = '', fullName = '', ...rest] = args;
  if (!['create', 'remove', 'reset-passkeys'].includes(command ?? '') || phone === '' || rest.length > 0) {
    throw new UsageError(usage);
  }
  const e164 = normalisePhone(phone);
  if (command === 'reset-passkeys') {
    if (fullName !== '') throw new UsageError(usage);
    return async ({ database, accounts }) => {
      const removed = await database.inTransaction(async (tx) =>
        accounts.resetPasskeys(tx, await accounts.ensureAccount(tx, e164)),
      );
      process.stdout.write(
        `Passkeys of ${e164} removed: ${removed}. All their devices are signed out; after the next sign-in by code a new passkey is made.\n`,
      );
    };
  }
  if (command === 'remove') {
    if (fullName !== '') throw new UsageError(usage);
    return async ({ database, accounts, desk }) => {
      const removed = await database.inTransaction(async (tx) =>
        desk.removeOperator(tx, await accounts.ensureAccount(tx, e164)),
      );
      process.stdout.write(removed ? `${e164} is no operator any more.\n` : `${e164} was no operator.\n`);
    };
  }
  if (!Check(FullName, fullName)) throw new UsageError(usage);
  return async ({ database, accounts, desk }) => {
    await database.inTransaction(async (tx) =>
      desk.addOperator(tx, await accounts.ensureAccount(tx, e164), fullName),
    );
    process.stdout.write(`${fullName} signs in with the phone ${e164} and is an operator of this server.\n`);
  };
});
