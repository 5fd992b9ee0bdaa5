import {
  type Attachment,
  type Group,
  type Member,
  type Role,
  staffRoles,
  type Vocabulary,
} from '@zvonok/client-sdk';
import type { TFunction } from 'i18next';
import { phoneWords, roleWord } from '../platform/words.ts';

export const isStaffRole = (role: Role): boolean => staffRoles.some((each) => each === role);

export const groupNameOf = (groups: readonly Group[], id: string | null): string | undefined =>
  groups.find((group) => group.id === id)?.name;

/** What a person is here: the role, the class, what they teach, the phone. */
export function memberLine(
  member: Member,
  groups: readonly Group[],
  vocabulary: Vocabulary,
  t: TFunction,
): string {
  const role = member.isHead ? t('people.isHead') : roleWord(member.role, vocabulary, t);
  const group = groupNameOf(groups, member.groupId);
  return [
    role,
    ...(group === undefined ? [] : [group]),
    ...attachmentLines(member, groups, vocabulary, t),
    ...(member.phone === null ? [] : [phoneWords(member.phone)]),
  ].join(' · ');
}

/** A subject or the care of a class, with its class or classes. */
export function attachmentWords(
  subject: string | null,
  groupNames: string,
  vocabulary: Vocabulary,
  t: TFunction,
): string {
  return subject === null
    ? t('people.classTeacherOf', { title: t(`words.${vocabulary}.classTeacher`), group: groupNames })
    : t('people.subjectOf', { subject, group: groupNames });
}

/** What somebody teaches, a line for each subject with all its classes; the own class first. */
export function attachmentLines(
  { attachments }: Pick<Member, 'attachments'>,
  groups: readonly Group[],
  vocabulary: Vocabulary,
  t: TFunction,
): string[] {
  const namesOf = (taught: readonly Attachment[]) =>
    taught
      .map(({ groupId }) => groupNameOf(groups, groupId) ?? '')
      .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
      .join(', ');
  return [...Map.groupBy(attachments, ({ subject }) => subject)]
    .sort(([a], [b]) => (a ?? '').localeCompare(b ?? ''))
    .map(([subject, taught]) => attachmentWords(subject, namesOf(taught), vocabulary, t));
}
