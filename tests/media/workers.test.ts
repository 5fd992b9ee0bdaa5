// needs: media-worker
// alone: live media keeps time
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createMedia } from '@zvonok/server/media/index.ts';
import { createLogger } from '@zvonok/server/platform/logger.ts';
import { expect, test } from 'vitest';
import { until } from './media-server.ts';

test('a port that is taken costs one worker, and a death of the other ends no lesson', async () => {
  const portBase = randomInt(20_000, 30_000);
  const foreign = createServer().listen(portBase + 1, '127.0.0.1');
  await once(foreign, 'listening');
  const media = createMedia({
    config: {
      rtc: { listen: '127.0.0.1', announcedAddress: '127.0.0.1', portBase, workers: 2 },
      calls: { setup: 'root', workerBin: process.env.MEDIASOUP_WORKER_BIN },
    },
    logger: createLogger({ logLevel: 'silent' }),
  });
  try {
    await until(() => media.workerPids().length === 1, 60_000);
    // Long enough for the other to have failed more often than a node without any worker is given.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(media.status()).toEqual({ state: 'ready' });
    const [pid] = media.workerPids();
    process.kill(pid as number, 'SIGKILL');
    await until(() => media.workerPids().length === 0);
    // Whoever asks now comes back in a moment; "unavailable" would send them away for good.
    expect(media.status()).toEqual({ state: 'ready' });
    await until(() => media.workerPids().length === 1);
    expect(media.workerPids()).not.toContain(pid);
    foreign.close();
    await until(() => media.workerPids().length === 2, 15_000);
  } finally {
    foreign.close();
    await media.close();
  }
});
