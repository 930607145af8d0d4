import { assemblyText } from '../isa/disassemble.js';
import type { ImageSymbol } from '../loader/image.js';
import type { CodeSection } from '../loader/sections.js';

/** A stretch of code to list, cut out of a section. */
export interface Extent {
  readonly section: CodeSection;
  /** Effective addresses; `stop` is not listed. */
  readonly start: number;
  readonly stop: number;
}

/** A word of a listing. */
export interface ListedWord {
  readonly address: number;
  readonly word: number;
  readonly mnemonic: string;
  readonly operands: string;
}

/** The names of addresses, as listings show them. */
export class Names {
  readonly #symbols: readonly ImageSymbol[];

  /** Symbols in the order of their addresses; of several at one address the first is shown. */
  constructor(symbols: readonly ImageSymbol[]) {
    this.#symbols = symbols.filter(({ address }, i) => symbols[i - 1]?.address !== address);
  }

  /** The symbol that is exactly there. */
  at(address: number): string | undefined {
    const symbol = this.#symbols[this.#firstFrom(address)];
    return symbol?.address === address ? symbol.name : undefined;
  }

  /** The address of the next symbol behind this address. */
  next(address: number): number | undefined {
    return this.#symbols[this.#firstFrom(address + 1)]?.address;
  }

  /** The nearest symbol that is not above this address, and the distance: `entry+0x8`. */
  nearest(address: number): string | undefined {
    const symbol = this.#symbols[this.#firstFrom(address + 1) - 1];
    const offset = address - (symbol?.address ?? 0);
    return symbol && `${symbol.name}${offset === 0 ? '' : `+0x${hex(offset)}`}`;
  }

  /** A branch target: `1288 <entry+0x8>`, or `0x1288` where no symbol is below it. */
  readonly target = (address: number): string => {
    const name = this.nearest(address);
    return name === undefined ? `0x${hex(address)}` : `${hex(address)} <${name}>`;
  };

  /** The index of the first symbol that is not below this address. */
  #firstFrom(address: number): number {
    let low = 0;
    let high = this.#symbols.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#symbols[middle]!.address < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const hex = (value: number): string => value.toString(16);

/** Runs of zeros from this length on are not listed. */
const ZEROS = 8;

/** The lines of an extent as `objdump -d` writes them: a heading at every symbol, and `...` for a run of zeros. */
export function* listing({ section, start, stop }: Extent, names: Names): Generator<string> {
  const end = section.address + section.bytes.length;
  const width = end < 0x1000 ? 4 : 8;
  if (names.at(start) === undefined) yield* heading(start, `<${names.nearest(start) ?? within(section, start)}>`);
  for (let at = start; at < stop;) {
    const name = names.at(at);
    if (name !== undefined) yield* heading(at, `<${name}>`);
    const until = Math.min(names.next(at) ?? stop, stop);
    while (at < until) {
      const zeros = zerosFrom(section, at, until);
      if (zeros >= ZEROS) yield '\t...';
      else yield line(section, at, width, names);
      at += zeros >= ZEROS ? zeros : Math.min(4, until - at);
    }
  }
}

const within = ({ name, address }: CodeSection, at: number): string =>
  at === address ? name : `${name}+0x${hex(at - address)}`;

const heading = (address: number, name: string): string[] => ['', `${hex(address).padStart(8, '0')} ${name}:`];

/** How many bytes from here on are 0: to the end of the stretch, or whole words. */
function zerosFrom({ bytes, address }: CodeSection, from: number, until: number): number {
  let at = from;
  while (at < until && bytes[at - address] === 0) at++;
  return at === until ? at - from : (at - from) & ~3;
}

function line(section: CodeSection, at: number, width: number, names: Names): string {
  const offset = at - section.address;
  const bytes = [...section.bytes.subarray(offset, offset + 4)];
  const place = `${hex(at).padStart(width, ' ')}:\t${bytes.map((b) => `${hex(b).padStart(2, '0')} `).join('')}\t`;
  if (bytes.length < 4) return `${place}.byte   ${bytes.map((b) => `0x${hex(b)}`).join(',')}`;
  const { mnemonic, operands } = assemblyText(wordAt(section, at), at, names.target);
  if (operands === '' || mnemonic === '.long') return `${place}${mnemonic} ${operands}`.trimEnd();
  return `${place}${mnemonic.padEnd(7)} ${operands}`;
}

function wordAt({ bytes, address }: CodeSection, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at - address, at - address + 4);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** The whole words of an extent, zeros too. */
export function* listedWords({ section, start, stop }: Extent, names: Names): Generator<ListedWord> {
  for (let address = start; address + 4 <= stop; address += 4) {
    const word = wordAt(section, address);
    yield { address, word, ...assemblyText(word, address, names.target) };
  }
}
