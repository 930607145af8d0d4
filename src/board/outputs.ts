/**
 * What a machine has said to the outside, counted: bytes of its streams, lines of its log. A machine that stands at an earlier
 * moment again says nothing a second time until it is beyond all that it has said.
 */
export class Outputs {
  readonly #said: Record<string, number> = {};
  #told: Record<string, number> = {};

  /** One more of something is said by this name; true if it is new to the outside. */
  say(name: string): boolean {
    const count = (this.#said[name] ?? 0) + 1;
    this.#said[name] = count;
    if (count <= (this.#told[name] ?? 0)) return false;
    this.#told[name] = count;
    return true;
  }

  /** The end of a stream that is counted. */
  counted(name: string, transmit: (byte: number) => void): (byte: number) => void {
    return (byte) => {
      if (this.say(name)) transmit(byte);
    };
  }

  /** What it says from now on is new: it has left the way that it went before. */
  diverge(): void {
    this.#told = { ...this.#said };
  }

  save(): Readonly<Record<string, number>> {
    return { ...this.#said };
  }

  /** Take over what had been said at a moment; what the outside knows beyond that stays known. */
  restore(said: Readonly<Record<string, number>>): void {
    for (const name of Object.keys(this.#said)) delete this.#said[name];
    Object.assign(this.#said, said);
    for (const [name, count] of Object.entries(said)) if (count > (this.#told[name] ?? 0)) this.#told[name] = count;
  }
}
