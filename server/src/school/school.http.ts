import { AuditFilter, CodedError, MembershipId } from '@zvonok/shared';
import type { FastifyRequest } from 'fastify';
import { Check } from 'typebox/value';
import { subscriberOf } from '../platform/address.ts';
import type { Gateway } from '../platform/gateway.ts';
import type { Actor, Caller } from '../platform/procedures.ts';
import { writeCsv } from '../platform/spreadsheet-writer.ts';
import type { AuditActions } from './school.audit.actions.ts';
import type { RosterActions } from './school.roster.actions.ts';
import { mountRosterHttp } from './school.roster.http.ts';

/** What the gateway lends to routes that are no procedures. */
export type HttpDoor = Pick<Gateway, 'http' | 'isAllowedOrigin' | 'findCaller'>;

/** Tables are bytes and no procedures: of people, and of the audit log. The membership that acts stands in `zvonok-as`. */
export async function mountSchoolHttp(
  door: HttpDoor,
  actions: { readonly roster: RosterActions; readonly audit: Pick<AuditActions, 'exportAudit'> },
  requireActor: (caller: Caller, membershipId: MembershipId) => Promise<Omit<Actor, 'address'>>,
): Promise<void> {
  async function requireActorOf(request: FastifyRequest): Promise<Actor> {
    if (!door.isAllowedOrigin(request.headers.origin)) throw new CodedError('ORIGIN_REFUSED');
    const caller = await door.findCaller(request);
    if (caller === undefined) throw new CodedError('UNAUTHENTICATED');
    const as = request.headers['zvonok-as'];
    if (!Check(MembershipId, as)) throw new CodedError('FORBIDDEN');
    return { ...(await requireActor(caller, as)), address: subscriberOf(request.ip) };
  }

  await mountRosterHttp(door, actions.roster, requireActorOf);

  /** `POST /api/school/audit`, as CSV; in the query the filter of `school.listAuditRecords` and the reader's `timeZone`. */
  door.http.post('/api/school/audit', { schema: { hide: true } }, async (request, reply) => {
    const actor = await requireActorOf(request);
    const { timeZone = 'UTC', ...filter } = request.query as Record<string, unknown>;
    if (!Check(AuditFilter, filter) || !isTimeZone(timeZone)) throw new CodedError('VALIDATION');
    const rows = await actions.audit.exportAudit(actor, filter, timeZone);
    return reply
      .header('cache-control', 'no-store')
      .header('content-type', 'text/csv; charset=utf-8')
      .header(
        'content-disposition',
        `attachment; filename="audit-${new Date().toISOString().slice(0, 10)}.csv"`,
      )
      .header('content-security-policy', "sandbox; default-src 'none'")
      .send(writeCsv(rows));
  });
}

function isTimeZone(name: unknown): name is string {
  if (typeof name !== 'string' || name.length > 60) return false;
  try {
    new Intl.DateTimeFormat('ru-RU', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
