import { CodedError } from '@zvonok/shared/errors.ts';
import { transportLimits } from '@zvonok/shared/limits.ts';
import { toCodedError } from './http.ts';

export interface TransferOptions {
  /** Whether the browser's session cookie goes along. */
  readonly credentials: 'include' | 'omit';
  /** Hears the share that has left, 0 to 1, in a browser alone. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** Posts a file and resolves with whatever is answered. Rejects with `CodedError` alone: UNAVAILABLE, TIMEOUT. */
export const sendFile = (
  url: string,
  headers: Readonly<Record<string, string>>,
  file: Blob,
  options: TransferOptions,
): Promise<Response> => {
  const send = typeof XMLHttpRequest === 'undefined' ? sendByFetch : sendByRequest;
  return send(url, headers, file, options);
};

/** What was taken out, to be saved under this name. */
export interface TakenFile {
  readonly name: string;
  readonly table: Blob;
}

/** Asks for a file by POST. `name`: where the server gives it none. Rejects with `CodedError` alone. */
export async function takeFile(
  url: string,
  headers: Readonly<Record<string, string>>,
  { credentials, name }: { readonly credentials: 'include' | 'omit'; readonly name: string },
): Promise<TakenFile> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      credentials,
      cache: 'no-store',
      signal: AbortSignal.timeout(transportLimits.transferStalledMs),
    });
    if (!response.ok) throw toCodedError(await response.json().catch(() => undefined), response);
    const given = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
    return { name: given ?? name, table: await response.blob() };
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    const timedOut = cause instanceof DOMException && cause.name === 'TimeoutError';
    throw new CodedError(timedOut ? 'TIMEOUT' : 'UNAVAILABLE', { cause });
  }
}

type Send = (
  url: string,
  headers: Readonly<Record<string, string>>,
  file: Blob,
  options: TransferOptions,
) => Promise<Response>;

const sendByFetch: Send = async (url, headers, file, { credentials }) => {
  try {
    const signal = AbortSignal.timeout(transportLimits.requestMs);
    return await fetch(url, { method: 'POST', headers, body: file, credentials, signal });
  } catch (cause) {
    const timedOut = cause instanceof DOMException && cause.name === 'TimeoutError';
    throw new CodedError(timedOut ? 'TIMEOUT' : 'UNAVAILABLE', { cause });
  }
};

/** What a browser's fetch does not tell: how much has left. Waits as long as bytes leave. */
const sendByRequest: Send = (url, headers, file, { credentials, onProgress }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout>;
    const patience = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        reject(new CodedError('TIMEOUT'));
        request.abort();
      }, transportLimits.requestMs);
    };
    request.upload.onprogress = ({ loaded, total }) => {
      patience();
      onProgress?.(total === 0 ? 0 : loaded / total);
    };
    request.onload = () => {
      const retryAfter = request.getResponseHeader('retry-after');
      resolve(
        new Response(request.responseText || null, {
          status: request.status,
          ...(retryAfter === null ? {} : { headers: { 'retry-after': retryAfter } }),
        }),
      );
    };
    request.onerror = () => reject(new CodedError('UNAVAILABLE'));
    request.onloadend = () => clearTimeout(timer);
    request.open('POST', url);
    // Cookies of the same origin go along whatever this says.
    request.withCredentials = credentials === 'include';
    for (const [header, value] of Object.entries(headers)) request.setRequestHeader(header, value);
    patience();
    request.send(file);
  });
