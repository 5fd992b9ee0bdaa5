import type { MembershipId } from '@zvonok/shared';
import { chatLimits } from '@zvonok/shared/limits.ts';

/** Who writes in one conversation at the moment, and when the others are to be told of oneself. */
export class Typing {
  readonly #changed: () => void;
  readonly #others = new Map<MembershipId, ReturnType<typeof setTimeout>>();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get others(): readonly MembershipId[] {
    return [...this.#others.keys()];
  }

  started(membershipId: MembershipId): void {
    const before = this.#others.get(membershipId);
    clearTimeout(before);
    this.#others.set(
      membershipId,
      setTimeout(() => this.forget(membershipId), chatLimits.typingMs),
    );
    if (before === undefined) this.#changed();
  }

  forget(membershipId: MembershipId): void {
    const timer = this.#others.get(membershipId);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#others.delete(membershipId);
    this.#changed();
  }

  /** Whether the others are to be told of this keystroke; they count as told then. */
  mustTell(): boolean {
    const now = performance.now();
    // A little more often than the others forget.
    if (now - this.#toldAt < chatLimits.typingMs * 0.7) return false;
    this.#toldAt = now;
    return true;
  }

  /** What was written is sent: the next keystroke begins another message. */
  sent(): void {
    this.#toldAt = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    for (const timer of this.#others.values()) clearTimeout(timer);
    this.#others.clear();
  }
}
