import type { Vocabulary } from '@zvonok/client-sdk';
import type { TFunction } from 'i18next';

const names = [
  'inOrganisation',
  'theOrganisation',
  'theGroup',
  'ofGroup',
  'groups',
  'ofGroups',
  'toGroups',
  'pupils',
  'Pupils',
  'ofPupils',
  'ofTeacher',
  'teachers',
  'Teachers',
  'toTeachers',
  'ClassTeachers',
] as const;

/** The school's own words in the forms in which sentences need them: «классы», «классов»; a capital begins a sentence. */
export type Forms = Readonly<Record<(typeof names)[number] | 'generalChannel', string>>;

/** What fills the blanks of sentences that every kind of school reads. */
export function formsOf(vocabulary: Vocabulary, t: TFunction): Forms {
  return {
    ...(Object.fromEntries(names.map((name) => [name, t(`words.${vocabulary}.forms.${name}`)])) as Forms),
    generalChannel: t(`words.${vocabulary}.generalChannel`),
  };
}
