import { type Attachment, type GroupId, type MembershipId, type SchoolId, standingsOf } from '@zvonok/shared';
import { and, asc, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import { isAmong, queryOf, type Reader } from '../platform/database.ts';
import type { MemberFacts } from './school.policy.ts';
import { isVerified, verificationJoin } from './school.store.ts';
import {
  groups,
  guardianLinks,
  memberships,
  schools,
  teacherAttachments,
  verifications,
} from './school.tables.ts';

/** Everything that decides the rights of active memberships, by id. Those that are over or elsewhere are left out. */
export async function loadFacts(
  reader: Reader,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
): Promise<Map<MembershipId, MemberFacts>> {
  if (ids.length === 0) return new Map();
  const query = queryOf(reader);
  const people = await query
    .select({
      membershipId: memberships.id,
      schoolId: memberships.schoolId,
      accountId: memberships.accountId,
      role: memberships.role,
      fullName: memberships.fullName,
      groupId: memberships.groupId,
      isHead: memberships.isHead,
      startedAt: memberships.startedAt,
      verified: isVerified,
      settings: schools.settings,
    })
    .from(memberships)
    .innerJoin(schools, eq(schools.id, memberships.schoolId))
    .leftJoin(verifications, verificationJoin())
    .where(
      and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids), isNull(memberships.endedAt)),
    );
  const teachers = people.filter((each) => each.role === 'teacher').map((each) => each.membershipId);
  const guardians = people.filter((each) => each.role === 'guardian').map((each) => each.membershipId);
  const attachments =
    teachers.length === 0
      ? []
      : await query
          .select({
            membershipId: teacherAttachments.membershipId,
            groupId: teacherAttachments.groupId,
            kind: teacherAttachments.kind,
            subject: teacherAttachments.subject,
          })
          .from(teacherAttachments)
          .innerJoin(
            groups,
            and(eq(groups.schoolId, teacherAttachments.schoolId), eq(groups.id, teacherAttachments.groupId)),
          )
          .where(
            and(
              eq(teacherAttachments.schoolId, schoolId),
              isAmong(teacherAttachments.membershipId, teachers),
              isNull(groups.archivedAt),
            ),
          )
          .orderBy(asc(groups.name), asc(teacherAttachments.kind), asc(teacherAttachments.subject));
  const children =
    guardians.length === 0
      ? []
      : await query
          .select({
            guardianId: guardianLinks.guardianId,
            membershipId: memberships.id,
            fullName: memberships.fullName,
            groupId: sql<GroupId>`${memberships.groupId}`,
            mayBeInformed: guardianLinks.mayBeInformed,
            mayBeContacted: guardianLinks.mayBeContacted,
          })
          .from(guardianLinks)
          .innerJoin(
            memberships,
            and(eq(memberships.schoolId, guardianLinks.schoolId), eq(memberships.id, guardianLinks.childId)),
          )
          .where(
            and(
              eq(guardianLinks.schoolId, schoolId),
              isAmong(guardianLinks.guardianId, guardians),
              eq(memberships.role, 'pupil'),
              isNull(memberships.endedAt),
            ),
          )
          .orderBy(asc(memberships.fullName), asc(memberships.id));
  const attachmentsOf = Map.groupBy(attachments, (each) => each.membershipId);
  const childrenOf = Map.groupBy(children, (each) => each.guardianId);
  return new Map(
    people.map((person) => {
      const linked = childrenOf.get(person.membershipId) ?? [];
      const facts = {
        ...person,
        attachments: (attachmentsOf.get(person.membershipId) ?? []).map(
          ({ groupId, kind, subject }): Attachment => ({
            groupId,
            kind,
            subject: kind === 'subject' ? subject : null,
          }),
        ),
        children: linked
          .filter((child) => child.mayBeInformed)
          .map(({ membershipId, fullName, groupId, mayBeContacted }) => ({
            membershipId,
            fullName,
            groupId,
            mayBeContacted,
          })),
        childrenOnRecord: linked.filter((child) => !child.mayBeInformed).map((child) => child.membershipId),
      };
      return [person.membershipId, { ...facts, standings: standingsOf(facts) }];
    }),
  );
}

/** Groups that these people are or were tied to in any way that is still on record; of ended memberships too. */
export async function groupsOfMembers(
  reader: Reader,
  schoolId: SchoolId,
  ids: readonly MembershipId[],
): Promise<GroupId[]> {
  if (ids.length === 0) return [];
  const query = queryOf(reader);
  const own = query
    .select({ groupId: sql<GroupId>`${memberships.groupId}` })
    .from(memberships)
    .where(
      and(eq(memberships.schoolId, schoolId), isAmong(memberships.id, ids), isNotNull(memberships.groupId)),
    );
  const attached = query
    .select({ groupId: teacherAttachments.groupId })
    .from(teacherAttachments)
    .where(and(eq(teacherAttachments.schoolId, schoolId), isAmong(teacherAttachments.membershipId, ids)));
  const ofChildren = query
    .select({ groupId: sql<GroupId>`${memberships.groupId}` })
    .from(guardianLinks)
    .innerJoin(
      memberships,
      and(eq(memberships.schoolId, guardianLinks.schoolId), eq(memberships.id, guardianLinks.childId)),
    )
    .where(
      and(
        eq(guardianLinks.schoolId, schoolId),
        isAmong(guardianLinks.guardianId, ids),
        isNotNull(memberships.groupId),
      ),
    );
  const rows = await own.union(attached).union(ofChildren);
  return rows.map((row) => row.groupId);
}

/** The subjects that active teachers are attached to these groups by, verified or not yet. */
export async function subjectsOf(
  reader: Reader,
  schoolId: SchoolId,
  groupIds: readonly GroupId[],
): Promise<{ groupId: GroupId; subject: string }[]> {
  if (groupIds.length === 0) return [];
  return queryOf(reader)
    .selectDistinct({ groupId: teacherAttachments.groupId, subject: teacherAttachments.subject })
    .from(teacherAttachments)
    .innerJoin(
      memberships,
      and(
        eq(memberships.schoolId, teacherAttachments.schoolId),
        eq(memberships.id, teacherAttachments.membershipId),
      ),
    )
    .where(
      and(
        eq(teacherAttachments.schoolId, schoolId),
        isAmong(teacherAttachments.groupId, groupIds),
        eq(teacherAttachments.kind, 'subject'),
        isNull(memberships.endedAt),
      ),
    );
}
