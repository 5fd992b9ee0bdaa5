/**
 * A value that lives: React reads it by `useSyncExternalStore(source.subscribe, source.getSnapshot)`. Both functions
 * are bound. A snapshot is never changed in place and is the same object until something in it changed.
 */
export interface Source<T> {
  readonly getSnapshot: () => T;
  /** Calls the listener after each change; returns the way to stop. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** The listeners of one source. One that throws is reported and does not keep the others from hearing. */
export class Listeners {
  readonly #listeners = new Set<() => void>();

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: () => void): () => void {
    // A wrapper of its own: the same function subscribed twice is two subscriptions.
    const own = () => listener();
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  notify(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** A source whose value is set. */
export class ValueSource<T> implements Source<T> {
  #value: T;
  readonly #listeners = new Listeners();

  constructor(value: T) {
    this.#value = value;
  }

  readonly getSnapshot = (): T => this.#value;
  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.#listeners.notify();
  }
}

/** A source whose value is computed when somebody looks, at most once for each change. */
export class ComputedSource<T> implements Source<T> {
  readonly #compute: () => T;
  readonly #onIdle: (() => void) | undefined;
  readonly #listeners = new Listeners();
  #cached: { readonly value: T } | undefined;

  /** `onIdle` is called when the last listener has left. */
  constructor(compute: () => T, onIdle?: () => void) {
    this.#compute = compute;
    this.#onIdle = onIdle;
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  readonly getSnapshot = (): T => {
    this.#cached ??= { value: this.#compute() };
    return this.#cached.value;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    const stop = this.#listeners.add(listener);
    return () => {
      stop();
      if (this.#listeners.size === 0) this.#onIdle?.();
    };
  };

  invalidate(): void {
    this.#cached = undefined;
    this.#listeners.notify();
  }
}

/**
 * Resolves with the first snapshot that the predicate accepts, rejects with an Error after `timeoutMs`. For tests and
 * bots; an interface subscribes.
 */
export function waitFor<T, S extends T = T>(
  source: Source<T>,
  predicate: ((snapshot: T) => boolean) | ((snapshot: T) => snapshot is S),
  timeoutMs = 5_000,
): Promise<S> {
  // Made here, so that its stack names whoever waits.
  const late = new Error(`not reached within ${timeoutMs} ms`);
  return new Promise((resolve, reject) => {
    let stop: (() => void) | undefined;
    const timer = setTimeout(() => {
      stop?.();
      reject(late);
    }, timeoutMs);
    const look = (): boolean => {
      const snapshot = source.getSnapshot();
      if (!predicate(snapshot)) return false;
      clearTimeout(timer);
      stop?.();
      resolve(snapshot as S);
      return true;
    };
    if (!look()) stop = source.subscribe(look);
  });
}
