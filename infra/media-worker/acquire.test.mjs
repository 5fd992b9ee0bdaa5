import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from '../lock.mjs';
import { acquireWorker } from './acquire.mjs';

const VERSION = '3.0.0';
const SCRIPT = fileURLToPath(new URL('./acquire.mjs', import.meta.url));

let folder;
let mediasoupFolder;
let cache;
let servers;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zvonok-worker-'));
  mediasoupFolder = join(folder, 'mediasoup');
  cache = join(folder, 'cache');
  servers = [];
  mkdirSync(mediasoupFolder);
  const manifest = { version: VERSION, repository: { url: 'git+https://localhost:1/nobody/nothing.git' } };
  writeFileSync(join(mediasoupFolder, 'package.json'), JSON.stringify(manifest));
});
afterEach(async () => {
  for (const server of servers) server.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

/** A program that does what the installer's check asks of a worker: ends with `code` at once. */
function program(path, code = 41) {
  writeFileSync(path, `#!/bin/sh\nexit ${code}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** No download, and a build that would fail at once: there are no sources. */
const alone = { MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: '1' };

describe('the worker that is named', () => {
  it('comes before all else', async () => {
    const path = program(join(folder, 'mine'));
    const result = await acquireWorker({ mediasoupFolder, cache, env: { MEDIASOUP_WORKER_BIN: path } });
    expect(result).toEqual({ state: 'ready', path, source: 'environment' });
  });

  it('is not silently replaced by another where it does not run', async () => {
    const path = program(join(folder, 'mine'), 127);
    const result = await acquireWorker({ mediasoupFolder, cache, env: { MEDIASOUP_WORKER_BIN: path } });
    expect(result).toMatchObject({ state: 'unavailable', reason: expect.stringContaining(path) });
  });
});

describe('the cache', () => {
  const prebuilt = () =>
    join(cache, 'media-worker', `mediasoup-worker-${VERSION}-${process.platform}-${process.arch}-prebuilt`);

  it('is asked before anything is fetched', async () => {
    mkdirSync(join(cache, 'media-worker'), { recursive: true });
    program(prebuilt());
    const said = [];
    const result = await acquireWorker({ mediasoupFolder, cache, env: {}, report: (one) => said.push(one) });
    expect(result).toEqual({ state: 'ready', path: prebuilt(), source: 'cache' });
    expect(said).toEqual([]);
  });

  it('does not answer with a worker that no longer runs here', async () => {
    mkdirSync(join(cache, 'media-worker'), { recursive: true });
    program(prebuilt(), 127);
    expect(await acquireWorker({ mediasoupFolder, cache, env: alone })).toMatchObject({
      state: 'unavailable',
    });
  });

  it('keeps nothing of an attempt that failed', async () => {
    await acquireWorker({ mediasoupFolder, cache, env: alone });
    expect(readdirSync(join(cache, 'media-worker'))).toEqual(['lock']);
  });
});

describe('the download', () => {
  const archiveName = `mediasoup-worker-${VERSION}-${process.platform}-${process.arch}-kernel${release().split('.')[0]}.tgz`;

  /** Serves over TLS with a certificate that only a process told of it trusts. */
  async function serve(handler) {
    const key = join(folder, 'key.pem');
    const cert = join(folder, 'cert.pem');
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const made = ['-newkey', 'rsa:2048', '-keyout', key, '-out', cert, '-days', '2'];
    execFileSync('openssl', ['req', '-x509', '-nodes', ...made, ...subject], { stdio: 'ignore' });
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, handler).listen(
      0,
      '127.0.0.1',
    );
    servers.push(server);
    await once(server, 'listening');
    return { base: `https://localhost:${server.address().port}`, cert };
  }

  /** Runs the script as the server does and returns what it said. */
  async function acquire({ base, cert }) {
    const script = `
      import { acquireWorker } from ${JSON.stringify(SCRIPT)};
      const report = (said) => console.log(JSON.stringify(said));
      report(await acquireWorker({ mediasoupFolder: ${JSON.stringify(mediasoupFolder)}, report }));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: {
        PATH: process.env.PATH,
        ZVONOK_CACHE: cache,
        MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: base,
        NODE_EXTRA_CA_CERTS: cert,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    await once(child, 'close');
    return output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  function archive(code) {
    program(join(folder, 'mediasoup-worker'), code);
    execFileSync('tar', ['-czf', join(folder, 'worker.tgz'), '-C', folder, 'mediasoup-worker']);
    return readFileSync(join(folder, 'worker.tgz'));
  }

  it("takes mediasoup's own build for this machine, and finds it in the cache the next time", async () => {
    const asked = [];
    const body = archive();
    const server = await serve((request, response) => {
      asked.push(request.url);
      response.end(body);
    });
    const said = await acquire(server);
    expect(said.map(({ state, step }) => step ?? state)).toEqual(['download', 'ready']);
    expect(said[1]).toMatchObject({ source: 'download' });
    expect(asked).toEqual([`/${VERSION}/${archiveName}`]);
    expect(await acquire(server)).toEqual([{ state: 'ready', path: said[1].path, source: 'cache' }]);
    expect(asked).toHaveLength(1);
  });

  it('throws away a program that does not run here', async () => {
    const body = archive(1);
    const server = await serve((_, response) => response.end(body));
    const said = await acquire(server);
    expect(said.at(-1)).toMatchObject({ state: 'unavailable' });
    expect(readdirSync(join(cache, 'media-worker'))).toEqual(['lock']);
  });

  it('goes on to the build where there is none for this machine', async () => {
    const server = await serve((_, response) => response.writeHead(404).end());
    const said = await acquire(server);
    expect(said[0]).toMatchObject({ state: 'preparing', step: 'download' });
    expect(said.at(-1)).toMatchObject({ state: 'unavailable' });
  });

  it('accepts no answer that came without TLS', async () => {
    const body = archive();
    const plain = createPlainServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
    servers.push(plain);
    await once(plain, 'listening');
    const server = await serve((_, response) =>
      response.writeHead(302, { location: `http://localhost:${plain.address().port}/` }).end(),
    );
    expect((await acquire(server)).at(-1)).toMatchObject({ state: 'unavailable' });
  });
});

it('lets two at once do the work once', async () => {
  // The second finds in the cache what the first put there while it waited.
  const place = join(cache, 'media-worker');
  const path = join(place, `mediasoup-worker-${VERSION}-${process.platform}-${process.arch}-prebuilt`);
  const said = [];
  let second;
  await withLock(join(place, 'lock'), async () => {
    second = acquireWorker({ mediasoupFolder, cache, env: alone, report: (one) => said.push(one) });
    await expect.poll(() => said.length).toBeGreaterThan(0);
    expect(said[0]).toMatchObject({ state: 'preparing', step: 'waiting' });
    program(path);
  });
  expect(await second).toEqual({ state: 'ready', path, source: 'cache' });
});
