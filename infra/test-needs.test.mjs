import { expect, it } from 'vitest';
import { isAlone, isLong, needsOf } from './test-needs.mjs';

it('reads what a test file needs from its first lines', () => {
  expect(needsOf('// needs: chromium, media-worker\nimport …')).toEqual(['chromium', 'media-worker']);
  expect(needsOf('// The story of a lesson.\n// needs: redis-server\n')).toEqual(['redis-server']);
  expect(needsOf("const text = '// needs: chromium';")).toEqual([]);
});

it('refuses a need that nobody would ever find missing', () => {
  expect(() => needsOf('// needs: chromum')).toThrow('chromum');
});

it('sees which files want to run alone', () => {
  expect(isAlone('// needs: chromium\n// alone: it measures time\nimport …')).toBe(true);
  expect(isAlone('// alone:\n')).toBe(false);
  expect(isAlone('// It is not alone: others run beside it.')).toBe(false);
});

it('sees which files want to begin first', () => {
  expect(isLong('// long: real time passes in it\nimport …')).toBe(true);
  expect(isLong('// A long: story')).toBe(false);
});
