// What a row is made of: instruction words, register values, and the line of text.

export const CODE = 0x408000;
export const WINDOW = 0x300000;
export const XER = { SO: 0x80000000, OV: 0x40000000, CA: 0x20000000 };
export const HIGH = 2n ** 31n;

export const files = {};
export const hex = (value) => (value >>> 0).toString(16);
export const u32 = (value) => Number(BigInt.asUintN(32, BigInt(value)));
export const s32 = (value) => Number(BigInt.asIntN(32, BigInt(value)));
export const text = (values, sign = '=') =>
  Object.entries(values)
    .map(([name, value]) => `${name}${sign}${sign === '=' ? hex(value) : value}`)
    .join(' ');

/** One row. `out` names registers that change; those that keep their value are left out. */
export function row(
  file,
  asm,
  code,
  input,
  out,
  { memin = {}, memout = {}, nip = CODE + 4, exc = '', dontcare = '' } = {},
) {
  const given = { cr: 0, xer: 0, lr: 0, ctr: 0, ...input };
  const changed = Object.fromEntries(Object.entries(out).filter(([name, value]) => given[name] !== value));
  const result = [text(changed), text(memout, ':'), exc ? '' : hex(nip), exc, dontcare, 'manual'];
  const word = (code >>> 0).toString(16).padStart(8, '0');
  const cells = [asm.split(' ')[0], `"${asm}"`, word, text(given), text(memin, ':'), ...result];
  (files[file] ??= []).push(cells.join(','));
}

export const d = (opcode, a, b, imm) => (opcode << 26) | (a << 21) | (b << 16) | (imm & 0xffff);
export const x = (opcode, a, b, c, xo, rc = 0) => (opcode << 26) | (a << 21) | (b << 16) | (c << 11) | (xo << 1) | rc;

/** CR0 after an instruction that records: LT, GT, EQ of the result as a signed number, and the SO of the XER that it leaves. */
export const cr0 = (cr, value, xer) =>
  ((cr & 0x0fffffff) | ((s32(value) < 0 ? 8 : value === 0 ? 2 : 4) << 28) | (xer & XER.SO ? 1 << 28 : 0)) >>> 0;

/** XER with a carry, and with an overflow that SO remembers. */
export function xerAfter(xer, { carry, overflow }) {
  let next = xer;
  if (carry !== undefined) next = carry ? next | XER.CA : next & ~XER.CA;
  if (overflow !== undefined) next = overflow ? next | XER.OV | XER.SO : next & ~XER.OV;
  return next >>> 0;
}

/** The entries of a list in turn, over all calls. */
let turn = 0;
export const next = (list) => list[turn++ % list.length];

// Logic, on strings of bits

export const bits = (value) => (value >>> 0).toString(2).padStart(32, '0');
export const number = (string) => parseInt(string, 2);
export const bitwise = (operation) => (a, b) =>
  number([...bits(a)].map((bit, i) => (operation(bit === '1', bits(b)[i] === '1') ? 1 : 0)).join(''));
export const logic = {
  and: [28, (s, b) => s && b],
  andc: [60, (s, b) => s && !b],
  or: [444, (s, b) => s || b],
  orc: [412, (s, b) => s || !b],
  xor: [316, (s, b) => s !== b],
  nand: [476, (s, b) => !(s && b)],
  nor: [124, (s, b) => !(s || b)],
  eqv: [284, (s, b) => s === b],
};
