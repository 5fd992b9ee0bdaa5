import {
  type AuditFilter,
  type AuditRecordId,
  CodedError,
  type InputOf,
  type MembershipId,
  type OutputOf,
  schoolLimits,
  type schoolProcedures,
} from '@zvonok/shared';
import type { Reader } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { auditHeader, auditRow, clockOf } from './school.audit.sheet.ts';
import { isAuditRecordSeen, listAudit, record, withNames } from './school.audit.store.ts';
import { auditScopeOf } from './school.policy.ts';
import { requireSelf } from './school.require.ts';
import { describeMembers, getSchools } from './school.store.ts';

type Contract = typeof schoolProcedures;

/** A moment that the database can hold too. @throws CodedError VALIDATION */
function momentOf(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const moment = new Date(text);
  if (!(moment.getTime() >= 0))
    throw new CodedError('VALIDATION', { message: `/${field}: is no moment of ours` });
  return moment;
}

export function createAuditActions({
  config,
  database,
  counters,
}: Pick<Platform, 'config' | 'database' | 'counters'>) {
  /** @throws CodedError NOT_FOUND where the filter names somebody whom the school never had */
  async function requireKnown(reader: Reader, actor: Actor, ...named: (MembershipId | undefined)[]) {
    const ids = named.filter((id) => id !== undefined);
    if (ids.length === 0) return;
    const known = await describeMembers(reader, actor.schoolId, ids);
    if (ids.some((id) => !known.has(id))) throw new CodedError('NOT_FOUND');
  }

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
      if (scope === 'school') await requireKnown(database, actor, by, member);
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
      return { records: await withNames(database, schoolId, shown), hasMore: records.length > limit };
    },

    /**
     * The records as the rows of a table, the newest first, read while they are sent. For those who answer for the school;
     * that they took it is on record before its first line leaves.
     */
    async exportAudit(
      actor: Actor,
      filter: AuditFilter,
      timeZone: string,
    ): Promise<AsyncIterable<readonly string[]>> {
      const { schoolId } = actor;
      const from = momentOf('from', filter.from);
      const until = momentOf('until', filter.until);
      const scope = auditScopeOf(await requireSelf(database, actor));
      if (scope !== 'school') throw new CodedError('FORBIDDEN');
      await requireKnown(database, actor, filter.by, filter.member);
      if (config.rateLimits) {
        const retryAfterMs = await counters.hit(`auditExports:school:${schoolId}`, schoolLimits.auditExports);
        if (retryAfterMs > 0) throw new CodedError('RATE_LIMITED', { retryAfterMs });
      }
      const { by: byId, member: memberId, ...others } = filter;
      const after = {
        ...others,
        ...(byId !== undefined && { byId }),
        ...(memberId !== undefined && { memberId }),
      };
      await database.inTransaction((tx) => record(tx, schoolId, actor, { action: 'auditExported', after }));
      const vocabulary = (await getSchools(database, [schoolId])).get(schoolId)?.vocabulary ?? 'school';
      const clock = clockOf(timeZone);
      async function* rows() {
        yield auditHeader(vocabulary, timeZone);
        let last: AuditRecordId | undefined;
        for (;;) {
          const batch = await listAudit(database, schoolId, 'school', {
            ...{ action: filter.action, by: filter.by, member: filter.member },
            ...{ from, until, after: last, limit: schoolLimits.auditExportBatch },
          });
          for (const each of await withNames(database, schoolId, batch)) yield auditRow(each, clock);
          last = batch.at(-1)?.id;
          if (batch.length < schoolLimits.auditExportBatch) return;
        }
      }
      return rows();
    },
  };
}

export type AuditActions = ReturnType<typeof createAuditActions>;
