import { ApplicationId, ApplicationToken, CodedError, deskLimits } from '@zvonok/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Check } from 'typebox/value';
import type { Gateway } from '../platform/gateway.ts';
import type { Caller } from '../platform/procedures.ts';
import type { DeskActions } from './desk.actions.ts';

/** What the gateway lends to routes that are no procedures. */
export type HttpDoor = Pick<Gateway, 'http' | 'isAllowedOrigin' | 'findCaller'>;

const path = '/api/desk/orders';

/**
 * The scan of an order is no procedure, since it is bytes: `POST /api/desk/orders` takes it as `application/octet-stream`
 * with the application's token in `zvonok-application` and its name, percent-encoded, in `zvonok-file-name`;
 * `GET /api/desk/orders/{applicationId}` gives it to an operator, to be saved and never shown in place.
 */
export async function mountOrders(
  { http, isAllowedOrigin, findCaller }: HttpDoor,
  actions: Pick<DeskActions, 'attachOrder' | 'getOrder' | 'requireAwaited'>,
  requireOperator: (caller: Caller) => Promise<void>,
): Promise<void> {
  await http.register(async (scope) => {
    // No other: the limit of this route would be the others' too.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/octet-stream',
      { parseAs: 'buffer', bodyLimit: deskLimits.orderBytes },
      (_request, body, done) => done(null, body),
    );
    const uploading = new Set<string>();
    const options = {
      schema: { hide: true },
      bodyLimit: deskLimits.orderBytes,
      config: { transfer: true },
      // Before a byte of the body is taken: whoever has no application that waits for it has nothing to send.
      onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
        if (!isAllowedOrigin(request.headers.origin)) throw new CodedError('ORIGIN_REFUSED');
        const token = tokenOf(request);
        await actions.requireAwaited(token);
        if (uploading.has(token) || uploading.size >= deskLimits.uploadsAtOnce) {
          throw new CodedError('RATE_LIMITED', { retryAfterMs: 5_000 });
        }
        uploading.add(token);
        reply.raw.once('close', () => uploading.delete(token));
      },
    } as const;
    scope.post(path, options, async (request, reply) => {
      const token = tokenOf(request);
      if (!Buffer.isBuffer(request.body)) throw new CodedError('UNSUPPORTED_TYPE');
      const application = await actions.attachOrder(token, fileNameOf(request), request.body);
      return reply.header('cache-control', 'no-store').send({ application });
    });
  });
  http.get(`${path}/:applicationId`, { schema: { hide: true } }, async (request, reply) => {
    const caller = await findCaller(request);
    if (caller === undefined) throw new CodedError('UNAUTHENTICATED');
    await requireOperator(caller);
    const { applicationId } = request.params as { applicationId: string };
    if (!Check(ApplicationId, applicationId)) throw new CodedError('NOT_FOUND');
    const { name, type, bytes } = await actions.getOrder(applicationId);
    return reply
      .header('cache-control', 'no-store')
      .header('content-type', type)
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
      .header('content-security-policy', "sandbox; default-src 'none'")
      .send(bytes);
  });
}

/** @throws CodedError NOT_FOUND where none came that could be one */
function tokenOf(request: FastifyRequest): string {
  const token = request.headers['zvonok-application'];
  if (typeof token !== 'string' || !Check(ApplicationToken, token)) throw new CodedError('NOT_FOUND');
  return token;
}

function fileNameOf(request: FastifyRequest): string {
  const typed = request.headers['zvonok-file-name'];
  try {
    return decodeURIComponent(typeof typed === 'string' ? typed.slice(0, 1_000) : '');
  } catch {
    return '';
  }
}
