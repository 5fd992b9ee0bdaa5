import type { ConversationMember, MembershipId } from '@zvonok/client-sdk';

/** The members of a conversation by id: names of senders, badges, presence. Empty until they are loaded. */
export type People = ReadonlyMap<MembershipId, ConversationMember>;

export function peopleOf(members: readonly ConversationMember[] | undefined): People {
  return new Map((members ?? []).map((member) => [member.membershipId, member]));
}
