import type {
  AccountId,
  InputOf,
  MembershipId,
  OutputOf,
  Procedure,
  Role,
  SchoolId,
  SessionId,
} from '@zvonok/shared';
import type { Logger } from './logger.ts';

/** A signed-in person. */
export interface Caller {
  readonly sessionId: SessionId;
  readonly accountId: AccountId;
}

/**
 * A signed-in person acting as one of their active memberships. Loaded by the gateway for every `member` procedure.
 * It may be up to a second old (the bound of promise P14); what must not be stale is read again in the transaction.
 */
export interface Actor extends Caller {
  /** Where the request came from; kept with what it changes in the school (its audit log), and nowhere else. */
  readonly address: string;
  readonly membershipId: MembershipId;
  readonly schoolId: SchoolId;
  readonly role: Role;
  /** From a verification record; true for pupils never, for staff once an administrator has confirmed them. */
  readonly verified: boolean;
}

/** How a session token reaches the client: a browser gets a cookie, the SDK elsewhere reads the reply. */
export interface SessionCarrier {
  /** `untilClosed`: for as long as the browser is open. */
  set(token: string, options?: { readonly untilClosed?: boolean }): void;
  clear(): void;
}

export interface PublicContext {
  /** Where the request came from, for limits alone; never stored with content. */
  readonly address: string;
  /** Shortened `User-Agent`, to name the device in the list of sessions. */
  readonly userAgent: string;
  /** Undefined over a socket: sessions begin and rotate over HTTP. */
  readonly carrier: SessionCarrier | undefined;
  readonly logger: Logger;
}
export interface AccountContext extends PublicContext {
  readonly caller: Caller;
}
export interface MemberContext extends AccountContext {
  readonly actor: Actor;
}

type ContextOf<P> = P extends { readonly access: 'public' }
  ? PublicContext
  : P extends { readonly access: 'account' | 'operator' }
    ? AccountContext
    : MemberContext;

export type HandlerOf<P> = (input: InputOf<P>, context: ContextOf<P>) => Promise<OutputOf<P>>;

/** One handler for each procedure of a room's contract; a missing or surplus one fails to compile. */
export type Routes<Procedures> = { readonly [K in keyof Procedures]: HandlerOf<Procedures[K]> };

/** A handler with its types erased, as the gateway stores it. */
export interface MountedProcedure {
  readonly procedure: Procedure;
  handle(input: unknown, context: PublicContext): Promise<unknown>;
}

/** Pairs a room's contract with its handlers. The gateway has validated the input and loaded the context by `access`. */
export function mount<Procedures extends Record<string, Procedure>>(
  procedures: Procedures,
  routes: Routes<Procedures>,
): MountedProcedure[] {
  return Object.entries(procedures).map(([name, procedure]) => ({
    procedure,
    handle: routes[name as keyof Procedures] as unknown as MountedProcedure['handle'],
  }));
}
