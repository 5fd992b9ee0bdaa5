import {
  CodedError,
  deskLimits,
  type deskProcedures,
  type HostedSchool,
  type InputOf,
  type OutputOf,
  type SchoolId,
} from '@zvonok/shared';
import type { Accounts } from '../accounts/index.ts';
import type { Chat } from '../chat/index.ts';
import type { Platform } from '../platform/platform.ts';
import { normaliseLabel, type School } from '../school/index.ts';
import { type ByOperator, isRecord, listRecords, recordOperator } from './desk.records.store.ts';

type Contract = typeof deskProcedures;

export interface SchoolDeskNeighbours {
  readonly accounts: Pick<Accounts, 'ensureAccount' | 'lastSeenAt'>;
  readonly school: Pick<School, 'operator'>;
  readonly chat: Pick<Chat, 'postStaffNotice'>;
}

/** The schools of this server, as an operator sees them: their names and how many people, nobody's name and no content. */
export function createSchoolDesk(
  { database, logger }: Platform,
  { accounts, school: { operator }, chat }: SchoolDeskNeighbours,
) {
  return {
    async listSchools(input: {
      search?: string | undefined;
      after?: SchoolId | undefined;
      limit?: number | undefined;
    }): Promise<{ schools: HostedSchool[]; hasMore: boolean }> {
      const { search, after, limit = deskLimits.pageSize } = input;
      const found = await operator.listHosted(database, { search: search?.trim(), after, limit: limit + 1 });
      if (found === undefined) throw new CodedError('NOT_FOUND');
      return { schools: found.slice(0, limit), hasMore: found.length > limit };
    },

    suspendSchool: (by: ByOperator, schoolId: SchoolId, reason: string): Promise<HostedSchool> =>
      database.inTransaction(async (tx) => {
        const school = await operator.suspend(tx, schoolId, reason);
        if (school === undefined) throw new CodedError('NOT_FOUND');
        await recordOperator(tx, by, { action: 'schoolSuspended', schoolId, note: reason });
        logger.info({ schoolId }, 'a school was suspended');
        return school;
      }),

    resumeSchool: (by: ByOperator, schoolId: SchoolId): Promise<HostedSchool> =>
      database.inTransaction(async (tx) => {
        const before = await operator.findHosted(tx, schoolId);
        const school = await operator.resume(tx, schoolId);
        if (school === undefined) throw new CodedError('NOT_FOUND');
        if (before?.suspendedAt === null) return school;
        await recordOperator(tx, by, { action: 'schoolResumed', schoolId });
        logger.info({ schoolId }, 'a school was opened again');
        return school;
      }),

    /** The one case in which an operator makes a member. It shows in three places, two of them the school's own. */
    appointAdministrator: (
      by: ByOperator,
      { schoolId, fullName, phone, basis }: InputOf<Contract['desk.appointAdministrator']>,
    ): Promise<HostedSchool> =>
      database.inTransaction(async (tx) => {
        const admins = await operator.lockAdmins(tx, schoolId);
        if (admins === undefined) throw new CodedError('NOT_FOUND');
        const seenAt = await accounts.lastSeenAt(tx, admins);
        if (seenAt !== undefined && Date.now() - seenAt.getTime() < deskLimits.adminAbsentMs) {
          throw new CodedError('ADMIN_PRESENT');
        }
        const ground = normaliseLabel(basis);
        const admin = await operator.enrol(tx, {
          schoolId,
          accountId: await accounts.ensureAccount(tx, phone),
          fullName,
          role: 'admin',
          groupId: null,
          verified: { by: null, basis: ground },
          by: null,
        });
        if (admin === undefined) throw new CodedError('ALREADY_MEMBER');
        await chat.postStaffNotice(tx, {
          schoolId,
          senderId: admin.id,
          notice: 'administratorAppointed',
          basis: ground,
        });
        await recordOperator(tx, by, { action: 'administratorAppointed', schoolId, note: ground });
        logger.info({ schoolId }, 'an operator appointed an administrator');
        const school = await operator.findHosted(tx, schoolId);
        if (school === undefined) throw new Error('a locked school vanished');
        return school;
      }),

    async listRecords({
      after,
      limit = deskLimits.pageSize,
    }: InputOf<Contract['desk.listRecords']>): Promise<OutputOf<Contract['desk.listRecords']>> {
      if (after !== undefined && !(await isRecord(database, after))) throw new CodedError('NOT_FOUND');
      const found = await listRecords(database, { after, limit: limit + 1 });
      const page = found.slice(0, limit);
      const names = await operator.namesOf(
        database,
        page.flatMap(({ schoolId }) => schoolId ?? []),
      );
      const records = page.map(({ schoolId, ...record }) => ({
        ...record,
        school: schoolId === null ? null : { id: schoolId, name: names.get(schoolId) ?? '' },
      }));
      return { records, hasMore: found.length > limit };
    },
  };
}

export type SchoolDesk = ReturnType<typeof createSchoolDesk>;
