// The yardstick: a Socket.IO server of the same shape as Zvonok that does nothing but pass messages on. It knows
// nobody, checks nothing and stores nothing; it answers and broadcasts what Zvonok would, in the same order, with
// the same fields. Its options are the gateway's (server/src/platform/sockets.ts).
//
//   PORT=4000 node infra/bench/baseline-server.mjs
//
// A client says in `auth.rooms` which conversations it listens to.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { transportLimits } from '../../shared/src/limits.ts';

const { Server } = createRequire(new URL('../../server/package.json', import.meta.url))('socket.io');

const http = createServer((_request, response) => response.end('{"status":"ok"}'));
const io = new Server(http, {
  transports: ['websocket', 'polling'],
  perMessageDeflate: false,
  httpCompression: false,
  maxHttpBufferSize: transportLimits.eventBytes,
  connectTimeout: transportLimits.authenticateMs,
  pingInterval: transportLimits.pingIntervalMs,
  pingTimeout: transportLimits.pingTimeoutMs,
  serveClient: false,
});

const lastSeq = new Map();

io.on('connection', (socket) => {
  socket.join(socket.handshake.auth.rooms);
  socket.on('chat.sendMessage', (input, ack) => {
    const seq = (lastSeq.get(input.conversationId) ?? 0) + 1;
    lastSeq.set(input.conversationId, seq);
    const id = randomUUID();
    const sentAt = new Date().toISOString();
    ack({ ok: true, result: { messageId: id, seq, rev: seq, sentAt } });
    io.to(input.conversationId).emit('chat.messageSent', {
      message: {
        id,
        conversationId: input.conversationId,
        seq,
        rev: seq,
        senderId: input.as,
        clientMessageId: input.clientMessageId,
        body: { kind: 'text', text: input.text },
        sentAt,
      },
    });
  });
});

http.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
