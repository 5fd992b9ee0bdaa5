import type { ConversationId, GroupId, MembershipId, Role, SchoolId } from '@zvonok/shared';
import type { Database, Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import { createChatActions } from './chat.actions.ts';
import { createCommitter } from './chat.committer.ts';
import { createFollowing } from './chat.members.ts';
import { type ConversationFacts, requireConversation } from './chat.policy.ts';
import { mountChat } from './chat.routes.ts';
import { isMember, listConversationIds } from './chat.store.ts';

export type { ConversationFacts } from './chat.policy.ts';

type Reader = Database | Transaction;

/** What changed among a school's people; conversations and their members follow it in the same transaction. */
export interface PeopleChange {
  readonly schoolId: SchoolId;
  /** The school is new: its channels and its staff conversation are made. */
  readonly schoolCreated?: true;
  /** Groups that were made, renamed or archived, or whose subjects changed. */
  readonly groupIds?: readonly GroupId[];
  /** People who came, left, were verified, attached, linked, or lost one of these. */
  readonly membershipIds?: readonly MembershipId[];
}

/** What chat asks of its neighbours; `app.ts` plugs them in. */
export interface ChatNeighbours {
  readonly school: {
    /** Who belongs by themselves to a conversation, of `only` these people where given. */
    expectedMembersOf(
      tx: Transaction,
      conversation: Pick<ConversationFacts, 'schoolId' | 'kind' | 'channel' | 'groupId' | 'subject'>,
      only?: readonly MembershipId[],
    ): Promise<readonly { readonly membershipId: MembershipId; readonly reader: boolean }[]>;
    groupsOf(
      tx: Transaction,
      schoolId: SchoolId,
      ids: readonly GroupId[],
    ): Promise<
      readonly {
        readonly id: GroupId;
        readonly name: string;
        readonly kind: string;
        readonly archivedAt: Date | null;
      }[]
    >;
    subjectsOf(
      tx: Transaction,
      schoolId: SchoolId,
      groupIds: readonly GroupId[],
    ): Promise<readonly { readonly groupId: GroupId; readonly subject: string }[]>;
    groupsOfMembers(
      tx: Transaction,
      schoolId: SchoolId,
      membershipIds: readonly MembershipId[],
    ): Promise<readonly GroupId[]>;
    /** Those of the memberships that are active. */
    activeOf(
      tx: Transaction,
      schoolId: SchoolId,
      membershipIds: readonly MembershipId[],
    ): Promise<ReadonlySet<MembershipId>>;
    describeMembers(
      schoolId: SchoolId,
      ids: readonly MembershipId[],
    ): Promise<
      ReadonlyMap<
        MembershipId,
        { readonly fullName: string; readonly role: Role; readonly verified: boolean }
      >
    >;
    /** The contact policy for direct chats. */
    mayContact(reader: Reader, schoolId: SchoolId, from: MembershipId, to: MembershipId): Promise<boolean>;
  };
  mayStartCall(actor: Actor, facts: ConversationFacts): Promise<boolean>;
  isOnline(membershipId: MembershipId): boolean;
}

/** The chat room: conversations, messages, read marks, presence. */
export function createChat(platform: Platform, neighbours: ChatNeighbours) {
  const committer = createCommitter(platform.database, neighbours.school.mayContact);
  const actions = createChatActions(platform, neighbours, committer);
  return {
    procedures: mountChat(actions),
    followPeople: createFollowing(neighbours.school),
    requireConversation: (actor: Actor, id: ConversationId, reader: Reader = platform.database) =>
      requireConversation(reader, actor, id),
    isMember: (schoolId: SchoolId, conversationId: ConversationId, membershipId: MembershipId) =>
      isMember(platform.database, { schoolId, membershipId }, conversationId),
    postCallCard: actions.postCallCard,
    endCallCard: actions.endCallCard,
    announcePresence: actions.announcePresence,
    /** The conversations that each of these memberships hears. */
    async conversationIdsOf(
      people: readonly { readonly schoolId: SchoolId; readonly membershipId: MembershipId }[],
    ): Promise<ReadonlyMap<MembershipId, ConversationId[]>> {
      const ids = new Map<MembershipId, ConversationId[]>();
      for (const row of await listConversationIds(platform.database, people)) {
        ids.set(row.membershipId, [...(ids.get(row.membershipId) ?? []), row.conversationId]);
      }
      return ids;
    },
    /** What was accepted is committed before this resolves. */
    close: () => committer.close(),
  };
}

export type Chat = ReturnType<typeof createChat>;
