import { defineConfig } from 'drizzle-kit';

/** `pnpm -F @zvonok/server migrations:generate` compares every room's tables with the last migration and writes the next. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/*/*.tables.ts',
  out: './src/migrations',
});
