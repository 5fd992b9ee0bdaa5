import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  AccountId,
  ClientMessageId,
  Conversation,
  ConversationId,
  ErrorBody,
  MembershipId,
  Message,
  MessageId,
  MyMembership,
  SchoolId,
  SessionId,
} from '@zvonok/shared';
import { CodedError, farewellEvent } from '@zvonok/shared/errors.ts';
import { Server, type Socket } from 'socket.io';
import { v7 as uuid } from 'uuid';

/** A person of the test school: their token is their name, in the escapes of a URL. */
export interface TestPerson {
  readonly name: string;
  readonly accountId: AccountId;
  readonly sessionId: SessionId;
  readonly as: MembershipId;
}

interface TestConversation {
  readonly id: ConversationId;
  readonly members: Set<TestPerson>;
  readonly messages: Message[];
  rev: number;
  readonly readSeqs: Map<MembershipId, number>;
}

/** What goes wrong. Each is asked anew for each packet. */
export interface Faults {
  /** The event is lost on its way to this person. */
  loseEvent: (name: string, to: TestPerson) => boolean;
  /** The procedure is done and its reply is lost. */
  loseReply: (name: string, from: TestPerson) => boolean;
  /** The procedure is refused before it does anything. */
  refuse: (name: string, from: TestPerson) => ErrorBody | undefined;
  /** The reply is held until the promise resolves; what is in it was read before. */
  holdReply: (name: string, from: TestPerson) => Promise<void> | undefined;
}

/**
 * A server that speaks the chat part of the protocol over a real Socket.IO and HTTP server, with its state in memory
 * and faults on demand: what a test of the client needs to lose an event or an acknowledgement at a chosen moment.
 */
export class TestServer {
  readonly faults: Faults = {
    loseEvent: () => false,
    loseReply: () => false,
    refuse: () => undefined,
    holdReply: () => undefined,
  };
  /** Every call that reached a procedure, in order. */
  readonly calls: { readonly name: string; readonly input: Record<string, unknown> }[] = [];
  readonly schoolId = uuid() as SchoolId;
  /** Whether the operator keeps the school closed; nobody is told. */
  isSuspended = false;
  readonly #people = new Map<string, TestPerson>();
  readonly #conversations = new Map<ConversationId, TestConversation>();
  readonly #byClientId = new Map<string, Message>();
  #http: HttpServer | undefined;
  #io: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async listen(): Promise<void> {
    const http = createServer((request, response) => {
      if (request.url?.startsWith('/api/v1/') === true) void this.#onRequest(request, response);
    });
    const io = new Server(http, { transports: ['websocket', 'polling'] });
    io.use((socket, next) => {
      const token: unknown = socket.handshake.auth.token;
      const person = typeof token === 'string' ? this.#people.get(token) : undefined;
      if (person === undefined) {
        next(
          Object.assign(new Error('UNAUTHENTICATED'), { data: new CodedError('UNAUTHENTICATED').toBody() }),
        );
        return;
      }
      socket.data.person = person;
      next();
    });
    io.on('connection', (socket) => {
      socket.onAny((name: string, input: Record<string, unknown>, ack: (reply: unknown) => void) => {
        void this.#answer(name, input, socket.data.person).then((reply) => {
          if (reply !== undefined) ack(reply);
        });
      });
    });
    await new Promise<void>((resolve) => http.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (http.address() as AddressInfo).port;
    this.#http = http;
    this.#io = io;
  }

  /** Ends every connection without a word and refuses new ones; the state stays. `listen` brings it back. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets()) socket.conn.close();
    this.#http?.closeAllConnections();
    await this.#io?.close();
    this.#io = undefined;
  }

  /** Ends this person's connections without a word. */
  cut(person: TestPerson): void {
    for (const socket of this.#sockets()) if (socket.data.person === person) socket.conn.close();
  }

  /** Ends this person's session, as another device of theirs would. */
  revoke(person: TestPerson): void {
    this.#people.delete(encodeURIComponent(person.name));
    for (const socket of this.#sockets()) {
      if (socket.data.person !== person) continue;
      socket.emit(farewellEvent, { code: 'SESSION_ENDED' });
      socket.disconnect(true);
    }
  }

  addPerson(name: string): TestPerson {
    const person: TestPerson = {
      name,
      accountId: uuid() as AccountId,
      sessionId: uuid() as SessionId,
      as: uuid() as MembershipId,
    };
    this.#people.set(encodeURIComponent(name), person);
    return person;
  }

  addConversation(...members: TestPerson[]): ConversationId {
    const id = uuid() as ConversationId;
    this.#conversations.set(id, {
      id,
      members: new Set(members),
      messages: [],
      rev: 0,
      readSeqs: new Map(),
    });
    for (const person of members) {
      this.#emit('chat.conversationJoined', { membershipId: person.as, conversationId: id }, [person]);
    }
    return id;
  }

  removeMember(id: ConversationId, person: TestPerson): void {
    this.#conversation(id).members.delete(person);
    this.#emit('chat.conversationLeft', { membershipId: person.as, conversationId: id }, [person]);
  }

  /** Writes a message as somebody would, and tells the members. */
  post(
    id: ConversationId,
    from: TestPerson,
    text: string,
    clientMessageId = uuid() as ClientMessageId,
  ): Message {
    const key = `${from.as} ${clientMessageId}`;
    const first = this.#byClientId.get(key);
    if (first !== undefined) return first;
    const conversation = this.#conversation(id);
    conversation.rev += 1;
    const message: Message = {
      id: uuid() as MessageId,
      conversationId: id,
      seq: conversation.messages.length + 1,
      rev: conversation.rev,
      senderId: from.as,
      clientMessageId,
      body: { kind: 'text', text },
      sentAt: new Date().toISOString(),
    };
    conversation.messages.push(message);
    conversation.readSeqs.set(from.as, message.seq);
    this.#byClientId.set(key, message);
    this.#emit('chat.messageSent', { message }, conversation.members);
    return message;
  }

  /** Gives a message another text. */
  change(id: ConversationId, seq: number, text: string): Message {
    const conversation = this.#conversation(id);
    conversation.rev += 1;
    const before = conversation.messages[seq - 1];
    if (before === undefined) throw new Error(`no message ${seq}`);
    const message: Message = { ...before, rev: conversation.rev, body: { kind: 'text', text } };
    conversation.messages[seq - 1] = message;
    this.#emit('chat.messageChanged', { message }, conversation.members);
    return message;
  }

  messagesOf(id: ConversationId): readonly Message[] {
    return this.#conversation(id).messages;
  }

  callsOf(name: string): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  #sockets(): Socket[] {
    return [...(this.#io?.sockets.sockets.values() ?? [])];
  }

  #emit(name: string, payload: unknown, to: Iterable<TestPerson>): void {
    const people = new Set(to);
    for (const socket of this.#sockets()) {
      const person: TestPerson = socket.data.person;
      if (people.has(person) && !this.faults.loseEvent(name, person)) socket.emit(name, payload);
    }
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const name = request.url?.slice('/api/v1/'.length) ?? '';
    const person = this.#people.get(request.headers.authorization?.slice('Bearer '.length) ?? '');
    const reply = await this.#answer(name, JSON.parse(body), person);
    if (reply === undefined) {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.ok ? 200 : 400, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply.ok ? reply.result : reply.error));
  }

  /** Undefined where the reply is lost. */
  async #answer(name: string, input: Record<string, unknown>, person: TestPerson | undefined) {
    this.calls.push({ name, input });
    if (name === 'accounts.verifyCode') {
      const found = this.#people.get(String(input.deviceName));
      if (found === undefined) return { ok: false, error: new CodedError('CODE_WRONG').toBody() } as const;
      return { ok: true, result: { token: input.deviceName, ...this.#me(found) } } as const;
    }
    if (person === undefined)
      return { ok: false, error: new CodedError('UNAUTHENTICATED').toBody() } as const;
    const refusal = this.faults.refuse(name, person);
    if (refusal !== undefined) return { ok: false, error: refusal } as const;
    if (this.isSuspended && 'as' in input) {
      return { ok: false, error: new CodedError('SCHOOL_SUSPENDED').toBody() } as const;
    }
    let reply: { ok: true; result: unknown } | { ok: false; error: ErrorBody };
    try {
      reply = { ok: true, result: this.#perform(name, input, person) };
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      reply = { ok: false, error: error.toBody() };
    }
    await this.faults.holdReply(name, person);
    return this.faults.loseReply(name, person) ? undefined : reply;
  }

  #perform(name: string, input: Record<string, unknown>, person: TestPerson): unknown {
    switch (name) {
      case 'accounts.getMe':
        return this.#me(person);
      case 'accounts.signOut':
      case 'accounts.reportStrangeSignIn':
        this.revoke(person);
        return {};
      case 'chat.listConversations':
        return { conversations: this.#conversationsOf(person).map((held) => this.#seenBy(held, person)) };
      case 'chat.getHeads':
        return {
          heads: this.#conversationsOf(person).map((held) => ({
            conversationId: held.id,
            rev: held.rev,
            lastSeq: held.messages.length,
            readSeq: held.readSeqs.get(person.as) ?? 0,
          })),
        };
    }
    const conversation = this.#conversation(input.conversationId as ConversationId);
    if (!conversation.members.has(person)) throw new CodedError('NOT_FOUND');
    const { messages } = conversation;
    switch (name) {
      case 'chat.getConversation':
        return { conversation: this.#seenBy(conversation, person) };
      case 'chat.sendMessage': {
        const { text, clientMessageId } = input;
        const sent = this.post(conversation.id, person, String(text), clientMessageId as ClientMessageId);
        return { messageId: sent.id, seq: sent.seq, rev: sent.rev, sentAt: sent.sentAt };
      }
      case 'chat.listMessages': {
        const before = Number(input.before ?? messages.length + 1);
        const page = messages.slice(Math.max(0, before - 1 - Number(input.limit)), before - 1);
        return { messages: page, hasMore: (page[0]?.seq ?? 1) > 1 };
      }
      case 'chat.changesSince': {
        const changed = messages
          .filter((message) => message.rev > Number(input.rev))
          .sort((a, b) => a.rev - b.rev);
        const page = changed.slice(0, Number(input.limit));
        const hasMore = page.length < changed.length;
        return {
          messages: page,
          rev: hasMore ? page.at(-1)?.rev : Math.max(conversation.rev, Number(input.rev)),
          hasMore,
        };
      }
      case 'chat.markRead':
        conversation.readSeqs.set(person.as, Number(input.seq));
        this.#emit(
          'chat.readMarkRaised',
          { membershipId: person.as, conversationId: conversation.id, readSeq: Number(input.seq) },
          [person],
        );
        return { readSeq: Number(input.seq) };
      case 'chat.setTyping':
        this.#emit(
          'chat.typingStarted',
          { conversationId: conversation.id, membershipId: person.as },
          conversation.members,
        );
        return {};
      case 'chat.listMembers':
        return {
          members: [...conversation.members].map((member) => ({
            membershipId: member.as,
            fullName: member.name,
            role: 'teacher',
            verified: true,
            reader: false,
            online: this.#sockets().some((socket) => socket.data.person === member),
          })),
        };
    }
    throw new CodedError('NOT_FOUND');
  }

  #me(person: TestPerson) {
    const memberships: MyMembership[] = [
      {
        id: person.as,
        schoolId: this.schoolId,
        schoolName: 'Школа №29',
        vocabulary: 'school',
        suspended: this.isSuspended,
        settings: {},
        journalUrl: null,
        role: 'teacher',
        fullName: person.name,
        verified: true,
        standings: [],
        groupId: null,
        groupName: null,
        attachments: [],
        children: [],
        startedAt: '2026-09-01T05:00:00.000Z',
      },
    ];
    return {
      account: { id: person.accountId, phone: '+70000000000', createdAt: '2026-09-01T05:00:00.000Z' },
      sessionId: person.sessionId,
      refreshAt: new Date(Date.now() + 7 * 24 * 3_600_000).toISOString(),
      memberships,
      operator: false,
      shared: false,
    };
  }

  #conversation(id: ConversationId): TestConversation {
    const conversation = this.#conversations.get(id);
    if (conversation === undefined) throw new CodedError('NOT_FOUND');
    return conversation;
  }

  #conversationsOf(person: TestPerson): TestConversation[] {
    return [...this.#conversations.values()].filter((held) => held.members.has(person));
  }

  #seenBy(held: TestConversation, person: TestPerson): Conversation {
    return {
      id: held.id,
      schoolId: this.schoolId,
      as: person.as,
      kind: 'free',
      channel: null,
      title: 'Кружок',
      groupId: null,
      subject: null,
      other: null,
      memberCount: held.members.size,
      lastSeq: held.messages.length,
      rev: held.rev,
      readSeq: held.readSeqs.get(person.as) ?? 0,
      joinedSeq: 0,
      canPost: true,
      canStartCall: false,
      lastMessage: held.messages.at(-1) ?? null,
      createdAt: '2026-09-01T05:00:00.000Z',
    };
  }
}
