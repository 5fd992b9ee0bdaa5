import Type, { type Static } from 'typebox';
import { CardPin, CardToken } from './accounts.cards.ts';
import { memberProcedure, nullable, oneOf, perMinute, procedures, strict, Time } from './contract.ts';
import { MembershipId, RosterEntryId } from './ids.ts';
import { FullName } from './school.objects.ts';

/** The card that a pupil signs in with; its token and PIN are known to whoever holds the paper alone. */
export const Card = strict({
  issuedAt: Time,
  lastUsedAt: nullable(Time),
  /** `locked`: for a while, by wrong PINs; `spent`: for good, a new one is due. */
  state: oneOf(['good', 'locked', 'spent']),
});
export type Card = Static<typeof Card>;

/** A new card. Token and PIN are answered once, for printing. */
const IssuedCard = strict({
  membershipId: MembershipId,
  fullName: FullName,
  groupName: Type.String(),
  token: CardToken,
  pin: CardPin,
});

export const cardIssueProcedures = procedures('school', {
  issueCard: memberProcedure({
    summary:
      'Gives a pupil a card to sign in with. Token and PIN are answered once. An earlier card and the sessions begun by it end at once.',
    input: { membershipId: MembershipId },
    output: IssuedCard,
    errors: ['NOT_FOUND', 'CARD_REFUSED'],
    limit: perMinute(120),
  }),
  admitWithCard: memberProcedure({
    summary:
      'Makes an expected pupil who has no phone a member, with a card to sign in with. Token and PIN are answered once.',
    input: { entryId: RosterEntryId },
    output: IssuedCard,
    errors: ['NOT_FOUND', 'CARD_REFUSED'],
    limit: perMinute(120),
  }),
  revokeCard: memberProcedure({
    summary: 'Ends a pupil’s card and the sessions begun by it. Ending it again changes nothing.',
    input: { membershipId: MembershipId },
    output: strict({}),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
});
