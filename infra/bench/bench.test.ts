// A measuring instrument that can't fail measures nothing: losses, refusals and a generator out of breath must show.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { median, percentile, quantile } from './figures.ts';
import { buildGenerator, type Clients, connectClients, type Load, refuseVoid } from './generator.ts';
import { apart, overlapping } from './population.ts';
import { type ServerUnderTest, startBareServer } from './servers.ts';

describe('the load generator against the bare server', () => {
  let program: string;
  let server: ServerUnderTest;
  const connected: Clients[] = [];

  beforeAll(async () => {
    program = await buildGenerator();
    server = await startBareServer();
  });
  afterAll(async () => {
    for (const clients of connected) await clients.stop();
    await server?.stop();
  });

  async function connect(to: ServerUnderTest, load: Load): Promise<Clients> {
    const clients = await connectClients(program, to, load);
    connected.push(clients);
    return clients;
  }

  it('counts a delivery for each member of the room, the sender too, in run after run', async () => {
    const clients = await connect(server, {
      population: apart(5, 4),
      senders: 'one',
      pace: { kind: 'closed' },
    });
    for (let run = 0; run < 2; run++) {
      const outcome = await clients.run(100, 500);
      expect(outcome.sent).toBeGreaterThan(100);
      expect(outcome.received).toBe(outcome.sent * 4);
      expect(outcome).toMatchObject({ lost: 0, surplus: 0, unanswered: 0, refused: 0 });
      expect(outcome.latencies.reduce((sum, [, count]) => sum + count, 0)).toBe(outcome.acked);
      expect(outcome.serverCpuSeconds).toBeGreaterThan(0);
      expect(outcome.cores).toBeGreaterThan(0);
    }
  });

  it('keeps a steady pace', async () => {
    const load: Load = {
      population: apart(4, 5),
      senders: 'all',
      pace: { kind: 'steady', perSecond: 200 },
    };
    const outcome = await (await connect(server, load)).run(0, 1_000);
    expect(outcome.sent).toBeGreaterThanOrEqual(200);
    expect(outcome.sent).toBeLessThanOrEqual(200 * outcome.seconds + 10);
    expect(outcome).toMatchObject({ received: outcome.sent * 5, lost: 0 });
  });

  it('sends as many as were asked for, to people in several rooms', async () => {
    const population = overlapping(60, 5, 10);
    const load: Load = { population, senders: 'one', pace: { kind: 'closed', each: 1 } };
    const outcome = await (await connect(server, load)).run(0, 500);
    expect(outcome).toMatchObject({ sent: 30, received: 300, lost: 0, surplus: 0 });
  });

  it('sees each delivery that does not come', async () => {
    const population = apart(2, 3);
    const deaf = population.people[1];
    const forgetful: ServerUnderTest = {
      ...server,
      authOf: (person, rooms) => ({ rooms: person === deaf ? [] : rooms }),
    };
    const load: Load = { population, senders: 'one', pace: { kind: 'closed', each: 7 } };
    expect(await (await connect(forgetful, load)).run(0, 200)).toMatchObject({
      sent: 14,
      received: 35,
      lost: 7,
    });
  });

  it('sees each delivery that comes where it should not', async () => {
    const population = apart(2, 3);
    const everything = population.rooms.map((room) => room.conversationId);
    const talkative: ServerUnderTest = { ...server, authOf: () => ({ rooms: everything }) };
    const load: Load = { population, senders: 'one', pace: { kind: 'closed', each: 2 } };
    const outcome = await (await connect(talkative, load)).run(0, 200);
    expect(outcome).toMatchObject({ lost: 0, surplus: 12 });
    expect(() => refuseVoid(server, outcome)).toThrow(/12 deliveries came twice or astray/);
  });

  it('calls a run void when the generator could not keep up', async () => {
    const clients = await connect(server, {
      population: apart(2, 2),
      senders: 'one',
      pace: { kind: 'closed' },
    });
    const running = clients.run(0, 1_000);
    await delay(300);
    process.kill(clients.pid ?? 0, 'SIGSTOP');
    await delay(150);
    process.kill(clients.pid ?? 0, 'SIGCONT');
    const outcome = await running;
    expect(outcome.lagMs).toBeGreaterThan(100);
    expect(() => refuseVoid(server, outcome)).toThrow(/loop was late/);
    expect(() => refuseVoid(server, { ...outcome, lagMs: 1, cores: 0.9 })).toThrow(/0.9 of a core/);
    refuseVoid(server, { ...outcome, lagMs: 1, cores: 0.1 });
  });
});

describe('figures', () => {
  it('takes quantiles between values', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
  });

  it('takes percentiles of merged samples', () => {
    const one = [
      [0.1, 50],
      [5, 1],
    ] as const;
    expect(percentile([one, [[0.2, 49]]], 0.5)).toBe(0.1);
    expect(percentile([one, [[0.2, 49]]], 0.99)).toBe(0.2);
    expect(percentile([one, [[0.2, 49]]], 1)).toBe(5);
  });
});
