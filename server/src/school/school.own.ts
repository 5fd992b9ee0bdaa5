import type { GroupId, MyMembership } from '@zvonok/shared';
import type { Reader } from '../platform/database.ts';
import type { MemberFacts } from './school.policy.ts';
import { getSchools, listGroups } from './school.store.ts';

/** Memberships as their owners see them, in the order given. */
export async function describeOwn(reader: Reader, people: readonly MemberFacts[]): Promise<MyMembership[]> {
  if (people.length === 0) return [];
  const schools = await getSchools(reader, [...new Set(people.map((person) => person.schoolId))]);
  const groupNames = new Map<GroupId, string>();
  for (const [schoolId, ofSchool] of Map.groupBy(people, (person) => person.schoolId)) {
    const ids = ofSchool.flatMap((person) => [
      ...(person.groupId === null ? [] : [person.groupId]),
      ...person.children.map((child) => child.groupId),
    ]);
    const distinct = [...new Set(ids)];
    for (const group of await listGroups(reader, schoolId, distinct.length, distinct)) {
      groupNames.set(group.id, group.name);
    }
  }
  const nameOf = (id: GroupId) => groupNames.get(id) ?? '';
  return people.flatMap((person): MyMembership[] => {
    const school = schools.get(person.schoolId);
    if (school === undefined) return [];
    return [
      {
        id: person.membershipId,
        schoolId: person.schoolId,
        schoolName: school.name,
        vocabulary: school.vocabulary,
        suspended: school.suspendedAt !== null,
        role: person.role,
        fullName: person.fullName,
        verified: person.verified,
        settings: person.settings,
        journalUrl: school.journalUrl,
        standings: [...person.standings],
        groupId: person.groupId,
        groupName: person.groupId === null ? null : nameOf(person.groupId),
        attachments: [...person.attachments],
        // Without what limits them: that is nothing a guardian is told.
        children: person.children.map(({ membershipId, fullName, groupId }) => ({
          membershipId,
          fullName,
          groupId,
          groupName: nameOf(groupId),
        })),
        startedAt: person.startedAt.toISOString(),
      },
    ];
  });
}
