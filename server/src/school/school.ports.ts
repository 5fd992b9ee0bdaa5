import type { ConversationId, ConversationKind, GroupId, MembershipId, SchoolId } from '@zvonok/shared';
import type { Reader, Transaction } from '../platform/database.ts';

/** What changed among a school's people; whoever keeps something that depends on them follows in the same transaction. */
export interface PeopleChange {
  readonly schoolId: SchoolId;
  /** The school is new: its channels and its staff conversation are due. */
  readonly schoolCreated?: true;
  /** Groups that were made or archived, or whose teachers or subjects changed. */
  readonly groupIds?: readonly GroupId[];
  /** People who came, left, were verified, attached, linked, or lost one of these. */
  readonly membershipIds?: readonly MembershipId[];
  /** Kinds of conversations in which other rules say now who reads and who writes. */
  readonly kinds?: readonly ConversationKind[];
  /** Groups that have another name, or were archived or opened again, while their people stayed. */
  readonly renamedGroupIds?: readonly GroupId[];
  /** People who have another name and nothing else. */
  readonly renamedIds?: readonly MembershipId[];
  /** People, named in `membershipIds` too, who are back as if they had never left at that moment. */
  readonly returned?: { readonly membershipIds: readonly MembershipId[]; readonly leftAt: Date };
}

/** Conversations that people were put into by hand: nothing but a hand takes them over. */
export interface HandPicked {
  list(
    reader: Reader,
    person: { readonly schoolId: SchoolId; readonly membershipId: MembershipId },
  ): Promise<{ readonly conversationId: ConversationId; readonly title: string | null }[]>;
  /** Puts `to` in the place of `from`, in all of these or in none. @throws CodedError NOT_FOUND */
  handOver(
    tx: Transaction,
    people: { readonly schoolId: SchoolId; readonly from: MembershipId; readonly to: MembershipId },
    conversationIds: readonly ConversationId[],
  ): Promise<void>;
}

/**
 * Writes to a channel as this member, who must be one who may, in the transaction that says so. `author`: whose words
 * they are, where they are somebody else's.
 *
 * @throws CodedError READ_ONLY, NOT_FOUND
 */
export type PostToChannel = (
  tx: Transaction,
  by: { readonly schoolId: SchoolId; readonly membershipId: MembershipId },
  post: { readonly channel: 'general' | 'staff'; readonly text: string; readonly author: string },
) => Promise<void>;

export type PeopleChanged = (tx: Transaction, change: PeopleChange) => Promise<void>;
