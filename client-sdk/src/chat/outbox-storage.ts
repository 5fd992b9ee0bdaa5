import type { AccountId, ClientMessageId, ConversationId, ErrorCode, MembershipId } from '@zvonok/shared';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';

/** A message as it waits on this device. */
export interface StoredMessage {
  readonly clientMessageId: ClientMessageId;
  /** Whose it is: nobody else who signs in on this device sees or sends it. */
  readonly accountId: AccountId;
  readonly as: MembershipId;
  readonly conversationId: ConversationId;
  readonly text: string;
  /** By this device's clock; shown until the server's time is known, never compared. */
  readonly createdAt: string;
  /** Why it was refused for good; null while it is being sent. */
  readonly failure: ErrorCode | null;
  /** The tab that sends it. */
  readonly owner: string;
}

/** Where messages wait until the server has acknowledged them. `position` is the order in which they were put. */
export interface OutboxStorage {
  /** Resolves once it is kept; positions rise in the order of calls. */
  put(message: StoredMessage): Promise<number>;
  /**
   * The account's messages whose owner `isGone`, in order; from now on they are `owner`'s. Atomic: of two tabs that
   * take at once, each message goes to one.
   */
  take(
    accountId: AccountId,
    owner: string,
    isGone: (owner: string) => boolean,
  ): Promise<readonly (StoredMessage & { readonly position: number })[]>;
  /** Notes why a message failed, or (null) that it is being sent again. Unknown positions are ignored. */
  setFailure(position: number, failure: ErrorCode | null): Promise<void>;
  remove(position: number): Promise<void>;
  /** Forgets everything, of every account. */
  clear(): Promise<void>;
  close(): void;
}

/** Keeps messages for the life of the process (or of whoever holds the object). */
export function createMemoryOutboxStorage(): OutboxStorage {
  const messages = new Map<number, StoredMessage>();
  let lastPosition = 0;
  return {
    async put(message) {
      lastPosition += 1;
      messages.set(lastPosition, message);
      return lastPosition;
    },
    async take(accountId, owner, isGone) {
      const taken: (StoredMessage & { position: number })[] = [];
      for (const [position, message] of messages) {
        if (message.accountId !== accountId || !isGone(message.owner)) continue;
        messages.set(position, { ...message, owner });
        taken.push({ ...message, owner, position });
      }
      return taken;
    },
    async setFailure(position, failure) {
      const message = messages.get(position);
      if (message !== undefined) messages.set(position, { ...message, failure });
    },
    async remove(position) {
      messages.delete(position);
    },
    async clear() {
      messages.clear();
    },
    close: () => undefined,
  };
}

/** Keeps messages wherever is chosen at the moment, and clears there. */
export function choosingOutboxStorage(kept: OutboxStorage, choose: () => OutboxStorage): OutboxStorage {
  return {
    put: (message) => choose().put(message),
    take: (accountId, owner, isGone) => choose().take(accountId, owner, isGone),
    setFailure: (position, failure) => choose().setFailure(position, failure),
    remove: (position) => choose().remove(position),
    clear: () => choose().clear(),
    close: () => kept.close(),
  };
}

interface OutboxSchema extends DBSchema {
  messages: { key: number; value: StoredMessage; indexes: { byAccount: string } };
}

/**
 * Keeps messages in IndexedDB, shared by all tabs of the origin; they survive a killed tab. The database is opened at
 * first use and again after the browser has closed it.
 */
export function createIndexedDbOutboxStorage(name = 'zvonok-outbox'): OutboxStorage {
  let opening: Promise<IDBPDatabase<OutboxSchema>> | undefined;
  const forget = () => {
    opening = undefined;
  };
  function open(): Promise<IDBPDatabase<OutboxSchema>> {
    opening ??= openDB<OutboxSchema>(name, 1, {
      upgrade(database) {
        database.createObjectStore('messages', { autoIncrement: true }).createIndex('byAccount', 'accountId');
      },
      blocking(_current, _blocked, event) {
        // A newer version of the app in another tab wants to upgrade: let it.
        (event.target as IDBDatabase).close();
        forget();
      },
      terminated: forget,
    }).catch((error: unknown) => {
      forget();
      throw error;
    });
    return opening;
  }
  return {
    async put(message) {
      const database = await open();
      // Strict: on disk and not only handed to the system, or a crash could take what was typed.
      const transaction = database.transaction('messages', 'readwrite', { durability: 'strict' });
      const position = await transaction.store.add(message);
      await transaction.done;
      return position;
    },
    async take(accountId, owner, isGone) {
      const transaction = (await open()).transaction('messages', 'readwrite');
      const taken: (StoredMessage & { position: number })[] = [];
      let cursor = await transaction.store.index('byAccount').openCursor(accountId);
      while (cursor !== null) {
        if (isGone(cursor.value.owner)) {
          const message = { ...cursor.value, owner };
          await cursor.update(message);
          taken.push({ ...message, position: cursor.primaryKey });
        }
        cursor = await cursor.continue();
      }
      await transaction.done;
      return taken.sort((a, b) => a.position - b.position);
    },
    async setFailure(position, failure) {
      const transaction = (await open()).transaction('messages', 'readwrite');
      const message = await transaction.store.get(position);
      if (message !== undefined) await transaction.store.put({ ...message, failure }, position);
      await transaction.done;
    },
    async remove(position) {
      await (await open()).delete('messages', position);
    },
    async clear() {
      await (await open()).clear('messages');
    },
    close() {
      opening?.then(
        (database) => database.close(),
        () => undefined,
      );
      forget();
    },
  };
}
