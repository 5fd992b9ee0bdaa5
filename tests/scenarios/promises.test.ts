// alone: it measures time
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient, waitFor } from '@zvonok/client-sdk';
import { chatLimits, contractVersion, transportLimits } from '@zvonok/shared';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, joinAs, type SchoolFixture, type Seat } from '../harness/school.ts';

/** Promises of one node that need neither a kill nor a browser; see the names. */
let running: RunningApp;
let school: SchoolFixture;
let classmate: Seat;
let classChat: string;
let generalChannel: string;
const sockets: Socket[] = [];

beforeAll(async () => {
  running = await startApp({ RATE_LIMITS: 'off' }, { checkOutputs: true });
  school = await createSchoolFixture(running, 'Школа обещаний', '+7950000');
  classmate = await joinAs(running, school, 'pupil', '+79500000012', 'Оля Смирнова');
  const { conversations } = await ask<{
    conversations: { id: string; kind: string; channel: string | null }[];
  }>(school.pupil, 'chat.listConversations');
  classChat = conversations.find((each) => each.kind === 'class')?.id ?? '';
  generalChannel = conversations.find((each) => each.channel === 'general')?.id ?? '';
});

afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  await running?.stop();
});

async function ask<T>(seat: Seat, procedure: string, input: object = {}): Promise<T> {
  const { text } = await running.post(procedure, { as: seat.membershipId, ...input }, seat.token);
  return JSON.parse(text) as T;
}

interface Sent {
  readonly seq: number;
  readonly messageId: string;
  readonly code?: string;
}

let minted = 0;
function newId(): string {
  minted += 1;
  return `00000000-0000-4000-8000-${minted.toString(16).padStart(12, '0')}`;
}

const send = (seat: Seat, conversationId: string, text: string, clientMessageId = newId()) =>
  ask<Sent>(seat, 'chat.sendMessage', { conversationId, clientMessageId, text });

async function connect(seat: Seat): Promise<Socket> {
  const socket = io(running.url, {
    transports: ['websocket'],
    auth: { token: seat.token, version: contractVersion },
    reconnection: false,
  });
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

describe('P3: exactly one message for each (sender, clientMessageId)', () => {
  it('sent 50 times at once it is there once, and each answer names the same place', async () => {
    const id = newId();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => send(school.pupil, classChat, 'один раз', id)),
    );
    expect(new Set(answers.map((answer) => `${answer.seq} ${answer.messageId}`)).size).toBe(1);
    const { messages } = await ask<{ messages: { clientMessageId: string }[] }>(
      school.pupil,
      'chat.listMessages',
      { conversationId: classChat, limit: 100 },
    );
    expect(messages.filter((message) => message.clientMessageId === id)).toHaveLength(1);
  });

  it('refuses another text, or another conversation, under a used id', async () => {
    const id = newId();
    await send(school.admin, generalChannel, 'первое', id);
    expect(await send(school.admin, generalChannel, 'второе', id)).toMatchObject({ code: 'CONFLICT' });
    const twoAtOnce = newId();
    const answers = await Promise.all([
      send(school.pupil, classChat, 'это', twoAtOnce),
      send(school.pupil, classChat, 'то', twoAtOnce),
    ]);
    expect(answers.filter((answer) => answer.code === 'CONFLICT')).toHaveLength(1);
  });
});

describe('P4: one order', () => {
  it('gives 300 messages of two writers gapless seqs, and every reader the same order', async () => {
    const [first, second] = await Promise.all([connect(school.pupil), connect(classmate)]);
    const heard = [first, second].map((socket) => {
      const seqs: number[] = [];
      socket.on('chat.messageSent', ({ message }: { message: { conversationId: string; seq: number } }) => {
        if (message.conversationId === classChat) seqs.push(message.seq);
      });
      return seqs;
    });
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, n) => send(n % 2 === 0 ? school.pupil : classmate, classChat, `${n}`)),
    );
    const seqs = answers.map((answer) => answer.seq).sort((a, b) => a - b);
    const start = seqs[0] ?? 0;
    expect(seqs).toEqual(seqs.map((_, index) => start + index));
    await expect.poll(() => heard.map((each) => each.length)).toEqual([300, 300]);
    expect(heard).toEqual([seqs, seqs]);
  });
});

describe('who may write', () => {
  it('lets the administrator write to the general channel and a pupil only read it', async () => {
    expect(await send(school.admin, generalChannel, 'Объявление')).toHaveProperty('seq');
    expect(await send(school.pupil, generalChannel, 'можно?')).toMatchObject({ code: 'READ_ONLY' });
    expect(await ask(school.pupil, 'chat.setTyping', { conversationId: generalChannel })).toMatchObject({
      code: 'READ_ONLY',
    });
  });

  it('answers a stranger as if the conversation did not exist', async () => {
    const stranger = await send(school.guardian, classChat, 'пустите');
    const nowhere = await send(school.guardian, newId(), 'пустите');
    expect(stranger).toEqual(nowhere);
    expect(stranger).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('P5: gaps heal, however long the absence', () => {
  it('gives 1,200 missed messages in pages, the last page with the conversation’s rev', async () => {
    const { conversation } = await ask<{ conversation: { rev: number } }>(
      school.pupil,
      'chat.getConversation',
      {
        conversationId: classChat,
      },
    );
    await Promise.all(
      Array.from({ length: 1_200 }, (_, n) => send(classmate, classChat, `пропущенное ${n}`)),
    );
    const seen: number[] = [];
    let { rev } = conversation;
    for (let hasMore = true; hasMore; ) {
      const page: { messages: { seq: number }[]; rev: number; hasMore: boolean } = await ask(
        school.pupil,
        'chat.changesSince',
        { conversationId: classChat, rev },
      );
      seen.push(...page.messages.map((message) => message.seq));
      ({ rev, hasMore } = page);
    }
    expect(seen).toHaveLength(1_200);
    expect(new Set(seen).size).toBe(1_200);
    expect(rev).toBe(conversation.rev + 1_200);
  });
});

describe('P14: rights change at once', () => {
  it('cuts the sockets of a session that is signed out, and its token opens nothing', async () => {
    const { token } = await running.session(classmate.phone);
    const seat = { ...classmate, token };
    const socket = await connect(seat);
    const farewell = new Promise((resolve) => socket.once('connection.closing', resolve));
    const gone = new Promise((resolve) => socket.once('disconnect', resolve));
    const startedAt = performance.now();
    await running.post('accounts.signOut', {}, token);
    expect(await farewell).toMatchObject({ code: 'SESSION_ENDED', reconnect: 'afterSignIn' });
    await gone;
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect((await running.post('accounts.getMe', {}, token)).status).toBe(401);
    await expect(connect(seat)).rejects.toMatchObject({ message: 'UNAUTHENTICATED' });
  });

  it('stops events and reading within a second when a membership ends', async () => {
    const leaver = await joinAs(running, school, 'pupil', '+79500000013', 'Коля Сидоров');
    const socket = await connect(leaver);
    let heard = 0;
    socket.on('chat.messageSent', () => {
      heard += 1;
    });
    await send(classmate, classChat, 'ещё слышно');
    await expect.poll(() => heard).toBe(1);
    const ended = await ask(school.admin, 'school.endMembership', {
      membershipId: leaver.membershipId,
      reason: 'left',
    });
    expect(ended).toEqual({});
    await sleep(1_000);
    await send(classmate, classChat, 'уже не слышно');
    await sleep(300);
    expect(heard).toBe(1);
    const answer = await running.post('chat.listConversations', { as: leaver.membershipId }, leaver.token);
    expect(answer.status).toBe(403);
  });
});

describe('P15: a slow reader hurts only itself', () => {
  it('is cut within 10 s, with at most 1 MB waiting for it, and reads on from the database', async () => {
    const slow = new WebSocket(`${running.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    await new Promise((resolve) => slow.addEventListener('open', resolve));
    slow.close();
    // Node's WebSocket always reads: a bare TCP connection that stops is the honest slow reader.
    const reader = await stoppedReader(classmate);
    const text = 'я'.repeat(chatLimits.textLength);
    const startedAt = Date.now();
    let cutAfterMs: number | undefined;
    reader.onClosed(() => {
      cutAfterMs ??= Date.now() - startedAt;
    });
    while (cutAfterMs === undefined && Date.now() - startedAt < 12_000) {
      await Promise.all(Array.from({ length: 20 }, () => send(school.pupil, classChat, text)));
      await sleep(20);
    }
    expect(cutAfterMs).toBeLessThan(10_000);
    const { messages } = await ask<{ messages: unknown[] }>(classmate, 'chat.listMessages', {
      conversationId: classChat,
      limit: 100,
    });
    expect(messages).toHaveLength(100);
  }, 60_000);
});

/** Upgrades to a WebSocket by hand, signs in, and then never reads another byte. */
async function stoppedReader(seat: Seat): Promise<{ onClosed(listener: () => void): void }> {
  const { connect: open } = await import('node:net');
  const { hostname, port } = new URL(running.url);
  const socket = open({ host: hostname, port: Number(port) });
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(
    [
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
      `Host: ${hostname}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      '\r\n',
    ].join('\r\n'),
  );
  await new Promise((resolve) => socket.once('data', resolve));
  const packet = Buffer.from(`40${JSON.stringify({ token: seat.token, version: contractVersion })}`);
  const header = Buffer.from([0x81, 0x80 | 126, packet.length >> 8, packet.length & 255, 0, 0, 0, 0]);
  socket.write(Buffer.concat([header, packet]));
  await sleep(500);
  socket.pause();
  return {
    onClosed(listener) {
      // Paused, it would never hear of the end: asked again and again whether writing still works.
      const timer = setInterval(() => {
        if (!socket.destroyed && socket.writable) socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
      }, 200);
      socket.on('error', () => {
        clearInterval(timer);
        listener();
      });
      socket.on('close', () => {
        clearInterval(timer);
        listener();
      });
    },
  };
}

describe('P23: client clocks never matter', () => {
  it('orders and dates by the server alone', async () => {
    const sent = await ask<{ sentAt: string }>(school.pupil, 'chat.sendMessage', {
      conversationId: classChat,
      // A version 7 id of the year 2080.
      clientMessageId: '032a0000-0000-7000-8000-000000000001',
      text: 'из будущего',
    });
    expect(Math.abs(Date.parse(sent.sentAt) - Date.now())).toBeLessThan(60_000);
  });
});

describe('limits of a connection', () => {
  it('keeps one session’s connections bounded', async () => {
    const { token } = await running.session(school.guardian.phone);
    const seat = { ...school.guardian, token };
    for (let n = 0; n < transportLimits.socketsPerSession; n += 1) await connect(seat);
    await expect(connect(seat)).rejects.toMatchObject({ message: 'RATE_LIMITED' });
  });

  it('tells an old client to update', async () => {
    const client: Client = createClient({ url: running.url, token: school.pupil.token, carrier: 'bearer' });
    await client.start();
    await waitFor(client.connection, (state) => state === 'online');
    client.close();
    const response = await fetch(`${running.url}/api/v1/accounts.getMe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'zvonok-version': '0.-1' },
      body: '{}',
    });
    expect(response.status).toBe(426);
  });
});
