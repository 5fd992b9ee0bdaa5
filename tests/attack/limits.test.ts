// alone: it measures what others feel of a flood
import { accountLimits, contractVersion, procedureContract } from '@zvonok/shared';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { demoPeople } from '../harness/demo.ts';

/** Limits hold against one attacker with many addresses, and let a whole school behind one address through. */
let running: RunningApp;

beforeAll(async () => {
  running = await startApp({ LOG_LEVEL: 'silent' }, { demo: true });
});

afterAll(() => running?.stop());

/** As a proxy on the same machine passes it on. */
async function callFrom(address: string, procedure: string, input: object): Promise<string> {
  const response = await fetch(`${running.url}/api/v1/${procedure}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
    body: JSON.stringify(input),
  });
  return ((await response.json()) as { code?: string }).code ?? 'ok';
}

async function inTurns(
  count: number,
  call: (index: number) => Promise<string>,
): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  for (let start = 0; start < count; start += 50) {
    const length = Math.min(50, count - start);
    const batch = await Promise.all(Array.from({ length }, (_, index) => call(start + index)));
    for (const outcome of batch) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return outcomes;
}

it('counts an IPv6 network as the one subscriber that it is', async () => {
  const { max } = procedureContract['school.previewInvite'].limit;
  const token = 'x'.repeat(43);
  const outcomes = await inTurns(max + 50, (index) =>
    callFrom(`2001:db8:1:2::${(index + 1).toString(16)}`, 'school.previewInvite', { token }),
  );
  expect(outcomes.get('INVITE_INVALID')).toBe(max);
  expect(outcomes.get('RATE_LIMITED')).toBe(50);
  expect(await callFrom('2001:db8:1:3::1', 'school.previewInvite', { token })).toBe('INVITE_INVALID');
});

it('lets a school of 1,000 ask for their codes behind one address within a minute', async () => {
  const outcomes = await inTurns(1_000, (index) =>
    callFrom('203.0.113.7', 'accounts.requestCode', {
      phone: `+7915${String(1_000_000 + index)}`,
    }),
  );
  expect(Object.fromEntries(outcomes)).toEqual({ ok: 1_000 });
});

it('serves the messenger’s own files however many phones of one address fetch them', async () => {
  const outcomes = await inTurns(6_100, async () => {
    const response = await fetch(`${running.url}/healthz`, { headers: { 'x-forwarded-for': '203.0.113.8' } });
    await response.arrayBuffer();
    return String(response.status);
  });
  expect(Object.fromEntries(outcomes)).toEqual({ '200': 6_100 });
  expect(await callFrom('203.0.113.8', 'accounts.getMe', {})).toBe('UNAUTHENTICATED');
});

it('records where a call over a socket came from, as over HTTP: from behind the proxy', async () => {
  const { token, membershipId: as } = await running.session(demoPeople.admin);
  const socket = io(running.url, {
    transports: ['websocket'],
    auth: { token, version: contractVersion },
    extraHeaders: { 'x-forwarded-for': '198.51.100.77, 203.0.113.9' },
    reconnection: false,
  });
  try {
    const made = await socket.timeout(5_000).emitWithAck('school.createGroup', { as, name: '11Щ' });
    expect(made).toMatchObject({ ok: true });
  } finally {
    socket.disconnect();
  }
  const { text } = await running.post(
    'school.listAuditRecords',
    { as, action: 'groupCreated', limit: 1 },
    token,
  );
  expect(JSON.parse(text)).toMatchObject({ records: [{ address: '203.0.113.9' }] });
});

describe('numbers that the database can’t hold', () => {
  it('are refused as such, in one’s own conversation too', async () => {
    const { token, membershipId: as } = await running.session(demoPeople.pupil);
    const { text } = await running.post('chat.listConversations', { as }, token);
    const conversationId = (JSON.parse(text) as { conversations: { id: string }[] }).conversations[0]?.id;
    for (const number of [2 ** 31, 2 ** 53 - 1, 1e300]) {
      for (const [procedure, input] of [
        ['chat.markRead', { seq: number }],
        ['chat.listMessages', { before: number, limit: 5 }],
        ['chat.listMessages', { after: number, limit: 5 }],
        ['chat.changesSince', { rev: number }],
      ] as const) {
        const answer = await running.post(procedure, { as, conversationId, ...input }, token);
        expect(answer.status, `${procedure} ${number}`).toBe(400);
      }
    }
  });
});

it('leaves no code to guess where the hour’s codes are used up', async () => {
  const { counters, database } = running.app.platform;
  for (let hit = 0; hit < accountLimits.codesPerTenant.max; hit += 1) {
    await counters.hit('codes:tenant', accountLimits.codesPerTenant);
  }
  const { text } = await running.post('accounts.requestCode', { phone: demoPeople.head });
  const { challengeId } = JSON.parse(text) as { challengeId: string };
  const isBurned = async () => {
    const rows = await database.inTransaction(
      (tx) => tx.raw`select used_at is not null as burned from code_challenges where id = ${challengeId}`,
    );
    return rows[0]?.burned;
  };
  await expect.poll(isBurned).toBe(true);
});
