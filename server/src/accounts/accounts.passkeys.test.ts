import { type AccountId, accountLimits, type PasskeyId } from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../platform/procedures.ts';
import { Authenticator, type Misconduct } from '../testing/authenticator.ts';
import { outcomeOf, type Rooms, startRooms, testOrigin, unwrap } from '../testing/rooms.ts';
import { enrol, makeSchool, nextPhone, type TestSchool } from '../testing/school.ts';
import { signIn } from '../testing/sign-in.ts';

/** Configured as a server that others can reach: what demo mode waives holds here. */
let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms({ deployed: true, confirmations: 'asked' });
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const query = (...args: Parameters<Rooms['platform']['database']['client']['unsafe']>) =>
  rooms.platform.database.client.unsafe(...args);

interface Someone {
  readonly phone: string;
  readonly accountId: AccountId;
  readonly device: Authenticator;
}

async function someone(): Promise<Someone> {
  const phone = nextPhone();
  const accountId = await rooms.platform.database.inTransaction((tx) =>
    rooms.accounts.ensureAccount(tx, phone),
  );
  return { phone, accountId, device: new Authenticator(testOrigin) };
}

async function teacher(): Promise<Someone> {
  const person = await someone();
  await enrol(rooms, school.schoolId, {
    role: 'teacher',
    fullName: 'Ключева Алла',
    accountId: person.accountId,
    verified: true,
  });
  return person;
}

async function operator(): Promise<Someone> {
  const person = await someone();
  await rooms.platform.database.inTransaction((tx) =>
    rooms.desk.addOperator(tx, person.accountId, 'Оператор Олег'),
  );
  return person;
}

async function callerOfToken(token: string | null): Promise<Caller> {
  const caller = await rooms.accounts.findSession(token ?? '');
  if (caller === undefined) throw new Error('a fresh token opens nothing');
  return caller;
}

const signInByCode = async ({ phone }: Pick<Someone, 'phone'>) => (await signIn(rooms, phone)).caller;

async function register(caller: Caller, device: Authenticator, misconduct?: Misconduct) {
  const asked = await rooms.call('accounts.beginPasskeyRegistration', caller, {});
  if (!asked.ok) return asked;
  const { challengeId, options } = asked.result;
  const credential = device.create(options, misconduct);
  return rooms.call('accounts.finishPasskeyRegistration', caller, { challengeId, credential });
}

async function signInByPasskey(device: Authenticator, misconduct?: Misconduct) {
  const { challengeId, options } = unwrap(await rooms.call('accounts.beginPasskeySignIn', undefined, {}));
  return rooms.call('accounts.finishPasskeySignIn', undefined, {
    challengeId,
    credential: device.get(options, misconduct),
    carrier: 'bearer',
  });
}

async function confirm(caller: Caller, device: Authenticator, misconduct?: Misconduct) {
  const { challengeId, options } = unwrap(await rooms.call('accounts.beginPasskeyConfirmation', caller, {}));
  const credential = device.get(options, misconduct);
  return rooms.call('accounts.finishPasskeyConfirmation', caller, { challengeId, credential });
}

const standingOf = async (caller: Caller) => unwrap(await rooms.call('accounts.listPasskeys', caller, {}));
const desk = async (caller: Caller) => outcomeOf(await rooms.call('desk.listSchools', caller, {}));
/** As if the person had proved who they are so long ago. */
const age = (caller: Caller) =>
  query('update sessions set confirmed_at = confirmed_at - make_interval(secs => $2) where id = $1', [
    caller.sessionId,
    accountLimits.confirmationMs / 1_000,
  ]);

describe('a passkey of staff', () => {
  it('is added after a code, signs in without one, and is marked in the list of devices', async () => {
    const person = await teacher();
    const laptop = await signInByCode(person);
    expect(await standingOf(laptop)).toEqual({
      passkeys: [],
      allowed: true,
      required: false,
      confirmed: false,
    });
    rooms.announced.length = 0;
    const { passkey } = unwrap(await register(laptop, person.device));
    expect(passkey).toMatchObject({ name: 'Chrome, Android', lastUsedAt: null });
    expect(JSON.stringify(rooms.announced)).toContain('accounts.passkeysChanged');

    const started = unwrap(await signInByPasskey(person.device));
    expect(started).toMatchObject({ account: { phone: person.phone }, operator: false });
    expect(started.memberships).toHaveLength(1);
    const phone = await callerOfToken(started.token);
    const { sessions } = unwrap(await rooms.call('accounts.listSessions', phone, {}));
    expect(sessions.map((session) => session.passkey)).toEqual([true, true]);
    const later = await signInByCode(person);
    const listed = unwrap(await rooms.call('accounts.listSessions', later, {})).sessions;
    expect(listed.find((session) => session.current)).toMatchObject({ passkey: false });
    expect((await standingOf(phone)).passkeys[0]?.lastUsedAt).not.toBeNull();
  });

  it('is renamed and removed by its owner alone; removed, it opens nothing and its devices are signed out', async () => {
    const person = await teacher();
    const laptop = await signInByCode(person);
    const { passkey } = unwrap(await register(laptop, person.device));
    const byKey = unwrap(await signInByPasskey(person.device));
    const stranger = await signInByCode(await teacher());
    const named = { passkeyId: passkey.id, name: 'Ноутбук в учительской' };
    for (const attempt of [
      rooms.call('accounts.renamePasskey', stranger, named),
      rooms.call('accounts.removePasskey', stranger, { passkeyId: passkey.id }),
      rooms.call('accounts.removePasskey', laptop, { passkeyId: crypto.randomUUID() as PasskeyId }),
    ]) {
      expect(outcomeOf(await attempt)).toBe('NOT_FOUND');
    }
    unwrap(await rooms.call('accounts.renamePasskey', laptop, named));
    expect((await standingOf(laptop)).passkeys).toMatchObject([{ name: named.name }]);

    unwrap(await rooms.call('accounts.removePasskey', laptop, { passkeyId: passkey.id }));
    expect(await standingOf(laptop)).toMatchObject({ passkeys: [], confirmed: false });
    expect(await rooms.accounts.findSession(byKey.token ?? '')).toBeUndefined();
    expect(outcomeOf(await signInByPasskey(person.device))).toBe('PASSKEY_INVALID');
  });

  it('needs a fresh proof of who adds it: a code, or a passkey that is there already', async () => {
    const person = await teacher();
    const caller = await signInByCode(person);
    await age(caller);
    expect(outcomeOf(await register(caller, person.device))).toBe('CONFIRMATION_REQUIRED');
    const fresh = await signInByCode(person);
    unwrap(await register(fresh, person.device));
    await age(fresh);
    expect(outcomeOf(await register(fresh, new Authenticator(testOrigin)))).toBe('CONFIRMATION_REQUIRED');
    unwrap(await confirm(fresh, person.device));
    unwrap(await register(fresh, new Authenticator(testOrigin)));
    expect((await standingOf(fresh)).passkeys).toHaveLength(2);
  });

  it('vouches for dangerous actions for a while, as a code does', async () => {
    const person = await teacher();
    const caller = await signInByCode(person);
    unwrap(await register(caller, person.device));
    await age(caller);
    expect(await rooms.accounts.isConfirmed(caller)).toBe(false);
    unwrap(await confirm(caller, person.device));
    expect(await rooms.accounts.isConfirmed(caller)).toBe(true);
    await age(caller);
    expect(await rooms.accounts.isConfirmed(caller)).toBe(false);
  });

  it('is one of ten at most, two at once included, and nobody adds the same one twice', async () => {
    const person = await teacher();
    const caller = await signInByCode(person);
    for (let n = 1; n < accountLimits.passkeysPerAccount; n++) {
      unwrap(await register(caller, new Authenticator(testOrigin)));
    }
    const outcomes = await Promise.all(
      [1, 2, 3].map(async () => outcomeOf(await register(caller, new Authenticator(testOrigin)))),
    );
    expect(outcomes.sort()).toEqual(['PASSKEYS_FULL', 'PASSKEYS_FULL', 'ok']);

    const other = await teacher();
    const theirs = await signInByCode(other);
    const begin = async () => unwrap(await rooms.call('accounts.beginPasskeyRegistration', theirs, {}));
    const [first, second] = [await begin(), await begin()];
    const credential = other.device.create(first.options);
    const finish = (challengeId: typeof first.challengeId) =>
      rooms.call('accounts.finishPasskeyRegistration', theirs, { challengeId, credential });
    unwrap(await finish(first.challengeId));
    // The answer to another question, and to the same one again.
    expect(outcomeOf(await finish(second.challengeId))).toBe('PASSKEY_INVALID');
    expect(outcomeOf(await finish(first.challengeId))).toBe('PASSKEY_INVALID');
  });
});

it('is for staff and operators: nobody else adds one', async () => {
  for (const person of [school.pupil, school.guardian, school.unlinked]) {
    const caller = await realCaller(person.caller);
    expect(await standingOf(caller)).toMatchObject({ allowed: false });
    expect(outcomeOf(await register(caller, new Authenticator(testOrigin)))).toBe('WRONG_ROLE');
  }
});

/** The test school's people have no session of their own until they sign in. */
async function realCaller({ accountId }: Caller): Promise<Caller> {
  const [row] = await query('select phone from accounts where id = $1', [accountId]);
  return signInByCode({ phone: row?.phone });
}

describe('an answer of a passkey', () => {
  it.each<[string, Misconduct]>([
    ['from another page', { origin: 'https://zvonok.example' }],
    ['with the key of another host', { rpId: 'evil.example' }],
    ['without its owner’s finger or PIN', { unverified: true }],
    ['signed by another key', { foreignKey: true }],
    ['of a copy, whose counter went back', { counter: 1 }],
  ])('%s opens nothing', async (_what, misconduct) => {
    const person = await teacher();
    const caller = await signInByCode(person);
    unwrap(await register(caller, person.device));
    unwrap(await signInByPasskey(person.device));
    unwrap(await signInByPasskey(person.device));
    expect(outcomeOf(await signInByPasskey(person.device, misconduct))).toBe('PASSKEY_INVALID');
    expect(outcomeOf(await confirm(caller, person.device, misconduct))).toBe('PASSKEY_INVALID');
    expect(outcomeOf(await signInByPasskey(person.device))).toBe('ok');
  });

  it.each<[string, Misconduct]>([
    ['from another page', { origin: 'https://zvonok.example' }],
    ['for another host', { rpId: 'evil.example' }],
    ['without its owner’s finger or PIN', { unverified: true }],
    // Its certificate may name an address to be fetched from.
    ['with a certificate that nobody asked for', { certificate: Buffer.from('3003020101', 'hex') }],
  ])('%s adds nothing', async (_what, misconduct) => {
    const person = await teacher();
    const caller = await signInByCode(person);
    expect(outcomeOf(await register(caller, person.device, misconduct))).toBe('PASSKEY_INVALID');
    expect((await standingOf(caller)).passkeys).toEqual([]);
  });

  it('counts once, in time, in the session and for the purpose that it was asked for', async () => {
    const person = await teacher();
    const caller = await signInByCode(person);
    unwrap(await register(caller, person.device));
    const signIn = (asked: { challengeId: never; options: never }) =>
      rooms.call('accounts.finishPasskeySignIn', undefined, {
        challengeId: asked.challengeId,
        credential: person.device.get(asked.options),
        carrier: 'bearer',
      });
    const begin = async () =>
      unwrap(await rooms.call('accounts.beginPasskeySignIn', undefined, {})) as never as {
        challengeId: never;
        options: never;
      };
    const asked = await begin();
    const answers = await Promise.all([signIn(asked), signIn(asked), signIn(asked)]);
    expect(answers.map(outcomeOf).sort()).toEqual(['PASSKEY_INVALID', 'PASSKEY_INVALID', 'ok']);

    const late = await begin();
    await query('update passkey_challenges set expires_at = now() where id = $1', [late.challengeId]);
    expect(outcomeOf(await signIn(late))).toBe('PASSKEY_INVALID');

    const other = await signInByCode(person);
    const mine = unwrap(await rooms.call('accounts.beginPasskeyConfirmation', caller, {}));
    expect(outcomeOf(await signIn(mine as never))).toBe('PASSKEY_INVALID');
    const again = unwrap(await rooms.call('accounts.beginPasskeyConfirmation', caller, {}));
    const fromElsewhere = await rooms.call('accounts.finishPasskeyConfirmation', other, {
      challengeId: again.challengeId,
      credential: person.device.get(again.options),
    });
    expect(outcomeOf(fromElsewhere)).toBe('PASSKEY_INVALID');
    expect(await standingOf(other)).toMatchObject({ confirmed: false });
  });

  it('confirms no session of somebody else', async () => {
    const [mine, theirs] = [await teacher(), await teacher()];
    const [caller, thief] = [await signInByCode(mine), await signInByCode(theirs)];
    unwrap(await register(caller, mine.device));
    unwrap(await register(thief, theirs.device));
    const asked = unwrap(await rooms.call('accounts.beginPasskeyConfirmation', caller, {}));
    const { options } = unwrap(await rooms.call('accounts.beginPasskeyConfirmation', thief, {}));
    const credential = theirs.device.get({ ...options, challenge: asked.options.challenge });
    const { challengeId } = asked;
    const outcome = await rooms.call('accounts.finishPasskeyConfirmation', caller, {
      challengeId,
      credential,
    });
    expect(outcomeOf(outcome)).toBe('PASSKEY_INVALID');
  });

  it('that is no answer is refused as a wrong one', async () => {
    const { challengeId } = unwrap(await rooms.call('accounts.beginPasskeySignIn', undefined, {}));
    const response = { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' };
    expect(
      outcomeOf(
        await rooms.call('accounts.finishPasskeySignIn', undefined, {
          challengeId,
          credential: { id: 'AAAA', response },
          carrier: 'bearer',
        }),
      ),
    ).toBe('PASSKEY_INVALID');
    const caller = await signInByCode(await teacher());
    const asked = unwrap(await rooms.call('accounts.beginPasskeyRegistration', caller, {}));
    const credential = { id: 'AAAA', response: { clientDataJSON: 'AAAA', attestationObject: 'gICA' } };
    expect(
      outcomeOf(
        await rooms.call('accounts.finishPasskeyRegistration', caller, {
          challengeId: asked.challengeId,
          credential,
        }),
      ),
    ).toBe('PASSKEY_INVALID');
  });
});

describe('a report of a strange sign-in', () => {
  const report = async (caller: Caller, strange: Caller) =>
    unwrap(await rooms.call('accounts.reportStrangeSignIn', caller, { sessionId: strange.sessionId }));

  it('takes away the passkeys that were added since, and leaves those of before', async () => {
    const person = await teacher();
    const mine = await signInByCode(person);
    unwrap(await register(mine, person.device));
    const intruder = await signInByCode(person);
    const left = new Authenticator(testOrigin);
    unwrap(await register(intruder, left));
    await report(mine, intruder);
    expect(outcomeOf(await signInByPasskey(left))).toBe('PASSKEY_INVALID');
    const back = unwrap(await signInByPasskey(person.device));
    expect(await rooms.accounts.findSession(back.token ?? '')).toBeDefined();
  });

  it('does not rid an operator of a passkey: whoever has taken over their phone can’t begin anew', async () => {
    const person = await operator();
    const intruder = await signInByCode(person);
    unwrap(await register(await signInByCode(person), person.device));
    await report(intruder, intruder);
    expect(outcomeOf(await signInByPasskey(person.device))).toBe('ok');
    expect(await desk(await signInByCode(person))).toBe('PASSKEY_REQUIRED');
  });
});

describe('an operator', () => {
  it('adds a first passkey after a code; from then on the desk opens to a session that has seen one', async () => {
    const person = await operator();
    const first = await signInByCode(person);
    expect(await desk(first)).toBe('PASSKEY_REQUIRED');
    expect(await standingOf(first)).toMatchObject({ required: true, confirmed: false });
    unwrap(await register(first, person.device));
    expect(await desk(first)).toBe('ok');

    // Whoever has taken over the phone gets a code, and no further.
    const byCode = await signInByCode(person);
    expect(await desk(byCode)).toBe('PASSKEY_REQUIRED');
    expect(outcomeOf(await register(byCode, new Authenticator(testOrigin)))).toBe('PASSKEY_REQUIRED');
    const { passkeys } = await standingOf(byCode);
    const passkeyId = passkeys[0]?.id as PasskeyId;
    expect(outcomeOf(await rooms.call('accounts.removePasskey', byCode, { passkeyId }))).toBe(
      'PASSKEY_REQUIRED',
    );
    expect(outcomeOf(await rooms.call('accounts.renamePasskey', byCode, { passkeyId, name: 'Мой' }))).toBe(
      'PASSKEY_REQUIRED',
    );

    unwrap(await confirm(byCode, person.device));
    expect(await desk(byCode)).toBe('ok');
    expect(await desk(await callerOfToken(unwrap(await signInByPasskey(person.device)).token))).toBe('ok');
  });

  it('keeps at least one passkey, two removals at once included', async () => {
    const person = await operator();
    const caller = await signInByCode(person);
    const spare = new Authenticator(testOrigin);
    const keys = [
      unwrap(await register(caller, person.device)).passkey,
      unwrap(await register(caller, spare)).passkey,
    ];
    // Each removal is asked for in a session that the other key has confirmed.
    const sessions = [caller, await callerOfToken(unwrap(await signInByPasskey(person.device)).token)];
    const outcomes = await Promise.all(
      keys.map(async (key, n) =>
        outcomeOf(await rooms.call('accounts.removePasskey', sessions[n] as Caller, { passkeyId: key.id })),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome !== 'ok')[0]).toMatch(/LAST_PASSKEY|PASSKEY_REQUIRED/);
    const left = await query('select 1 from passkeys where account_id = $1', [person.accountId]);
    expect(left).toHaveLength(1);
  });

  it('whose passkeys are lost begins anew by code, with every device signed out', async () => {
    const person = await operator();
    const caller = await signInByCode(person);
    unwrap(await register(caller, person.device));
    const { database } = rooms.platform;
    expect(await database.inTransaction((tx) => rooms.accounts.resetPasskeys(tx, person.accountId))).toBe(1);
    expect(await desk(caller)).toBe('PASSKEY_REQUIRED');
    expect(outcomeOf(await signInByPasskey(person.device))).toBe('PASSKEY_INVALID');
    const again = await signInByCode(person);
    unwrap(await register(again, new Authenticator(testOrigin)));
    expect(await desk(again)).toBe('ok');
  });
});
