import { coldInterpreter, TABLE_PLACES } from './cold.js';
import { assert } from '../../bus/assert.js';
import { EMULATOR, emulator } from './cold-emulation.js';
import { refill } from './cold-refill.js';
import { REFILL, type ColdSetting } from './cold-run.js';
import { imports } from './emit-effects.js';
import type { listVariants } from './printed.js';
import { encodeModule } from './wasm-encoder.js';

/**
 * The module of the interpreter for cold code, to be put to where a core's tables lie: making it takes as long as all else
 * that an engine does before its first instruction, and is always the same but for those addresses.
 */
export interface ColdTemplate {
  readonly bytes: Uint8Array;
  /** Where in it there are addresses, each a number of five bytes above BASE: of the lookaside, and of the other tables. */
  readonly lookaside: readonly number[];
  readonly tables: readonly number[];
}

/** Takes five bytes, and is above all distances within tables. */
const BASE = 0x10000000;
const ADDRESS_BYTES = 5;

/** The interpreter, and behind it what it calls: for the guests of a hypervisor, and for pages that the lookaside does not have. */
export function coldModule(listed: ReturnType<typeof listVariants>, setting: ColdSetting): Uint8Array<ArrayBuffer> {
  const bodies = [coldInterpreter(listed, setting), emulator(listed, setting), refill(setting)];
  assert(bodies.length === 1 + Math.max(EMULATOR, REFILL), 'each is where it is called');
  return encodeModule(
    bodies.map((body, i) => ({ name: `f${i}`, body })),
    imports,
  );
}

export function makeTemplate(listed: ReturnType<typeof listVariants>, hot: number): ColdTemplate {
  const make = (lookaside: number, tables: number): Uint8Array => {
    const sprs = { read: tables + TABLE_PLACES.readSpr, write: tables + TABLE_PLACES.writeSpr };
    const { reach, ram, known } = TABLE_PLACES;
    const found = { reach: tables + reach, ram: tables + ram, known: tables + known };
    return coldModule(listed, { lookaside: { at: lookaside }, decoding: tables, sprs, ...found, hot });
  };
  const bytes = make(BASE, BASE);
  const sites = (other: Uint8Array): number[] =>
    [...bytes.keys()].filter((i) => bytes[i] !== other[i]).map((last) => last - (ADDRESS_BYTES - 1));
  return { bytes, lookaside: sites(make(2 * BASE, BASE)), tables: sites(make(BASE, 2 * BASE)) };
}

/** The module for a core whose tables lie at these places. */
export function placed(template: ColdTemplate, lookaside: number, tables: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(template.bytes);
  for (const site of template.lookaside) move(bytes, site, lookaside - BASE);
  for (const site of template.tables) move(bytes, site, tables - BASE);
  return bytes;
}

/** Add to a number in LEB128, which keeps its length. */
function move(bytes: Uint8Array, site: number, by: number): void {
  let value = by;
  for (let i = 0; i < ADDRESS_BYTES; i++) value += (bytes[site + i]! & 127) * 2 ** (7 * i);
  for (let i = 0; i < ADDRESS_BYTES; i++) {
    const more = i < ADDRESS_BYTES - 1 ? 128 : 0;
    bytes[site + i] = (Math.floor(value / 2 ** (7 * i)) & 127) | more;
  }
}
