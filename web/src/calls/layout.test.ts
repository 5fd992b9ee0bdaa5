import { expect, it } from 'vitest';
import { fitTiles, pageOf, tilesPerPage } from './layout.ts';

const gap = 8;

it('fits any number of tiles into any stage without overflowing it', () => {
  for (const [width, height] of [
    [390, 640],
    [1280, 620],
    [820, 1100],
    [300, 200],
  ] as const) {
    for (let count = 1; count <= 16; count += 1) {
      const tile = fitTiles(count, width, height, gap);
      const rows = Math.ceil(count / tile.columns);
      expect(tile.width, `${count} tiles on ${width} x ${height}`).toBeGreaterThan(0);
      expect(tile.columns * tile.width + (tile.columns - 1) * gap).toBeLessThanOrEqual(width);
      expect(rows * tile.height + (rows - 1) * gap).toBeLessThanOrEqual(height);
    }
  }
});

it('puts two side by side on a desktop and one above the other on a phone', () => {
  expect(fitTiles(2, 1280, 620, gap).columns).toBe(2);
  expect(fitTiles(2, 390, 640, gap).columns).toBe(1);
});

it('shows fewer tiles on a phone than on a desktop', () => {
  expect(tilesPerPage(30, 390, 620, gap)).toBeLessThan(tilesPerPage(30, 1280, 640, gap));
  expect(tilesPerPage(30, 1280, 640, gap)).toBe(16);
  expect(tilesPerPage(1, 100, 100, gap)).toBe(1);
});

it('brings the speaker to the first page and leaves the other pages alone', () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  expect(pageOf(keys, 0, 3, 'e')).toEqual({ shown: ['a', 'b', 'e'], page: 0, pages: 2 });
  expect(pageOf(keys, 0, 3, 'b').shown).toEqual(['a', 'b', 'c']);
  expect(pageOf(keys, 1, 3, 'a').shown).toEqual(['d', 'e']);
  expect(pageOf(keys, 9, 3, null)).toMatchObject({ page: 1, shown: ['d', 'e'] });
  expect(pageOf(keys, 0, 3, 'gone').shown).toEqual(['a', 'b', 'c']);
  expect(pageOf([], 0, 3, null)).toEqual({ shown: [], page: 0, pages: 1 });
});
