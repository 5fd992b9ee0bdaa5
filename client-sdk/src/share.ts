/**
 * `next` with every part that equals the one before replaced by it, so that what did not change is the same object.
 * Participants are matched by their membership: somebody who leaves does not renew the others.
 */
export function share<T>(before: T | undefined, next: T): T {
  if (Object.is(before, next) || !isPlain(before) || !isPlain(next)) return next;
  if (Array.isArray(next)) {
    const earlier = before as unknown as readonly { readonly membershipId?: unknown }[];
    const shared = next.map((item: { readonly membershipId?: unknown }, index) =>
      share(
        item.membershipId === undefined
          ? earlier[index]
          : earlier.find((each) => each.membershipId === item.membershipId),
        item,
      ),
    );
    const same = shared.length === earlier.length && shared.every((item, index) => item === earlier[index]);
    return same ? before : (shared as T);
  }
  const shared: Record<string, unknown> = {};
  let same = true;
  for (const [key, value] of Object.entries(next)) {
    const earlier = (before as Record<string, unknown>)[key];
    shared[key] = share(earlier, value);
    if (!Object.is(shared[key], earlier)) same = false;
  }
  return same ? before : (shared as T);
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
