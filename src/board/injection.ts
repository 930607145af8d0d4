import type { LineError } from './serial-input.js';

/** What somebody outside does to a machine that no program and no user asked for. Plain data; an input of the run. */
export type Injection =
  /** A bit of a partition's memory is inverted, at a guest-physical address; bit 0 is the byte's least significant one. */
  | { readonly kind: 'bit-flip'; readonly partition: string; readonly address: number; readonly bit: number }
  /** It dies where it is, as by a machine check that it cannot take. */
  | { readonly kind: 'crash'; readonly partition: string }
  /** The device at a guest-physical address answers so many accesses more with a bus error; null: all from now on. */
  | { readonly kind: 'bus-error'; readonly partition: string; readonly address: number; readonly count: number | null }
  /** An input of its interrupt controller: the next time that it is asserted, or the present one, is not seen. */
  | { readonly kind: 'lost-interrupt'; readonly partition: string; readonly line: number }
  /** What was lost of it, and still is asserted, is seen after all. */
  | { readonly kind: 'found-interrupt'; readonly partition: string; readonly line: number }
  /** It is asserted for a moment, though nothing drives it. */
  | { readonly kind: 'spurious-interrupt'; readonly partition: string; readonly line: number }
  /** A character arrives at a serial port that is damaged, or is one too many. */
  | { readonly kind: 'serial-error'; readonly stream: string; readonly error: LineError; readonly byte: number }
  /** Characters arrive all at once, whether the port or channel has room for them or not. */
  | { readonly kind: 'flood'; readonly stream: string; readonly bytes: readonly number[] }
  /** The far end of a byte channel takes nothing any more, or takes everything again. */
  | { readonly kind: 'congestion'; readonly stream: string; readonly congested: boolean };
