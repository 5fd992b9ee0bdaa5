import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@zvonok/server/platform/logger.ts';
import { roomOf } from '@zvonok/server/platform/outbound.ts';
import { type AudienceMembership, createSockets } from '@zvonok/server/platform/sockets.ts';
import {
  type AccountId,
  type ConversationId,
  contractVersion,
  type MembershipId,
  type SchoolId,
  type SessionId,
} from '@zvonok/shared';
import { io } from 'socket.io-client';
import { expect, it } from 'vitest';

const id = (last: number) => `01890000-0000-7000-8000-00000000000${last}`;
const accountId = id(1) as AccountId;
const sessionId = id(2) as SessionId;
const schoolId = id(3) as SchoolId;
const teacher = id(4) as MembershipId;
const parent = id(5) as MembershipId;
const chat = id(6) as ConversationId;

/**
 * Real sockets over an audience that the test answers when it likes: a reading of the database that began before a
 * change and arrives after the word of it can't be brought about by timing.
 */
async function startSockets(first: readonly AudienceMembership[]) {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  let audience = Promise.resolve(first);
  const sockets = createSockets({
    server,
    dispatcher: { procedures: [], call: async () => ({ ok: true, result: {} }) },
    ports: {
      findSession: async () => ({ sessionId, accountId }),
      audienceOf: () => audience,
      presenceChanged: () => undefined,
      isAllowedOrigin: () => true,
      addressOf: () => '192.0.2.1',
    },
    logger: createLogger({ logLevel: 'silent' }),
    adapter: undefined,
    limits: 'on',
    onSignal: () => undefined,
  });
  const client = io(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    transports: ['websocket'],
    auth: { token: 'token', version: contractVersion },
  });
  const heard: string[] = [];
  client.onAny((name: string) => heard.push(name));
  await new Promise<void>((resolve) => client.once('connect', resolve));
  return {
    sockets,
    heard,
    /** From now on a reading takes until it is answered. */
    readSlowly() {
      const reading = Promise.withResolvers<readonly AudienceMembership[]>();
      audience = reading.promise;
      return (old: readonly AudienceMembership[], now: readonly AudienceMembership[]) => {
        audience = Promise.resolve(now);
        reading.resolve(old);
      };
    },
    async stop() {
      client.disconnect();
      await sockets.close();
      server.close();
    },
  };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 50));

it.each([
  {
    name: 'a chat that was left',
    first: [{ membershipId: teacher, schoolId, conversationIds: [chat] }],
    change: { name: 'conversationsChanged', membershipId: teacher, joined: [], left: [chat] },
  },
  {
    name: 'a membership that was over before its socket knew of it',
    first: [],
    change: { name: 'membershipEnded', membershipIds: [teacher] },
  },
] as const)('an audience read meanwhile does not bring back $name', async ({ first, change }) => {
  const { sockets, heard, readSlowly, stop } = await startSockets(first);
  const answer = readSlowly();
  sockets.apply({ name: 'membershipsStarted', accountId });
  await turn();
  sockets.apply(change);
  const others = [{ membershipId: parent, schoolId, conversationIds: [] }];
  answer([{ membershipId: teacher, schoolId, conversationIds: [chat] }, ...others], others);
  await turn();

  sockets.transport.emit(roomOf({ conversation: chat }), 'chat.messageSent', {}, false);
  sockets.transport.emit(roomOf({ account: accountId }), 'school.membershipEnded', {}, false);
  await expect.poll(() => heard).toContain('school.membershipEnded');
  expect(heard).not.toContain('chat.messageSent');
  await stop();
});
