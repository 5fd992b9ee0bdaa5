/**
 * The one catalogue of refusals. Every procedure names the codes it may answer; anything else becomes
 * `INTERNAL` with an incident id. `retry` is the advice a client follows without knowing the procedure:
 * `never` (the same input will be refused again), `later` (same input, after `retryAfterMs` or a backoff),
 * `afterSignIn`, `afterUpdate`, `afterConfirmation` (same input, once the session was confirmed).
 */
export interface ErrorEntry {
  readonly status: number;
  readonly retry: 'never' | 'later' | 'afterSignIn' | 'afterUpdate' | 'afterConfirmation';
  readonly meaning: string;
}

export const errorCatalogue = {
  VALIDATION: {
    status: 400,
    retry: 'never',
    meaning: 'The input does not have the shape that the contract asks for.',
  },
  UNAUTHENTICATED: { status: 401, retry: 'afterSignIn', meaning: 'No valid session came with the request.' },
  FORBIDDEN: {
    status: 403,
    retry: 'never',
    meaning: 'The caller may know the object but not do this with it.',
  },
  ORIGIN_REFUSED: {
    status: 403,
    retry: 'never',
    meaning: 'The request comes from a site that this server does not serve.',
  },
  NOT_FOUND: {
    status: 404,
    retry: 'never',
    meaning: 'There is no such object, or it is not yours: the answer is the same.',
  },
  CONFLICT: {
    status: 409,
    retry: 'never',
    meaning: 'The object has changed, or the id was used for something else.',
  },
  TOO_LARGE: { status: 413, retry: 'never', meaning: 'The input is larger than the limit.' },
  UNSUPPORTED_TYPE: { status: 415, retry: 'never', meaning: 'The content type is not accepted here.' },
  CLIENT_OUTDATED: {
    status: 426,
    retry: 'afterUpdate',
    meaning: 'The client speaks a contract version that is no longer served.',
  },
  RATE_LIMITED: { status: 429, retry: 'later', meaning: 'Too many requests; try again after retryAfterMs.' },
  INTERNAL: {
    status: 500,
    retry: 'later',
    meaning: 'Our fault; quote the incident id to the administrator.',
  },
  UNAVAILABLE: { status: 503, retry: 'later', meaning: 'A part that is needed is away at the moment.' },
  TIMEOUT: {
    status: 504,
    retry: 'later',
    meaning: 'The procedure took longer than it may; it may or may not have happened.',
  },

  PHONE_INVALID: {
    status: 400,
    retry: 'never',
    meaning: 'This is not a phone number that can receive a code.',
  },
  CODE_WRONG: { status: 400, retry: 'never', meaning: 'The code is wrong, used, or no longer valid.' },
  CONFIRMATION_REQUIRED: {
    status: 403,
    retry: 'afterConfirmation',
    meaning:
      'This action needs a session that was confirmed a moment ago: by a code (`accounts.requestConfirmation`, `accounts.confirm`) or a passkey. Then the same call again.',
  },

  CARD_WRONG: {
    status: 400,
    retry: 'never',
    meaning: 'The card or its PIN is wrong, or the card has been replaced or ended.',
  },
  CARD_LOCKED: {
    status: 429,
    retry: 'later',
    meaning: 'Too many wrong PINs: the card works after retryAfterMs, and without it never again.',
  },
  CARD_REFUSED: {
    status: 409,
    retry: 'never',
    meaning:
      'A card is for a pupil who is nothing else anywhere and has no phone: whoever has one, on the roster too, signs in by it.',
  },

  PASSKEY_INVALID: {
    status: 400,
    retry: 'never',
    meaning: 'The passkey is not known here, or its answer is wrong, used or too late.',
  },
  PASSKEY_REQUIRED: {
    status: 403,
    retry: 'afterSignIn',
    meaning: 'This needs a session that was begun or confirmed with a passkey.',
  },
  PASSKEYS_FULL: {
    status: 409,
    retry: 'never',
    meaning: 'The person has as many passkeys as they may have.',
  },
  LAST_PASSKEY: { status: 409, retry: 'never', meaning: 'An operator always keeps at least one passkey.' },

  INVITE_INVALID: {
    status: 410,
    retry: 'never',
    meaning: 'The invite does not exist, has expired, was annulled or is used up.',
  },
  ALREADY_MEMBER: { status: 409, retry: 'never', meaning: 'The person already has this role here.' },
  GROUP_TAKEN: { status: 409, retry: 'never', meaning: 'The pupil already has an active group.' },
  ASKED_TOO_SOON: {
    status: 409,
    retry: 'never',
    meaning: 'The school has declined this a short time ago; data.until says when one may ask again.',
  },
  LAST_ADMIN: {
    status: 409,
    retry: 'never',
    meaning: 'A school always keeps at least one active administrator.',
  },
  ADMIN_PRESENT: {
    status: 409,
    retry: 'never',
    meaning:
      'The school has an administrator who was here lately: they appoint the next one, not the operator.',
  },
  WRONG_ROLE: {
    status: 409,
    retry: 'never',
    meaning: 'This needs a membership of another role, or a verified one.',
  },
  NAME_TAKEN: { status: 409, retry: 'never', meaning: 'Another object of the school has this name.' },

  IMPORT_STALE: {
    status: 409,
    retry: 'never',
    meaning: 'The school has changed since the preview of the import was made: give the file in again.',
  },
  REQUEST_CLOSED: {
    status: 409,
    retry: 'never',
    meaning: 'The request was decided by somebody else, withdrawn, or has expired.',
  },
  REQUEST_STALE: {
    status: 409,
    retry: 'never',
    meaning: 'What was asked for can’t be done as things are now; data.code says why.',
  },
  REQUESTS_FULL: {
    status: 409,
    retry: 'never',
    meaning: 'The person has as many open requests as they may have.',
  },
  UNDO_EXPIRED: {
    status: 410,
    retry: 'never',
    meaning: 'The time in which this could be taken back is over.',
  },
  ROLLOVER_CHANGED: {
    status: 409,
    retry: 'never',
    meaning: 'What the rollover rests on has changed since; data.changes names it.',
  },

  SCHOOL_SUSPENDED: {
    status: 403,
    retry: 'never',
    meaning: 'The operator has suspended the school; nothing of it is lost.',
  },

  READ_ONLY: {
    status: 403,
    retry: 'never',
    meaning: 'The caller may read this conversation and not write to it.',
  },
  CONVERSATION_LOCKED: {
    status: 403,
    retry: 'never',
    meaning: 'The conversation is archived or closed for writing.',
  },

  CALLS_PREPARING: {
    status: 503,
    retry: 'later',
    meaning: 'The media worker is being prepared; retryAfterMs says for how long.',
  },
  CALLS_UNAVAILABLE: {
    status: 503,
    retry: 'later',
    meaning: 'This server has no media worker; its technician is told what to run.',
  },
  CALL_ENDED: { status: 410, retry: 'never', meaning: 'The call has ended.' },
  CALL_FULL: { status: 409, retry: 'later', meaning: 'The call has as many people as it can carry.' },
  REMOVED_FROM_CALL: {
    status: 403,
    retry: 'never',
    meaning: 'The host has removed this person from the call.',
  },
  CALL_IN_PROGRESS: {
    status: 409,
    retry: 'never',
    meaning: 'The conversation already has a live call; data.callId names it.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

/** What travels: an HTTP body, the `error` of a socket ack, the `error` of a signalling reply. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Codes that any procedure may answer without naming them. */
export const universalErrors = [
  'VALIDATION',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'SCHOOL_SUSPENDED',
  'ORIGIN_REFUSED',
  'TOO_LARGE',
  'UNSUPPORTED_TYPE',
  'CLIENT_OUTDATED',
  'RATE_LIMITED',
  'INTERNAL',
  'UNAVAILABLE',
  'TIMEOUT',
] as const satisfies readonly ErrorCode[];

/** A refusal with a catalogued code. The only kind of error that an action throws on purpose. */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: ErrorCode,
    options: {
      message?: string;
      retryAfterMs?: number;
      data?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(
      options.message ?? errorCatalogue[code].meaning,
      'cause' in options ? { cause: options.cause } : undefined,
    );
    this.name = 'CodedError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.data = options.data;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.data === undefined ? {} : { data: this.data }),
    };
  }
}

/**
 * Why the server ended a connection. `reconnect` is the advice: `no` (the reason will still hold), `soon` (with a
 * random delay of up to the given milliseconds), `afterSignIn`. WebSocket close codes lie in the private band:
 * 4000-4499 reconnect, 4500-4999 do not. Over Socket.IO the reason travels as the event `farewellEvent` before the cut.
 */
export const disconnectCatalogue = {
  SERVER_STOPPING: { closeCode: 4000, reconnect: 'soon', meaning: 'The server is restarting.' },
  SLOW_READER: { closeCode: 4001, reconnect: 'soon', meaning: 'The client did not read what it was sent.' },
  ROOM_MOVED: {
    closeCode: 4002,
    reconnect: 'soon',
    meaning: 'The media room reopens elsewhere; ask for a new ticket.',
  },
  PEER_TIMEOUT: { closeCode: 4003, reconnect: 'soon', meaning: 'The peer did not answer in time.' },
  SESSION_ENDED: { closeCode: 4500, reconnect: 'afterSignIn', meaning: 'The session was ended.' },
  BAD_MESSAGE: {
    closeCode: 4501,
    reconnect: 'no',
    meaning: 'The client sent what the protocol does not allow.',
  },
  CALL_ENDED: { closeCode: 4502, reconnect: 'no', meaning: 'The host has ended the call.' },
  REMOVED_FROM_CALL: { closeCode: 4503, reconnect: 'no', meaning: 'The host has removed this person.' },
  TICKET_INVALID: {
    closeCode: 4504,
    reconnect: 'no',
    meaning: 'The ticket is used, expired or for another room.',
  },
  REPLACED: {
    closeCode: 4505,
    reconnect: 'no',
    meaning: 'The same person joined from another tab or device.',
  },
  ACCESS_ENDED: {
    closeCode: 4506,
    reconnect: 'no',
    meaning: 'The person no longer has the right to be here.',
  },
} as const;
export type DisconnectCode = keyof typeof disconnectCatalogue;

/** The Socket.IO event that tells a client why it is about to be cut: `{code, closeCode, reconnect, meaning}` of the list above. */
export const farewellEvent = 'connection.closing';
