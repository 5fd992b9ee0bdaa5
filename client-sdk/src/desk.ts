import type { ApplicationId, OwnApplication } from '@zvonok/shared';
import { CodedError } from '@zvonok/shared/errors.ts';
import { transportLimits } from '@zvonok/shared/limits.ts';
import { toCodedError } from './http.ts';

/** What the desk does beside the contract's procedures: the scan of an order is bytes and no JSON. */
export interface Orders {
  /**
   * Sends the scan of an application's order: a PDF, JPEG or PNG of at most `deskLimits.orderBytes`. A later one takes the
   * place of an earlier one, so that it can be sent again after any failure. `onProgress` hears the share that has left, 0
   * to 1, in a browser alone. Rejects with `CodedError` alone: TOO_LARGE, UNSUPPORTED_TYPE (by content), NOT_FOUND,
   * CONFLICT once the application is decided.
   */
  readonly attachOrder: (
    token: string,
    file: Blob,
    name: string,
    onProgress?: (share: number) => void,
  ) => Promise<OwnApplication>;
  /** Where an operator's browser saves the scan from; goes with the session cookie. */
  readonly orderUrl: (applicationId: ApplicationId) => string;
}

const path = '/api/desk/orders';

/** `url` is the origin of the server, without a slash at the end. */
export function createOrders(url: string): Orders {
  return {
    async attachOrder(token, file, name, onProgress) {
      const headers = {
        'content-type': 'application/octet-stream',
        'zvonok-application': token,
        'zvonok-file-name': encodeURIComponent(name.toWellFormed()),
      };
      const send = typeof XMLHttpRequest === 'undefined' ? sendByFetch : sendByRequest;
      const response = await send(url + path, headers, file, onProgress);
      const body = (await response.json().catch(() => undefined)) as unknown;
      if (response.ok && typeof body === 'object' && body !== null && 'application' in body) {
        return body.application as OwnApplication;
      }
      throw toCodedError(body, response);
    },
    orderUrl: (applicationId) => `${url}${path}/${applicationId}`,
  };
}

type Send = (
  url: string,
  headers: Readonly<Record<string, string>>,
  file: Blob,
  onProgress?: (share: number) => void,
) => Promise<Response>;

const sendByFetch: Send = async (url, headers, file) => {
  try {
    const signal = AbortSignal.timeout(transportLimits.requestMs);
    return await fetch(url, { method: 'POST', headers, body: file, credentials: 'omit', signal });
  } catch (cause) {
    const timedOut = cause instanceof DOMException && cause.name === 'TimeoutError';
    throw new CodedError(timedOut ? 'TIMEOUT' : 'UNAVAILABLE', { cause });
  }
};

/** What a browser's fetch does not tell: how much has left. Waits as long as bytes leave. */
const sendByRequest: Send = (url, headers, file, onProgress) =>
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
    for (const [header, value] of Object.entries(headers)) request.setRequestHeader(header, value);
    patience();
    request.send(file);
  });
