/**
 * Plays the others' voices. A browser may refuse to play sound until the person has touched the page; then `blocked`
 * is true until `start` is called from a click.
 */
export class Playback {
  readonly #elements = new Map<string, HTMLAudioElement>();
  readonly #onChange: () => void;
  #blocked = false;
  #speaker: string | undefined;

  constructor(onChange: () => void, speaker: string | undefined) {
    this.#onChange = onChange;
    this.#speaker = speaker;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** Plays these voices and no others, by keys that stay with a voice. */
  play(voices: ReadonlyMap<string, MediaStreamTrack>): void {
    for (const key of [...this.#elements.keys()]) if (!voices.has(key)) this.#remove(key);
    for (const [key, track] of voices) if (!this.#elements.has(key)) this.#add(key, track);
  }

  #add(key: string, track: MediaStreamTrack): void {
    const element = new Audio();
    element.srcObject = new MediaStream([track]);
    element.autoplay = true;
    this.#elements.set(key, element);
    if (this.#speaker !== undefined) void element.setSinkId?.(this.#speaker).catch(() => undefined);
    void this.#play(element);
  }

  #remove(key: string): void {
    const element = this.#elements.get(key);
    if (element === undefined) return;
    this.#elements.delete(key);
    element.pause();
    element.srcObject = null;
  }

  clear(): void {
    for (const key of [...this.#elements.keys()]) this.#remove(key);
  }

  /** Call it from a click. */
  async start(): Promise<void> {
    this.#setBlocked(false);
    await Promise.all([...this.#elements.values()].map((element) => this.#play(element)));
  }

  async useSpeaker(deviceId: string): Promise<void> {
    this.#speaker = deviceId;
    await Promise.all([...this.#elements.values()].map((element) => element.setSinkId?.(deviceId)));
  }

  async #play(element: HTMLAudioElement): Promise<void> {
    try {
      await element.play();
    } catch (error) {
      // Others (the element was removed before it began) need no remedy.
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.#setBlocked(true);
    }
  }

  #setBlocked(blocked: boolean): void {
    if (this.#blocked === blocked) return;
    this.#blocked = blocked;
    this.#onChange();
  }
}
