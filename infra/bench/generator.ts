import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../toolchain.mjs';
import { BenchError } from './bench-error.ts';
import type { Histogram } from './figures.ts';
import type { Population } from './population.ts';
import type { ServerUnderTest } from './servers.ts';

/** Above these the generator is what was measured, and the run says nothing. */
export const generatorLimits = { cores: 0.85, lagMs: 50 } as const;

/** A pupil's usual line; the marker in it is what deliveries are counted by. */
const marker = 'Звонок-замер';
const text = `${marker}: домашнее задание по алгебре, № 412–415, сдать до пятницы.`;

/** How messages are sent. */
export type Pace =
  /** Each sender sends the next message when the last was acknowledged; `each` ends it after so many. */
  | { readonly kind: 'closed'; readonly each?: number }
  /** So many messages a second over all senders, answered or not. */
  | { readonly kind: 'steady'; readonly perSecond: number };

export interface Load {
  readonly population: Population;
  /** Who sends: the first member of each room, or all of them by turns. */
  readonly senders: 'one' | 'all';
  readonly pace: Pace;
}

/** What one run of the generator saw. Counts and CPU are those of the measured time; sent, received and lost of all of it. */
export interface Outcome {
  readonly seconds: number;
  readonly acked: number;
  readonly deliveries: number;
  readonly sent: number;
  readonly received: number;
  /** Deliveries of sent messages that had not come 5 s after the last send. */
  readonly lost: number;
  /** Deliveries too many. */
  readonly surplus: number;
  /** Messages without any answer 5 s after the last send. */
  readonly unanswered: number;
  /** Messages answered by anything but ok. */
  readonly refused: number;
  readonly serverCpuSeconds: number;
  readonly databaseCpuSeconds: number;
  /** The longest that the generator's own loop was late. */
  readonly lagMs: number;
  /** CPU that the generator itself took. */
  readonly cores: number;
  readonly latencies: Histogram;
}

const drainMs = 5_000;
const source = fileURLToPath(new URL('generator.c', import.meta.url));

/** Compiles the generator, once for each version of its source, and returns the path of the program. */
export async function buildGenerator(): Promise<string> {
  if (process.platform !== 'linux')
    throw new BenchError('The load generator needs Linux: it counts CPU by /proc.');
  const digest = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cacheFolder(), 'bench');
  const program = join(folder, `generator-${digest}`);
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  const draft = `${program}.${process.pid}`;
  const result = spawnSync('cc', ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-o', draft, source], {
    encoding: 'utf8',
  });
  if (result.error !== undefined) {
    throw new BenchError(
      'The load generator is written in C and there is no `cc`: apt-get install gcc libc6-dev, then try again.',
    );
  }
  if (result.status !== 0) throw new BenchError(`The load generator does not compile:\n${result.stderr}`);
  await rename(draft, program);
  return program;
}

/** Clients that stand connected. */
export interface Clients {
  /** The generator's process. */
  readonly pid: number | undefined;
  /** Sends the load, measures the second part of it and returns what came of it. One run at a time. */
  run(warmupMs: number, measureMs: number): Promise<Outcome>;
  /** Disconnects. */
  stop(): Promise<void>;
}

/** Connects everybody of the load and resolves when all of them are in. */
export async function connectClients(program: string, server: ServerUnderTest, load: Load): Promise<Clients> {
  const folder = await mkdtemp(join(tmpdir(), 'zvonok-bench-'));
  const planFile = join(folder, 'plan');
  await writeFile(planFile, planOf(server, load), { mode: 0o600 });
  const child = spawn(program, [planFile], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = endOf(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done !== true) return line.value;
    const { words } = await ended;
    throw new BenchError(`Against ${server.name}: ${words || 'the generator ended without a word'}`);
  };
  try {
    await nextLine();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
  return {
    pid: child.pid,
    async run(warmupMs, measureMs) {
      child.stdin.write(`${warmupMs} ${measureMs}\n`);
      return JSON.parse(await nextLine()) as Outcome;
    },
    async stop() {
      // It takes the end of its input for the end of the bench.
      child.stdin.end();
      await ended;
    },
  };
}

function endOf(child: ChildProcessWithoutNullStreams): Promise<{ words: string }> {
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    words += chunk;
    process.stderr.write(chunk);
  });
  child.stdin.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve({ words: words.trim() }));
  });
}

/**
 * Throws where an outcome can't be used: the generator was the bottleneck, or the server did something else than its
 * job. Losses don't make a run void, they are a result.
 */
export function refuseVoid(server: ServerUnderTest, outcome: Outcome): void {
  const faults: string[] = [];
  if (outcome.cores > generatorLimits.cores)
    faults.push(`the generator took ${outcome.cores} of a core (at most ${generatorLimits.cores})`);
  if (outcome.lagMs > generatorLimits.lagMs)
    faults.push(`the generator's loop was late by ${outcome.lagMs} ms (at most ${generatorLimits.lagMs})`);
  if (outcome.refused > 0) faults.push(`${outcome.refused} messages were refused`);
  if (outcome.unanswered > 0) faults.push(`${outcome.unanswered} messages were never answered`);
  if (outcome.surplus > 0) faults.push(`${outcome.surplus} deliveries came twice or astray`);
  if (outcome.acked === 0) faults.push('nothing was acknowledged');
  if (faults.length > 0)
    throw new BenchError(`The run is void (against ${server.name}): ${faults.join('; ')}.`);
}

/** Lines of `key<TAB>value...`, as generator.c reads them. */
function planOf(server: ServerUnderTest, { population, senders, pace }: Load): string {
  const { people, rooms } = population;
  const lines = [
    'host\t127.0.0.1',
    `port\t${server.port}`,
    'path\t/socket.io/?EIO=4&transport=websocket',
    `marker\t${marker}`,
    `serverPid\t${server.pid}`,
    `postmasterPid\t${server.postmasterPid ?? 0}`,
    `rate\t${pace.kind === 'steady' ? pace.perSecond : 0}`,
    `each\t${pace.kind === 'closed' ? (pace.each ?? 0) : 0}`,
    `drainMs\t${drainMs}`,
    `rooms\t${rooms.length}`,
  ];
  const roomsOf: number[][] = people.map(() => []);
  for (const [index, room] of rooms.entries())
    for (const member of room.members) roomsOf[member]?.push(index);
  for (const [index, person] of people.entries()) {
    const own = roomsOf[index] ?? [];
    const auth = server.authOf(
      person,
      own.flatMap((room) => rooms[room]?.conversationId ?? []),
    );
    lines.push(`connection\t${own.join(',')}\t40${JSON.stringify(auth)}`);
  }
  const turns = senders === 'one' ? 1 : Math.max(...rooms.map((room) => room.members.length));
  // By turns over the rooms, so that a steady pace is spread evenly.
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, room] of rooms.entries()) {
      const member = room.members[turn];
      const person = member === undefined ? undefined : people[member];
      if (person === undefined) continue;
      const input = {
        as: person.membershipId,
        conversationId: room.conversationId,
        clientMessageId: '\t',
        text,
      };
      const [before, after] = JSON.stringify(['chat.sendMessage', input]).split('\\t');
      lines.push(`sender\t${member}\t${index}\t${before}\t${after}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
