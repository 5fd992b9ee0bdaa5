// Who may import whom: docs/ARCHITECTURE.md draws it, this file enforces it (`npm run check`).
// `infra/import-rules.test.mjs` breaks each rule and sees that it is caught.

/** The rooms of the server, in order: one may use those to its left, by their door alone. */
const ROOMS = [
  'accounts',
  'school',
  'files',
  'chat',
  'polls',
  'notify',
  'calls',
  'broadcasts',
  'safety',
  'insights',
  'desk',
];
const anyRoom = `^server/src/(?:${ROOMS.join('|')})/`;
/** What a test needs to start a server: the app, its demo data, and the ground floor that they are configured by. */
const SERVER_STARTS = ['^server/src/(?:app|demo)\\.ts$', '^server/src/platform/'];
const TEST = '\\.test\\.tsx?$';
const TABLES = '\\.tables\\.ts$';

/** `from` may import nothing of the workspace but `allowed` (and itself, where that is listed). */
function onlyImports(name, from, allowed, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: from },
    to: { path: '^(?:shared|server|client-sdk|web|tests|infra)/', pathNot: [...allowed, '/node_modules/'] },
  };
}

const leftward = ROOMS.map((room, index) => {
  const right = ROOMS.slice(index + 1);
  return {
    name: `${room}-looks-left`,
    comment:
      'A room asks only rooms to its left. What it needs from the right it declares as a port; app.ts plugs it in.',
    severity: 'error',
    from: { path: `^server/src/${room}/`, pathNot: TEST },
    to: { path: `^server/src/(?:${right.join('|')})/` },
  };
}).slice(0, -1);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    onlyImports(
      'shared-stands-alone',
      '^shared/',
      ['^shared/'],
      'shared is the language of both sides and knows neither.',
    ),
    onlyImports(
      'sdk-on-shared',
      '^client-sdk/',
      ['^client-sdk/', '^shared/'],
      'The SDK is built on shared alone.',
    ),
    onlyImports(
      'web-on-sdk',
      '^web/',
      // The lesson is a door of its own, so that whoever joins none loads none of it.
      ['^web/', '^client-sdk/src/(?:index|lesson|lesson-devices)\\.ts$'],
      'The messenger talks to the server through the SDK alone, and gets shared types from it too.',
    ),
    onlyImports('server-on-shared', '^server/', ['^server/', '^shared/'], 'The server knows no client.'),
    onlyImports(
      'tests-from-outside',
      '^tests/(?!media/)',
      ['^tests/', '^client-sdk/', '^shared/', ...SERVER_STARTS],
      'Whole-system tests use the SDK, and of the server only what starts one.',
    ),
    onlyImports(
      'tests-of-media',
      '^tests/media/',
      [
        '^tests/',
        '^client-sdk/',
        '^shared/',
        ...SERVER_STARTS,
        '^server/src/(?:media|calls)/index\\.ts$',
        '^server/src/testing/',
      ],
      'Tests of the SFU may also enter it by its door, without a school around it.',
    ),
    {
      name: 'platform-is-the-ground',
      comment: 'The ground floor knows no school words.',
      severity: 'error',
      from: { path: '^server/src/platform/', pathNot: TEST },
      to: { path: '^server/src/', pathNot: '^server/src/platform/' },
    },
    {
      name: 'media-on-platform',
      comment: 'The SFU knows peers, not pupils.',
      severity: 'error',
      from: { path: '^server/src/media/', pathNot: TEST },
      to: { path: '^server/src/', pathNot: '^server/src/(?:platform|media)/' },
    },
    {
      name: 'media-owns-mediasoup',
      comment: 'Everything is validated on its way to mediasoup, which is possible in one place only.',
      severity: 'error',
      from: { path: '^server/', pathNot: '^server/src/media/' },
      to: { path: '(?:^|/)node_modules/mediasoup/' },
    },
    {
      name: 'calls-enter-media',
      comment: 'Only calls and broadcasts enter media (and app.ts, which builds it).',
      severity: 'error',
      from: {
        path: '^server/src/',
        pathNot: '^server/src/(?:media|calls|broadcasts)/|^server/src/app\\.ts$',
      },
      to: { path: '^server/src/media/' },
    },
    {
      name: 'rooms-have-doors',
      comment: "A neighbour's index.ts is its door; the rest of the room is its own business.",
      severity: 'error',
      from: { path: `${anyRoom.replace('(?:', '(')}`, pathNot: `${TEST}|${TABLES}` },
      to: { path: anyRoom, pathNot: ['^server/src/$1/', `${anyRoom}index\\.ts$`] },
    },
    {
      name: 'tables-refer-to-tables',
      comment: 'A foreign key needs the other table, and nothing else of the room that owns it.',
      severity: 'error',
      from: { path: `${anyRoom.replace('(?:', '(')}.*${TABLES}` },
      to: { path: anyRoom, pathNot: ['^server/src/$1/', TABLES] },
    },
    ...leftward,
    {
      name: 'sql-in-stores',
      comment: 'Queries live in *.store.ts and *.tables.ts, so that whoever reads those has read them all.',
      severity: 'error',
      from: {
        path: '^server/src/',
        pathNot: `${TEST}|^server/src/platform/(?:database|embedded-postgres|migrations|testing/)|\\.(?:store|tables)\\.ts$`,
      },
      to: { path: '(?:^|/)node_modules/(?:drizzle-orm|drizzle-kit|postgres|embedded-postgres)/' },
    },
    {
      name: 'no-circles',
      // A room's files may take the types of its ports from its door: types are gone before anything runs. A screen that is
      // loaded when it is opened may read the list that it stands in: that list is whole by then.
      comment: 'Two files that need each other to run are one file, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'dynamic-import'] } },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // TypeScript 7 has no JavaScript API for dependency-cruiser's own parser.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(?:^|/)(?:dist|artifacts)/|^virtual:' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
