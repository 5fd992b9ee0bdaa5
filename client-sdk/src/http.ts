import { CodedError, type ErrorCode, errorCatalogue } from '@zvonok/shared/errors.ts';
import { clientLimits, contractVersion } from '@zvonok/shared/limits.ts';

/** How a session travels: the browser's HttpOnly cookie, or a token that the SDK keeps. */
export type SessionCarrier = 'cookie' | 'bearer';

export interface HttpOptions {
  /** Origin of the server, without a slash at the end. */
  readonly url: string;
  readonly carrier: SessionCarrier;
  readonly token: () => string | undefined;
  readonly locale: string | undefined;
}

/** Calls one procedure over HTTP. Rejects with `CodedError` alone. */
export async function callOverHttp(options: HttpOptions, name: string, input: unknown): Promise<unknown> {
  const token = options.carrier === 'bearer' ? options.token() : undefined;
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`${options.url}/api/v1/${name}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'zvonok-version': contractVersion,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(options.locale === undefined ? {} : { 'accept-language': options.locale }),
      },
      credentials: options.carrier === 'cookie' ? 'include' : 'omit',
      cache: 'no-store',
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(clientLimits.callMs),
    });
    body = await readJson(response);
  } catch (cause) {
    const timedOut = cause instanceof DOMException && cause.name === 'TimeoutError';
    throw new CodedError(timedOut ? 'TIMEOUT' : 'UNAVAILABLE', { cause });
  }
  if (response.ok && body !== undefined) return body;
  throw toCodedError(body, response);
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // Something between us and the server answered: a proxy's error page, a captive portal.
    return undefined;
  }
}

/**
 * What came instead of a result, as an error. A code that this version does not know is from a newer server: it is
 * answered as CLIENT_OUTDATED with the code in `data`.
 */
export function toCodedError(body: unknown, response?: Response): CodedError {
  if (typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string') {
    const { code } = body;
    const message =
      'message' in body && typeof body.message === 'string' ? { message: body.message } : undefined;
    if (!Object.hasOwn(errorCatalogue, code)) {
      return new CodedError('CLIENT_OUTDATED', { ...message, data: { code } });
    }
    return new CodedError(code as ErrorCode, {
      ...message,
      ...('retryAfterMs' in body && typeof body.retryAfterMs === 'number'
        ? { retryAfterMs: body.retryAfterMs }
        : {}),
      ...('data' in body && typeof body.data === 'object' && body.data !== null
        ? { data: body.data as Record<string, unknown> }
        : {}),
    });
  }
  const status = response?.status ?? 500;
  const retryAfter = Number(response?.headers.get('retry-after') ?? Number.NaN);
  if (status === 429) {
    return new CodedError(
      'RATE_LIMITED',
      Number.isNaN(retryAfter) ? {} : { retryAfterMs: retryAfter * 1_000 },
    );
  }
  if (status === 413) return new CodedError('TOO_LARGE');
  // Not a word of ours: whatever stands between us and the server, the server itself has not answered.
  return new CodedError('UNAVAILABLE', { data: { status } });
}
