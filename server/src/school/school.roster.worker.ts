import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { ImportFailure } from '@zvonok/shared';
import { readSpreadsheet, SpreadsheetError } from '../platform/spreadsheet.ts';
import { diffRoster, type RosterDiff, type RosterState } from './school.roster.diff.ts';
import { type ParsedRow, parseRoster } from './school.roster.sheet.ts';

/** A file to be read, or what one says to be compared anew. */
export type RosterTask =
  | { readonly bytes: Uint8Array; readonly state: RosterState }
  | { readonly parsed: readonly ParsedRow[]; readonly state: RosterState };

export type RosterOutcome =
  | ({ readonly parsed: readonly ParsedRow[]; readonly fingerprint: string } & RosterDiff)
  | { readonly failure: ImportFailure; readonly line: number | null };

async function work(task: RosterTask): Promise<RosterOutcome> {
  try {
    const parsed = 'bytes' in task ? parseRoster(await readSpreadsheet(task.bytes)) : task.parsed;
    if (parsed === undefined) return { failure: 'NO_HEADER', line: null };
    const diff = diffRoster(parsed, task.state);
    const fingerprint = createHash('sha256').update(JSON.stringify(diff.rows)).digest('base64url');
    return { parsed, fingerprint, ...diff };
  } catch (error) {
    if (error instanceof SpreadsheetError) return { failure: error.fault, line: error.line ?? null };
    throw error;
  }
}

parentPort?.postMessage(await work(workerData as RosterTask));
