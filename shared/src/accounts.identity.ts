/** Where a browser begins to sign in by the region's identity provider. */
export const identityStartPath = '/api/auth/oidc/start';

/**
 * Why the identity provider's word lets nobody in, as the sign-in page is told in `?refused=`: `noAccount` (no account has
 * this phone, or it is linked to somebody else of that provider), `noPhone` (the provider has verified none), `operator` (who
 * runs the server has other ways in), `expired` (begun too long ago, in another browser, or answered before), `cancelled`,
 * `unavailable`.
 */
export const identityRefusals = [
  'noAccount',
  'noPhone',
  'operator',
  'expired',
  'cancelled',
  'unavailable',
] as const;
export type IdentityRefusal = (typeof identityRefusals)[number];
