/** Where the SDK keeps small things on this device (the token of a bearer session). Values are opaque. */
export interface KeyValueStorage {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
}

export function createMemoryStorage(): KeyValueStorage {
  const values = new Map<string, string>();
  return {
    async get(key) {
      return values.get(key);
    },
    async set(key, value) {
      values.set(key, value);
    },
    async remove(key) {
      values.delete(key);
    },
  };
}

/** The browser's localStorage under a prefix; a browser that forbids it gets memory instead. */
export function createBrowserStorage(): KeyValueStorage {
  const prefix = 'zvonok:';
  try {
    const store = globalThis.localStorage;
    store.setItem(`${prefix}probe`, '1');
    store.removeItem(`${prefix}probe`);
    return {
      async get(key) {
        return store.getItem(prefix + key) ?? undefined;
      },
      async set(key, value) {
        store.setItem(prefix + key, value);
      },
      async remove(key) {
        store.removeItem(prefix + key);
      },
    };
  } catch {
    return createMemoryStorage();
  }
}
