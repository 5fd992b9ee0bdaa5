import type { ConversationKind, GroupId, MembershipId, SchoolId } from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';

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
