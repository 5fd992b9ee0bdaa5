/**
 * Ten writers on one pool while backends are killed under them; run by database.test.ts as a process of its own, because
 * what it looks for is the end of the process.
 *
 * argv: URL of a migrated database, seconds, seed. Prints one line of JSON: `Tally`.
 */
import postgres from 'postgres';
import { openDatabase, translateDatabaseError } from '../database.ts';
import { platformFacts } from '../platform.tables.ts';

export interface Tally {
  readonly resolved: number;
  readonly rejected: number;
  /** Rejections that a client would not be told to come back from. */
  readonly foreign: readonly string[];
  /** Operations that neither resolved nor rejected. */
  readonly hung: number;
  readonly kills: number;
  /** Acknowledged transactions that are not in the database as a whole. */
  readonly lost: number;
  /** Transactions of which a part is in the database. */
  readonly torn: number;
  /** Transactions that are stored but were announced not at all or twice, though they resolved; or were announced and not stored. */
  readonly misannounced: number;
}

const [url = '', seconds = '4', seedText = '1'] = process.argv.slice(2);

let seed = Number(seedText);
const random = (): number => {
  // Park and Miller: the run can be repeated as far as the kernel's timing lets it.
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
};

const announced = new Map<string, number>();
const database = await openDatabase({
  url,
  poolSize: 5,
  migrate: false,
  applicationName: 'under fire',
  onCommitted: (announcements) => {
    for (const each of announcements) {
      if (each.kind !== 'signal' || each.signal.name !== 'sessionsEnded') continue;
      const id = String(each.signal.sessionIds[0]);
      announced.set(id, (announced.get(id) ?? 0) + 1);
    }
  },
});
const executioner = postgres(url, { max: 1, connection: { application_name: 'executioner' } });
await database.client`create table if not exists pairs (id text not null, half int not null, filler text)`;

const until = Date.now() + Number(seconds) * 1_000;
const acknowledged = new Set<string>();
const foreign = new Set<string>();
let resolved = 0;
let rejected = 0;
let pending = 0;
let kills = 0;

const settle = async (operation: Promise<unknown>): Promise<boolean> => {
  pending += 1;
  try {
    await operation;
    resolved += 1;
    return true;
  } catch (error) {
    rejected += 1;
    if (translateDatabaseError(error)?.code !== 'UNAVAILABLE') foreign.add(String(error));
    await new Promise((resolve) => setTimeout(resolve, 1));
    return false;
  } finally {
    pending -= 1;
  }
};

const write = async (writer: number): Promise<void> => {
  for (let n = 0; Date.now() < until; n++) {
    const id = `${writer}-${n}`;
    // Some statements are larger than the driver's write buffer and leave by another path.
    const filler = 'x'.repeat(random() < 0.3 ? 3_000 : 10);
    const marker = { kind: 'signal', signal: { name: 'sessionsEnded', sessionIds: [id as never] } } as const;
    const kind = n % 3;
    const done = await settle(
      kind === 0
        ? database.inBriefTransaction(async (tx) => {
            tx.announce(marker);
            await tx.raw`insert into pairs values (${id}, 1, ${filler})`;
            return { value: undefined, last: tx.raw`insert into pairs values (${id}, 2, ${filler})` };
          })
        : kind === 1
          ? database.inTransaction(async (tx) => {
              tx.announce(marker);
              await Promise.all([
                tx.raw`insert into pairs values (${id}, 1, ${filler})`,
                tx.raw`insert into pairs values (${id}, 2, ${filler})`,
              ]);
              await tx.select().from(platformFacts).limit(1);
            })
          : database.client`select ${filler} as filler, count(*) from pairs where id = ${id}`,
    );
    if (done && kind !== 2) acknowledged.add(id);
  }
};

const kill = async (): Promise<void> => {
  while (Date.now() < until) {
    const rows = await executioner<{ done: boolean }[]>`
      select pg_terminate_backend(pid) as done from pg_stat_activity
      where application_name = 'under fire' order by random() limit ${1 + Math.floor(random() * 3)}`;
    kills += rows.length;
    await new Promise((resolve) => setTimeout(resolve, 5 + random() * 40));
  }
};

const writers = Promise.all([...Array(10).keys()].map(write));
await kill();
await Promise.race([writers, new Promise((resolve) => setTimeout(resolve, 8_000))]);

const rows = await executioner<{ id: string; halves: number }[]>`
  select id, count(*)::int as halves from pairs group by id`;
const halves = new Map(rows.map((row) => [row.id, row.halves]));
const tally: Tally = {
  resolved,
  rejected,
  foreign: [...foreign].slice(0, 5),
  hung: pending,
  kills,
  lost: [...acknowledged].filter((id) => halves.get(id) !== 2).length,
  torn: [...halves.values()].filter((count) => count !== 2).length,
  misannounced:
    [...acknowledged].filter((id) => announced.get(id) !== 1).length +
    [...announced.keys()].filter((id) => halves.get(id) !== 2).length,
};
process.stdout.write(`${JSON.stringify(tally)}\n`);
await Promise.all([database.close(1_000), executioner.end({ timeout: 1 })]);
process.exit(0);
