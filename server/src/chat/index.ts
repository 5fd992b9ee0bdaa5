import type { ConversationId, MembershipId, SchoolId } from '@zvonok/shared';
import type { Reader } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor } from '../platform/procedures.ts';
import type { School } from '../school/index.ts';
import { createChatActions } from './chat.actions.ts';
import { createCommitter } from './chat.committer.ts';
import { createFollowing, handPicked } from './chat.members.ts';
import { type ConversationFacts, requireConversation } from './chat.policy.ts';
import { mountChat } from './chat.routes.ts';
import { listConversationIds } from './chat.store.ts';

export type { ConversationFacts } from './chat.policy.ts';

/** What chat asks of its neighbours; `app.ts` plugs them in. */
export interface ChatNeighbours {
  readonly school: Pick<
    School,
    | 'expectedMembersOf'
    | 'groupsOf'
    | 'subjectsOf'
    | 'groupsOfMembers'
    | 'activeOf'
    | 'barredFrom'
    | 'loadFacts'
    | 'describeMembers'
    | 'mayContact'
    | 'inContact'
  >;
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
    handPicked,
    requireConversation: (
      person: Pick<Actor, 'schoolId' | 'membershipId'>,
      id: ConversationId,
      reader: Reader = platform.database,
    ) => requireConversation(reader, person, id),
    postCallCard: actions.postCallCard,
    postStaffNotice: actions.postStaffNotice,
    endCallCard: actions.endCallCard,
    postToChannel: actions.postToChannel,
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
