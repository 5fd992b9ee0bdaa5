import {
  CodedError,
  type ConversationId,
  type ConversationKind,
  type GroupId,
  type MembershipId,
  type SchoolId,
} from '@zvonok/shared';
import type { Reader } from '../platform/database.ts';
import type { Actor } from '../platform/procedures.ts';
import { findOwnConversation } from './chat.store.ts';

/** What decides about a conversation for one of its members. */
export interface ConversationFacts {
  readonly schoolId: SchoolId;
  readonly id: ConversationId;
  readonly kind: ConversationKind;
  readonly channel: 'general' | 'staff' | null;
  readonly title: string | null;
  readonly groupId: GroupId | null;
  readonly subject: string | null;
  readonly firstId: MembershipId | null;
  readonly secondId: MembershipId | null;
  readonly memberCount: number;
  readonly lastSeq: number;
  readonly rev: number;
  readonly createdAt: Date;
  readonly archivedAt: Date | null;
  /** The member's own part. */
  readonly reader: boolean;
  readonly joinedSeq: number;
  readonly readSeq: number;
}

type PostingFacts = Pick<ConversationFacts, 'archivedAt' | 'reader'>;

/**
 * Whether a member may write: whom the table lets write is decided when people are put into a conversation (`reader`),
 * in the same transaction as any change of their rights. A direct chat asks the contact policy besides, at each send.
 */
export function canPost(facts: PostingFacts, mayContact: boolean): boolean {
  return refusalToPost(facts, mayContact) === undefined;
}

export function refusalToPost(facts: PostingFacts, mayContact: boolean): CodedError | undefined {
  if (facts.archivedAt !== null) return new CodedError('CONVERSATION_LOCKED');
  if (facts.reader || !mayContact) return new CodedError('READ_ONLY');
  return undefined;
}

/** The other person of a direct chat; undefined in every other kind. */
export function otherOf(
  facts: Pick<ConversationFacts, 'firstId' | 'secondId'>,
  membershipId: MembershipId,
): MembershipId | undefined {
  if (facts.firstId === null || facts.secondId === null) return undefined;
  return facts.firstId === membershipId ? facts.secondId : facts.firstId;
}

/** The conversation as this member may read it. @throws NOT_FOUND for an absent one and for a stranger alike. */
export async function requireConversation(
  reader: Reader,
  actor: Pick<Actor, 'schoolId' | 'membershipId'>,
  conversationId: ConversationId,
): Promise<ConversationFacts> {
  const facts = await findOwnConversation(reader, actor, conversationId);
  if (facts === undefined) throw new CodedError('NOT_FOUND');
  return facts;
}
