import { clientLimits } from '@zvonok/shared/limits.ts';

/**
 * How far one conversation is known. Changes are numbered without gaps by `rev`; they are let through in that order
 * and once, and what comes after a gap is held until the gap is filled. Everything up to `known` has been let through.
 */
export class RevisionLine<Change extends { readonly rev: number }> {
  #known: number;
  #heard: number;
  readonly #held = new Map<number, Change>();

  constructor(known: number) {
    this.#known = known;
    this.#heard = known;
  }

  get known(): number {
    return this.#known;
  }

  /** Whether there are changes that we have heard of and do not have. */
  get isBehind(): boolean {
    return this.#heard > this.#known;
  }

  /** How many changes lie between what is known and the last one heard of. */
  get missing(): number {
    return this.#heard - this.#known;
  }

  /** Takes a change that arrived; returns those that may be applied now, in order. */
  offer(change: Change): Change[] {
    if (change.rev <= this.#known) return [];
    this.hear(change.rev);
    // Beyond the bound the change is forgotten but not its number: it is asked for.
    if (this.#held.size < clientLimits.heldEvents || change.rev === this.#known + 1) {
      this.#held.set(change.rev, change);
    }
    return this.#release();
  }

  /** Notes that the conversation has come to `rev`. */
  hear(rev: number): void {
    this.#heard = Math.max(this.#heard, rev);
  }

  /** Everything up to `rev` was fetched; returns held changes that follow it and may be applied now, in order. */
  advance(rev: number): Change[] {
    this.#known = Math.max(this.#known, rev);
    this.hear(rev);
    for (const held of this.#held.keys()) if (held <= this.#known) this.#held.delete(held);
    return this.#release();
  }

  /** The server has no more than what is known: what was heard of is not there. */
  settle(): void {
    this.#held.clear();
    this.#heard = this.#known;
  }

  /** Begins again at `rev`, even if it is lower: the server's history was replaced. */
  restart(rev: number): void {
    this.#held.clear();
    this.#known = rev;
    this.#heard = rev;
  }

  #release(): Change[] {
    const released: Change[] = [];
    for (;;) {
      const next = this.#held.get(this.#known + 1);
      if (next === undefined) return released;
      this.#held.delete(next.rev);
      this.#known = next.rev;
      released.push(next);
    }
  }
}
