import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const repositoryRoot = join(import.meta.dirname, '../..');

/** A port that nothing listens on at the moment. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('The probe had no address.');
  return address.port;
}

/** The product as its users run it: a process of its own, whose terminal can be read. */
export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  #terminal = '';

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#terminal = (this.#terminal + text).slice(-200_000);
      });
    }
  }

  /** `script` is relative to the checkout: `infra/start.mjs` (which starts the server again when it dies) or the server itself. */
  static start(
    script: string,
    env: Readonly<Record<string, string>> & { readonly PORT: string },
  ): ServerProcess {
    const child = spawn(process.execPath, [join(repositoryRoot, script)], {
      cwd: repositoryRoot,
      env: { ...process.env, NODE_ENV: 'test', LOG_LEVEL: 'error', CALLS_SETUP: 'off', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ServerProcess(`http://localhost:${env.PORT}`, child);
  }

  get terminal(): string {
    return this.#terminal;
  }

  /** @throws what the terminal said last, when it is not up in time or has ended */
  async ready(timeoutMs = 60_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      if (this.#child.exitCode !== null) break;
      const up = await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(1_000) }).then(
        (response) => response.ok,
        () => false,
      );
      if (up) return;
      await sleep(100);
    }
    throw new Error(`The server did not come up. Its terminal:\n${this.#terminal.slice(-3_000)}`);
  }

  /** The last code that was printed for this phone since `mark` (a length of `terminal`). */
  async code(phone: string, mark: number): Promise<string> {
    const digits = phone.replaceAll(/\D/g, '');
    for (let tries = 0; tries < 100; tries += 1) {
      for (const line of this.#terminal.slice(mark).split('\n').reverse()) {
        const code = /\b(\d{6})\b/.exec(line.split(': ').slice(1).join(': '))?.[1];
        if (code !== undefined && line.replaceAll(/\D/g, '').includes(digits)) return code;
      }
      await sleep(50);
    }
    throw new Error('No code was printed for this phone.');
  }

  /** The process that serves: the child of the launcher, or the process itself. */
  async serverPid(): Promise<number> {
    const own = this.#child.pid ?? 0;
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const [stat, command] = await Promise.all([
        readFile(`/proc/${entry}/stat`, 'utf8').catch(() => ''),
        readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => ''),
      ]);
      const parent = Number(/^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1]);
      if (parent === own && command.includes('server/src/main.ts')) return Number(entry);
    }
    return own;
  }

  /** Waits for the end that SIGTERM asks for. Resolves to the exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    return this.#child.exitCode;
  }
}
