import type { Import, ImportId, OutputOf, procedureContract } from '@zvonok/shared';
import { type FastifyInstance, fastify } from 'fastify';
import { type Person, type Rooms, unwrap } from './rooms.ts';

type Rows = OutputOf<(typeof procedureContract)['school.listImportRows']>;

/** Gives tables of people in and takes them out, by the routes that the gateway has. */
export interface Tables {
  readonly http: FastifyInstance;
  upload(by: Person, file: string | Buffer, headers?: Record<string, string>): ReturnType<typeof inject>;
  download(by: Person, query: string, headers?: Record<string, string>): ReturnType<typeof inject>;
  takeAudit(by: Person, query?: string, headers?: Record<string, string>): ReturnType<typeof inject>;
  /** The import and the first page of its preview, once nothing works on it. */
  settled(by: Person, importId: ImportId): Promise<Rows>;
  /** Gives a file in and waits for its preview. */
  preview(by: Person, file: string | Buffer): Promise<Rows>;
  /** The same, and confirms it. */
  apply(by: Person, file: string | Buffer): Promise<Import>;
  close(): Promise<void>;
}

const inject = (
  http: FastifyInstance,
  url: string,
  headers: Record<string, string>,
  payload?: string | Buffer,
) => http.inject({ method: 'POST', url, headers, ...(payload === undefined ? {} : { payload }) });

export async function openTables(rooms: Rooms): Promise<Tables> {
  const http = fastify();
  const callers = new Map<string, Person['caller']>();
  await rooms.school.mountHttp({
    http,
    isAllowedOrigin: (origin) => origin === undefined,
    findCaller: async (request) => callers.get(request.headers.authorization ?? ''),
  });
  const headersOf = (by: Person) => {
    callers.set(by.caller.sessionId, by.caller);
    return { authorization: by.caller.sessionId, 'zvonok-as': by.as };
  };
  const tables: Tables = {
    http,
    upload: (by, file, headers = {}) =>
      inject(
        http,
        '/api/school/imports',
        {
          'content-type': 'application/octet-stream',
          'zvonok-file-name': encodeURIComponent('Список 2026.csv'),
          ...headersOf(by),
          ...headers,
        },
        file,
      ),
    download: (by, query, headers = {}) =>
      inject(http, `/api/school/roster?${query}`, { ...headersOf(by), ...headers }),
    takeAudit: (by, query = '', headers = {}) =>
      inject(http, `/api/school/audit?${query}`, { ...headersOf(by), ...headers }),
    async settled(by, importId) {
      for (;;) {
        const seen = unwrap(await rooms.call('school.listImportRows', by, { importId }));
        if (seen.import.state !== 'reading' && seen.import.state !== 'applying') return seen;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async preview(by, file) {
      const response = await tables.upload(by, file);
      if (response.statusCode !== 200) throw new Error(`refused with ${response.body}`);
      return tables.settled(by, (response.json() as { import: Import }).import.id);
    },
    async apply(by, file) {
      const { import: found } = await tables.preview(by, file);
      unwrap(await rooms.call('school.applyImport', by, { importId: found.id }));
      return (await tables.settled(by, found.id)).import;
    },
    close: () => http.close(),
  };
  return tables;
}

/** A table as people send it, with the usual header. */
export const tableOf = (...lines: readonly string[]): string =>
  ['ФИО;Роль;Класс;Телефон;Номер;Ребёнок;Ведёт класс;Предметы', ...lines].join('\r\n');
