import type { AccountId, Attachment, GroupId, MembershipId, Role, SchoolId } from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';
import { demoDataFact, writeFact } from '../platform/facts.store.ts';
import type { School } from '../school/index.ts';
import type { Stage } from './demo.actors.ts';

/** People of the demo school, in the order in which they are made and shown. Their phones are nobody's and known to all. */
export const people = [
  { phone: '+79000000001', role: 'admin', fullName: 'Петрова Анна Ивановна', is: 'администратор' },
  { phone: '+79000000002', role: 'head', fullName: 'Орлов Пётр Сергеевич', is: 'директор' },
  {
    phone: '+79000000003',
    role: 'teacher',
    fullName: 'Волкова Ольга Николаевна',
    is: 'классный руководитель 7Б, литература',
    attachments: [
      { group: '7Б', kind: 'class', subject: null },
      { group: '7Б', kind: 'subject', subject: 'Литература' },
    ],
  },
  {
    phone: '+79000000004',
    role: 'teacher',
    fullName: 'Соколов Игорь Львович',
    is: 'математика в 7Б и 8А',
    attachments: [
      { group: '7Б', kind: 'subject', subject: 'Математика' },
      { group: '8А', kind: 'subject', subject: 'Математика' },
    ],
  },
  {
    phone: '+79000000005',
    role: 'teacher',
    fullName: 'Лебедева Нина Павловна',
    is: 'классный руководитель 8А',
    attachments: [{ group: '8А', kind: 'class', subject: null }],
  },
  {
    phone: '+79000000006',
    role: 'teacher',
    fullName: 'Новиков Олег Игоревич',
    is: 'учитель, ещё не подтверждён',
    unverified: true,
  },
  { phone: '+79000000011', role: 'pupil', fullName: 'Смирнов Илья', is: 'ученик 7Б', group: '7Б' },
  { phone: '+79000000012', role: 'pupil', fullName: 'Зайцева Мария', is: 'ученица 7Б', group: '7Б' },
  { phone: '+79000000013', role: 'pupil', fullName: 'Морозов Артём', is: 'ученик 7Б', group: '7Б' },
  { phone: '+79000000014', role: 'pupil', fullName: 'Фёдорова Алина', is: 'ученица 7Б', group: '7Б' },
  { phone: '+79000000015', role: 'pupil', fullName: 'Кузнецов Лев', is: 'ученик 7Б', group: '7Б' },
  { phone: '+79000000016', role: 'pupil', fullName: 'Попова София', is: 'ученица 7Б', group: '7Б' },
  {
    phone: '+79000000021',
    role: 'guardian',
    fullName: 'Смирнова Вера Олеговна',
    is: 'мама Ильи Смирнова',
    group: '7Б',
    child: '+79000000011',
  },
  {
    phone: '+79000000022',
    role: 'guardian',
    fullName: 'Зайцев Денис Юрьевич',
    is: 'папа Марии Зайцевой',
    group: '7Б',
    child: '+79000000012',
  },
  {
    phone: '+79000000023',
    role: 'guardian',
    fullName: 'Морозова Инна Викторовна',
    is: 'родитель, ещё не связан с ребёнком',
    group: '7Б',
  },
] as const satisfies readonly DemoPerson[];

/** Runs the demo server: approves schools that apply, and reads no chat. */
export const demoOperator = {
  phone: '+79000000009',
  fullName: 'Жуков Марк Андреевич',
  is: 'оператор сервера',
};

export interface DemoPerson {
  readonly phone: string;
  readonly role: Role;
  readonly fullName: string;
  /** What the table in the terminal calls them. */
  readonly is: string;
  readonly group?: DemoGroup;
  readonly attachments?: readonly (Omit<Attachment, 'groupId'> & { readonly group: DemoGroup })[];
  /** Phone of the child. */
  readonly child?: string;
  readonly unverified?: true;
}
type DemoGroup = '7Б' | '8А';

/** The demo's operator and the school as it stands on its first day; marks the database as holding demo data. */
export async function foundSchool(
  tx: Transaction,
  { accounts, desk, school: { operator } }: Pick<Stage, 'accounts' | 'desk' | 'school'>,
): Promise<SchoolId> {
  const [first, ...others] = people;
  await desk.addOperator(tx, await accounts.ensureAccount(tx, demoOperator.phone), demoOperator.fullName);
  const { schoolId, admin } = await operator.createSchool(tx, {
    name: 'Школа №29 (демо)',
    admin: { accountId: await accounts.ensureAccount(tx, first.phone), fullName: first.fullName },
    basis: 'demo',
  });
  const groups: Record<DemoGroup, GroupId> = {
    '7Б': (await operator.createGroup(tx, schoolId, { name: '7Б', year: 7 }, null)).id,
    '8А': (await operator.createGroup(tx, schoolId, { name: '8А', year: 8 }, null)).id,
  };
  const made = new Map<string, MembershipId>([[first.phone, admin.id]]);
  for (const person of others as readonly DemoPerson[]) {
    const accountId = await accounts.ensureAccount(tx, person.phone);
    made.set(person.phone, await enrol(tx, operator, { schoolId, accountId, person, groups, made }));
  }
  await writeFact(tx, demoDataFact, schoolId);
  return schoolId;
}

async function enrol(
  tx: Transaction,
  operator: School['operator'],
  {
    schoolId,
    accountId,
    person,
    groups,
    made,
  }: {
    schoolId: SchoolId;
    accountId: AccountId;
    person: DemoPerson;
    groups: Record<DemoGroup, GroupId>;
    made: ReadonlyMap<string, MembershipId>;
  },
): Promise<MembershipId> {
  const { role, fullName } = person;
  const isVerified = (role === 'head' || role === 'teacher') && person.unverified !== true;
  const membership = await operator.enrol(tx, {
    schoolId,
    accountId,
    role,
    fullName,
    groupId: person.group === undefined ? null : groups[person.group],
    ...(isVerified ? { verified: { by: null, basis: 'demo' } } : {}),
    childId: person.child === undefined ? undefined : made.get(person.child),
    by: null,
  });
  if (membership === undefined) throw new Error('the demo school names somebody twice');
  for (const { group, kind, subject } of person.attachments ?? []) {
    await operator.attach(
      tx,
      { schoolId, membershipId: membership.id, groupId: groups[group], kind, subject },
      null,
    );
  }
  return membership.id;
}
