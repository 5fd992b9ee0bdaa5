import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A bad network between a client and a server: it can cut connections, refuse new ones, and lose single WebSocket
 * frames on their way to the client (Socket.IO sends each event and each acknowledgement as one).
 */
export class TcpProxy {
  /** Asked for each text frame from the server: true loses it. */
  loseFrame: (text: string) => boolean = () => false;
  readonly url: string;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isRefusing = false;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** In front of the server at `url`. */
  static async start(url: string): Promise<TcpProxy> {
    const target = new URL(url);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const proxy = new TcpProxy(server, `http://127.0.0.1:${port}`);
    server.on('connection', (client) => proxy.#accept(client, Number(target.port), target.hostname));
    return proxy;
  }

  /** Ends every connection without a word. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
  }

  /** Ends every connection and takes no new ones until `restore`. */
  down(): void {
    this.#isRefusing = true;
    this.cut();
  }

  restore(): void {
    this.#isRefusing = false;
  }

  async stop(): Promise<void> {
    this.down();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket, port: number, host: string): void {
    if (this.#isRefusing) {
      client.destroy();
      return;
    }
    const server = connect(port, host);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        server.destroy();
        this.#pairs.delete(pair);
      });
    }
    client.on('data', (bytes) => server.write(bytes));
    const filter = new FrameFilter((text) => this.loseFrame(text));
    server.on('data', (bytes) => client.write(filter.pass(bytes)));
  }
}

/** Takes the bytes of a server's answers; after an upgrade to WebSocket it leaves out frames. */
class FrameFilter {
  readonly #isLost: (text: string) => boolean;
  #rest = Buffer.alloc(0);
  #mode: 'unknown' | 'plain' | 'frames' = 'unknown';

  constructor(isLost: (text: string) => boolean) {
    this.#isLost = isLost;
  }

  pass(bytes: Buffer): Buffer {
    if (this.#mode === 'plain') return bytes;
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const passed: Buffer[] = [];
    if (this.#mode === 'unknown') {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return Buffer.alloc(0);
      this.#mode = this.#rest.toString('latin1', 0, 13).startsWith('HTTP/1.1 101') ? 'frames' : 'plain';
      const head = this.#mode === 'plain' ? this.#rest.length : end + 4;
      passed.push(this.#rest.subarray(0, head));
      this.#rest = this.#rest.subarray(head);
    }
    for (;;) {
      const frame = firstFrame(this.#rest);
      if (frame === undefined) return Buffer.concat(passed);
      const whole = this.#rest.subarray(0, frame.end);
      const isText = ((whole[0] ?? 0) & 0x0f) === 1;
      if (!isText || !this.#isLost(whole.toString('utf8', frame.start))) passed.push(whole);
      this.#rest = this.#rest.subarray(frame.end);
    }
  }
}

/** Where the payload of the first whole frame lies; a server's frames are not masked (RFC 6455, section 5.2). */
function firstFrame(bytes: Buffer): { readonly start: number; readonly end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  const start = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < start) return undefined;
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  return bytes.length < start + length ? undefined : { start, end: start + length };
}
