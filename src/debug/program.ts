import { loadImage, symbolAt, type ImageSymbol } from '../loader/image.js';
import type { Place } from '../hypervisor/fault-report.js';
import { LineTable } from './lines.js';

/** Bytes behind a label of which no size is known that still belong to it. */
const FARTHEST = 0x10000;

/** What is known of a program beside its code: names of addresses, and the lines of its source. */
export class Program {
  readonly #byName: ReadonlyMap<string, ImageSymbol>;
  /** Null: it has none. */
  #lines: LineTable | null | undefined;

  constructor(
    readonly symbols: readonly ImageSymbol[],
    private readonly elf: Uint8Array = new Uint8Array(),
  ) {
    this.#byName = new Map(symbols.map((symbol) => [symbol.name, symbol]));
  }

  /** Of an ELF's bytes; nothing is known of other files. */
  static of(bytes: Uint8Array): Program {
    const image = loadImage(bytes, 'the program', { rawAddress: 0 });
    return new Program((image.ok && image.symbols) || [], bytes);
  }

  /** Its line table, read when it is first asked for; undefined where it has none. */
  get lines(): LineTable | undefined {
    if (this.#lines === undefined) this.#lines = LineTable.read(this.elf) ?? null;
    return this.#lines ?? undefined;
  }

  find(name: string): ImageSymbol | undefined {
    return this.#byName.get(name);
  }

  /** The function or object that an address lies in. */
  around(address: number): { readonly name: string; readonly offset: number } | undefined {
    const found = symbolAt(this.symbols, address);
    return found && (found.offset < FARTHEST || this.find(found.name)?.size) ? found : undefined;
  }

  place(address: number): Place {
    const found = this.around(address);
    if (!found) return { address };
    return { address, symbol: found.offset === 0 ? found.name : `${found.name}+0x${found.offset.toString(16)}` };
  }

  /** `c0001240 <ExternalInput>`. */
  text(address: number): string {
    const { symbol } = this.place(address);
    return `${(address >>> 0).toString(16).padStart(8, '0')}${symbol === undefined ? '' : ` <${symbol}>`}`;
  }
}

/** Of a program that nothing is known of. */
export const unknownProgram = new Program([]);
