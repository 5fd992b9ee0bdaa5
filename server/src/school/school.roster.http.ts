import { CodedError, rosterLimits, spreadsheetLimits } from '@zvonok/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../platform/procedures.ts';
import { writeCsv, writeXlsx } from '../platform/spreadsheet-writer.ts';
import type { HttpDoor } from './school.http.ts';
import type { RosterActions } from './school.roster.actions.ts';

const importsPath = '/api/school/imports';
const rosterPath = '/api/school/roster';

/** Of the columns of the table, in characters. */
const widths = [34, 14, 10, 20, 12, 40, 18, 40];

/**
 * Tables are bytes and no procedures. `POST /api/school/imports` takes one as `application/octet-stream`, its name
 * percent-encoded in `zvonok-file-name`, and answers the import that is being read. `POST /api/school/roster?format=csv` (or
 * `xlsx`) gives everybody out; with `&blank=1` the header alone. The membership that acts stands in `zvonok-as`.
 */
export async function mountRosterHttp(
  { http }: Pick<HttpDoor, 'http'>,
  actions: RosterActions,
  requireActorOf: (request: FastifyRequest) => Promise<Actor>,
): Promise<void> {
  await http.register(async (scope) => {
    // No other: the limit of this route would be the others' too.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/octet-stream',
      { parseAs: 'buffer', bodyLimit: spreadsheetLimits.fileBytes },
      (_request, body, done) => done(null, body),
    );
    const actors = new WeakMap<FastifyRequest, Actor>();
    let uploading = 0;
    const options = {
      schema: { hide: true },
      bodyLimit: spreadsheetLimits.fileBytes,
      config: { transfer: true },
      // Before a byte of the body is taken: whoever may not import has nothing to send.
      onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
        const actor = await requireActorOf(request);
        await actions.requireImport(actor);
        if (uploading >= rosterLimits.uploadsAtOnce)
          throw new CodedError('RATE_LIMITED', { retryAfterMs: 5_000 });
        uploading += 1;
        reply.raw.once('close', () => {
          uploading -= 1;
        });
        actors.set(request, actor);
      },
    } as const;
    scope.post(importsPath, options, async (request, reply) => {
      const actor = actors.get(request);
      if (actor === undefined || !Buffer.isBuffer(request.body)) throw new CodedError('UNSUPPORTED_TYPE');
      const added = await actions.addImport(actor, fileNameOf(request), request.body);
      return reply.header('cache-control', 'no-store').send({ import: added });
    });
  });

  http.post(rosterPath, { schema: { hide: true } }, async (request, reply) => {
    const actor = await requireActorOf(request);
    const { format, blank } = request.query as { format?: unknown; blank?: unknown };
    if (format !== 'csv' && format !== 'xlsx') throw new CodedError('VALIDATION');
    const rows =
      blank === '1' ? onlyRow(await actions.getBlank(actor)) : (await actions.exportRoster(actor)).rows;
    const name = `${blank === '1' ? 'template' : `people-${new Date().toISOString().slice(0, 10)}`}.${format}`;
    const type =
      format === 'csv'
        ? 'text/csv; charset=utf-8'
        : 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
    return reply
      .header('cache-control', 'no-store')
      .header('content-type', type)
      .header('content-disposition', `attachment; filename="${name}"`)
      .header('content-security-policy', "sandbox; default-src 'none'")
      .send(format === 'csv' ? writeCsv(rows) : writeXlsx(rows, { name: 'Люди', widths }));
  });
}

async function* onlyRow(row: readonly string[]) {
  yield row;
}

/** A name to show: letters, digits and few signs. */
function fileNameOf(request: FastifyRequest): string {
  const typed = request.headers['zvonok-file-name'];
  let name = '';
  try {
    name = decodeURIComponent(typeof typed === 'string' ? typed.slice(0, 1_000) : '');
  } catch {
    // Shown as one without a name.
  }
  const clean = name
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N} _.,()№-]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, rosterLimits.fileNameLength);
  return clean === '' ? 'table' : clean;
}
