import { createHash } from 'node:crypto';
import {
  type CallId,
  type ClientMessageId,
  CodedError,
  type Conversation,
  type ConversationId,
  type ConversationMember,
  chatLimits,
  type MembershipId,
  type Message,
  type MessageBody,
  type MessageId,
  type SchoolId,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import type { Committer } from './chat.committer.ts';
import { findDirect, insertConversations, putMembers, refreshMemberCounts } from './chat.members.store.ts';
import { announce } from './chat.members.ts';
import {
  type ConversationFacts,
  canPost,
  otherOf,
  refusalToPost,
  requireConversation,
} from './chat.policy.ts';
import {
  appendMessage,
  changeCallCard,
  findChannel,
  findLastMessage,
  findStaffConversation,
  listChanges,
  listConversationsShowingPresence,
  listHeads,
  listMembers,
  listMessages,
  listOwnConversations,
  raiseReadMark,
} from './chat.store.ts';
import type { ChatNeighbours } from './index.ts';

/** One function for each thing that a person can do in the chats. */
/** What the server wrote in somebody's name raised their read mark too, and no client of theirs can know of it by itself. */
function announceWritten(tx: Transaction, message: Message): void {
  const { conversationId, senderId: membershipId, seq: readSeq } = message;
  tx.announce(eventFor('chat.messageSent', { conversation: conversationId }, { message }));
  tx.announce(
    eventFor('chat.readMarkRaised', { membership: membershipId }, { membershipId, conversationId, readSeq }),
  );
}

type StaffNotice = Extract<MessageBody, { kind: 'notice' }>;

export function createChatActions(platform: Platform, neighbours: ChatNeighbours, committer: Committer) {
  const { database, outbound } = platform;
  const { school } = neighbours;

  async function describe(
    actor: Actor,
    facts: ConversationFacts,
    lastMessage: Message | null,
  ): Promise<Conversation> {
    const otherId = otherOf(facts, actor.membershipId);
    const other =
      otherId === undefined
        ? undefined
        : (await school.describeMembers(actor.schoolId, [otherId])).get(otherId);
    const mayContact =
      otherId === undefined ||
      (await school.mayContact(database, actor.schoolId, actor.membershipId, otherId));
    return {
      id: facts.id,
      schoolId: facts.schoolId,
      as: actor.membershipId,
      kind: facts.kind,
      channel: facts.channel,
      title: facts.title,
      groupId: facts.groupId,
      subject: facts.subject,
      other: otherId === undefined || other === undefined ? null : { membershipId: otherId, ...other },
      memberCount: facts.memberCount,
      lastSeq: facts.lastSeq,
      rev: facts.rev,
      readSeq: facts.readSeq,
      joinedSeq: facts.joinedSeq,
      canPost: canPost(facts, mayContact),
      canStartCall: facts.archivedAt === null && (await neighbours.mayStartCall(actor, facts)),
      lastMessage,
      createdAt: facts.createdAt.toISOString(),
    };
  }

  /**
   * Of the other sides of direct chats those that may still hear of this person. Chats stay readable when the contact
   * policy parts two people; to watch a child come and go is no part of reading.
   */
  const talksWith = (person: Pick<Actor, 'schoolId' | 'membershipId'>, others: readonly MembershipId[]) =>
    school.inContact(database, person.schoolId, person.membershipId, others);

  async function getConversation(actor: Actor, id: ConversationId): Promise<Conversation> {
    const facts = await requireConversation(database, actor, id);
    return describe(actor, facts, await findLastMessage(database, facts));
  }

  return {
    getConversation,

    async listConversations(actor: Actor): Promise<Conversation[]> {
      const rows = await listOwnConversations(database, actor);
      return Promise.all(rows.map(({ facts, lastMessage }) => describe(actor, facts, lastMessage)));
    },

    listHeads: (actor: Actor) => listHeads(database, actor),

    async listMembers(actor: Actor, id: ConversationId): Promise<ConversationMember[]> {
      const facts = await requireConversation(database, actor, id);
      const all = await listMembers(database, actor.schoolId, id);
      // The whole school reads the general channel: whoever only reads it does not get a list of all children by it.
      const rows =
        facts.channel === 'general' && facts.reader
          ? all.filter((row) => !row.reader || row.membershipId === actor.membershipId)
          : all;
      const otherId = otherOf(facts, actor.membershipId);
      const showsPresence = otherId === undefined || (await talksWith(actor, [otherId])).has(otherId);
      const people = await school.describeMembers(
        actor.schoolId,
        rows.map((row) => row.membershipId),
      );
      return rows
        .flatMap((row) => {
          const person = people.get(row.membershipId);
          return person === undefined
            ? []
            : [{ ...row, ...person, online: showsPresence && neighbours.isOnline(row.membershipId) }];
        })
        .sort((a, b) => a.fullName.localeCompare(b.fullName, 'ru'));
    },

    async sendMessage(
      actor: Actor,
      input: { conversationId: ConversationId; clientMessageId: ClientMessageId; text: string },
    ) {
      if (input.text.trim() === '')
        throw new CodedError('VALIDATION', { message: 'text: must hold more than spaces' });
      return committer.send({
        schoolId: actor.schoolId,
        senderId: actor.membershipId,
        conversationId: input.conversationId,
        clientMessageId: input.clientMessageId,
        text: input.text,
        inputHash: createHash('sha256').update(input.text).digest('hex'),
      });
    },

    async listMessages(
      actor: Actor,
      id: ConversationId,
      page: { before?: number | undefined; after?: number | undefined; limit: number },
    ) {
      return listMessages(database, await requireConversation(database, actor, id), page);
    },

    async changesSince(actor: Actor, id: ConversationId, rev: number, limit?: number) {
      const facts = await requireConversation(database, actor, id);
      return listChanges(database, facts, rev, limit ?? chatLimits.changesPageSize);
    },

    async markRead(actor: Actor, id: ConversationId, seq: number): Promise<number> {
      const facts = await requireConversation(database, actor, id);
      if (seq <= facts.readSeq) return facts.readSeq;
      return database.inTransaction(async (tx) => {
        const readSeq = await raiseReadMark(tx, actor, id, seq);
        if (readSeq === undefined) return facts.readSeq;
        const { membershipId } = actor;
        tx.announce(
          eventFor(
            'chat.readMarkRaised',
            { membership: membershipId },
            { membershipId, conversationId: id, readSeq },
          ),
        );
        return readSeq;
      });
    },

    async setTyping(actor: Actor, id: ConversationId): Promise<void> {
      const facts = await requireConversation(database, actor, id);
      const otherId = otherOf(facts, actor.membershipId);
      const mayContact =
        otherId === undefined ||
        (await school.mayContact(database, actor.schoolId, actor.membershipId, otherId));
      const refusal = refusalToPost(facts, mayContact);
      if (refusal !== undefined) throw refusal;
      // Told to a class, not to a school of two thousand.
      if (facts.memberCount > chatLimits.presenceMembers) return;
      const { membershipId } = actor;
      outbound.publish([
        eventFor('chat.typingStarted', { conversation: id }, { conversationId: id, membershipId }),
      ]);
    },

    async openDirect(actor: Actor, otherId: MembershipId): Promise<Conversation> {
      const { schoolId, membershipId } = actor;
      const id = await database.inTransaction(async (tx) => {
        // Nobody learns here whether a person exists whom they may not write to.
        if (otherId === membershipId || !(await school.mayContact(tx, schoolId, membershipId, otherId))) {
          throw new CodedError('NOT_FOUND');
        }
        const [firstId, secondId] =
          membershipId < otherId ? [membershipId, otherId] : [otherId, membershipId];
        const known = await findDirect(tx, schoolId, firstId, secondId);
        if (known !== undefined) return known;
        await insertConversations(tx, [
          { schoolId, id: uuid() as ConversationId, kind: 'direct', firstId, secondId },
        ]);
        // Two people may open it at once: one of the two inserts stands.
        const made = await findDirect(tx, schoolId, firstId, secondId);
        if (made === undefined) throw new Error('A direct chat was neither there nor made.');
        const people = [firstId, secondId].map((each) => ({
          conversationId: made,
          membershipId: each,
          reader: false,
        }));
        await putMembers(tx, schoolId, people);
        await refreshMemberCounts(tx, schoolId, [made]);
        announce(tx, new Map(people.map((person) => [person.membershipId, { joined: [made], left: [] }])));
        return made;
      });
      return getConversation(actor, id);
    },

    /** For the school room: somebody's words, which this member has approved, appear in a channel under both names. */
    async postToChannel(
      tx: Transaction,
      by: Pick<Actor, 'schoolId' | 'membershipId'>,
      post: { readonly channel: 'general' | 'staff'; readonly text: string; readonly author: string },
    ): Promise<void> {
      const { schoolId, membershipId: senderId } = by;
      const conversationId = await findChannel(tx, schoolId, post.channel);
      const facts = await requireConversation(tx, by, conversationId);
      const refusal = refusalToPost(facts, true);
      if (refusal !== undefined) throw refusal;
      const message = await appendMessage(tx, {
        schoolId,
        conversationId,
        senderId,
        id: uuid() as MessageId,
        body: { kind: 'text', text: `${post.text}\n\n— ${post.author}` },
      });
      announceWritten(tx, message);
    },

    /** For the calls room: the card of a call appears in the conversation. */
    async postCallCard(
      tx: Transaction,
      card: {
        readonly schoolId: SchoolId;
        readonly conversationId: ConversationId;
        readonly senderId: MembershipId;
        readonly callId: CallId;
      },
    ): Promise<void> {
      const { schoolId, conversationId, senderId, callId } = card;
      const message = await appendMessage(tx, {
        schoolId,
        conversationId,
        senderId,
        id: uuid() as MessageId,
        body: { kind: 'call', callId, state: 'live', endedAt: null },
      });
      announceWritten(tx, message);
    },

    /** For the desk: what the whole staff must know, in the staff room. */
    async postStaffNotice(
      tx: Transaction,
      told: { readonly schoolId: SchoolId; readonly senderId: MembershipId } & Omit<StaffNotice, 'kind'>,
    ): Promise<void> {
      const { schoolId, senderId, notice, basis } = told;
      const conversationId = await findStaffConversation(tx, schoolId);
      const message = await appendMessage(tx, {
        schoolId,
        conversationId,
        senderId,
        id: uuid() as MessageId,
        body: { kind: 'notice', notice, basis },
      });
      announceWritten(tx, message);
    },

    /** For the calls room: the card says that the call is over. */
    async endCallCard(
      tx: Transaction,
      card: {
        readonly schoolId: SchoolId;
        readonly conversationId: ConversationId;
        readonly callId: CallId;
        readonly endedAt: Date;
      },
    ): Promise<void> {
      const { schoolId, conversationId, callId, endedAt } = card;
      const body = { kind: 'call', callId, state: 'ended', endedAt: endedAt.toISOString() } as const;
      const message = await changeCallCard(tx, schoolId, conversationId, body);
      if (message === undefined) return;
      tx.announce(eventFor('chat.messageChanged', { conversation: conversationId }, { message }));
    },

    /** Tells the small conversations of a person that they came or went. */
    async announcePresence(
      person: { readonly schoolId: SchoolId; readonly membershipId: MembershipId },
      online: boolean,
    ): Promise<void> {
      const { membershipId } = person;
      const found = await listConversationsShowingPresence(database, person, chatLimits.presenceMembers);
      const others = found.flatMap((facts) => otherOf(facts, membershipId) ?? []);
      const known = await talksWith(person, others);
      const shown = found.filter((facts) => {
        const otherId = otherOf(facts, membershipId);
        return otherId === undefined || known.has(otherId);
      });
      outbound.publish(
        shown.map(({ id: conversationId }) =>
          eventFor(
            'chat.presenceChanged',
            { conversation: conversationId },
            { conversationId, membershipId, online },
          ),
        ),
      );
    },
  };
}

export type ChatActions = ReturnType<typeof createChatActions>;
