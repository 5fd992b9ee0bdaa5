import { type CallId, callLimits } from '@zvonok/shared';
import type { FastifyInstance } from 'fastify';
import type { Chat, ConversationFacts } from '../chat/index.ts';
import { type Media, mountSignalling, type Room } from '../media/index.ts';
import { deriveKey } from '../platform/config.ts';
import { eventFor } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor, MountedProcedure } from '../platform/procedures.ts';
import type { School } from '../school/index.ts';
import { createCallsActions } from './calls.actions.ts';
import { CallDoor } from './calls.door.ts';
import { mountCalls } from './calls.routes.ts';
import { listDeserted, touchCalls } from './calls.store.ts';
import { TicketOffice } from './calls.tickets.ts';

/** What calls asks of its neighbours; `app.ts` plugs them in. */
export interface CallsNeighbours {
  readonly school: Pick<School, 'isOpen' | 'loadFacts' | 'mayContact'>;
  readonly chat: Pick<Chat, 'requireConversation' | 'postCallCard' | 'endCallCard'>;
  readonly media: Media;
}

export interface Calls {
  readonly procedures: MountedProcedure[];
  /** Whether this member would be let start a call there: chat shows the button by it. */
  mayStartCall(actor: Actor, place: ConversationFacts): Promise<boolean>;
  /** Adds the media's WebSocket to the server, before it listens. */
  mountSignalling(
    http: FastifyInstance,
    isAllowedOrigin: (origin: string | undefined) => boolean,
  ): Promise<void>;
  /** Stops the timers. Rooms are the media's to close. */
  close(): void;
}

/** How deserted calls are found and ended; `callLimits` unless a test is in a hurry. */
export type SweepTimes = Readonly<Record<'emptyCallMs' | 'sweepMs', number>>;

/** The calls room: who may start, join, host and end; the media room does the rest. */
export function createCalls(
  platform: Platform,
  neighbours: CallsNeighbours,
  { emptyCallMs, sweepMs }: SweepTimes = callLimits,
): Calls {
  const { database, outbound, logger } = platform;
  const { media } = neighbours;
  const tickets = new TicketOffice(deriveKey(platform.secrets, 'call tickets'));
  const actions = createCallsActions(platform, neighbours, tickets, (callId) => door.closeRoom(callId));
  const door: CallDoor = new CallDoor(platform, actions, tickets, media);
  const stopHearing = outbound.onSignal((signal) => door.hear(signal));
  const telling = new Map<string, NodeJS.Timeout>();

  media.onCountChanged((room, count) => {
    if (!telling.has(room.id) && !room.closed) {
      telling.set(room.id, setTimeout(() => tellCount(room), callLimits.participantsToldMs).unref());
    }
    if (count === 0) void touch([room]);
    if (room.closed) door.forget(room);
  });

  function tellCount(room: Room): void {
    telling.delete(room.id);
    const place = door.placeOf(room);
    if (place === undefined || room.closed) return;
    const { conversationId } = place;
    const callId = room.id as CallId;
    outbound.publish([
      eventFor(
        'calls.participantsChanged',
        { conversation: conversationId },
        { callId, conversationId, participantCount: room.count },
      ),
    ]);
  }

  /** Says that these calls are not deserted: their emptiness is counted from now. */
  async function touch(rooms: readonly Room[]): Promise<void> {
    try {
      await touchCalls(
        database,
        rooms.map((room) => room.id as CallId),
        new Date(),
      );
    } catch (error) {
      logger.warn({ err: error }, 'calls could not be marked as active');
    }
  }

  async function sweep(): Promise<void> {
    try {
      await touch([...media.rooms()].filter((room) => room.count > 0));
      const since = new Date(Date.now() - emptyCallMs);
      for (const call of await listDeserted(database, since, callLimits.sweptAtOnce)) {
        if ((media.findRoom(call.id)?.count ?? 0) === 0) await actions.end(call.schoolId, call.id, null);
      }
    } catch (error) {
      logger.warn({ err: error }, 'deserted calls could not be swept');
    }
  }

  // The first sweep comes when people had their time to come back after a restart.
  let sweeper: NodeJS.Timeout | undefined;
  const firstSweep = setTimeout(() => {
    sweeper = setInterval(() => void sweep(), sweepMs);
  }, emptyCallMs);

  return {
    procedures: mountCalls(actions, door),
    mayStartCall: actions.mayStartCall,
    mountSignalling: (http, isAllowedOrigin) =>
      mountSignalling(http, { admit: (ticket) => door.admit(ticket), isAllowedOrigin, logger }),
    close() {
      stopHearing();
      clearTimeout(firstSweep);
      clearInterval(sweeper);
      for (const timer of telling.values()) clearTimeout(timer);
    },
  };
}
