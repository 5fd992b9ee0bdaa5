import { spreadsheetLimits } from '@zvonok/shared/limits.ts';

/** A row that holds something, and which line of the sheet it is, from 1 as people count. */
export interface SheetRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Why a file is no table. `line` where it is known. */
export type SpreadsheetFault =
  /** Neither a workbook nor text. */
  | 'NOT_A_TABLE'
  /** A workbook of before 2007, or one behind a password. */
  | 'OLD_OR_LOCKED'
  /** A quotation mark that is not closed, or a workbook that breaks off. */
  | 'BROKEN'
  | 'TOO_MANY_ROWS'
  /** Too many columns, too long a cell, or more than fits once unpacked. */
  | 'TOO_LARGE'
  | 'EMPTY';

export class SpreadsheetError extends Error {
  readonly fault: SpreadsheetFault;
  readonly line: number | undefined;

  constructor(fault: SpreadsheetFault, line?: number) {
    super(`the file is no table: ${fault}`);
    this.name = 'SpreadsheetError';
    this.fault = fault;
    this.line = line;
  }
}

/** Without rows and ends of rows that are blank. @throws SpreadsheetError */
export function boundRows(rows: readonly SheetRow[]): SheetRow[] {
  if (rows.length > spreadsheetLimits.rows) throw new SpreadsheetError('TOO_MANY_ROWS');
  return rows.flatMap(({ line, cells }) => {
    const trimmed = cells.map((cell) => unescapeFormula(cell.replaceAll('\u00a0', ' ').trim()));
    while (trimmed.at(-1) === '') trimmed.pop();
    if (trimmed.length > spreadsheetLimits.columns) throw new SpreadsheetError('TOO_LARGE', line);
    if (trimmed.some((cell) => cell.length > spreadsheetLimits.cellLength)) {
      throw new SpreadsheetError('TOO_LARGE', line);
    }
    return trimmed.length === 0 ? [] : [{ line, cells: trimmed }];
  });
}

/** What `escapeFormula` of a writer put in front. */
const unescapeFormula = (cell: string) => (/^'[=+\-@]/.test(cell) ? cell.slice(1) : cell);
