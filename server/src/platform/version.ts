import { contractVersion } from '@zvonok/shared';

/**
 * Whether a client of this contract version is served: the same major, and this or the previous minor; a newer
 * minor too, since a deploy may reach the web files first. A client that names none is a script and is served.
 */
export function isServedVersion(version: unknown): boolean {
  if (version === undefined) return true;
  const theirs = parse(version);
  const ours = parse(contractVersion);
  return (
    theirs !== undefined &&
    ours !== undefined &&
    theirs.major === ours.major &&
    theirs.minor >= ours.minor - 1
  );
}

function parse(version: unknown): { major: number; minor: number } | undefined {
  const match = typeof version === 'string' ? /^(\d{1,4})\.(\d{1,4})$/.exec(version) : null;
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}
