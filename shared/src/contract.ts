import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox';
import type { ErrorCode } from './errors.ts';
import { MembershipId } from './ids.ts';

/**
 * Who may call: `public` (anyone, over HTTP only), `account` (a signed-in person), `member` (a signed-in person as one
 * of their active memberships, named by `as`; the gateway answers FORBIDDEN where it is not theirs), `operator` (a
 * signed-in person who runs the server; FORBIDDEN for everybody else, PASSKEY_REQUIRED where the session has not seen
 * their passkey).
 */
export type Access = 'public' | 'account' | 'member' | 'operator';

/** At most `max` calls in `windowMs`, counted per session (per address where public). */
export interface RateLimit {
  readonly max: number;
  readonly windowMs: number;
}

export interface Procedure<
  Who extends Access = Access,
  Input extends TSchema = TSchema,
  Output extends TSchema = TSchema,
> {
  /** `noun.verb`, as it is called over the wire. */
  readonly name: string;
  readonly summary: string;
  readonly access: Who;
  /** Unknown fields are refused. For `member` procedures it includes `as`. */
  readonly input: Input;
  readonly output: Output;
  /** What it may answer besides the universal errors. */
  readonly errors: readonly ErrorCode[];
  readonly limit: RateLimit;
  /** Whether the session must have been confirmed a moment ago: see `Definition`. */
  readonly confirmed: boolean;
}

export interface ContractEvent<Payload extends TSchema = TSchema> {
  /** `noun.pastFact`, as it is emitted. */
  readonly name: string;
  readonly summary: string;
  /** Whose devices receive it. */
  readonly audience: 'conversation' | 'membership' | 'account' | 'session' | 'school';
  readonly payload: Payload;
}

/** An object of which every field is known; the shape of everything that crosses the wire. */
export function strict<const P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

/** One of these words. */
export function oneOf<const T extends readonly string[]>(values: T) {
  return Type.Unsafe<T[number]>(Type.Union(values.map((value) => Type.Literal(value))));
}

export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

/** A moment, as everything that crosses the wire spells it. */
export const Time = Type.String({
  format: 'date-time',
  description: 'ISO 8601 in UTC, by the server’s clock',
});

type InputSchema<P extends TProperties> = TObject<P>;
type MemberInput<P extends TProperties> = TObject<P & { as: typeof MembershipId }>;

interface Definition<P extends TProperties, Output extends TSchema> {
  readonly summary: string;
  readonly input: P;
  readonly output: Output;
  readonly errors?: readonly ErrorCode[];
  readonly limit?: RateLimit;
  /**
   * For what somebody at an unguarded device must not be able to do: who may do what, who is let in or out. The gateway
   * answers CONFIRMATION_REQUIRED unless this session was confirmed within `accountLimits.confirmationMs`: by signing in,
   * or by a code to the account's own phone (`accounts.requestConfirmation`, `accounts.confirm`), or with a passkey. It is asked last, of
   * whoever may call at all with an input that is well-formed; the handler need not know of it. A client asks for the code
   * and repeats the call: with the SDK, screens need nothing of their own.
   */
  readonly confirmed?: true;
}

type Unnamed<T> = Omit<T, 'name'>;

const usualLimit: RateLimit = { max: 600, windowMs: 60_000 };

/** A definition with what it leaves out. */
function whole<P extends TProperties, O extends TSchema>(definition: Definition<P, O>) {
  const { errors = [], limit = usualLimit, confirmed = false } = definition;
  return {
    summary: definition.summary,
    output: definition.output,
    errors: confirmed ? ([...errors, 'CONFIRMATION_REQUIRED'] as const) : errors,
    limit,
    confirmed,
  };
}

export function perMinute(max: number): RateLimit {
  return { max, windowMs: 60_000 };
}

export function publicProcedure<const P extends TProperties, O extends TSchema>(
  definition: Omit<Definition<P, O>, 'confirmed'>,
): Unnamed<Procedure<'public', InputSchema<P>, O>> {
  return { access: 'public', ...whole(definition), input: strict(definition.input) as InputSchema<P> };
}

export function accountProcedure<const P extends TProperties, O extends TSchema>(
  definition: Definition<P, O>,
): Unnamed<Procedure<'account', InputSchema<P>, O>> {
  return { access: 'account', ...whole(definition), input: strict(definition.input) as InputSchema<P> };
}

export function operatorProcedure<const P extends TProperties, O extends TSchema>(
  definition: Definition<P, O>,
): Unnamed<Procedure<'operator', InputSchema<P>, O>> {
  const { errors, ...rest } = whole(definition);
  return {
    access: 'operator',
    ...rest,
    errors: ['PASSKEY_REQUIRED', ...errors],
    input: strict(definition.input) as InputSchema<P>,
  };
}

export function memberProcedure<const P extends TProperties, O extends TSchema>(
  definition: Definition<P, O>,
): Unnamed<Procedure<'member', MemberInput<P>, O>> {
  const input = strict({ as: MembershipId, ...definition.input }) as unknown as MemberInput<P>;
  return { access: 'member', ...whole(definition), input };
}

export function contractEvent<Payload extends TSchema>(
  definition: Unnamed<ContractEvent<Payload>>,
): Unnamed<ContractEvent<Payload>> {
  return definition;
}

type Named<Noun extends string, D> = {
  [K in keyof D & string as `${Noun}.${K}`]: D[K] & { readonly name: `${Noun}.${K}` };
};

function named<const Noun extends string, D extends object>(noun: Noun, definitions: D): Named<Noun, D> {
  return Object.fromEntries(
    Object.entries(definitions).map(([key, value]) => [
      `${noun}.${key}`,
      { ...value, name: `${noun}.${key}` },
    ]),
  ) as Named<Noun, D>;
}

/** Names a room's procedures: `{sendMessage}` of `chat` becomes `chat.sendMessage`. */
export const procedures = named;
/** Names a room's events: `{messageSent}` of `chat` becomes `chat.messageSent`. */
export const events = named;

export type InputOf<P> = P extends { readonly input: infer I extends TSchema } ? Static<I> : never;
export type OutputOf<P> = P extends { readonly output: infer O extends TSchema } ? Static<O> : never;
export type PayloadOf<E> = E extends { readonly payload: infer O extends TSchema } ? Static<O> : never;
