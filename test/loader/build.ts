// Small images made by hand, for the loader's tests: every field can be set wrong.

import { crc32 } from '../../src/loader/crc32.js';

/** Bytes of big-endian words. */
export const words = (...values: number[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setUint32(i * 4, value));
  return bytes;
};

/** Some instructions: `b .`, `nop`. */
export const code = words(0x48000000, 0x60000000);

export const join = (...parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const halves = (...values: number[]): Uint8Array => Uint8Array.from(values.flatMap((v) => [v >> 8, v & 0xff]));

export interface SegmentSpec {
  readonly type?: number;
  readonly virtual: number;
  readonly physical?: number;
  readonly bytes?: Uint8Array;
  readonly fileSize?: number;
  readonly memorySize?: number;
}

export interface SymbolSpec {
  readonly name: string;
  readonly value: number;
  readonly size?: number;
  /** STT_…: 0 label, 1 object, 2 function. */
  readonly type?: number;
  readonly global?: boolean;
  readonly section?: number;
}

export interface ElfSpec {
  readonly ident?: Readonly<Record<number, number>>;
  readonly type?: number;
  readonly machine?: number;
  readonly entry?: number;
  readonly headerSize?: number;
  readonly segments?: readonly SegmentSpec[];
  readonly symbols?: readonly SymbolSpec[];
}

/** An ELF32 file: header, program headers, the segments' bytes, symbol and string table, section headers. */
export function elf(spec: ElfSpec = {}): Uint8Array {
  const { segments = [{ virtual: 0x1000, bytes: code }], symbols } = spec;
  let at = 52 + segments.length * 32;
  const headers = segments.map((segment) => {
    const { type = 1, virtual, physical = virtual, bytes = new Uint8Array() } = segment;
    const { fileSize = bytes.length, memorySize = fileSize } = segment;
    const offset = at;
    at += bytes.length;
    return words(type, offset, virtual, physical, fileSize, memorySize, 5, 4);
  });
  const tables = symbols ? symbolTables(symbols, at) : { bytes: new Uint8Array(), offset: 0, count: 0 };
  const ident = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  for (const [index, value] of Object.entries(spec.ident ?? {})) ident[Number(index)] = value;
  return join(
    ident,
    halves(spec.type ?? 2, spec.machine ?? 20),
    words(1, spec.entry ?? 0x1000, segments.length > 0 ? 52 : 0, tables.offset, 0),
    halves(52, spec.headerSize ?? 32, segments.length, 40, tables.count, 0),
    ...headers,
    ...segments.map(({ bytes }) => bytes ?? new Uint8Array()),
    tables.bytes,
  );
}

function symbolTables(symbols: readonly SymbolSpec[], at: number) {
  let names = '\0';
  const entries = symbols.map(({ name, value, size = 0, type = 0, global = true, section = 1 }) => {
    const offset = names.length;
    names += `${name}\0`;
    return join(words(offset, value, size), Uint8Array.from([(global ? 0x10 : 0) | type, 0]), halves(section));
  });
  const table = join(new Uint8Array(16), ...entries);
  const strings = Uint8Array.from(names, (c) => c.charCodeAt(0));
  const sections = join(
    new Uint8Array(40),
    words(0, 2, 0, 0, at, table.length, 2, 1, 4, 16),
    words(0, 3, 0, 0, at + table.length, strings.length, 0, 0, 1, 0),
  );
  return { bytes: join(table, strings, sections), offset: at + table.length + strings.length, count: 3 };
}

export interface UimageSpec {
  readonly os?: number;
  readonly architecture?: number;
  readonly type?: number;
  readonly compression?: number;
  readonly load?: number;
  readonly entry?: number;
  readonly size?: number;
  readonly data?: Uint8Array;
}

/** A U-Boot legacy image, with the checksums of what it holds. */
export function uimage(spec: UimageSpec = {}): Uint8Array {
  const { os = 5, architecture = 7, type = 2, compression = 0, load = 0x4000, entry = load, data = code } = spec;
  const build = (headerCrc: number): Uint8Array =>
    join(
      words(0x27051956, headerCrc, 0, spec.size ?? data.length, load, entry, crc32(data)),
      Uint8Array.from([os, architecture, type, compression]),
      new Uint8Array(32),
    );
  return join(build(crc32(build(0))), data);
}
