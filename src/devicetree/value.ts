import { concat } from './bytes.js';
import { Unreadable, type Cursor } from './cursor.js';
import type { Marker } from './draft.js';
import { integer } from './expression.js';
import type { FindFile } from './paths.js';
import type { ValueForm } from './tree.js';

/** A value that is being put together from its parts. */
export class Value {
  readonly markers: Marker[] = [];
  readonly #parts: Uint8Array[] = [];
  readonly #forms = new Set<ValueForm>();
  length = 0;

  append(bytes: Uint8Array, form: ValueForm): void {
    this.#forms.add(form);
    this.add(bytes);
  }

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.length += bytes.length;
  }

  mark(kind: Marker['kind'], { name, at }: Pick<Marker, 'name' | 'at'>): void {
    this.markers.push({ kind, name, at, offset: this.length });
  }

  /** What kind of part it is made of, if it is one. */
  form(): ValueForm {
    const [form, ...more] = this.#forms;
    return form === undefined ? 'empty' : more.length > 0 ? 'mixed' : form;
  }

  get bytes(): Uint8Array {
    return concat(this.#parts);
  }
}

/** Everything behind the `=` of a property: parts joined by commas, with labels before, in and behind them. */
export function readValue(cursor: Cursor, find: FindFile): Value {
  const value = new Value();
  do {
    readLabels(cursor, value);
    readPart(cursor, value, find);
    readLabels(cursor, value);
  } while (cursor.accept(','));
  return value;
}

function readLabels(cursor: Cursor, value: Value): void {
  for (let label = cursor.acceptKind('label'); label; label = cursor.acceptKind('label')) value.mark('label', label);
}

function readPart(cursor: Cursor, value: Value, find: FindFile): void {
  const { kind } = cursor.token;
  if (kind === 'string') {
    const { bytes } = cursor.advance();
    value.append(bytes, 'strings');
    value.add(new Uint8Array(1));
  } else if (kind === 'reference') {
    value.mark('path', cursor.advance());
    value.append(new Uint8Array(0), 'strings');
  } else if (cursor.is('<') || cursor.is('/bits/')) {
    readArray(cursor, value);
  } else if (cursor.accept('[')) {
    readBytes(cursor, value);
  } else if (cursor.accept('/incbin/')) {
    readBinary(cursor, value, find);
  } else {
    cursor.fail('a value', 'write <cells>, "text", [bytes], &reference or /incbin/("file")');
  }
}

/** How an array of elements of so many bits is shown: bytes as such, all else as cells if it is whole cells. */
const forms = new Map<number, ValueForm>([
  [8, 'bytes'],
  [16, 'mixed'],
  [32, 'cells'],
  [64, 'cells'],
]);

function readArray(cursor: Cursor, value: Value): void {
  const bits = cursor.accept('/bits/') ? elementBits(cursor) : 32;
  cursor.expect('<', 'to begin the array');
  value.append(new Uint8Array(0), forms.get(bits) ?? 'cells');
  while (!cursor.accept('>')) {
    const label = cursor.acceptKind('label');
    if (label) value.mark('label', label);
    else if (cursor.token.kind === 'reference') readReference(cursor, value, bits);
    else readElement(cursor, value, bits);
  }
}

function elementBits(cursor: Cursor): number {
  const token = cursor.expectKind('number', 'the number of bits of an element', 'write /bits/ 8, 16, 32 or 64');
  if (token.text.startsWith("'")) {
    cursor.report.error('dts-bits', token.at, 'a character is no number of bits', 'write 8, 16, 32 or 64');
    return 32;
  }
  if (forms.has(Number(token.value))) return Number(token.value);
  const message = `an array element cannot have ${token.value} bits`;
  cursor.report.error('dts-bits', token.at, message, 'write 8, 16, 32 or 64');
  return 32;
}

function readReference(cursor: Cursor, value: Value, bits: number): void {
  const token = cursor.advance();
  if (bits === 32) value.mark('phandle', token);
  else {
    const message = `'${token.text}' is a phandle of 32 bits, but the elements of this array have ${bits}`;
    cursor.report.error('dts-reference-size', token.at, message, 'put it in an array without /bits/');
  }
  value.add(new Uint8Array(bits / 8).fill(0xff));
}

function readElement(cursor: Cursor, value: Value, bits: number): void {
  const { at } = cursor.token;
  const number = integer(cursor, "a number, a reference, or '>' to end the array");
  const mask = (1n << BigInt(bits)) - 1n;
  const extended = (number | mask) === (1n << 64n) - 1n;
  if (number > mask && !extended) {
    const message = `0x${number.toString(16)} does not fit an element of ${bits} bits`;
    cursor.report.error('dts-value-range', at, message, wider(number, bits));
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, number);
  value.add(new Uint8Array(view.buffer, 8 - bits / 8));
}

const wider = (number: bigint, bits: number): string =>
  bits === 32
    ? `write it as two cells, 0x${(number >> 32n).toString(16)} 0x${(number & 0xffffffffn).toString(16)}, or use /bits/ 64`
    : 'write a smaller number, or use wider elements';

function readBytes(cursor: Cursor, value: Value): void {
  const bytes: number[] = [];
  const start = value.length;
  while (!cursor.accept(']')) {
    const byte = cursor.acceptKind('byte');
    const label = byte ? undefined : cursor.acceptKind('label');
    if (byte) bytes.push(Number(byte.value));
    else if (label) value.markers.push({ kind: 'label', name: label.name, at: label.at, offset: start + bytes.length });
    else cursor.fail("two hexadecimal digits, or ']' to end the bytes", 'write each byte as two digits, without 0x');
  }
  value.append(Uint8Array.from(bytes), 'bytes');
}

/** `("file")` or `("file", offset, length)`, bytes both; the file is relative to the one that names it. */
function readBinary(cursor: Cursor, value: Value, find: FindFile): void {
  cursor.expect('(', 'behind /incbin/');
  const name = cursor.expectKind('string', 'the name of a file in quotes', 'write /incbin/("file")');
  const { path, bytes: file } = find(cursor.lexer.path(name), new TextDecoder().decode(name.bytes));
  let range: { offset: bigint; length: bigint } | undefined;
  if (cursor.accept(',')) {
    const offset = integer(cursor, 'the offset of the first byte');
    cursor.expect(',', 'and a length behind the offset', 'write /incbin/("file", offset, length)');
    range = { offset, length: integer(cursor, 'the number of bytes') };
  }
  cursor.expect(')', 'to end /incbin/');
  if (!file) {
    cursor.report.error(
      'dts-include-missing',
      name.at,
      `'${path}' cannot be read`,
      `write it, or correct ${name.text}`,
    );
    throw new Unreadable();
  }
  value.append(range ? slice(cursor, file, range, path) : file, 'bytes');
}

function slice(cursor: Cursor, file: Uint8Array, range: { offset: bigint; length: bigint }, path: string): Uint8Array {
  const { offset, length } = range;
  const size = BigInt(file.length);
  const start = offset < size ? offset : size;
  const end = start + length < size ? start + length : size;
  if (offset + length > size) {
    const message = `'${path}' has ${size} bytes, too few for ${length} from offset ${offset}`;
    const remedy = 'correct the offset and length; the value is shorter as it is';
    cursor.report.warning('dts-incbin-range', cursor.previous.at, message, remedy);
  }
  return file.subarray(Number(start), Number(end));
}
