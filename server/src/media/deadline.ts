import { CodedError, mediaLimits } from '@zvonok/shared';

/**
 * Waits for an answer of the SFU for at most `ms`: a stopped worker process never answers and never fails. Rejects with
 * `UNAVAILABLE` then. An object that comes later still is given to `late`, so that it can be closed.
 */
export function withinDeadline<T>(
  what: string,
  asked: Promise<T>,
  late?: (value: T) => void,
  ms: number = mediaLimits.sfuRequestMs,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      reject(new CodedError('UNAVAILABLE', { message: `The media worker did not answer (${what}).` }));
    }, ms);
    asked.then(
      (value) => {
        if (over) return late?.(value);
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        if (!over) reject(error);
      },
    );
  });
}
