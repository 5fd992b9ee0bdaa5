import {
  type AuditAction,
  type AuditRecord,
  type AuditRecordId,
  type GroupId,
  type InviteId,
  MembershipId,
  type SchoolId,
} from '@zvonok/shared';
import { and, desc, eq, gte, lt, ne, not, or, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { Check } from 'typebox/value';
import { v7 as uuid } from 'uuid';
import { isAmong, queryOf, type Reader, type Transaction } from '../platform/database.ts';
import type { AuditScope } from './school.policy.ts';
import { type AuditFacts, auditRecords, groups, guardianLinks, memberships } from './school.tables.ts';

/** Who changes something, and from where; an `Actor` is one. Null: the operator of the server. */
export type By = { readonly membershipId: MembershipId; readonly address: string } | null;

export interface AuditEntry {
  readonly action: AuditAction;
  readonly membershipId?: MembershipId;
  readonly groupId?: GroupId | null;
  readonly inviteId?: InviteId;
  readonly before?: AuditFacts;
  readonly after?: AuditFacts;
}

/** Leaves a record in the transaction of the change itself: there is no change without its record, and no record without its change. */
export async function record(
  tx: Transaction,
  schoolId: SchoolId,
  by: By,
  ...entries: readonly AuditEntry[]
): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map(({ action, membershipId, groupId, inviteId, before, after }) => ({
    id: uuid(),
    action,
    membership_id: membershipId,
    group_id: groupId,
    invite_id: inviteId,
    before,
    after,
  }));
  // One parameter, however many: a rollover leaves a record for each pupil.
  await tx.raw`
    insert into audit_records (school_id, id, action, actor_id, membership_id, group_id, invite_id, before, after, address)
    select ${schoolId}, id, action, ${by?.membershipId ?? null}::uuid, membership_id, group_id, invite_id, before, after,
      ${by?.address ?? null}
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as r (id uuid, action text, membership_id uuid, group_id uuid, invite_id uuid, before jsonb, after jsonb)`;
}

export interface AuditQuery {
  readonly action: AuditAction | undefined;
  readonly by: MembershipId | undefined;
  readonly member: MembershipId | undefined;
  readonly from: Date | undefined;
  readonly until: Date | undefined;
  readonly after: AuditRecordId | undefined;
  readonly limit: number;
}

const inScope = (scope: AuditScope) =>
  scope === 'school'
    ? undefined
    : and(
        or(
          eq(auditRecords.actorId, scope.self),
          eq(auditRecords.membershipId, scope.self),
          isAmong(auditRecords.groupId, scope.groupIds),
        ),
        scope.staffAlone
          ? sql`not exists (select 1 from memberships m where m.school_id = ${auditRecords.schoolId}
              and m.id = ${auditRecords.membershipId} and m.role in ('pupil', 'guardian'))`
          : undefined,
        // Nobody reads here that they are limited, or of a child that they may not be informed of.
        ne(auditRecords.action, 'guardianLimited'),
        sql`not exists (select 1 from ${guardianLinks} where ${and(
          eq(guardianLinks.schoolId, auditRecords.schoolId),
          eq(guardianLinks.guardianId, scope.self),
          not(guardianLinks.mayBeInformed),
          sql`${guardianLinks.childId}::text in (${auditRecords.before} ->> 'childId', ${auditRecords.after} ->> 'childId')`,
        )})`,
      );

/** Newest first: ids are made in the order of time. */
export async function listAudit(
  reader: Reader,
  schoolId: SchoolId,
  scope: AuditScope,
  query: AuditQuery,
): Promise<AuditRecord[]> {
  const { action, by, member, from, until, after, limit } = query;
  const actors = alias(memberships, 'actors');
  const rows = await queryOf(reader)
    .select({
      record: auditRecords,
      actor: actors.fullName,
      member: memberships.fullName,
      group: groups.name,
    })
    .from(auditRecords)
    .leftJoin(actors, and(eq(actors.schoolId, schoolId), eq(actors.id, auditRecords.actorId)))
    .leftJoin(
      memberships,
      and(eq(memberships.schoolId, schoolId), eq(memberships.id, auditRecords.membershipId)),
    )
    .leftJoin(groups, and(eq(groups.schoolId, schoolId), eq(groups.id, auditRecords.groupId)))
    .where(
      and(
        eq(auditRecords.schoolId, schoolId),
        inScope(scope),
        action === undefined ? undefined : eq(auditRecords.action, action),
        by === undefined ? undefined : eq(auditRecords.actorId, by),
        member === undefined ? undefined : eq(auditRecords.membershipId, member),
        from === undefined ? undefined : gte(auditRecords.at, from),
        until === undefined ? undefined : lt(auditRecords.at, until),
        after === undefined ? undefined : lt(auditRecords.id, after),
      ),
    )
    .orderBy(desc(auditRecords.id))
    .limit(limit);
  return rows.map(({ record: { actorId, membershipId, groupId, ...row }, actor, member: name, group }) => ({
    id: row.id,
    at: row.at.toISOString(),
    action: row.action,
    by: actorId === null || actor === null ? null : { membershipId: actorId, fullName: actor },
    member: membershipId === null || name === null ? null : { membershipId, fullName: name },
    group: groupId === null || group === null ? null : { groupId, name: group },
    inviteId: row.inviteId,
    before: row.before === null ? null : { ...row.before },
    after: row.after === null ? null : { ...row.after },
    names: {},
    address: row.address,
  }));
}

/** The same records with the names of those whom their facts name by id. */
export async function withNames(
  reader: Reader,
  schoolId: SchoolId,
  records: readonly AuditRecord[],
): Promise<AuditRecord[]> {
  const idsOf = ({ before, after }: AuditRecord) =>
    [before, after].flatMap((facts) =>
      Object.entries(facts ?? {}).flatMap(([name, fact]) =>
        name.endsWith('Id') && Check(MembershipId, fact) ? fact : [],
      ),
    );
  const ids = [...new Set(records.flatMap(idsOf))];
  if (ids.length === 0) return [...records];
  const [people, places] = await Promise.all([
    queryOf(reader)
      .select({ id: memberships.id, name: memberships.fullName })
      .from(memberships)
      .where(and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids))),
    queryOf(reader)
      .select({ id: groups.id, name: groups.name })
      .from(groups)
      .where(and(eq(groups.schoolId, schoolId), isAmong(groups.id, ids as string[] as GroupId[]))),
  ]);
  const names = new Map<string, string>([...people, ...places].map(({ id, name }) => [id, name]));
  return records.map((record) => ({
    ...record,
    names: Object.fromEntries(
      idsOf(record).flatMap((id) => {
        const name = names.get(id);
        return name === undefined ? [] : [[id, name]];
      }),
    ),
  }));
}

/** Whether the record is one that this reader sees: a place in a list must not tell of others. */
export async function isAuditRecordSeen(
  reader: Reader,
  schoolId: SchoolId,
  scope: AuditScope,
  id: AuditRecordId,
): Promise<boolean> {
  const rows = await queryOf(reader)
    .select({ id: auditRecords.id })
    .from(auditRecords)
    .where(and(eq(auditRecords.schoolId, schoolId), eq(auditRecords.id, id), inScope(scope)));
  return rows.length > 0;
}
