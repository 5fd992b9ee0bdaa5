import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { makeTestFolder } from './infra/test-folder.mjs';
import { filesAlone, filesLong, filesToLeaveOut } from './infra/test-needs.mjs';

const exclude = ['**/node_modules/**', '**/dist/**', ...(await filesToLeaveOut())];
const alone = await filesAlone();
makeTestFolder();

const long = new Set((await filesLong()).map((file) => join(import.meta.dirname, file)));
/** vitest knows how long files take only after a first run, and begins with the largest until then. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    const sorted = await super.sort(files);
    return [true, false].flatMap((isLong) => sorted.filter(({ moduleId }) => long.has(moduleId) === isLong));
  }
}

export default defineConfig({
  test: {
    // Processes, not threads: tests start databases and workers, and change the environment.
    pool: 'forks',
    // Loading the server takes seconds, and each file would do it anew. What one leaves behind is the next one's to find.
    isolate: false,
    sequence: { sequencer: LongFirst },
    globalSetup: './infra/test-folder.mjs',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{shared,server,client-sdk,web}/src/**/*.test.{ts,tsx}', 'infra/**/*.test.{mjs,ts}'],
          exclude,
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['tests/**/*.test.ts'],
          exclude: [...exclude, ...alone],
          // Each starts servers of its own, and mostly waits. What is slow on two cores with a browser beside it is not
          // broken, hence the patience.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          exclude,
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
