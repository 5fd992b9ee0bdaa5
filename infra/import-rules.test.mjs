// Each rule of .dependency-cruiser.mjs is broken once, in a small house of its own, and must be caught. The house
// keeps all rules, so that it is the breach alone that is found.
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import { afterAll, beforeAll, expect, it } from 'vitest';
import config from '../.dependency-cruiser.mjs';

const HOUSE = {
  'shared/src/index.ts': "export const shared = 'shared';",
  'shared/src/limits.ts': 'export const limit = 1;',
  'server/src/app.ts': "import './media/room.ts'; import './chat/index.ts'; import './school/index.ts';",
  'server/src/main.ts': "import './app.ts';",
  'server/src/platform/database.ts': "import postgres from 'postgres'; export const database = postgres;",
  'server/src/platform/config.ts': "import '../../../shared/src/limits.ts';",
  'server/src/media/room.ts': "import 'mediasoup'; import '../platform/config.ts';",
  'server/src/accounts/index.ts': "import '../platform/config.ts';",
  'server/src/school/index.ts':
    "import type { School } from './school.policy.ts'; import '../accounts/index.ts';",
  'server/src/school/school.policy.ts': "import type { Port } from './index.ts'; export interface School {}",
  'server/src/chat/index.ts': "import './chat.store.ts'; import '../school/index.ts';",
  'server/src/chat/chat.store.ts': "import 'drizzle-orm'; import './chat.tables.ts';",
  'server/src/school/school.tables.ts': "import 'drizzle-orm';",
  'server/src/chat/chat.tables.ts': "import 'drizzle-orm'; import '../school/school.tables.ts';",
  'server/src/chat/chat.test.ts':
    "import 'postgres'; import '../school/school.policy.ts'; import './index.ts';",
  'server/src/calls/index.ts': "import '../media/room.ts'; import '../chat/index.ts';",
  'client-sdk/src/index.ts': "export * from '../../shared/src/index.ts'; export * from './chat.ts';",
  'client-sdk/src/chat.ts': "import '../../shared/src/limits.ts';",
  'web/src/main.tsx': "import '../../client-sdk/src/index.ts'; export const View = () => <p>text</p>;",
  'tests/chat.test.ts': "import '../client-sdk/src/index.ts'; import '../server/src/app.ts';",
  'node_modules/mediasoup/index.js': '',
  'node_modules/postgres/index.js': 'export default 1;',
  'node_modules/drizzle-orm/index.js': '',
  'tests/media/room.test.ts': "import '../../server/src/media/index.ts';",
  'server/src/media/index.ts': "import './room.ts';",
};

/** Rule, the file that breaks it, and how. */
const BREACHES = [
  ['shared-stands-alone', 'shared/src/limits.ts', "import '../../server/src/platform/config.ts';"],
  [
    'sdk-on-shared',
    'client-sdk/src/chat.ts',
    "import type { School } from '../../server/src/school/school.policy.ts';",
  ],
  ['web-on-sdk', 'web/src/main.tsx', "import '../../client-sdk/src/chat.ts';"],
  ['web-on-sdk', 'web/src/main.tsx', "import '../../shared/src/index.ts';"],
  ['server-on-shared', 'server/src/chat/index.ts', "import '../../../client-sdk/src/index.ts';"],
  ['tests-from-outside', 'tests/chat.test.ts', "import '../server/src/chat/chat.store.ts';"],
  ['tests-of-media', 'tests/media/room.test.ts', "import '../../server/src/media/room.ts';"],
  ['tests-from-outside', 'tests/chat.test.ts', "import '../server/src/media/index.ts';"],
  ['platform-is-the-ground', 'server/src/platform/config.ts', "import '../accounts/index.ts';"],
  ['media-on-platform', 'server/src/media/room.ts', "import '../accounts/index.ts';"],
  ['media-owns-mediasoup', 'server/src/calls/index.ts', "import type { Router } from 'mediasoup';"],
  ['calls-enter-media', 'server/src/chat/index.ts', "import '../media/room.ts';"],
  ['rooms-have-doors', 'server/src/chat/index.ts', "import '../school/school.policy.ts';"],
  [
    'rooms-have-doors',
    'server/src/chat/index.ts',
    "const later = () => import('../school/school.policy.ts');",
  ],
  [
    'rooms-have-doors',
    'server/src/chat/index.ts',
    "export type { School } from '../school/school.policy.ts';",
  ],
  ['tables-refer-to-tables', 'server/src/chat/chat.tables.ts', "import '../school/school.policy.ts';"],
  ['school-looks-left', 'server/src/school/index.ts', "import '../chat/index.ts';"],
  ['sql-in-stores', 'server/src/chat/index.ts', "import { sql } from 'drizzle-orm';"],
  ['sql-in-stores', 'server/src/platform/config.ts', "import 'postgres';"],
  ['no-circles', 'server/src/chat/chat.tables.ts', "import './chat.store.ts';"],
  ['no-circles', 'server/src/chat/chat.tables.ts', "import { type A, b } from './chat.store.ts';"],
  ['resolvable', 'server/src/chat/index.ts', "import './nowhere.ts';"],
];

let folder;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zvonok-rules-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The names of the rules that a house with these changes breaks. */
async function broken(name, changes) {
  const house = join(folder, name);
  for (const [file, text] of Object.entries({ ...HOUSE, ...changes })) {
    mkdirSync(join(house, dirname(file)), { recursive: true });
    writeFileSync(join(house, file), text);
  }
  const { enhancedResolveOptions, ...options } = config.options;
  const rules = { ...options, ruleSet: { forbidden: config.forbidden }, validate: true, baseDir: house };
  const { output } = await cruise(
    ['shared', 'server', 'client-sdk', 'web', 'tests'],
    rules,
    enhancedResolveOptions,
  );
  return output.summary.violations.map(({ rule }) => rule.name);
}

it('finds nothing in a house that keeps the rules', async () => {
  expect(await broken('kept', {})).toEqual([]);
});

it.each(BREACHES)('catches %s: %s with %s', async (rule, file, line) => {
  const name = `breach-${BREACHES.findIndex((breach) => breach[1] === file && breach[2] === line)}`;
  expect(await broken(name, { [file]: `${HOUSE[file]}\n${line}` })).toContain(rule);
});

it('breaks each rule, those between rooms by one for all', () => {
  const tried = new Set(BREACHES.map(([rule]) => rule));
  const names = config.forbidden.map(({ name }) =>
    name.endsWith('-looks-left') ? 'school-looks-left' : name,
  );
  expect(new Set(names)).toEqual(tried);
});
