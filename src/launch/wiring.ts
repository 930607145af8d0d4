import type { Mux, Stream } from '../console/mux.js';

/** Leads what a machine's ports send to the streams of the console, and to whoever listens along. */
export class Wiring {
  readonly #taps = new Map<string, ((byte: number) => void)[]>();

  constructor(readonly mux: Mux) {}

  /** Where a port's bytes go; the stream is opened when the machine has been built, or at the first byte. */
  transmit = (name: string): ((byte: number) => void) => {
    let stream: Stream | undefined;
    return (byte) => {
      stream ??= this.mux.get(name) ?? this.mux.open(name);
      stream.write(byte);
      const taps = this.#taps.get(name);
      if (taps) for (const tap of taps) tap(byte);
    };
  };

  /** Hear every byte of a stream, at the very cycle at which it is sent. */
  tap(name: string, listener: (byte: number) => void): void {
    const taps = this.#taps.get(name) ?? [];
    taps.push(listener);
    this.#taps.set(name, taps);
  }
}
