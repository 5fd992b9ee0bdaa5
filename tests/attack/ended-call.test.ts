// needs: media-worker
// alone: it measures how fast media ends
import { randomInt } from 'node:crypto';
import { type ConversationId, contractVersion } from '@zvonok/shared';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, type SchoolFixture } from '../harness/school.ts';

let running: RunningApp;
let school: SchoolFixture;
let staffChat: ConversationId;

beforeAll(async () => {
  running = await startApp({
    RATE_LIMITS: 'off',
    CALLS_SETUP: 'root',
    RTC_PORT_BASE: String(randomInt(20_000, 30_000)),
    RTC_WORKERS: '1',
    ...(process.env.MEDIASOUP_WORKER_BIN === undefined
      ? {}
      : { MEDIASOUP_WORKER_BIN: process.env.MEDIASOUP_WORKER_BIN }),
  });
  school = await createSchoolFixture(running, 'Школа', '+7962000');
  const { conversations } = await ask<{ conversations: { id: ConversationId; kind: string }[] }>(
    'chat.listConversations',
    {},
  );
  staffChat = conversations.find((each) => each.kind === 'staff')?.id as ConversationId;
  await vi.waitFor(
    async () => {
      const health = (await (await fetch(`${running.url}/healthz`)).json()) as { calls: string };
      expect(health.calls).toBe('ready');
    },
    { timeout: 60_000, interval: 100 },
  );
});

afterAll(() => running?.stop());

async function ask<T>(procedure: string, input: object): Promise<T> {
  const { admin } = school;
  const { status, text } = await running.post(procedure, { as: admin.membershipId, ...input }, admin.token);
  if (status !== 200) throw new Error(`${procedure}: ${text}`);
  return JSON.parse(text) as T;
}

it('nobody comes into a call that ended while their ticket was judged', async () => {
  const { call } = await ask<{ call: { id: string } }>('calls.startCall', { conversationId: staffChat });
  const { ticket, path } = await ask<{ ticket: string; path: string }>('calls.createTicket', {
    callId: call.id,
  });
  const { database } = running.app.platform;
  const socket = new WebSocket(`${running.url.replace('http', 'ws')}${path}`);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const answer = new Promise<{ ok: boolean }>((resolve) => {
    socket.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data)) as { ok: boolean }));
  });
  await database.inTransaction(async (tx) => {
    // The last thing that a ticket's judgement asks for: it has read by then that the call is live.
    await tx.raw`lock table call_removals in access exclusive mode`;
    socket.send(JSON.stringify({ id: 1, method: 'join', params: { ticket, version: contractVersion } }));
    await expect
      .poll(
        async () => {
          // Not in the transaction itself: what it sees of others stays as it first looked.
          const waiting = await database.client`select 1 from pg_stat_activity
          where wait_event_type = 'Lock' and query like '%call_removals%' and pid <> pg_backend_pid()`;
          return waiting.length;
        },
        { timeout: 4_000 },
      )
      .toBe(1);
    await ask('calls.endCall', { callId: call.id });
  });
  expect((await answer).ok).toBe(false);
  socket.close();
});
