import Type, { type Static } from 'typebox';
import { Carrier, Shared, SignedIn } from './accounts.ts';
import { accountProcedure, perMinute, procedures, publicProcedure, strict } from './contract.ts';
import { accountLimits } from './limits.ts';

/** 256 random bits in base64url: what a card's QR code holds. A link carries it behind `#`, as invites do. */
export const CardToken = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
/** What the child knows besides: printed apart from the QR code. */
export const CardPin = Type.String({ pattern: `^[0-9]{${accountLimits.cardPinLength}}$` });
export type CardToken = Static<typeof CardToken>;

/** Signing in without a phone: by a card with a QR code and a PIN, which a pupil’s school gives out. */
export const cardProcedures = procedures('accounts', {
  signInByCard: publicProcedure({
    summary:
      'Exchanges a card and its PIN for a session. Wrong PINs lock the card: for a while after 5, for good after 15 in a row; the class teacher is told.',
    input: {
      token: CardToken,
      pin: CardPin,
      carrier: Carrier,
      deviceName: Type.Optional(Type.String({ minLength: 1, maxLength: accountLimits.deviceNameLength })),
      shared: Shared,
    },
    output: SignedIn,
    errors: ['CARD_WRONG', 'CARD_LOCKED'],
    /** A school signs in from one address at 8:00; guesses are bounded by the card. */
    limit: perMinute(1_200),
  }),
  keepSession: accountProcedure({
    summary: 'Somebody is at the device: a session of a shared device ends without this.',
    input: {},
    output: strict({}),
    limit: perMinute(20),
  }),
});
