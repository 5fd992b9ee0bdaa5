import { createApp } from './app.ts';
import { seedDemo } from './demo.ts';
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

  if (config.demo) await seedDemo(app, say);
  const address = await app.listen();
  app.platform.logger.info({ version: config.version, demo: config.demo }, 'server started');
  say(`Zvonok is ready: ${address}`);
}

main().catch((error: unknown) => {
  // Faults that their words explain need no stack.
  const known = [ConfigError, UnfitDatabaseError, EmbeddedPostgresError].some(
    (kind) => error instanceof kind,
  );
  process.stderr.write(`${error instanceof Error ? (known ? error.message : error.stack) : String(error)}\n`);
  process.exit(1);
});
