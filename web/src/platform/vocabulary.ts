import type { Vocabulary } from '@zvonok/client-sdk';
import type { TFunction } from 'i18next';

const names = [
  'inOrganisation',
  'theOrganisation',
  'ofOrganisation',
  'theGroup',
  'ofGroup',
  'toGroup',
  'inOtherGroup',
  'groups',
  'ofGroups',
  'toGroups',
  'Leads',
  'pupil',
  'ofPupil',
  'pupils',
  'Pupils',
  'ofPupils',
  'teacher',
  'ofTeacher',
  'withTeacher',
  'teachers',
  'Teachers',
  'toTeachers',
  'withTeachers',
  'ClassTeachers',
  'toClassTeacher',
  'exampleGroup',
  'exampleGroups',
  'exampleSubjects',
] as const;

/** The school's own words in the forms in which sentences need them: «классы», «классов»; a capital begins a sentence. */
export type Forms = Readonly<Record<(typeof names)[number] | 'Group' | 'Groups' | 'generalChannel', string>>;

/** What fills the blanks of sentences that every kind of school reads. */
export function formsOf(vocabulary: Vocabulary, t: TFunction): Forms {
  return {
    ...(Object.fromEntries(names.map((name) => [name, t(`words.${vocabulary}.forms.${name}`)])) as Forms),
    Group: t(`words.${vocabulary}.group`),
    Groups: t(`words.${vocabulary}.groups`),
    generalChannel: t(`words.${vocabulary}.generalChannel`),
  };
}
