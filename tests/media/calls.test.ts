// needs: media-worker
// alone: live media keeps time
import { randomUUID } from 'node:crypto';
import type { Media } from '@zvonok/server/media/index.ts';
import { signal } from '@zvonok/server/platform/outbound.ts';
import type { Person, Rooms } from '@zvonok/server/testing/rooms.ts';
import { makeSchool, type TestSchool } from '@zvonok/server/testing/school.ts';
import {
  type CallId,
  type CallTicket,
  type ConversationId,
  contractVersion,
  type ErrorBody,
} from '@zvonok/shared';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CallsServer, enterCall, speak, startCallsServer } from './calls-server.ts';
import { closeCodeOf, RawPeer, until } from './media-server.ts';

let server: CallsServer;
let rooms: Rooms;
let media: Media;
let url: string;
let school: TestSchool;
let classChat: ConversationId;

beforeAll(async () => {
  server = await startCallsServer({ workers: 2 });
  ({ rooms, media, url } = server);
  school = await makeSchool(rooms);
  classChat = (await conversationsOf(school.pupil)).find((each) => each.kind === 'class')
    ?.id as ConversationId;
});
afterAll(() => server?.stop());

async function conversationsOf(person: Person) {
  const reply = await ask<{ conversations: { id: ConversationId; kind: string }[] }>(
    person,
    'chat.listConversations',
    {},
  );
  return reply.conversations;
}

async function reply(person: Person, name: string, input: object) {
  return rooms.dispatcher.call(
    name,
    { as: person.as, ...input },
    { caller: person.caller, address: '192.0.2.1', userAgent: 'test', carrier: undefined },
  );
}

async function ask<T>(person: Person, name: string, input: object): Promise<T> {
  const answer = await reply(person, name, input);
  if (!answer.ok) throw new Error(`${name}: ${answer.error.code} ${answer.error.message}`);
  return answer.result as T;
}

async function refusal(person: Person, name: string, input: object): Promise<ErrorBody | 'ok'> {
  const answer = await reply(person, name, input);
  return answer.ok ? 'ok' : answer.error;
}

async function startLesson(): Promise<CallId> {
  const { call } = await ask<{ call: { id: CallId } }>(school.classTeacher, 'calls.startCall', {
    conversationId: classChat,
  });
  return call.id;
}

const ticketFor = async (person: Person, callId: CallId) =>
  (await ask<CallTicket>(person, 'calls.createTicket', { callId })).ticket;

const enter = (person: Person, callId: CallId) => enterCall(server, person, callId);

const onAnotherDevice = (person: Person): Person => ({
  ...person,
  caller: { ...person.caller, sessionId: randomUUID() as Person['caller']['sessionId'] },
});

const end = (callId: CallId) => ask(school.classTeacher, 'calls.endCall', { callId });

describe('a call', () => {
  test('is started by whom the table lets, shown in the chat, and there is one at a time', async () => {
    const input = { conversationId: classChat };
    expect(await refusal(school.pupil, 'calls.startCall', input)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await refusal(school.otherPupil, 'calls.startCall', input)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refusal(school.otherTeacher, 'calls.startCall', input)).toMatchObject({ code: 'NOT_FOUND' });
    const callId = await startLesson();
    expect(await refusal(school.classTeacher, 'calls.startCall', input)).toMatchObject({
      code: 'CALL_IN_PROGRESS',
      data: { callId },
    });
    const shown = await ask<{ call: { id: CallId } | null }>(school.pupil, 'calls.findLiveCall', input);
    expect(shown.call?.id).toBe(callId);
    const card = async () => {
      const { messages } = await ask<{
        messages: { body: { kind: string; state?: string; callId?: string } }[];
      }>(school.pupil, 'chat.listMessages', { conversationId: classChat, limit: 10 });
      return messages.findLast((message) => message.body.callId === callId)?.body;
    };
    expect(await card()).toMatchObject({ kind: 'call', state: 'live' });
    expect(await refusal(school.pupil, 'calls.endCall', { callId })).toMatchObject({ code: 'FORBIDDEN' });
    await end(callId);
    await end(callId);
    expect(await card()).toMatchObject({ kind: 'call', state: 'ended' });
    expect(await refusal(school.pupil, 'calls.createTicket', { callId })).toMatchObject({
      code: 'CALL_ENDED',
    });
    await end(await startLesson());
  });

  test('answers strangers as if it did not exist', async () => {
    const callId = await startLesson();
    const absent = randomUUID();
    for (const [name, input] of [
      ['calls.getCall', {}],
      ['calls.createTicket', {}],
      ['calls.endCall', {}],
      ['calls.removeMember', { membershipId: school.pupil.as }],
      ['calls.readmitMember', { membershipId: school.pupil.as }],
    ] as const) {
      const theirs = await refusal(school.otherPupil, name, { callId, ...input });
      expect(theirs).toEqual(await refusal(school.otherPupil, name, { callId: absent, ...input }));
      expect(theirs).toMatchObject({ code: 'NOT_FOUND' });
    }
    await end(callId);
  });

  test('knows the host from the pupil, who waits for one', async () => {
    const callId = await startLesson();
    const pupil = await enter(school.pupil, callId);
    expect(pupil.joined.state).toBe('lobby');
    expect(pupil.me).toMatchObject({
      host: false,
      role: 'pupil',
      fullName: 'Смирнов Илья',
      allowed: { microphone: true, camera: true, screen: false },
    });
    await expect(speak(pupil)).rejects.toThrow('host');
    const teacher = await enter(school.classTeacher, callId);
    expect(teacher.me).toMatchObject({ host: true, verified: true, allowed: { screen: true } });
    await pupil.peer.next('stateChanged', ({ state }) => state === 'open');
    await end(callId);
    expect(await pupil.peer.ended).toBe(closeCodeOf('CALL_ENDED'));
    expect(await teacher.peer.ended).toBe(closeCodeOf('CALL_ENDED'));
  });

  test('keeps a removed person out, by whatever way they come, until they are let in again', async () => {
    const callId = await startLesson();
    const teacher = await enter(school.classTeacher, callId);
    const pupil = await enter(school.pupil, callId);
    const kept = await ticketFor(school.pupil, callId);
    const input = { callId, membershipId: school.pupil.as };
    expect(await refusal(school.classmate, 'calls.removeMember', input)).toMatchObject({ code: 'FORBIDDEN' });
    expect(
      await refusal(school.classTeacher, 'calls.removeMember', {
        callId,
        membershipId: school.classTeacher.as,
      }),
    ).toMatchObject({ code: 'FORBIDDEN' });
    const at = Date.now();
    await ask(school.classTeacher, 'calls.removeMember', input);
    expect(await pupil.peer.ended).toBe(closeCodeOf('REMOVED_FROM_CALL'));
    expect(Date.now() - at).toBeLessThan(1_000);
    await teacher.peer.next('peerLeft', ({ peerId }) => peerId === pupil.joined.peerId);

    const back = new RawPeer(url);
    expect(await back.refusal('join', { ticket: kept, version: contractVersion })).toBe('REMOVED_FROM_CALL');
    expect(await back.ended).toBe(closeCodeOf('REMOVED_FROM_CALL'));
    expect(await refusal(school.pupil, 'calls.createTicket', { callId })).toMatchObject({
      code: 'REMOVED_FROM_CALL',
    });
    await ask(school.classTeacher, 'calls.readmitMember', input);
    const again = await enter(school.pupil, callId);
    expect(again.joined.state).toBe('open');
    await end(callId);
  });

  test('is entered by a ticket that is signed, in time, once, and for nobody else', async () => {
    const callId = await startLesson();
    const ticket = await ticketFor(school.classTeacher, callId);
    const [payload = '', signature = ''] = ticket.split('.');
    const fields = JSON.parse(Buffer.from(payload, 'base64url').toString()) as string[];
    const forged = Buffer.from(
      JSON.stringify(fields.map((field) => (field === school.classTeacher.as ? school.admin.as : field))),
    ).toString('base64url');
    for (const bad of [
      `${forged}.${signature}`,
      payload,
      `${payload}.`,
      `${ticket}.x`,
      '.',
      'x'.repeat(2_000),
    ]) {
      const stranger = new RawPeer(url);
      expect(await stranger.refusal('join', { ticket: bad, version: contractVersion })).toBe(
        'UNAUTHENTICATED',
      );
      expect(await stranger.ended).toBe(closeCodeOf('TICKET_INVALID'));
    }
    const first = new RawPeer(url);
    await first.join(ticket);
    const second = new RawPeer(url);
    expect(await second.refusal('join', { ticket, version: contractVersion })).toBe('UNAUTHENTICATED');
    const outdated = new RawPeer(url);
    const other = await ticketFor(school.classTeacher, callId);
    expect(await outdated.refusal('join', { ticket: other, version: '9.0' })).toBe('CLIENT_OUTDATED');
    await end(callId);
  });

  test('follows rights within a second: session over, expelled, no longer the teacher', async () => {
    const callId = await startLesson();
    const teacher = await enter(school.classTeacher, callId);
    const tablet = onAnotherDevice(school.pupil);
    const pupil = await enter(tablet, callId);
    const classmate = await enter(school.classmate, callId);
    await speak(classmate);
    const voice = () => media.findRoom(callId)?.find(school.classmate.as)?.producersToOffer()[0]?.producer;
    expect(voice()?.paused).toBe(false);

    const unused = await ticketFor(tablet, callId);
    let at = Date.now();
    const { outbound } = rooms.platform;
    outbound.publish([signal({ name: 'sessionsEnded', sessionIds: [tablet.caller.sessionId] })]);
    expect(await pupil.peer.ended).toBe(closeCodeOf('SESSION_ENDED'));
    expect(Date.now() - at).toBeLessThan(1_000);
    const late = new RawPeer(url);
    expect(await late.refusal('join', { ticket: unused, version: contractVersion })).toBe('UNAUTHENTICATED');

    // The last host loses the class: they are out, and the pupils are back in the lobby, silent.
    at = Date.now();
    await ask(school.admin, 'school.detachTeacher', {
      membershipId: school.classTeacher.as,
      groupId: school.groupId,
      kind: 'class',
    });
    expect(await teacher.peer.ended).toBe(closeCodeOf('ACCESS_ENDED'));
    await classmate.peer.next('stateChanged', ({ state }) => state === 'lobby');
    await until(() => voice()?.paused === true, 1_000);
    expect(Date.now() - at).toBeLessThan(1_000);
    expect(await refusal(school.classTeacher, 'calls.createTicket', { callId })).toMatchObject({
      code: 'NOT_FOUND',
    });

    at = Date.now();
    await ask(school.admin, 'school.endMembership', {
      membershipId: school.classmate.as,
      reason: 'expelled',
    });
    expect(await classmate.peer.ended).toBe(closeCodeOf('ACCESS_ENDED'));
    expect(Date.now() - at).toBeLessThan(1_000);
    await ask(school.admin, 'school.attachTeacher', {
      membershipId: school.classTeacher.as,
      groupId: school.groupId,
      kind: 'class',
    });
    await end(callId);
  });

  test('moves to another worker when its own dies or hangs, with roles, mutes and hands', async () => {
    const callId = await startLesson();
    const teacher = await enter(school.classTeacher, callId);
    const pupil = await enter(school.pupil, callId);
    await teacher.peer.request('setAllowed', {
      peerId: pupil.joined.peerId,
      source: 'microphone',
      allowed: false,
    });
    await pupil.peer.request('raiseHand', { raised: true });
    for (const [signalName, limitMs] of [
      ['SIGKILL', 1_000],
      ['SIGSTOP', 4_000],
    ] as const) {
      const peers = await Promise.all([enter(school.classTeacher, callId), enter(school.pupil, callId)]);
      const pid = media.findRoom(callId)?.find(school.pupil.as)?.stage.worker.pid as number;
      const at = Date.now();
      process.kill(pid, signalName);
      for (const { peer } of peers) expect(await peer.ended).toBe(closeCodeOf('ROOM_MOVED'));
      expect(Date.now() - at).toBeLessThan(limitMs);
      const [host, back] = [await enter(school.classTeacher, callId), await enter(school.pupil, callId)];
      expect(host.me.host).toBe(true);
      expect(back.me).toMatchObject({ host: false, allowed: { microphone: false, camera: true } });
      expect(back.me.handRaisedAt).not.toBeNull();
      expect(media.findRoom(callId)?.find(school.pupil.as)?.stage.worker.pid).not.toBe(pid);
      await until(() => media.workerPids().length === 2);
    }
    await end(callId);
  });
});
