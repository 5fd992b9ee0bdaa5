import type {
  ClientMessageId,
  ConversationId,
  ConversationKind,
  MembershipId,
  MessageId,
  SchoolId,
} from '@zvonok/shared';
import type { RawTransaction, Statement } from '../platform/database.ts';

/** A message that a member wants to send. */
export interface Draft {
  readonly schoolId: SchoolId;
  readonly conversationId: ConversationId;
  readonly senderId: MembershipId;
  readonly clientMessageId: ClientMessageId;
  readonly text: string;
  /** SHA-256 of the input, in hex. */
  readonly inputHash: string;
}

export interface LockedConversation {
  readonly id: ConversationId;
  readonly kind: ConversationKind;
  readonly lastSeq: number;
  readonly rev: number;
  readonly archivedAt: string | null;
  readonly firstId: MembershipId | null;
  readonly secondId: MembershipId | null;
}

export interface DraftFacts {
  /** Null where the sender is not a member. */
  readonly reader: boolean | null;
  /** What was sent under this clientMessageId before; null where nothing was. */
  readonly firstId: MessageId | null;
  readonly firstConversationId: ConversationId;
  readonly firstHash: string;
  readonly firstSeq: number;
  readonly firstRev: number;
  readonly firstSentAt: string;
}

export interface NewMessage extends Draft {
  readonly id: MessageId;
  readonly seq: number;
  readonly rev: number;
}

/**
 * Locks the conversations of a batch in order of id, so that two nodes never wait for each other in a circle, and reads
 * their counters. Hand-written SQL on the driver: this is the hot path of the product, one round trip for a batch.
 */
export function lockConversations(
  sql: RawTransaction,
  keys: readonly Pick<Draft, 'schoolId' | 'conversationId'>[],
): PromiseLike<readonly LockedConversation[]> {
  return sql<LockedConversation[]>`
    select c.id, c.kind, c.last_seq as "lastSeq", c.rev, c.archived_at as "archivedAt",
           c.first_id as "firstId", c.second_id as "secondId"
    from conversations c
    join unnest(${keys.map((key) => key.schoolId)}::uuid[], ${keys.map((key) => key.conversationId)}::uuid[])
      as k (school_id, id) on c.school_id = k.school_id and c.id = k.id
    order by c.school_id, c.id
    for update of c`;
}

/** For each draft, in their order: is the sender a member, and was it sent before. */
export function readDraftFacts(
  sql: RawTransaction,
  drafts: readonly Draft[],
): PromiseLike<readonly DraftFacts[]> {
  return sql<DraftFacts[]>`
    select m.reader, e.id as "firstId", e.conversation_id as "firstConversationId",
           encode(e.input_hash, 'hex') as "firstHash", e.seq as "firstSeq", e.rev as "firstRev",
           e.sent_at as "firstSentAt"
    from unnest(
      ${drafts.map((draft) => draft.schoolId)}::uuid[],
      ${drafts.map((draft) => draft.conversationId)}::uuid[],
      ${drafts.map((draft) => draft.senderId)}::uuid[],
      ${drafts.map((draft) => draft.clientMessageId)}::uuid[]
    ) with ordinality as d (school_id, conversation_id, sender_id, client_message_id, n)
    left join conversation_members m on m.school_id = d.school_id and m.conversation_id = d.conversation_id
      and m.membership_id = d.sender_id and m.left_at is null
    -- The limit keeps it to the index: a plan made while the table is young would scan all of it, and live for long.
    left join lateral (
      select * from messages f
      where f.school_id = d.school_id and f.sender_id = d.sender_id and f.client_message_id = d.client_message_id
      limit 1
    ) e on true
    order by d.n`;
}

/** Writes the batch, raises each conversation's counters once and the senders' read marks. To be sent by the caller. */
export function writeMessages(
  sql: RawTransaction,
  rows: readonly NewMessage[],
  counters: readonly Pick<LockedConversation, 'id' | 'lastSeq' | 'rev'>[],
  sentAt: string,
): Statement {
  const schoolIds = rows.map((row) => row.schoolId);
  const conversationIds = rows.map((row) => row.conversationId);
  const senderIds = rows.map((row) => row.senderId);
  const seqs = rows.map((row) => row.seq);
  const schoolOf = new Map(rows.map((row) => [row.conversationId, row.schoolId]));
  return sql`
    with written as (
      insert into messages
        (school_id, conversation_id, seq, id, rev, sender_id, client_message_id, input_hash, body, sent_at)
      select school_id, conversation_id, seq, id, rev, sender_id, client_message_id, decode(input_hash, 'hex'),
             jsonb_build_object('kind', 'text', 'text', text), ${sentAt}::timestamptz
      from unnest(
        ${schoolIds}::uuid[], ${conversationIds}::uuid[], ${seqs}::int[], ${rows.map((row) => row.id)}::uuid[],
        ${rows.map((row) => row.rev)}::int[], ${senderIds}::uuid[],
        ${rows.map((row) => row.clientMessageId)}::uuid[], ${rows.map((row) => row.inputHash)}::text[],
        ${rows.map((row) => row.text)}::text[]
      ) as d (school_id, conversation_id, seq, id, rev, sender_id, client_message_id, input_hash, text)
    ), counted as (
      update conversations c set last_seq = k.last_seq, rev = k.rev
      from unnest(
        ${counters.map((counter) => schoolOf.get(counter.id) ?? '')}::uuid[],
        ${counters.map((counter) => counter.id)}::uuid[],
        ${counters.map((counter) => counter.lastSeq)}::int[], ${counters.map((counter) => counter.rev)}::int[]
      ) as k (school_id, id, last_seq, rev)
      where c.school_id = k.school_id and c.id = k.id
    )
    update conversation_members m set read_seq = d.seq
    from (
      select school_id, conversation_id, sender_id, max(seq) as seq
      from unnest(${schoolIds}::uuid[], ${conversationIds}::uuid[], ${senderIds}::uuid[], ${seqs}::int[])
        as d (school_id, conversation_id, sender_id, seq)
      group by 1, 2, 3
    ) d
    where m.school_id = d.school_id and m.conversation_id = d.conversation_id and m.membership_id = d.sender_id
      and m.read_seq < d.seq`;
}
