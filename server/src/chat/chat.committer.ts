import { CodedError, type ConversationId, chatLimits, type Message, type MessageId } from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import { type BriefTransaction, type Database, translateDatabaseError } from '../platform/database.ts';
import { eventFor } from '../platform/outbound.ts';
import {
  type Draft,
  type LockedConversation,
  lockConversations,
  type NewMessage,
  readDraftFacts,
  writeMessages,
} from './chat.messages.store.ts';
import { otherOf, refusalToPost } from './chat.policy.ts';
import type { ChatNeighbours } from './index.ts';

/** Where a message came to stand. */
export interface Sent {
  readonly messageId: MessageId;
  readonly seq: number;
  readonly rev: number;
  readonly sentAt: string;
}

/**
 * Writes messages in groups: what arrives while a group is being committed is the next group, in one transaction that
 * raises each conversation's counters once. A send resolves after COMMIT, so what was acknowledged is on disk, and the
 * message is announced to the conversation in order of seq. Sent again under the same clientMessageId it resolves to
 * the first result. Rejects with NOT_FOUND, READ_ONLY, CONVERSATION_LOCKED, CONFLICT, or UNAVAILABLE when too many wait.
 */
export interface Committer {
  send(draft: Draft): Promise<Sent>;
  /** Refuses new messages and resolves when those accepted are on disk or refused. */
  close(): Promise<void>;
}

interface Waiting {
  readonly draft: Draft;
  resolve(sent: Sent): void;
  reject(error: unknown): void;
}

type Outcome = Sent | CodedError;

export function createCommitter(
  database: Database,
  mayContact: ChatNeighbours['school']['mayContact'],
): Committer {
  let queue: Waiting[] = [];
  /** Conversations that are being written: a further message of theirs waits, so that events keep the order of seq. */
  const busy = new Set<ConversationId>();
  let lanes = 0;
  let gathering = false;
  let whenIdle: (() => void) | undefined;
  let closed = false;

  /** Starts another group in a moment, if a lane is free: its patience turns many small commits into one. */
  function gather() {
    if (gathering || lanes >= chatLimits.commitLanes) return;
    if (queue.length < (lanes === 0 ? 1 : chatLimits.commitLaneMin)) return;
    gathering = true;
    setTimeout(() => {
      gathering = false;
      start();
    }, chatLimits.commitGatherMs);
  }

  function start() {
    const group: Waiting[] = [];
    const later: Waiting[] = [];
    for (const waiting of queue) {
      const fits = group.length < chatLimits.commitBatch && !busy.has(waiting.draft.conversationId);
      (fits ? group : later).push(waiting);
    }
    if (group.length === 0) return;
    queue = later;
    const taken = new Set(group.map((waiting) => waiting.draft.conversationId));
    for (const id of taken) busy.add(id);
    lanes += 1;
    void settle(group).finally(() => {
      for (const id of taken) busy.delete(id);
      lanes -= 1;
      gather();
      if (lanes === 0 && queue.length === 0) whenIdle?.();
    });
    gather();
  }

  async function settle(group: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await commit(group.map((waiting) => waiting.draft));
      for (const [index, waiting] of group.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined || outcome instanceof CodedError) waiting.reject(outcome);
        else waiting.resolve(outcome);
      }
    } catch (error) {
      // One bad row fails alone. A database that is away fails everyone at once: they come again under the same id.
      if (group.length === 1 || translateDatabaseError(error)?.code === 'UNAVAILABLE') {
        for (const waiting of group) waiting.reject(error);
      } else {
        for (const waiting of group) await settle([waiting]);
      }
    }
  }

  function commit(drafts: readonly Draft[]): Promise<readonly Outcome[]> {
    return database.inBriefTransaction(async (tx) => {
      const keys = [...new Map(drafts.map((draft) => [draft.conversationId, draft])).values()];
      // Sent together and run in this order: the facts are read under the locks.
      const [locked, facts] = await Promise.all([
        lockConversations(tx.raw, keys),
        readDraftFacts(tx.raw, drafts),
      ]);
      const conversations = new Map(locked.map((row) => [row.id, { ...row }]));
      const contacts = await contactsOf(tx, drafts, conversations);
      const sentAt = new Date().toISOString();
      const rows: NewMessage[] = [];
      const firstOf = new Map<string, { draft: Draft; outcome: Outcome }>();
      const outcomes = drafts.map((draft, index): Outcome => {
        const before = facts[index];
        const conversation = conversations.get(draft.conversationId);
        if (conversation === undefined || before === undefined || before.reader === null)
          return new CodedError('NOT_FOUND');
        if (before.firstId !== null) {
          const same =
            before.firstHash === draft.inputHash && before.firstConversationId === draft.conversationId;
          return same
            ? {
                messageId: before.firstId,
                seq: before.firstSeq,
                rev: before.firstRev,
                sentAt: new Date(before.firstSentAt).toISOString(),
              }
            : new CodedError('CONFLICT');
        }
        const key = `${draft.senderId} ${draft.clientMessageId}`;
        const twin = firstOf.get(key);
        if (twin !== undefined) {
          const same =
            twin.draft.inputHash === draft.inputHash && twin.draft.conversationId === draft.conversationId;
          return same ? twin.outcome : new CodedError('CONFLICT');
        }
        const refusal = refusalToPost(
          {
            archivedAt: conversation.archivedAt === null ? null : new Date(conversation.archivedAt),
            reader: before.reader,
          },
          contacts.get(index) ?? true,
        );
        if (refusal !== undefined) return refusal;
        conversation.lastSeq += 1;
        conversation.rev += 1;
        const row = { ...draft, id: uuid() as MessageId, seq: conversation.lastSeq, rev: conversation.rev };
        rows.push(row);
        const outcome = { messageId: row.id, seq: row.seq, rev: row.rev, sentAt };
        firstOf.set(key, { draft, outcome });
        return outcome;
      });
      if (rows.length === 0) return { value: outcomes };
      const raised = new Set(rows.map((row) => row.conversationId));
      for (const row of rows) {
        tx.announce(
          eventFor(
            'chat.messageSent',
            { conversation: row.conversationId },
            { message: messageOf(row, sentAt) },
          ),
        );
      }
      const counters = [...conversations.values()].filter((conversation) => raised.has(conversation.id));
      return { value: outcomes, last: writeMessages(tx.raw, rows, counters, sentAt) };
    });
  }

  /** The contact policy of the drafts that go to direct chats, by their place in the batch. */
  async function contactsOf(
    tx: BriefTransaction,
    drafts: readonly Draft[],
    conversations: ReadonlyMap<ConversationId, LockedConversation>,
  ): Promise<ReadonlyMap<number, boolean>> {
    const answers = new Map<number, boolean>();
    for (const [index, draft] of drafts.entries()) {
      const conversation = conversations.get(draft.conversationId);
      const other = conversation === undefined ? undefined : otherOf(conversation, draft.senderId);
      if (other !== undefined)
        answers.set(index, await mayContact(tx, draft.schoolId, draft.senderId, other));
    }
    return answers;
  }

  return {
    send(draft) {
      if (closed || queue.length >= chatLimits.commitQueue) {
        return Promise.reject(new CodedError('UNAVAILABLE', { retryAfterMs: 1_000 }));
      }
      return new Promise((resolve, reject) => {
        queue.push({ draft, resolve, reject });
        gather();
      });
    },
    async close() {
      closed = true;
      if (lanes > 0 || queue.length > 0) await new Promise<void>((resolve) => (whenIdle = resolve));
    },
  };
}

function messageOf(row: NewMessage, sentAt: string): Message {
  return {
    id: row.id,
    conversationId: row.conversationId,
    seq: row.seq,
    rev: row.rev,
    senderId: row.senderId,
    clientMessageId: row.clientMessageId,
    body: { kind: 'text', text: row.text },
    sentAt,
  };
}
