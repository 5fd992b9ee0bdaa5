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

/** Somebody of whom it is asked whether the roster knows them. */
interface AskedPerson {
  readonly accountId: AccountId;
  readonly fullName: string;
  readonly role: InvitableRole;
  /** The class that was asked for. */
  readonly groupId: GroupId | null;
}

/** Who of the school's roster may be this person, the best match first; few. */
export async function findRosterMatches(
  reader: Reader,
  schoolId: SchoolId,
  person: AskedPerson,
): Promise<RosterMatch[]> {
  const [matches = []] = await listRosterMatches(reader, schoolId, [person]);
  return matches;
}

/**
 * The same for several people, in their order. Names are compared as `mayBeSamePerson` does, in one reading of the roster:
 * of those that have the first word of a name in common.
 */
export async function listRosterMatches(
  reader: Reader,
  schoolId: SchoolId,
  people: readonly AskedPerson[],
): Promise<RosterMatch[][]> {
  if (people.length === 0) return [];
  const param = (values: readonly (string | null)[], type: 'text' | 'uuid') =>
    sql`${sql.param(values)}::${sql.raw(type)}[]`;
  const keys = people.map((person) => matchKeyOf(person.fullName));
  const rows = await queryOf(reader).execute<
    Omit<RosterMatch, 'name'> & { place: number; exact: boolean }
  >(sql`
    with asked as materialized (
      select p.place::int, p.key, p.role, p.group_id, a.phone, string_to_array(p.key, ' ') as words
      from unnest(${param(keys, 'text')},
        ${param(
          people.map((person) => person.role),
          'text',
        )},
        ${param(
          people.map((person) => person.groupId),
          'uuid',
        )},
        ${param(
          people.map((person) => person.accountId),
          'uuid',
        )}) with ordinality as p (key, role, group_id, account_id, place)
      left join accounts a on a.id = p.account_id
    ), entries as materialized (
      select e.*, string_to_array(e.match_key, ' ') as words from roster_entries e
      where e.school_id = ${schoolId} and e.ended_at is null and e.role in (select role from asked)
    ), spoken as materialized (
      select e.id, e.role, w.word from entries e cross join unnest(e.words) as w (word)
    ), near as materialized (
      select distinct a.place, w.id from spoken w join asked a on a.words[1] = w.word and a.role = w.role
    )
    select a.place, e.id as "entryId", e.full_name as "fullName", e.group_id as "groupId", e.match_key = a.key as exact,
      e.membership_id is not null as claimed,
      e.phone is not null and e.phone is distinct from a.phone as "otherPhone",
      a.group_id is null or case e.role
        when 'guardian' then exists (
          select 1 from roster_children c
          join roster_entries k on k.school_id = c.school_id and k.id = c.child_id
          where c.school_id = ${schoolId} and c.guardian_id = e.id and k.group_id = a.group_id and k.ended_at is null)
        when 'pupil' then e.group_id = a.group_id
        else true end as "inGroup"
    from near join asked a on a.place = near.place join entries e on e.id = near.id
    where e.match_key = a.key
      or (cardinality(e.words) >= 2 and e.words <@ a.words)
      or (cardinality(a.words) >= 2 and a.words <@ e.words)
    order by e.full_name, e.id`);
  const rankOf = (match: RosterMatch) =>
    (match.claimed ? 4 : 0) + (match.inGroup ? 0 : 2) + (match.name === 'exact' ? 0 : 1);
  const matches = Map.groupBy(rows, (row) => row.place);
  return people.map((_person, index) =>
    (matches.get(index + 1) ?? [])
      .map(
        ({ place: _place, exact, ...match }): RosterMatch => ({ ...match, name: exact ? 'exact' : 'likely' }),
      )
      .sort((one, other) => rankOf(one) - rankOf(other))
      .slice(0, rosterLimits.matchesAnswered),
  );
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

/**
 * The expected guardians of a child who have not come, now that one of its guardians is kept from it: an entry that can
 * only be theirs counts as come, and codes of the others are to be given anew.
 */
export async function closeGuardianEntries(
  tx: Transaction,
  schoolId: SchoolId,
  guardian: { readonly membershipId: MembershipId; readonly fullName: string },
  child: { readonly membershipId: MembershipId; readonly fullName: string; readonly groupId: GroupId | null },
): Promise<RosterEntryId[]> {
  const childEntries = alias(rosterEntries, 'child_entries');
  const waiting = await tx
    .select({ id: rosterEntries.id, matchKey: rosterEntries.matchKey })
    .from(rosterEntries)
    .innerJoin(
      rosterChildren,
      and(
        eq(rosterChildren.schoolId, rosterEntries.schoolId),
        eq(rosterChildren.guardianId, rosterEntries.id),
      ),
    )
    .innerJoin(
      childEntries,
      and(eq(childEntries.schoolId, rosterChildren.schoolId), eq(childEntries.id, rosterChildren.childId)),
    )
    .where(
      and(
        isOpen(schoolId),
        isNull(rosterEntries.membershipId),
        or(
          eq(childEntries.membershipId, child.membershipId),
          and(
            eq(childEntries.matchKey, matchKeyOf(child.fullName)),
            child.groupId === null ? undefined : eq(childEntries.groupId, child.groupId),
          ),
        ),
      ),
    );
  const key = matchKeyOf(guardian.fullName);
  for (const { id, matchKey } of waiting) {
    if (matchKey === key || mayBeSamePerson(matchKey, key)) {
      await claimEntry(tx, schoolId, id, guardian.membershipId);
    }
  }
  return waiting.map(({ id }) => id);
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

/** The expected children of each of these guardians, by name. */
export async function childrenOf(
  reader: Reader,
  schoolId: SchoolId,
  guardianIds: readonly RosterEntryId[],
): Promise<Map<RosterEntryId, { fullName: string; groupId: GroupId | null }[]>> {
  if (guardianIds.length === 0) return new Map();
  const rows = await queryOf(reader)
    .select({
      guardianId: rosterChildren.guardianId,
      fullName: rosterEntries.fullName,
      groupId: rosterEntries.groupId,
    })
    .from(rosterChildren)
    .innerJoin(
      rosterEntries,
      and(eq(rosterEntries.schoolId, rosterChildren.schoolId), eq(rosterEntries.id, rosterChildren.childId)),
    )
    .where(and(isOpen(schoolId), isAmong(rosterChildren.guardianId, guardianIds)))
    .orderBy(asc(rosterEntries.fullName), asc(rosterEntries.id));
  return new Map(
    [...Map.groupBy(rows, (row) => row.guardianId)].map(([id, list]) => [
      id,
      list.map(({ guardianId: _guardianId, ...child }) => child),
    ]),
  );
}
