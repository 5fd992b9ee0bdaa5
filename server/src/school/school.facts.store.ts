import { type Attachment, type GroupId, type MembershipId, type SchoolId, standingsOf } from '@zvonok/shared';
import { and, asc, desc, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import { isAmong, queryOf, type Reader } from '../platform/database.ts';
import { isStaff, type MemberFacts } from './school.policy.ts';
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

/** Of these places in groups those of staff who are not verified, and of guardians with no child to be informed of there. */
export async function barredFrom<
  Place extends { readonly membershipId: MembershipId; readonly groupId: GroupId },
>(reader: Reader, schoolId: SchoolId, places: readonly Place[]): Promise<Place[]> {
  const ids = [...new Set(places.map((place) => place.membershipId))];
  const facts = await loadFacts(reader, schoolId, ids);
  const guardians = ids.filter((id) => facts.get(id)?.role === 'guardian');
  const informed = await informedGroupsOf(reader, schoolId, guardians);
  return places.filter(({ membershipId, groupId }) => {
    const person = facts.get(membershipId);
    if (person === undefined) return false;
    if (person.role === 'guardian') return informed.get(membershipId)?.has(groupId) !== true;
    return isStaff(person.role) && !person.verified;
  });
}

/**
 * The groups in which each of these guardians has, or had when the child left, somebody of whom they may be informed. The
 * link to what the child is now decides, whatever an earlier one says; of a child who is gone the last one.
 */
async function informedGroupsOf(
  reader: Reader,
  schoolId: SchoolId,
  guardianIds: readonly MembershipId[],
): Promise<Map<MembershipId, Set<GroupId>>> {
  if (guardianIds.length === 0) return new Map();
  const links = await queryOf(reader)
    .select({
      guardianId: guardianLinks.guardianId,
      accountId: memberships.accountId,
      groupId: memberships.groupId,
      endedAt: memberships.endedAt,
      mayBeInformed: guardianLinks.mayBeInformed,
      childIsHere: sql<boolean>`exists (
        select from memberships present
        where present.school_id = ${memberships.schoolId} and present.account_id = ${memberships.accountId}
          and present.role = 'pupil' and present.ended_at is null)`,
    })
    .from(guardianLinks)
    .innerJoin(
      memberships,
      and(eq(memberships.schoolId, guardianLinks.schoolId), eq(memberships.id, guardianLinks.childId)),
    )
    .where(and(eq(guardianLinks.schoolId, schoolId), isAmong(guardianLinks.guardianId, guardianIds)))
    .orderBy(desc(guardianLinks.createdAt));
  const groupsOf = new Map<MembershipId, Set<GroupId>>();
  for (const [guardianId, ofGuardian] of Map.groupBy(links, (link) => link.guardianId)) {
    const informed = [...Map.groupBy(ofGuardian, (link) => link.accountId).values()].filter((ofChild) => {
      const present = ofChild.find((link) => link.endedAt === null);
      const decisive = present ?? ofChild.find((link) => !link.childIsHere);
      return decisive?.mayBeInformed === true;
    });
    groupsOf.set(guardianId, new Set(informed.flat().flatMap((link) => link.groupId ?? [])));
  }
  return groupsOf;
}
