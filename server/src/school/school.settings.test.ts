import {
  cellOf,
  type GroupId,
  isSet,
  type Permission,
  permissionTable,
  rightOf,
  type Standing,
  settingRights,
  standings,
} from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, type TestSchool } from '../testing/school.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const change = (by: Person, settings: object) => rooms.call('school.changeSettings', by, { settings });

describe('the settings', () => {
  it('are exactly the cells that the table leaves to the school, each with its default among its two values', () => {
    const cells = (Object.keys(permissionTable) as Permission[]).flatMap((permission) =>
      standings
        .filter((standing) => cellOf(permission, standing).startsWith('set('))
        .map((standing) => `${permission}.${standing}` as const),
    );
    expect(Object.keys(settingRights).sort()).toEqual([...cells].sort());
    for (const [name, on] of Object.entries(settingRights)) {
      const [permission, standing] = name.split('.') as [Permission, Standing];
      expect(['-', on]).toContain(rightOf(permission, standing, {}));
      expect(rightOf(permission, standing, { [name]: true })).toBe(on);
      expect(rightOf(permission, standing, { [name]: false })).toBe('-');
    }
    expect(isSet('inviteGuardians.HD', {})).toBe(true);
    expect(isSet('inviteGuardians.ST', {})).toBe(false);
  });

  it('keep what is not given, and refuse what is no switch of theirs', async () => {
    const { settings } = unwrap(await change(school.admin, { 'inviteGuardians.ST': true }));
    expect(settings).toEqual({ 'inviteGuardians.ST': true });
    expect(unwrap(await change(school.admin, { 'startDirectCall.SU': true })).settings).toEqual({
      'inviteGuardians.ST': true,
      'startDirectCall.SU': true,
    });
    for (const wrong of [
      { 'editSchool.SU': true },
      { 'recordCall.SA': true },
      { __proto__x: true },
      { 'inviteGuardians.ST': 1 },
    ]) {
      expect(outcomeOf(await change(school.admin, wrong))).toBe('VALIDATION');
    }
    await change(school.admin, { 'inviteGuardians.ST': false, 'startDirectCall.SU': false });
  });

  it('put people into channels and chats and take them out in the same moment', async () => {
    const mayRead = async (person: Person) =>
      unwrap(await rooms.call('chat.listConversations', person, {}))
        .conversations.filter((each) => each.kind === 'channel')
        .map((each) => each.channel);
    expect(await mayRead(school.unlinked)).toEqual([]);
    await change(school.admin, { 'readGeneralChannel.PU': true, 'readStaffChannel.TU': true });
    expect(await mayRead(school.unlinked)).toEqual(['general']);
    expect(await mayRead(school.unverified)).toEqual(['staff']);
    await change(school.admin, { 'readGeneralChannel.PU': false, 'readStaffChannel.TU': false });
    expect(await mayRead(school.unlinked)).toEqual([]);
    expect(await mayRead(school.unverified)).toEqual([]);
  });

  it('end the open invites of whoever may not make them any more, and no others', async () => {
    await change(school.admin, { 'invitePupils.ST': true });
    const make = async (person: Person) =>
      unwrap(await rooms.call('school.createInvite', person, { role: 'pupil', groupId: school.groupId }))
        .invite.id;
    const ofSubject = await make(school.subjectTeacher);
    const ofClass = await make(school.classTeacher);
    await change(school.admin, { 'invitePupils.ST': false });
    const { invites } = unwrap(await rooms.call('school.listInvites', school.admin, {}));
    const stateOf = (id: string) => invites.find((invite) => invite.id === id)?.state;
    expect([stateOf(ofSubject), stateOf(ofClass)]).toEqual(['annulled', 'open']);
    await change(school.admin, { 'invitePupils.ST': true });
  });

  it('of two changes at once lose neither', async () => {
    await Promise.all([
      change(school.admin, { 'directPupilToPupil.SU': false }),
      change(school.admin, { 'directWithStaff.SU': false }),
    ]);
    const { school: card } = unwrap(await rooms.call('school.getSchool', school.admin, {}));
    expect(card.settings).toMatchObject({ 'directPupilToPupil.SU': false, 'directWithStaff.SU': false });
  });
});

describe('the card', () => {
  it('is corrected field by field, and emptied by null', async () => {
    unwrap(
      await rooms.call('school.updateSchool', school.admin, {
        name: 'Лицей  №2 ',
        journalUrl: 'https://dnevnik.example/',
      }),
    );
    const after = unwrap(await rooms.call('school.updateSchool', school.admin, { journalUrl: null })).school;
    expect(after).toMatchObject({ name: 'Лицей №2', journalUrl: null, contactEmail: null });
    for (const wrong of [
      { journalUrl: 'javascript:alert(1)' },
      { name: 'Лицей\u202e2' },
      { contactEmail: 'no' },
    ]) {
      expect(outcomeOf(await rooms.call('school.updateSchool', school.admin, wrong))).toBe('VALIDATION');
    }
  });
});

describe('a class', () => {
  it('gets another name and its chats with it; two never share one', async () => {
    const { group } = unwrap(await rooms.call('school.createGroup', school.admin, { name: '9Г', year: 9 }));
    const pupil = await enrol(rooms, school.schoolId, {
      role: 'pupil',
      fullName: 'Новая Ольга',
      groupId: group.id,
    });
    const rename = (name: string) =>
      rooms.call('school.updateGroup', school.admin, { groupId: group.id, name });
    expect(outcomeOf(await rename('7б'))).toBe('NAME_TAKEN');
    expect(unwrap(await rename('9г')).group).toMatchObject({ name: '9г', year: 9 });
    const { conversations } = unwrap(await rooms.call('chat.listConversations', pupil, {}));
    expect(conversations.find((each) => each.kind === 'class')?.title).toBe('9г');
    const nobody = { groupId: crypto.randomUUID() as GroupId, name: '1А' };
    expect(outcomeOf(await rooms.call('school.updateGroup', school.admin, nobody))).toBe('NOT_FOUND');
  });
});
