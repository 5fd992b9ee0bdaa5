import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type AccountId,
  type CallId,
  CodedError,
  callLimits,
  type MembershipId,
  type SchoolId,
  type SessionId,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';

/** Whom a ticket is for. What they may do is not in it: that is asked when it is used. */
export interface TicketClaims {
  readonly schoolId: SchoolId;
  readonly callId: CallId;
  readonly membershipId: MembershipId;
  readonly accountId: AccountId;
  readonly sessionId: SessionId;
}

/**
 * Signs and redeems tickets. Each works once and for a minute.
 *
 * NOTE: which were used is known to this process: a call's media lives on the one node that its tickets are shown to.
 */
export class TicketOffice {
  readonly #key: Buffer;
  /** Used ids and when they may be forgotten; insertion order is about age order. */
  readonly #used = new Map<string, number>();

  constructor(key: Buffer) {
    this.#key = key;
  }

  issue(claims: TicketClaims): { readonly ticket: string; readonly expiresAt: Date } {
    const expiresAt = new Date(Date.now() + callLimits.ticketLifeMs);
    const { schoolId, callId, membershipId, accountId, sessionId } = claims;
    const fields = [uuid(), expiresAt.getTime(), schoolId, callId, membershipId, accountId, sessionId];
    const payload = Buffer.from(JSON.stringify(fields)).toString('base64url');
    return { ticket: `${payload}.${this.#sign(payload).toString('base64url')}`, expiresAt };
  }

  /** The claims of a ticket that is ours, in time and not used before; from now on it is used. @throws UNAUTHENTICATED */
  redeem(ticket: string): TicketClaims {
    const [payload = '', signature = '', ...rest] = ticket.split('.');
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#sign(payload);
    if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw refused();
    }
    // Signed by us, so it has the shape that we gave it.
    const [id, expiresAt, schoolId, callId, membershipId, accountId, sessionId] = JSON.parse(
      Buffer.from(payload, 'base64url').toString(),
    ) as [string, number, SchoolId, CallId, MembershipId, AccountId, SessionId];
    const now = Date.now();
    if (now > expiresAt || this.#used.has(id)) throw refused();
    for (const [used, until] of this.#used) {
      if (until > now) break;
      this.#used.delete(used);
    }
    this.#used.set(id, expiresAt);
    return { schoolId, callId, membershipId, accountId, sessionId };
  }

  #sign(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}

function refused(): CodedError {
  return new CodedError('UNAUTHENTICATED', { message: 'The ticket is used, expired or none of ours.' });
}
