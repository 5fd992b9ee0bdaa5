/** What the device tells: whether anybody looks, and whether there is a network at all. In Node: always both. */
export interface Environment {
  readonly isBrowser: boolean;
  isVisible(): boolean;
  hasNetwork(): boolean;
  /** Calls back after each change of either; returns the way to stop. */
  watch(listener: () => void): () => void;
}

export function createEnvironment(): Environment {
  if (typeof document === 'undefined') {
    return { isBrowser: false, isVisible: () => true, hasNetwork: () => true, watch: () => () => undefined };
  }
  return {
    isBrowser: true,
    isVisible: () => document.visibilityState === 'visible',
    hasNetwork: () => navigator.onLine,
    watch(listener) {
      const targets = [
        [document, 'visibilitychange'],
        [globalThis, 'online'],
        [globalThis, 'offline'],
        // A page that comes back from the back-forward cache has a dead socket and knows nothing of it.
        [globalThis, 'pageshow'],
      ] as const;
      for (const [target, name] of targets) target.addEventListener(name, listener);
      return () => {
        for (const [target, name] of targets) target.removeEventListener(name, listener);
      };
    },
  };
}

/** One tab (or one client in Node) among those that share a device's storage. */
export interface Tab {
  readonly id: string;
  /** Whether there may be others of which this one can tell who lives. */
  readonly hasNeighbours: boolean;
  /** Ids of the tabs that live; undefined where the browser can't tell (no Web Locks outside a secure context). */
  living(): Promise<ReadonlySet<string> | undefined>;
  close(): void;
}

const lockPrefix = 'zvonok-tab:';

/** The browser frees a tab's lock when the tab dies, however it dies: that is how the others know. */
export function createTab(id: string): Tab {
  const locks = typeof navigator === 'undefined' ? undefined : (navigator.locks as LockManager | undefined);
  // Node has Web Locks too, but its storage is memory: nothing is shared there.
  if (typeof document === 'undefined' || locks === undefined) {
    return { id, hasNeighbours: false, living: async () => undefined, close: () => undefined };
  }
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  locks.request(lockPrefix + id, () => held).catch(() => undefined);
  return {
    id,
    hasNeighbours: true,
    async living() {
      const { held: taken = [] } = await locks.query();
      const names = taken.map((lock) => lock.name ?? '').filter((name) => name.startsWith(lockPrefix));
      return new Set(names.map((name) => name.slice(lockPrefix.length)));
    },
    close: () => release(),
  };
}
