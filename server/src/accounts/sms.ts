import { accountLimits, CodedError } from '@zvonok/shared';

/**
 * Takes a text to a phone. Resolves once it was handed over (which is not delivery).
 *
 * @throws CodedError UNAVAILABLE with neither phone nor text in it
 */
export interface SmsSender {
  send(phone: string, text: string): Promise<void>;
}

/** Prints to the terminal, past the logger, whose lines may be kept or shipped elsewhere. For demo mode alone. */
export function createConsoleSender(
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): SmsSender {
  return {
    async send(phone, text) {
      write(`\n  SMS to ${phone}: ${text}\n\n`);
    },
  };
}

/**
 * Calls an SMS gateway by GET. `template` holds `{phone}` and `{text}` and usually the gateway's password: it is
 * never logged, and redirects are not followed, so that nobody else gets it. Config has checked its scheme.
 */
export function createHttpSender(template: string, timeoutMs: number = accountLimits.smsMs): SmsSender {
  return {
    async send(phone, text) {
      const url = template
        .replaceAll('{phone}', encodeURIComponent(phone))
        .replaceAll('{text}', () => encodeURIComponent(text));
      let response: Response;
      try {
        response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
        await response.body?.cancel();
      } catch {
        // Not even as a cause: the error of a URL repeats the URL.
        throw new CodedError('UNAVAILABLE', { message: 'The SMS gateway did not answer.' });
      }
      if (!response.ok) {
        throw new CodedError('UNAVAILABLE', { message: `The SMS gateway answered ${response.status}.` });
      }
    },
  };
}
