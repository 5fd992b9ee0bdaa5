// needs: media-worker
// alone: live media keeps time
/** The rows of the permission table that are about calls, walked both ways through procedures and signalling. */

import {
  type Holder,
  type Walk,
  type walkedInCalls,
  walkPermissions,
} from '@zvonok/server/testing/permission-walk.ts';
import { outcomeOf, type Person, unwrap } from '@zvonok/server/testing/rooms.ts';
import { enrol, makeSchool, type TestSchool } from '@zvonok/server/testing/school.ts';
import {
  type CallId,
  type ConversationId,
  type ConversationKind,
  type TrackSource,
  trackSources,
} from '@zvonok/shared';
import { afterAll, beforeAll } from 'vitest';
import { type CallsServer, type Entered, enterCall, startCallsServer } from './calls-server.ts';
import { dtlsParameters, opusParameters, type RawPeer, vp8Parameters } from './media-server.ts';

let server: CallsServer;
let school: TestSchool;
/** Teaches everything in both classes: begins the lessons that somebody else then tries to host. */
let colleague: Person;
beforeAll(async () => {
  server = await startCallsServer();
  school = await makeSchool(server.rooms);
  const { groupId, otherGroupId } = school;
  colleague = await enrol(server.rooms, school.schoolId, {
    role: 'teacher',
    verified: true,
    fullName: 'Белова Инга',
    attachments: [
      { groupId, kind: 'class', subject: null },
      { groupId, kind: 'subject', subject: 'Алгебра' },
      { groupId: otherGroupId, kind: 'class', subject: null },
    ],
  });
});
afterAll(() => server?.stop());

/** The live call of the cell and who can end it; one at a time. */
let live: { readonly by: Person; readonly callId: CallId } | undefined;
const peers: RawPeer[] = [];

const clearAway: Walk['after'] = async () => {
  if (live !== undefined) unwrap(await server.rooms.call('calls.endCall', live.by, { callId: live.callId }));
  live = undefined;
  for (const peer of peers.splice(0)) peer.close();
};

async function tryToStart(by: Person, conversationId: ConversationId): Promise<string> {
  const answer = await server.rooms.call('calls.startCall', by, { conversationId });
  if (answer.ok) live = { by, callId: answer.result.call.id };
  return outcomeOf(answer);
}

async function start(by: Person, conversationId: ConversationId): Promise<CallId> {
  const { call } = unwrap(await server.rooms.call('calls.startCall', by, { conversationId }));
  live = { by, callId: call.id };
  return call.id;
}

async function enter(person: Person, callId: CallId): Promise<Entered> {
  const entered = await enterCall(server, person, callId);
  peers.push(entered.peer);
  return entered;
}

/** The person's chat of this kind, where they write: some subjects a class teacher only reads. */
async function chatOf(person: Person, kind: ConversationKind, groupId: string | null) {
  const { conversations } = unwrap(await server.rooms.call('chat.listConversations', person, {}));
  const found = conversations.find((each) => each.kind === kind && each.groupId === groupId && each.canPost);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found.id;
}

async function directOf(person: Person, other: Person): Promise<ConversationId> {
  const { conversation } = unwrap(
    await server.rooms.call('chat.openDirect', person, { membershipId: other.as }),
  );
  return conversation.id;
}

/** One outcome for several tries; all of them where they differ, which is neither `ok` nor a code. */
const together = (outcomes: readonly string[]): string => [...new Set(outcomes)].join(' and ');

interface Lesson {
  readonly conversationId: ConversationId;
  /** Begins it. */
  readonly starter: Person;
  /** Somebody there who is no host. */
  readonly listener: Person;
}

/**
 * A lesson that is the standing's own, or not. Administrators and heads have no way yet into the chats of classes: their
 * lessons are talks with a guardian, whoever's guardian it is. So are those of whom no chat of a class takes in.
 */
async function lessonFor(person: Person, own: boolean, standing: Holder): Promise<Lesson> {
  const { groupId, otherGroupId, admin, guardian, otherGuardian, classmate, otherPupil } = school;
  const inChat = async (kind: ConversationKind, group: string, listener: Person): Promise<Lesson> => ({
    conversationId: await chatOf(colleague, kind, group),
    starter: colleague,
    listener,
  });
  if (standing === 'SA' || standing === 'HD') {
    const listener = own ? guardian : otherGuardian;
    return { conversationId: await directOf(person, listener), starter: listener, listener };
  }
  if (!own) return inChat('class', otherGroupId, otherPupil);
  switch (standing) {
    case 'ST':
      return inChat('subject', groupId, classmate);
    case 'PV':
      return inChat('parents', groupId, guardian);
    case 'TU':
    case 'PU':
      return { conversationId: await directOf(person, admin), starter: admin, listener: person };
    default:
      return inChat('class', groupId, classmate);
  }
}

async function tryToHost(person: Person, { listener }: Lesson, callId: CallId): Promise<string> {
  const { rooms } = server;
  const outcomes: string[] = [];
  const target = { callId, membershipId: listener.as };
  const ticket = await rooms.call('calls.createTicket', person, { callId });
  if (!ticket.ok) outcomes.push(ticket.error.code);
  else {
    const { peer } = await enter(person, callId);
    for (const source of trackSources) {
      const reply = await peer.ask('setAllAllowed', { source, allowed: false });
      outcomes.push(reply.ok ? 'ok' : reply.error.code);
    }
    const reply = await peer.ask('lowerHand', { peerId: null });
    outcomes.push(reply.ok ? 'ok' : reply.error.code);
  }
  outcomes.push(outcomeOf(await rooms.call('calls.removeMember', person, target)));
  outcomes.push(outcomeOf(await rooms.call('calls.readmitMember', person, target)));
  outcomes.push(outcomeOf(await rooms.call('calls.endCall', person, { callId })));
  return together(outcomes);
}

async function tryToSend({ peer }: Entered, callId: CallId, person: Person): Promise<string> {
  const { transportId } = await peer.request('createTransport', { direction: 'send' });
  await peer.request('connectTransport', { transportId, dtlsParameters });
  const parametersOf = (source: TrackSource) =>
    source === 'microphone' ? opusParameters() : { ...vp8Parameters(), mid: source };
  const outcomes: string[] = [];
  for (const source of trackSources) {
    const reply = await peer.ask('produce', { transportId, source, rtpParameters: parametersOf(source) });
    outcomes.push(reply.ok ? 'ok' : reply.error.code);
  }
  const sent = server.media.findRoom(callId)?.find(person.as)?.producersToOffer() ?? [];
  if (sent.length !== outcomes.filter((each) => each === 'ok').length) outcomes.push('otherwise');
  return together(outcomes);
}

/** Two people who may talk, or who may not (any more). */
async function talkFor(person: Person, own: boolean, standing: Holder): Promise<ConversationId> {
  const { rooms } = server;
  const { admin, head, otherTeacher, classTeacher, subjectTeacher, pupil, otherPupil, schoolId, groupId } =
    school;
  switch (standing) {
    case 'SA':
    case 'HD':
      return directOf(person, own ? otherTeacher : otherPupil);
    case 'TU':
    case 'PU':
      return own ? directOf(person, admin) : directOf(admin, head);
    case 'CT':
    case 'ST':
      return own ? directOf(person, pupil) : directOf(admin, otherPupil);
    case 'SU':
      return own ? directOf(person, subjectTeacher) : directOf(admin, otherPupil);
    case 'PV': {
      if (own) return directOf(person, classTeacher);
      // Taught the child until a moment ago: the chat is still there.
      const former = await enrol(rooms, schoolId, {
        role: 'teacher',
        verified: true,
        fullName: 'Дроздов Юрий',
        attachments: [{ groupId, kind: 'subject', subject: 'Химия' }],
      });
      const conversationId = await directOf(person, former);
      unwrap(
        await rooms.call('school.detachTeacher', admin, {
          membershipId: former.as,
          groupId,
          kind: 'subject',
          subject: 'Химия',
        }),
      );
      return conversationId;
    }
  }
}

const walks: Record<(typeof walkedInCalls)[number], Walk> = {
  startDirectCall: {
    prepare: async (person, own, standing) => {
      const conversationId = await talkFor(person, own, standing);
      return () => tryToStart(person, conversationId);
    },
    denied: ['FORBIDDEN', 'NOT_FOUND'],
    after: clearAway,
  },
  startGroupCall: {
    prepare: async (person, own, standing) => {
      const { groupId, otherGroupId } = school;
      // The staff's chat is everybody's who leads the school; there is no way yet into the chats of classes.
      const conversationId =
        standing === 'SA' || standing === 'HD'
          ? await chatOf(person, 'staff', null)
          : !own
            ? await chatOf(colleague, 'class', otherGroupId)
            : await chatOf(
                colleague,
                standing === 'ST' ? 'subject' : standing === 'PV' ? 'parents' : 'class',
                groupId,
              );
      return () => tryToStart(person, conversationId);
    },
    denied: ['FORBIDDEN', 'NOT_FOUND'],
    after: clearAway,
  },
  useLessonMedia: {
    // Own: a host allows it; another's: a host has forbidden it.
    prepare: async (person, own, standing) => {
      const lesson = await lessonFor(person, true, standing);
      const callId = await start(lesson.starter, lesson.conversationId);
      const entered = await enter(person, callId);
      const host = entered.me.host ? entered : await enter(lesson.starter, callId);
      for (const source of trackSources) await host.peer.request('setAllAllowed', { source, allowed: own });
      return () => tryToSend(entered, callId, person);
    },
    denied: ['FORBIDDEN'],
    after: clearAway,
  },
  hostLesson: {
    prepare: async (person, own, standing) => {
      const lesson = await lessonFor(person, own, standing);
      const callId = await start(lesson.starter, lesson.conversationId);
      return () => tryToHost(person, lesson, callId);
    },
    denied: ['FORBIDDEN', 'NOT_FOUND'],
    after: clearAway,
  },
};

walkPermissions(walks, () => ({ rooms: server.rooms, school }));
