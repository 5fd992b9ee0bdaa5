import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChallengeId, InviteId, SessionId } from '@zvonok/shared';
import { accountLimits } from '@zvonok/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLogger } from '../platform/logger.ts';
import { signal } from '../platform/outbound.ts';
import { normalisePhone } from '../platform/phone.ts';
import { openRedis } from '../platform/redis.ts';
import { callerOf, outcomeOf, type Rooms, startRooms, unwrap } from '../testing/rooms.ts';
import { makeSchool, newAccount, nextPhone, type TestSchool } from '../testing/school.ts';
import { askCode as askCodeOf, signIn as signInTo } from '../testing/sign-in.ts';
import { deviceNameOf } from './accounts.sessions.actions.ts';
import { createConsoleSender, createHttpSender } from './sms.ts';

let rooms: Rooms;
let school: TestSchool;
beforeAll(async () => {
  rooms = await startRooms();
  school = await makeSchool(rooms);
});
afterAll(() => rooms?.close());

const query = (...args: Parameters<Rooms['platform']['database']['client']['unsafe']>) =>
  rooms.platform.database.client.unsafe(...args);

async function knownPhone(): Promise<string> {
  const phone = nextPhone();
  await rooms.platform.database.inTransaction((tx) => rooms.accounts.ensureAccount(tx, phone));
  return phone;
}

const askCode = (phone: string, inviteToken?: string) => askCodeOf(rooms, phone, inviteToken);
const signIn = (phone: string) => signInTo(rooms, phone);

const wrongOf = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

it('brings phones to E.164', () => {
  for (const typed of ['8 (912) 345-67-89', '+7 912 345 67 89', '9123456789', '79123456789']) {
    expect(normalisePhone(typed)).toBe('+79123456789');
  }
  expect(normalisePhone('+375 29 123 45 67')).toBe('+375291234567');
  for (const typed of ['112', '+7 495 123-45-67', '+71234567890', '+7 912 345 67 890', '+7912345678']) {
    expect(() => normalisePhone(typed)).toThrow('phone number');
  }
});

it('signs a known person in, once per code, and says who they are', async () => {
  const phone = await knownPhone();
  const asked = await askCode(phone);
  const started = unwrap(await rooms.call('accounts.verifyCode', undefined, { ...asked, carrier: 'bearer' }));
  expect(started.token).toMatch(/^[\w-]{43}$/);
  expect(started.account.phone).toBe(phone);
  expect(outcomeOf(await rooms.call('accounts.verifyCode', undefined, { ...asked, carrier: 'bearer' }))).toBe(
    'CODE_WRONG',
  );
  const stored = await query('select * from sessions where id = $1', [started.sessionId]);
  expect(JSON.stringify(stored)).not.toContain(started.token);
});

it('answers the same for a stranger, sends them nothing and lets no code in', async () => {
  const stranger = nextPhone();
  const before = rooms.texts.length;
  const known = unwrap(await rooms.call('accounts.requestCode', undefined, { phone: await knownPhone() }));
  const unknown = unwrap(await rooms.call('accounts.requestCode', undefined, { phone: stranger }));
  expect(Object.keys(unknown)).toEqual(Object.keys(known));
  expect(unknown.resendAfterMs).toBe(known.resendAfterMs);
  expect(unknown.challengeId).toHaveLength(known.challengeId.length);
  expect(Date.parse(unknown.expiresAt) - Date.now()).toBeGreaterThan(accountLimits.codeLifeMs - 10_000);
  await expect.poll(() => rooms.texts.length).toBe(before + 1);
  expect(rooms.texts.some((text) => text.phone === stranger)).toBe(false);
  // Even the right code of a stranger, which nobody was sent, makes no account.
  const guess = { challengeId: unknown.challengeId, code: '000000', carrier: 'bearer' as const };
  expect(await rooms.call('accounts.verifyCode', undefined, guess)).toEqual(
    await rooms.call('accounts.verifyCode', undefined, { ...guess, challengeId: known.challengeId }),
  );
  expect(await query('select 1 from accounts where phone = $1', [stranger])).toHaveLength(0);
});

it('gives a stranger with an open invite a code and an account, and nobody with a dead one', async () => {
  const make = async () =>
    unwrap(await rooms.call('school.createInvite', school.admin, { role: 'pupil', groupId: school.groupId }));
  const open = await make();
  const phone = nextPhone();
  const asked = await askCode(phone, open.token);
  const { account } = unwrap(
    await rooms.call('accounts.verifyCode', undefined, { ...asked, carrier: 'bearer' }),
  );
  expect(account.phone).toBe(phone);

  const dead = await make();
  unwrap(await rooms.call('school.annulInvite', school.admin, { inviteId: dead.invite.id as InviteId }));
  const before = rooms.texts.length;
  unwrap(
    await rooms.call('accounts.requestCode', undefined, { phone: nextPhone(), inviteToken: dead.token }),
  );
  // The next text is that of a known person: nothing was sent in between.
  const last = await askCode(await knownPhone());
  expect(last.code).not.toBe('');
  expect(rooms.texts.length).toBe(before + 1);
});

it('compares no more than five tries with a code, however many come at once', async () => {
  const { challengeId, code } = await askCode(await knownPhone());
  const tries = await Promise.all(
    Array.from({ length: 40 }, () =>
      rooms.call('accounts.verifyCode', undefined, { challengeId, code: wrongOf(code), carrier: 'bearer' }),
    ),
  );
  expect(new Set(tries.map(outcomeOf))).toEqual(new Set(['CODE_WRONG']));
  const [row] = await query('select tries from code_challenges where id = $1', [challengeId]);
  expect(row?.tries).toBe(accountLimits.codeTries);
  // The right one comes too late.
  expect(
    outcomeOf(await rooms.call('accounts.verifyCode', undefined, { challengeId, code, carrier: 'bearer' })),
  ).toBe('CODE_WRONG');
});

it('lets the right code in once, of many that bring it at once', async () => {
  const { challengeId, code } = await askCode(await knownPhone());
  const tries = await Promise.all(
    Array.from({ length: 5 }, () =>
      rooms.call('accounts.verifyCode', undefined, { challengeId, code, carrier: 'bearer' }),
    ),
  );
  expect(tries.map(outcomeOf).filter((outcome) => outcome === 'ok')).toHaveLength(1);
});

it('refuses an expired code, another challenge and a challenge that never was', async () => {
  const asked = await askCode(await knownPhone());
  const other = await askCode(await knownPhone());
  const verify = (challengeId: ChallengeId, code: string) =>
    rooms.call('accounts.verifyCode', undefined, { challengeId, code, carrier: 'bearer' });
  expect(outcomeOf(await verify(other.challengeId, asked.code))).toBe('CODE_WRONG');
  expect(outcomeOf(await verify(crypto.randomUUID() as ChallengeId, asked.code))).toBe('CODE_WRONG');
  await query('update code_challenges set expires_at = now() where id = $1', [asked.challengeId]);
  expect(outcomeOf(await verify(asked.challengeId, asked.code))).toBe('CODE_WRONG');
  // What is over goes with the next request.
  await askCode(await knownPhone());
  expect(await query('select 1 from code_challenges where id = $1', [asked.challengeId])).toHaveLength(0);
});

it('limits codes per phone and per address, with limits on', async () => {
  const limited = await startRooms({ rateLimits: 'on' });
  try {
    const ask = (phone: string, address: string) =>
      limited.call('accounts.requestCode', undefined, { phone }, { address });
    const phone = nextPhone();
    for (let n = 0; n < accountLimits.codesPerPhone.max; n++) {
      // Differently typed and from elsewhere: still one phone.
      unwrap(await ask(n % 2 === 0 ? phone : phone.replace('+7', '8 '), `192.0.2.${n}`));
    }
    const refused = await ask(phone, '192.0.2.200');
    expect(outcomeOf(refused)).toBe('RATE_LIMITED');
    expect(refused.ok ? 0 : (refused.error.retryAfterMs ?? 0)).toBeGreaterThan(0);
    expect(outcomeOf(await ask(nextPhone(), '192.0.2.200'))).toBe('ok');
  } finally {
    await limited.close();
  }
});

it('sets a cookie where one is asked for, keeps the token out of the reply, and clears it at sign-out', async () => {
  const phone = await knownPhone();
  const asked = await askCode(phone);
  let cookie: string | undefined;
  const carrier = {
    set: (token: string) => {
      cookie = token;
    },
    clear: () => {
      cookie = undefined;
    },
  };
  const started = unwrap(
    await rooms.call('accounts.verifyCode', undefined, { ...asked, carrier: 'cookie' }, { carrier }),
  );
  expect(started.token).toBeNull();
  const caller = await rooms.accounts.findSession(cookie ?? '');
  expect(caller?.sessionId).toBe(started.sessionId);
  // A script in the page can't turn the cookie into a token it can read.
  const refreshed = unwrap(await rooms.call('accounts.refreshSession', caller, {}, { carrier }));
  expect(refreshed.token).toBeNull();
  expect(outcomeOf(await rooms.call('accounts.refreshSession', caller, {}))).toBe('FORBIDDEN');
  unwrap(await rooms.call('accounts.signOut', caller, {}, { carrier }));
  expect(cookie).toBeUndefined();
});

it('rotates a token: a lost reply locks nobody out, two tabs agree, the old one ends', async () => {
  const { token, caller } = await signIn(await knownPhone());
  const first = unwrap(await rooms.call('accounts.refreshSession', caller, {}));
  const second = unwrap(await rooms.call('accounts.refreshSession', caller, {}));
  expect(second.token).toBe(first.token);
  // Nobody has used the new one: the old one is good.
  await expect.poll(() => rooms.accounts.findSession(token)).toEqual(caller);
  expect(await rooms.accounts.findSession(first.token ?? '')).toEqual(caller);
  // In its minute of grace, and after it.
  expect(await rooms.accounts.findSession(token)).toEqual(caller);
  await query(`update sessions set previous_until = now() where id = $1`, [caller.sessionId]);
  await expect.poll(() => rooms.accounts.findSession(token), { timeout: 3_000 }).toBeUndefined();
  expect(await rooms.accounts.findSession(first.token ?? '')).toEqual(caller);
});

it('forgets a session that was idle for 30 days', async () => {
  const { token, caller } = await signIn(await knownPhone());
  await query(`update sessions set last_used_at = now() - interval '30 days 1 minute' where id = $1`, [
    caller.sessionId,
  ]);
  await expect.poll(() => rooms.accounts.findSession(token), { timeout: 3_000 }).toBeUndefined();
});

it('lists devices, ends one and all others at once, and only one’s own', async () => {
  const phone = await knownPhone();
  const laptop = await signIn(phone);
  const phoneDevice = await signIn(phone);
  const stranger = await signIn(await knownPhone());
  const list = unwrap(await rooms.call('accounts.listSessions', laptop.caller, {})).sessions;
  expect(list.map((session) => session.current).sort()).toEqual([false, true]);
  expect(list[0]?.deviceName).toBe('Chrome, Android');

  const revoke = (sessionId: SessionId) => rooms.call('accounts.revokeSession', laptop.caller, { sessionId });
  const foreign = await revoke(stranger.caller.sessionId);
  expect(outcomeOf(foreign)).toBe('NOT_FOUND');
  expect(foreign).toEqual(await revoke(crypto.randomUUID() as SessionId));
  expect(await rooms.accounts.findSession(stranger.token)).toBeDefined();

  rooms.announced.length = 0;
  unwrap(await revoke(phoneDevice.caller.sessionId));
  // The token was in the cache a moment ago.
  expect(await rooms.accounts.findSession(phoneDevice.token)).toBeUndefined();
  expect(rooms.announced).toContainEqual(
    signal({ name: 'sessionsEnded', sessionIds: [phoneDevice.caller.sessionId] }),
  );

  const third = await signIn(phone);
  expect(unwrap(await rooms.call('accounts.revokeOtherSessions', laptop.caller, {})).revoked).toBe(1);
  expect(await rooms.accounts.findSession(third.token)).toBeUndefined();
  expect(await rooms.accounts.findSession(laptop.token)).toBeDefined();
  expect(unwrap(await rooms.call('accounts.getMe', laptop.caller, {})).account.phone).toBe(phone);
  unwrap(await rooms.call('accounts.signOut', laptop.caller, {}));
  expect(outcomeOf(await rooms.call('accounts.getMe', laptop.caller, {}))).toBe('UNAUTHENTICATED');
});

it('keeps at most so many devices of one account', async () => {
  const accountId = await newAccount(rooms);
  const ids = Array.from({ length: accountLimits.sessionsPerAccount + 3 }, () => crypto.randomUUID());
  for (const [age, id] of ids.entries()) {
    await query(
      `insert into sessions (id, account_id, token_hash, carrier, device_name, last_used_at)
       values ($1::text::uuid, $2, $1::text, 'bearer', 'old', now() - make_interval(hours => $3))`,
      [id, accountId, age],
    );
  }
  const [{ phone } = { phone: '' }] = await query('select phone from accounts where id = $1', [accountId]);
  const { started } = await signIn(phone);
  const left = unwrap(await rooms.call('accounts.listSessions', callerOf(accountId), {})).sessions;
  expect(left).toHaveLength(accountLimits.sessionsPerAccount);
  expect(left[0]?.id).toBe(started.sessionId);
});

it('names devices without repeating what a header says', () => {
  expect(deviceNameOf('Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0')).toBe('Firefox, Windows');
  expect(deviceNameOf('\u202eevil')).toBe('—');
});

it('sends no code while the counters are away', async () => {
  // Nothing listens there: the counters of a Redis that is gone.
  const redis = await openRedis('redis://127.0.0.1:1', createLogger({ logLevel: 'silent' }));
  const uncounted = await startRooms({ rateLimits: 'on', counters: redis.counters });
  try {
    const phone = nextPhone();
    await uncounted.platform.database.inTransaction((tx) => uncounted.accounts.ensureAccount(tx, phone));
    expect(outcomeOf(await uncounted.call('accounts.requestCode', undefined, { phone }))).toBe('UNAVAILABLE');
    const stored = await uncounted.platform.database.client.unsafe('select 1 from code_challenges');
    expect(stored).toHaveLength(0);
    expect(uncounted.texts).toHaveLength(0);
  } finally {
    await uncounted.close();
    await redis.close();
  }
});

it('hands phone and text to the SMS gateway, and follows it nowhere else', async () => {
  const asked: string[] = [];
  const gateway = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url?.startsWith('/moved')) response.writeHead(302, { location: '/elsewhere' }).end();
    else if (request.url?.startsWith('/hangs')) return;
    else response.writeHead(request.url?.startsWith('/refuses') ? 500 : 200).end('ok');
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const { port } = gateway.address() as AddressInfo;
  const send = (path: string) =>
    createHttpSender(`http://127.0.0.1:${port}/${path}?key=s&to={phone}&text={text}`, 300).send(
      '+79000000001',
      'код 12 & $& 3',
    );
  try {
    await send('sends');
    expect(new URL(asked[0] ?? '', 'http://x').searchParams.get('to')).toBe('+79000000001');
    expect(new URL(asked[0] ?? '', 'http://x').searchParams.get('text')).toBe('код 12 & $& 3');
    for (const path of ['moved', 'refuses', 'hangs']) {
      await expect(send(path)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
    expect(asked.some((url) => url.startsWith('/elsewhere'))).toBe(false);
  } finally {
    gateway.closeAllConnections();
    await new Promise((resolve) => gateway.close(resolve));
  }
});

it('prints codes past the logger, and keeps phone and text out of the gateway’s errors', async () => {
  let printed = '';
  await createConsoleSender((text) => {
    printed += text;
  }).send('+79000000001', 'код 123456');
  expect(printed).toContain('+79000000001: код 123456');
  const sender = createHttpSender('http://127.0.0.1:9/send?to={phone}&text={text}&key=secret');
  const error: unknown = await sender.send('+79000000001', 'код 123456').catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'UNAVAILABLE' });
  const seen = `${JSON.stringify(error)} ${error instanceof Error ? `${error.message} ${String(error.cause)}` : ''}`;
  expect(seen).not.toMatch(/secret|123456|7900/);
});
