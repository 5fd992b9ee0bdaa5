import { defineConfig } from 'vitest/config';
import { filesToLeaveOut } from './infra/test-needs.mjs';

const exclude = ['**/node_modules/**', '**/dist/**', ...(await filesToLeaveOut())];

export default defineConfig({
  test: {
    // Processes, not threads: tests start databases and workers, and change the environment.
    pool: 'forks',
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
          exclude,
          // One file at a time, after the unit tests: each starts servers of its own, and some measure time. What is
          // slow on two cores with a browser beside it is not broken, hence the patience.
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
