import { CodedError, deskLimits, type HostedSchool, type SchoolId } from '@zvonok/shared';
import type { Platform } from '../platform/platform.ts';
import type { School } from '../school/index.ts';

/** The schools of this server, as an operator sees them: their names and how many people, nobody's name and no content. */
export function createSchoolDesk({ database, logger }: Platform, { operator }: Pick<School, 'operator'>) {
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

    suspendSchool: (schoolId: SchoolId, reason: string): Promise<HostedSchool> =>
      database.inTransaction(async (tx) => {
        const school = await operator.suspend(tx, schoolId, reason);
        if (school === undefined) throw new CodedError('NOT_FOUND');
        logger.info({ schoolId }, 'a school was suspended');
        return school;
      }),

    resumeSchool: (schoolId: SchoolId): Promise<HostedSchool> =>
      database.inTransaction(async (tx) => {
        const school = await operator.resume(tx, schoolId);
        if (school === undefined) throw new CodedError('NOT_FOUND');
        logger.info({ schoolId }, 'a school was opened again');
        return school;
      }),
  };
}

export type SchoolDesk = ReturnType<typeof createSchoolDesk>;
