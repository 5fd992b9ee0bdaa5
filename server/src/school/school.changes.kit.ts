import type { MembershipId, SchoolId } from '@zvonok/shared';
import type { Accounts } from '../accounts/index.ts';
import type { Transaction } from '../platform/database.ts';
import type { By } from './school.audit.store.ts';
import type { annulInvites, StoredInvite } from './school.invites.store.ts';
import type { MemberFacts } from './school.policy.ts';
import type { PeopleChanged } from './school.ports.ts';
import type { StoredGroup } from './school.store.ts';

export interface NewGroup {
  readonly name: string;
  readonly year?: number | null;
  readonly kind?: StoredGroup['kind'];
}

/** What every change of people ends with. */
export interface ChangeKit {
  readonly cards: Pick<Accounts['cards'], 'issuedBy' | 'outgrow' | 'revoke'>;
  readonly peopleChanged: PeopleChanged;
  announceChanged(tx: Transaction, schoolId: SchoolId, ids: readonly MembershipId[]): Promise<void>;
  announceOwn(tx: Transaction, present: ReadonlyMap<MembershipId, MemberFacts>): Promise<void>;
  announceDirectory(tx: Transaction, schoolId: SchoolId): Promise<void>;
  announceGroups(tx: Transaction, groups: readonly StoredGroup[]): Promise<void>;
  createGroup(tx: Transaction, schoolId: SchoolId, group: NewGroup, by: By): Promise<StoredGroup>;
  annul(
    tx: Transaction,
    schoolId: SchoolId,
    which: Parameters<typeof annulInvites>[2],
    by: By,
  ): Promise<StoredInvite[]>;
  /** Ends what these people have given out and could not give now: invites, and pupils’ cards. */
  endUnfounded(tx: Transaction, schoolId: SchoolId, by: By, makerIds: readonly MembershipId[]): Promise<void>;
}
