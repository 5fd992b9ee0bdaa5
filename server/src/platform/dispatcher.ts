import {
  CodedError,
  type ErrorBody,
  type ErrorCode,
  type Procedure,
  transportLimits,
  universalErrors,
} from '@zvonok/shared';
import { Compile } from 'typebox/compile';
import { v7 as uuid } from 'uuid';
import { translateDatabaseError } from './database.ts';
import type { Logger } from './logger.ts';
import type {
  AccountContext,
  Actor,
  Caller,
  MemberContext,
  MountedProcedure,
  PublicContext,
} from './procedures.ts';
import { createWindowLimiter } from './window-limiter.ts';

export type Reply =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: ErrorBody };

/** Who calls and from where. `caller` is undefined for somebody without a session. */
export interface Call {
  readonly caller: Caller | undefined;
  readonly address: string;
  readonly userAgent: string;
  readonly carrier: PublicContext['carrier'];
}

export interface Dispatcher {
  /**
   * Runs one procedure: finds the contract, checks session, rate and schema, loads the actor, calls the handler.
   * Never rejects and never throws; every refusal is catalogued, anything else is `INTERNAL` with an incident id that
   * the log has too. The same for both transports.
   */
  call(name: unknown, input: unknown, call: Call): Promise<Reply>;
  readonly procedures: readonly Procedure[];
}

export interface DispatcherOptions {
  readonly mounted: readonly MountedProcedure[];
  /** Throws `FORBIDDEN` where the membership is not an active one of this caller's account. */
  readonly requireActor: (
    caller: Caller,
    membershipId: Actor['membershipId'],
  ) => Promise<Omit<Actor, 'address'>>;
  /** Throws `FORBIDDEN` for whoever does not run the server, `PASSKEY_REQUIRED` where their session has not seen a passkey. */
  readonly requireOperator: (caller: Caller) => Promise<void>;
  /** Whether the caller's session was confirmed a moment ago. */
  readonly isConfirmed: (caller: Caller) => Promise<boolean>;
  readonly logger: Logger;
  readonly limits: 'on' | 'off';
  /** Compares every result with the contract and answers INTERNAL on a breach: on in development and tests. */
  readonly checkOutputs: boolean;
}

interface Entry {
  readonly procedure: Procedure;
  readonly handle: MountedProcedure['handle'];
  readonly allowed: ReadonlySet<ErrorCode>;
  readonly accepts: (input: unknown) => boolean;
  readonly answers: (output: unknown) => boolean;
  readonly explain: (input: unknown) => string;
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const entries = new Map<string, Entry>();
  for (const { procedure, handle } of options.mounted) {
    const input = Compile(procedure.input);
    const output = options.checkOutputs ? Compile(procedure.output) : undefined;
    entries.set(procedure.name, {
      procedure,
      handle,
      allowed: new Set([...universalErrors, ...procedure.errors]),
      accepts: (value) => input.Check(value),
      answers: (value) => output === undefined || output.Check(value),
      explain: (value) => firstFault(input.Errors(value)),
    });
  }
  const limiter = createWindowLimiter();

  async function run(entry: Entry, input: unknown, call: Call): Promise<unknown> {
    const { procedure } = entry;
    const base: PublicContext = {
      address: call.address,
      userAgent: call.userAgent,
      carrier: call.carrier,
      logger: options.logger,
    };
    // A session begins where its cookie can be set, and is limited by the address that a proxy tells of.
    if (procedure.access === 'public' && call.carrier === undefined) throw new CodedError('FORBIDDEN');
    if (procedure.access !== 'public' && call.caller === undefined) throw new CodedError('UNAUTHENTICATED');
    if (options.limits === 'on') {
      const who = procedure.access === 'public' ? call.address : (call.caller?.sessionId ?? call.address);
      const retryAfterMs = limiter.hit(`${procedure.name} ${who}`, procedure.limit);
      if (retryAfterMs > 0) throw new CodedError('RATE_LIMITED', { retryAfterMs });
    }
    const fault = faultOfValue(input, 0);
    if (fault !== undefined) throw new CodedError('VALIDATION', { message: fault });
    const caller = call.caller as Caller;
    if (procedure.access === 'operator') await options.requireOperator(caller);
    if (!entry.accepts(input)) {
      // An explanation runs every pattern over every text, however long.
      const message = holdsLongText(input) ? 'A text is too long.' : entry.explain(input);
      throw new CodedError('VALIDATION', { message });
    }
    if (procedure.access === 'public') return entry.handle(input, base);
    if (procedure.access === 'account' || procedure.access === 'operator') {
      await requireConfirmed(procedure, caller);
      const context: AccountContext = { ...base, caller };
      return entry.handle(input, context);
    }
    const known = await options.requireActor(caller, (input as { as: Actor['membershipId'] }).as);
    await requireConfirmed(procedure, caller);
    const actor: Actor = { ...known, address: call.address };
    const context: MemberContext = { ...base, caller, actor };
    return entry.handle(input, context);
  }

  /** Last of all that is asked here: nobody types a code for what is refused anyway. */
  async function requireConfirmed({ confirmed }: Procedure, caller: Caller) {
    if (confirmed && !(await options.isConfirmed(caller))) throw new CodedError('CONFIRMATION_REQUIRED');
  }

  return {
    procedures: [...entries.values()].map((entry) => entry.procedure),

    async call(name, input, call) {
      const entry = typeof name === 'string' ? entries.get(name) : undefined;
      if (entry === undefined)
        return refusal(new CodedError('NOT_FOUND', { message: 'There is no such procedure.' }));
      let timer: NodeJS.Timeout | undefined;
      try {
        const timeout = new Promise<never>((_resolve, reject) => {
          timer = setTimeout(() => reject(new CodedError('TIMEOUT')), transportLimits.procedureMs);
        });
        const result = await Promise.race([run(entry, input, call), timeout]);
        if (!entry.answers(result)) throw new Error(`${entry.procedure.name} answered outside its contract`);
        return { ok: true, result };
      } catch (error) {
        const coded = error instanceof CodedError ? error : translateDatabaseError(error);
        if (coded instanceof CodedError && entry.allowed.has(coded.code)) return refusal(coded);
        const incident = uuid();
        options.logger.error({ err: error, procedure: entry.procedure.name, incident }, 'procedure failed');
        return refusal(new CodedError('INTERNAL', { data: { incident } }));
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function refusal(error: CodedError): Reply {
  return { ok: false, error: error.toBody() };
}

const holdsLongText = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.length > transportLimits.explainedTextLength
    : typeof value === 'object' && value !== null && Object.values(value).some(holdsLongText);

/**
 * Why a value may not go any further whatever its schema: nested too deep, or text that Postgres can't store (NUL) or
 * that no encoding can carry (a lone surrogate). Undefined where it may.
 */
function faultOfValue(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') {
    return value.includes('\u0000') || !value.isWellFormed()
      ? 'Text holds characters that are not allowed.'
      : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= transportLimits.eventDepth) return 'The input is nested too deep.';
  if (ArrayBuffer.isView(value)) return 'Binary data is not accepted here.';
  for (const [key, item] of Object.entries(value)) {
    const fault = faultOfValue(key, depth + 1) ?? faultOfValue(item, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Names the field and what is wrong with it; never the value, which may be personal. */
function firstFault(
  errors: readonly { readonly instancePath?: string; readonly message?: string }[],
): string {
  const first = errors[0];
  if (first === undefined) return 'The input does not have the right shape.';
  const path = (first.instancePath ?? '').slice(0, 80).replaceAll(/[^\w/-]/g, '?');
  return `${path === '' ? 'input' : path}: ${(first.message ?? 'is not valid').slice(0, 120)}`;
}
