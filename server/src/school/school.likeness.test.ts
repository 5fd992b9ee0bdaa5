import { afterAll, beforeAll, expect, it } from 'vitest';
import { outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, type TestSchool } from '../testing/school.ts';
import { likenessOf } from './school.likeness.names.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const teacher = 'Ёлкина Нина Ивановна';

it.each([
  ['the same', 'Ёлкина Нина Ивановна', 'sameName'],
  ['without the dots', 'Елкина Нина Ивановна', 'sameName'],
  ['in capitals', 'ЁЛКИНА НИНА ИВАНОВНА', 'sameName'],
  ['without the patronymic', 'Ёлкина Нина', 'sameName'],
  ['in another order', 'Нина Ивановна Елкина', 'sameName'],
  ['with a stress mark', 'Ёлкина Ни́на Ивановна', 'lookAlikeName'],
  ['in letters of another script', 'Ёлкина HИHА Ивановна', 'lookAlikeName'],
  ['with the spaces elsewhere', 'ЁлкинаНина Ивановна', 'lookAlikeName'],
  ['of a relative', 'Ёлкин Иван', undefined],
  ['with one word in common', 'Нина', undefined],
  ['of somebody else', 'Соколова Нина Ивановна', undefined],
])('sees a name %s', (_how, name, likeness) => {
  expect(likenessOf(name, teacher)).toBe(likeness);
});

it.each([
  ['POMA CEHOP', 'Рома Сенор'],
  ['Хора Рара', 'Xopa Papa'],
  ['ΑΝΝΑ ΚΟΤ', 'Anna Kot'],
])('sees %s as %s', (name, original) => {
  expect(likenessOf(name, original)).toBe('lookAlikeName');
});

const put = (person: Partial<Parameters<typeof enrol>[2]>) =>
  enrol(rooms, school.schoolId, { role: 'teacher', fullName: teacher, verified: true, ...person });
const notices = async (of: Person) =>
  unwrap(await rooms.call('school.listNotices', school.admin, { state: 'open' })).notices.filter(
    (notice) => notice.member?.membershipId === of.as,
  );
const imitated = async (by: Person, of: Person) => {
  const { members } = unwrap(await rooms.call('school.listMembers', by, {}));
  return members.find((member) => member.membershipId === of.as)?.imitates;
};

it('flags whoever could be taken for a verified teacher, until somebody has looked', async () => {
  const original = await put({});
  const pupil = await put({
    role: 'pupil',
    verified: false,
    groupId: school.groupId,
    fullName: 'ЁлкинаНина Ивановна',
  });
  const [notice] = await notices(pupil);
  expect(notice).toMatchObject({
    kind: 'lookAlikeName',
    other: { membershipId: original.as, fullName: teacher },
  });
  expect(await imitated(school.admin, pupil)).toBe(original.as);
  expect(await imitated(school.head, pupil)).toBe(original.as);
  expect(await imitated(school.classTeacher, pupil)).toBe(null);

  if (notice === undefined) throw new Error('no notice');
  unwrap(await rooms.call('school.settleNotice', school.admin, { noticeId: notice.id }));
  expect(await imitated(school.admin, pupil)).toBe(null);
  // Verified anew, the teacher is compared with everybody anew; what is settled stays so.
  const of = { membershipId: original.as };
  unwrap(await rooms.call('school.revokeVerification', school.admin, { ...of, reason: 'проверка' }));
  unwrap(await rooms.call('school.verifyTeacher', school.admin, { ...of, basis: 'приказ 3' }));
  expect(await notices(pupil)).toEqual([]);
});

it('finds who was there before the teacher was verified, and no person twice', async () => {
  const early = await put({ verified: false, fullName: 'Сорокин Марк' });
  const late = await put({ verified: false, fullName: 'Сорокин Марк Олегович' });
  expect(await notices(early)).toEqual([]);
  unwrap(
    await rooms.call('school.verifyTeacher', school.admin, { membershipId: late.as, basis: 'приказ 4' }),
  );
  expect(await notices(early)).toMatchObject([{ kind: 'sameName', other: { membershipId: late.as } }]);
  // An honest namesake is verified too: the pair was told of already.
  unwrap(
    await rooms.call('school.verifyTeacher', school.admin, { membershipId: early.as, basis: 'приказ 5' }),
  );
  expect(await notices(late)).toEqual([]);
  // The same person in another role imitates nobody.
  const own = await put({
    role: 'guardian',
    verified: false,
    accountId: late.caller.accountId,
    fullName: late.fullName,
    groupId: school.groupId,
  });
  expect((await notices(own)).map((notice) => notice.other?.membershipId)).not.toContain(late.as);
  expect(outcomeOf(await rooms.call('school.listNotices', late, { state: 'open' }))).toBe('FORBIDDEN');
});
