import type {
  ClientMessageId,
  Conversation,
  ConversationId,
  ConversationMember,
  ErrorCode,
  MembershipId,
  Message,
  MessageBody,
  MessageId,
} from '@zvonok/shared';
import { CodedError, errorCatalogue } from '@zvonok/shared/errors.ts';
import { chatLimits, clientLimits } from '@zvonok/shared/limits.ts';
import type { Api } from '../api.ts';
import { backoffMs } from '../backoff.ts';
import type { ClientLogger } from '../logger.ts';
import { ComputedSource, type Source } from '../source.ts';
import { MessageWindow } from './message-window.ts';
import type { Outbox, PendingMessage } from './outbox.ts';
import { RevisionLine } from './revision-line.ts';

/** A conversation with what this membership has not read of it. Everything but the title and rights is live. */
export type ConversationItem = Conversation & { readonly unread: number };

/** One message as a list shows it: confirmed by the server, or this device's own on its way. */
export interface ShownMessage {
  /** The same from `sending` to confirmed. */
  readonly key: string;
  readonly state: 'sending' | 'sent' | 'failed';
  readonly mine: boolean;
  readonly senderId: MembershipId;
  readonly body: MessageBody;
  /** The server's time; this device's until the server has answered. */
  readonly sentAt: string;
  /** Null until confirmed. */
  readonly seq: number | null;
  readonly id: MessageId | null;
  readonly clientMessageId: ClientMessageId | null;
  /** Why it was refused, with state `failed`. */
  readonly failure: ErrorCode | null;
}

export interface ConversationSnapshot {
  /** `gone`: left, ended, or never this membership's. */
  readonly status: 'loading' | 'ready' | 'gone';
  readonly conversation: ConversationItem | undefined;
  /** In rising seq without holes, then this device's own unconfirmed ones in the order of composing. */
  readonly messages: readonly ShownMessage[];
  readonly hasOlder: boolean;
  readonly loadingOlder: boolean;
  /** Other people who write at the moment. */
  readonly typing: readonly MembershipId[];
  /** Undefined until `loadMembers`. */
  readonly members: readonly ConversationMember[] | undefined;
  /** What is shown is whole but not the newest. */
  readonly catchingUp: boolean;
  /** Rises when the window was replaced by the newest page because too much was missed. */
  readonly generation: number;
}

/** One conversation, live. Its functions are bound and never throw for want of a network. */
export interface ConversationView extends Source<ConversationSnapshot> {
  readonly conversationId: ConversationId;
  /** Composes a message of 1 to `chatLimits.textLength` characters; it is shown at once and sent until it arrives. */
  readonly send: (text: string) => ClientMessageId;
  readonly retry: (clientMessageId: ClientMessageId) => void;
  readonly discard: (clientMessageId: ClientMessageId) => void;
  /** Puts an older page before the shown messages. Nothing where there is none or one is on its way. Rejects with `CodedError`. */
  readonly loadOlder: () => Promise<void>;
  /** Everything up to `seq` (the newest, where left out) has been seen. Told to the server once in a while. */
  readonly markRead: (seq?: number) => void;
  /** To be called on each keystroke; the others are told every few seconds. */
  readonly notifyTyping: () => void;
  /** Reads who belongs here; kept live from then on. Rejects with `CodedError`. */
  readonly loadMembers: () => Promise<void>;
}

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

  #syncing: Promise<void> | undefined;
  #syncFailures = 0;
  #syncTimer: Timer | undefined;
  #trimTimer: Timer | undefined;

  #toldSeq = 0;
  #readTimer: Timer | undefined;
  #isTellingRead = false;

  readonly #typing = new Map<MembershipId, Timer>();
  #typingToldAt = Number.NEGATIVE_INFINITY;
  #members: readonly ConversationMember[] | undefined;
  #membersTimer: Timer | undefined;

  constructor(ports: ConversationPorts, conversationId: ConversationId) {
    this.#ports = ports;
    this.conversationId = conversationId;
    this.#source = new ComputedSource(
      () => this.#compute(),
      () => this.#onUnwatched(),
    );
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
    this.sync();
  }

  /** The conversation as the server has just told it. */
  tell(conversation: Conversation): void {
    const before = this.#conversation;
    this.#isGone = false;
    this.#toldSeq = Math.max(this.#toldSeq, conversation.readSeq);
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
    this.sync();
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
    this.#toldSeq = Math.max(this.#toldSeq, readSeq);
    if (conversation === undefined || readSeq <= conversation.readSeq) return;
    this.#conversation = { ...conversation, readSeq };
    this.#changedItem();
  }

  /** The server's history is shorter than ours (it was restored): begins anew. */
  restart(): void {
    this.#mustReload = true;
    if (this.#window === undefined) this.#line.restart(0);
    this.sync();
  }

  /** This membership belongs here (again): reads what is not known. */
  join(): void {
    this.#isGone = false;
    this.sync();
  }

  leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#window = undefined;
    this.#conversation = undefined;
    this.#members = undefined;
    this.#early = [];
    this.#shown = undefined;
    this.#changedItem();
  }

  /** The connection is there (again): everything that waits is tried. */
  wake(): void {
    this.#syncFailures = 0;
    clearTimeout(this.#membersTimer);
    this.#membersTimer = undefined;
    this.sync();
    this.#tellRead();
    if (this.#members !== undefined) this.#refreshMembers();
  }

  membersChanged(memberCount: number): void {
    if (this.#conversation !== undefined && this.#conversation.memberCount !== memberCount) {
      this.#conversation = { ...this.#conversation, memberCount };
      this.#changedItem();
    }
    if (this.#members === undefined || this.#membersTimer !== undefined) return;
    this.#membersTimer = setTimeout(() => {
      this.#membersTimer = undefined;
      this.#refreshMembers();
    }, clientLimits.membersMs);
  }

  presenceChanged(membershipId: MembershipId, online: boolean): void {
    const members = this.#members;
    const index = members?.findIndex((member) => member.membershipId === membershipId) ?? -1;
    const member = members?.[index];
    if (!online) this.#forgetTyping(membershipId);
    if (members === undefined || member === undefined || member.online === online) return;
    this.#members = members.with(index, { ...member, online });
    this.#invalidate();
  }

  typingStarted(membershipId: MembershipId): void {
    if (membershipId === this.#ports.as || this.#isGone) return;
    const before = this.#typing.get(membershipId);
    clearTimeout(before);
    this.#typing.set(
      membershipId,
      setTimeout(() => this.#forgetTyping(membershipId), chatLimits.typingMs),
    );
    if (before === undefined) this.#invalidate();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopOutbox();
    const timers = [this.#syncTimer, this.#trimTimer, this.#readTimer, this.#membersTimer];
    for (const timer of [...timers, ...this.#typing.values()]) {
      clearTimeout(timer);
    }
    this.#typing.clear();
    this.leave();
  }

  // --- what an interface does ---

  readonly send = (text: string): ClientMessageId => {
    this.#typingToldAt = Number.NEGATIVE_INFINITY;
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
        const { messages } = await this.#ports.chat.listMessages({
          as: this.#ports.as,
          conversationId: this.conversationId,
          before: window.firstSeq,
          limit: chatLimits.pageSize,
        });
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
    this.#tellRead();
  };

  readonly notifyTyping = (): void => {
    const now = performance.now();
    // A little more often than the others forget.
    if (now - this.#typingToldAt < chatLimits.typingMs * 0.7) return;
    if (!this.#ports.isOnline() || this.#conversation?.canPost !== true) return;
    this.#typingToldAt = now;
    this.#ports.chat
      .setTyping({ as: this.#ports.as, conversationId: this.conversationId })
      .catch((error: CodedError) => this.#ports.logger.debug('typing was not told', { code: error.code }));
  };

  readonly loadMembers = async (): Promise<void> => {
    const { members } = await this.#ports.chat.listMembers({
      as: this.#ports.as,
      conversationId: this.conversationId,
    });
    if (this.#isGone) return;
    this.#members = members;
    this.#invalidate();
  };

  // --- keeping equal with the server ---

  /** Works until nothing is missing. One at a time; called again while it runs, it looks once more at the end. */
  sync(): void {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    if (this.#syncing !== undefined || this.#isClosed || this.#nextStep() === undefined) return;
    this.#syncing = this.#runSteps().then((isDone) => {
      this.#syncing = undefined;
      this.#invalidate();
      // Something may have come between the last look and here.
      if (isDone) this.sync();
    });
    this.#invalidate();
  }

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

  /** False where it gave up for now. */
  async #runSteps(): Promise<boolean> {
    for (;;) {
      const step = this.#nextStep();
      if (step === undefined) return true;
      try {
        await step();
        this.#syncFailures = 0;
      } catch (error) {
        const coded = error instanceof CodedError ? error : new CodedError('INTERNAL', { cause: error });
        if (coded.code === 'NOT_FOUND' || coded.code === 'FORBIDDEN') {
          this.leave();
          return true;
        }
        this.#ports.logger.info('a conversation could not be read', { code: coded.code });
        // Anything else waits for the next connection.
        if (errorCatalogue[coded.code].retry !== 'later') return false;
        const wait = backoffMs(this.#syncFailures, clientLimits.resendMinMs, clientLimits.resendMaxMs);
        this.#syncFailures += 1;
        this.#syncTimer = setTimeout(() => this.sync(), Math.max(wait, coded.retryAfterMs ?? 0));
        return false;
      }
    }
  }

  async #readConversation(): Promise<void> {
    const heard = this.#line.known + this.#line.missing;
    const conversation = await this.#fetchConversation();
    if (this.#isGone) return;
    this.#mustReload = false;
    this.tell(conversation);
    this.#settleLine(heard);
  }

  async #readNewest(): Promise<void> {
    await this.#recording(async (recorded) => {
      const page = await this.#fetchNewest();
      if (!this.#isGone) this.#batch(() => this.#replaceWindow(page, recorded));
    });
  }

  /** Replaces the window by the newest page: what was missed in between is not worth replaying. */
  async #reload(): Promise<void> {
    await this.#recording(async (recorded) => {
      const heard = this.#line.known + this.#line.missing;
      // In this order: the page is at least as new as the revision, so nothing up to it is missing from the page.
      const conversation = await this.#fetchConversation();
      const page = await this.#fetchNewest();
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
    const changes: Message[] = [];
    let rev = this.#line.known;
    for (;;) {
      const page = await this.#ports.chat.changesSince({
        as: this.#ports.as,
        conversationId: this.conversationId,
        rev,
        limit: chatLimits.changesPageSize,
      });
      changes.push(...page.messages);
      if (!page.hasMore || page.rev <= rev) {
        rev = Math.max(rev, page.rev);
        break;
      }
      rev = page.rev;
      if (changes.length > clientLimits.healedChanges) return this.#reload();
    }
    if (this.#isGone || this.#window === undefined) return;
    // By rev a message that was changed later comes after its successors; by seq the window has no hole.
    this.#batch(() => {
      for (const message of changes.sort((a, b) => a.seq - b.seq)) this.#apply(message);
      for (const message of this.#line.advance(rev)) this.#apply(message);
    });
    this.#settleLine(heard);
  }

  /** The server has just said everything: what was heard of before that and is not there does not exist. */
  #settleLine(heardBefore: number): void {
    if (this.#line.isBehind && this.#line.known + this.#line.missing <= heardBefore) this.#line.settle();
  }

  #fetchConversation(): Promise<Conversation> {
    return this.#ports.chat
      .getConversation({ as: this.#ports.as, conversationId: this.conversationId })
      .then(({ conversation }) => conversation);
  }

  #fetchNewest(): Promise<readonly Message[]> {
    return this.#ports.chat
      .listMessages({
        as: this.#ports.as,
        conversationId: this.conversationId,
        limit: clientLimits.firstPage,
      })
      .then(({ messages }) => messages);
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
    this.#forgetTyping(message.senderId);
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
    if (isOwn) this.#toldSeq = Math.max(this.#toldSeq, message.seq);
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
      this.sync();
      return;
    }
    if (!this.#line.isBehind || this.#syncTimer !== undefined || this.#syncing !== undefined) return;
    this.#syncTimer = setTimeout(() => this.sync(), clientLimits.gapMs * (0.5 + Math.random() * 0.5));
  }

  #tellRead(): void {
    const readSeq = this.#conversation?.readSeq ?? 0;
    if (this.#isTellingRead || this.#readTimer !== undefined || readSeq <= this.#toldSeq) return;
    if (!this.#ports.isOnline() || this.#isClosed) return;
    this.#isTellingRead = true;
    this.#ports.chat
      .markRead({ as: this.#ports.as, conversationId: this.conversationId, seq: readSeq })
      .then(
        () => {
          this.#toldSeq = Math.max(this.#toldSeq, readSeq);
        },
        (error: CodedError) => this.#ports.logger.debug('a read mark was not told', { code: error.code }),
      )
      .finally(() => {
        this.#isTellingRead = false;
        if (this.#isClosed) return;
        this.#readTimer = setTimeout(() => {
          this.#readTimer = undefined;
          this.#tellRead();
        }, clientLimits.readMarkMs);
      });
  }

  #refreshMembers(): void {
    this.loadMembers().catch((error: CodedError) =>
      this.#ports.logger.debug('members could not be read', { code: error.code }),
    );
  }

  #forgetTyping(membershipId: MembershipId): void {
    const timer = this.#typing.get(membershipId);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#typing.delete(membershipId);
    this.#invalidate();
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
      typing: [...this.#typing.keys()],
      members: this.#members,
      catchingUp: window !== undefined && this.#syncing !== undefined,
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

/** One object for each version of a message, so that a list renders anew only what changed. */
const shownMessages = new WeakMap<Message, ShownMessage>();
function shownMessage(message: Message, as: MembershipId): ShownMessage {
  const cached = shownMessages.get(message);
  // The same account may look at a channel as two of its memberships.
  if (cached !== undefined && cached.mine === (message.senderId === as)) return cached;
  const shown: ShownMessage = {
    key: keyOf(message.senderId, message.clientMessageId ?? message.id),
    state: 'sent',
    mine: message.senderId === as,
    senderId: message.senderId,
    body: message.body,
    sentAt: message.sentAt,
    seq: message.seq,
    id: message.id,
    clientMessageId: message.clientMessageId,
    failure: null,
  };
  shownMessages.set(message, shown);
  return shown;
}

const shownPendings = new WeakMap<PendingMessage, ShownMessage>();
function shownPending(message: PendingMessage, as: MembershipId): ShownMessage {
  const cached = shownPendings.get(message);
  if (cached !== undefined) return cached;
  const shown: ShownMessage = {
    key: keyOf(as, message.clientMessageId),
    state: message.state,
    mine: true,
    senderId: as,
    body: { kind: 'text', text: message.text },
    sentAt: message.sent?.sentAt ?? message.createdAt,
    seq: null,
    id: null,
    clientMessageId: message.clientMessageId,
    failure: message.failure,
  };
  shownPendings.set(message, shown);
  return shown;
}

/** With the sender: anybody may choose somebody else's client id for a message of their own. */
function keyOf(senderId: MembershipId, id: string): string {
  return `${senderId}:${id}`;
}
