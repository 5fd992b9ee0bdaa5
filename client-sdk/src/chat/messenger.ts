import type { Conversation, ConversationId, MembershipId, Message } from '@zvonok/shared';
import { CodedError, errorCatalogue } from '@zvonok/shared/errors.ts';
import { chatLimits, clientLimits } from '@zvonok/shared/limits.ts';
import type { Api, EventHub } from '../api.ts';
import { backoffMs, jitteredMs } from '../backoff.ts';
import type { ClientLogger } from '../logger.ts';
import { ComputedSource, type Source } from '../source.ts';
import { type ConversationItem, type ConversationView, LiveConversation } from './conversation.ts';
import type { Outbox } from './outbox.ts';

export interface MessengerSnapshot {
  readonly status: 'loading' | 'ready';
  /** The last active first. */
  readonly conversations: readonly ConversationItem[];
  /** Unread messages of all conversations. */
  readonly unread: number;
}

/** The conversations of one membership, live. */
export interface Messenger extends Source<MessengerSnapshot> {
  readonly membershipId: MembershipId;
  /** The conversation with its messages; the same object for the same id, loaded by itself and kept live. */
  readonly openConversation: (conversationId: ConversationId) => ConversationView;
  /** The direct chat with another member. Rejects with `CodedError`. */
  readonly openDirect: (membershipId: MembershipId) => Promise<ConversationView>;
  /** Reads the list anew. Rejects with `CodedError`. */
  readonly refresh: () => Promise<void>;
}

export interface MessengerPorts {
  readonly membershipId: MembershipId;
  readonly chat: Api['chat'];
  readonly events: EventHub;
  readonly outbox: Outbox;
  readonly logger: ClientLogger;
  readonly isOnline: () => boolean;
  readonly isVisible: () => boolean;
}

/** What no revision counts: the newest word is the true one. */
type ToldByEvent = Partial<Pick<Conversation, 'memberCount' | 'title'>>;

/**
 * Keeps the list of conversations equal to the server's: by events, by comparing revisions after each connection, and
 * every `chatLimits.headsMs` while somebody looks, which heals an event that was lost with nothing after it.
 */
export class LiveMessenger implements Messenger {
  readonly membershipId: MembershipId;
  readonly #ports: MessengerPorts;
  readonly #source = new ComputedSource<MessengerSnapshot>(() => this.#compute());
  readonly #conversations = new Map<ConversationId, LiveConversation>();
  readonly #stops: (() => void)[];
  #isLoaded = false;
  #isClosed = false;
  #refreshing: Promise<void> | undefined;
  /** What came and went while the list was being read; the list may be older than it. */
  #joinedMeanwhile = new Set<ConversationId>();
  #leftMeanwhile = new Set<ConversationId>();
  #toldMeanwhile = new Map<ConversationId, ToldByEvent>();
  /** Messages of conversations that the list on its way may hold. */
  #early: Message[] = [];
  #isComparing = false;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ports: MessengerPorts) {
    this.membershipId = ports.membershipId;
    this.#ports = ports;
    const { events } = ports;
    const own = (membershipId: MembershipId) => membershipId === this.membershipId;
    this.#stops = [
      events.on('chat.messageSent', ({ message }) => this.#receive(message)),
      events.on('chat.messageChanged', ({ message }) => this.#receive(message)),
      events.on('chat.readMarkRaised', ({ membershipId, conversationId, readSeq }) => {
        if (own(membershipId)) this.#conversations.get(conversationId)?.raiseRead(readSeq);
      }),
      events.on('chat.conversationJoined', ({ membershipId, conversationId }) => {
        if (own(membershipId)) this.#join(conversationId);
      }),
      events.on('chat.conversationLeft', ({ membershipId, conversationId }) => {
        if (own(membershipId)) this.#leave(conversationId);
      }),
      events.on('chat.conversationChanged', ({ conversationId, title, archived }) => {
        this.#hold(conversationId, { title });
        this.#conversations.get(conversationId)?.conversationChanged(title);
        // Whether it is written to and called in is for the server to say.
        if (archived) this.#refreshSoon();
      }),
      events.on('chat.membersChanged', ({ conversationId, memberCount }) => {
        this.#hold(conversationId, { memberCount });
        const conversation = this.#conversations.get(conversationId);
        conversation?.membersChanged(memberCount);
        // A chat of two is called by the other one's name.
        if (conversation?.item?.kind === 'direct') this.#refreshSoon();
      }),
      events.on('chat.typingStarted', ({ conversationId, membershipId }) =>
        this.#conversations.get(conversationId)?.typingStarted(membershipId),
      ),
      events.on('chat.presenceChanged', ({ conversationId, membershipId, online }) =>
        this.#conversations.get(conversationId)?.presenceChanged(membershipId, online),
      ),
      // Rights to write and to call may have changed with it.
      events.on('school.membershipChanged', ({ membershipId }) => {
        if (own(membershipId)) this.#refreshSoon();
      }),
      // So may they with the school's settings, for everybody at once: hence not in one wave.
      events.on('school.schoolChanged', () => {
        setTimeout(() => this.#refreshSoon(), Math.random() * clientLimits.spreadMs);
      }),
    ];
    this.wake();
  }

  readonly getSnapshot = (): MessengerSnapshot => this.#source.getSnapshot();
  readonly subscribe = (listener: () => void): (() => void) => this.#source.subscribe(listener);

  readonly openConversation = (conversationId: ConversationId): ConversationView => {
    const conversation = this.#conversation(conversationId);
    conversation.open();
    return conversation;
  };

  readonly openDirect = async (membershipId: MembershipId): Promise<ConversationView> => {
    const { conversation } = await this.#ports.chat.openDirect({ as: this.membershipId, membershipId });
    const live = this.#conversation(conversation.id);
    live.tell(conversation);
    live.open();
    return live;
  };

  readonly refresh = (): Promise<void> => {
    this.#refreshing ??= this.#readList().finally(() => {
      this.#refreshing = undefined;
      this.#joinedMeanwhile = new Set();
      this.#leftMeanwhile = new Set();
      this.#toldMeanwhile = new Map();
      this.#early = [];
    });
    return this.#refreshing;
  };

  /** The connection is there (again), or somebody looks again: nothing that was missed stays missed. */
  wake(): void {
    if (this.#isClosed) return;
    this.#failures = 0;
    for (const conversation of this.#conversations.values()) conversation.wake();
    this.#check();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
    for (const conversation of this.#conversations.values()) conversation.close();
    this.#conversations.clear();
    this.#source.invalidate();
  }

  /** Compares with the server (or reads the list, where it was never read), and again after a while. */
  #check(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed || this.#isComparing) return;
    this.#isComparing = true;
    // Only while events flow: what happens between a reading and the connection after it would be missed.
    const isDue = this.#ports.isOnline() && (this.#ports.isVisible() || !this.#isLoaded);
    const work = !isDue ? Promise.resolve() : this.#isLoaded ? this.#compareHeads() : this.refresh();
    work
      .then(
        () => {
          this.#failures = 0;
          return chatLimits.headsMs;
        },
        (error: unknown) => {
          const coded = error instanceof CodedError ? error : new CodedError('INTERNAL', { cause: error });
          this.#ports.logger.info('conversations could not be compared', { code: coded.code });
          this.#failures += 1;
          const { retry } = errorCatalogue[coded.code];
          const wait = backoffMs(this.#failures, clientLimits.resendMinMs, chatLimits.headsMs);
          return Math.max(retry === 'later' ? wait : chatLimits.headsMs, coded.retryAfterMs ?? 0);
        },
      )
      .then((wait) => {
        this.#isComparing = false;
        if (this.#isClosed) return;
        this.#timer = setTimeout(() => this.#check(), jitteredMs(wait));
      });
  }

  async #compareHeads(): Promise<void> {
    const knownBefore = new Map(
      [...this.#conversations]
        .filter(([, conversation]) => conversation.item !== undefined)
        .map(([id, conversation]) => [id, conversation.knownRev]),
    );
    const { heads } = await this.#ports.chat.getHeads({ as: this.membershipId });
    if (this.#isClosed) return;
    let mustReadList = false;
    const behind: { conversation: LiveConversation; rev: number }[] = [];
    for (const { conversationId, rev, readSeq } of heads) {
      const conversation = this.#conversations.get(conversationId);
      const before = knownBefore.get(conversationId);
      if (conversation?.item === undefined || before === undefined) {
        // Joined while nobody told us; one that has just been joined is being read already.
        mustReadList ||= conversation === undefined || conversation.isGone;
        continue;
      }
      conversation.raiseRead(readSeq);
      if (rev < before) conversation.restart();
      else if (rev > conversation.knownRev) behind.push({ conversation, rev });
    }
    const present = new Set(heads.map((head) => head.conversationId));
    for (const id of knownBefore.keys()) if (!present.has(id)) this.#conversations.get(id)?.leave();
    const withoutMessages = behind.filter(({ conversation }) => !conversation.holdsMessages);
    mustReadList ||= withoutMessages.length > clientLimits.singleReads;
    for (const { conversation, rev } of behind) {
      if (conversation.holdsMessages || !mustReadList) conversation.hear(rev);
    }
    if (mustReadList) await this.refresh();
  }

  async #readList(): Promise<void> {
    const before = new Set(this.#conversations.keys());
    const { conversations } = await this.#ports.chat.listConversations({ as: this.membershipId });
    if (this.#isClosed) return;
    for (const conversation of conversations) {
      if (this.#leftMeanwhile.has(conversation.id)) continue;
      this.#conversation(conversation.id).tell({
        ...conversation,
        ...this.#toldMeanwhile.get(conversation.id),
      });
    }
    const present = new Set(conversations.map(({ id }) => id));
    for (const [id, conversation] of this.#conversations) {
      if (present.has(id) || !before.has(id) || this.#joinedMeanwhile.has(id)) continue;
      if (conversation.item !== undefined) conversation.leave();
    }
    for (const message of this.#early) this.#conversations.get(message.conversationId)?.receive(message);
    this.#isLoaded = true;
    this.#source.invalidate();
  }

  #refreshSoon(): void {
    // One that is on its way may have been read before the change.
    const current = this.#refreshing ?? Promise.resolve();
    current
      .catch(() => undefined)
      .then(() => (this.#isClosed ? undefined : this.refresh()))
      .catch((error: CodedError) =>
        this.#ports.logger.info('the list could not be read', { code: error.code }),
      );
  }

  #receive(message: Message): void {
    const conversation = this.#conversations.get(message.conversationId);
    if (conversation !== undefined) conversation.receive(message);
    // Of another membership of this account, unless a list on its way says otherwise.
    else if (this.#refreshing !== undefined && this.#early.length < clientLimits.heldEvents) {
      this.#early.push(message);
    }
  }

  /** What an event tells while the list is on its way: the list may have been read before. */
  #hold(conversationId: ConversationId, told: ToldByEvent): void {
    if (this.#refreshing === undefined) return;
    this.#toldMeanwhile.set(conversationId, { ...this.#toldMeanwhile.get(conversationId), ...told });
  }

  #join(conversationId: ConversationId): void {
    this.#joinedMeanwhile.add(conversationId);
    this.#leftMeanwhile.delete(conversationId);
    this.#conversation(conversationId).join();
  }

  #leave(conversationId: ConversationId): void {
    this.#joinedMeanwhile.delete(conversationId);
    this.#leftMeanwhile.add(conversationId);
    this.#conversations.get(conversationId)?.leave();
  }

  #conversation(conversationId: ConversationId): LiveConversation {
    let conversation = this.#conversations.get(conversationId);
    if (conversation === undefined) {
      conversation = new LiveConversation(
        {
          as: this.membershipId,
          chat: this.#ports.chat,
          outbox: this.#ports.outbox,
          logger: this.#ports.logger,
          isOnline: this.#ports.isOnline,
          itemChanged: () => this.#source.invalidate(),
        },
        conversationId,
      );
      this.#conversations.set(conversationId, conversation);
    }
    return conversation;
  }

  #compute(): MessengerSnapshot {
    const conversations = [...this.#conversations.values()]
      .map((conversation) => conversation.item)
      .filter((item) => item !== undefined)
      .sort(byActivity);
    return {
      status: this.#isLoaded ? 'ready' : 'loading',
      conversations: this.#isLoaded ? conversations : [],
      unread: conversations.reduce((sum, { unread }) => sum + unread, 0),
    };
  }
}

/** The last active first, by the server's clock. */
function byActivity(a: ConversationItem, b: ConversationItem): number {
  const timeOf = (item: ConversationItem) => Date.parse(item.lastMessage?.sentAt ?? item.createdAt);
  return timeOf(b) - timeOf(a) || (a.id < b.id ? -1 : 1);
}
