// needs: media-worker
// alone: live media keeps time
import { setTimeout as sleep } from 'node:timers/promises';
import { unwrap } from '@zvonok/server/testing/rooms.ts';
import { makeSchool, type TestSchool } from '@zvonok/server/testing/school.ts';
import type { CallId, ConversationId } from '@zvonok/shared';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CallsServer, enterCall, startCallsServer } from './calls-server.ts';
import { until } from './media-server.ts';

const times = { emptyCallMs: 1_500, sweepMs: 100 };
let server: CallsServer;
let school: TestSchool;
beforeAll(async () => {
  server = await startCallsServer({ times });
  school = await makeSchool(server.rooms);
});
afterAll(() => server?.stop());

/** Lessons of 7Б in the class chat and in the subject chat. */
async function startLesson(kind: 'class' | 'subject'): Promise<{ id: CallId; place: ConversationId }> {
  const { rooms } = server;
  const teacher = kind === 'class' ? school.classTeacher : school.subjectTeacher;
  const { conversations } = unwrap(await rooms.call('chat.listConversations', teacher, {}));
  const place = conversations.find((each) => each.kind === kind)?.id as ConversationId;
  const { call } = unwrap(await rooms.call('calls.startCall', teacher, { conversationId: place }));
  return { id: call.id, place };
}

async function endOf(callId: CallId): Promise<string | null> {
  const { call } = unwrap(await server.rooms.call('calls.getCall', school.pupil, { callId }));
  return call.endedAt;
}

test('a call that stays empty ends by itself, one with somebody in it does not', async () => {
  const { rooms, media } = server;
  const deserted = await startLesson('class');
  const lively = await startLesson('subject');
  const teacher = await enterCall(server, school.subjectTeacher, lively.id);
  const startedAt = Date.now();
  rooms.announced.splice(0);

  while ((await endOf(deserted.id)) === null) {
    if (Date.now() - startedAt > 3 * times.emptyCallMs) throw new Error('the empty call goes on');
    await sleep(50);
  }
  expect(Date.now() - startedAt).toBeGreaterThan(times.emptyCallMs - 200);
  expect(rooms.announced).toContainEqual(
    expect.objectContaining({
      name: 'calls.callEnded',
      payload: expect.objectContaining({ callId: deserted.id }),
    }),
  );
  const { messages } = unwrap(
    await rooms.call('chat.listMessages', school.pupil, { conversationId: deserted.place, limit: 5 }),
  );
  expect(messages.map((message) => message.body)).toContainEqual(
    expect.objectContaining({ kind: 'call', callId: deserted.id, state: 'ended' }),
  );
  const [ended] = await rooms.platform.database.client.unsafe('select ended_by from calls where id = $1', [
    deserted.id,
  ]);
  expect(ended?.ended_by).toBeNull();

  // Its time is counted from when the last one left, not from the start.
  await sleep(startedAt + 2 * times.emptyCallMs - Date.now());
  expect(await endOf(lively.id)).toBeNull();
  await teacher.peer.request('leave', {});
  await sleep(times.emptyCallMs / 2);
  expect(await endOf(lively.id)).toBeNull();

  // Whoever comes back in time keeps it.
  const back = await enterCall(server, school.subjectTeacher, lively.id);
  await sleep(2 * times.emptyCallMs);
  expect(await endOf(lively.id)).toBeNull();
  back.peer.close();
  await until(() => media.findRoom(lively.id) === undefined, 3 * times.emptyCallMs);
  expect(await endOf(lively.id)).not.toBeNull();
  teacher.peer.close();
});
