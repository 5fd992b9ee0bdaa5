import { invitableRoles, type Vocabulary } from '@zvonok/shared';
import { describe, expect, it } from 'vitest';
import { headerOf, parseRoster, roleWord } from './school.roster.sheet.ts';

const rowsOf = (...lines: (readonly string[])[]) => lines.map((cells, index) => ({ line: index + 1, cells }));

describe.each(['school', 'college', 'kindergarten'] as const satisfies readonly Vocabulary[])(
  'a table of a %s',
  (vocabulary) => {
    it('is understood by the words that it is given out with', () => {
      const lines = invitableRoles.map((role) => ['Котов Ян', roleWord(role, vocabulary)]);
      const parsed = parseRoster(rowsOf(headerOf(vocabulary), ...lines));
      expect(parsed?.map(({ role }) => role)).toEqual(invitableRoles);
    });
  },
);

// As the page of the import names them: `import.columns` and the faults of a role, in either language.
it.each([
  ['ученик', 'учитель', 'Класс', 'Ведёт класс'],
  ['обучающийся', 'преподаватель', 'Группа', 'Ведёт группу'],
  ['воспитанник', 'воспитатель', 'Группа', 'Ведёт группу'],
  ['pupil', 'teacher', 'Class', 'Class teacher of'],
  ['student', 'lecturer', 'Group', 'Leads group'],
  ['child', 'educator', 'Group', 'Leads group'],
])('understands %s and %s', (pupil, teacher, group, leads) => {
  const parsed = parseRoster(
    rowsOf(
      ['ФИО', 'Роль', group, leads],
      ['Котов Ян', pupil, 'Ромашка', ''],
      ['Белова Инна', teacher, '', 'Ромашка, Пчёлки'],
    ),
  );
  expect(parsed).toMatchObject([
    { role: 'pupil', group: 'Ромашка', faults: [] },
    {
      role: 'teacher',
      attachments: [
        { group: 'Ромашка', subject: null },
        { group: 'Пчёлки', subject: null },
      ],
      faults: [],
    },
  ]);
});
