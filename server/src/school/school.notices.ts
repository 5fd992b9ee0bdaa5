import {
  CodedError,
  type InputOf,
  type NoticeId,
  type noticeProcedures,
  type OutputOf,
  type SchoolId,
  type SchoolNotice,
  schoolLimits,
} from '@zvonok/shared';
import type { Reader, Transaction } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { record } from './school.audit.store.ts';
import {
  addNotice,
  countOpenNotices,
  findNotice,
  listNotices,
  type NewNotice,
  settleNotice,
} from './school.notices.store.ts';
import { auditScopeOf } from './school.policy.ts';
import { requireSelf } from './school.require.ts';
import { listByRole } from './school.store.ts';

type ListNotices = (typeof noticeProcedures)['school.listNotices'];

/**
 * Tells a school's administrators and heads, in the transaction of what they are told of. While the same notice is open
 * it is not raised again.
 */
export async function raiseNotice(tx: Transaction, schoolId: SchoolId, notice: NewNotice): Promise<void> {
  const raised = await addNotice(tx, schoolId, notice);
  if (raised !== undefined) await announce(tx, schoolId, 'school.noticeRaised', raised);
}

async function announce(
  tx: Transaction,
  schoolId: SchoolId,
  name: 'school.noticeRaised' | 'school.noticeSettled',
  notice: SchoolNotice,
) {
  for (const membershipId of await listByRole(tx, schoolId, ['admin', 'head'])) {
    tx.announce(eventFor(name, { membership: membershipId }, { membershipId, notice }));
  }
}

/** Notices are for whoever answers for the school: those who read all of its audit log. */
async function requireAnswerable(reader: Reader, actor: Actor): Promise<void> {
  if (auditScopeOf(await requireSelf(reader, actor)) !== 'school') throw new CodedError('FORBIDDEN');
}

export function createNoticeActions({ database }: Pick<Platform, 'database'>) {
  return {
    async listNotices(actor: Actor, input: Omit<InputOf<ListNotices>, 'as'>): Promise<OutputOf<ListNotices>> {
      await requireAnswerable(database, actor);
      const { schoolId } = actor;
      const { state, after, limit = schoolLimits.noticesPageSize } = input;
      if (after !== undefined && (await findNotice(database, schoolId, after)) === undefined) {
        throw new CodedError('NOT_FOUND');
      }
      const [notices, openCount] = await Promise.all([
        listNotices(database, schoolId, { state, after, limit: limit + 1 }),
        countOpenNotices(database, schoolId),
      ]);
      return { notices: notices.slice(0, limit), hasMore: notices.length > limit, openCount };
    },

    settleNotice: (actor: Actor, id: NoticeId): Promise<SchoolNotice> =>
      database.inTransaction(async (tx) => {
        await requireAnswerable(tx, actor);
        const { schoolId, membershipId } = actor;
        const settled = await settleNotice(tx, schoolId, id, membershipId);
        const notice = await findNotice(tx, schoolId, id);
        if (notice === undefined) throw new CodedError('NOT_FOUND');
        if (!settled) return notice;
        await record(tx, schoolId, actor, {
          action: 'noticeSettled',
          ...(notice.member === null ? {} : { membershipId: notice.member.membershipId }),
          ...(notice.invite === null ? {} : { inviteId: notice.invite.inviteId }),
          before: { kind: notice.kind },
        });
        await announce(tx, schoolId, 'school.noticeSettled', notice);
        return notice;
      }),
  };
}

export type NoticeActions = ReturnType<typeof createNoticeActions>;
