import type { TSchema } from 'typebox';

/** What a hostile client puts where the contract expects something else. */
export const hostileValues: readonly unknown[] = [
  null,
  0,
  -1,
  1e308,
  true,
  '',
  ' ',
  'a',
  '\u0000',
  '\ud800',
  '\u202e7Б',
  'x'.repeat(60_000),
  // Nearly right, and long: what an explanation of the fault must not go over in circles.
  `${'а'.repeat(30_000)}\t`,
  "'; drop table messages; --",
  '../../etc/passwd',
  '00000000-0000-4000-8000-000000000000',
  '{"$gt":""}',
  [],
  [[[[[[[[]]]]]]]],
  Array.from({ length: 2_000 }, () => 0),
  {},
  { length: 5 },
  { toString: 'x', valueOf: 'y' },
  JSON.parse('{"then":"not a promise"}'),
  JSON.parse('{"__proto__":{"isAdmin":true}}'),
  JSON.parse('{"constructor":{"prototype":{"isAdmin":true}}}'),
];

/** `levels` arrays inside one another, as JSON text: what `JSON.stringify` itself could not write. */
export function nestedJson(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, TSchema>>;
}

/** Values that fit their patterns, by the name of the field: what a schema alone does not tell. */
const plausible: Readonly<Record<string, unknown>> = {
  phone: '+79000000999',
  code: '000000',
  pin: '0000',
  token: 'A'.repeat(43),
  digest: 'A'.repeat(43),
  search: 'Иван',
  inviteToken: 'A'.repeat(43),
  joinCode: 'ABCD2345',
  fullName: 'Анна Петрова',
  name: '9Ж',
  subject: 'Физика',
  basis: 'приказ 12',
  text: 'привет',
  deviceName: 'телефон',
  registerId: '6901000000',
  orderDate: '2026-09-01',
  adminName: 'Анна Петрова',
  adminEmail: 'office@example.org',
  adminPhone: '+79000000998',
  id: 'AAAA',
  clientDataJSON: 'AAAA',
  attestationObject: 'AAAA',
  authenticatorData: 'AAAA',
  signature: 'AAAA',
  userHandle: 'AAAA',
  transports: 'internal',
  from: '2026-09-01T00:00:00.000Z',
  until: '2030-09-01T00:00:00.000Z',
  contactEmail: 'office@example.org',
  contactPhone: '+7 (4872) 55-55-55',
  journalUrl: 'https://dnevnik.example/',
};

const someId = '01890000-0000-7000-8000-000000000001';

/** A valid value of a schema, with optional fields. Objects it names do not exist. */
export function sampleOf(schema: TSchema, name = ''): unknown {
  const loose = schema as unknown as Record<string, unknown>;
  if ('const' in loose) return loose.const;
  if (Array.isArray(loose.anyOf)) return sampleOf(loose.anyOf[0] as TSchema, name);
  if (Array.isArray(loose.enum)) return loose.enum[0];
  if (loose.type === 'object') {
    const properties = (schema as ObjectSchema).properties ?? {};
    return Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, sampleOf(each, key)]));
  }
  if (loose.type === 'array') return [sampleOf(loose.items as TSchema, name)];
  if (loose.type === 'integer' || loose.type === 'number') return loose.minimum ?? 1;
  if (loose.type === 'boolean') return true;
  if (loose.type === 'null') return null;
  if (typeof loose.description === 'string' && loose.description.startsWith('id of')) return someId;
  return plausible[name] ?? 'текст';
}

/** Inputs that break one field each, drop one, add one, or are no object at all. */
export function* hostileInputs(schema: TSchema): Generator<unknown> {
  yield undefined;
  yield* hostileValues;
  const properties = Object.keys((schema as ObjectSchema).properties ?? {});
  const valid = sampleOf(schema) as Record<string, unknown>;
  yield { ...valid, unknownField: 1 };
  yield { ...valid, schoolId: someId, role: 'admin' };
  yield JSON.parse(
    `${JSON.stringify(valid).slice(0, -1)}${properties.length > 0 ? ',' : ''}"__proto__":{"as":"x"}}`,
  );
  for (const property of properties) {
    const { [property]: _dropped, ...rest } = valid;
    yield rest;
    for (const value of hostileValues) yield { ...valid, [property]: value };
  }
}
