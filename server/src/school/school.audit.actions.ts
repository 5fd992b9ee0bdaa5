import { CodedError, type InputOf, type OutputOf, schoolLimits, type schoolProcedures } from '@zvonok/shared';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { isAuditRecordSeen, listAudit } from './school.audit.store.ts';
import { auditScopeOf } from './school.policy.ts';
import { requireSelf } from './school.require.ts';
import { describeMembers } from './school.store.ts';

type Contract = typeof schoolProcedures;

/** A moment that the database can hold too. @throws CodedError VALIDATION */
function momentOf(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const moment = new Date(text);
  if (!(moment.getTime() >= 0))
    throw new CodedError('VALIDATION', { message: `/${field}: is no moment of ours` });
  return moment;
}

export function createAuditActions({ database }: Pick<Platform, 'database'>) {
  return {
    async listAuditRecords(
      actor: Actor,
      input: Omit<InputOf<Contract['school.listAuditRecords']>, 'as'>,
    ): Promise<OutputOf<Contract['school.listAuditRecords']>> {
      const scope = auditScopeOf(await requireSelf(database, actor));
      const { schoolId } = actor;
      const { action, by, member, from, until, after, limit = schoolLimits.auditPageSize } = input;
      if (after !== undefined && !(await isAuditRecordSeen(database, schoolId, scope, after))) {
        throw new CodedError('NOT_FOUND');
      }
      // Whoever reads a part finds nothing of others, known or not.
      const named = scope === 'school' ? [by, member].filter((id) => id !== undefined) : [];
      if (named.length > 0) {
        const known = await describeMembers(database, schoolId, named);
        if (named.some((id) => !known.has(id))) throw new CodedError('NOT_FOUND');
      }
      const records = await listAudit(database, schoolId, scope, {
        action,
        by,
        member,
        after,
        from: momentOf('from', from),
        until: momentOf('until', until),
        limit: limit + 1,
      });
      // Where others were is for those who answer for the school.
      const shown = records.slice(0, limit).map((each) => ({
        ...each,
        address: scope === 'school' || each.by?.membershipId === actor.membershipId ? each.address : null,
      }));
      return { records: shown, hasMore: records.length > limit };
    },
  };
}
