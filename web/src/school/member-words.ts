import { type Group, type Member, type Role, staffRoles, type Vocabulary } from '@zvonok/client-sdk';
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

export const attachmentLines = (
  { attachments }: Pick<Member, 'attachments'>,
  groups: readonly Group[],
  vocabulary: Vocabulary,
  t: TFunction,
): string[] =>
  attachments.map((attachment) => {
    const group = groupNameOf(groups, attachment.groupId) ?? '';
    return attachment.kind === 'class'
      ? t('people.classTeacherOf', { title: t(`words.${vocabulary}.classTeacher`), group })
      : t('people.subjectOf', { subject: attachment.subject ?? '', group });
  });
