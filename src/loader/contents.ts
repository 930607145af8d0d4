/** A stretch of memory that an image fills: `bytes` at `address`, and zeros behind them up to `size` bytes. */
export interface Segment {
  /** Physical, 0 to 0xffffffff. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** With what is zeroed (.bss); at least `bytes.length`, and the segment ends within 4 GiB. */
  readonly size: number;
}

/** A name for an address. */
export interface ImageSymbol {
  /** Effective, as in the file. */
  readonly address: number;
  /** In bytes; 0 where the file does not say. */
  readonly size: number;
  readonly name: string;
  readonly kind: 'function' | 'object' | 'label';
}

/** A program as it is to lie in memory. */
export interface Image {
  readonly ok: true;
  readonly format: 'elf' | 'uimage' | 'raw';
  /** In the order of the file; no two overlap, and at least one is not empty. */
  readonly segments: readonly Segment[];
  /** The physical address of the first instruction, within the bytes of a segment. */
  readonly entry: number;
  /** The operating system that the file says it is: of a uImage, `linux`, `u-boot` or `rtems`. */
  readonly system?: string;
  /** In the order of their addresses, where the file has any. */
  readonly symbols?: readonly ImageSymbol[];
}

/** Why a file cannot be loaded: a sentence that says what is wrong with it and how to mend that. */
export interface ImageProblem {
  readonly ok: false;
  readonly reason: string;
}

export const refuse = (reason: string): ImageProblem => ({ ok: false, reason });

/** One past the last address that 32 bits reach. */
export const ADDRESS_SPACE = 0x1_0000_0000;
