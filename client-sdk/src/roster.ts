import type { AuditFilter, Import, MembershipId } from '@zvonok/shared';
import { type HttpOptions, toCodedError } from './http.ts';
import { sendFile, type TakenFile, takeFile } from './transfer.ts';

/** What the school does beside the contract's procedures: tables of people are bytes and no JSON. */
export interface RosterTables {
  /**
   * Gives in a table of people: CSV or XLSX of at most `spreadsheetLimits.fileBytes`. Answers the import, which is read from
   * then on: `school.importChanged` tells when its preview is ready. `onProgress` hears the share that has left, 0 to 1, in a
   * browser alone. Rejects with `CodedError` alone: TOO_LARGE, FORBIDDEN, RATE_LIMITED.
   */
  readonly importTable: (
    as: MembershipId,
    file: Blob,
    name: string,
    onProgress?: (share: number) => void,
  ) => Promise<Import>;
  /** Everybody as a table that `importTable` takes; `blank`: its header alone. Rejects with `CodedError` alone. */
  readonly exportTable: (
    as: MembershipId,
    format: 'csv' | 'xlsx',
    options?: { readonly blank?: boolean },
  ) => Promise<TakenFile>;
  /**
   * The records of the audit log as a table (CSV) with the clock of this zone. For administrators and heads; that it was taken
   * is on record. Rejects with `CodedError` alone.
   */
  readonly exportAudit: (as: MembershipId, filter: AuditFilter, timeZone: string) => Promise<TakenFile>;
}

export function createRosterTables(options: HttpOptions): RosterTables {
  const { url, carrier } = options;
  const headersOf = (as: MembershipId): Record<string, string> => {
    const token = carrier === 'bearer' ? options.token() : undefined;
    return { 'zvonok-as': as, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  };
  const credentials = carrier === 'cookie' ? 'include' : 'omit';
  return {
    async importTable(as, file, name, onProgress) {
      const headers = {
        ...headersOf(as),
        'content-type': 'application/octet-stream',
        'zvonok-file-name': encodeURIComponent(name.toWellFormed()),
      };
      const response = await sendFile(`${url}/api/school/imports`, headers, file, {
        credentials,
        onProgress,
      });
      const body = (await response.json().catch(() => undefined)) as unknown;
      if (response.ok && typeof body === 'object' && body !== null && 'import' in body) {
        return body.import as Import;
      }
      throw toCodedError(body, response);
    },

    exportTable: async (as, format, { blank = false } = {}) =>
      takeFile(`${url}/api/school/roster?format=${format}${blank ? '&blank=1' : ''}`, headersOf(as), {
        credentials,
        name: `people.${format}`,
      }),
    exportAudit: async (as, filter, timeZone) =>
      takeFile(`${url}/api/school/audit?${new URLSearchParams({ ...filter, timeZone })}`, headersOf(as), {
        credentials,
        name: 'audit.csv',
      }),
  };
}
