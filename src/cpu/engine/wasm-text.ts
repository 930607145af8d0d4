import { op, type Body } from './wasm-encoder.js';

/** A function body as WebAssembly's text format has it, for a person who wonders what was made of an instruction. */

const word: Readonly<Record<string, string>> = {
  brIf: 'br_if',
  brTable: 'br_table',
  callIndirect: 'call_indirect',
  returnCall: 'return_call',
  returnCallIndirect: 'return_call_indirect',
  localGet: 'local.get',
  localSet: 'local.set',
  localTee: 'local.tee',
  wrap: 'i32.wrap_i64',
  extends: 'i64.extend_i32_s',
  extendu: 'i64.extend_i32_u',
  ext8: 'i32.extend8_s',
  ext16: 'i32.extend16_s',
};
const plain = new Set('unreachable block loop if else end br return call drop select'.split(' '));

/** `lts64` is `i64.lt_s`, `load16u` is `i32.load16_u`. */
function textName(key: string): string {
  if (plain.has(key)) return key;
  const special = word[key];
  if (special !== undefined) return special;
  const isLong = key.endsWith('64');
  const base = (isLong ? key.slice(0, -2) : key)
    .replace(/^(lt|gt|le|ge|div|shr)([su])$/, '$1_$2')
    .replace(/^(load\d+)([su])$/, '$1_$2');
  return `${isLong ? 'i64' : 'i32'}.${base}`;
}

const names = new Map(Object.entries(op).map(([key, code]) => [code as number, textName(key)]));
const opens = new Set<number>([op.block, op.loop, op.if]);
const indexed = new Set<number>([op.br, op.brIf, op.call, op.returnCall, op.localGet, op.localSet, op.localTee]);

class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  byte = (): number => this.bytes[this.at++]!;

  unsigned(): number {
    let value = 0;
    for (let by = 1, byte = 128; byte & 128; by *= 128) value += ((byte = this.byte()) & 127) * by;
    return value;
  }

  signed(): bigint {
    let value = 0n;
    let bits = 0;
    for (let byte = 128; byte & 128; bits += 7) value |= BigInt((byte = this.byte()) & 127) << BigInt(bits);
    return BigInt.asIntN(bits, value);
  }

  /** What stands behind an operation. */
  operands(code: number): string {
    if (opens.has(code)) return this.byte() === 0x40 ? '' : ' (result)';
    if (indexed.has(code)) return ` ${this.unsigned()}`;
    if (code === op.brTable) return ` ${Array.from({ length: this.unsigned() + 1 }, () => this.unsigned()).join(' ')}`;
    if (code === op.callIndirect || code === op.returnCallIndirect) {
      const type = this.unsigned();
      this.unsigned(); // of the only table
      return ` (type ${type})`;
    }
    if (code === op.const || code === op.const64) return ` ${this.signed()}`;
    if (code < op.load || code > op.store16) return '';
    this.unsigned(); // alignment, which is a hint
    const offset = this.unsigned();
    return offset === 0 ? '' : ` offset=${offset}`;
  }
}

/** The lines of a body; before what belongs to an instruction of the guest stands what `comment` says of its address. */
export function textOf(body: Body, comment: (pc: number) => string): string[] {
  const bytes = body.encode();
  const reader = new Reader(bytes);
  const lines: string[] = [];
  for (let groups = reader.unsigned(); groups > 0; groups--) {
    const count = reader.unsigned();
    lines.push(`(local ${count} × ${reader.byte() === 0x7e ? 'i64' : 'i32'})`);
  }
  const before = bytes.length - 1 - body.bytes.length;
  const notes = new Map(body.notes.map(({ at, pc }) => [at + before, pc]));
  let depth = 0;
  while (reader.at < bytes.length - 1) {
    const pc = notes.get(reader.at);
    if (pc !== undefined) lines.push(`;; ${comment(pc)}`);
    const code = reader.byte();
    if (code === op.end || code === op.else) depth -= 1;
    lines.push(
      `${'  '.repeat(Math.max(0, depth))}${names.get(code) ?? `0x${code.toString(16)}`}${reader.operands(code)}`,
    );
    if (opens.has(code) || code === op.else) depth += 1;
  }
  return lines;
}
