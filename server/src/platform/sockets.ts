import type { Server as HttpServer, IncomingMessage } from 'node:http';
import {
  CodedError,
  type ConversationId,
  contractVersion,
  type DisconnectCode,
  disconnectCatalogue,
  farewellEvent,
  type MembershipId,
  type SchoolId,
  transportLimits,
} from '@zvonok/shared';
import { parseCookie } from 'cookie';
import { type DefaultEventsMap, Server, type Socket } from 'socket.io';
import type { Dispatcher } from './dispatcher.ts';
import { leanBroadcasts } from './lean-broadcast.ts';
import type { Logger } from './logger.ts';
import { type AudienceRoom, type OutboundTransport, roomOf, type Signal } from './outbound.ts';
import type { Caller } from './procedures.ts';
import { watchSlowReaders } from './slow-readers.ts';
import { isServedVersion } from './version.ts';
import { createWindowLimiter } from './window-limiter.ts';

export const sessionCookieName = 'zvonok_session';
/** With its slash: what follows is Socket.IO's, anything else is not. */
export const socketsPath = '/socket.io/';

/** What a socket listens to: one entry for each active membership of its account. */
export interface AudienceMembership {
  readonly membershipId: MembershipId;
  readonly schoolId: SchoolId;
  readonly conversationIds: readonly ConversationId[];
}

export interface SocketPorts {
  readonly findSession: (token: string) => Promise<Caller | undefined>;
  readonly audienceOf: (caller: Caller) => Promise<readonly AudienceMembership[]>;
  /** The first device of a membership came (or the last one left) on this node. */
  readonly presenceChanged: (membership: AudienceKey, online: boolean) => void;
  readonly isAllowedOrigin: (origin: string | undefined) => boolean;
  readonly addressOf: (request: IncomingMessage) => string;
}

export interface AudienceKey {
  readonly membershipId: MembershipId;
  readonly schoolId: SchoolId;
}

/** Kept for each connection, thousands of times: small. */
interface SocketData {
  caller: Caller;
  address: string;
  memberships: readonly AudienceKey[];
}

type ClientSocket = Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData>;
export type ClientSockets = Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData>;
/** The part of an Engine.IO connection that floods are cut by. */
interface EngineConnection {
  readonly transport: { readonly socket?: { terminate?(): void } };
  on(event: 'packet', listener: () => void): void;
  close(discard: boolean): void;
}
type AdapterConstructor = Parameters<Server['adapter']>[0];

const signalEvent = 'signal';

export interface Sockets {
  readonly transport: OutboundTransport;
  /** Applies a signal to the sockets of this node. */
  apply(signal: Signal): void;
  readonly count: number;
  /** Tells clients to come back after a random delay and cuts them. */
  close(): Promise<void>;
}

export interface SocketsOptions {
  readonly server: HttpServer;
  readonly dispatcher: Dispatcher;
  readonly ports: SocketPorts;
  readonly logger: Logger;
  /** Shared rooms between nodes; undefined on one node. */
  readonly adapter: AdapterConstructor | undefined;
  /** Whether floods are cut; off for measurements. */
  readonly limits: 'on' | 'off';
  readonly onSignal: (signal: Signal) => void;
}

/**
 * Socket.IO as Zvonok runs it: a socket is authenticated by its handshake, is put into the rooms of its audience by the
 * server alone, and calls procedures as `emit('noun.verb', input, ack)`. A missing ack is tolerated.
 */
export function createSockets(options: SocketsOptions): Sockets {
  const { dispatcher, ports, logger } = options;
  const io: ClientSockets = new Server(options.server, {
    path: socketsPath,
    transports: ['websocket', 'polling'],
    // Costs memory per connection and CPU per message, for texts that are small anyway.
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: transportLimits.eventBytes,
    connectTimeout: transportLimits.authenticateMs,
    pingInterval: transportLimits.pingIntervalMs,
    pingTimeout: transportLimits.pingTimeoutMs,
    serveClient: false,
    // Other routes of this HTTP server (media signalling) take upgrades too.
    destroyUpgrade: false,
    allowRequest: (request, callback) => {
      const allowed = ports.isAllowedOrigin(request.headers.origin);
      callback(allowed ? null : 'ORIGIN_REFUSED', allowed);
    },
    ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
  });

  /** Signals that arrive while a socket's audience is being read from the database; applied once it has joined. */
  const joining = new Map<ClientSocket, Signal[]>();
  const onlineCounts = new Map<MembershipId, number>();
  const limiter = createWindowLimiter();
  /** Engine.IO connections that somebody with a session stands behind. */
  const admitted = new WeakSet<object>();
  if (options.limits === 'on') io.engine.on('connection', cutFloods);

  io.use((socket, next) => {
    admit(socket).then(
      () => next(),
      (error: unknown) => {
        joining.delete(socket);
        const coded = error instanceof CodedError ? error : new CodedError('UNAVAILABLE');
        if (!(error instanceof CodedError)) logger.error({ err: error }, 'socket admission failed');
        next(Object.assign(new Error(coded.code), { data: coded.toBody() }));
      },
    );
  });

  async function admit(socket: ClientSocket): Promise<void> {
    const { token, version } = readHandshake(socket);
    if (!isServedVersion(version))
      throw new CodedError('CLIENT_OUTDATED', { data: { served: contractVersion } });
    const caller = token === undefined ? undefined : await ports.findSession(token);
    if (caller === undefined) throw new CodedError('UNAUTHENTICATED');
    const sessionRoom = roomOf({ session: caller.sessionId });
    if ((io.sockets.adapter.rooms.get(sessionRoom)?.size ?? 0) >= transportLimits.socketsPerSession) {
      throw new CodedError('RATE_LIMITED', { retryAfterMs: transportLimits.pingIntervalMs });
    }
    if (options.limits === 'on') {
      const retryAfterMs = limiter.hit(`admit ${caller.sessionId}`, transportLimits.admissionsPerSession);
      if (retryAfterMs > 0) throw new CodedError('RATE_LIMITED', { retryAfterMs });
    }
    socket.data.caller = caller;
    socket.data.address = ports.addressOf(socket.request);
    socket.data.memberships = [];
    // From here on nothing is missed: signals are kept until the rooms are joined.
    joining.set(socket, []);
    socket.join([sessionRoom, roomOf({ account: caller.accountId })]);
    // Asked again now that endings reach this socket: a session revoked since the first question is refused.
    if ((await ports.findSession(token ?? '')) === undefined) throw new CodedError('UNAUTHENTICATED');
    const audience = await ports.audienceOf(caller);
    const rooms: AudienceRoom[] = [];
    for (const membership of audience) {
      rooms.push(roomOf({ membership: membership.membershipId }), roomOf({ school: membership.schoolId }));
      for (const conversation of membership.conversationIds) rooms.push(roomOf({ conversation }));
    }
    socket.data.memberships = audience.map(({ membershipId, schoolId }) => ({ membershipId, schoolId }));
    socket.join(rooms);
    // Whoever went meanwhile never becomes a connection, and would be waited for in `joining` for ever.
    if (socket.conn.readyState !== 'open') throw new CodedError('UNAUTHENTICATED');
  }

  io.on('connection', (socket) => {
    const missed = joining.get(socket) ?? [];
    joining.delete(socket);
    admitted.add(socket.conn);
    leanBroadcasts(socket);
    socket.onAny(onEvent);
    socket.on('disconnect', onDisconnect);
    // Before anything may cut it: who went before they came would stay online.
    for (const membership of socket.data.memberships) changePresence(membership, 1);
    for (const signal of missed) applyTo(socket, signal);
  });

  /** Ends connections that send more packets than any client does, before anything is done about the packets. */
  function cutFloods(connection: EngineConnection) {
    let endsAt = 0;
    let count = 0;
    connection.on('packet', () => {
      const now = performance.now();
      if (now >= endsAt) {
        endsAt = now + transportLimits.packets.windowMs;
        count = 0;
      }
      count += 1;
      const max = admitted.has(connection)
        ? transportLimits.packets.max
        : transportLimits.packetsBeforeSession;
      if (count <= max) return;
      logger.info({ packets: count }, 'flood cut');
      connection.transport.socket?.terminate?.();
      connection.close(true);
    });
  }

  function onEvent(this: ClientSocket, name: unknown, ...args: unknown[]) {
    if (options.limits === 'on') {
      const { sessionId } = this.data.caller;
      if (limiter.hit(`call ${sessionId}`, transportLimits.callsPerSession) > 0) {
        cut(this, 'BAD_MESSAGE');
        return;
      }
    }
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (last as (reply: unknown) => void) : undefined;
    const input = ack !== undefined && args.length === 1 ? undefined : args[0];
    dispatcher
      .call(name, input, {
        caller: this.data.caller,
        address: this.data.address,
        userAgent: this.handshake.headers['user-agent'] ?? '',
        carrier: undefined,
      })
      .then((reply) => ack?.(reply))
      .catch((error: unknown) => logger.error({ err: error }, 'acknowledgement failed'));
  }

  function onDisconnect(this: ClientSocket) {
    for (const membership of this.data.memberships) changePresence(membership, -1);
    // A client may leave the namespace and keep the connection, which no count of its sockets would see.
    this.conn.close();
  }

  function changePresence(membership: AudienceKey, by: 1 | -1) {
    const before = onlineCounts.get(membership.membershipId) ?? 0;
    const after = before + by;
    if (after <= 0) onlineCounts.delete(membership.membershipId);
    else onlineCounts.set(membership.membershipId, after);
    if (before === 0 || after === 0) ports.presenceChanged(membership, after > 0);
  }

  function socketsOf(room: AudienceRoom): ClientSocket[] {
    const ids = io.sockets.adapter.rooms.get(room);
    if (ids === undefined) return [];
    return [...ids].map((id) => io.sockets.sockets.get(id)).filter((socket) => socket !== undefined);
  }

  function cut(socket: ClientSocket, code: DisconnectCode) {
    socket.emit(farewellEvent, { code, ...disconnectCatalogue[code] });
    socket.disconnect(true);
  }

  /**
   * Reads a socket's audience anew: rare, and right whatever the order in which things changed. Signals that arrive
   * meanwhile may be younger than what was read: they are applied again on top of it.
   */
  async function rejoin(socket: ClientSocket) {
    const missed: Signal[] = [];
    joining.set(socket, missed);
    try {
      applyAudience(socket, await ports.audienceOf(socket.data.caller));
    } finally {
      joining.delete(socket);
    }
    for (const signal of missed) applyTo(socket, signal);
  }

  function applyAudience(socket: ClientSocket, audience: readonly AudienceMembership[]) {
    const wanted = new Set<string>([
      socket.id,
      roomOf({ session: socket.data.caller.sessionId }),
      roomOf({ account: socket.data.caller.accountId }),
    ]);
    for (const membership of audience) {
      wanted
        .add(roomOf({ membership: membership.membershipId }))
        .add(roomOf({ school: membership.schoolId }));
      for (const conversation of membership.conversationIds) wanted.add(roomOf({ conversation }));
    }
    if (!socket.connected) return;
    for (const room of socket.rooms) if (!wanted.has(room)) socket.leave(room);
    socket.join([...wanted].filter((room) => !socket.rooms.has(room)));
    const before = socket.data.memberships;
    const after = audience.map(({ membershipId, schoolId }) => ({ membershipId, schoolId }));
    socket.data.memberships = after;
    for (const membership of before) {
      if (!after.some((other) => other.membershipId === membership.membershipId))
        changePresence(membership, -1);
    }
    for (const membership of after) {
      if (!before.some((other) => other.membershipId === membership.membershipId))
        changePresence(membership, 1);
    }
  }

  /** One after the other for each socket, so that an older reading never overwrites a newer one. */
  const rejoins = new WeakMap<ClientSocket, Promise<void>>();
  function rejoinInTurn(socket: ClientSocket) {
    const turn = (rejoins.get(socket) ?? Promise.resolve())
      .then(() => rejoin(socket))
      .catch((error: unknown) => {
        // Without a known audience the socket may hear too much: it comes back and is admitted anew.
        logger.error({ err: error }, 'audience could not be read; socket cut');
        cut(socket, 'SERVER_STOPPING');
      });
    rejoins.set(socket, turn);
  }

  function applyTo(socket: ClientSocket, signal: Signal) {
    const { caller, memberships } = socket.data;
    const concerns = (id: MembershipId) => memberships.some((membership) => membership.membershipId === id);
    switch (signal.name) {
      case 'sessionsEnded':
        if (signal.sessionIds.includes(caller.sessionId)) cut(socket, 'SESSION_ENDED');
        break;
      case 'membershipsStarted':
        if (signal.accountId === caller.accountId) rejoinInTurn(socket);
        break;
      case 'membershipEnded':
        for (const id of signal.membershipIds) {
          if (!concerns(id)) continue;
          // At once, without waiting for the database; the new reading below brings back what another membership hears.
          for (const room of socket.rooms) {
            if (room.startsWith('conversation:') || room.startsWith('school:')) socket.leave(room);
          }
          socket.leave(roomOf({ membership: id }));
          rejoinInTurn(socket);
        }
        break;
      case 'conversationsChanged':
        if (!concerns(signal.membershipId)) break;
        socket.join(signal.joined.map((conversation) => roomOf({ conversation })));
        for (const conversation of signal.left) socket.leave(roomOf({ conversation }));
        if (signal.left.length > 0 && memberships.length > 1) rejoinInTurn(socket);
        break;
      case 'membershipChanged':
      case 'jobAdded':
        break;
    }
  }

  function roomsOf(signal: Signal): AudienceRoom[] {
    switch (signal.name) {
      case 'sessionsEnded':
        return signal.sessionIds.map((session) => roomOf({ session }));
      case 'membershipsStarted':
        return [roomOf({ account: signal.accountId })];
      case 'membershipEnded':
        return signal.membershipIds.map((membership) => roomOf({ membership }));
      case 'conversationsChanged':
        return [roomOf({ membership: signal.membershipId })];
      case 'membershipChanged':
      case 'jobAdded':
        return [];
    }
  }

  const slowReaders = watchSlowReaders(io, (socket) => cut(socket as ClientSocket, 'SLOW_READER'), logger);
  io.on(signalEvent, (value: Signal) => options.onSignal(value));

  return {
    transport: {
      emit(room, name, payload, droppable) {
        const target = io.to(room);
        (droppable ? target.volatile : target).emit(name, payload);
      },
      signalOthers(value) {
        if (options.adapter !== undefined) io.serverSideEmit(signalEvent, value);
      },
    },
    apply(signal) {
      for (const missed of joining.values()) missed.push(signal);
      for (const room of roomsOf(signal)) for (const socket of socketsOf(room)) applyTo(socket, signal);
    },
    get count() {
      return io.sockets.sockets.size;
    },
    async close() {
      slowReaders.stop();
      for (const socket of io.sockets.sockets.values()) cut(socket, 'SERVER_STOPPING');
      io.engine.close();
    },
  };
}

function readHandshake(socket: ClientSocket): { token: string | undefined; version: unknown } {
  const auth = socket.handshake.auth as { token?: unknown; version?: unknown };
  if (typeof auth.token === 'string' && auth.token.length <= 200)
    return { token: auth.token, version: auth.version };
  return { token: tokenFromCookie(socket.request), version: auth.version };
}

export function tokenFromCookie(request: Pick<IncomingMessage, 'headers'>): string | undefined {
  const header = request.headers.cookie;
  return header === undefined ? undefined : parseCookie(header)[sessionCookieName];
}
