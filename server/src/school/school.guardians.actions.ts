import {
  type Card,
  CodedError,
  type GroupId,
  type GuardianOfPupil,
  type guardianProcedures,
  type InputOf,
  mayInGroup,
  type OutputOf,
  type SchoolId,
} from '@zvonok/shared';
import type { Accounts, CardState } from '../accounts/index.ts';
import { queryOf, type Transaction } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { record } from './school.audit.store.ts';
import type { SchoolChanges } from './school.changes.ts';
import {
  describeGuardian,
  guardiansByChild,
  listPhonelessPupils,
  listPupils,
  lockGuardianLink,
  teachersOf,
  teachersOfPupil,
  writeLimits,
} from './school.guardians.store.ts';
import { requireEverywhere, requireRight } from './school.policy.ts';
import type { PeopleChanged } from './school.ports.ts';
import { requireMember, requireSelf } from './school.require.ts';
import { findGroup, listByRole } from './school.store.ts';

const describeCard = (card: CardState | undefined): Card | null =>
  card === undefined
    ? null
    : {
        issuedAt: card.issuedAt.toISOString(),
        lastUsedAt: card.lastUsedAt?.toISOString() ?? null,
        state: card.state,
      };

type Contract = typeof guardianProcedures;

/** Tells whoever answers for the class that its register reads differently. */
export async function announceRegister(tx: Transaction, schoolId: SchoolId, groupId: GroupId): Promise<void> {
  const readers = [
    ...(await listByRole(tx, schoolId, ['admin', 'head'])),
    ...(await teachersOf(tx, schoolId, [groupId], 'class')),
  ];
  for (const membershipId of readers) {
    tx.announce(
      eventFor('school.classRegisterChanged', { membership: membershipId }, { membershipId, groupId }),
    );
  }
}

/** Whose guardians there are, and how far each may be told of a child and spoken with about it. */
export function createGuardianActions(
  { database }: Pick<Platform, 'database'>,
  accounts: Pick<Accounts, 'cards' | 'phonesOf'>,
  changes: Pick<SchoolChanges, 'announceChanged' | 'closeOtherWays'>,
  peopleChanged: PeopleChanged,
) {
  return {
    async getClassRegister(
      actor: Actor,
      groupId: GroupId,
    ): Promise<OutputOf<Contract['school.getClassRegister']>> {
      const facts = await requireSelf(database, actor);
      requireRight('seeClassRegister', facts);
      const { schoolId } = actor;
      const group = await findGroup(database, schoolId, groupId);
      if (group?.kind !== 'class' || !mayInGroup('seeClassRegister', facts, groupId)) {
        throw new CodedError('NOT_FOUND');
      }
      const pupils = await listPupils(database, schoolId, groupId);
      const guardians = await guardiansByChild(
        database,
        schoolId,
        pupils.map((pupil) => pupil.membershipId),
      );
      const accountIds = pupils.map((pupil) => pupil.accountId);
      const query = queryOf(database);
      const phones = await accounts.phonesOf(query, accountIds);
      const cards = await accounts.cards.of(query, accountIds);
      const withReason = facts.standings.includes('SA');
      return {
        pupils: pupils.map(({ accountId, ...pupil }) => ({
          ...pupil,
          hasPhone: phones.has(accountId),
          card: describeCard(cards.get(accountId)),
          guardians: (guardians.get(pupil.membershipId) ?? []).map((each) =>
            describeGuardian(each, { withReason }),
          ),
        })),
        expected: await listPhonelessPupils(database, schoolId, groupId),
      };
    },

    limitGuardian: (
      actor: Actor,
      input: Omit<InputOf<Contract['school.limitGuardian']>, 'as'>,
    ): Promise<GuardianOfPupil> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('linkGuardian', await requireSelf(tx, actor));
        const { schoolId, membershipId } = actor;
        const { guardianId, childId, mayBeInformed } = input;
        const mayBeContacted = mayBeInformed && input.mayBeContacted;
        const guardian = await requireMember(tx, actor, guardianId);
        const child = await requireMember(tx, actor, childId);
        const key = { schoolId, guardianId, childId };
        const link = await lockGuardianLink(tx, key);
        if (link === undefined) throw new CodedError('NOT_FOUND');
        const limited = !mayBeContacted;
        const limitReason = limited ? (input.reason?.trim() ?? '') : null;
        if (limitReason === '') {
          throw new CodedError('VALIDATION', { message: '/reason: a limit needs its reason' });
        }
        const { fullName } = guardian;
        const same = link.mayBeInformed === mayBeInformed && link.mayBeContacted === mayBeContacted;
        if (same && link.limitReason === limitReason) {
          return describeGuardian({ ...link, fullName }, { withReason: true });
        }
        const limits = {
          mayBeInformed,
          mayBeContacted,
          limitReason,
          limitedAt: limited ? (same ? link.limitedAt : new Date()) : null,
          limitedBy: limited ? membershipId : null,
        };
        await writeLimits(tx, key, limits);
        if (limited) await changes.closeOtherWays(tx, key, actor);
        await record(tx, schoolId, actor, {
          action: 'guardianLimited',
          membershipId: guardianId,
          groupId: child.groupId,
          before: { childId, mayBeInformed: link.mayBeInformed, mayBeContacted: link.mayBeContacted },
          // Without the reason: heads read the log too.
          after: { childId, mayBeInformed, mayBeContacted },
        });
        await peopleChanged(tx, { schoolId, membershipIds: [guardianId] });
        await changes.announceChanged(tx, schoolId, [
          guardianId,
          ...(await teachersOfPupil(tx, schoolId, childId)),
        ]);
        if (child.groupId !== null) await announceRegister(tx, schoolId, child.groupId);
        return describeGuardian({ ...link, ...limits, fullName }, { withReason: true });
      }),
  };
}

export type GuardianActions = ReturnType<typeof createGuardianActions>;
