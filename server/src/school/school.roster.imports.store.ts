import type {
  AccountId,
  GroupId,
  Import,
  ImportId,
  ImportRow,
  ImportRowKind,
  InvitableRole,
  MembershipId,
  RosterEntryId,
  SchoolId,
} from '@zvonok/shared';
import { invitableRoles, rosterLimits } from '@zvonok/shared';
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  inArray,
  isNotNull,
  isNull,
  type SQL,
  sql,
} from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import type { KnownPerson, PlannedPerson, RosterState } from './school.roster.diff.ts';
import { matchKeyOf } from './school.roster.names.ts';
import {
  rosterAttachments,
  rosterChildren,
  rosterEntries,
  rosterImportRows,
  rosterImports,
} from './school.roster.tables.ts';
import { groups, guardianLinks, memberships, teacherAttachments } from './school.tables.ts';

const { file: _file, parsed: _parsed, ...light } = getTableColumns(rosterImports);
type StoredImport = Omit<typeof rosterImports.$inferSelect, 'file' | 'parsed'>;

export const describeImport = (stored: StoredImport): Import => ({
  id: stored.id,
  state: stored.state,
  fileName: stored.fileName,
  createdBy: stored.createdBy,
  createdAt: stored.createdAt.toISOString(),
  counts: stored.counts,
  failure: stored.failure === null ? null : { reason: stored.failure, line: stored.failureLine },
  appliedAt: stored.appliedAt?.toISOString() ?? null,
});

/** What is older is due to be removed, and counts as gone. */
const isFresh = (): SQL =>
  sql`${rosterImports.createdAt} > now() - make_interval(secs => ${rosterLimits.importLifeMs / 1_000})`;
const isOne = (schoolId: SchoolId, id: ImportId) =>
  and(eq(rosterImports.schoolId, schoolId), eq(rosterImports.id, id));

export async function addImport(
  tx: Transaction,
  row: { schoolId: SchoolId; id: ImportId; fileName: string; file: Buffer; createdBy: MembershipId },
): Promise<StoredImport> {
  const [added] = await tx
    .insert(rosterImports)
    .values({ ...row, state: 'reading' })
    .returning(light);
  if (added === undefined) throw new Error('an import was not stored');
  return added;
}

export async function listImports(reader: Reader, schoolId: SchoolId): Promise<StoredImport[]> {
  return queryOf(reader)
    .select(light)
    .from(rosterImports)
    .where(and(eq(rosterImports.schoolId, schoolId), isFresh()))
    .orderBy(desc(rosterImports.id))
    .limit(rosterLimits.importsListed);
}

/** `lock`: it stays as it is until the transaction ends. */
export async function findImport(
  reader: Reader,
  schoolId: SchoolId,
  id: ImportId,
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<StoredImport | undefined> {
  const query = queryOf(reader)
    .select(light)
    .from(rosterImports)
    .where(and(isOne(schoolId, id), isFresh()));
  const [row] = await (lock ? query.for('update') : query);
  return row;
}

/** What a file holds, until it was read; what it says, since then, as JSON. */
export async function findImportContent(reader: Reader, schoolId: SchoolId, id: ImportId) {
  const [row] = await queryOf(reader)
    .select({ file: rosterImports.file, parsed: sql<string | null>`${rosterImports.parsed}::text` })
    .from(rosterImports)
    .where(isOne(schoolId, id));
  return row;
}

export async function changeImport(
  tx: Transaction,
  schoolId: SchoolId,
  id: ImportId,
  change: Partial<Omit<typeof rosterImports.$inferInsert, 'parsed'>> & {
    readonly appliedNow?: true;
    /** JSON. */
    readonly parsed?: string | null;
  },
): Promise<StoredImport> {
  const { appliedNow, parsed, ...set } = change;
  const [row] = await tx
    .update(rosterImports)
    .set({
      ...set,
      ...(parsed !== undefined ? { parsed: sql`${parsed}::text::jsonb` } : {}),
      ...(appliedNow === true ? { appliedAt: sql`now()` } : {}),
    })
    .where(isOne(schoolId, id))
    .returning(light);
  if (row === undefined) throw new Error('a locked import vanished');
  return row;
}

/** Takes the place of what was there: an attempt that was cut leaves nothing behind. */
export async function putImportRows(
  tx: Transaction,
  schoolId: SchoolId,
  importId: ImportId,
  /** As the thread that compares gives them. */
  batches: readonly string[],
): Promise<void> {
  await tx
    .delete(rosterImportRows)
    .where(and(eq(rosterImportRows.schoolId, schoolId), eq(rosterImportRows.importId, importId)));
  for (const batch of batches) {
    await tx.raw`
      insert into roster_import_rows (school_id, import_id, position, kind, role, row)
      select ${schoolId}, ${importId}, position, kind, role, row
      from jsonb_to_recordset(${batch}::text::jsonb) as r (position int, kind text, role text, row jsonb)`;
  }
}

export async function listImportRows(
  reader: Reader,
  schoolId: SchoolId,
  importId: ImportId,
  query: {
    readonly kind: ImportRowKind | undefined;
    readonly role: InvitableRole | undefined;
    readonly after: number | undefined;
    readonly limit: number;
  },
): Promise<ImportRow[]> {
  const rows = await queryOf(reader)
    .select({ position: rosterImportRows.position, row: rosterImportRows.row })
    .from(rosterImportRows)
    .where(
      and(
        eq(rosterImportRows.schoolId, schoolId),
        eq(rosterImportRows.importId, importId),
        query.kind === undefined ? undefined : eq(rosterImportRows.kind, query.kind),
        query.role === undefined ? undefined : eq(rosterImportRows.role, query.role),
        query.after === undefined ? undefined : gt(rosterImportRows.position, query.after),
      ),
    )
    .orderBy(asc(rosterImportRows.position))
    .limit(query.limit);
  return rows.map(({ position, row }) => ({ ...row, position }));
}

/** With its preview. Nothing happens where it is gone. */
export async function removeImport(tx: Transaction, schoolId: SchoolId, id: ImportId): Promise<void> {
  await tx.delete(rosterImports).where(isOne(schoolId, id));
}

function* batchesOf<T>(list: readonly T[]): Generator<T[]> {
  for (let from = 0; from < list.length; from += rosterLimits.batch) {
    yield list.slice(from, from + rosterLimits.batch);
  }
}

/** Everybody whom an import may mean, and the classes. `phonesOf`: of accounts. */
export async function loadRosterState(
  reader: Reader,
  schoolId: SchoolId,
  phonesOf: (ids: readonly AccountId[]) => Promise<ReadonlyMap<AccountId, string>>,
): Promise<RosterState> {
  const query = queryOf(reader);
  const classes = await query
    .select({ id: groups.id, name: groups.name })
    .from(groups)
    .where(and(eq(groups.schoolId, schoolId), eq(groups.kind, 'class'), isNull(groups.archivedAt)));
  const members = await query
    .select({
      id: memberships.id,
      accountId: memberships.accountId,
      role: memberships.role,
      fullName: memberships.fullName,
      groupId: memberships.groupId,
    })
    .from(memberships)
    .where(
      and(
        eq(memberships.schoolId, schoolId),
        inArray(memberships.role, [...invitableRoles]),
        isNull(memberships.endedAt),
      ),
    )
    .orderBy(asc(memberships.fullName), asc(memberships.id));
  const first = alias(memberships, 'first');
  const entries = await query
    .select({ entry: rosterEntries, accountId: first.accountId })
    .from(rosterEntries)
    .leftJoin(
      first,
      and(eq(first.schoolId, rosterEntries.schoolId), eq(first.id, rosterEntries.membershipId)),
    )
    .where(and(eq(rosterEntries.schoolId, schoolId), isNull(rosterEntries.endedAt)))
    .orderBy(asc(rosterEntries.fullName), asc(rosterEntries.id));
  const links = await query
    .select({ guardianId: guardianLinks.guardianId, childId: guardianLinks.childId })
    .from(guardianLinks)
    .where(eq(guardianLinks.schoolId, schoolId));
  const wantedLinks = await query
    .select({ guardianId: rosterChildren.guardianId, childId: rosterChildren.childId })
    .from(rosterChildren)
    .where(eq(rosterChildren.schoolId, schoolId));
  const taught = await query
    .select({
      id: teacherAttachments.membershipId,
      groupId: teacherAttachments.groupId,
      subject: teacherAttachments.subject,
    })
    .from(teacherAttachments)
    .where(eq(teacherAttachments.schoolId, schoolId));
  const wantedTaught = await query
    .select({
      id: rosterAttachments.entryId,
      groupId: rosterAttachments.groupId,
      subject: rosterAttachments.subject,
    })
    .from(rosterAttachments)
    .where(eq(rosterAttachments.schoolId, schoolId));
  const phones = await phonesOf(members.map((member) => member.accountId));

  const active = new Set(classes.map((group) => group.id));
  const roleKey = (accountId: AccountId, role: string) => `${accountId} ${role}`;
  const memberOf = new Map(members.map((member) => [roleKey(member.accountId, member.role), member]));
  /** Those whose person left are nobody any more: whoever comes under the name is somebody new. */
  const present = entries
    .map(({ entry, accountId }) => ({
      entry,
      member: accountId === null ? undefined : memberOf.get(roleKey(accountId, entry.role)),
    }))
    .filter(({ entry, member }) => entry.membershipId === null || member !== undefined);
  const keyOfMember = new Map<MembershipId, string>(members.map((member) => [member.id, member.id]));
  for (const { entry, member } of present) if (member !== undefined) keyOfMember.set(member.id, entry.id);
  const keyOfWaiting = new Map<RosterEntryId, string>(
    present.filter((each) => each.member === undefined).map(({ entry }) => [entry.id, entry.id]),
  );
  const keyOfEntry = new Map<RosterEntryId, string>(present.map(({ entry }) => [entry.id, entry.id]));
  const linksOf = Map.groupBy(links, (link) => link.guardianId);
  const wantedLinksOf = Map.groupBy(wantedLinks, (link) => link.guardianId);
  const taughtOf = Map.groupBy(taught, (each) => each.id);
  const wantedTaughtOf = Map.groupBy(wantedTaught, (each) => each.id);
  const attachmentsOf = (list: readonly { groupId: GroupId; subject: string }[] = []) =>
    list
      .filter((each) => active.has(each.groupId))
      .map(({ groupId, subject }) => ({ groupId, subject: subject === '' ? null : subject }));
  const linked = (member: { id: MembershipId }) =>
    (linksOf.get(member.id) ?? []).flatMap((link) => keyOfMember.get(link.childId) ?? []);

  const people: KnownPerson[] = present.map(({ entry, member }) => {
    const common = { key: entry.id, entryId: entry.id, role: entry.role, externalId: entry.externalId };
    const own = entry.phone === null ? [] : [entry.phone];
    const waited = wantedLinksOf.get(entry.id) ?? [];
    if (member === undefined) {
      return {
        ...common,
        membershipId: null,
        fullName: entry.fullName,
        groupId: entry.groupId,
        phones: own,
        children: waited.flatMap((link) => keyOfEntry.get(link.childId) ?? []),
        attachments: attachmentsOf(wantedTaughtOf.get(entry.id)),
      };
    }
    const phone = phones.get(member.accountId);
    return {
      ...common,
      membershipId: member.id,
      fullName: member.fullName,
      groupId: entry.role === 'pupil' ? member.groupId : null,
      phones: [...(phone === undefined ? [] : [phone]), ...own.filter((each) => each !== phone)],
      // Children who have come are linked or were taken away; the others are still waited for.
      children: [...linked(member), ...waited.flatMap((link) => keyOfWaiting.get(link.childId) ?? [])],
      attachments: attachmentsOf(taughtOf.get(member.id)),
    };
  });
  for (const member of members) {
    if (keyOfMember.get(member.id) !== member.id) continue;
    const phone = phones.get(member.accountId);
    people.push({
      key: member.id,
      entryId: null,
      membershipId: member.id,
      role: member.role as InvitableRole,
      fullName: member.fullName,
      groupId: member.role === 'pupil' ? member.groupId : null,
      phones: phone === undefined ? [] : [phone],
      externalId: null,
      children: linked(member),
      attachments: attachmentsOf(taughtOf.get(member.id)),
    });
  }
  return { groups: classes, people };
}

/** Ends the entries whose person is no member any more: their number and name are free again. */
export async function endEntriesOfThoseWhoLeft(tx: Transaction, schoolId: SchoolId): Promise<void> {
  const first = alias(memberships, 'first');
  const now = alias(memberships, 'now_here');
  const here = tx
    .select({ id: first.id })
    .from(first)
    .innerJoin(
      now,
      and(
        eq(now.schoolId, first.schoolId),
        eq(now.accountId, first.accountId),
        eq(now.role, first.role),
        isNull(now.endedAt),
      ),
    )
    .where(eq(first.schoolId, schoolId));
  await tx
    .update(rosterEntries)
    .set({ endedAt: sql`now()` })
    .where(
      and(
        eq(rosterEntries.schoolId, schoolId),
        isNull(rosterEntries.endedAt),
        isNotNull(rosterEntries.membershipId),
        sql`${rosterEntries.membershipId} not in ${here}`,
      ),
    );
}

/** A person of a plan with the ids that its parts were given. */
export interface WrittenPerson extends Omit<PlannedPerson, 'group' | 'children' | 'attachments'> {
  readonly id: RosterEntryId;
  readonly groupId: GroupId | null;
}

/** As the rows of one parameter: a statement with a parameter for each value takes long to put together. */
const entriesParam = (people: readonly WrittenPerson[]) =>
  JSON.stringify(
    people.map((person) => ({
      id: person.id,
      role: person.role,
      full_name: person.fullName,
      match_key: matchKeyOf(person.fullName),
      group_id: person.groupId,
      phone: person.phone,
      external_id: person.externalId,
      membership_id: person.membershipId,
    })),
  );

export async function addRosterEntries(
  tx: Transaction,
  schoolId: SchoolId,
  people: readonly WrittenPerson[],
): Promise<void> {
  for (const batch of batchesOf(people)) {
    await tx.raw`
      insert into roster_entries
        (school_id, id, role, full_name, match_key, group_id, phone, external_id, membership_id, claimed_at)
      select ${schoolId}, id, role, full_name, match_key, group_id, phone, external_id, membership_id,
        case when membership_id is not null then now() end
      from jsonb_to_recordset(${entriesParam(batch)}::text::jsonb)
        as e (id uuid, role text, full_name text, match_key text, group_id uuid, phone text, external_id text,
          membership_id uuid)`;
  }
}

/** Who came signs in by the phone of their account; their entries keep what they were expected under. */
export async function changeRosterEntries(
  tx: Transaction,
  schoolId: SchoolId,
  people: readonly WrittenPerson[],
): Promise<void> {
  for (const batch of batchesOf(people)) {
    await tx.raw`
      update roster_entries r set full_name = e.full_name, match_key = e.match_key, group_id = e.group_id,
        external_id = e.external_id, phone = case when e.membership_id is null then e.phone else r.phone end
      from jsonb_to_recordset(${entriesParam(batch)}::text::jsonb)
        as e (id uuid, full_name text, match_key text, group_id uuid, phone text, external_id text, membership_id uuid)
      where r.school_id = ${schoolId} and r.id = e.id`;
  }
}

export async function addRosterTies(
  tx: Transaction,
  schoolId: SchoolId,
  ties: {
    readonly children: readonly { guardianId: RosterEntryId; childId: RosterEntryId }[];
    readonly attachments: readonly { entryId: RosterEntryId; groupId: GroupId; subject: string | null }[];
  },
): Promise<void> {
  for (const batch of batchesOf(ties.children)) {
    await tx.raw`
      insert into roster_children (school_id, guardian_id, child_id)
      select ${schoolId}, guardian_id, child_id
      from unnest(${batch.map((tie) => tie.guardianId)}::uuid[], ${batch.map((tie) => tie.childId)}::uuid[])
        as t (guardian_id, child_id)
      on conflict do nothing`;
  }
  for (const batch of batchesOf(ties.attachments)) {
    await tx.raw`
      insert into roster_attachments (school_id, entry_id, group_id, kind, subject)
      select ${schoolId}, entry_id, group_id, case when subject is null then 'class' else 'subject' end, coalesce(subject, '')
      from unnest(${batch.map((tie) => tie.entryId)}::uuid[], ${batch.map((tie) => tie.groupId)}::uuid[],
        ${batch.map((tie) => tie.subject)}::text[]) as t (entry_id, group_id, subject)
      on conflict do nothing`;
  }
}
