import { accountLimits } from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, newPhonelessAccount, nextPhone, type TestSchool } from '../testing/school.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const query = (text: string, values: readonly unknown[]) =>
  rooms.platform.database.client.unsafe(text, values as never[]);
const newPupil = async (groupId = school.groupId) =>
  enrol(rooms, school.schoolId, {
    role: 'pupil',
    fullName: 'Дроздов Марк',
    groupId,
    accountId: await newPhonelessAccount(rooms),
  });
const givePhone = ({ caller }: Person) =>
  query('update accounts set phone = $2 where id = $1', [caller.accountId, nextPhone()]);
const issue = (pupil: Person, by = school.classTeacher) =>
  rooms.call('school.issueCard', by, { membershipId: pupil.as });
const enter = (token: string, pin: string, shared = false) =>
  rooms.call('accounts.signInByCard', undefined, { token, pin, carrier: 'bearer', shared });
const wrong = (pin: string) => String((Number(pin) + 1) % 10_000).padStart(4, '0');
const cardOf = async (pupil: Person) =>
  unwrap(
    await rooms.call('school.getClassRegister', school.classTeacher, { groupId: school.groupId }),
  ).pupils.find(({ membershipId }) => membershipId === pupil.as)?.card;

it('lets an expected child without a phone in: a member by the card, who signs in with its PIN alone', async () => {
  const entryId = uuid();
  await query(
    `insert into roster_entries (school_id, id, role, full_name, match_key, group_id)
     values ($1, $2, 'pupil', 'Ёжиков Тим', 'ежиков тим', $3)`,
    [school.schoolId, entryId, school.groupId],
  );
  const card = unwrap(
    await rooms.call('school.admitWithCard', school.classTeacher, { entryId: entryId as never }),
  );
  expect(card).toMatchObject({ fullName: 'Ёжиков Тим', groupName: '7Б' });
  expect(outcomeOf(await enter(card.token, wrong(card.pin)))).toBe('CARD_WRONG');
  const started = unwrap(await enter(card.token, card.pin));
  expect(started).toMatchObject({
    account: { phone: null },
    memberships: [{ id: card.membershipId, role: 'pupil', groupName: '7Б' }],
    shared: false,
  });
  // Nothing that is stored opens it, and nobody comes as this child again.
  const [row] = await query('select * from cards where account_id = $1', [started.account.id]);
  for (const secret of [card.token, card.pin])
    expect(JSON.stringify(Object.values(row ?? {}))).not.toContain(`"${secret}"`);
  expect(
    outcomeOf(await rooms.call('school.admitWithCard', school.classTeacher, { entryId: entryId as never })),
  ).toBe('NOT_FOUND');
});

it('rests after 5 wrong PINs, however many come at once, is spent after 15, and tells who answers for the class', async () => {
  const pupil = await newPupil();
  const { token, pin } = unwrap(await issue(pupil));
  rooms.announced.length = 0;
  const tries = await Promise.all(Array.from({ length: 20 }, () => enter(token, wrong(pin))));
  const outcomes = tries.map(outcomeOf);
  expect(outcomes.filter((outcome) => outcome === 'CARD_WRONG')).toHaveLength(accountLimits.cardTriesAtOnce);
  expect(outcomes.filter((outcome) => outcome === 'CARD_LOCKED')).toHaveLength(15);
  // The right one does not help while it rests.
  const locked = await enter(token, pin);
  expect(locked).toMatchObject({
    ok: false,
    error: { code: 'CARD_LOCKED', retryAfterMs: expect.any(Number) },
  });
  expect(await cardOf(pupil)).toMatchObject({ state: 'locked' });
  const told = rooms.announced.flatMap((each) =>
    each.kind === 'event' && each.name === 'school.classRegisterChanged' ? [each.audience] : [],
  );
  expect(told).toContainEqual({ membership: school.classTeacher.as });
  const { notices } = unwrap(await rooms.call('school.listNotices', school.admin, { state: 'open' }));
  expect(notices).toContainEqual(
    expect.objectContaining({
      kind: 'cardLocked',
      member: expect.objectContaining({ membershipId: pupil.as }),
    }),
  );

  for (let round = 1; round < 3; round += 1) {
    await query('update cards set locked_until = now() where account_id = $1', [pupil.caller.accountId]);
    for (let n = 0; n < accountLimits.cardTriesAtOnce; n += 1) await enter(token, wrong(pin));
  }
  await query('update cards set locked_until = now() where account_id = $1', [pupil.caller.accountId]);
  const spent = await enter(token, pin);
  expect(spent).toMatchObject({ ok: false, error: { code: 'CARD_LOCKED' } });
  expect(spent.ok || spent.error.retryAfterMs).toBeUndefined();
  expect(await cardOf(pupil)).toMatchObject({ state: 'spent' });
  const again = unwrap(await issue(pupil));
  expect(outcomeOf(await enter(again.token, again.pin))).toBe('ok');
});

it('ends with its sessions when a new one is given or it is taken back, also under who signs in at that moment', async () => {
  const pupil = await newPupil();
  for (let round = 0; round < 6; round += 1) {
    const old = unwrap(await issue(pupil));
    unwrap(await enter(old.token, old.pin));
    const [fresh] = await Promise.all([issue(pupil), enter(old.token, old.pin)]);
    const { token, pin } = unwrap(fresh);
    expect(
      await query('select 1 from sessions where account_id = $1', [pupil.caller.accountId]),
    ).toHaveLength(0);
    expect(outcomeOf(await enter(old.token, old.pin))).toBe('CARD_WRONG');
    expect(outcomeOf(await enter(token, pin))).toBe('ok');
  }
  const card = unwrap(await issue(pupil));
  const { token } = unwrap(await enter(card.token, card.pin));
  unwrap(await rooms.call('school.revokeCard', school.classTeacher, { membershipId: pupil.as }));
  expect(await rooms.accounts.findSession(token ?? '')).toBeUndefined();
  expect(outcomeOf(await enter(card.token, card.pin))).toBe('CARD_WRONG');
});

it('opens one pupil’s membership and no more: it ends when they become more, or leave', async () => {
  const elsewhere = await makeSchool(rooms, 'Лицей №2');
  const pupil = await newPupil();
  const { accountId } = pupil.caller;
  const { token, pin } = unwrap(await issue(pupil));
  await givePhone(pupil);
  const person = { fullName: 'Дроздов Марк', accountId, groupId: elsewhere.groupId };
  await enrol(rooms, elsewhere.schoolId, { role: 'pupil', ...person });
  expect(outcomeOf(await enter(token, pin))).toBe('CARD_WRONG');
  expect(outcomeOf(await issue(pupil))).toBe('CARD_REFUSED');

  const leaver = await newPupil();
  const card = unwrap(await issue(leaver));
  unwrap(await rooms.call('school.endMembership', school.admin, { membershipId: leaver.as, reason: 'left' }));
  expect(outcomeOf(await enter(card.token, card.pin))).toBe('CARD_WRONG');
});

it('is given by the class teacher of the class and by administrators alone', async () => {
  const pupil = await newPupil();
  for (const person of [
    school.head,
    school.subjectTeacher,
    school.unverified,
    school.pupil,
    school.guardian,
  ]) {
    expect(outcomeOf(await issue(pupil, person))).toBe('FORBIDDEN');
  }
  const absent = await rooms.call('school.issueCard', school.classTeacher, { membershipId: uuid() as never });
  expect(outcomeOf(absent)).toBe('NOT_FOUND');
  const foreign = await makeSchool(rooms, 'Лицей №3');
  for (const other of [school.otherPupil, school.guardian, foreign.pupil]) {
    expect(await issue(other)).toEqual(absent);
  }
  expect(outcomeOf(await issue(pupil, school.admin))).toBe('ok');
});

it('is not given to whoever has a phone to come by; one that they have still can be taken back', async () => {
  expect(outcomeOf(await issue(school.classmate))).toBe('CARD_REFUSED');
  expect(await cardOf(school.classmate)).toBeNull();
  const pupil = await newPupil();
  const { token, pin } = unwrap(await issue(pupil));
  await givePhone(pupil);
  expect(outcomeOf(await issue(pupil, school.admin))).toBe('CARD_REFUSED');
  expect(outcomeOf(await enter(token, pin))).toBe('ok');
  unwrap(await rooms.call('school.revokeCard', school.classTeacher, { membershipId: pupil.as }));
  expect(outcomeOf(await enter(token, pin))).toBe('CARD_WRONG');
});

describe('a card that somebody gave who answers for the child no more', () => {
  const membershipOf = ({ as: membershipId }: Person) => ({ membershipId });
  const led = (groupId = school.groupId) => ({ groupId, kind: 'class', subject: null }) as const;
  const newTeacher = () =>
    enrol(rooms, school.schoolId, {
      role: 'teacher',
      fullName: 'Чернов Глеб',
      verified: true,
      attachments: [led(), led(school.otherGroupId)],
    });
  /** A teacher of two classes, with a card that they gave in each and the sessions begun by them. */
  async function give(teacher?: Person) {
    const giver = teacher ?? (await newTeacher());
    const [here, there] = [await newPupil(), await newPupil(school.otherGroupId)];
    const given: { card: { token: string; pin: string }; session: string }[] = [];
    for (const pupil of [here, there]) {
      const card = unwrap(await issue(pupil, giver));
      given.push({ card, session: unwrap(await enter(card.token, card.pin)).token ?? '' });
    }
    /** Of the two cards, each with the session that was begun by it, which still open the account. */
    const works = async () => {
      const states = [];
      for (const { card, session } of given) {
        const open = (await rooms.accounts.findSession(session)) !== undefined;
        expect((await enter(card.token, card.pin)).ok).toBe(open);
        states.push(open);
      }
      return { here: states[0], there: states[1] };
    };
    return { giver, here, there, works };
  }
  const recorded = async ({ as }: Person) =>
    (await query(`select 1 from audit_records where action = 'cardRevoked' and membership_id = $1`, [as]))
      .length;

  it('ends with the class they led, and not those of the class they still lead', async () => {
    const { giver, here, there, works } = await give();
    expect(await works()).toEqual({ here: true, there: true });
    rooms.announced.length = 0;
    const detached = { ...membershipOf(giver), groupId: school.groupId, kind: 'class' } as const;
    unwrap(await rooms.call('school.detachTeacher', school.admin, detached));
    expect(await works()).toEqual({ here: false, there: true });
    expect(rooms.announced).toContainEqual(
      expect.objectContaining({
        name: 'school.classRegisterChanged',
        audience: { membership: school.classTeacher.as },
      }),
    );
    expect([await recorded(here), await recorded(there)]).toEqual([1, 0]);
  });

  it('ends by a hand-over, at the turn of the year, with the verification, the role and the membership', async () => {
    const none = { here: false, there: false };
    const handed = await give();
    unwrap(
      await rooms.call('school.handOver', school.admin, {
        ...membershipOf(handed.giver),
        toId: school.otherTeacher.as,
        attachments: [led()],
        conversationIds: [],
        leaves: false,
      }),
    );
    expect(await handed.works()).toEqual({ here: false, there: true });

    const followed = await give();
    const choices = {
      classes: [
        { groupId: school.groupId, action: 'keep' as const },
        { groupId: school.otherGroupId, action: 'keep' as const },
      ],
      newClasses: [],
      teachers: [{ ...led(), ...membershipOf(followed.giver), toId: null }],
    };
    const { plan } = unwrap(await rooms.call('school.planRollover', school.admin, { choices }));
    unwrap(await rooms.call('school.applyRollover', school.admin, { choices, digest: plan.digest }));
    expect(await followed.works()).toEqual({ here: false, there: true });

    const revoked = await give();
    const reason = { ...membershipOf(revoked.giver), reason: 'документ оказался чужим' };
    unwrap(await rooms.call('school.revokeVerification', school.admin, reason));
    expect(await revoked.works()).toEqual(none);

    const ended = await give();
    const left = { ...membershipOf(ended.giver), reason: 'left' } as const;
    unwrap(await rooms.call('school.endMembership', school.admin, left));
    expect(await ended.works()).toEqual(none);

    const promoted = await give();
    const toHead = { ...membershipOf(promoted.giver), role: 'head' } as const;
    unwrap(await rooms.call('school.changeRole', school.admin, toHead));
    expect(await promoted.works()).toEqual(none);

    const appointed = unwrap(
      await rooms.call('school.appointAdmin', school.admin, membershipOf(school.otherTeacher)),
    );
    const dismissed = await give({ ...school.otherTeacher, as: appointed.membershipId });
    expect(await dismissed.works()).toEqual({ here: true, there: true });
    const end = { ...membershipOf(dismissed.giver), reason: 'left' } as const;
    unwrap(await rooms.call('school.endMembership', school.admin, end));
    expect(await dismissed.works()).toEqual(none);
  });

  it('is not left behind by one that is given while the right goes', async () => {
    for (let round = 0; round < 6; round += 1) {
      const teacher = await newTeacher();
      const pupil = await newPupil();
      const detached = { ...membershipOf(teacher), groupId: school.groupId, kind: 'class' } as const;
      const [issued] = await Promise.all([
        issue(pupil, teacher),
        rooms.call('school.detachTeacher', school.admin, detached),
      ]);
      if (issued.ok) {
        const { token, pin } = issued.result;
        expect(outcomeOf(await enter(token, pin))).toBe('CARD_WRONG');
      }
      expect(await cardOf(pupil)).toBeNull();
    }
  });
});

it('begins a session on a shared device that ends when nobody is there', async () => {
  const pupil = await newPupil();
  const card = unwrap(await issue(pupil));
  const { token, shared } = unwrap(await enter(card.token, card.pin, true));
  expect(shared).toBe(true);
  const caller = await rooms.accounts.findSession(token ?? '');
  if (caller === undefined) throw new Error('a fresh token opens nothing');
  const { sessions } = unwrap(await rooms.call('accounts.listSessions', caller, {}));
  expect(sessions).toMatchObject([{ card: true, shared: true }]);
  const age = (ms: number) =>
    query(`update sessions set last_used_at = now() - $2 * interval '1 millisecond' where id = $1`, [
      caller.sessionId,
      ms,
    ]);
  await age(accountLimits.sharedIdleMs - 60_000);
  unwrap(await rooms.call('accounts.keepSession', caller, {}));
  expect(outcomeOf(await rooms.call('accounts.getMe', caller, {}))).toBe('ok');
  await age(accountLimits.sharedIdleMs + 1_000);
  expect(outcomeOf(await rooms.call('accounts.keepSession', caller, {}))).toBe('UNAUTHENTICATED');
  expect(outcomeOf(await rooms.call('accounts.getMe', caller, {}))).toBe('UNAUTHENTICATED');
});

it('is kept on a shared device by nobody’s open tab, which connects anew and changes its token', async () => {
  const pupil = await newPupil();
  const card = unwrap(await issue(pupil));
  const [shared, own] = [
    unwrap(await enter(card.token, card.pin, true)),
    unwrap(await enter(card.token, card.pin)),
  ];
  await query(
    `update sessions set last_used_at = now() - $2 * interval '1 millisecond' where account_id = $1`,
    [pupil.caller.accountId, accountLimits.sharedIdleMs - 60_000],
  );
  const lastUse = async ({ sessionId }: typeof shared) => {
    const [row] = await query(
      'select extract(epoch from last_used_at)::float8 as at from sessions where id = $1',
      [sessionId],
    );
    return Number(row?.at);
  };
  const before = [await lastUse(shared), await lastUse(own)];
  const caller = await rooms.accounts.findSession(shared.token ?? '');
  if (caller === undefined) throw new Error('a token opens nothing');
  expect(await rooms.accounts.findSession(own.token ?? '')).toBeDefined();
  await expect.poll(() => lastUse(own)).toBeGreaterThan(before[1] ?? 0);
  const { token } = unwrap(await rooms.call('accounts.refreshSession', caller, {}));
  expect(await rooms.accounts.findSession(token ?? '')).toMatchObject({ sessionId: shared.sessionId });
  expect(await lastUse(shared)).toBe(before[0]);
});
