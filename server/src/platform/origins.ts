import type { Config } from './config.ts';

/**
 * The sites whose pages may call this server, compared as exact origins: `PUBLIC_URL`, or in demo mode this machine's
 * own names. A request without an `Origin` header does not come from another site's page (browsers always send it
 * with a POST and a WebSocket) and is judged by its session alone.
 */
export function createOriginCheck(
  config: Config,
  port: () => number,
): (origin: string | undefined) => boolean {
  return (origin) => {
    if (origin === undefined) return true;
    if (config.http.publicUrl !== undefined) return origin === new URL(config.http.publicUrl).origin;
    const scheme = config.http.tls ? 'https' : 'http';
    return ['localhost', '127.0.0.1', '[::1]'].some((host) => origin === `${scheme}://${host}:${port()}`);
  };
}
