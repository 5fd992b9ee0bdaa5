// needs: redis-server
// alone: it measures time on two nodes

import { rm } from 'node:fs/promises';
import { type Client, type ConversationView, type MembershipId, waitFor } from '@zvonok/client-sdk';
import { startEmbeddedPostgres } from '@zvonok/server/platform/embedded-postgres.ts';
import { createLogger } from '@zvonok/server/platform/logger.ts';
import { makeDataDir } from '@zvonok/server/platform/testing/test-postgres.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { RedisProcess } from '../harness/redis.ts';
import { createSchoolFixture, joinAs, type SchoolFixture } from '../harness/school.ts';

let dataDir: string;
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
let redis: RedisProcess;
const nodes: RunningApp[] = [];
let school: SchoolFixture;

beforeAll(async () => {
  dataDir = await makeDataDir();
  postgres = await startEmbeddedPostgres({ dataDir, logger: createLogger({ logLevel: 'error' }) });
  redis = await RedisProcess.start();
  const env = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    SECRET_KEY: 'two nodes share this secret, which is long enough',
    SMS_URL_TEMPLATE: 'https://sms.invalid/?to={phone}&text={text}',
  };
  for (let node = 0; node < 2; node += 1) nodes.push(await startApp(env));
  school = await createSchoolFixture(nodeAt(0), 'Школа двух узлов', '+7911000');
});

afterAll(async () => {
  for (const node of nodes) await node.stop();
  await redis?.kill();
  await postgres?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

function nodeAt(index: number): RunningApp {
  const node = nodes[index];
  if (node === undefined) throw new Error('There is no such node.');
  return node;
}

interface ChatSeat {
  readonly client: Client;
  readonly as: MembershipId;
  readonly view: ConversationView;
}

async function classChatOn(node: number, phone: string): Promise<ChatSeat> {
  const client = await nodeAt(node).signIn(phone);
  const { memberships } = await client.accounts.getMe({});
  const as = memberships[0]?.id;
  if (as === undefined) throw new Error('The person has no membership.');
  const messenger = client.messenger(as);
  const { conversations } = await waitFor(messenger, (snapshot) => snapshot.status === 'ready');
  const chat = conversations.find((conversation) => conversation.kind === 'class');
  if (chat === undefined) throw new Error('There is no class chat.');
  const view = messenger.openConversation(chat.id);
  await waitFor(view, (snapshot) => snapshot.status === 'ready');
  return { client, as, view };
}

const textsOf = (view: ConversationView) =>
  view
    .getSnapshot()
    .messages.filter((message) => message.state === 'sent')
    .map((message) => (message.body.kind === 'text' ? message.body.text : ''));

const hasTexts = (view: ConversationView, count: number, timeoutMs?: number) =>
  waitFor(view, () => textsOf(view).length === count, timeoutMs);

describe('two nodes with one Redis', () => {
  it('share a conversation, in one order', async () => {
    await joinAs(nodeAt(0), school, 'pupil', '+79110000012', 'Вася Петров');
    const first = await classChatOn(0, school.pupil.phone);
    const second = await classChatOn(1, '+79110000012');
    for (let n = 0; n < 10; n += 1) {
      first.view.send(`с первого ${n}`);
      second.view.send(`со второго ${n}`);
    }
    await Promise.all([hasTexts(first.view, 20), hasTexts(second.view, 20)]);
    expect(textsOf(first.view)).toEqual(textsOf(second.view));
  });

  it('let go of a person on both when their membership ends on one', async () => {
    await joinAs(nodeAt(0), school, 'pupil', '+79110000013', 'Коля Сидоров');
    const seat = await classChatOn(1, '+79110000013');
    const { token, membershipId: as } = school.admin;
    await nodeAt(0).post('school.endMembership', { as, membershipId: seat.as, reason: 'left' }, token);
    await waitFor(seat.view, (snapshot) => snapshot.status === 'gone', 1_000);
    await expect(seat.client.chat.listConversations({ as: seat.as })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('end a person’s sessions on both when they report a strange sign-in on one', async () => {
    const { phone } = await joinAs(nodeAt(0), school, 'pupil', '+79110000014', 'Аня Лисина');
    const strange = await nodeAt(1).signIn(phone);
    await waitFor(strange.connection, (state) => state === 'online');
    const { token } = await nodeAt(1).session(phone);
    expect((await nodeAt(1).post('accounts.getMe', {}, token)).status).toBe(200);
    const mine = await nodeAt(0).signIn(phone);
    await mine.accounts.reportStrangeSignIn();
    await waitFor(strange.session, ({ state }) => state === 'signedOut', 1_000);
    expect((await nodeAt(1).post('accounts.getMe', {}, token)).status).toBe(401);
  });

  it('take a session that was confirmed on one for confirmed on the other', async () => {
    const pupil = await joinAs(nodeAt(0), school, 'pupil', '+79110000015', 'Юра Котов');
    const { token, membershipId: as, phone } = school.admin;
    await nodeAt(0).app.platform.database.client`update sessions set confirmed_at = null`;
    const input = { as, membershipId: pupil.membershipId, reason: 'left' };
    const end = async () => (await nodeAt(1).post('school.endMembership', input, token)).text;
    expect(await end()).toContain('CONFIRMATION_REQUIRED');
    const asked = await nodeAt(0).post('accounts.requestConfirmation', {}, token);
    const { challengeId } = JSON.parse(asked.text) as { challengeId: string };
    const code = await nodeAt(0).codes.take(phone);
    await nodeAt(0).post('accounts.confirm', { challengeId, code }, token);
    expect(await end()).toBe('{}');
  });

  it('hear each other again after Redis was killed and came back empty', async () => {
    const first = await classChatOn(0, school.pupil.phone);
    const second = await classChatOn(1, '+79110000012');
    const before = textsOf(first.view).length;
    await redis.kill();
    first.view.send('пока Redis нет');
    await hasTexts(first.view, before + 1);
    await redis.up();
    first.view.send('Redis вернулся');
    await hasTexts(second.view, before + 2, 20_000);
    expect(textsOf(second.view)).toEqual(textsOf(first.view));
  });
});
