import type { GroupId, InviteId, MembershipId } from '@zvonok/shared';
import type { RunningApp } from './app.ts';

export interface Seat {
  readonly token: string;
  readonly membershipId: MembershipId;
  readonly phone: string;
}

/** A small real school, made the way an administrator makes one: over the API. */
export interface SchoolFixture {
  readonly admin: Seat;
  readonly pupil: Seat;
  readonly guardian: Seat;
  readonly ids: {
    readonly group: GroupId;
    readonly pupil: MembershipId;
    readonly guardian: MembershipId;
    readonly invite: InviteId;
    readonly joinRequest: string;
    readonly auditRecord: string;
    readonly notice: string;
    readonly rosterEntry: string;
    readonly import: string;
    readonly request: string;
    readonly staff: MembershipId;
    readonly rollover: string;
    readonly conversation: string;
    readonly call: string;
  };
}

/** `phonePrefix` is a phone short of its last four digits. */
export async function createSchoolFixture(
  running: RunningApp,
  name: string,
  phonePrefix: string,
): Promise<SchoolFixture> {
  const ask = <T>(procedure: string, input: object, token: string) =>
    answerOf<T>(running, procedure, input, token);
  const adminPhone = `${phonePrefix}0001`;
  const { platform, accounts, school } = running.app;
  await platform.database.inTransaction(async (tx) =>
    school.operator.createSchool(tx, {
      name,
      admin: { accountId: await accounts.ensureAccount(tx, adminPhone), fullName: 'Ольга Сергеевна' },
      basis: 'приказ 1',
    }),
  );
  const admin = { ...(await running.session(adminPhone)), phone: adminPhone };
  const as = admin.membershipId;
  const { group } = await ask<{ group: { id: GroupId } }>(
    'school.createGroup',
    { as, name: '7Б' },
    admin.token,
  );

  const place = { admin, ids: { group: group.id } };
  const pupil = await joinAs(running, place, 'pupil', `${phonePrefix}0011`, 'Петя Иванов');
  const guardian = await joinAs(running, place, 'guardian', `${phonePrefix}0021`, 'Мария Иванова');
  const { invite } = await ask<{ invite: { id: InviteId } }>(
    'school.createInvite',
    { as, role: 'pupil', groupId: group.id },
    admin.token,
  );
  const { code } = await ask<{ code: string }>('school.rotateJoinCode', { as }, admin.token);
  const applicant = await running.session(`${phonePrefix}0095`, undefined, code);
  const { request: asked } = await ask<{ request: { id: string } }>(
    'school.submitJoinRequest',
    { code, role: 'pupil', fullName: 'Олег Сидоров' },
    applicant.token,
  );
  const { records } = await ask<{ records: { id: string }[] }>(
    'school.listAuditRecords',
    { as, limit: 1 },
    admin.token,
  );
  const teacher = await joinAs(running, place, 'teacher', `${phonePrefix}0091`, 'Вера Котова');
  await ask('accounts.reportStrangeSignIn', {}, teacher.token);
  const { notices } = await ask<{ notices: { id: string }[] }>(
    'school.listNotices',
    { as, state: 'open' },
    admin.token,
  );
  // A file that nobody reads any more, and somebody who is expected: what the tables hold is enough for their ids.
  const [expected] = await platform.database.client<{ entry: string; import: string }[]>`
    with entry as (
      insert into roster_entries (school_id, id, role, full_name, match_key, group_id)
      select school_id, gen_random_uuid(), 'pupil', 'Вера Котова', 'вера котова', ${group.id}
      from memberships where id = ${pupil.membershipId} returning id
    ), import as (
      insert into roster_imports (school_id, id, state, file_name, created_by)
      select school_id, gen_random_uuid(), 'ready', 'people.csv', id
      from memberships where id = ${admin.membershipId} returning id
    ) select entry.id as entry, import.id as import from entry, import`;
  const { request } = await ask<{ request: { id: string } }>(
    'school.createRequest',
    {
      as: guardian.membershipId,
      what: { kind: 'linkOwnChild', childName: 'Петя Иванов', groupName: '7Б' },
    },
    guardian.token,
  );
  // One that changed nothing and was taken back: the class keeps its name.
  const [rollover] = await platform.database.client<{ id: string }[]>`
    insert into rollovers (school_id, id, applied_by, undone_at, undone_by, changes)
    select school_id, gen_random_uuid(), id, now(), id, '{"groups":[],"created":[],"graduated":[],"reassigned":[]}'
    from memberships where id = ${as} returning id`;
  const { conversations } = await ask<{ conversations: { id: string; channel: string | null }[] }>(
    'chat.listConversations',
    { as },
    admin.token,
  );
  const channel = conversations.find((conversation) => conversation.channel === 'general');
  if (channel === undefined) throw new Error('The school has no general channel.');
  return {
    admin,
    pupil,
    guardian,
    ids: {
      group: group.id,
      pupil: pupil.membershipId,
      guardian: guardian.membershipId,
      invite: invite.id,
      joinRequest: asked.id,
      auditRecord: records[0]?.id ?? '',
      notice: notices[0]?.id ?? '',
      rosterEntry: expected?.entry ?? '',
      import: expected?.import ?? '',
      request: request.id,
      staff: as,
      rollover: rollover?.id ?? '',
      conversation: channel.id,
      // There is no live call without a media worker: both ids are unknown to the caller all the same.
      call: '01890000-0000-7000-8000-00000000ca11',
    },
  };
}

async function answerOf<T>(running: RunningApp, procedure: string, input: object, token: string): Promise<T> {
  const { status, text } = await running.post(procedure, input, token);
  if (status !== 200) throw new Error(`${procedure}: ${text}`);
  return JSON.parse(text) as T;
}

/** Somebody redeems an invite of the school's class, as a stranger with a link does. */
export async function joinAs(
  running: RunningApp,
  place: { readonly admin: Seat; readonly ids: { readonly group: GroupId } },
  role: 'pupil' | 'guardian' | 'teacher',
  phone: string,
  fullName: string,
): Promise<Seat> {
  const { admin, ids } = place;
  const { token: inviteToken } = await answerOf<{ token: string }>(
    running,
    'school.createInvite',
    { as: admin.membershipId, role, ...(role === 'teacher' ? {} : { groupId: ids.group }) },
    admin.token,
  );
  const { token } = await running.session(phone, inviteToken);
  const { membership } = await answerOf<{ membership: { id: MembershipId } }>(
    running,
    'school.redeemInvite',
    { token: inviteToken, fullName },
    token,
  );
  return { token, membershipId: membership.id, phone };
}
