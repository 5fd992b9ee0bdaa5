import type {
  AccountId,
  ApplicationId,
  OperatorAction,
  OperatorRecord,
  OperatorRecordId,
  SchoolId,
} from '@zvonok/shared';
import { desc, eq, lt } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { v7 as uuid } from 'uuid';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { applications, operatorRecords, operators } from './desk.tables.ts';

/** Which operator, and from where; null: a command on the server itself. */
export type ByOperator = { readonly accountId: AccountId; readonly address: string } | null;

export interface OperatorEntry {
  readonly action: OperatorAction;
  readonly operatorId?: AccountId;
  readonly applicationId?: ApplicationId;
  readonly schoolId?: SchoolId;
  readonly note?: string;
}

/** Leaves a record in the transaction of what was done: there is no deed without its record. */
export async function recordOperator(tx: Transaction, by: ByOperator, entry: OperatorEntry): Promise<void> {
  await tx.insert(operatorRecords).values({
    ...entry,
    id: uuid() as OperatorRecordId,
    byId: by?.accountId ?? null,
    address: by?.address ?? null,
  });
}

/** A record as it is stored: the school by its id alone. */
export interface StoredRecord extends Omit<OperatorRecord, 'school'> {
  readonly schoolId: SchoolId | null;
}

/** Newest first: ids are made in the order of time. */
export async function listRecords(
  reader: Reader,
  { after, limit }: { readonly after: OperatorRecordId | undefined; readonly limit: number },
): Promise<StoredRecord[]> {
  const by = alias(operators, 'by');
  const rows = await queryOf(reader)
    .select({
      record: operatorRecords,
      by: by.fullName,
      operator: operators.fullName,
      schoolName: applications.schoolName,
    })
    .from(operatorRecords)
    .leftJoin(by, eq(by.accountId, operatorRecords.byId))
    .leftJoin(operators, eq(operators.accountId, operatorRecords.operatorId))
    .leftJoin(applications, eq(applications.id, operatorRecords.applicationId))
    .where(after === undefined ? undefined : lt(operatorRecords.id, after))
    .orderBy(desc(operatorRecords.id))
    .limit(limit);
  return rows.map(({ record: { id, at, action, applicationId, schoolId, note, address }, ...names }) => ({
    id,
    at: at.toISOString(),
    action,
    by: names.by,
    operator: names.operator,
    application:
      applicationId === null || names.schoolName === null
        ? null
        : { id: applicationId, schoolName: names.schoolName },
    schoolId,
    note,
    address,
  }));
}

export async function isRecord(reader: Reader, id: OperatorRecordId): Promise<boolean> {
  const rows = await queryOf(reader)
    .select({ id: operatorRecords.id })
    .from(operatorRecords)
    .where(eq(operatorRecords.id, id));
  return rows.length > 0;
}
