import type { Program } from './program.js';

/** An address that a person has named, and how many bytes are there, where that is known. */
export interface NamedPlace {
  readonly address: number;
  readonly size?: number;
}

/** `jiffies_64`, `jiffies_64+4`, `c0001240`, `0xc0001240`: a symbol of a program, or a number, which is hexadecimal. */
export function placeOf(text: string | undefined, program: Program): NamedPlace | undefined {
  if (text === undefined) return undefined;
  const [, name = '', offset] = /^&?([\w.$]+?)(?:\+(0x[0-9a-fA-F]+|\d+))?$/.exec(text) ?? [];
  const symbol = program.find(name);
  if (symbol) {
    const { address, size } = symbol;
    return offset !== undefined || size === 0 ? { address: (address + Number(offset ?? 0)) >>> 0 } : { address, size };
  }
  return /^(0x)?[0-9a-fA-F]{1,9}$/.test(text) ? { address: parseInt(text, 16) } : undefined;
}
