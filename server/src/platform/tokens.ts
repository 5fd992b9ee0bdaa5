import { createHash } from 'node:crypto';

/** What is stored of a token: with 256 random bits there is nothing to guess, so a plain hash does. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
