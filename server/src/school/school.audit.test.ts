import {
  type AuditAction,
  type AuditRecord,
  auditActions,
  type MembershipId,
  type ProcedureName,
  procedureContract,
  type RequestedAction,
} from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  callerOf,
  joined,
  outcomeOf,
  type Person,
  type Rooms,
  startRooms,
  unwrap,
} from '../testing/rooms.ts';
import { enrol, makeSchool, newAccount, newPhonelessAccount, type TestSchool } from '../testing/school.ts';
import { signIn } from '../testing/sign-in.ts';
import { openTables, type Tables, tableOf } from '../testing/tables.ts';
import { actionNames } from './school.audit.sheet.ts';
import { raiseNotice } from './school.notices.ts';

let rooms: Rooms;
let school: TestSchool;
let tables: Tables;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
  tables = await openTables(rooms);
});
afterAll(async () => {
  await tables?.close();
  await rooms?.close();
});

const address = '198.51.100.7';
const records = async (by: Person, input: object = {}): Promise<AuditRecord[]> =>
  unwrap(await rooms.call('school.listAuditRecords', by, input)).records;
const newest = async (count: number) => (await records(school.admin, { limit: count })).reverse();
const put = (person: Partial<Parameters<typeof enrol>[2]>) =>
  enrol(rooms, school.schoolId, { role: 'teacher', fullName: 'Новая Ирина', verified: true, ...person });

const putPhoneless = async () =>
  put({
    role: 'pupil',
    groupId: school.groupId,
    verified: false,
    accountId: await newPhonelessAccount(rooms),
  });

const ask = async (by: Person, what: RequestedAction) =>
  unwrap(await rooms.call('school.createRequest', by, { what })).request.id;
async function askToJoin(): Promise<string> {
  const { code } = unwrap(await rooms.call('school.rotateJoinCode', school.admin, {}));
  const input = { code, role: 'teacher', fullName: 'Просящий Андрей' } as const;
  const caller = callerOf(await newAccount(rooms));
  return unwrap(await rooms.call('school.submitJoinRequest', caller, input)).request.id;
}

const expectSomebody = () =>
  rooms.platform.database.client`
    insert into roster_entries (school_id, id, role, full_name, match_key, group_id)
    values (${school.schoolId}, gen_random_uuid(), 'pupil', 'Ожидаемый Лев', 'ожидаемый лев', ${school.groupId})`;
const noChoices = { classes: [], newClasses: [], teachers: [] };

type Change = (name: ProcedureName & `school.${string}`, input: object) => Promise<unknown>;

/** What each changing procedure leaves behind; a new one that is not here fails the test below. */
const changes: Partial<Record<ProcedureName, (change: Change) => Promise<readonly Partial<AuditRecord>[]>>> =
  {
    'school.applyImport': async (change) => {
      const { import: found } = await tables.preview(school.admin, tableOf('Чижов Яков;ученик;7Б;;;;;'));
      await change('school.applyImport', { importId: found.id });
      expect((await tables.settled(school.admin, found.id)).import.state).toBe('applied');
      return [
        { action: 'rosterImported', before: null, after: { groups: 0, added: 1, changed: 0, moved: 0 } },
      ];
    },
    'school.createGroup': async (change) => {
      await change('school.createGroup', { name: '5Я' });
      return [{ action: 'groupCreated', group: { groupId: expect.any(String), name: '5Я' }, before: null }];
    },
    'school.updateGroup': async (change) => {
      const { group } = unwrap(await rooms.call('school.createGroup', school.admin, { name: '5Э' }));
      await change('school.updateGroup', { groupId: group.id, name: '5 Э', year: 5 });
      return [
        {
          action: 'groupChanged',
          before: { name: '5Э', year: null },
          after: { name: '5 Э', year: 5 },
        },
      ];
    },
    'school.updateSchool': async (change) => {
      await change('school.updateSchool', { address: 'г. Тула', contactPhone: '8 (4872) 55-55-55' });
      return [{ action: 'schoolChanged', before: { address: null }, after: { address: 'г. Тула' } }];
    },
    'school.changeSettings': async (change) => {
      await change('school.changeSettings', { settings: { 'inviteGuardians.ST': true } });
      return [
        {
          action: 'settingsChanged',
          before: { 'inviteGuardians.ST': null },
          after: { 'inviteGuardians.ST': true },
        },
      ];
    },
    'school.archiveGroup': async (change) => {
      const { group } = unwrap(await rooms.call('school.createGroup', school.admin, { name: '5Ю' }));
      await change('school.archiveGroup', { groupId: group.id });
      return [{ action: 'groupArchived', before: { name: '5Ю' } }];
    },
    'school.createInvite': async (change) => {
      await change('school.createInvite', { role: 'pupil', groupId: school.groupId, uses: 3 });
      return [
        {
          action: 'inviteMade',
          inviteId: expect.any(String),
          after: expect.objectContaining({ role: 'pupil', uses: 3 }),
        },
      ];
    },
    'school.createPersonalInvites': async (change) => {
      await expectSomebody();
      await change('school.createPersonalInvites', { groupId: school.groupId, role: 'pupil' });
      return [{ action: 'inviteMade', after: expect.objectContaining({ role: 'pupil', personal: true }) }];
    },
    'school.resumeInvite': async (change) => {
      const input = { role: 'pupil', groupId: school.groupId, uses: 9 } as const;
      const { invite, token } = unwrap(await rooms.call('school.createInvite', school.admin, input));
      for (const fullName of ['Один Чужой', 'Два Чужих', 'Три Чужих']) {
        const caller = callerOf(await newAccount(rooms));
        unwrap(await rooms.call('school.redeemInvite', caller, { token, fullName }));
      }
      expect((await newest(1))[0]).toMatchObject({
        action: 'inviteSuspended',
        by: null,
        after: { redeemers: 3, strangers: 3 },
      });
      await change('school.resumeInvite', { inviteId: invite.id });
      return [{ action: 'inviteResumed', inviteId: invite.id, before: { role: 'pupil' } }];
    },
    'school.annulInvite': async (change) => {
      const { invite } = unwrap(await rooms.call('school.createInvite', school.admin, { role: 'teacher' }));
      await change('school.annulInvite', { inviteId: invite.id });
      return [{ action: 'inviteAnnulled', inviteId: invite.id, before: { role: 'teacher' } }];
    },
    'school.annulAllInvites': async (change) => {
      await change('school.annulAllInvites', {});
      return [{ action: 'inviteAnnulled' }];
    },
    'school.attachTeacher': async (change) => {
      const { as: membershipId } = await put({});
      await change('school.attachTeacher', {
        membershipId,
        groupId: school.groupId,
        kind: 'subject',
        subject: 'Химия',
      });
      return [
        {
          action: 'teacherAttached',
          member: { membershipId, fullName: 'Новая Ирина' },
          group: { groupId: school.groupId, name: '7Б' },
          after: { kind: 'subject', subject: 'Химия' },
        },
      ];
    },
    'school.detachTeacher': async (change) => {
      const { as: membershipId } = await put({
        attachments: [{ groupId: school.groupId, kind: 'class', subject: null }],
      });
      await change('school.detachTeacher', { membershipId, groupId: school.groupId, kind: 'class' });
      return [{ action: 'teacherDetached', before: { kind: 'class', subject: null }, after: null }];
    },
    'school.linkGuardian': async (change) => {
      const child = await put({ role: 'pupil', groupId: school.groupId, verified: false });
      const guardian = await put({ role: 'guardian', groupId: school.groupId, verified: false });
      await change('school.linkGuardian', { guardianId: guardian.as, childId: child.as });
      return [{ action: 'guardianLinked', after: { childId: child.as } }];
    },
    'school.unlinkGuardian': async (change) => {
      const child = await put({ role: 'pupil', groupId: school.groupId, verified: false });
      const guardian = await put({
        role: 'guardian',
        groupId: school.groupId,
        verified: false,
        childId: child.as,
      });
      await change('school.unlinkGuardian', { guardianId: guardian.as, childId: child.as });
      return [{ action: 'guardianUnlinked', before: { childId: child.as } }];
    },
    'school.issueCard': async (change) => {
      const { as: membershipId } = await putPhoneless();
      await change('school.issueCard', { membershipId });
      return [{ action: 'cardIssued', before: null, after: null }];
    },
    'school.admitWithCard': async (change) => {
      const [entry] = await rooms.platform.database.client`
        insert into roster_entries (school_id, id, role, full_name, match_key, group_id)
        values (${school.schoolId}, gen_random_uuid(), 'pupil', 'Ёжиков Тим', 'ежиков тим', ${school.groupId})
        returning id`;
      await change('school.admitWithCard', { entryId: entry?.id });
      return [{ action: 'cardIssued', before: null, after: null }];
    },
    'school.revokeCard': async (change) => {
      const { as: membershipId } = await putPhoneless();
      unwrap(await rooms.call('school.issueCard', school.admin, { membershipId }));
      await change('school.revokeCard', { membershipId });
      return [{ action: 'cardRevoked', before: null, after: null }];
    },
    'school.limitGuardian': async (change) => {
      const child = await put({ role: 'pupil', groupId: school.groupId, verified: false });
      const guardian = await put({
        role: 'guardian',
        groupId: school.groupId,
        verified: false,
        childId: child.as,
      });
      await change('school.limitGuardian', {
        guardianId: guardian.as,
        childId: child.as,
        mayBeInformed: true,
        mayBeContacted: false,
        reason: 'решение суда',
      });
      return [
        {
          action: 'guardianLimited',
          before: { childId: child.as, mayBeInformed: true, mayBeContacted: true },
          after: { childId: child.as, mayBeInformed: true, mayBeContacted: false },
        },
      ];
    },
    'school.verifyTeacher': async (change) => {
      const { as: membershipId } = await put({ verified: false });
      await change('school.verifyTeacher', { membershipId, basis: 'приказ 12' });
      return [{ action: 'staffVerified', after: { basis: 'приказ 12' } }];
    },
    'school.revokeVerification': async (change) => {
      const { as: membershipId } = await put({});
      await change('school.revokeVerification', { membershipId, reason: 'уволена' });
      return [{ action: 'verificationRevoked', after: { reason: 'уволена' } }];
    },
    'school.appointAdmin': async (change) => {
      const { as: membershipId } = await put({});
      await change('school.appointAdmin', { membershipId });
      return [{ action: 'membershipStarted', after: { role: 'admin' } }, { action: 'staffVerified' }];
    },
    'school.endMembership': async (change) => {
      const { as: membershipId } = await put({});
      await change('school.endMembership', { membershipId, reason: 'left' });
      return [
        {
          action: 'membershipEnded',
          before: { role: 'teacher' },
          after: { reason: 'left' },
        },
      ];
    },
    'school.createRequest': async () => {
      await ask(school.head, { kind: 'editSchool', card: { address: 'г. Орёл' } });
      const by = { membershipId: school.head.as, fullName: school.head.fullName };
      return [{ action: 'requestMade', by, address: '192.0.2.1', after: { kind: 'editSchool' } }];
    },
    'school.approveRequest': async (change) => {
      const requestId = await ask(school.head, { kind: 'editSchool', card: { address: 'г. Клин' } });
      await change('school.approveRequest', { requestId });
      const member = { membershipId: school.head.as, fullName: school.head.fullName };
      return [{ action: 'requestApproved', member }, { action: 'schoolChanged' }];
    },
    'school.declineRequest': async (change) => {
      const requestId = await ask(school.head, { kind: 'editSchool', card: { address: 'г. Ейск' } });
      await change('school.declineRequest', { requestId, comment: 'рано' });
      return [{ action: 'requestDeclined', after: { kind: 'editSchool', comment: 'рано' } }];
    },
    'school.withdrawRequest': async () => {
      const requestId = await ask(school.head, { kind: 'editSchool', card: { address: 'г. Луга' } });
      unwrap(await rooms.call('school.withdrawRequest', school.head, { requestId }));
      const by = { membershipId: school.head.as, fullName: school.head.fullName };
      return [{ action: 'requestWithdrawn', by, address: '192.0.2.1', before: { kind: 'editSchool' } }];
    },
    'school.rotateJoinCode': async (change) => {
      await change('school.rotateJoinCode', {});
      return [{ action: 'joinCodeRotated', before: null, after: null }];
    },
    'school.closeJoinCode': async (change) => {
      unwrap(await rooms.call('school.rotateJoinCode', school.admin, {}));
      await change('school.closeJoinCode', {});
      return [{ action: 'joinCodeClosed', before: null, after: null }];
    },
    'school.approveJoinRequest': async (change) => {
      const requestId = await askToJoin();
      await change('school.approveJoinRequest', { requestId });
      return [
        { action: 'membershipStarted', after: { role: 'teacher' } },
        { action: 'joinRequestApproved', before: { role: 'teacher' }, after: { requestId } },
      ];
    },
    'school.declineJoinRequest': async (change) => {
      const requestId = await askToJoin();
      await change('school.declineJoinRequest', { requestId, reason: 'не работает у нас' });
      return [{ action: 'joinRequestDeclined', before: { role: 'teacher' }, after: { requestId } }];
    },
    'school.correctMember': async (change) => {
      const { as: membershipId } = await put({ fullName: 'Новая Ирна' });
      await change('school.correctMember', { membershipId, fullName: 'Новая Ирина' });
      return [
        {
          action: 'memberCorrected',
          member: { membershipId, fullName: 'Новая Ирина' },
          before: { fullName: 'Новая Ирна' },
          after: { fullName: 'Новая Ирина' },
        },
      ];
    },
    'school.transferMembers': async (change) => {
      const { as: membershipId } = await put({ role: 'pupil', groupId: school.groupId, verified: false });
      await change('school.transferMembers', { membershipIds: [membershipId], groupId: school.otherGroupId });
      return [
        {
          action: 'memberTransferred',
          member: { membershipId, fullName: 'Новая Ирина' },
          group: { groupId: school.otherGroupId, name: '8А' },
          before: { group: '7Б' },
          after: { group: '8А' },
        },
      ];
    },
    'school.endMemberships': async (change) => {
      const pupils = [
        await put({ role: 'pupil', groupId: school.groupId, verified: false }),
        await put({ role: 'pupil', groupId: school.groupId, verified: false }),
      ];
      await change('school.endMemberships', {
        membershipIds: pupils.map(({ as }) => as),
        reason: 'expelled',
      });
      return pupils.map(() => ({ action: 'membershipEnded' as const, after: { reason: 'expelled' } }));
    },
    'school.restoreMembership': async (change) => {
      const { as: membershipId } = await put({});
      await rooms.call('school.endMembership', school.admin, { membershipId, reason: 'mistake' });
      await change('school.restoreMembership', { membershipId });
      return [{ action: 'membershipRestored', before: { reason: 'mistake' }, after: { role: 'teacher' } }];
    },
    'school.handOver': async (change) => {
      const attachment = { groupId: school.groupId, kind: 'class', subject: null } as const;
      const from = await put({ attachments: [attachment] });
      const to = await put({});
      await change('school.handOver', {
        membershipId: from.as,
        toId: to.as,
        attachments: [attachment],
        conversationIds: [],
        leaves: true,
      });
      return [
        { action: 'teacherDetached', member: { membershipId: from.as, fullName: 'Новая Ирина' } },
        { action: 'teacherAttached', member: { membershipId: to.as, fullName: 'Новая Ирина' } },
        { action: 'handedOver', after: { toId: to.as, groups: 1, conversations: 0 } },
        { action: 'membershipEnded', after: { reason: 'left' } },
      ];
    },
    'school.changeRole': async (change) => {
      const { as: membershipId } = await put({});
      await change('school.changeRole', { membershipId, role: 'head' });
      return [
        { action: 'membershipStarted', after: { role: 'head' } },
        { action: 'roleChanged', before: { role: 'teacher' }, after: { role: 'head' } },
        { action: 'membershipEnded', after: { reason: 'moved' } },
      ];
    },
    'school.appointHead': async (change) => {
      await change('school.appointHead', { membershipId: school.head.as });
      return [{ action: 'headAppointed', member: { membershipId: school.head.as, fullName: 'Орлов Пётр' } }];
    },
    'school.dismissHead': async (change) => {
      await change('school.dismissHead', { membershipId: school.head.as });
      return [{ action: 'headDismissed' }];
    },
    'school.applyRollover': async (change) => {
      const { plan } = unwrap(await rooms.call('school.planRollover', school.admin, { choices: noChoices }));
      await change('school.applyRollover', { choices: noChoices, digest: plan.digest });
      return [{ action: 'rolloverApplied', after: expect.objectContaining({ archived: 0, graduates: 0 }) }];
    },
    'school.undoRollover': async (change) => {
      const { rollover } = unwrap(await rooms.call('school.findRollover', school.admin, {}));
      await change('school.undoRollover', { rolloverId: rollover?.id });
      return [{ action: 'rolloverUndone', after: { restored: 0 } }];
    },
    'school.settleNotice': async (change) => {
      const { as: membershipId } = await put({});
      await rooms.platform.database.inTransaction((tx) =>
        raiseNotice(tx, school.schoolId, { kind: 'strangeSignIn', membershipId }),
      );
      const open = unwrap(await rooms.call('school.listNotices', school.admin, { state: 'open' })).notices;
      const raised = open.find((each) => each.member?.membershipId === membershipId);
      await change('school.settleNotice', { noticeId: raised?.id });
      return [
        {
          action: 'noticeSettled',
          member: { membershipId, fullName: 'Новая Ирина' },
          before: { kind: 'strangeSignIn' },
        },
      ];
    },
  };

describe('the audit log', () => {
  const reading = /^school\.(?:get|list|find|count|plan|preview)/;
  const changing = Object.values(procedureContract)
    .filter(({ name, access }) => name.startsWith('school.') && access === 'member' && !reading.test(name))
    .map(({ name }) => name);

  it.each(changing)('keeps who did what, when and from where: %s', async (name) => {
    const began = Date.now();
    const expected = await changes[name]?.(async (procedure, input) => {
      unwrap(await rooms.call(procedure as 'school.getSchool', school.admin, input as never, { address }));
    });
    if (expected === undefined) throw new Error(`Say what ${name} leaves in the audit log.`);
    const left = await newest(expected.length);
    expect(left).toMatchObject(
      expected.map((each) => ({
        by: { membershipId: school.admin.as, fullName: 'Петрова Анна Ивановна' },
        address,
        ...each,
      })),
    );
    for (const each of left) expect(Date.parse(each.at)).toBeGreaterThanOrEqual(began - 1_000);
  });

  it('keeps what people do for themselves, and what the operator does', async () => {
    const { token } = unwrap(
      await rooms.call('school.createInvite', school.admin, { role: 'pupil', groupId: school.groupId }),
    );
    const accountId = await newAccount(rooms);
    const caller = { accountId, sessionId: crypto.randomUUID() as Person['caller']['sessionId'] };
    const membership = joined(
      await rooms.call('school.redeemInvite', caller, { token, fullName: 'Зорин Глеб' }, { address }),
    );
    const by = { membershipId: membership.id, fullName: 'Зорин Глеб' };
    expect(await newest(2)).toMatchObject([
      { action: 'membershipStarted', by, address },
      { action: 'inviteRedeemed', by, address, after: { role: 'pupil' } },
    ]);
    const [account] = await rooms.platform.database.client`
      select phone from accounts where id = ${accountId}`;
    const device = await signIn(rooms, account?.phone);
    unwrap(await rooms.call('accounts.reportStrangeSignIn', device.caller, {}, { address }));
    expect(await newest(1)).toMatchObject([{ action: 'strangeSignInReported', by, address }]);
    expect((await records(school.admin, { action: 'schoolCreated' }))[0]).toMatchObject({
      by: null,
      address: null,
    });
  });

  it('leaves nothing of what was refused or changed nothing', async () => {
    const mine = await makeSchool(rooms);
    const teacher = await enrol(rooms, mine.schoolId, {
      role: 'teacher',
      fullName: 'Новая Ирина',
      verified: true,
    });
    const attachment = { membershipId: teacher.as, groupId: mine.groupId, kind: 'class' as const };
    unwrap(await rooms.call('school.attachTeacher', mine.admin, attachment));
    unwrap(await rooms.call('school.annulAllInvites', mine.admin, {}));
    const before = await records(mine.admin);

    expect(outcomeOf(await rooms.call('school.createGroup', mine.admin, { name: '7Б' }))).toBe('NAME_TAKEN');
    const last = { membershipId: mine.admin.as, reason: 'left' as const };
    expect(outcomeOf(await rooms.call('school.endMembership', mine.admin, last))).toBe('LAST_ADMIN');
    expect(outcomeOf(await rooms.call('school.createGroup', teacher, { name: '9Э' }))).toBe('FORBIDDEN');
    unwrap(await rooms.call('school.attachTeacher', mine.admin, attachment));
    unwrap(await rooms.call('school.annulAllInvites', mine.admin, {}));
    expect(await records(mine.admin)).toEqual(before);
  });

  it('can be altered by nobody, not even by whoever holds the database', async () => {
    const { client } = rooms.platform.database;
    await expect(client`update audit_records set after = null`).rejects.toThrow(/final/);
    await expect(client`delete from audit_records`).rejects.toThrow(/final/);
    await expect(client`truncate audit_records`).rejects.toThrow(/final/);
  });

  it('is filtered by action, by person and by time, in pages', async () => {
    const all = await records(school.admin);
    expect(all.length).toBeGreaterThan(10);
    const action: AuditAction = 'groupCreated';
    expect(new Set((await records(school.admin, { action })).map((each) => each.action))).toEqual(
      new Set([action]),
    );
    const [, second] = all;
    const rest = unwrap(
      await rooms.call('school.listAuditRecords', school.admin, { after: second?.id as never, limit: 3 }),
    );
    expect(rest.records.map((each) => each.id)).toEqual(all.slice(2, 5).map((each) => each.id));
    expect(rest.hasMore).toBe(true);
    expect(await records(school.admin, { until: '2020-01-01T00:00:00.000Z' })).toEqual([]);
    expect(await records(school.admin, { from: '2020-01-01T00:00:00.000Z' })).toHaveLength(all.length);
    const by = all.find((each) => each.by !== null && each.by.membershipId !== school.admin.as)?.by
      ?.membershipId;
    expect((await records(school.admin, { by })).every((each) => each.by?.membershipId === by)).toBe(true);
    const unknown = crypto.randomUUID() as MembershipId;
    for (const input of [{ by: unknown }, { member: unknown }, { after: unknown as never }]) {
      expect(outcomeOf(await rooms.call('school.listAuditRecords', school.admin, input))).toBe('NOT_FOUND');
    }
  });

  it('shows a teacher their groups, everybody else themselves, and nobody another school', async () => {
    const teacher = await put({
      attachments: [{ groupId: school.otherGroupId, kind: 'class', subject: null }],
    });
    const theirs = await records(teacher);
    expect(theirs.length).toBeGreaterThan(0);
    for (const each of theirs) {
      expect([each.group?.groupId, each.member?.membershipId, each.by?.membershipId]).toSatisfy(
        (ids: unknown[]) => ids.includes(school.otherGroupId) || ids.includes(teacher.as),
      );
    }
    const pupil = await put({ role: 'pupil', groupId: school.otherGroupId, verified: false });
    expect(await records(pupil)).toMatchObject([
      { action: 'membershipStarted', member: { membershipId: pupil.as } },
    ]);
    expect(await records(pupil, { member: school.admin.as })).toEqual([]);
    const foreign = await makeSchool(rooms);
    const seen = await records(foreign.admin);
    expect(seen.some((each) => each.by?.membershipId === school.admin.as)).toBe(false);
  });

  it('is given out as a table, filtered, with names for ids and no formulas, and that it was is on record', async () => {
    const mine = await makeSchool(rooms);
    const child = { guardianId: mine.unlinked.as, childId: mine.pupil.as };
    unwrap(await rooms.call('school.linkGuardian', mine.admin, child));
    unwrap(await rooms.call('school.updateSchool', mine.admin, { address: '«Мира», 2' }));
    const basis = '=HYPERLINK("https://evil.example")';
    unwrap(await rooms.call('school.verifyTeacher', mine.admin, { membershipId: mine.unverified.as, basis }));

    const whole = await tables.takeAudit(mine.admin, 'timeZone=Europe/Moscow');
    expect(whole.headers['content-type']).toBe('text/csv; charset=utf-8');
    const lines = whole.body.replace('\ufeff', '').trimEnd().split('\r\n');
    expect(lines[0]).toBe('Когда (Europe/Moscow);Что сделано;Кто;О ком;Класс;Было;Стало;Сетевой адрес');
    // Its own record is the newest, and stands first.
    expect(lines[1]).toMatch(/;Сохранение журнала;Петрова Анна Ивановна;/);
    expect(lines).toHaveLength((await records(mine.admin)).length + 1);
    expect(whole.body).toContain('ребёнок: Смирнов Илья');
    expect(whole.body).not.toContain(mine.pupil.as);
    // Nothing in it begins a formula.
    for (const cell of lines.flatMap((row) => row.split(';'))) expect(cell).not.toMatch(/^"?[=+\-@]/);

    const few = await tables.takeAudit(mine.head, `action=groupCreated&by=${mine.head.as}`);
    expect(few.body.trimEnd().split('\r\n')).toHaveLength(1);
    expect((await records(mine.head, { action: 'auditExported' }))[0]).toMatchObject({
      by: { membershipId: mine.head.as },
      after: { action: 'groupCreated', byId: mine.head.as },
      names: { [mine.head.as]: 'Орлов Пётр' },
    });

    const kept = (await records(mine.admin)).length;
    for (const person of [mine.classTeacher, mine.unverified, mine.pupil, mine.guardian]) {
      expect((await tables.takeAudit(person)).json()).toMatchObject({ code: 'FORBIDDEN' });
    }
    for (const query of ['action=nothing', 'timeZone=Mars/Base', 'from=yesterday', 'schoolId=1']) {
      expect((await tables.takeAudit(mine.admin, query)).json()).toMatchObject({ code: 'VALIDATION' });
    }
    const foreign = await tables.takeAudit(mine.admin, `by=${school.admin.as}`);
    expect(foreign.json()).toMatchObject({ code: 'NOT_FOUND' });
    expect((await tables.takeAudit(mine.admin, '', { origin: 'https://example.org' })).json()).toMatchObject({
      code: 'ORIGIN_REFUSED',
    });
    expect(await records(mine.admin)).toHaveLength(kept);
  });

  it('knows every action that its contract names', async () => {
    // What is kept of what changes nothing: everybody's data left the server.
    await tables.download(school.admin, 'format=csv');
    await tables.takeAudit(school.admin);
    const kept = new Set((await records(school.admin)).map((each) => each.action));
    const operators = ['schoolSuspended', 'schoolResumed'];
    expect(auditActions.filter((action) => !kept.has(action)).sort()).toEqual(operators.sort());
    expect(auditActions.filter((action) => actionNames[action] === undefined)).toEqual([]);
  });
});
