import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { expect, it } from 'vitest';

/** What a browser loads before it can show a chat: the first script, without what is imported later. */
async function modulesOfFirstScript(): Promise<string[]> {
  const entry = 'virtual:entry';
  const result = await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(new URL('.', import.meta.url)),
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? `${fileURLToPath(import.meta.url)}.entry.js` : undefined),
        load: (id) =>
          id.endsWith('.entry.js')
            ? `import { createClient, CodedError, chatLimits } from '@zvonok/client-sdk';
               window.shown = [createClient, CodedError, chatLimits];`
            : undefined,
      },
    ],
    build: { write: false, rollupOptions: { input: entry } },
  });
  const [bundle] = Array.isArray(result) ? result : [result];
  if (bundle === undefined || !('output' in bundle)) throw new Error('Nothing was bundled.');
  return Object.entries(bundle.output[0].modules)
    .filter(([, { renderedLength }]) => renderedLength > 0)
    .map(([id]) => id);
}

it('a client in a browser comes without schemas, phone numbers and WebRTC', async () => {
  const modules = await modulesOfFirstScript();
  expect(modules.some((id) => id.includes('socket.io-client'))).toBe(true);
  for (const heavy of ['typebox', 'libphonenumber', 'mediasoup-client', 'shared/src/media']) {
    expect(modules.filter((id) => id.includes(heavy))).toEqual([]);
  }
});
