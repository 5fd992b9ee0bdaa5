import type { AccountId, Attachment, GroupId, MembershipId, Role, SchoolId } from '@zvonok/shared';
import { callerOf, type Person, type Rooms, unwrap } from './rooms.ts';

let lastPhone = 0;
/** A phone that no other test person of this process has. */
export const nextPhone = () => `+7901${String(++lastPhone).padStart(7, '0')}`;

export async function newAccount({ platform, accounts }: Rooms): Promise<AccountId> {
  return platform.database.inTransaction((tx) => accounts.ensureAccount(tx, nextPhone()));
}

/** Of a child who signs in with a card. */
export const newPhonelessAccount = ({ platform, accounts }: Rooms): Promise<AccountId> =>
  platform.database.inTransaction((tx) => accounts.cards.createAccount(tx));

/** Puts a person into a school by the operator's hand. */
export async function enrol(
  rooms: Rooms,
  schoolId: SchoolId,
  person: {
    readonly role: Role;
    readonly fullName: string;
    readonly groupId?: GroupId;
    readonly accountId?: AccountId;
    readonly verified?: boolean;
    readonly attachments?: readonly Attachment[];
    readonly childId?: MembershipId;
  },
): Promise<Person> {
  const accountId = person.accountId ?? (await newAccount(rooms));
  const { operator } = rooms.school;
  return rooms.platform.database.inTransaction(async (tx) => {
    const membership = await operator.enrol(tx, {
      schoolId,
      accountId,
      role: person.role,
      fullName: person.fullName,
      groupId: person.groupId ?? null,
      ...(person.verified === true ? { verified: { by: null, basis: 'test' } } : {}),
      childId: person.childId,
      by: null,
    });
    if (membership === undefined) throw new Error('is a member already');
    for (const attachment of person.attachments ?? []) {
      await operator.attach(tx, { schoolId, membershipId: membership.id, ...attachment }, null);
    }
    return { caller: callerOf(accountId), as: membership.id, schoolId, fullName: membership.fullName };
  });
}

/** A school with somebody of every standing in class 7Б, and somebody of the neighbouring class 8А. */
export async function makeSchool(rooms: Rooms, name = 'Школа №29') {
  const { operator } = rooms.school;
  const adminAccount = await newAccount(rooms);
  const { schoolId, admin, groupId, otherGroupId } = await rooms.platform.database.inTransaction(
    async (tx) => {
      const made = await operator.createSchool(tx, {
        name,
        admin: { accountId: adminAccount, fullName: 'Петрова Анна Ивановна' },
        basis: 'test',
      });
      const group = await operator.createGroup(tx, made.schoolId, { name: '7Б', year: 7 }, null);
      const other = await operator.createGroup(tx, made.schoolId, { name: '8А', year: 8 }, null);
      return { ...made, groupId: group.id, otherGroupId: other.id };
    },
  );
  const put = (person: Parameters<typeof enrol>[2]) => enrol(rooms, schoolId, person);
  const staff = { role: 'teacher', verified: true } as const;
  const pupil = await put({ role: 'pupil', fullName: 'Смирнов Илья', groupId });
  const otherPupil = await put({ role: 'pupil', fullName: 'Кузнецов Лев', groupId: otherGroupId });
  return {
    schoolId,
    groupId,
    otherGroupId,
    admin: { caller: callerOf(adminAccount), as: admin.id, schoolId, fullName: admin.fullName } as Person,
    head: await put({ role: 'head', fullName: 'Орлов Пётр', verified: true }),
    /** Class teacher of 7Б. */
    classTeacher: await put({
      ...staff,
      fullName: 'Волкова Ольга',
      attachments: [{ groupId, kind: 'class', subject: null }],
    }),
    /** Mathematics in 7Б. */
    subjectTeacher: await put({
      ...staff,
      fullName: 'Соколов Игорь',
      attachments: [{ groupId, kind: 'subject', subject: 'Алгебра' }],
    }),
    /** Verified and attached to nothing. */
    otherTeacher: await put({ ...staff, fullName: 'Лебедева Нина' }),
    /** Attached to 7Б all the same, to see that it counts for nothing. */
    unverified: await put({
      role: 'teacher',
      fullName: 'Новиков Олег',
      attachments: [{ groupId, kind: 'class', subject: null }],
    }),
    pupil,
    classmate: await put({ role: 'pupil', fullName: 'Зайцева Мария', groupId }),
    otherPupil,
    guardian: await put({ role: 'guardian', fullName: 'Смирнова Вера', groupId, childId: pupil.as }),
    otherGuardian: await put({
      role: 'guardian',
      fullName: 'Кузнецова Яна',
      groupId: otherGroupId,
      childId: otherPupil.as,
    }),
    /** Invited to 7Б, linked to nobody. */
    unlinked: await put({ role: 'guardian', fullName: 'Морозова Инна', groupId }),
  };
}

export type TestSchool = Awaited<ReturnType<typeof makeSchool>>;

/** Turns the year: the pupils of 7Б leave and the class is archived, 8А goes on as 9А. */
export async function graduate(rooms: Rooms, { admin, groupId }: TestSchool): Promise<void> {
  const choices = { classes: [{ groupId, action: 'graduate' as const }], newClasses: [], teachers: [] };
  const { plan } = unwrap(await rooms.call('school.planRollover', admin, { choices }));
  unwrap(await rooms.call('school.applyRollover', admin, { choices, digest: plan.digest }));
}
