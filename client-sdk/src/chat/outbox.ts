import type { AccountId, ClientMessageId, ConversationId, ErrorCode, MembershipId } from '@zvonok/shared';
import { CodedError, errorCatalogue } from '@zvonok/shared/errors.ts';
import { clientLimits } from '@zvonok/shared/limits.ts';
import { v7 as uuid } from 'uuid';
import { backoffMs } from '../backoff.ts';
import type { Tab } from '../environment.ts';
import type { ClientLogger } from '../logger.ts';
import { ComputedSource } from '../source.ts';
import type { OutboxStorage, StoredMessage } from './outbox-storage.ts';

/** Where the server put a message. */
export interface SentAt {
  readonly seq: number;
  readonly rev: number;
  readonly sentAt: string;
}

/** One of this device's own messages that is not yet seen among the confirmed ones. */
export interface PendingMessage {
  readonly clientMessageId: ClientMessageId;
  readonly text: string;
  /** By this device's clock. */
  readonly createdAt: string;
  /** `sent`: acknowledged, so it is on the server's disk; its event or the next catch-up confirms it. */
  readonly state: 'sending' | 'sent' | 'failed';
  readonly failure: ErrorCode | null;
  readonly sent: SentAt | null;
}

export interface OutboxSnapshot {
  /** Messages of this account on this device that the server has not acknowledged. */
  readonly waiting: number;
  /** Messages that were refused for good. */
  readonly failed: number;
}

export interface OutboxPorts {
  readonly storage: OutboxStorage;
  readonly tab: Tab;
  readonly logger: ClientLogger;
  readonly send: (message: StoredMessage) => Promise<SentAt>;
  /** Whether there is any point in trying now; `wake` is called when that changes. */
  readonly canSend: () => boolean;
}

interface Entry {
  readonly message: StoredMessage;
  /** Position in the storage; undefined where the storage did not take it (then it lives as long as the tab). */
  readonly stored: Promise<number | undefined>;
  pending: PendingMessage;
}

/** The messages of one membership in one conversation: sent one after the other. */
interface Lane {
  entries: Entry[];
  /** What `pendingOf` answers; the same list until something changes. */
  view: readonly PendingMessage[] | undefined;
  readonly listeners: Set<() => void>;
  running: boolean;
  failures: number;
  /** Ends a wait between attempts. */
  wake: (() => void) | undefined;
}

const empty: readonly PendingMessage[] = [];

/**
 * The messages that this account has composed here and the server has not confirmed. Each is stored before it is sent,
 * sent in the order of composing within its conversation, and sent again under the same `clientMessageId` until the
 * server acknowledges it or refuses it for good; the server takes it once, so sending twice harms nobody. Messages of
 * a tab that died are taken over by another.
 */
export class Outbox {
  readonly summary: ComputedSource<OutboxSnapshot>;
  readonly #ports: OutboxPorts;
  readonly #lanes = new Map<string, Lane>();
  #accountId: AccountId | undefined;
  #lookTimer: ReturnType<typeof setInterval> | undefined;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.summary = new ComputedSource(() => this.#summarize());
  }

  /** Shows and sends the messages of this account from now on; undefined: of nobody. What is stored stays stored. */
  async setAccount(accountId: AccountId | undefined): Promise<void> {
    if (accountId === this.#accountId) return;
    this.#accountId = accountId;
    clearInterval(this.#lookTimer);
    // A tab may die while this one lives on.
    if (accountId !== undefined && this.#ports.tab.hasNeighbours) {
      this.#lookTimer = setInterval(() => void this.adopt(), clientLimits.adoptMs);
    }
    for (const [key, lane] of this.#lanes) {
      lane.entries = [];
      lane.wake?.();
      this.#changed(lane);
      if (lane.listeners.size === 0) this.#lanes.delete(key);
    }
    await this.adopt();
  }

  /** Takes over what dead tabs have left. */
  async adopt(): Promise<void> {
    const accountId = this.#accountId;
    if (accountId === undefined) return;
    const { tab, storage, logger } = this.#ports;
    try {
      const living = await tab.living();
      // Where nobody can say who lives, everybody's are taken: sending twice harms nobody.
      const isGone = (owner: string) => owner !== tab.id && living?.has(owner) !== true;
      const taken = await storage.take(accountId, tab.id, isGone);
      if (accountId !== this.#accountId) return;
      for (const { position, ...message } of taken) {
        // What an older app could not send this one may.
        const failure = message.failure === 'CLIENT_OUTDATED' ? null : message.failure;
        const lane = this.#lane(message.as, message.conversationId);
        if (lane.entries.some((entry) => entry.message.clientMessageId === message.clientMessageId)) continue;
        const { clientMessageId, text, createdAt } = message;
        lane.entries.push({
          message,
          stored: Promise.resolve(position),
          pending: {
            clientMessageId,
            text,
            createdAt,
            state: failure === null ? 'sending' : 'failed',
            failure,
            sent: null,
          },
        });
        this.#changed(lane);
        this.#run(lane);
      }
    } catch (error) {
      logger.warn('stored messages could not be read', { error: String(error) });
    }
  }

  /** Composes a message: kept first, then sent. Throws UNAUTHENTICATED while nobody is signed in. */
  enqueue(as: MembershipId, conversationId: ConversationId, text: string): ClientMessageId {
    const accountId = this.#accountId;
    if (accountId === undefined) throw new CodedError('UNAUTHENTICATED');
    const clientMessageId = uuid() as ClientMessageId;
    const createdAt = new Date().toISOString();
    const message: StoredMessage = {
      clientMessageId,
      accountId,
      as,
      conversationId,
      text,
      createdAt,
      failure: null,
      owner: this.#ports.tab.id,
    };
    const stored = this.#ports.storage.put(message).catch((error: unknown) => {
      // A full or forbidden storage must not keep people from writing: it lives as long as the tab.
      this.#ports.logger.warn('a message could not be kept on this device', { error: String(error) });
      return undefined;
    });
    const lane = this.#lane(as, conversationId);
    lane.entries.push({
      message,
      stored,
      pending: { clientMessageId, text, createdAt, state: 'sending', failure: null, sent: null },
    });
    this.#changed(lane);
    this.#run(lane);
    return clientMessageId;
  }

  /** Sends a failed message again, under the same id. */
  retry(as: MembershipId, conversationId: ConversationId, clientMessageId: ClientMessageId): void {
    const { lane, entry } = this.#find(as, conversationId, clientMessageId);
    if (lane === undefined || entry?.pending.state !== 'failed') return;
    entry.pending = { ...entry.pending, state: 'sending', failure: null };
    this.#store(entry, (position) => this.#ports.storage.setFailure(position, null));
    this.#changed(lane);
    this.#run(lane);
  }

  /** Forgets a message. One that is on its way may arrive all the same. */
  discard(as: MembershipId, conversationId: ConversationId, clientMessageId: ClientMessageId): void {
    this.#drop(as, conversationId, clientMessageId);
  }

  /** The message was seen among the confirmed ones: there is nothing left to do for it. */
  confirm(as: MembershipId, conversationId: ConversationId, clientMessageId: ClientMessageId): void {
    this.#drop(as, conversationId, clientMessageId);
  }

  /** Everything up to `seq` is held: acknowledged messages up to there are among it. */
  settle(as: MembershipId, conversationId: ConversationId, seq: number): void {
    const lane = this.#lanes.get(laneKey(as, conversationId));
    if (lane === undefined) return;
    const left = lane.entries.filter(({ pending }) => pending.sent === null || pending.sent.seq > seq);
    if (left.length === lane.entries.length) return;
    lane.entries = left;
    this.#changed(lane);
  }

  /** In the order of composing; the same list until something changes. */
  pendingOf(as: MembershipId, conversationId: ConversationId): readonly PendingMessage[] {
    const lane = this.#lanes.get(laneKey(as, conversationId));
    if (lane === undefined || lane.entries.length === 0) return empty;
    lane.view ??= lane.entries.map((entry) => entry.pending);
    return lane.view;
  }

  /** Calls back after each change of one conversation's pending messages; returns the way to stop. */
  watch(as: MembershipId, conversationId: ConversationId, listener: () => void): () => void {
    const { listeners } = this.#lane(as, conversationId);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Sending may succeed now: tries at once what waits. */
  wake(): void {
    for (const lane of this.#lanes.values()) {
      lane.failures = 0;
      lane.wake?.();
      this.#run(lane);
    }
    void this.adopt();
  }

  /** Forgets everything on this device, of every account. */
  async clear(): Promise<void> {
    await this.setAccount(undefined);
    await this.#ports.storage.clear();
  }

  close(): void {
    this.#accountId = undefined;
    clearInterval(this.#lookTimer);
    for (const lane of this.#lanes.values()) {
      lane.entries = [];
      lane.wake?.();
    }
    this.#ports.storage.close();
    this.#ports.tab.close();
  }

  #run(lane: Lane): void {
    if (lane.running) return;
    lane.running = true;
    void this.#flush(lane).finally(() => {
      lane.running = false;
      // Something may have come between the last look and here.
      if (this.#ports.canSend() && nextOf(lane) !== undefined) this.#run(lane);
    });
  }

  async #flush(lane: Lane): Promise<void> {
    for (;;) {
      const entry = nextOf(lane);
      if (entry === undefined || !this.#ports.canSend()) return;
      await entry.stored;
      if (entry !== nextOf(lane) || !this.#ports.canSend()) continue;
      try {
        const sent = await this.#ports.send(entry.message);
        lane.failures = 0;
        this.#store(entry, (position) => this.#ports.storage.remove(position));
        if (!lane.entries.includes(entry)) continue;
        entry.pending = { ...entry.pending, state: 'sent', sent };
        this.#changed(lane);
      } catch (error) {
        // Confirmed by its event meanwhile, discarded, or of an account that has left: no longer ours.
        if (!lane.entries.includes(entry)) continue;
        const coded = error instanceof CodedError ? error : new CodedError('INTERNAL', { cause: error });
        const { retry } = errorCatalogue[coded.code];
        if (retry === 'never' || retry === 'afterUpdate') {
          this.#ports.logger.info('a message was refused', { code: coded.code });
          entry.pending = { ...entry.pending, state: 'failed', failure: coded.code };
          this.#store(entry, (position) => this.#ports.storage.setFailure(position, coded.code));
          this.#changed(lane);
          continue;
        }
        const wait = backoffMs(lane.failures, clientLimits.resendMinMs, clientLimits.resendMaxMs);
        lane.failures += 1;
        await this.#pause(lane, Math.max(wait, coded.retryAfterMs ?? 0));
      }
    }
  }

  #pause(lane: Lane, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => lane.wake?.(), ms);
      lane.wake = () => {
        clearTimeout(timer);
        lane.wake = undefined;
        resolve();
      };
    });
  }

  #drop(as: MembershipId, conversationId: ConversationId, clientMessageId: ClientMessageId): void {
    const { lane, entry } = this.#find(as, conversationId, clientMessageId);
    if (lane === undefined || entry === undefined) return;
    lane.entries = lane.entries.filter((other) => other !== entry);
    if (entry.pending.state !== 'sent')
      this.#store(entry, (position) => this.#ports.storage.remove(position));
    this.#changed(lane);
    lane.wake?.();
  }

  #find(as: MembershipId, conversationId: ConversationId, clientMessageId: ClientMessageId) {
    const lane = this.#lanes.get(laneKey(as, conversationId));
    const entry = lane?.entries.find(({ message }) => message.clientMessageId === clientMessageId);
    return { lane, entry };
  }

  #store(entry: Entry, action: (position: number) => Promise<void>): void {
    entry.stored
      .then((position) => (position === undefined ? undefined : action(position)))
      .catch((error: unknown) => {
        // Left behind it is sent again some day and the server answers its first result.
        this.#ports.logger.warn('the device’s storage failed', { error: String(error) });
      });
  }

  #lane(as: MembershipId, conversationId: ConversationId): Lane {
    const key = laneKey(as, conversationId);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = {
        entries: [],
        view: undefined,
        listeners: new Set(),
        running: false,
        failures: 0,
        wake: undefined,
      };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #changed(lane: Lane): void {
    lane.view = undefined;
    for (const listener of [...lane.listeners]) listener();
    this.summary.invalidate();
  }

  #summarize(): OutboxSnapshot {
    const states = [...this.#lanes.values()].flatMap((lane) =>
      lane.entries.map((entry) => entry.pending.state),
    );
    return {
      waiting: states.filter((state) => state === 'sending').length,
      failed: states.filter((state) => state === 'failed').length,
    };
  }
}

function laneKey(as: MembershipId, conversationId: ConversationId): string {
  return `${as} ${conversationId}`;
}

function nextOf(lane: Lane): Entry | undefined {
  return lane.entries.find((entry) => entry.pending.state === 'sending');
}
