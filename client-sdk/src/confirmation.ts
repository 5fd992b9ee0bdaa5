/** Asks the person, by a code or a passkey, and resolves to whether this session is confirmed now. */
export type AskForConfirmation = () => Promise<boolean>;

/** Who asks when a call needs a confirmed session; one question for all calls that wait for it. */
export class Confirmation {
  #ask: AskForConfirmation | undefined;
  #asking: Promise<boolean> | undefined;

  /** The last one that was set asks. Returns the way to stop. */
  readonly onRequired = (ask: AskForConfirmation): (() => void) => {
    this.#ask = ask;
    return () => {
      if (this.#ask === ask) this.#ask = undefined;
    };
  };

  /** False where nobody asks, or the person thought better of it. */
  obtain(): Promise<boolean> {
    if (this.#ask === undefined) return Promise.resolve(false);
    this.#asking ??= this.#ask()
      .catch(() => false)
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }
}
