import { accountLimits, CodedError, identityStartPath } from '@zvonok/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { subscriberOf } from '../platform/address.ts';
import type { Gateway } from '../platform/gateway.ts';
import type { Platform } from '../platform/platform.ts';
import { createWindowLimiter } from '../platform/window-limiter.ts';
import { type IdentityActions, IdentityRefused } from './accounts.identity.actions.ts';
import type { SessionActions } from './accounts.sessions.actions.ts';

/** What the gateway lends to routes that are no procedures. */
export type HttpDoor = Pick<Gateway, 'http' | 'carrierOf'>;

export const identityReturnPath = '/api/auth/oidc/callback';
const cookieName = 'zvonok_oidc';

/**
 * Sign-in by the region's identity provider is no procedure, since a browser walks it: `GET /api/auth/oidc/start` leads to the
 * provider, which leads back to `GET /api/auth/oidc/callback`. From there a browser goes to two places alone: into the
 * messenger with a session, or to the sign-in page with a word of `identityRefusals`.
 */
export function mountIdentity(
  { http, carrierOf }: HttpDoor,
  { config, logger }: Platform,
  identity: IdentityActions,
  sessions: Pick<SessionActions, 'startSession'>,
): void {
  const limiter = createWindowLimiter();
  const secure = config.http.tls || config.http.publicUrl?.startsWith('https:') === true;
  // Lax: it must come along when the provider, another site, sends the browser back.
  const attributes = { path: '/api/auth/oidc', httpOnly: true, sameSite: 'lax', secure } as const;

  /** Each may cost a question to the provider, which is somebody else's. */
  function requireFew(request: FastifyRequest) {
    if (!config.rateLimits) return;
    const retryAfterMs = limiter.hit(subscriberOf(request.ip), accountLimits.identityPerAddress);
    if (retryAfterMs > 0) throw new CodedError('RATE_LIMITED', { retryAfterMs });
  }

  async function orBackToSignIn(reply: FastifyReply, walk: () => Promise<string>) {
    reply.header('cache-control', 'no-store');
    try {
      return await reply.redirect(await walk());
    } catch (error) {
      // A person walks here: whatever went wrong, they end on a page that speaks their language.
      const reason = error instanceof IdentityRefused ? error.reason : 'unavailable';
      if (error instanceof IdentityRefused)
        logger.info({ reason }, 'sign-in by the identity provider refused');
      else if (!(error instanceof CodedError)) {
        logger.error({ err: error }, 'sign-in by the identity provider failed');
      }
      return reply.redirect(`/signin?refused=${reason}`);
    }
  }

  http.get(identityStartPath, { schema: { hide: true } }, (request, reply) =>
    orBackToSignIn(reply, async () => {
      requireFew(request);
      const { url, ticket } = await identity.begin();
      reply.setCookie(cookieName, ticket, {
        ...attributes,
        maxAge: accountLimits.identityAttemptMs / 1_000,
      });
      return url.href;
    }),
  );

  http.get(identityReturnPath, { schema: { hide: true } }, (request, reply) =>
    orBackToSignIn(reply, async () => {
      requireFew(request);
      reply.clearCookie(cookieName, attributes);
      const parameters = new URLSearchParams(request.url.split('?', 2)[1] ?? '');
      const prove = await identity.redeem(parameters, request.cookies[cookieName]);
      await sessions.startSession(
        prove,
        { carrier: 'cookie', deviceName: undefined },
        {
          address: subscriberOf(request.ip),
          userAgent: request.headers['user-agent'] ?? '',
          carrier: carrierOf(reply),
          logger,
        },
      );
      return '/';
    }),
  );
}
