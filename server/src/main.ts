import { type App, createApp } from './app.ts';
import { demoTable, seedDemo } from './demo.ts';
import { ConfigError, readConfig } from './platform/config.ts';
import { UnfitDatabaseError } from './platform/database.ts';
import { EmbeddedPostgresError } from './platform/embedded-postgres.ts';

/** What a person reads while starting the server; the log is for machines. */
function say(line: string) {
  process.stdout.write(`${line}\n`);
}

async function main() {
  const { config, secrets } = readConfig(process.env);
  const app = await createApp(config, secrets);

  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      say('Stopping…');
      app.close().then(
        () => process.exit(0),
        (error: unknown) => {
          app.platform.logger.error({ err: error }, 'stop failed');
          process.exit(1);
        },
      );
    });
  }

  const demo = config.demo ? await seedDemo(app, say) : undefined;
  const address = await app.listen();
  app.platform.logger.info({ version: config.version, demo: config.demo }, 'server started');
  if (config.demo) for (const line of demoTable(address, demo)) say(line);
  say(`Zvonok is ready: ${address}`);
  tellOfCalls(app.media);
}

/** How often the preparation of calls is looked at, and told of while it goes on. */
const callsLookMs = 1_000;
const callsTellMs = 15_000;

/** Chats don't wait for the media worker; who started the server is told how far it is, and what to run if it can't be had. */
function tellOfCalls(media: App['media']) {
  let toldAt = 0;
  const timer = setInterval(() => {
    const status = media.status();
    if (status.state === 'preparing') {
      if (Date.now() - toldAt < callsTellMs) return;
      toldAt = Date.now();
      say(`Lessons are being prepared: about ${Math.ceil(status.etaMs / 1_000)} s. Chats work meanwhile.`);
      return;
    }
    clearInterval(timer);
    if (status.state === 'ready') say('Lessons are ready.');
    else {
      say(`Lessons are unavailable: ${status.reason}`);
      if (status.command !== undefined) say(`Run this once, then start again:\n  ${status.command}`);
    }
  }, callsLookMs);
  timer.unref();
}

main().catch((error: unknown) => {
  // Faults that their words explain need no stack.
  const known = [ConfigError, UnfitDatabaseError, EmbeddedPostgresError].some(
    (kind) => error instanceof kind,
  );
  process.stderr.write(`${error instanceof Error ? (known ? error.message : error.stack) : String(error)}\n`);
  process.exit(1);
});
