// By file: a thread that reads a table loads this and nothing that it does not need.
import type { ImportFault, InvitableRole, RosterColumn, Vocabulary } from '@zvonok/shared';
import { rosterLimits } from '@zvonok/shared/limits.ts';
import { fullNameForm, groupNameForm, subjectForm, type TextForm } from '@zvonok/shared/school.forms.ts';
import { normalisePhone } from '../platform/phone.ts';
import { type SheetRow, SpreadsheetError } from '../platform/spreadsheet.ts';
import { normaliseFullName, normaliseLabel } from './school.names.ts';
import { groupKeyOf, matchKeyOf } from './school.roster.names.ts';

/** A line of the table as it is understood. What a cell does not say is null or empty: it changes nothing. */
export interface ParsedRow {
  readonly line: number;
  readonly role: InvitableRole | null;
  readonly fullName: string;
  /** A pupil's. */
  readonly group: string | null;
  /** E.164. */
  readonly phone: string | null;
  readonly externalId: string | null;
  /** A guardian's. */
  readonly children: readonly { readonly fullName: string; readonly group: string | null }[];
  /** A teacher's: classes that they lead, and subjects in classes. */
  readonly attachments: readonly { readonly group: string; readonly subject: string | null }[];
  readonly faults: { column: RosterColumn; fault: ImportFault }[];
}

/** What the contract asks of a text. */
function textCheck({ minLength, maxLength, pattern }: TextForm): (text: string) => boolean {
  const form = new RegExp(pattern, 'u');
  return (text) => text.length >= minLength && text.length <= maxLength && form.test(text);
}
const isFullName = textCheck(fullNameForm);
const isGroupName = textCheck(groupNameForm);
const isSubject = textCheck(subjectForm);

const columns: readonly RosterColumn[] = [
  'name',
  'role',
  'group',
  'phone',
  'number',
  'child',
  'leads',
  'subjects',
];

type HeaderColumn = RosterColumn | 'lastName' | 'firstName' | 'middleName';

/** As files of schools and of their journals call the columns; in lower case, ё as е, without points. */
const headers: Readonly<Record<HeaderColumn, readonly string[]>> = {
  name: ['фио', 'фамилия имя отчество', 'фамилия имя', 'имя и фамилия', 'name', 'full name'],
  lastName: ['фамилия', 'last name', 'surname'],
  firstName: ['имя', 'first name', 'given name'],
  middleName: ['отчество', 'middle name', 'patronymic'],
  role: ['роль', 'кто', 'должность', 'role'],
  group: ['класс', 'группа', 'класс/группа', 'группа/класс', 'class', 'group'],
  phone: [
    'телефон',
    'мобильный телефон',
    'мобильный',
    'сотовый телефон',
    'номер телефона',
    'phone',
    'mobile',
  ],
  number: ['номер', '№', '№ п/п', 'личный номер', 'табельный номер', 'id', 'number', 'student number'],
  child: ['ребенок', 'дети', 'ребенок (фио; класс)', 'фио ребенка', 'child', 'children'],
  leads: [
    'ведет класс',
    'ведет классы',
    'ведет группу',
    'ведет группы',
    'классный руководитель',
    'классное руководство',
    'class teacher of',
    'leads',
    'leads class',
    'leads group',
  ],
  subjects: ['предметы', 'предмет', 'преподает', 'subjects', 'teaches'],
};

const roleWords: Readonly<Record<InvitableRole, readonly string[]>> = {
  pupil: [
    'ученик',
    'ученица',
    'учащийся',
    'учащаяся',
    'обучающийся',
    'обучающаяся',
    'студент',
    'студентка',
    'воспитанник',
    'воспитанница',
    'ребенок',
    'pupil',
    'student',
    'child',
  ],
  teacher: [
    'учитель',
    'учительница',
    'преподаватель',
    'педагог',
    'воспитатель',
    'куратор',
    'классный руководитель',
    'психолог',
    'педагог-психолог',
    'социальный педагог',
    'сотрудник',
    'teacher',
    'lecturer',
    'educator',
    'tutor',
    'staff',
  ],
  head: [
    'руководитель',
    'директор',
    'заместитель директора',
    'завуч',
    'заведующий',
    'заведующая',
    'head',
    'principal',
    'deputy head',
  ],
  guardian: [
    'родитель',
    'мать',
    'отец',
    'мама',
    'папа',
    'опекун',
    'законный представитель',
    'родитель (законный представитель)',
    'бабушка',
    'дедушка',
    'parent',
    'guardian',
    'mother',
    'father',
  ],
};
const adminWords = ['администратор', 'админ', 'admin', 'administrator'];

/** The columns as they are called in a file that is given out. */
export function headerOf(vocabulary: Vocabulary): string[] {
  const group = vocabulary === 'school' ? 'Класс' : 'Группа';
  const leads = vocabulary === 'school' ? 'Ведёт класс' : 'Ведёт группу';
  const names: Record<RosterColumn, string> = {
    name: 'ФИО',
    role: 'Роль',
    group,
    phone: 'Телефон',
    number: 'Номер',
    child: 'Ребёнок',
    leads,
    subjects: 'Предметы',
  };
  return columns.map((column) => names[column]);
}

/** What a role is called in a file that is given out. */
export function roleWord(role: InvitableRole, vocabulary: Vocabulary): string {
  const words: Record<InvitableRole, Record<Vocabulary, string>> = {
    head: { school: 'Руководитель', college: 'Руководитель', kindergarten: 'Руководитель' },
    teacher: { school: 'Учитель', college: 'Преподаватель', kindergarten: 'Воспитатель' },
    pupil: { school: 'Ученик', college: 'Обучающийся', kindergarten: 'Воспитанник' },
    guardian: { school: 'Родитель', college: 'Родитель', kindergarten: 'Родитель' },
  };
  return words[role][vocabulary];
}

const wordOf = (text: string) =>
  matchKeyOf(text)
    .replaceAll('.', '')
    .replace(/[:*]+$/, '')
    .trim();

function columnsOf(cells: readonly string[]): Map<HeaderColumn, number> {
  const found = new Map<HeaderColumn, number>();
  for (const [index, cell] of cells.entries()) {
    const word = wordOf(cell);
    for (const [column, words] of Object.entries(headers) as [HeaderColumn, readonly string[]][]) {
      if (!found.has(column) && words.includes(word)) found.set(column, index);
    }
  }
  // «Имя» alone is the whole name.
  const first = found.get('firstName');
  if (first !== undefined && !found.has('lastName') && !found.has('name')) {
    found.set('name', first);
    found.delete('firstName');
  }
  return found;
}

/** How far down a header may stand: some files begin with a title. */
const headerWithin = 10;

/**
 * What the table says, line by line.
 *
 * @throws SpreadsheetError EMPTY where nothing stands below the header; undefined where no line is a header
 */
export function parseRoster(rows: readonly SheetRow[]): ParsedRow[] | undefined {
  for (const [index, { cells }] of rows.slice(0, headerWithin).entries()) {
    const columns = columnsOf(cells);
    if (columns.size < 2 || !(columns.has('name') || columns.has('lastName'))) continue;
    const below = rows.slice(index + 1);
    if (below.length === 0) throw new SpreadsheetError('EMPTY');
    return below.map((row) => parseRow(row, columns));
  }
  return undefined;
}

function parseRow({ line, cells }: SheetRow, columns: ReadonlyMap<HeaderColumn, number>): ParsedRow {
  const faults: { column: RosterColumn; fault: ImportFault }[] = [];
  const refuse = (column: RosterColumn, fault: ImportFault) => faults.push({ column, fault });
  const textOf = (column: HeaderColumn): string => {
    const index = columns.get(column);
    return index === undefined ? '' : (cells[index] ?? '').normalize('NFC').trim();
  };
  const named = textOf('name');
  const typedName =
    named === ''
      ? ['lastName', 'firstName', 'middleName'].map((each) => textOf(each as HeaderColumn)).join(' ')
      : named;
  const fullName = typedName.replaceAll(/\s+/gu, ' ').trim();
  if (fullName === '') refuse('name', 'NAME_MISSING');
  else if (!isName(fullName)) refuse('name', 'NAME_INVALID');

  const group = textOf('group');
  const child = textOf('child');
  const leads = textOf('leads');
  const subjects = textOf('subjects');
  const typedRole = wordOf(textOf('role'));
  const role = roleOf(typedRole, { group, child, teaching: leads + subjects });
  if (role === null) {
    const fault = adminWords.includes(typedRole)
      ? 'ROLE_ADMIN'
      : typedRole === ''
        ? 'ROLE_MISSING'
        : 'ROLE_UNKNOWN';
    refuse('role', fault);
  }
  const isStaff = role === 'teacher' || role === 'head';
  if (group !== '' && !isGroup(group)) refuse('group', 'GROUP_INVALID');
  else if (group === '' && role === 'pupil') refuse('group', 'GROUP_MISSING');
  else if (group !== '' && isStaff) refuse('group', 'GROUP_OF_STAFF');

  const children = role === 'guardian' ? childrenOf(child, group) : [];
  if (child !== '' && role !== null && role !== 'guardian') refuse('child', 'CHILD_OF_OTHERS');
  if (children === undefined) refuse('child', 'CHILD_INVALID');

  const led = ledOf(leads);
  const taught = taughtOf(subjects);
  if (led === undefined) refuse('leads', 'LEADS_INVALID');
  if (taught === undefined) refuse('subjects', 'SUBJECTS_INVALID');
  if (role !== null && role !== 'teacher') {
    if (leads !== '') refuse('leads', 'TEACHING_OF_OTHERS');
    if (subjects !== '') refuse('subjects', 'TEACHING_OF_OTHERS');
  }

  const phone = phoneOf(textOf('phone'));
  if (phone === undefined) refuse('phone', 'PHONE_INVALID');
  const externalId = normaliseLabel(textOf('number'));
  if (!/^[\p{L}\p{N}./-]*$/u.test(externalId) || externalId.length > rosterLimits.externalIdLength) {
    refuse('number', 'NUMBER_INVALID');
  }
  return {
    line,
    role,
    fullName,
    group: role === 'pupil' && group !== '' ? normaliseLabel(group) : null,
    phone: phone ?? null,
    externalId: externalId === '' ? null : externalId,
    children: children ?? [],
    attachments: [...(led ?? []), ...(taught ?? [])],
    faults,
  };
}

function isName(text: string): boolean {
  if (!isFullName(text)) return false;
  try {
    normaliseFullName(text);
    return true;
  } catch {
    return false;
  }
}

const isGroup = (text: string) => isGroupName(normaliseLabel(text));

function roleOf(
  typed: string,
  said: { readonly group: string; readonly child: string; readonly teaching: string },
): InvitableRole | null {
  for (const [role, words] of Object.entries(roleWords) as [InvitableRole, readonly string[]][]) {
    if (words.includes(typed)) return role;
  }
  if (typed !== '') return null;
  // What else the line says tells who it is.
  if (said.child !== '') return 'guardian';
  if (said.teaching !== '') return 'teacher';
  return said.group === '' ? null : 'pupil';
}

/** E.164; null where nothing was typed, undefined where it is no mobile phone. */
function phoneOf(typed: string): string | null | undefined {
  if (typed === '') return null;
  try {
    return normalisePhone(typed);
  } catch {
    return undefined;
  }
}

const partsOf = (text: string, separator: RegExp) =>
  text
    .split(separator)
    .map((part) => normaliseLabel(part))
    .filter((part) => part !== '');

/** «Иванов Иван; 7Б», several in lines of their own or with | between. The class may stand in the class column instead. */
function childrenOf(cell: string, group: string): ParsedRow['children'] | undefined {
  const parts = partsOf(cell, /[|\n]/u);
  const children = parts.map((part) => {
    const [, name = part, after] = /^([^;,(]+?)\s*[;,(]\s*([^;,()]+)\)?$/u.exec(part) ?? [];
    const typedGroup = after ?? (group === '' ? undefined : group);
    return { fullName: name, group: typedGroup === undefined ? null : normaliseLabel(typedGroup) };
  });
  const isGood = children.every(
    (each) => isName(each.fullName) && (each.group === null || isGroup(each.group)),
  );
  return isGood && children.length <= rosterLimits.perCell ? children : undefined;
}

/** «7Б, 8А». */
function ledOf(cell: string): { group: string; subject: null }[] | undefined {
  const groups = partsOf(cell, /[,;|\n]/u);
  return groups.every(isGroup) && groups.length <= rosterLimits.perCell
    ? distinct(groups.map((group) => ({ group, subject: null })))
    : undefined;
}

/** «Алгебра: 7Б, 8А; Геометрия: 7Б». */
function taughtOf(cell: string): { group: string; subject: string }[] | undefined {
  const taught = partsOf(cell, /[;|\n]/u).map((part) => {
    const at = part.indexOf(':');
    const subject = at === -1 ? '' : normaliseLabel(part.slice(0, at));
    return { subject, groups: at === -1 ? [] : partsOf(part.slice(at + 1), /,/u) };
  });
  const isGood = taught.every(
    ({ subject, groups }) => isSubject(subject) && groups.length > 0 && groups.every(isGroup),
  );
  const each = taught.flatMap(({ subject, groups }) => groups.map((group) => ({ group, subject })));
  return isGood && each.length <= rosterLimits.perCell ? distinct(each) : undefined;
}

const distinct = <T extends { readonly group: string; readonly subject: string | null }>(
  list: readonly T[],
): T[] => [
  ...new Map(list.map((each) => [`${groupKeyOf(each.group)} ${each.subject ?? ''}`, each])).values(),
];
