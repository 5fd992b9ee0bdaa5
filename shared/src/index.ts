import { cardProcedures } from './accounts.cards.ts';
import { passkeyProcedures } from './accounts.passkeys.ts';
import { accountsEvents, accountsProcedures } from './accounts.ts';
import { callsEvents, callsProcedures } from './calls.ts';
import { chatEvents, chatProcedures } from './chat.ts';
import type { PayloadOf } from './contract.ts';
import { deskProcedures } from './desk.ts';
import { cardIssueProcedures } from './school.cards.ts';
import { guardianEvents, guardianProcedures } from './school.guardians.ts';
import { inviteEvents, inviteProcedures } from './school.invites.ts';
import { joiningEvents, joiningProcedures } from './school.joining.ts';
import { movementProcedures } from './school.movement.ts';
import { noticeEvents, noticeProcedures } from './school.notices.ts';
import { overviewProcedures } from './school.overview.ts';
import { peopleProcedures } from './school.people.ts';
import { requestEvents, requestProcedures } from './school.requests.ts';
import { rolloverProcedures } from './school.rollover.ts';
import { rosterEvents, rosterProcedures } from './school.roster.ts';
import { schoolEvents, schoolProcedures } from './school.ts';

export * from './accounts.cards.ts';
export * from './accounts.identity.ts';
export * from './accounts.passkeys.ts';
export * from './accounts.ts';
export * from './calls.ts';
export * from './chat.ts';
export * from './contract.ts';
export * from './desk.ts';
export * from './errors.ts';
export * from './ids.ts';
export * from './limits.ts';
export * from './media.ts';
export * from './permissions.ts';
export * from './schemas.ts';
export * from './school.cards.ts';
export * from './school.guardians.ts';
export * from './school.invites.ts';
export * from './school.joining.ts';
export * from './school.movement.ts';
export * from './school.notices.ts';
export * from './school.objects.ts';
export * from './school.overview.ts';
export * from './school.people.ts';
export * from './school.requests.ts';
export * from './school.rollover.ts';
export * from './school.roster.ts';
export * from './school.ts';
export { invitableRoles, roles, staffRoles, standings, vocabularies } from './school.words.ts';

/** Everything that can be called, by name. */
export const procedureContract = {
  ...accountsProcedures,
  ...passkeyProcedures,
  ...cardProcedures,
  ...schoolProcedures,
  ...guardianProcedures,
  ...cardIssueProcedures,
  ...noticeProcedures,
  ...inviteProcedures,
  ...rosterProcedures,
  ...requestProcedures,
  ...overviewProcedures,
  ...joiningProcedures,
  ...peopleProcedures,
  ...movementProcedures,
  ...rolloverProcedures,
  ...chatProcedures,
  ...callsProcedures,
  ...deskProcedures,
} as const;

/** Everything that is emitted, by name. */
export const eventContract = {
  ...accountsEvents,
  ...schoolEvents,
  ...guardianEvents,
  ...noticeEvents,
  ...inviteEvents,
  ...rosterEvents,
  ...requestEvents,
  ...joiningEvents,
  ...chatEvents,
  ...callsEvents,
} as const;

export type ProcedureName = keyof typeof procedureContract;
export type EventName = keyof typeof eventContract;
export type EventPayload<N extends EventName> = PayloadOf<(typeof eventContract)[N]>;
