import type { Mux, Stream } from '../console/mux.js';

/** Leads what a machine's ports send to the streams of the console, and to whoever listens along. */
export class Wiring {
  readonly #taps = new Map<string, (byte: number) => void>();

  constructor(readonly mux: Mux) {}

  /** Where a port's bytes go; the stream is opened when the machine has been built, or at the first byte. */
  transmit = (name: string): ((byte: number) => void) => {
    let stream: Stream | undefined;
    return (byte) => {
      stream ??= this.mux.get(name) ?? this.mux.open(name);
      stream.write(byte);
      this.#taps.get(name)?.(byte);
    };
  };

  /** Hear every byte of a stream, at the very cycle at which it is sent. */
  tap(name: string, listener: (byte: number) => void): void {
    this.#taps.set(name, listener);
  }
}
