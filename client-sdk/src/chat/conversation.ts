import type { ClientMessageId, Conversation, ConversationId, MembershipId, Message } from '@zvonok/shared';
import type { CodedError } from '@zvonok/shared/errors.ts';
import { clientLimits } from '@zvonok/shared/limits.ts';
import type { Api } from '../api.ts';
import type { ClientLogger } from '../logger.ts';
import { ComputedSource } from '../source.ts';
import { ConversationReader } from './conversation-reader.ts';
import type { ConversationItem, ConversationSnapshot, ConversationView } from './conversation-view.ts';
import { MemberList } from './member-list.ts';
import { MessageWindow } from './message-window.ts';
import type { Outbox } from './outbox.ts';
import { ReadMark } from './read-mark.ts';
import { RevisionLine } from './revision-line.ts';
import { type ShownMessage, shownMessage, shownPending } from './shown-message.ts';
import { SyncLoop } from './sync-loop.ts';
import { Typing } from './typing.ts';

export type { ConversationItem, ConversationSnapshot, ConversationView } from './conversation-view.ts';
export type { ShownMessage } from './shown-message.ts';

export interface ConversationPorts {
  readonly as: MembershipId;
  readonly chat: Api['chat'];
  readonly outbox: Outbox;
  readonly logger: ClientLogger;
  readonly isOnline: () => boolean;
  /** Something that the list shows has changed. */
  readonly itemChanged: () => void;
}

type Timer = ReturnType<typeof setTimeout>;

/**
 * Keeps one conversation equal to the server's. Two rules make it exact: changes are applied in the order of `rev`
 * (`RevisionLine`), and what arrives while a page is being read is applied to that page again (`#recorded`), because
 * the page may have been read before it.
 */
export class LiveConversation implements ConversationView {
  readonly conversationId: ConversationId;
  readonly #ports: ConversationPorts;
  readonly #source: ComputedSource<ConversationSnapshot>;
  readonly #line = new RevisionLine<Message>(0);
  readonly #stopOutbox: () => void;
  /** As the server told it last, with what events have changed since; undefined until it was read once. */
  #conversation: Conversation | undefined;
  #item: ConversationItem | undefined;
  #itemIsTold = true;
  /** The shown messages; undefined once they have changed. */
  #shown: readonly ShownMessage[] | undefined;
  #isDirty = false;
  #batches = 0;
  #window: MessageWindow | undefined;
  /** Whether somebody has opened it: only then it holds messages. */
  #isOpened = false;
  #mustReload = false;
  #isGone = false;
  #isClosed = false;
  #generation = 0;
  /** Changes that came before the conversation itself was read. */
  #early: Message[] = [];
  /** Changes applied while pages are being read; undefined while none is. */
  #recorded: Message[] | undefined;
  #reading = 0;
  #isLoadingOlder = false;

  #trimTimer: Timer | undefined;

  readonly #reader: ConversationReader;
  readonly #sync: SyncLoop;
  readonly #readMark: ReadMark;
  readonly #typing = new Typing(() => this.#invalidate());
  readonly #members: MemberList;

  constructor(ports: ConversationPorts, conversationId: ConversationId) {
    this.#ports = ports;
    this.conversationId = conversationId;
    this.#source = new ComputedSource(
      () => this.#compute(),
      () => this.#onUnwatched(),
    );
    const { as, chat, logger, isOnline } = ports;
    this.#reader = new ConversationReader(chat, as, conversationId);
    this.#sync = new SyncLoop({
      nextStep: () => this.#nextStep(),
      gone: () => this.leave(),
      changed: () => this.#invalidate(),
      logger,
    });
    this.#readMark = new ReadMark({
      readSeq: () => this.#conversation?.readSeq ?? 0,
      isOnline,
      tell: (seq) => chat.markRead({ as, conversationId, seq }),
      logger,
    });
    this.#members = new MemberList({
      read: () => this.#reader.members(),
      isGone: () => this.#isGone,
      changed: () => this.#invalidate(),
      logger,
    });
    this.#stopOutbox = ports.outbox.watch(ports.as, conversationId, () => this.#onOutbox());
  }

  readonly getSnapshot = (): ConversationSnapshot => this.#source.getSnapshot();
  readonly subscribe = (listener: () => void): (() => void) => this.#source.subscribe(listener);

  // --- what the messenger asks and tells ---

  /** As a list shows it; undefined until it was read, and where it is gone. */
  get item(): ConversationItem | undefined {
    if (this.#isGone || this.#conversation === undefined) return undefined;
    const { lastSeq, readSeq, joinedSeq } = this.#conversation;
    this.#item ??= { ...this.#conversation, unread: Math.max(0, lastSeq - Math.max(readSeq, joinedSeq)) };
    return this.#item;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get knownRev(): number {
    return this.#line.known;
  }

  /** Whether it holds messages that must be healed one by one; otherwise reading the conversation anew is enough. */
  get holdsMessages(): boolean {
    return this.#window !== undefined;
  }

  /** Holds and shows messages from now on. */
  open(): void {
    if (this.#isOpened && !this.#isGone) return;
    this.#isOpened = true;
    this.#sync.run();
  }

  /** The conversation as the server has just told it. */
  tell(conversation: Conversation): void {
    const before = this.#conversation;
    this.#isGone = false;
    this.#readMark.known(conversation.readSeq);
    if (before === undefined) {
      this.#conversation = conversation;
      this.#line.restart(conversation.rev);
      this.#changedItem();
      for (const message of this.#early.splice(0)) this.receive(message);
    } else if (this.#window !== undefined || conversation.rev < this.#line.known) {
      // Older than what events have told since, or held together with messages: only what has no revision is taken.
      const { lastSeq, rev, lastMessage } = before;
      const readSeq = Math.max(before.readSeq, conversation.readSeq);
      this.#conversation = { ...conversation, lastSeq, rev, lastMessage, readSeq };
      this.#changedItem();
      this.hear(conversation.rev);
    } else {
      const readSeq = Math.max(before.readSeq, conversation.readSeq);
      this.#conversation = { ...conversation, readSeq };
      this.#changedItem();
      for (const message of this.#line.advance(conversation.rev)) this.#apply(message);
    }
    this.#settleOutbox();
    this.#sync.run();
  }

  /** A message was sent or changed. */
  receive(message: Message): void {
    if (this.#isGone) return;
    if (this.#conversation === undefined) {
      this.#early.push(message);
      if (this.#early.length > clientLimits.heldEvents) this.#early.shift();
      return;
    }
    for (const change of this.#line.offer(message)) this.#apply(change);
    this.#syncSoonIfBehind();
  }

  /** The conversation has come to `rev`; what is missing is asked for after a moment, if it has not come by itself. */
  hear(rev: number): void {
    if (this.#conversation === undefined) return;
    this.#line.hear(rev);
    this.#syncSoonIfBehind();
  }

  raiseRead(readSeq: number): void {
    const conversation = this.#conversation;
    this.#readMark.known(readSeq);
    if (conversation === undefined || readSeq <= conversation.readSeq) return;
    this.#conversation = { ...conversation, readSeq };
    this.#changedItem();
  }

  /** The server's history is shorter than ours (it was restored): begins anew. */
  restart(): void {
    this.#mustReload = true;
    if (this.#window === undefined) this.#line.restart(0);
    this.#sync.run();
  }

  /** This membership belongs here (again): reads what is not known. */
  join(): void {
    this.#isGone = false;
    this.#sync.run();
  }

  leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#window = undefined;
    this.#conversation = undefined;
    this.#members.forget();
    this.#early = [];
    this.#shown = undefined;
    this.#changedItem();
  }

  /** The connection is there (again): everything that waits is tried. */
  wake(): void {
    this.#sync.wake();
    this.#readMark.tell();
    this.#members.wake();
  }

  membersChanged(memberCount: number): void {
    if (this.#conversation !== undefined && this.#conversation.memberCount !== memberCount) {
      this.#conversation = { ...this.#conversation, memberCount };
      this.#changedItem();
    }
    this.#members.refreshSoon();
  }

  conversationChanged(title: string | null): void {
    if (this.#conversation === undefined || this.#conversation.title === title) return;
    this.#conversation = { ...this.#conversation, title };
    this.#changedItem();
  }

  presenceChanged(membershipId: MembershipId, online: boolean): void {
    if (!online) this.#typing.forget(membershipId);
    this.#members.setOnline(membershipId, online);
  }

  typingStarted(membershipId: MembershipId): void {
    if (membershipId === this.#ports.as || this.#isGone) return;
    this.#typing.started(membershipId);
  }

  close(): void {
    this.#isClosed = true;
    this.#stopOutbox();
    clearTimeout(this.#trimTimer);
    this.#sync.close();
    this.#readMark.close();
    this.#members.close();
    this.#typing.close();
    this.leave();
  }

  // --- what an interface does ---

  readonly send = (text: string): ClientMessageId => {
    this.#typing.sent();
    return this.#ports.outbox.enqueue(this.#ports.as, this.conversationId, text);
  };

  readonly retry = (clientMessageId: ClientMessageId): void => {
    this.#ports.outbox.retry(this.#ports.as, this.conversationId, clientMessageId);
  };

  readonly discard = (clientMessageId: ClientMessageId): void => {
    this.#ports.outbox.discard(this.#ports.as, this.conversationId, clientMessageId);
  };

  readonly loadOlder = async (): Promise<void> => {
    const window = this.#window;
    if (window === undefined || !window.hasOlder || this.#isLoadingOlder) return;
    this.#isLoadingOlder = true;
    this.#invalidate();
    try {
      await this.#recording(async (recorded) => {
        const messages = await this.#reader.before(window.firstSeq);
        // The window was replaced meanwhile: this page would not touch it.
        if (this.#window !== window) return;
        window.prepend(messages);
        for (const message of recorded) window.apply(message);
        this.#confirm(messages);
        this.#messagesChanged();
      });
    } finally {
      this.#isLoadingOlder = false;
      this.#invalidate();
    }
  };

  readonly markRead = (seq?: number): void => {
    const conversation = this.#conversation;
    if (conversation === undefined) return;
    const upTo = Math.min(seq ?? conversation.lastSeq, conversation.lastSeq);
    if (upTo <= Math.max(conversation.readSeq, conversation.joinedSeq)) return;
    this.#conversation = { ...conversation, readSeq: upTo };
    this.#changedItem();
    this.#readMark.tell();
  };

  readonly notifyTyping = (): void => {
    if (!this.#ports.isOnline() || this.#conversation?.canPost !== true || !this.#typing.mustTell()) return;
    this.#ports.chat
      .setTyping({ as: this.#ports.as, conversationId: this.conversationId })
      .catch((error: CodedError) => this.#ports.logger.debug('typing was not told', { code: error.code }));
  };

  readonly loadMembers = (): Promise<void> => this.#members.load();

  // --- keeping equal with the server ---

  #nextStep(): (() => Promise<void>) | undefined {
    // Read only while events flow: what happens between a reading and the connection after it would be missed.
    if (this.#isGone || this.#isClosed || !this.#ports.isOnline()) return undefined;
    if (this.#conversation === undefined) return () => this.#readConversation();
    if (this.#isOpened && this.#window === undefined) return () => this.#readNewest();
    if (!this.#line.isBehind && !this.#mustReload) return undefined;
    if (this.#window === undefined) return () => this.#readConversation();
    if (this.#mustReload) return () => this.#reload();
    return this.#line.missing > clientLimits.healedChanges ? () => this.#reload() : () => this.#heal();
  }

  async #readConversation(): Promise<void> {
    const heard = this.#line.known + this.#line.missing;
    const conversation = await this.#reader.conversation();
    if (this.#isGone) return;
    this.#mustReload = false;
    this.tell(conversation);
    this.#settleLine(heard);
  }

  async #readNewest(): Promise<void> {
    await this.#recording(async (recorded) => {
      const page = await this.#reader.newest();
      if (!this.#isGone) this.#batch(() => this.#replaceWindow(page, recorded));
    });
  }

  /** Replaces the window by the newest page: what was missed in between is not worth replaying. */
  async #reload(): Promise<void> {
    await this.#recording(async (recorded) => {
      const heard = this.#line.known + this.#line.missing;
      // In this order: the page is at least as new as the revision, so nothing up to it is missing from the page.
      const conversation = await this.#reader.conversation();
      const page = await this.#reader.newest();
      if (this.#isGone) return;
      const before = this.#conversation;
      // Restored from a backup, what we knew is worth nothing.
      if (this.#mustReload && conversation.rev < this.#line.known) this.#line.restart(conversation.rev);
      const isOlder = conversation.rev < this.#line.known;
      this.#mustReload = false;
      this.#generation += 1;
      this.#conversation = {
        ...conversation,
        ...(isOlder && before !== undefined
          ? { lastSeq: before.lastSeq, lastMessage: before.lastMessage }
          : {}),
        readSeq: Math.max(before?.readSeq ?? 0, conversation.readSeq),
      };
      this.#batch(() => {
        const released = this.#line.advance(conversation.rev);
        this.#changedItem();
        this.#replaceWindow(page, recorded);
        for (const message of released) this.#apply(message);
      });
      this.#settleLine(heard);
    });
  }

  async #heal(): Promise<void> {
    const heard = this.#line.known + this.#line.missing;
    const changes = await this.#reader.changesSince(this.#line.known);
    if (changes === undefined) return this.#reload();
    if (this.#isGone || this.#window === undefined) return;
    // By rev a message that was changed later comes after its successors; by seq the window has no hole.
    this.#batch(() => {
      for (const message of changes.messages.sort((a, b) => a.seq - b.seq)) this.#apply(message);
      for (const message of this.#line.advance(changes.rev)) this.#apply(message);
    });
    this.#settleLine(heard);
  }

  /** The server has just said everything: what was heard of before that and is not there does not exist. */
  #settleLine(heardBefore: number): void {
    if (this.#line.isBehind && this.#line.known + this.#line.missing <= heardBefore) this.#line.settle();
  }

  #replaceWindow(page: readonly Message[], recorded: readonly Message[]): void {
    const window = new MessageWindow(page);
    this.#window = window;
    this.#confirm(page);
    for (const message of [...recorded].sort((a, b) => a.seq - b.seq)) {
      if (window.apply(message) === 'hole') this.#mustReload = true;
    }
    const last = window.messages.at(-1);
    if (last !== undefined) this.#noteLast(last);
    this.#settleOutbox();
    this.#messagesChanged();
  }

  /** Collects the changes that are applied while `read` waits for a page. */
  async #recording(read: (recorded: readonly Message[]) => Promise<void>): Promise<void> {
    this.#reading += 1;
    this.#recorded ??= [];
    try {
      await read(this.#recorded);
    } finally {
      this.#reading -= 1;
      if (this.#reading === 0) this.#recorded = undefined;
    }
  }

  #apply(message: Message): void {
    this.#recorded?.push(message);
    if (this.#window?.apply(message) === 'hole') {
      // Cannot be while seq and rev are gapless; if the server breaks its word, a list with a hole is worse.
      this.#ports.logger.warn('a message came without its predecessor', { seq: message.seq });
      this.#mustReload = true;
    }
    // Before anybody is told: the same message must not be shown as confirmed and as pending.
    this.#confirm([message]);
    this.#typing.forget(message.senderId);
    this.#noteLast(message);
    this.#settleOutbox();
    this.#messagesChanged();
  }

  #noteLast(message: Message): void {
    const conversation = this.#conversation;
    if (conversation === undefined) return;
    const rev = Math.max(conversation.rev, this.#line.known);
    const held = conversation.lastMessage;
    const isNewer =
      held === null ||
      message.seq > held.seq ||
      (message.seq === held.seq && message.rev > held.rev && message !== held);
    // The server raises the sender's own mark with the send.
    const isOwn = message.senderId === this.#ports.as && message.clientMessageId !== null;
    if (isOwn) this.#readMark.known(message.seq);
    const readSeq = isOwn ? Math.max(conversation.readSeq, message.seq) : conversation.readSeq;
    if (!isNewer && readSeq === conversation.readSeq) {
      if (rev === conversation.rev) return;
      this.#conversation = { ...conversation, rev };
      this.#changedItem();
      return;
    }
    this.#conversation = {
      ...conversation,
      rev,
      readSeq,
      lastSeq: Math.max(conversation.lastSeq, message.seq),
      lastMessage: isNewer ? message : held,
    };
    this.#changedItem();
  }

  #confirm(messages: readonly Message[]): void {
    for (const { senderId, clientMessageId } of messages) {
      if (senderId !== this.#ports.as || clientMessageId === null) continue;
      this.#ports.outbox.confirm(this.#ports.as, this.conversationId, clientMessageId);
    }
  }

  #settleOutbox(): void {
    const held = this.#window?.lastSeq ?? (this.#isOpened ? 0 : (this.#conversation?.lastSeq ?? 0));
    this.#ports.outbox.settle(this.#ports.as, this.conversationId, held);
  }

  #onOutbox(): void {
    const { as, outbox } = this.#ports;
    for (const { sent } of outbox.pendingOf(as, this.conversationId)) if (sent !== null) this.hear(sent.rev);
    this.#messagesChanged();
  }

  #syncSoonIfBehind(): void {
    if (this.#mustReload) {
      this.#sync.run();
      return;
    }
    if (this.#line.isBehind) this.#sync.runIn(clientLimits.gapMs * (0.5 + Math.random() * 0.5));
  }

  /** A history that was scrolled far back need not stay in memory for ever. */
  #onUnwatched(): void {
    clearTimeout(this.#trimTimer);
    if (this.#isClosed) return;
    this.#trimTimer = setTimeout(() => {
      // A read under way belongs to the whole window.
      if (this.#source.isWatched || this.#reading > 0) return;
      this.#window?.trim(clientLimits.keptMessages);
      this.#messagesChanged();
    }, clientLimits.forgetMs);
  }

  #messagesChanged(): void {
    this.#shown = undefined;
    this.#invalidate();
  }

  #changedItem(): void {
    this.#item = undefined;
    this.#itemIsTold = false;
    this.#invalidate();
  }

  #invalidate(): void {
    this.#isDirty = true;
    if (this.#batches === 0) this.#tellListeners();
  }

  /** Tells once, at the end, what the action changes. */
  #batch(action: () => void): void {
    this.#batches += 1;
    try {
      action();
    } finally {
      this.#batches -= 1;
      if (this.#batches === 0 && this.#isDirty) this.#tellListeners();
    }
  }

  #tellListeners(): void {
    this.#isDirty = false;
    this.#source.invalidate();
    if (this.#itemIsTold) return;
    this.#itemIsTold = true;
    this.#ports.itemChanged();
  }

  #compute(): ConversationSnapshot {
    const window = this.#window;
    this.#shown ??= this.#computeMessages();
    return {
      status: this.#isGone ? 'gone' : window === undefined ? 'loading' : 'ready',
      conversation: this.item,
      messages: this.#shown,
      hasOlder: window?.hasOlder ?? false,
      loadingOlder: this.#isLoadingOlder,
      typing: this.#typing.others,
      members: this.#members.members,
      catchingUp: window !== undefined && this.#sync.isRunning,
      generation: this.#generation,
    };
  }

  #computeMessages(): readonly ShownMessage[] {
    if (this.#isGone) return [];
    const { as, outbox } = this.#ports;
    const pending = outbox.pendingOf(as, this.conversationId).map((message) => shownPending(message, as));
    return [...(this.#window?.messages ?? []).map((message) => shownMessage(message, as)), ...pending];
  }
}
