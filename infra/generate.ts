// Documents that are written by the code they describe: docs/protocol.md and .env.example.
//   npm run generate             writes them
//   … infra/generate.ts --check  fails where one is not what it would write (part of `npm run check`)
import { readFileSync, writeFileSync } from 'node:fs';
import { describeConfig } from '../server/src/platform/config.ts';
import * as shared from '../shared/src/index.ts';

const {
  disconnectCatalogue,
  errorCatalogue,
  eventContract,
  procedureContract,
  signallingEvents,
  signallingRequests,
  universalErrors,
} = shared;

/** What this file needs to know of JSON Schema. */
interface Shape {
  readonly type?: string;
  readonly const?: unknown;
  readonly description?: string;
  readonly anyOf?: readonly Shape[];
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** Shapes that have a name in shared/, each described once. */
const shapeNames = new Map<unknown, string>(
  Object.entries(shared)
    .filter(([, value]) => isObjectShape(value))
    .map(([name, value]) => [value, name]),
);

function isObjectShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && 'type' in value && 'properties' in value;
}

function range(unit: string, min: number | undefined, max: number | undefined): string {
  if (min === undefined && max === undefined) return '';
  if (max === undefined) return min === 0 ? '' : `, at least ${min}${unit}`;
  return min === undefined ? `, at most ${max}${unit}` : `, ${min} to ${max}${unit}`;
}

function text({ minLength, maxLength, pattern }: Shape): string {
  // A long pattern says less to a reader than none.
  const form = pattern !== undefined && pattern.length < 30 ? ` of the form ${pattern}` : '';
  return `text${form}${range(' characters', minLength, maxLength)}`;
}

/** A shape in words that fit into one line, objects apart. */
function describe(shape: Shape, indent: string): string {
  const name = shapeNames.get(shape);
  if (name !== undefined) return name;
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.anyOf !== undefined) return shape.anyOf.map((one) => describe(one, indent)).join(' | ');
  switch (shape.type) {
    case 'object':
      return fields(shape, indent);
    case 'array': {
      const of = shape.items === undefined ? 'anything' : describe(shape.items, indent);
      return `list of ${of}${range(' items', shape.minItems, shape.maxItems)}`;
    }
    case 'string':
      return shape.description ?? text(shape);
    case 'integer':
    case 'number':
      return shape.description ?? `${shape.type}${range('', shape.minimum, shape.maximum)}`;
    default:
      return shape.type ?? 'anything';
  }
}

function fields(shape: Shape, indent = ''): string {
  const inner = `${indent}  `;
  const lines = Object.entries(shape.properties ?? {}).map(([name, field]) => {
    const mark = shape.required?.includes(name) ? '' : '?';
    return `${inner}${name}${mark}: ${describe(field, inner)}\n`;
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join('')}${indent}}`;
}

function block(title: string, shape: Shape): string {
  return `${title}\n\n\`\`\`\n${describe(shape, '')}\n\`\`\`\n`;
}

const whoMayCall = {
  public: 'anyone (over HTTP only)',
  account: 'a signed-in person',
  operator: 'an operator of the server',
  member: 'a signed-in person, as one of their memberships',
} as const;

function protocol(): string {
  const procedures = Object.values(procedureContract).map((procedure) => {
    const { name, summary, access, confirmed, errors, limit, input, output } = procedure as shared.Procedure;
    const facts = [
      `Called by ${whoMayCall[access]}; at most ${limit.max} times in ${limit.windowMs / 1000} s.`,
      confirmed
        ? ` Needs a session that was confirmed in the last ${shared.accountLimits.confirmationMs / 60_000} minutes.`
        : '',
      errors.length === 0 ? '' : ` May answer ${errors.map((code) => `\`${code}\``).join(', ')}.`,
    ];
    return `### ${name}\n\n${summary}\n\n${facts.join('')}\n\n${block('Input', input as Shape)}\n${block('Output', output as Shape)}`;
  });
  const events = Object.values(eventContract).map((event) => {
    const { name, summary, audience, payload } = event as shared.ContractEvent;
    return `### ${name}\n\n${summary}\n\nSent to every device of the ${audience}.\n\n${block('Payload', payload as Shape)}`;
  });
  const requests = Object.entries(signallingRequests).map(
    ([name, { summary, params, result }]) =>
      `### ${name}\n\n${summary}\n\n${block('Params', params as Shape)}\n${block('Result', result as Shape)}`,
  );
  const notifications = Object.entries(signallingEvents).map(
    ([name, { summary, data }]) => `### ${name}\n\n${summary}\n\n${block('Data', data as Shape)}`,
  );
  const shapes = [...shapeNames].map(
    ([shape, name]) => `### ${name}\n\n\`\`\`\n${fields(shape as Shape)}\n\`\`\`\n`,
  );
  const errors = Object.entries(errorCatalogue).map(
    ([code, { status, retry, meaning }]) => `| \`${code}\` | ${status} | ${retry} | ${meaning} |`,
  );
  const disconnects = Object.entries(disconnectCatalogue).map(
    ([code, { closeCode, reconnect, meaning }]) =>
      `| \`${code}\` | ${closeCode} | ${reconnect} | ${meaning} |`,
  );
  return `<!-- Written by infra/generate.ts from shared/src. Change it there. -->

# Protocol

Version ${shared.contractVersion}. Every procedure is called over HTTP (\`POST /api/v1/<name>\` with a JSON body) or over Socket.IO
(an event of its name with an acknowledgement); both do the same. Fields that are not listed are refused in input and to be
ignored in answers and events. A refusal is \`{code, message, retryAfterMs?, data?}\`: the body of an HTTP answer, and \`error\` in
a socket's \`{ok: false, error}\`.

## Procedures

${procedures.join('\n')}
## Events

${events.join('\n')}
## Media signalling

The media of a call has a WebSocket of its own at \`${shared.signallingPath}\`, JSON in text frames of at most
${shared.mediaLimits.messageBytes / 1024} KB. The client sends \`{id, method, params}\` with a rising positive \`id\`, first of all \`join\` with a ticket of
\`calls.createTicket\`; each is answered once by \`{id, ok: true, result}\` or \`{id, ok: false, error}\`. The server sends
\`{event, data}\`. A close code from 4000 to 4499 means: come back with a new ticket; one from 4500 on: do not.

${requests.join('\n')}
## Media events

${notifications.join('\n')}
## Shapes

${shapes.join('\n')}
## Refusals

Any procedure may answer ${universalErrors.map((code) => `\`${code}\``).join(', ')}; others are named with it.

| Code | HTTP status | Try again | Meaning |
|---|---|---|---|
${errors.join('\n')}

## Disconnects

| Reason | Close code | Reconnect | Meaning |
|---|---|---|---|
${disconnects.join('\n')}
`;
}

function envExample(): string {
  const entries = describeConfig().map(
    ({ name, meaning, default: fallback, example }) =>
      `# ${meaning}\n# Unset: ${fallback}.\n#${name}=${example}\n`,
  );
  return `# Written by infra/generate.ts from server/src/platform/config.ts. Change it there.
#
# The server reads its environment, not this file: systemd (EnvironmentFile=) and containers (--env-file) pass it on.

${entries.join('\n')}`;
}

const documents = { 'docs/protocol.md': protocol, '.env.example': envExample };

let stale = false;
for (const [path, generate] of Object.entries(documents)) {
  const file = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(file, generate());
  else if (readOr(file, '') !== generate()) {
    stale = true;
    console.error(`${path} is stale: run npm run generate`);
  }
}
if (stale) process.exitCode = 1;

function readOr(file: URL, fallback: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}
