import { schoolLimits } from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';
import { record } from './school.audit.store.ts';
import { countRedeemers, type StoredInvite, suspendInvite } from './school.invites.store.ts';
import { raiseNotice } from './school.notices.ts';
import { matchKeyOf, mayBeSamePerson } from './school.roster.names.ts';
import { listRosterEntries } from './school.roster.store.ts';

/** The people of a class whom its school expects. */
export interface ClassRoster {
  readonly pupils: readonly string[];
  readonly guardians: readonly string[];
}

/** «Смирнова» and «Смирнов», «Белый» and «Белая»: one family. */
const stemOf = (word: string): string => word.replace(/(?:ая|ий|ый|ой|а)$/u, '');

/**
 * Whether somebody with this name may belong to the class. Generous: people shorten names, turn them round and bring a
 * grandmother, but nearly always give the family's name, with which a register's line begins.
 */
export function isFamiliar(fullName: string, { pupils, guardians }: ClassRoster): boolean {
  const key = matchKeyOf(fullName);
  const stems = new Set(key.split(' ').map(stemOf));
  return [...pupils, ...guardians].map(matchKeyOf).some((expected) => {
    const [family = ''] = expected.split(' ');
    return mayBeSamePerson(expected, key) || stems.has(stemOf(family));
  });
}

/** Whether a link has come into hands for which it was not made; `strangers`: those whom the roster does not know. */
export function isLeaking(
  role: 'pupil' | 'guardian',
  came: { readonly redeemers: number; readonly strangers: number },
  { pupils, guardians }: ClassRoster,
): boolean {
  const { strangers, share, surplus, guardiansPerPupil } = schoolLimits.inviteLeak;
  const people =
    role === 'pupil' ? pupils.length : Math.max(guardians.length, pupils.length * guardiansPerPupil);
  return (
    (came.strangers >= strangers && came.strangers > came.redeemers * share) ||
    came.redeemers > people + surplus
  );
}

/** The roster of an invite's class; undefined where there is none to compare with, or nobody of a class comes by it. */
export async function rosterOfInvite(
  tx: Transaction,
  { schoolId, role, groupId, entryId, childId }: StoredInvite,
): Promise<ClassRoster | undefined> {
  if ((role !== 'pupil' && role !== 'guardian') || entryId !== null || childId !== null) return undefined;
  const entries = await listRosterEntries(tx, schoolId, { groupId, limit: schoolLimits.classRosterRead });
  const namesOf = (wanted: string) =>
    entries.filter((entry) => entry.role === wanted).map((entry) => entry.fullName);
  const pupils = namesOf('pupil');
  return pupils.length === 0 ? undefined : { pupils, guardians: namesOf('guardian') };
}

/**
 * The leak alarm, after each who came: closes an invite whose redeemers stop matching the roster, until an administrator
 * opens it again. Those who came stay; the administrators are told to look at them.
 */
export async function suspendIfLeaking(
  tx: Transaction,
  invite: StoredInvite,
  roster: ClassRoster | undefined,
): Promise<StoredInvite> {
  const { schoolId, id, role, groupId } = invite;
  if (roster === undefined || (role !== 'pupil' && role !== 'guardian')) return invite;
  const came = await countRedeemers(tx, invite);
  if (!isLeaking(role, came, roster)) return invite;
  const suspended = await suspendInvite(tx, invite);
  await record(tx, schoolId, null, {
    action: 'inviteSuspended',
    inviteId: id,
    groupId,
    after: { redeemers: came.redeemers, strangers: came.strangers },
  });
  await raiseNotice(tx, schoolId, { kind: 'inviteLeak', inviteId: id });
  return suspended;
}
