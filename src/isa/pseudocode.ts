import type { Field, FloatArithmetic, FloatMove, Instruction, Machine } from './spec.js';

/**
 * A meaning read as the manual's register-transfer language, line by line. A value that is used twice, or that a line is
 * about to change, is given a name first, as the manual does with EA.
 */
export function pseudocode(instruction: Instruction): string[] {
  const reader = new Reader();
  instruction.meaning(reader, Object.fromEntries(instruction.fields.map((f) => [f.name, f])));
  return reader.lines();
}

/** A field as the manual writes it: `RT`, `SI`, `Rc`; the numbers of special registers are SPRN and DCRN. */
export function fieldName({ name }: Field): string {
  if (name === 'rc') return 'Rc';
  return name === 'spr' || name === 'dcr' ? `${name.toUpperCase()}N` : name.toUpperCase();
}

/** What a line can change, and a value can depend on. */
type Place = 'gpr' | 'cr' | 'xer' | 'lr' | 'ctr' | 'storage' | 'other';

interface Value {
  readonly operands: readonly Value[];
  /** The text, given the operands' texts. An operator's operands are put in parentheses where they are operators. */
  readonly print: (operands: readonly string[]) => string;
  /** The operator between the operands; without one the text needs no parentheses. */
  readonly operator?: string;
  readonly reads?: Place;
  /** How many effects were there when it was made. */
  readonly born: number;
  /** How often values and effects use it. */
  uses: number;
  /** What to call it where it needs a name. */
  hint: string;
  name?: string;
}

/** One or more lines that change something. */
interface Effect {
  readonly operands: readonly Value[];
  readonly print: (operands: readonly string[]) => string;
  readonly writes?: Place;
  /** The effect is that a register has its operand, which may be called by that register from then on. */
  readonly register?: string;
}

const ASSOCIATIVE = ['+', '∧', '∨', '⊕'];

// prettier-ignore
const formulas: Readonly<Record<FloatArithmetic, (a: string, b: string, c: string) => string>> = {
  fadd:    (a, b) => `${a} + ${b}`,
  fsub:    (a, b) => `${a} − ${b}`,
  fmul:    (a, _, c) => `${a} × ${c}`,
  fdiv:    (a, b) => `${a} ÷ ${b}`,
  fsqrt:   (_, b) => `√${b}`,
  fmadd:   (a, b, c) => `${a} × ${c} + ${b}`,
  fmsub:   (a, b, c) => `${a} × ${c} − ${b}`,
  fnmadd:  (a, b, c) => `−(${a} × ${c} + ${b})`,
  fnmsub:  (a, b, c) => `−(${a} × ${c} − ${b})`,
  frsp:    (_, b) => b,
  fres:    (_, b) => `1 ÷ ${b}`,
  frsqrte: (_, b) => `1 ÷ √${b}`,
};

// prettier-ignore
const moves: Readonly<Record<FloatMove, (b: string) => string>> = {
  fmr: (b) => b, fneg: (b) => `−${b}`, fabs: (b) => `|${b}|`, fnabs: (b) => `−|${b}|`,
};

class Reader implements Machine<Value, Field> {
  readonly #effects: Effect[] = [];
  readonly #lines: string[] = [];
  readonly #names = new Set<string>();

  /** All effects as text. */
  lines(): string[] {
    this.#effects.forEach(({ operands }) => operands.forEach(countUse));
    this.#effects.forEach((effect, i) => {
      const { operands, print } = effect;
      const renamed = renamedBy(effect);
      operands.forEach((value) => this.#prepare(value, value === renamed));
      this.#keep(effect, i, renamed);
      this.#lines.push(print(operands.map(textOf)));
      if (renamed) renamed.name = effect.register!;
    });
    return this.#lines;
  }

  /** Name what later effects use and this one changes, but for what it gives a name itself. */
  #keep({ writes }: Effect, at: number, renamed: Value | undefined): void {
    if (!writes) return;
    const isSafe = (value: Value): boolean => value.name !== undefined || value === renamed;
    const changes = (value: Value): boolean =>
      !isSafe(value) && (value.reads === writes || value.operands.some(changes));
    const visit = (value: Value): void => {
      if (isSafe(value)) return;
      if (value.born <= at && changes(value)) this.#give(value);
      else value.operands.forEach(visit);
    };
    this.#effects.slice(at + 1).forEach(({ operands }) => operands.forEach(visit));
  }

  /** Name what is used more than once within a value, or is an address; `named`: the value itself is about to have a name. */
  #prepare(value: Value, named = false): void {
    if (value.name !== undefined) return;
    value.operands.forEach((operand) => this.#prepare(operand));
    const wantsName = value.hint === 'EA' || value.uses > 1;
    if (wantsName && value.operator !== undefined && !named) this.#give(value);
  }

  #give(value: Value): void {
    value.operands.forEach((operand) => this.#prepare(operand));
    let name = value.hint;
    for (let i = 2; this.#names.has(name); i++) name = `${value.hint}${i}`;
    this.#names.add(name);
    this.#lines.push(`${name} ← ${textOf(value)}`);
    value.name = name;
  }

  #value(print: Value['print'], operands: readonly Value[], operator?: string, reads?: Place): Value {
    const optional = { ...(operator !== undefined && { operator }), ...(reads && { reads }) };
    return { print, operands, ...optional, born: this.#effects.length, uses: 0, hint: 't' };
  }

  #atom = (text: string, reads?: Place): Value => this.#value(() => text, [], undefined, reads);
  #infix = (operator: string, a: Value, b: Value): Value =>
    this.#value(([x, y]) => `${x} ${operator} ${y}`, [a, b], operator);
  #call = (name: string, ...operands: Value[]): Value =>
    this.#value((texts) => `${name}(${texts.join(', ')})`, operands, 'call');

  #effect(print: Effect['print'], operands: readonly Value[] = [], writes?: Place, register?: string): void {
    this.#effects.push({ print, operands, ...(writes && { writes }), ...(register !== undefined && { register }) });
  }

  #set = (target: string, v: Value, writes: Place): void => this.#effect(([x]) => `${target} ← ${x}`, [v], writes);

  imm = (f: Field) => this.#atom(f.kind === 'signed' ? `EXTS(${fieldName(f)})` : fieldName(f));
  immHigh = (f: Field) => this.#atom(`(${fieldName(f)} || 0x0000)`);
  constant = (value: number) => this.#atom(value >= 0 && value <= 64 ? `${value}` : hex(value));
  pc = () => this.#atom('CIA');

  gpr = (r: Field) => this.#atom(`(${fieldName(r)})`, 'gpr');
  gprOrZero = (r: Field) => this.#atom(`(${fieldName(r)}|0)`, 'gpr');
  setGpr = (r: Field, v: Value) => {
    if (v.hint === 't') v.hint = 'result';
    this.#effect(([x]) => `${fieldName(r)} ← ${x}`, [v], 'gpr', `(${fieldName(r)})`);
  };
  cr = () => this.#atom('(CR)', 'cr');
  setCr = (fields: Field, v: Value) =>
    this.#effect(([x]) => `the fields of CR that ${fieldName(fields)} names ← those of ${x}`, [v], 'cr');
  crField = (f: Field) => this.#atom(`CR.field[${fieldName(f)}]`, 'cr');
  setCrField = (f: Field, v: Value) => this.#set(`CR.field[${fieldName(f)}]`, v, 'cr');
  crBit = (bit: Field) => this.#atom(`CR.bit[${fieldName(bit)}]`, 'cr');
  setCrBit = (bit: Field, v: Value) => this.#set(`CR.bit[${fieldName(bit)}]`, v, 'cr');
  xer = () => this.#atom('(XER)', 'xer');
  setXer = (v: Value) => this.#set('XER', v, 'xer');
  carry = () => this.#atom('XER[CA]', 'xer');
  setCarry = (bit: Value) => this.#set('XER[CA]', bit, 'xer');
  summaryOverflow = () => this.#atom('XER[SO]', 'xer');
  lr = () => this.#atom('(LR)', 'lr');
  setLr = (v: Value) => this.#set('LR', v, 'lr');
  ctr = () => this.#atom('(CTR)', 'ctr');
  compareSigned = (f: Field, a: Value, b: Value) => this.#compare('compares', f, a, b);
  compareUnsigned = (f: Field, a: Value, b: Value) => this.#compare('compareu', f, a, b);
  #compare(name: string, f: Field, a: Value, b: Value): void {
    this.#effect(([x, y]) => `CR.field[${fieldName(f)}] ← ${name}(${x}, ${y}) || XER[SO]`, [a, b], 'cr');
  }
  record = (v: Value) => this.#effect(([x]) => `CR.field[0] ← compares(${x}, 0) || XER[SO]`, [v], 'cr');
  recordIf = (rc: Field, v: Value) =>
    this.#effect(([x]) => `if ${fieldName(rc)}: CR.field[0] ← compares(${x}, 0) || XER[SO]`, [v], 'cr');
  setCr0If = (rc: Field, v: Value) => this.#effect(([x]) => `if ${fieldName(rc)}: CR.field[0] ← ${x}`, [v], 'cr');
  overflowIf = (oe: Field, v: Value) =>
    this.#effect(([x]) => `if ${fieldName(oe)}: XER[OV] ← ${x}; XER[SO] ← XER[SO] ∨ XER[OV]`, [v], 'xer');

  add = (a: Value, b: Value) => this.#infix('+', a, b);
  subtract = (a: Value, b: Value) => this.#infix('−', a, b);
  multiply = (a: Value, b: Value) => this.#infix('×', a, b);
  multiplyHighSigned = (a: Value, b: Value) => this.#call('highs', a, b);
  multiplyHighUnsigned = (a: Value, b: Value) => this.#call('highu', a, b);
  divideSigned = (a: Value, b: Value) => this.#infix('÷s', a, b);
  divideUnsigned = (a: Value, b: Value) => this.#infix('÷u', a, b);
  and = (a: Value, b: Value) => this.#infix('∧', a, b);
  or = (a: Value, b: Value) => this.#infix('∨', a, b);
  xor = (a: Value, b: Value) => this.#infix('⊕', a, b);
  not = (a: Value) => this.#value(([x]) => `¬${x}`, [a], '¬');
  shiftLeft = (a: Value, by: Value) => this.#infix('<<', a, by);
  shiftRight = (a: Value, by: Value) => this.#infix('>>u', a, by);
  shiftRightSigned = (a: Value, by: Value) => this.#infix('>>s', a, by);
  rotateLeft = (a: Value, by: Value) => this.#call('ROTL', a, by);
  mask = (begin: Field, end: Field) => this.#atom(`MASK(${fieldName(begin)}, ${fieldName(end)})`);
  countLeadingZeros = (a: Value) => this.#call('leading_zeros', a);
  equal = (a: Value, b: Value) => this.#infix('=', a, b);
  lessSigned = (a: Value, b: Value) => this.#infix('<s', a, b);
  lessUnsigned = (a: Value, b: Value) => this.#infix('<u', a, b);
  select = (condition: Value, yes: Value, no: Value) =>
    this.#value(([c, x, y]) => `${c} ? ${x} : ${y}`, [condition, yes, no], '?');

  load = (width: 8 | 16 | 32, address: Value) => this.#storage(width / 8, address);
  store = (width: 8 | 16 | 32, address: Value, v: Value) =>
    this.#effect(([ea, x]) => `MS(${ea}, ${width / 8}) ← ${x}`, [asAddress(address), v], 'storage');
  loadReserve = (address: Value) => {
    const value = this.#storage(4, address);
    this.#effect(([ea]) => `reserve(${ea})`, [address], 'other');
    return value;
  };
  storeConditional = (address: Value, v: Value) => {
    this.#effect(([ea, x]) => `if reserved: MS(${ea}, 4) ← ${x}`, [asAddress(address), v], 'storage');
    this.#effect(() => 'CR.field[0] ← 0b00 || reserved || XER[SO]', [], 'cr');
    this.#effect(() => 'reserved ← 0', [], 'other');
  };
  loadMultiple = (first: Field, address: Value) =>
    this.#effect(
      ([ea]) => `${fieldName(first)} to r31 ← MS(${ea}, 4), MS(${ea} + 4, 4), …`,
      [asAddress(address)],
      'gpr',
    );
  storeMultiple = (first: Field, address: Value) =>
    this.#effect(
      ([ea]) => `MS(${ea}, 4), MS(${ea} + 4, 4), … ← ${fieldName(first)} to r31`,
      [asAddress(address)],
      'storage',
    );
  loadString = (first: Field, address: Value, bytes: Value) =>
    this.#effect(
      ([ea, n]) => `${fieldName(first)} and up (r0 follows r31), four bytes each, zeros behind ← MS(${ea}, ${n})`,
      [asAddress(address), bytes],
      'gpr',
    );
  storeString = (first: Field, address: Value, bytes: Value) =>
    this.#effect(
      ([ea, n]) => `MS(${ea}, ${n}) ← ${fieldName(first)} and up (r0 follows r31), four bytes each`,
      [asAddress(address), bytes],
      'storage',
    );
  zeroBlock = (address: Value) => this.#effect(([ea]) => `block(${ea}) ← 0`, [asAddress(address)], 'storage');
  touchBlock = (access: 'read' | 'write', address: Value) =>
    this.#effect(([ea]) => `check that block(${ea}) allows a ${access}`, [asAddress(address)]);

  #storage(bytes: number, address: Value): Value {
    return this.#value(([ea]) => `MS(${ea}, ${bytes})`, [asAddress(address)], 'call', 'storage');
  }

  branch = (target: Value) => this.#effect(([x]) => `NIA ← ${x}`, [asTarget(target)]);
  branchIf = (bo: Field, bi: Field, target: Value) => {
    const [o, i] = [fieldName(bo), fieldName(bi)];
    this.#effect(() => `if ${o}[2] = 0: CTR ← (CTR) − 1`, [], 'ctr');
    const counted = `(${o}[2] ∨ (((CTR) = 0) = ${o}[3]))`;
    const holds = `(${o}[0] ∨ (CR.bit[${i}] = ${o}[1]))`;
    this.#effect(([x]) => `if ${counted} ∧ ${holds}: NIA ← ${x}`, [asTarget(target)]);
  };
  linkIf = (lk: Field) => this.#effect(() => `if ${fieldName(lk)}: LR ← CIA + 4`, [], 'lr');
  trapIf = (condition: Value) => this.#effect(([c]) => `if ${c}: program interrupt (trap)`, [condition]);
  trapCondition = (to: Field, a: Value, b: Value) =>
    this.#value(([x, y]) => `traps(${fieldName(to)}, ${x}, ${y})`, [a, b], 'call');
  systemCall = (level: Field) => this.#effect(() => `system call interrupt, level ${fieldName(level)}`);
  illegal = () => this.#effect(() => 'program interrupt (illegal)');
  floatingPoint = () => this.#effect(() => 'floating-point unavailable interrupt where MSR[FP] is 0');
  floatArithmetic = (name: FloatArithmetic, single: boolean, ft: Field, fa: Field, fb: Field, fc: Field) => {
    const [t, a, b, c] = [ft, fa, fb, fc].map((f) => fieldName(f));
    this.#effect(
      () =>
        `${t} ← ${formulas[name](`(${a})`, `(${b})`, `(${c})`)}, rounded once to ${single ? 'single' : 'double'}; FPSCR`,
    );
  };
  floatMove = (name: FloatMove, ft: Field, fb: Field) =>
    this.#effect(() => `${fieldName(ft)} ← ${moves[name](`(${fieldName(fb)})`)}`);
  floatSelect = (ft: Field, fa: Field, fb: Field, fc: Field) =>
    this.#effect(() => `${fieldName(ft)} ← (${fieldName(fa)}) ≥ 0 ? (${fieldName(fc)}) : (${fieldName(fb)})`);
  floatToInteger = (towardZero: boolean, ft: Field, fb: Field) =>
    this.#effect(
      () =>
        `${fieldName(ft)} ← (${fieldName(fb)}) as a 32-bit integer, rounded ${towardZero ? 'toward 0' : 'as FPSCR[RN] says'}; FPSCR`,
    );
  floatCompare = (ordered: boolean, field: Field, fa: Field, fb: Field) =>
    this.#effect(
      () =>
        `CR.field[${fieldName(field)}], FPSCR[FPCC] ← compare((${fieldName(fa)}), (${fieldName(fb)}))${ordered ? ', invalid where one is no number' : ''}`,
      [],
      'cr',
    );
  loadFloat = (width: 32 | 64, ft: Field, address: Value) =>
    this.#effect(
      ([ea]) => `${fieldName(ft)} ← ${width === 32 ? 'double(' : ''}MS(${ea}, ${width / 8})${width === 32 ? ')' : ''}`,
      [asAddress(address)],
    );
  storeFloat = (width: 32 | 64 | 'integer', fs: Field, address: Value) =>
    this.#effect(
      ([ea]) =>
        `MS(${ea}, ${width === 64 ? 8 : 4}) ← ${width === 32 ? 'single' : width === 64 ? '' : 'lowword'}(${fieldName(fs)})`,
      [asAddress(address)],
      'storage',
    );
  readFpscr = (ft: Field) => this.#effect(() => `${fieldName(ft)} ← (FPSCR) in the low word`);
  writeFpscrFields = (fields: Field, fb: Field) =>
    this.#effect(() => `FPSCR fields of ${fieldName(fields)} ← lowword(${fieldName(fb)})`);
  writeFpscrImmediate = (field: Field, value: Field) =>
    this.#effect(() => `FPSCR.field[${fieldName(field)}] ← ${fieldName(value)}`);
  writeFpscrBit = (bit: Field, set: boolean) => this.#effect(() => `FPSCR.bit[${fieldName(bit)}] ← ${set ? 1 : 0}`);
  takeFpscrField = (crField: Field, field: Field) => {
    this.#effect(() => `CR.field[${fieldName(crField)}] ← FPSCR.field[${fieldName(field)}]`, [], 'cr');
    this.#effect(() => `exception bits of FPSCR.field[${fieldName(field)}] ← 0`);
  };
  recordFloatIf = (rc: Field) =>
    this.#effect(() => `if ${fieldName(rc)}: CR.field[1] ← FPSCR[FX, FEX, VX, OX]`, [], 'cr');

  privileged = () => this.#effect(() => 'supervisor only');
  readMsr = () => this.#atom('(MSR)', 'other');
  writeMsr = (v: Value) => this.#set('MSR', v, 'other');
  readSpr = (number: Field) => this.#atom(`(SPR(${fieldName(number)}))`, 'other');
  writeSpr = (number: Field, v: Value) => this.#set(`SPR(${fieldName(number)})`, v, 'other');
  readDcr = (number: Field) => this.#atom(`(DCR(${fieldName(number)}))`, 'other');
  writeDcr = (number: Field, v: Value) => this.#set(`DCR(${fieldName(number)})`, v, 'other');
  readTlb = (entry: Value, word: Field) =>
    this.#value(([e]) => `TLB[${e}].word[${fieldName(word)}]`, [entry], 'call', 'other');
  writeTlb = (entry: Value, word: Field, v: Value) =>
    this.#effect(([e, x]) => `TLB[${e}].word[${fieldName(word)}] ← ${x}`, [entry, v], 'other');
  searchTlb = (address: Value, target: Field, record: Field) => {
    this.#effect(
      ([ea]) => `found ← the entry that maps ${ea} in MMUCR[STS] and MMUCR[STID]`,
      [asAddress(address)],
      'other',
    );
    this.#effect(() => `if found: ${fieldName(target)} ← its number`, [], 'gpr');
    this.#effect(() => `if ${fieldName(record)}: CR.field[0] ← 0b00 || found || XER[SO]`, [], 'cr');
  };
  returnFrom = (level: 'base' | 'critical' | 'machine-check') => {
    const prefix = { base: '', critical: 'C', 'machine-check': 'MC' }[level];
    this.#effect(() => `MSR ← (${prefix}SRR1)`, [], 'other');
    this.#effect(() => `NIA ← (${prefix}SRR0)`);
  };
}

/** With all eight digits where it has more than four. */
function hex(value: number): string {
  const digits = (value >>> 0).toString(16);
  return `0x${digits.length > 4 ? digits.padStart(8, '0') : digits}`;
}

function asAddress(value: Value): Value {
  value.hint = 'EA';
  return value;
}

function asTarget(value: Value): Value {
  value.hint = 'target';
  return value;
}

function countUse(value: Value): void {
  value.uses += 1;
  if (value.uses === 1) value.operands.forEach(countUse);
}

/** The value that can be called by the register that an effect puts it into. */
function renamedBy({ operands, register }: Effect): Value | undefined {
  const [value] = operands;
  const wantsName = value?.operator !== undefined && value.name === undefined && value.uses > 1 && value.hint !== 'EA';
  return register !== undefined && wantsName ? value : undefined;
}

/** A value's name, or what it is. */
function textOf(value: Value): string {
  if (value.name !== undefined) return value.name;
  const { operator, operands } = value;
  const inner = operands.map((operand) =>
    needsParentheses(operand, operator) ? `(${textOf(operand)})` : textOf(operand),
  );
  return value.print(inner);
}

function needsParentheses({ name, operator }: Value, outer: string | undefined): boolean {
  if (name !== undefined || operator === undefined || operator === 'call' || operator === '¬') return false;
  if (outer === undefined || outer === 'call') return false;
  return operator !== outer || !ASSOCIATIVE.includes(operator);
}
