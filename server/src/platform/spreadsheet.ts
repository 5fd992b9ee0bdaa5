import { spreadsheetLimits } from '@zvonok/shared/limits.ts';
import { CsvError, parse } from 'csv-parse/sync';
import { boundRows, type SheetRow, SpreadsheetError } from './sheet-rows.ts';
import { readWorkbook } from './workbook.ts';

export { type SheetRow, SpreadsheetError, type SpreadsheetFault } from './sheet-rows.ts';

/**
 * The rows of a CSV (UTF-8, UTF-16 or windows-1251; `;`, `,` or tab) or of a workbook's first visible sheet (XLSX), by
 * content and whatever the file is called. Formulas count as the value they had. Holds a thread for as long as it takes.
 *
 * @throws SpreadsheetError
 */
export async function readSpreadsheet(bytes: Uint8Array): Promise<SheetRow[]> {
  if (bytes.length > spreadsheetLimits.fileBytes) throw new SpreadsheetError('TOO_LARGE');
  const head = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  if (head.startsWith('d0cf11e0')) throw new SpreadsheetError('OLD_OR_LOCKED');
  const isPacked = head.startsWith('504b0304') || head.startsWith('504b0506');
  const rows = isPacked ? await readWorkbook(bytes) : readCsv(bytes);
  if (rows.length === 0) throw new SpreadsheetError('EMPTY');
  return rows;
}

function readCsv(bytes: Uint8Array): SheetRow[] {
  const text = decode(bytes);
  const named = /^sep=([;,\t])\r?\n/.exec(text);
  const body = named === null ? text : text.slice(named[0].length);
  const skipped = named === null ? 0 : 1;
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(body, {
      delimiter: named?.[1] ?? delimiterOf(body),
      info: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      max_record_size: spreadsheetLimits.columns * spreadsheetLimits.cellLength,
      to: spreadsheetLimits.rows + 1,
    }) as unknown as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code === 'CSV_MAX_RECORD_SIZE') throw new SpreadsheetError('TOO_LARGE');
    throw new SpreadsheetError('BROKEN', typeof error.lines === 'number' ? error.lines + skipped : undefined);
  }
  return boundRows(
    records.map(({ record, info }) => ({
      // The parser tells where a record ends.
      line: info.lines + skipped - linesWithin(record),
      cells: record,
    })),
  );
}

const linesWithin = (cells: readonly string[]) =>
  cells.reduce((lines, cell) => lines + (cell.match(/\n/g)?.length ?? 0), 0);

/** @throws SpreadsheetError NOT_A_TABLE where the bytes are no text that people typed */
function decode(bytes: Uint8Array): string {
  const text = decodeBy(encodingOf(bytes), bytes) ?? decodeBy('windows-1251', bytes) ?? '';
  const plain = text.replace(/^\ufeff/, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0098]/.test(plain) || !plain.isWellFormed()) {
    throw new SpreadsheetError('NOT_A_TABLE');
  }
  return plain;
}

function decodeBy(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  // Without a mark: signs and digits of UTF-16 have a zero in every second byte.
  const some = bytes.subarray(0, 2_000);
  const zeros = [0, 1].map((odd) => some.filter((byte, index) => index % 2 === odd && byte === 0).length);
  if ((zeros[1] ?? 0) > some.length / 20 && zeros[0] === 0) return 'utf-16le';
  if ((zeros[0] ?? 0) > some.length / 20 && zeros[1] === 0) return 'utf-16be';
  return 'utf-8';
}

/** The sign that the first line has most of, outside quotation marks. */
function delimiterOf(text: string): string {
  const [line = ''] = text.trimStart().split(/\r?\n/, 1);
  const bare = line.replaceAll(/"[^"]*"/g, '');
  const countOf = (sign: string) => bare.split(sign).length;
  const [most = ';'] = [';', '\t', ','].sort((one, other) => countOf(other) - countOf(one));
  return most;
}
