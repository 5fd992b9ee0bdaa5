import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { type ImportCounts, type ImportFailure, rosterLimits } from '@zvonok/shared';
import { readSpreadsheet, SpreadsheetError } from '../platform/spreadsheet.ts';
import { type DiffRow, diffRoster, type Plan, type RosterState } from './school.roster.diff.ts';
import { type ParsedRow, parseRoster } from './school.roster.sheet.ts';

/** A file to be read, or what one says (as it was given) to be compared anew. */
export type RosterTask =
  | { readonly bytes: Uint8Array; readonly state: RosterState }
  | { readonly parsed: string; readonly state: RosterState };

/** What can't be used, and where. */
export interface RosterFailure {
  readonly failure: ImportFailure;
  readonly line: number | null;
}

/**
 * What a file says and what it would change, both as JSON: thousands of objects would be made anew on the thread of the
 * server, which serves nobody meanwhile.
 */
export interface RosterPreview {
  readonly parsed: string;
  readonly fingerprint: string;
  readonly counts: ImportCounts;
  /** Lines in batches, each an array of `position`, `kind`, `role` and `row`. */
  readonly batches: readonly string[];
}

export interface RosterComparison {
  readonly fingerprint: string;
  readonly plan: Plan;
}

export type RosterOutcome = RosterPreview | RosterComparison | RosterFailure;

function previewOf(
  parsed: readonly ParsedRow[],
  rows: readonly DiffRow[],
  fingerprint: string,
): RosterPreview {
  const counts = { group: 0, new: 0, changed: 0, moved: 0, unchanged: 0, missing: 0, error: 0 };
  const batches: string[] = [];
  for (let from = 0; from < rows.length; from += rosterLimits.batch) {
    const batch = rows.slice(from, from + rosterLimits.batch).map((row, index) => {
      counts[row.kind] += 1;
      return { position: from + index, kind: row.kind, role: row.role, row };
    });
    batches.push(JSON.stringify(batch));
  }
  return { parsed: JSON.stringify(parsed), fingerprint, counts, batches };
}

async function work(task: RosterTask): Promise<RosterOutcome> {
  try {
    const parsed =
      'bytes' in task
        ? parseRoster(await readSpreadsheet(task.bytes))
        : (JSON.parse(task.parsed) as readonly ParsedRow[]);
    if (parsed === undefined) return { failure: 'NO_HEADER', line: null };
    const { rows, plan } = diffRoster(parsed, task.state);
    const fingerprint = createHash('sha256').update(JSON.stringify(rows)).digest('base64url');
    return 'bytes' in task ? previewOf(parsed, rows, fingerprint) : { fingerprint, plan };
  } catch (error) {
    if (error instanceof SpreadsheetError) return { failure: error.fault, line: error.line ?? null };
    throw error;
  }
}

parentPort?.postMessage(await work(workerData as RosterTask));
