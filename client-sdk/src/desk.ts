import type { ApplicationId, OwnApplication } from '@zvonok/shared';
import { toCodedError } from './http.ts';
import { sendFile } from './transfer.ts';

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
      const response = await sendFile(url + path, headers, file, { credentials: 'omit', onProgress });
      const body = (await response.json().catch(() => undefined)) as unknown;
      if (response.ok && typeof body === 'object' && body !== null && 'application' in body) {
        return body.application as OwnApplication;
      }
      throw toCodedError(body, response);
    },
    orderUrl: (applicationId) => `${url}${path}/${applicationId}`,
  };
}
