import type {
  EventName,
  EventPayload,
  InputOf,
  OutputOf,
  ProcedureName,
  procedureContract,
} from '@zvonok/shared';

// Types alone: the contract's schemas stay out of a browser's bundle.
type Contract = typeof procedureContract;

export type ProcedureInput<N extends ProcedureName> = InputOf<Contract[N]>;
export type ProcedureOutput<N extends ProcedureName> = OutputOf<Contract[N]>;

type NounOf<N> = N extends `${infer Noun}.${string}` ? Noun : never;
export type Noun = NounOf<ProcedureName>;

type Caller<N extends ProcedureName> =
  Record<never, never> extends ProcedureInput<N>
    ? (input?: ProcedureInput<N>) => Promise<ProcedureOutput<N>>
    : (input: ProcedureInput<N>) => Promise<ProcedureOutput<N>>;

/** Every procedure of the contract as `noun.verb(input)`. Each rejects with `CodedError` alone. */
export type Api = {
  readonly [N in Noun]: {
    readonly [P in ProcedureName as P extends `${N}.${infer Verb}` ? Verb : never]: Caller<P>;
  };
};

export type Call = <N extends ProcedureName>(
  name: N,
  input: ProcedureInput<N>,
) => Promise<ProcedureOutput<N>>;

type PublicName = {
  [N in ProcedureName]: Contract[N]['access'] extends 'public' ? N : never;
}[ProcedureName];

type CookieName = 'accounts.refreshSession' | 'accounts.signOut' | 'accounts.reportStrangeSignIn';

/** Called over HTTP alone: what needs no session, and what sets or clears the cookie. */
const overHttp: Readonly<Record<PublicName | CookieName, true>> = {
  'accounts.requestCode': true,
  'accounts.verifyCode': true,
  'accounts.beginPasskeySignIn': true,
  'accounts.finishPasskeySignIn': true,
  'accounts.signInByCard': true,
  'accounts.refreshSession': true,
  'accounts.signOut': true,
  'accounts.reportStrangeSignIn': true,
  'school.previewInvite': true,
  'desk.submitApplication': true,
  'desk.getApplication': true,
  'desk.answerQuestion': true,
};

export function needsHttp(name: string): boolean {
  return Object.hasOwn(overHttp, name);
}

// An object and not a list, so that the compiler misses none and finds no surplus one.
const nouns: Readonly<Record<Noun, true>> = {
  accounts: true,
  school: true,
  chat: true,
  calls: true,
  desk: true,
};

/** Builds `api.chat.sendMessage(input)` and the rest on one way to call by name. */
export function createApi(call: Call): Api {
  const of = (noun: string) => {
    const callers = new Map<string, (input?: unknown) => Promise<unknown>>();
    return new Proxy(Object.freeze({}), {
      get(_target, verb) {
        // `then` is asked of everything that is awaited or resolved with.
        if (typeof verb !== 'string' || verb === 'then') return undefined;
        let caller = callers.get(verb);
        if (caller === undefined) {
          const name = `${noun}.${verb}` as ProcedureName;
          caller = (input = {}) => call(name, input as ProcedureInput<typeof name>);
          callers.set(verb, caller);
        }
        return caller;
      },
    });
  };
  return Object.fromEntries(Object.keys(nouns).map((noun) => [noun, of(noun)])) as unknown as Api;
}

/** Delivers events to those who asked for them by name. */
export class EventHub {
  readonly #handlers = new Map<string, Set<(payload: unknown) => void>>();

  /** Returns the way to stop. */
  on<N extends EventName>(name: N, handler: (payload: EventPayload<N>) => void): () => void {
    const own = (payload: unknown) => handler(payload as EventPayload<N>);
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(own));
    return () => {
      handlers.delete(own);
    };
  }

  deliver(name: string, payload: unknown): void {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) {
      try {
        handler(payload);
      } catch (error) {
        // A handler that throws is its owner's bug: reported, and the others still hear.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
