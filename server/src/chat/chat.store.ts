import type { ConversationId, MembershipId, Message, MessageBody, MessageId, SchoolId } from '@zvonok/shared';
import { and, asc, desc, eq, gt, isNull, lt, ne, or, sql } from 'drizzle-orm';
import { queryOf, type Reader, type Transaction } from '../platform/database.ts';
import type { ConversationFacts } from './chat.policy.ts';
import { conversationMembers, conversations, messages } from './chat.tables.ts';

/** Reads outside a transaction or inside one. */
type Person = { readonly schoolId: SchoolId; readonly membershipId: MembershipId };

type MessageRow = typeof messages.$inferSelect;

export function messageOf(row: Omit<MessageRow, 'schoolId' | 'inputHash'>): Message {
  return {
    id: row.id,
    conversationId: row.conversationId,
    seq: row.seq,
    rev: row.rev,
    senderId: row.senderId,
    clientMessageId: row.clientMessageId as Message['clientMessageId'],
    body: row.body,
    sentAt: row.sentAt.toISOString(),
  };
}

const ownConversationColumns = {
  schoolId: conversations.schoolId,
  id: conversations.id,
  kind: conversations.kind,
  channel: conversations.channel,
  title: conversations.title,
  groupId: conversations.groupId,
  subject: conversations.subject,
  firstId: conversations.firstId,
  secondId: conversations.secondId,
  memberCount: conversations.memberCount,
  lastSeq: conversations.lastSeq,
  rev: conversations.rev,
  createdAt: conversations.createdAt,
  archivedAt: conversations.archivedAt,
  reader: conversationMembers.reader,
  joinedSeq: conversationMembers.joinedSeq,
  readSeq: conversationMembers.readSeq,
};

const memberOfConversation = and(
  eq(conversationMembers.schoolId, conversations.schoolId),
  eq(conversationMembers.conversationId, conversations.id),
);

const isActiveMember = (person: Person) =>
  and(
    eq(conversationMembers.schoolId, person.schoolId),
    eq(conversationMembers.membershipId, person.membershipId),
    isNull(conversationMembers.leftAt),
  );

export async function findOwnConversation(
  reader: Reader,
  person: Person,
  id: ConversationId,
): Promise<ConversationFacts | undefined> {
  const [row] = await queryOf(reader)
    .select(ownConversationColumns)
    .from(conversations)
    .innerJoin(conversationMembers, memberOfConversation)
    .where(and(isActiveMember(person), eq(conversations.id, id)));
  return row;
}

export async function listOwnConversations(
  reader: Reader,
  person: Person,
): Promise<{ facts: ConversationFacts; lastMessage: Message | null }[]> {
  const rows = await queryOf(reader)
    .select({ facts: ownConversationColumns, message: messages })
    .from(conversationMembers)
    .innerJoin(conversations, memberOfConversation)
    .leftJoin(
      messages,
      and(
        eq(messages.schoolId, conversations.schoolId),
        eq(messages.conversationId, conversations.id),
        eq(messages.seq, conversations.lastSeq),
      ),
    )
    .where(isActiveMember(person))
    .orderBy(desc(sql`coalesce(${messages.sentAt}, ${conversations.createdAt})`), desc(conversations.id));
  return rows.map(({ facts, message }) => ({
    facts,
    lastMessage: message === null ? null : messageOf(message),
  }));
}

export async function findLastMessage(
  reader: Reader,
  facts: Pick<ConversationFacts, 'schoolId' | 'id' | 'lastSeq'>,
): Promise<Message | null> {
  const [row] = await queryOf(reader)
    .select()
    .from(messages)
    .where(inConversation(facts.schoolId, facts.id, eq(messages.seq, facts.lastSeq)));
  return row === undefined ? null : messageOf(row);
}

/** Each school has both of its channels, from the day it was made. */
export async function findChannel(
  reader: Reader,
  schoolId: SchoolId,
  channel: 'general' | 'staff',
): Promise<ConversationId> {
  const [row] = await queryOf(reader)
    .select({ id: conversations.id })
    .from(conversations)
    .where(
      and(
        eq(conversations.schoolId, schoolId),
        eq(conversations.kind, 'channel'),
        eq(conversations.channel, channel),
      ),
    );
  if (row === undefined) throw new Error('a school without its channel');
  return row.id;
}

export async function listHeads(reader: Reader, person: Person) {
  return queryOf(reader)
    .select({
      conversationId: conversations.id,
      rev: conversations.rev,
      lastSeq: conversations.lastSeq,
      readSeq: conversationMembers.readSeq,
    })
    .from(conversationMembers)
    .innerJoin(conversations, memberOfConversation)
    .where(isActiveMember(person));
}

/** The conversations of several memberships (of one account, perhaps in several schools). */
export async function listConversationIds(reader: Reader, people: readonly Person[]) {
  if (people.length === 0) return [];
  return queryOf(reader)
    .select({
      membershipId: conversationMembers.membershipId,
      conversationId: conversationMembers.conversationId,
    })
    .from(conversationMembers)
    .where(or(...people.map(isActiveMember)));
}

/** Where the person's coming and going is shown: small conversations, since it is told to everyone in them. */
export async function listConversationsShowingPresence(
  reader: Reader,
  person: Person,
  memberCountMax: number,
): Promise<Pick<ConversationFacts, 'id' | 'firstId' | 'secondId'>[]> {
  return queryOf(reader)
    .select({ id: conversations.id, firstId: conversations.firstId, secondId: conversations.secondId })
    .from(conversationMembers)
    .innerJoin(conversations, memberOfConversation)
    .where(
      and(
        isActiveMember(person),
        ne(conversations.kind, 'channel'),
        sql`${conversations.memberCount} <= ${memberCountMax}`,
      ),
    );
}

export async function listMembers(reader: Reader, schoolId: SchoolId, conversationId: ConversationId) {
  return queryOf(reader)
    .select({ membershipId: conversationMembers.membershipId, reader: conversationMembers.reader })
    .from(conversationMembers)
    .where(
      and(
        eq(conversationMembers.schoolId, schoolId),
        eq(conversationMembers.conversationId, conversationId),
        isNull(conversationMembers.leftAt),
      ),
    );
}

const inConversation = (schoolId: SchoolId, id: ConversationId, ...more: Parameters<typeof and>) =>
  and(eq(messages.schoolId, schoolId), eq(messages.conversationId, id), ...more);

/** At most `limit` messages in rising seq: the last before `before`, the first after `after`, or the newest. */
export async function listMessages(
  reader: Reader,
  facts: Pick<ConversationFacts, 'schoolId' | 'id'>,
  page: { readonly before?: number | undefined; readonly after?: number | undefined; readonly limit: number },
): Promise<{ messages: Message[]; hasMore: boolean }> {
  const forward = page.before === undefined && page.after !== undefined;
  const rows = await queryOf(reader)
    .select()
    .from(messages)
    .where(
      inConversation(
        facts.schoolId,
        facts.id,
        page.before === undefined ? undefined : lt(messages.seq, page.before),
        forward && page.after !== undefined ? gt(messages.seq, page.after) : undefined,
      ),
    )
    .orderBy(forward ? asc(messages.seq) : desc(messages.seq))
    .limit(page.limit + 1);
  const kept = rows.slice(0, page.limit).map(messageOf);
  return { messages: forward ? kept : kept.reverse(), hasMore: rows.length > page.limit };
}

/** Messages changed after `rev`, in rising rev, with the conversation's rev of the same instant. */
export async function listChanges(
  reader: Reader,
  facts: Pick<ConversationFacts, 'schoolId' | 'id'>,
  rev: number,
  limit: number,
): Promise<{ messages: Message[]; rev: number; hasMore: boolean }> {
  // One statement, so one snapshot: a rev without its messages would be a gap that nobody ever notices.
  const rows = await queryOf(reader)
    .select({ rev: conversations.rev, message: messages })
    .from(conversations)
    .leftJoin(
      messages,
      and(
        eq(messages.schoolId, conversations.schoolId),
        eq(messages.conversationId, conversations.id),
        gt(messages.rev, rev),
      ),
    )
    .where(and(eq(conversations.schoolId, facts.schoolId), eq(conversations.id, facts.id)))
    .orderBy(asc(messages.rev))
    .limit(limit + 1);
  const hasMore = rows.length > limit;
  const changed = rows
    .slice(0, limit)
    .flatMap((row) => (row.message === null ? [] : [messageOf(row.message)]));
  return { messages: changed, rev: hasMore ? (changed.at(-1)?.rev ?? rev) : (rows[0]?.rev ?? rev), hasMore };
}

/** Raises the read mark, never beyond the last message. Undefined where it did not rise. */
export async function raiseReadMark(
  tx: Transaction,
  person: Person,
  conversationId: ConversationId,
  seq: number,
): Promise<number | undefined> {
  const [row] = await tx
    .update(conversationMembers)
    .set({ readSeq: sql`least(${seq}::int, ${conversations.lastSeq})` })
    .from(conversations)
    .where(
      and(
        isActiveMember(person),
        eq(conversationMembers.conversationId, conversationId),
        memberOfConversation,
        sql`${conversationMembers.readSeq} < least(${seq}::int, ${conversations.lastSeq})`,
      ),
    )
    .returning({ readSeq: conversationMembers.readSeq });
  return row?.readSeq;
}

/** Writes a message of the server itself and raises the counters; the caller announces it. */
export async function appendMessage(
  tx: Transaction,
  message: {
    readonly schoolId: SchoolId;
    readonly conversationId: ConversationId;
    readonly id: MessageId;
    readonly senderId: MembershipId;
    readonly body: MessageBody;
  },
): Promise<Message> {
  const { schoolId, conversationId } = message;
  const [counters] = await tx
    .update(conversations)
    .set({ lastSeq: sql`${conversations.lastSeq} + 1`, rev: sql`${conversations.rev} + 1` })
    .where(and(eq(conversations.schoolId, schoolId), eq(conversations.id, conversationId)))
    .returning({ seq: conversations.lastSeq, rev: conversations.rev });
  if (counters === undefined)
    throw new Error('A message was appended to a conversation that does not exist.');
  const row = { ...message, ...counters, clientMessageId: null, sentAt: new Date() };
  await tx.insert(messages).values(row);
  await raiseReadMark(tx, { schoolId, membershipId: message.senderId }, conversationId, counters.seq);
  return messageOf(row);
}

/** Gives the card of a call another body under a new rev. Undefined where there is no card. */
export async function changeCallCard(
  tx: Transaction,
  schoolId: SchoolId,
  conversationId: ConversationId,
  body: MessageBody & { readonly kind: 'call' },
): Promise<Message | undefined> {
  const [counters] = await tx
    .update(conversations)
    .set({ rev: sql`${conversations.rev} + 1` })
    .where(and(eq(conversations.schoolId, schoolId), eq(conversations.id, conversationId)))
    .returning({ rev: conversations.rev });
  if (counters === undefined) return undefined;
  const [row] = await tx
    .update(messages)
    .set({ body, rev: counters.rev })
    .where(
      inConversation(
        schoolId,
        conversationId,
        sql`${messages.body} ->> 'kind' = 'call'`,
        sql`${messages.body} ->> 'callId' = ${body.callId}`,
      ),
    )
    .returning();
  return row === undefined ? undefined : messageOf(row);
}

/** The staff room, made with the school. */
export async function findStaffConversation(reader: Reader, schoolId: SchoolId): Promise<ConversationId> {
  const [row] = await queryOf(reader)
    .select({ id: conversations.id })
    .from(conversations)
    .where(and(eq(conversations.schoolId, schoolId), eq(conversations.kind, 'staff')));
  if (row === undefined) throw new Error('a school without a staff room');
  return row.id;
}
