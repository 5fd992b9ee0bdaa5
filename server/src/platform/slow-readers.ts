import { transportLimits } from '@zvonok/shared';
import type { Server, Socket } from 'socket.io';
import type { Logger } from './logger.ts';

/** How often buffers are looked at: with the limits it bounds what one connection can hold (promise P15). */
const sweepMs = 1_000;

interface Connection {
  readonly writeBuffer: readonly { readonly data?: unknown }[];
  readonly transport: { readonly socket?: { readonly bufferedAmount?: number; terminate?(): void } };
  close(discard?: boolean): void;
}

/**
 * Cuts the connections that don't read what they are sent: too many bytes waiting, or the oldest of them waiting for
 * too long. The client comes back and catches up from the database.
 */
export function watchSlowReaders(
  io: Server,
  announceCut: (socket: Socket) => void,
  logger: Logger,
): { stop(): void } {
  const waiting = new Map<Connection, { first: unknown; since: number }>();

  function sweep() {
    const now = Date.now();
    const seen = new Set<Connection>();
    for (const socket of io.sockets.sockets.values()) {
      const connection = socket.conn as unknown as Connection;
      const first = connection.writeBuffer[0];
      if (first === undefined) continue;
      seen.add(connection);
      const known = waiting.get(connection);
      if (known?.first !== first) waiting.set(connection, { first, since: now });
      const stuckMs = now - (known?.first === first ? known.since : now);
      const bytes = connection.writeBuffer.reduce(
        (sum, packet) => sum + (typeof packet.data === 'string' ? packet.data.length : 0),
        connection.transport.socket?.bufferedAmount ?? 0,
      );
      if (bytes < transportLimits.slowReaderBytes && stuckMs < transportLimits.slowReaderMs) continue;
      logger.info({ bytes, stuckMs }, 'slow reader cut');
      waiting.delete(connection);
      announceCut(socket);
      // A close handshake would wait for a peer that does not read.
      connection.transport.socket?.terminate?.();
      connection.close(true);
    }
    for (const connection of waiting.keys()) if (!seen.has(connection)) waiting.delete(connection);
  }

  const timer = setInterval(sweep, sweepMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
