import Type, { type Static } from 'typebox';

declare const brand: unique symbol;
/** A string that the compiler keeps apart from every other kind of id. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

/**
 * Schema of one kind of id: a UUID in lower case (the app mints version 7, so ids sort by the time they were made).
 * Upper case is refused, so that one object has one spelling everywhere.
 */
function id<const Name extends string>(name: Name) {
  return Type.Unsafe<Branded<Name>>(
    Type.String({
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
      description: `id of ${name}`,
    }),
  );
}

export const AccountId = id('account');
export type AccountId = Static<typeof AccountId>;
export const SessionId = id('session');
export type SessionId = Static<typeof SessionId>;
export const ChallengeId = id('challenge');
export type ChallengeId = Static<typeof ChallengeId>;
export const PasskeyId = id('passkey');
export type PasskeyId = Static<typeof PasskeyId>;
export const SchoolId = id('school');
export type SchoolId = Static<typeof SchoolId>;
export const GroupId = id('group');
export type GroupId = Static<typeof GroupId>;
export const MembershipId = id('membership');
export type MembershipId = Static<typeof MembershipId>;
export const InviteId = id('invite');
export type InviteId = Static<typeof InviteId>;
/** Somebody's wish to join a school, as the school decides it. */
export const JoinRequestId = id('joinRequest');
export type JoinRequestId = Static<typeof JoinRequestId>;
/** Somebody whom a school expects. */
export const RosterEntryId = id('rosterEntry');
export type RosterEntryId = Static<typeof RosterEntryId>;
/** A file of people that an administrator gave in, and what it would change. */
export const ImportId = id('import');
export type ImportId = Static<typeof ImportId>;
/** A school's application to be let onto this server. */
export const ApplicationId = id('application');
export type ApplicationId = Static<typeof ApplicationId>;
/** What an operator did. */
export const OperatorRecordId = id('operatorRecord');
export type OperatorRecordId = Static<typeof OperatorRecordId>;
export const AuditRecordId = id('auditRecord');
export type AuditRecordId = Static<typeof AuditRecordId>;
/** Something that a school's administrators are told and look after. */
export const NoticeId = id('notice');
export type NoticeId = Static<typeof NoticeId>;
/** Somebody's request to those who may do what they may not. */
export const RequestId = id('request');
export type RequestId = Static<typeof RequestId>;
/** One turn of the school year. */
export const RolloverId = id('rollover');
export type RolloverId = Static<typeof RolloverId>;
export const ConversationId = id('conversation');
export type ConversationId = Static<typeof ConversationId>;
export const MessageId = id('message');
export type MessageId = Static<typeof MessageId>;
/** Minted by the client, once per message it composes; the server deduplicates on (sender, clientMessageId) for ever. */
export const ClientMessageId = id('clientMessage');
export type ClientMessageId = Static<typeof ClientMessageId>;
export const CallId = id('call');
export type CallId = Static<typeof CallId>;
/** One presence of a person in a live room; a person who joins twice has two. */
export const PeerId = id('peer');
export type PeerId = Static<typeof PeerId>;
