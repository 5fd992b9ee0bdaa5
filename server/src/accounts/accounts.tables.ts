import type { AccountId, ChallengeId, MembershipId, PasskeyId, SessionId } from '@zvonok/shared';
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const moment = (name: string) => timestamp(name, { withTimezone: true });

/** People who sign in. Global: one person may belong to several schools. */
export const accounts = pgTable(
  'accounts',
  {
    id: uuid().$type<AccountId>().primaryKey(),
    /** E.164. Null: a child who signs in with a card. */
    phone: text().unique(),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** To within `sessionTouchMs`; outlives the sessions. Null: never yet. */
    lastSeenAt: moment('last_seen_at'),
  },
  (table) => [check('accounts_phone_e164', sql`${table.phone} ~ '^\\+[1-9][0-9]{6,14}$'`)],
);

/** Keys that people sign in with (WebAuthn). The secret half never leaves the person's device. */
export const passkeys = pgTable(
  'passkeys',
  {
    id: uuid().$type<PasskeyId>().primaryKey(),
    accountId: uuid('account_id')
      .$type<AccountId>()
      .notNull()
      .references(() => accounts.id),
    /** As the authenticator names it, in base64url. */
    credentialId: text('credential_id').notNull(),
    /** COSE. */
    publicKey: bytea('public_key').notNull(),
    /** Of signatures, as the authenticator last told it; 0 where it keeps none. Going back is the mark of a copy. */
    counter: bigint({ mode: 'number' }).notNull(),
    /** How browsers may reach it (`internal`, `usb`, `hybrid`): hints of theirs. */
    transports: text().array().notNull(),
    name: text().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    lastUsedAt: moment('last_used_at'),
  },
  (table) => [
    uniqueIndex('passkeys_credential').on(table.credentialId),
    index('passkeys_account').on(table.accountId, table.id),
  ],
);

/** Questions that were put to passkeys. A row goes with the first answer, right or wrong, or soon after it expires. */
export const passkeyChallenges = pgTable(
  'passkey_challenges',
  {
    id: uuid().$type<ChallengeId>().primaryKey(),
    purpose: text().$type<'signIn' | 'confirm' | 'register'>().notNull(),
    /** 256 random bits in base64url. */
    challenge: text().notNull(),
    /** The session that asked, and alone may answer; null for a stranger who signs in. */
    sessionId: uuid('session_id').$type<SessionId>(),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [
    index('passkey_challenges_expiry').on(table.expiresAt),
    check('passkey_challenges_purpose', sql`${table.purpose} in ('signIn', 'confirm', 'register')`),
    check('passkey_challenges_asker', sql`(${table.purpose} = 'signIn') = (${table.sessionId} is null)`),
  ],
);

/**
 * Signed-in devices; a row goes when the device is signed out. Tokens are kept as SHA-256 in base64url. While a
 * rotation is under way two or three tokens are good: the current one, the next one that nobody has used yet, and the
 * previous one until `previous_until`.
 */
export const sessions = pgTable(
  'sessions',
  {
    id: uuid().$type<SessionId>().primaryKey(),
    accountId: uuid('account_id')
      .$type<AccountId>()
      .notNull()
      .references(() => accounts.id),
    tokenHash: text('token_hash').notNull(),
    nextTokenHash: text('next_token_hash'),
    previousTokenHash: text('previous_token_hash'),
    previousUntil: moment('previous_until'),
    /** How the token travels; a rotation keeps it, so that a script in a page never gets to read a token. */
    carrier: text().$type<'cookie' | 'bearer'>().notNull(),
    deviceName: text('device_name').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** When the current token was made. */
    rotatedAt: moment('rotated_at').notNull().defaultNow(),
    lastUsedAt: moment('last_used_at').notNull().defaultNow(),
    /** The passkey that it was begun or last confirmed with, for as long as the person has it. */
    passkeyId: uuid('passkey_id')
      .$type<PasskeyId>()
      .references(() => passkeys.id, { onDelete: 'set null' }),
    /** When whoever holds the device last proved to be the person: by a code or with a passkey. */
    confirmedAt: moment('confirmed_at'),
    /** Begun with a card: it ends with the card. */
    byCard: boolean('by_card').notNull().default(false),
    /** Of a device that several people use: it ends with the browser or when nobody is there. */
    shared: boolean().notNull().default(false),
  },
  (table) => [
    uniqueIndex('sessions_token').on(table.tokenHash),
    uniqueIndex('sessions_next_token').on(table.nextTokenHash),
    uniqueIndex('sessions_previous_token').on(table.previousTokenHash),
    index('sessions_account').on(table.accountId),
    index('sessions_passkey').on(table.passkeyId).where(sql`${table.passkeyId} is not null`),
    check('sessions_carrier', sql`${table.carrier} in ('cookie', 'bearer')`),
  ],
);

/** What children without a phone sign in with: a QR code and a PIN on paper. The row goes with the card. */
export const cards = pgTable(
  'cards',
  {
    accountId: uuid('account_id')
      .$type<AccountId>()
      .primaryKey()
      .references(() => accounts.id),
    /** SHA-256 in base64url. */
    tokenHash: text('token_hash').notNull(),
    /** scrypt of the PIN under a key that the database does not hold, with its salt: four digits alone are no secret. */
    pinHash: text('pin_hash').notNull(),
    /** Wrong PINs since the last right one. */
    tries: integer().notNull().default(0),
    lockedUntil: moment('locked_until'),
    issuedAt: moment('issued_at').notNull().defaultNow(),
    /** The membership that gave it out; null: from before it was written down. */
    issuedBy: uuid('issued_by').$type<MembershipId>(),
    lastUsedAt: moment('last_used_at'),
  },
  (table) => [uniqueIndex('cards_token').on(table.tokenHash), index('cards_issuer').on(table.issuedBy)],
);

/** Whose account a person of an identity provider opens. A subject means nothing without its issuer. */
export const identityLinks = pgTable(
  'identity_links',
  {
    issuer: text().notNull(),
    subject: text().notNull(),
    accountId: uuid('account_id')
      .$type<AccountId>()
      .notNull()
      .references(() => accounts.id),
    createdAt: moment('created_at').notNull().defaultNow(),
    lastUsedAt: moment('last_used_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.issuer, table.subject] }),
    // A phone that has gone to somebody else must not give them the account of the one before.
    uniqueIndex('identity_links_account').on(table.accountId, table.issuer),
  ],
);

/**
 * One-time codes that were asked for, to sign in or to confirm a session. There is a row for strangers too, with a code that nobody was sent, so that
 * nothing about the answer depends on who asked. Rows go soon after they expire.
 */
export const codeChallenges = pgTable(
  'code_challenges',
  {
    id: uuid().$type<ChallengeId>().primaryKey(),
    phone: text().notNull(),
    /** The session that it confirms; null: it begins one. */
    sessionId: uuid('session_id').$type<SessionId>(),
    /** HMAC of challenge and code under a key that the database does not hold: six digits alone are no secret. */
    codeHash: text('code_hash').notNull(),
    /** Whether an account is made at the right code: the phone came with an open invite. */
    mayRegister: boolean('may_register').notNull(),
    tries: integer().notNull().default(0),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    usedAt: moment('used_at'),
  },
  (table) => [
    index('code_challenges_expiry').on(table.expiresAt),
    index('code_challenges_phone').on(table.phone).where(sql`${table.usedAt} is null`),
    check('code_challenges_purpose', sql`${table.sessionId} is null or not ${table.mayRegister}`),
  ],
);
