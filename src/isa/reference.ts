import { branch } from './branch.js';
import { fixedPoint } from './fixed-point.js';
import { floatingPoint, integerSelect } from './floating-point.js';
import { loadStore } from './load-store.js';
import { multiplyAccumulate } from './multiply-accumulate.js';
import { fieldName, pseudocode } from './pseudocode.js';
import { ESR, MCSR, MSR, sprs, TCR, TSR, XER, type Spr } from './registers.js';
import type { Field, Instruction, InvalidForm } from './spec.js';
import { system } from './system.js';

const chapters: readonly { readonly title: string; readonly list: readonly Instruction[] }[] = [
  { title: 'Integer arithmetic, logic, compares, rotates and shifts', list: fixedPoint },
  { title: 'Storage and caches', list: loadStore },
  { title: 'Branches, condition register, traps and system calls', list: branch },
  { title: 'Multiply and accumulate', list: multiplyAccumulate },
  { title: 'Processor control, TLB and interrupt returns', list: system },
  { title: 'Floating-point unit (cpu node: `hv440,fpu`)', list: floatingPoint },
  { title: 'Integer select (cpu node: `hv440,isel`)', list: integerSelect },
];

const LEGEND = `Bits are numbered from the most significant, 0, as in the manual. All arithmetic is modulo 2^32.

| Notation | What it means |
| --- | --- |
| \`RT ← x\` | register RT gets x |
| \`(RA)\`, \`(RA\\|0)\` | what register RA holds; the second is 0 where the field is 0 |
| \`EXTS(SI)\` | the field, sign-extended to 32 bits; a field alone is zero-extended |
| \`a \\|\\| b\` | the bits of a, then those of b |
| \`∧ ∨ ⊕ ¬\` | and, or, exclusive or, not, bit by bit; a comparison gives 0 or 1 |
| \`<s <u ÷s ÷u >>s >>u\` | comparison, division and shift right of signed and of unsigned numbers; a division that is not possible gives 0 |
| \`highs(a, b)\`, \`highu(a, b)\` | the high word of the 64-bit product of signed and of unsigned numbers |
| \`ROTL(a, n)\`, \`MASK(MB, ME)\` | a rotated left; ones from bit MB to bit ME, wrapping |
| \`c ? x : y\` | x where c is not 0, else y |
| \`MS(EA, n)\` | n bytes of main storage from EA on, zero-extended; a store takes the low ones of its value |
| \`block(EA)\` | the 32-byte cache block that has EA |
| \`reserve(EA)\`, \`reserved\` | sets the reservation; whether it still holds |
| \`CR.field[n]\`, \`CR.bit[n]\` | a field of four bits, and one bit, of the condition register |
| \`compares(a, b)\`, \`compareu(a, b)\` | 0b100, 0b010 or 0b001 for a below, above or equal to b, as signed and as unsigned numbers |
| \`traps(TO, a, b)\` | whether TO asks for the outcome: 16 signed less, 8 signed greater, 4 equal, 2 unsigned less, 1 unsigned greater |
| \`CIA\`, \`NIA\` | the address of this instruction, and of the next one, which is CIA + 4 where nothing else is said |
| \`supervisor only\` | a privileged program interrupt where MSR[PR] is set |

A trap leaves everything as it was before the instruction. In diagrams, \`/\` is a bit that is not looked at.`;

/** The text of `docs/instructions.md`: every instruction with its encoding, its forms and its meaning. */
export function instructionsMarkdown(): string {
  const total = chapters.reduce((sum, { list }) => sum + list.length, 0);
  return [
    '# Instructions',
    `Generated from \`src/isa\`, where each of these ${total} instructions is defined once.`,
    LEGEND,
    ...chapters.flatMap(({ title, list }) => [`## ${title}`, ...list.map(section)]),
    '',
  ].join('\n\n');
}

function section(instruction: Instruction): string {
  const { name, syntax } = instruction;
  const others = forms(instruction).filter((form) => form !== name);
  const also = others.length > 0 ? `, and ${others.map((form) => `\`${form}\``).join(', ')}` : '';
  const illegal = instruction.invalid.map((form) => `illegal where ${condition(form, instruction)}`);
  const meaning = [...illegal, ...pseudocode(instruction)];
  const text = [...diagram(instruction), '', ...(meaning.length > 0 ? meaning : ['nothing to do'])];
  return [`### ${name}`, `\`${`${name} ${syntax}`.trim()}\`${also}`, `\`\`\`text\n${text.join('\n')}\n\`\`\``].join(
    '\n\n',
  );
}

/** The mnemonics of an instruction's variants: `add`, `add.`, `addo`, `addo.`; `ba`, `bla`. */
export function forms({ name, fields }: Instruction): string[] {
  const options = fields.map((field) => field.name);
  let names = [name];
  if (options.includes('oe')) names = names.flatMap((n) => [n, `${n}o`]);
  if (options.includes('lk')) names = names.flatMap((n) => [n, n.endsWith('a') ? `${n.slice(0, -1)}la` : `${n}l`]);
  if (options.includes('rc')) names = names.flatMap((n) => [n, `${n}.`]);
  return names;
}

/** What makes a word an invalid form, as a condition on its fields. */
function condition(form: InvalidForm, { fields }: Instruction): string {
  const upper = (name: string): string => name.toUpperCase();
  const isWhole = (name: string, bits: number): boolean => bits === 2 ** fields.find((f) => f.name === name)!.width - 1;
  switch (form.kind) {
    case 'clear':
      if (isWhole(form.field, form.bits)) return `${upper(form.field)} = 0`;
      return `(${upper(form.field)} ∧ ${form.bits}) = 0`;
    case 'equal':
      return form.fields.map(upper).join(' = ');
    case 'loaded':
      return `register ${upper(form.register)} is among those loaded`;
    default:
      return form satisfies never;
  }
}

interface Cell {
  readonly first: number;
  readonly text: string;
}

/** The word as the manual draws it: the first bit of each cell above, what is in it below. */
export function diagram(instruction: Instruction): [numbers: string, cells: string] {
  let numbers = '';
  let row = '|';
  for (const { first, text } of cells(instruction)) {
    const width = Math.max(text.length, String(first).length);
    numbers += `  ${String(first).padEnd(width)} `;
    row += ` ${text.padEnd(width)} |`;
  }
  return [`${numbers.trimEnd()}`, row];
}

function cells({ mask, match, fields }: Instruction): Cell[] {
  const list: Cell[] = [];
  const isFixed = (bit: number): boolean => ((mask >>> (31 - bit)) & 1) === 1;
  const fieldAt = (bit: number): Field | undefined => fields.find(({ shift, width }) => 32 - shift - width === bit);
  for (let bit = 0; bit < 32;) {
    const first = bit;
    const field = fieldAt(bit);
    let text = field ? fieldName(field) : '';
    if (field) bit += field.width;
    else {
      const fixed = isFixed(bit);
      do text += fixed ? String((match >>> (31 - bit)) & 1) : '/';
      while (++bit < 32 && bit !== PRIMARY_BITS && isFixed(bit) === fixed && !fieldAt(bit));
    }
    list.push({ first, text });
  }
  return list;
}

/** The primary opcode is a cell of its own. */
const PRIMARY_BITS = 6;

/** The text of `docs/registers.md`: special purpose registers, and the named bits of those whose bits have names. */
export function registersMarkdown(): string {
  const named: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
    ['MSR, machine state register', MSR],
    ['XER, fixed-point exception register', XER],
    ['ESR, exception syndrome register', ESR],
    ['MCSR, machine check syndrome register', MCSR],
    ['TCR, timer control register', TCR],
    ['TSR, timer status register', TSR],
  ];
  return [
    '# Registers',
    'Generated from `src/isa/registers.ts`.',
    '## Special purpose registers',
    'Access is by number: some registers have one for reading by user programs and another for writing. A user program that uses a number of the supervisor takes a privileged program interrupt; a number, or a way of access, that does not exist is an illegal instruction. Bits that do not exist read as 0 and ignore writes. After a reset a register is 0 but where another value stands; DBSR (bits 2 and 3) and TSR (bits 2 and 3) record which kind of reset it was, and stand here as after power-on; PVR and PIR are those of the processor.',
    [
      '| Number | Name | Read | Write | Bits that exist | After reset |',
      '| ---: | --- | --- | --- | --- | --- |',
      ...sprs.map(row),
    ].join('\n'),
    ...named.flatMap(([title, bits]) => [`## ${title}`, bitTable(bits)]),
    '',
  ].join('\n\n');
}

const access: Readonly<Record<Spr['read'], string>> = { u: 'user', s: 'supervisor', '-': '' };

function row({ number, name, read, write, onWrite, bits, reset }: Spr): string {
  const clears = onWrite === 'clear' ? ', ones clear' : '';
  const value = name === 'PVR' || name === 'PIR' ? 'the processor’s' : hex(reset);
  return `| ${number} | ${name} | ${access[read]} | ${access[write]}${clears} | ${hex(bits)} | ${value} |`;
}

const bitTable = (bits: Readonly<Record<string, number>>): string =>
  [
    '| Bit | Name | Mask |',
    '| ---: | --- | --- |',
    ...Object.entries(bits).map(([name, mask]) => `| ${Math.clz32(mask)} | ${name} | ${hex(mask)} |`),
  ].join('\n');

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
