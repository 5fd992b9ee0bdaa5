import { type AccountId, accountLimits, type MembershipId, type SessionId } from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signal } from '../platform/outbound.ts';
import type { Caller } from '../platform/procedures.ts';
import { outcomeOf, type Person, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, newAccount, nextPhone, type TestSchool } from '../testing/school.ts';
import { askCode, readCode, type SentCode, signIn } from '../testing/sign-in.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms({ confirmations: 'asked' });
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const query = (...args: Parameters<Rooms['platform']['database']['client']['unsafe']>) =>
  rooms.platform.database.client.unsafe(...args);

const phoneOf = async (accountId: AccountId): Promise<string> => {
  const [row] = await query('select phone from accounts where id = $1', [accountId]);
  return row?.phone;
};
const wrongOf = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
const asPerson = (person: Person, caller: Caller): Person => ({ ...person, caller });

/** The administrator on a device of their own. */
async function adminDevice() {
  const device = await signIn(rooms, await phoneOf(school.admin.caller.accountId));
  return { ...device, admin: asPerson(school.admin, device.caller) };
}
/** As if the session had been confirmed so long ago. */
const age = (caller: Caller, ms: number) =>
  query('update sessions set confirmed_at = now() - make_interval(secs => $2) where id = $1', [
    caller.sessionId,
    ms / 1_000,
  ]);
const goStale = (caller: Caller) => age(caller, accountLimits.confirmationMs + 1_000);

const askConfirmation = (caller: Caller) =>
  readCode(rooms, async () => unwrap(await rooms.call('accounts.requestConfirmation', caller, {})));
const confirm = (caller: Caller, typed: SentCode) => rooms.call('accounts.confirm', caller, typed);

const newTeacher = () =>
  enrol(rooms, school.schoolId, { role: 'teacher', fullName: 'Новая Ирина', verified: true });
/** The dangerous action of these tests. */
const end = async (by: Person, membershipId?: MembershipId) =>
  outcomeOf(
    await rooms.call('school.endMembership', by, {
      membershipId: membershipId ?? (await newTeacher()).as,
      reason: 'left',
    }),
  );

describe('a dangerous action', () => {
  it('is vouched for by a sign-in for some minutes, then by a repeated code', async () => {
    const { admin, caller } = await adminDevice();
    expect(await end(admin)).toBe('ok');
    await age(caller, accountLimits.confirmationMs - 5_000);
    expect(await end(admin)).toBe('ok');

    await goStale(caller);
    const teacher = await newTeacher();
    expect(await end(admin, teacher.as)).toBe('CONFIRMATION_REQUIRED');
    const [kept] = await query('select ended_at from memberships where id = $1', [teacher.as]);
    expect(kept?.ended_at).toBeNull();
    // What is not dangerous goes on.
    expect(outcomeOf(await rooms.call('school.listMembers', admin, {}))).toBe('ok');

    const asked = await askConfirmation(caller);
    expect(rooms.texts.at(-1)?.phone).toBe(await phoneOf(caller.accountId));
    const { confirmedUntil } = unwrap(await confirm(caller, asked));
    const leftMs = Date.parse(confirmedUntil) - Date.now();
    expect(Math.abs(leftMs - accountLimits.confirmationMs)).toBeLessThan(10_000);
    expect(await end(admin, teacher.as)).toBe('ok');
    expect(outcomeOf(await confirm(caller, asked))).toBe('CODE_WRONG');
  });

  it('is asked about last: not of strangers, not for what is malformed', async () => {
    const { admin, caller } = await adminDevice();
    await goStale(caller);
    const { pupil } = school;
    const elsewhere = { ...pupil, caller };
    expect(await end(elsewhere)).toBe('FORBIDDEN');
    expect(outcomeOf(await rooms.call('school.endMembership', admin, {} as never))).toBe('VALIDATION');
    expect(outcomeOf(await rooms.call('school.endMembership', undefined, {} as never))).toBe(
      'UNAUTHENTICATED',
    );
    expect(outcomeOf(await rooms.call('desk.resumeSchool', caller, { schoolId: school.schoolId }))).toBe(
      'FORBIDDEN',
    );
    await rooms.platform.database.inTransaction((tx) =>
      rooms.desk.addOperator(tx, caller.accountId, 'Оператор'),
    );
    expect(outcomeOf(await rooms.call('desk.resumeSchool', caller, { schoolId: school.schoolId }))).toBe(
      'CONFIRMATION_REQUIRED',
    );
  });

  it('is confirmed for the session that asked, and for no other', async () => {
    const one = await adminDevice();
    const other = await adminDevice();
    await goStale(one.caller);
    await goStale(other.caller);
    const asked = await askConfirmation(one.caller);
    // The other device of the same person can't use it, and has used none of its tries.
    for (let n = 0; n < accountLimits.codeTries; n += 1) {
      expect(outcomeOf(await confirm(other.caller, asked))).toBe('CODE_WRONG');
    }
    unwrap(await confirm(one.caller, asked));
    expect(await end(one.admin)).toBe('ok');
    expect(await end(other.admin)).toBe('CONFIRMATION_REQUIRED');
    // A new token is still the same session.
    unwrap(await rooms.call('accounts.refreshSession', one.caller, {}));
    expect(await end(one.admin)).toBe('ok');
  });

  it('takes no code that was sent to sign in, and its own code signs nobody in', async () => {
    const { caller } = await adminDevice();
    const phone = await phoneOf(caller.accountId);
    const toSignIn = await askCode(rooms, phone);
    const toConfirm = await askConfirmation(caller);
    expect(outcomeOf(await confirm(caller, toSignIn))).toBe('CODE_WRONG');
    expect(
      outcomeOf(await rooms.call('accounts.verifyCode', undefined, { ...toConfirm, carrier: 'bearer' })),
    ).toBe('CODE_WRONG');
    // Each is good for what it was sent for.
    unwrap(await confirm(caller, toConfirm));
    unwrap(await rooms.call('accounts.verifyCode', undefined, { ...toSignIn, carrier: 'bearer' }));
  });

  it('compares no more than five tries, and takes a right code once, however many come at once', async () => {
    const { admin, caller } = await adminDevice();
    await goStale(caller);
    const guessed = await askConfirmation(caller);
    const guesses = await Promise.all(
      Array.from({ length: 30 }, () => confirm(caller, { ...guessed, code: wrongOf(guessed.code) })),
    );
    expect(new Set(guesses.map(outcomeOf))).toEqual(new Set(['CODE_WRONG']));
    const [row] = await query('select tries from code_challenges where id = $1', [guessed.challengeId]);
    expect(row?.tries).toBe(accountLimits.codeTries);
    expect(outcomeOf(await confirm(caller, guessed))).toBe('CODE_WRONG');
    expect(await end(admin)).toBe('CONFIRMATION_REQUIRED');

    const right = await askConfirmation(caller);
    const tries = await Promise.all(
      Array.from({ length: accountLimits.codeTries }, () => confirm(caller, right)),
    );
    expect(tries.map(outcomeOf).filter((outcome) => outcome === 'ok')).toHaveLength(1);
  });

  it('expires its code, and confirms no session that is over', async () => {
    const { caller } = await adminDevice();
    const late = await askConfirmation(caller);
    await query('update code_challenges set expires_at = now() where id = $1', [late.challengeId]);
    expect(outcomeOf(await confirm(caller, late))).toBe('CODE_WRONG');
    const asked = await askConfirmation(caller);
    unwrap(await rooms.call('accounts.signOut', caller, {}));
    expect(outcomeOf(await confirm(caller, asked))).toBe('UNAUTHENTICATED');
  });

  it('sends no more codes to a phone than signing in does, both counted together', async () => {
    const limited = await startRooms({ rateLimits: 'on' });
    try {
      const phone = nextPhone();
      await limited.platform.database.inTransaction((tx) => limited.accounts.ensureAccount(tx, phone));
      const { caller } = await signIn(limited, phone);
      for (let n = 1; n < accountLimits.codesPerPhone.max; n += 1) {
        unwrap(await limited.call('accounts.requestConfirmation', caller, {}));
      }
      expect(outcomeOf(await limited.call('accounts.requestConfirmation', caller, {}))).toBe('RATE_LIMITED');
      expect(outcomeOf(await limited.call('accounts.requestCode', undefined, { phone }))).toBe(
        'RATE_LIMITED',
      );
    } finally {
      await limited.close();
    }
  });
});

describe('a strange sign-in', () => {
  const report = (caller: Caller, sessionId?: SessionId, options = {}) =>
    rooms.call('accounts.reportStrangeSignIn', caller, sessionId === undefined ? {} : { sessionId }, options);
  // The namesakes whom other tests put into the school are told of too.
  const openNotices = async (of: TestSchool) =>
    unwrap(await rooms.call('school.listNotices', of.admin, { state: 'open' })).notices.filter(
      ({ kind }) => kind === 'strangeSignIn',
    );

  /** A teacher of one school who is a parent in it and in another. */
  async function knownInTwoSchools() {
    const elsewhere = await makeSchool(rooms, 'Школа №30');
    const accountId = await newAccount(rooms);
    const put = (of: TestSchool, role: 'teacher' | 'guardian') =>
      enrol(rooms, of.schoolId, {
        role,
        accountId,
        fullName: 'Белова Зоя',
        ...(role === 'guardian' ? { groupId: of.groupId } : {}),
      });
    return {
      elsewhere,
      accountId,
      teacher: await put(school, 'teacher'),
      guardian: await put(school, 'guardian'),
      other: await put(elsewhere, 'guardian'),
      phone: await phoneOf(accountId),
    };
  }

  it('ends every session at once, burns open codes and tells each school once', async () => {
    const person = await knownInTwoSchools();
    const mine = await signIn(rooms, person.phone);
    const strange = await signIn(rooms, person.phone);
    const neighbour = await signIn(rooms, await phoneOf(school.pupil.caller.accountId));
    const toSignIn = await askCode(rooms, person.phone);
    rooms.announced.length = 0;
    let cleared = false;
    const carrier = { set: () => undefined, clear: () => (cleared = true) };

    unwrap(await report(mine.caller, strange.caller.sessionId, { carrier, address: '198.51.100.7' }));

    expect(cleared).toBe(true);
    expect(await rooms.accounts.findSession(mine.token)).toBeUndefined();
    expect(await rooms.accounts.findSession(strange.token)).toBeUndefined();
    expect(await rooms.accounts.findSession(neighbour.token)).toBeDefined();
    const ended = rooms.announced.find(
      (each) => each.kind === 'signal' && each.signal.name === 'sessionsEnded',
    );
    expect(ended).toEqual(
      signal({
        name: 'sessionsEnded',
        sessionIds: expect.arrayContaining([mine.caller.sessionId, strange.caller.sessionId]),
      }),
    );
    expect(
      outcomeOf(await rooms.call('accounts.verifyCode', undefined, { ...toSignIn, carrier: 'bearer' })),
    ).toBe('CODE_WRONG');

    const member = { membershipId: person.teacher.as, fullName: 'Белова Зоя', role: 'teacher' };
    expect(await openNotices(school)).toMatchObject([{ kind: 'strangeSignIn', member }]);
    expect(await openNotices(person.elsewhere)).toMatchObject([
      { member: { membershipId: person.other.as, role: 'guardian' } },
    ]);
    const { records } = unwrap(
      await rooms.call('school.listAuditRecords', school.admin, { action: 'strangeSignInReported' }),
    );
    expect(records).toMatchObject([
      {
        by: { membershipId: person.teacher.as },
        member: { membershipId: person.teacher.as },
        before: { device: 'Chrome, Android', signedInAt: expect.any(String) },
        address: '198.51.100.7',
      },
    ]);

    // The owner comes back with a code sent since.
    const back = await signIn(rooms, person.phone);
    expect(await rooms.accounts.findSession(back.token)).toBeDefined();
    // Whoever was thrown out does not throw them out in turn with what a node may still remember.
    expect(outcomeOf(await report(strange.caller))).toBe('UNAUTHENTICATED');
    expect(await rooms.accounts.findSession(back.token)).toBeDefined();
  });

  it('names no device of somebody else', async () => {
    const person = await knownInTwoSchools();
    const mine = await signIn(rooms, person.phone);
    const neighbour = await signIn(rooms, await phoneOf(school.pupil.caller.accountId));
    unwrap(await report(mine.caller, neighbour.caller.sessionId));
    expect(await rooms.accounts.findSession(neighbour.token)).toBeDefined();
    const { records } = unwrap(
      await rooms.call('school.listAuditRecords', person.elsewhere.admin, {
        action: 'strangeSignInReported',
      }),
    );
    expect(records).toMatchObject([{ before: null }]);
  });

  it('leaves no session to whoever redeems a code at that moment', async () => {
    const phone = await phoneOf(await newAccount(rooms));
    for (let round = 0; round < 8; round += 1) {
      const { caller } = await signIn(rooms, phone);
      const asked = await askCode(rooms, phone);
      const [reported] = await Promise.all([
        report(caller),
        rooms.call('accounts.verifyCode', undefined, { ...asked, carrier: 'bearer' }),
      ]);
      unwrap(reported);
      expect(await query('select 1 from sessions where account_id = $1', [caller.accountId])).toHaveLength(0);
    }
  });
});
