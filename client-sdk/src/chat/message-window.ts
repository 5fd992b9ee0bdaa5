import type { Message } from '@zvonok/shared';

/**
 * The newest messages of a conversation, from some `seq` to its end, without a hole. Messages are applied in any order
 * and any number of times: the one with the higher `rev` stays.
 */
export class MessageWindow {
  #messages: Message[] = [];
  #firstSeq = 1;

  /** Starts with the newest page, in rising seq. */
  constructor(newest: readonly Message[]) {
    const start = startOfUnbrokenEnd(newest);
    this.#messages = newest.slice(start);
    this.#firstSeq = this.#messages[0]?.seq ?? 1;
  }

  /** In rising seq. Changes in place: whoever keeps it makes a copy. */
  get messages(): readonly Message[] {
    return this.#messages;
  }
  /** Seq of the first message, or 1 while there is none. */
  get firstSeq(): number {
    return this.#firstSeq;
  }
  /** Seq of the last message, or 0 while there is none. */
  get lastSeq(): number {
    return this.#firstSeq + this.#messages.length - 1;
  }
  get hasOlder(): boolean {
    return this.#firstSeq > 1;
  }

  /**
   * `appended` at the end; `changed` in place; `same` where what we hold is as new; `outside` before the window;
   * `hole` where messages between the end and this one are missing: it is not taken.
   */
  apply(message: Message): 'appended' | 'changed' | 'same' | 'outside' | 'hole' {
    if (message.seq < this.#firstSeq) return 'outside';
    const index = message.seq - this.#firstSeq;
    if (index > this.#messages.length) return 'hole';
    const held = this.#messages[index];
    if (held === undefined) {
      this.#messages.push(message);
      return 'appended';
    }
    if (held.rev >= message.rev) return 'same';
    this.#messages[index] = message;
    return 'changed';
  }

  /** Puts an older page before the window; false (and nothing taken) where it does not end right before it. */
  prepend(page: readonly Message[]): boolean {
    const older = page.filter((message) => message.seq < this.#firstSeq);
    const last = older.at(-1);
    if (last === undefined) return true;
    if (last.seq !== this.#firstSeq - 1) return false;
    const unbroken = older.slice(startOfUnbrokenEnd(older));
    this.#messages = [...unbroken, ...this.#messages];
    this.#firstSeq = this.#messages[0]?.seq ?? 1;
    return true;
  }

  /** Forgets all but the newest `count`. */
  trim(count: number): void {
    if (this.#messages.length <= count) return;
    this.#messages = this.#messages.slice(-count);
    this.#firstSeq = this.#messages[0]?.seq ?? 1;
  }
}

function startOfUnbrokenEnd(messages: readonly Message[]): number {
  let start = Math.max(0, messages.length - 1);
  while (start > 0 && messages[start - 1]?.seq === (messages[start]?.seq ?? 0) - 1) start -= 1;
  return start;
}
