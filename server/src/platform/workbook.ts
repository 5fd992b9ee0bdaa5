import type { Readable } from 'node:stream';
import { spreadsheetLimits } from '@zvonok/shared/limits.ts';
import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { type Entry, fromBuffer, type ZipFile } from 'yauzl';
import { boundRows, type SheetRow, SpreadsheetError } from './sheet-rows.ts';

/**
 * The first visible sheet of an XLSX. What it unpacks to is counted while it is unpacked, whatever the archive says of
 * itself, and nothing of it but the text of cells is kept. Entities are not expanded: a document that declares any is refused.
 *
 * @throws SpreadsheetError
 */
export async function readWorkbook(bytes: Uint8Array): Promise<SheetRow[]> {
  const archive = await openArchive(bytes);
  try {
    const sheet = await findSheet(archive);
    const strings = await readStrings(archive);
    return boundRows(await readRows(archive, sheet, strings));
  } finally {
    archive.close();
  }
}

type OnText = (text: string) => void;

interface Archive {
  /** Feeds a part to `take` as it is unpacked; false where there is none. */
  unpack(path: string, take: OnText): Promise<boolean>;
  close(): void;
}

async function openArchive(bytes: Uint8Array): Promise<Archive> {
  const file = await new Promise<ZipFile>((resolve, reject) => {
    fromBuffer(Buffer.from(bytes), { lazyEntries: true, validateEntrySizes: true }, (error, opened) =>
      error === null ? resolve(opened) : reject(new SpreadsheetError('BROKEN')),
    );
  });
  const entries = new Map<string, Entry>();
  await new Promise<void>((resolve, reject) => {
    if (file.entryCount > spreadsheetLimits.archiveEntries) {
      reject(new SpreadsheetError('TOO_LARGE'));
      return;
    }
    file.on('entry', (entry: Entry) => {
      entries.set(entry.fileName, entry);
      file.readEntry();
    });
    file.on('end', resolve);
    file.on('error', () => reject(new SpreadsheetError('BROKEN')));
    file.readEntry();
  });
  if (entries.has('EncryptedPackage')) throw new SpreadsheetError('OLD_OR_LOCKED');
  let unpacked = 0;
  return {
    async unpack(path, take) {
      const entry = entries.get(path);
      if (entry === undefined) return false;
      if (entry.isEncrypted()) throw new SpreadsheetError('OLD_OR_LOCKED');
      const stream = await new Promise<Readable>((resolve, reject) => {
        file.openReadStream(entry, (error, opened) =>
          error === null ? resolve(opened) : reject(new SpreadsheetError('BROKEN')),
        );
      });
      const decoder = new TextDecoder();
      try {
        for await (const chunk of stream) {
          unpacked += (chunk as Buffer).length;
          if (unpacked > spreadsheetLimits.unpackedBytes) throw new SpreadsheetError('TOO_LARGE');
          take(decoder.decode(chunk as Buffer, { stream: true }));
        }
        take(decoder.decode());
      } catch (error) {
        throw error instanceof SpreadsheetError ? error : new SpreadsheetError('BROKEN');
      } finally {
        stream.destroy();
      }
      return true;
    },
    close: () => file.close(),
  };
}

interface Handlers {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/** Reads a part as XML, with names without their namespace. False where the archive has no such part. */
async function readXml(archive: Archive, path: string, handlers: Handlers): Promise<boolean> {
  const parser = new SaxesParser();
  const bare = (name: string) => name.slice(name.indexOf(':') + 1);
  parser.on('error', () => {
    throw new SpreadsheetError('BROKEN');
  });
  parser.on('doctype', () => {
    throw new SpreadsheetError('BROKEN');
  });
  parser.on('opentag', (tag: SaxesTagPlain) => handlers.open?.(bare(tag.name), tag.attributes));
  parser.on('text', (text) => handlers.text?.(text));
  parser.on('cdata', (text) => handlers.text?.(text));
  parser.on('closetag', (tag) => handlers.close?.(bare(tag.name)));
  const found = await archive.unpack(path, (text) => {
    parser.write(text);
  });
  if (found) parser.close();
  return found;
}

/** The part that holds the first sheet which is not hidden. */
async function findSheet(archive: Archive): Promise<string> {
  const ids: string[] = [];
  const known = await readXml(archive, 'xl/workbook.xml', {
    open(name, attributes) {
      if (name !== 'sheet' || (attributes.state ?? 'visible') !== 'visible') return;
      const id = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1];
      if (id !== undefined) ids.push(id);
    },
  });
  if (!known) throw new SpreadsheetError('NOT_A_TABLE');
  const targets = new Map<string, string>();
  await readXml(archive, 'xl/_rels/workbook.xml.rels', {
    open(name, { Id: id, Target: target }) {
      if (name === 'Relationship' && id !== undefined && target !== undefined) targets.set(id, target);
    },
  });
  const [first] = ids;
  const target = first === undefined ? undefined : targets.get(first);
  if (target === undefined) throw new SpreadsheetError('EMPTY');
  return target.startsWith('/') ? target.slice(1) : `xl/${target}`;
}

async function readStrings(archive: Archive): Promise<string[]> {
  const strings: string[] = [];
  let text = '';
  let within = false;
  /** How a text is read aloud is no part of it. */
  let aloud = false;
  await readXml(archive, 'xl/sharedStrings.xml', {
    open(name) {
      if (name === 'si') text = '';
      if (name === 't') within = true;
      if (name === 'rPh') aloud = true;
    },
    text(more) {
      if (within && !aloud) text = bounded(text, more);
    },
    close(name) {
      if (name === 't') within = false;
      if (name === 'rPh') aloud = false;
      if (name === 'si') strings.push(text);
    },
  });
  return strings;
}

async function readRows(archive: Archive, path: string, strings: readonly string[]): Promise<SheetRow[]> {
  const rows: SheetRow[] = [];
  let line = 0;
  let cells: string[] = [];
  let column = 0;
  let type = 'n';
  let value = '';
  let within = false;
  const known = await readXml(archive, path, {
    open(name, attributes) {
      if (name === 'row') {
        line = Number(attributes.r ?? line + 1);
        cells = [];
        column = -1;
      } else if (name === 'c') {
        column = attributes.r === undefined ? column + 1 : columnOf(attributes.r);
        type = attributes.t ?? 'n';
        value = '';
      } else if (name === 'v' || name === 't') {
        within = true;
      }
    },
    text(more) {
      if (within) value = bounded(value, more);
    },
    close(name) {
      if (name === 'v' || name === 't') within = false;
      if (name === 'c' && value !== '') {
        if (column >= spreadsheetLimits.columns) throw new SpreadsheetError('TOO_LARGE', line);
        while (cells.length < column) cells.push('');
        cells[column] = textOf(type, value, strings);
      }
      if (name === 'row' && cells.length > 0) {
        rows.push({ line, cells });
        if (rows.length > spreadsheetLimits.rows) throw new SpreadsheetError('TOO_MANY_ROWS');
      }
    },
  });
  if (!known) throw new SpreadsheetError('BROKEN');
  return rows;
}

function bounded(text: string, more: string): string {
  if (text.length + more.length > spreadsheetLimits.cellLength) throw new SpreadsheetError('TOO_LARGE');
  return text + more;
}

function textOf(type: string, value: string, strings: readonly string[]): string {
  if (type === 's') return strings[Number(value)] ?? '';
  if (type === 'b') return value === '1' ? '1' : '0';
  // «#N/A» and its like say nothing.
  if (type === 'e') return '';
  const number = Number(value);
  // A phone that was typed as a number is kept as 7.9031234567E10.
  return type === 'n' && Number.isSafeInteger(number) ? number.toFixed(0) : value;
}

/** «C7» is the third column: 2. */
function columnOf(reference: string): number {
  const letters = /^[A-Z]{1,3}/.exec(reference)?.[0];
  if (letters === undefined) throw new SpreadsheetError('BROKEN');
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}
