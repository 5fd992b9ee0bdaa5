import type { Import, MembershipId } from '@zvonok/shared';
import { CodedError } from '@zvonok/shared/errors.ts';
import { transportLimits } from '@zvonok/shared/limits.ts';
import { type HttpOptions, toCodedError } from './http.ts';
import { sendFile } from './transfer.ts';

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
  ) => Promise<{ readonly name: string; readonly table: Blob }>;
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

    async exportTable(as, format, { blank = false } = {}) {
      try {
        const response = await fetch(`${url}/api/school/roster?format=${format}${blank ? '&blank=1' : ''}`, {
          method: 'POST',
          headers: headersOf(as),
          credentials,
          cache: 'no-store',
          signal: AbortSignal.timeout(transportLimits.transferStalledMs),
        });
        if (!response.ok) throw toCodedError(await response.json().catch(() => undefined), response);
        const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
        return { name: name ?? `people.${format}`, table: await response.blob() };
      } catch (cause) {
        if (cause instanceof CodedError) throw cause;
        const timedOut = cause instanceof DOMException && cause.name === 'TimeoutError';
        throw new CodedError(timedOut ? 'TIMEOUT' : 'UNAVAILABLE', { cause });
      }
    },
  };
}
