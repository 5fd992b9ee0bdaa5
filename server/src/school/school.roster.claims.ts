import type { AccountId, MembershipId, MyMembership, RosterEntryId, SchoolId } from '@zvonok/shared';
import type { Database, Transaction } from '../platform/database.ts';
import type { By } from './school.audit.store.ts';
import { describeOwn, type SchoolChanges } from './school.changes.ts';
import { loadFacts } from './school.facts.store.ts';
import { withoutParted } from './school.guardians.store.ts';
import {
  claimEntry,
  listClaimable,
  listWantedAttachments,
  lockRosterFamily,
  membersOfEntries,
} from './school.roster.store.ts';
import { findActiveMembership, findOpenClass, wasSentAwaySince } from './school.store.ts';

/** Who claims what, and from where. */
export interface Claim {
  readonly schoolId: SchoolId;
  readonly entryId: RosterEntryId;
  readonly accountId: AccountId;
  readonly address: string;
  /** Who lets them in, where it is not they themselves. */
  readonly by?: NonNullable<By>;
}

export type RosterClaims = ReturnType<typeof createRosterClaims>;

/** How an expected person becomes a member: by the phone of their entry, or by an invite that names it. */
export function createRosterClaims(
  database: Database,
  changes: Pick<SchoolChanges, 'enrol' | 'attach' | 'link'>,
) {
  async function describe(tx: Transaction, schoolId: SchoolId, id: MembershipId) {
    const [membership] = await describeOwn(tx, [...(await loadFacts(tx, schoolId, [id])).values()]);
    return membership;
  }

  /**
   * Makes the account the person of this entry: a member with its name, role and group, attached and linked as the roster
   * says wherever the other side is there. Staff are not verified by it. Whoever has the role already keeps their
   * membership. Claimed again by the same account it answers the same.
   *
   * Undefined where the entry is absent, ended, somebody else's, of an archived class, or the account is a pupil of
   * another class or another entry's person; and where nobody lets in whoever was sent away since they were expected. A
   * guardian from whom a child was parted is not linked to it again.
   */
  async function claim(
    tx: Transaction,
    { schoolId, entryId, accountId, address, by: letInBy }: Claim,
  ): Promise<MyMembership | undefined> {
    const family = await lockRosterFamily(tx, schoolId, entryId);
    if (family === undefined) return undefined;
    const { entry, children, guardians } = family;
    const members = await membersOfEntries(tx, schoolId, [entryId, ...children, ...guardians]);
    if (entry.membershipId !== null) {
      const self = members.get(entryId);
      return self?.accountId === accountId ? describe(tx, schoolId, self.membershipId) : undefined;
    }
    if (entry.groupId !== null && (await findOpenClass(tx, schoolId, entry.groupId)) === undefined) {
      return undefined;
    }
    if (letInBy === undefined && (await wasSentAwaySince(tx, schoolId, accountId, entry.createdAt))) {
      return undefined;
    }
    const presentChildren = children.flatMap((id) => members.get(id) ?? []);
    const present = await findActiveMembership(tx, schoolId, accountId, entry.role);
    if (present !== undefined && entry.role === 'pupil' && present.groupId !== entry.groupId)
      return undefined;
    const membershipId =
      present?.id ??
      (
        await changes.enrol(tx, {
          schoolId,
          accountId,
          role: entry.role,
          fullName: entry.fullName,
          groupId: entry.groupId ?? presentChildren[0]?.groupId ?? null,
          by: letInBy ?? { address },
        })
      )?.id;
    if (membershipId === undefined || !(await claimEntry(tx, schoolId, entryId, membershipId)))
      return undefined;
    const by: By = letInBy ?? { membershipId, address };
    for (const attachment of await listWantedAttachments(tx, schoolId, entryId)) {
      await changes.attach(tx, { schoolId, membershipId, ...attachment }, by);
    }
    const links = [
      ...presentChildren.map((child) => ({ guardianId: membershipId, childId: child.membershipId })),
      ...guardians
        .flatMap((id) => members.get(id) ?? [])
        .map((guardian) => ({ guardianId: guardian.membershipId, childId: membershipId })),
    ];
    for (const link of await withoutParted(tx, schoolId, links)) {
      await changes.link(tx, { schoolId, ...link }, by);
    }
    return describe(tx, schoolId, membershipId);
  }

  return {
    claim,

    /** Whether somebody with this phone is expected in a school that is open. */
    isExpected: async (phone: string): Promise<boolean> => (await listClaimable(database, phone)).length > 0,

    /** Claims every entry with the account's own phone. */
    async claimByPhone(tx: Transaction, accountId: AccountId, phone: string, address: string): Promise<void> {
      for (const { schoolId, id } of await listClaimable(tx, phone)) {
        await claim(tx, { schoolId, entryId: id, accountId, address });
      }
    },
  };
}
