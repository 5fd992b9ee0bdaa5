import type { AccountId, HostedSchool, SchoolId } from '@zvonok/shared';
import type { Reader, Transaction } from '../platform/database.ts';
import { eventFor, signal } from '../platform/outbound.ts';
import { record } from './school.audit.store.ts';
import { findHosted, listHosted, listPeople, setSuspension } from './school.hosting.store.ts';
import { describeSchool, getSchools, lockSchool } from './school.store.ts';

/** How the operator lets schools be here: none of it touches people or content. */
export const hosting = {
  listHosted,
  findHosted,

  async namesOf(reader: Reader, ids: readonly SchoolId[]): Promise<Map<SchoolId, string>> {
    const found = await getSchools(reader, ids);
    return new Map([...found].map(([id, school]) => [id, school.name]));
  },

  /** The accounts of its administrators, who stay the same until the transaction ends; undefined where there is no such school. */
  async lockAdmins(tx: Transaction, schoolId: SchoolId): Promise<AccountId[] | undefined> {
    if ((await findHosted(tx, schoolId)) === undefined) return undefined;
    await lockSchool(tx, schoolId);
    const people = await listPeople(tx, schoolId, 'admin');
    return people.map((person) => person.accountId);
  },

  /** Its people leave every room of it, in chats and in calls; they stay signed in. Suspending again changes the reason alone. */
  async suspend(tx: Transaction, schoolId: SchoolId, reason: string): Promise<HostedSchool | undefined> {
    const school = await setSuspension(tx, schoolId, reason);
    if (school === undefined) return undefined;
    await record(tx, schoolId, null, { action: 'schoolSuspended', after: { reason } });
    tx.announce(eventFor('school.schoolChanged', { school: schoolId }, { school: describeSchool(school) }));
    const people = await listPeople(tx, schoolId);
    const membershipIds = people.map((person) => person.membershipId);
    tx.announce(signal({ name: 'membershipEnded', membershipIds }));
    return findHosted(tx, schoolId);
  },

  async resume(tx: Transaction, schoolId: SchoolId): Promise<HostedSchool | undefined> {
    const before = await findHosted(tx, schoolId);
    if (before === undefined || before.suspendedAt === null) return before;
    const school = await setSuspension(tx, schoolId, null);
    if (school === undefined) return undefined;
    await record(tx, schoolId, null, { action: 'schoolResumed' });
    const people = await listPeople(tx, schoolId);
    const membershipIds = people.map((person) => person.membershipId);
    tx.announce(signal({ name: 'membershipChanged', membershipIds }));
    // Nobody hears the rooms of the school: each account is told by itself.
    for (const accountId of new Set(people.map((person) => person.accountId))) {
      tx.announce(signal({ name: 'membershipsStarted', accountId }));
      tx.announce(
        eventFor('school.schoolChanged', { account: accountId }, { school: describeSchool(school) }),
      );
    }
    return findHosted(tx, schoolId);
  },
};
