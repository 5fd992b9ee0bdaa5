/** How tiles share a stage. Pure, in CSS pixels. */

export interface TileSize {
  readonly columns: number;
  readonly width: number;
  readonly height: number;
}

/** A picture is never cut wider than a camera's; how narrow depends on the stage, as phones stand and desktops lie. */
const widest = 16 / 9;
const narrowestLying = 6 / 5;
const narrowestStanding = 3 / 4;

/** The largest equal tiles that fit `count` of them into the stage. */
export function fitTiles(count: number, width: number, height: number, gap: number): TileSize {
  const narrowest = width >= height ? narrowestLying : narrowestStanding;
  let best: TileSize = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (width - gap * (columns - 1)) / columns;
    const cellHeight = (height - gap * (rows - 1)) / rows;
    if (cellWidth <= 0 || cellHeight <= 0) continue;
    const ratio = Math.min(widest, Math.max(narrowest, cellWidth / cellHeight));
    const tileWidth = Math.floor(Math.min(cellWidth, cellHeight * ratio));
    const tileHeight = Math.floor(tileWidth / ratio);
    if (tileWidth * tileHeight > best.width * best.height) {
      best = { columns, width: tileWidth, height: tileHeight };
    }
  }
  return best;
}

/** Smaller than this nobody recognises a face. */
const smallestTile = 150;
/** More pictures than this a weak computer does not decode at once. */
const mostTiles = 16;

/** How many tiles one page of the grid shows. */
export function tilesPerPage(count: number, width: number, height: number, gap: number): number {
  for (let shown = Math.min(count, mostTiles); shown > 1; shown -= 1) {
    const { width: tileWidth } = fitTiles(shown, width, height, gap);
    if (tileWidth >= smallestTile) return shown;
  }
  return 1;
}

/**
 * The keys on one page: in order, but whoever speaks is seen: off the page, they take its last place.
 * `pages` is at least 1; a page beyond the end is the last one.
 */
export function pageOf<K>(
  keys: readonly K[],
  page: number,
  perPage: number,
  speaker: K | null,
): { readonly shown: readonly K[]; readonly page: number; readonly pages: number } {
  const pages = Math.max(1, Math.ceil(keys.length / perPage));
  const current = Math.min(Math.max(0, page), pages - 1);
  const shown = keys.slice(current * perPage, (current + 1) * perPage);
  const last = shown.length - 1;
  if (speaker !== null && current === 0 && last > 0 && keys.includes(speaker) && !shown.includes(speaker)) {
    return { shown: [...shown.slice(0, last), speaker], page: current, pages };
  }
  return { shown, page: current, pages };
}
