import type {
  AccountId,
  Attachment,
  GroupId,
  InvitableRole,
  MembershipId,
  RosterEntryId,
  SchoolId,
} from '@zvonok/shared';
import { rosterLimits } from '@zvonok/shared';
import { and, asc, count, eq, inArray, isNotNull, isNull, or, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import { matchKeyOf, mayBeSamePerson } from './school.roster.names.ts';
import { rosterAttachments, rosterChildren, rosterEntries } from './school.roster.tables.ts';
import { groups, memberships, schools } from './school.tables.ts';

export type StoredRosterEntry = typeof rosterEntries.$inferSelect;

const isOpen = (schoolId: SchoolId) =>
  and(eq(rosterEntries.schoolId, schoolId), isNull(rosterEntries.endedAt));

/** Somebody who is expected under a name like this. */
export interface RosterMatch {
  readonly entryId: RosterEntryId;
  readonly fullName: string;
  /** A pupil's class. */
  readonly groupId: GroupId | null;
  /** `exact`: the same name; `likely`: one leaves words of the other out, or has them in another order. */
  readonly name: 'exact' | 'likely';
  /** Whether they belong to the class that was asked for: a guardian by a child. True where none was. */
  readonly inGroup: boolean;
  /** Whether somebody came as this person already. */
  readonly claimed: boolean;
  /** Whether the roster has a phone of theirs and it is not this account's. */
  readonly otherPhone: boolean;
}

/** Who of the school's roster may be this person, the best match first; few. */
export async function findRosterMatches(
  reader: Reader,
  schoolId: SchoolId,
  person: {
    readonly accountId: AccountId;
    readonly fullName: string;
    readonly role: InvitableRole;
    readonly groupId: GroupId | null;
  },
): Promise<RosterMatch[]> {
  const key = matchKeyOf(person.fullName);
  const [firstWord = key] = key.split(' ');
  const found = await queryOf(reader)
    .select({
      entryId: rosterEntries.id,
      fullName: rosterEntries.fullName,
      matchKey: rosterEntries.matchKey,
      groupId: rosterEntries.groupId,
      membershipId: rosterEntries.membershipId,
      // The column is spelled out: inside, its bare name would be the account's own.
      otherPhone: sql<boolean>`${rosterEntries.phone} is not null and not exists (
        select 1 from accounts a where a.id = ${person.accountId} and a.phone = roster_entries.phone)`,
    })
    .from(rosterEntries)
    .where(
      and(
        isOpen(schoolId),
        eq(rosterEntries.role, person.role),
        sql`strpos(${rosterEntries.matchKey}, ${firstWord}) > 0`,
      ),
    )
    .limit(rosterLimits.matchesLooked);
  const alike = found.filter((each) => each.matchKey === key || mayBeSamePerson(each.matchKey, key));
  const ofGroup =
    person.role === 'guardian' && person.groupId !== null
      ? await listGuardianEntriesOf(reader, schoolId, person.groupId)
      : new Set<RosterEntryId>();
  const isInGroup = (entry: { entryId: RosterEntryId; groupId: GroupId | null }) =>
    person.groupId === null ||
    (person.role === 'guardian'
      ? ofGroup.has(entry.entryId)
      : person.role !== 'pupil' || entry.groupId === person.groupId);
  const matches = alike.map(
    ({ matchKey, membershipId, ...entry }): RosterMatch => ({
      ...entry,
      name: matchKey === key ? 'exact' : 'likely',
      inGroup: isInGroup(entry),
      claimed: membershipId !== null,
    }),
  );
  const rankOf = (match: RosterMatch) =>
    (match.claimed ? 4 : 0) + (match.inGroup ? 0 : 2) + (match.name === 'exact' ? 0 : 1);
  return matches.sort((one, other) => rankOf(one) - rankOf(other)).slice(0, rosterLimits.matchesAnswered);
}

/** Expected guardians of expected pupils of the class. */
async function listGuardianEntriesOf(
  reader: Reader,
  schoolId: SchoolId,
  groupId: GroupId,
): Promise<Set<RosterEntryId>> {
  const rows = await queryOf(reader)
    .selectDistinct({ id: rosterChildren.guardianId })
    .from(rosterChildren)
    .innerJoin(
      rosterEntries,
      and(eq(rosterEntries.schoolId, rosterChildren.schoolId), eq(rosterEntries.id, rosterChildren.childId)),
    )
    .where(and(isOpen(schoolId), eq(rosterEntries.groupId, groupId)));
  return new Set(rows.map((row) => row.id));
}

/** An entry that was not ended. */
export async function findRosterEntry(
  reader: Reader,
  schoolId: SchoolId,
  id: RosterEntryId,
): Promise<StoredRosterEntry | undefined> {
  const [row] = await queryOf(reader)
    .select()
    .from(rosterEntries)
    .where(and(isOpen(schoolId), eq(rosterEntries.id, id)));
  return row;
}

export interface RosterQuery {
  readonly role?: InvitableRole | undefined;
  /** Pupils of the class, and guardians of its pupils. */
  readonly groupId?: GroupId | undefined;
  /** Those who have not come yet, or those who have. */
  readonly claimed?: boolean | undefined;
  readonly after?: StoredRosterEntry | undefined;
  readonly limit: number;
}

/** Who is expected, by name. */
export async function listRosterEntries(
  reader: Reader,
  schoolId: SchoolId,
  { role, groupId, claimed, after, limit }: RosterQuery,
): Promise<StoredRosterEntry[]> {
  const children = alias(rosterEntries, 'children');
  const ofClass =
    groupId === undefined
      ? undefined
      : or(
          eq(rosterEntries.groupId, groupId),
          inArray(
            rosterEntries.id,
            queryOf(reader)
              .select({ id: rosterChildren.guardianId })
              .from(rosterChildren)
              .innerJoin(
                children,
                and(eq(children.schoolId, rosterChildren.schoolId), eq(children.id, rosterChildren.childId)),
              )
              .where(and(eq(rosterChildren.schoolId, schoolId), eq(children.groupId, groupId))),
          ),
        );
  return queryOf(reader)
    .select()
    .from(rosterEntries)
    .where(
      and(
        isOpen(schoolId),
        role === undefined ? undefined : eq(rosterEntries.role, role),
        ofClass,
        claimed === undefined
          ? undefined
          : claimed
            ? isNotNull(rosterEntries.membershipId)
            : isNull(rosterEntries.membershipId),
        after === undefined
          ? undefined
          : sql`(${rosterEntries.fullName}, ${rosterEntries.id}) > (${after.fullName}, ${after.id})`,
      ),
    )
    .orderBy(asc(rosterEntries.fullName), asc(rosterEntries.id))
    .limit(limit);
}

/** How many are expected in each role, and how many of them have come. */
export async function countRoster(
  reader: Reader,
  schoolId: SchoolId,
): Promise<{ role: InvitableRole; expected: number; come: number }[]> {
  return queryOf(reader)
    .select({ role: rosterEntries.role, expected: count(), come: count(rosterEntries.membershipId) })
    .from(rosterEntries)
    .where(isOpen(schoolId))
    .groupBy(rosterEntries.role);
}

/** Entries of schools that are open, that nobody has claimed and whose phone this is. */
export async function listClaimable(
  reader: Reader,
  phone: string,
): Promise<{ schoolId: SchoolId; id: RosterEntryId }[]> {
  return queryOf(reader)
    .select({ schoolId: rosterEntries.schoolId, id: rosterEntries.id })
    .from(rosterEntries)
    .innerJoin(schools, eq(schools.id, rosterEntries.schoolId))
    .where(
      and(
        eq(rosterEntries.phone, phone),
        isNull(rosterEntries.endedAt),
        isNull(rosterEntries.membershipId),
        isNull(schools.suspendedAt),
      ),
    )
    .orderBy(asc(rosterEntries.schoolId), asc(rosterEntries.id));
}

/**
 * An entry with those of its family: who claims them at the same moment waits, so that of two that are to be linked the
 * later one sees the earlier. Undefined where it is absent or ended.
 */
export async function lockRosterFamily(
  tx: Transaction,
  schoolId: SchoolId,
  id: RosterEntryId,
): Promise<{ entry: StoredRosterEntry; children: RosterEntryId[]; guardians: RosterEntryId[] } | undefined> {
  const ties = await tx
    .select({ guardianId: rosterChildren.guardianId, childId: rosterChildren.childId })
    .from(rosterChildren)
    .where(
      and(
        eq(rosterChildren.schoolId, schoolId),
        or(eq(rosterChildren.guardianId, id), eq(rosterChildren.childId, id)),
      ),
    );
  const children = ties.filter((tie) => tie.guardianId === id).map((tie) => tie.childId);
  const guardians = ties.filter((tie) => tie.childId === id).map((tie) => tie.guardianId);
  const rows = await tx
    .select()
    .from(rosterEntries)
    .where(and(isOpen(schoolId), isAmong(rosterEntries.id, [id, ...children, ...guardians])))
    .orderBy(asc(rosterEntries.id))
    .for('update');
  const entry = rows.find((row) => row.id === id);
  return entry === undefined ? undefined : { entry, children, guardians };
}

/** False where another entry has this membership. */
export async function claimEntry(
  tx: Transaction,
  schoolId: SchoolId,
  id: RosterEntryId,
  membershipId: MembershipId,
): Promise<boolean> {
  const [taken] = await tx
    .select({ id: rosterEntries.id })
    .from(rosterEntries)
    .where(and(isOpen(schoolId), eq(rosterEntries.membershipId, membershipId)));
  if (taken !== undefined) return false;
  await tx
    .update(rosterEntries)
    .set({ membershipId, claimedAt: sql`now()` })
    .where(and(eq(rosterEntries.schoolId, schoolId), eq(rosterEntries.id, id)));
  return true;
}

/** As whom those who claimed these entries are here now, wherever they were moved since; without those who left. */
export async function membersOfEntries(
  reader: Reader,
  schoolId: SchoolId,
  ids: readonly RosterEntryId[],
): Promise<
  Map<RosterEntryId, { membershipId: MembershipId; accountId: AccountId; groupId: GroupId | null }>
> {
  if (ids.length === 0) return new Map();
  const first = alias(memberships, 'first');
  const rows = await queryOf(reader)
    .select({
      id: rosterEntries.id,
      membershipId: memberships.id,
      accountId: memberships.accountId,
      groupId: memberships.groupId,
    })
    .from(rosterEntries)
    .innerJoin(
      first,
      and(eq(first.schoolId, rosterEntries.schoolId), eq(first.id, rosterEntries.membershipId)),
    )
    .innerJoin(
      memberships,
      and(
        eq(memberships.schoolId, first.schoolId),
        eq(memberships.accountId, first.accountId),
        eq(memberships.role, first.role),
        isNull(memberships.endedAt),
      ),
    )
    .where(and(eq(rosterEntries.schoolId, schoolId), isAmong(rosterEntries.id, ids)));
  return new Map(rows.map(({ id, ...member }) => [id, member]));
}

/** What an expected teacher will teach, in classes that are not archived. */
export async function listWantedAttachments(
  reader: Reader,
  schoolId: SchoolId,
  entryId: RosterEntryId,
): Promise<Attachment[]> {
  const rows = await queryOf(reader)
    .select({
      groupId: rosterAttachments.groupId,
      kind: rosterAttachments.kind,
      subject: rosterAttachments.subject,
    })
    .from(rosterAttachments)
    .innerJoin(
      groups,
      and(eq(groups.schoolId, rosterAttachments.schoolId), eq(groups.id, rosterAttachments.groupId)),
    )
    .where(
      and(
        eq(rosterAttachments.schoolId, schoolId),
        eq(rosterAttachments.entryId, entryId),
        isNull(groups.archivedAt),
      ),
    );
  return rows.map((row) => ({ ...row, subject: row.kind === 'class' ? null : row.subject }));
}

/** Names of the expected children of each of these guardians. */
export async function childNamesOf(
  reader: Reader,
  schoolId: SchoolId,
  guardianIds: readonly RosterEntryId[],
): Promise<Map<RosterEntryId, string[]>> {
  if (guardianIds.length === 0) return new Map();
  const rows = await queryOf(reader)
    .select({ guardianId: rosterChildren.guardianId, name: rosterEntries.fullName })
    .from(rosterChildren)
    .innerJoin(
      rosterEntries,
      and(eq(rosterEntries.schoolId, rosterChildren.schoolId), eq(rosterEntries.id, rosterChildren.childId)),
    )
    .where(and(isOpen(schoolId), isAmong(rosterChildren.guardianId, guardianIds)))
    .orderBy(asc(rosterEntries.fullName), asc(rosterEntries.id));
  return new Map(
    [...Map.groupBy(rows, (row) => row.guardianId)].map(([id, list]) => [id, list.map((row) => row.name)]),
  );
}
