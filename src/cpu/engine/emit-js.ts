import type { FloatArithmetic, FloatMove, Machine } from '../../isa/spec.js';
import { R } from '../state.js';

/** A field is an expression over the instruction word `w`, or a number where it is known. */
export type EmittedField = string | number;

/** How the surrounding code is left after a trap, and how it takes notice after a slow path. */
export interface Surroundings {
  /** Statement that makes pc and count visible to slow paths. */
  readonly publish: string;
  /** Statement that leaves after a trap. */
  readonly abort: string;
  /** Whether the lookaside's tables are at hand, to do without a slow path. */
  readonly tables: boolean;
  /** Statement that takes over what a slow path may have changed. */
  readonly refresh: string;
}

const s = (word: number): string => `s[${word}]`;
const SO_TO_CR0 = `(${s(R.XER)} >>> 3 & 0x10000000)`;
/** Prints an instruction's meaning as JavaScript over the state words `s`. A value is the text of an expression. */
export class JsEmitter implements Machine<string, EmittedField> {
  readonly #lines: { text: string; name?: string }[] = [];
  #temporaries = 0;
  /** The instruction may set `next`, the next pc. */
  branches = false;
  /** Condition under which a branch to itself would change nothing but the link register, however often it is run. */
  repeats = 'false';

  constructor(private readonly surroundings: Surroundings) {}

  /** The statements, without the temporaries that nothing uses. */
  get code(): string {
    const used = new Set<string>();
    const kept: string[] = [];
    for (const { text, name } of this.#lines.toReversed()) {
      if (name !== undefined && !used.has(name)) continue;
      for (const [reference] of text.matchAll(/\bt\d+\b/g)) used.add(reference);
      kept.push(text);
    }
    return kept.reverse().join(' ');
  }

  /** Values are bound when they are asked for, so that later effects cannot change them. */
  #bind(expression: string): string {
    const name = `t${this.#temporaries++}`;
    this.#lines.push({ text: `const ${name} = ${expression};`, name });
    return name;
  }

  #do(text: string): void {
    this.#lines.push({ text });
  }

  /** A slow path that may trap. */
  #attempt(statement: string): void {
    const { publish, abort, refresh } = this.surroundings;
    this.#do(`${publish} ${statement} if (core.trap !== null) ${abort} ${refresh}`);
  }

  #trap(condition: string, trap: string): void {
    const { publish, abort } = this.surroundings;
    this.#do(`if (${condition}) { ${publish} core.raise(${trap}); ${abort} }`);
  }

  imm = (f: EmittedField) => `${f}`;
  immHigh = (f: EmittedField) => `(${f} << 16)`;
  constant = (value: number) => `${value | 0}`;
  pc = () => 'pc';

  gpr = (r: EmittedField) => this.#bind(`s[${r}]`);
  gprOrZero = (r: EmittedField) =>
    r === 0 ? '0' : this.#bind(typeof r === 'number' ? `s[${r}]` : `${r} === 0 ? 0 : s[${r}]`);
  setGpr = (r: EmittedField, v: string) => this.#do(`s[${r}] = ${v};`);
  cr = () => this.#bind(s(R.CR));
  setCr = (fields: EmittedField, v: string) => {
    const mask = this.#bind(`fieldMask(${fields})`);
    this.#do(`${s(R.CR)} = ${s(R.CR)} & ~${mask} | ${v} & ${mask};`);
  };
  crField = (f: EmittedField) => this.#bind(`${s(R.CR)} >>> 28 - 4 * ${f} & 15`);
  setCrField = (f: EmittedField, v: string) => {
    const shift = this.#bind(`28 - 4 * ${f}`);
    this.#do(`${s(R.CR)} = ${s(R.CR)} & ~(15 << ${shift}) | ${v} << ${shift};`);
  };
  crBit = (bit: EmittedField) => this.#bind(`${s(R.CR)} >>> 31 - ${bit} & 1`);
  setCrBit = (bit: EmittedField, v: string) => {
    const shift = this.#bind(`31 - ${bit}`);
    this.#do(`${s(R.CR)} = ${s(R.CR)} & ~(1 << ${shift}) | ${v} << ${shift};`);
  };
  xer = () => this.#bind(s(R.XER));
  setXer = (v: string) => this.#do(`${s(R.XER)} = ${v};`);
  carry = () => this.#bind(`${s(R.XER)} >>> 29 & 1`);
  setCarry = (bit: string) => this.#do(`${s(R.XER)} = ${s(R.XER)} & ~0x20000000 | ${bit} << 29;`);
  summaryOverflow = () => this.#bind(`${s(R.XER)} >>> 31`);
  lr = () => this.#bind(s(R.LR));
  setLr = (v: string) => this.#do(`${s(R.LR)} = ${v};`);
  ctr = () => this.#bind(s(R.CTR));
  compareSigned = (f: EmittedField, a: string, b: string) => this.#compare(f, `${a} < ${b}`, `${a} > ${b}`);
  compareUnsigned = (f: EmittedField, a: string, b: string) =>
    this.#compare(f, `${a} >>> 0 < ${b} >>> 0`, `${a} >>> 0 > ${b} >>> 0`);
  #compare(f: EmittedField, less: string, greater: string): void {
    this.setCrField(f, `((${less} ? 8 : ${greater} ? 4 : 2) | ${s(R.XER)} >>> 31)`);
  }
  record = (v: string) =>
    this.#do(
      `${s(R.CR)} = ${s(R.CR)} & 0x0fffffff | (${v} < 0 ? 0x80000000 : ${v} > 0 ? 0x40000000 : 0x20000000) | ${SO_TO_CR0};`,
    );
  recordIf = (rc: EmittedField, v: string) => this.#when(rc, () => this.record(v));
  setCr0If = (rc: EmittedField, v: string) =>
    this.#when(rc, () => this.#do(`${s(R.CR)} = ${s(R.CR)} & 0x0fffffff | ${v} << 28;`));
  overflowIf = (oe: EmittedField, v: string) =>
    this.#when(oe, () => this.#do(`${s(R.XER)} = ${v} ? ${s(R.XER)} | 0xc0000000 : ${s(R.XER)} & ~0x40000000;`));

  /** An effect that hangs on a one-bit field; nothing is printed where the bit is known to be 0. */
  #when(bit: EmittedField, effect: () => void): void {
    if (bit === 0) return;
    if (typeof bit === 'string') this.#do(`if (${bit}) {`);
    effect();
    if (typeof bit === 'string') this.#do('}');
  }

  add = (a: string, b: string) => this.#bind(`${a} + ${b} | 0`);
  subtract = (a: string, b: string) => this.#bind(`${a} - ${b} | 0`);
  multiply = (a: string, b: string) => this.#bind(`Math.imul(${a}, ${b})`);
  multiplyHighSigned = (a: string, b: string) => this.#bind(`highSigned(${a}, ${b})`);
  multiplyHighUnsigned = (a: string, b: string) => this.#bind(`highUnsigned(${a}, ${b})`);
  divideSigned = (a: string, b: string) =>
    this.#bind(`${b} === 0 || ${a} === -2147483648 && ${b} === -1 ? 0 : ${a} / ${b} | 0`);
  divideUnsigned = (a: string, b: string) => this.#bind(`${b} === 0 ? 0 : (${a} >>> 0) / (${b} >>> 0) | 0`);
  and = (a: string, b: string) => this.#bind(`${a} & ${b}`);
  or = (a: string, b: string) => this.#bind(`${a} | ${b}`);
  xor = (a: string, b: string) => this.#bind(`${a} ^ ${b}`);
  not = (a: string) => this.#bind(`~${a}`);
  shiftLeft = (a: string, by: string) => this.#bind(`${a} << ${by}`);
  shiftRight = (a: string, by: string) => this.#bind(`${a} >>> ${by} | 0`);
  shiftRightSigned = (a: string, by: string) => this.#bind(`${a} >> ${by}`);
  rotateLeft = (a: string, by: string) => this.#bind(`${a} << ${by} | ${a} >>> 32 - ${by}`);
  mask = (begin: EmittedField, end: EmittedField) => this.#bind(`masks[${begin} << 5 | ${end}]`);
  countLeadingZeros = (a: string) => this.#bind(`Math.clz32(${a})`);
  equal = (a: string, b: string) => this.#bind(`${a} === ${b} ? 1 : 0`);
  lessSigned = (a: string, b: string) => this.#bind(`${a} < ${b} ? 1 : 0`);
  lessUnsigned = (a: string, b: string) => this.#bind(`${a} >>> 0 < ${b} >>> 0 ? 1 : 0`);
  select = (condition: string, yes: string, no: string) => this.#bind(`${condition} !== 0 ? ${yes} : ${no}`);

  load = (width: 8 | 16 | 32, address: string) => {
    if (!this.surroundings.tables) return this.#obtain(`ops.load(core, ${width / 8}, ${address})`);
    const ea = this.#bind(address);
    const slot = this.#bind(`${ea} >>> 12 & 1023`);
    const value = `t${this.#temporaries++}`;
    const place = `${ea} + readDelta[${slot}]`;
    this.#do(
      `let ${value}; if (readTag[${slot}] === (${ea} & ${pageAndAlignment(width)} | s[${R.DATA_CONTEXT}])) ${value} = ${memoryAt(width, place)}; else {`,
    );
    this.#attempt(`${value} = ops.load(core, ${width / 8}, ${ea});`);
    this.#do('}');
    return value;
  };
  store = (width: 8 | 16 | 32, address: string, v: string) => {
    if (!this.surroundings.tables) return this.#attempt(`ops.store(core, ${width / 8}, ${address}, ${v});`);
    const ea = this.#bind(address);
    const slot = this.#bind(`${ea} >>> 12 & 1023`);
    const place = `${ea} + writeDelta[${slot}]`;
    this.#do(
      `if (writeTag[${slot}] === (${ea} & ${pageAndAlignment(width)} | s[${R.DATA_CONTEXT}])) ${memoryAt(width, place)} = ${v}; else {`,
    );
    this.#attempt(`ops.store(core, ${width / 8}, ${ea}, ${v});`);
    this.#do('}');
  };
  loadReserve = (address: string) => this.#obtain(`ops.loadReserve(core, ${address})`);
  storeConditional = (address: string, v: string) => this.#attempt(`ops.storeConditional(core, ${address}, ${v});`);
  loadMultiple = (first: EmittedField, address: string) =>
    this.#attempt(`ops.loadMultiple(core, ${first}, ${address});`);
  storeMultiple = (first: EmittedField, address: string) =>
    this.#attempt(`ops.storeMultiple(core, ${first}, ${address});`);
  loadString = (first: EmittedField, address: string, n: string) =>
    this.#attempt(`ops.loadString(core, ${first}, ${address}, ${n});`);
  storeString = (first: EmittedField, address: string, n: string) =>
    this.#attempt(`ops.storeString(core, ${first}, ${address}, ${n});`);
  zeroBlock = (address: string) => this.#attempt(`ops.zeroBlock(core, ${address});`);
  touchBlock = (access: 'read' | 'write', address: string) =>
    this.#attempt(`ops.touchBlock(core, '${access}', ${address});`);

  #obtain(expression: string): string {
    const value = `t${this.#temporaries++}`;
    this.#do(`let ${value};`);
    this.#attempt(`${value} = ${expression};`);
    return value;
  }

  branch = (target: string) => {
    this.branches = true;
    this.repeats = 'true';
    this.#do(`next = ${target};`);
  };
  branchIf = (bo: EmittedField, bi: EmittedField, target: string) => {
    this.branches = true;
    this.repeats = `(${bo} & 4) !== 0`; // CTR does not count down
    const options = this.#bind(`${bo}`);
    this.#do(`if ((${options} & 4) === 0) ${s(R.CTR)} = ${s(R.CTR)} - 1;`);
    const counted = `((${options} & 4) !== 0 || (${s(R.CTR)} === 0) === ((${options} & 2) !== 0))`;
    const holds = `((${options} & 16) !== 0 || (${s(R.CR)} >>> 31 - ${bi} & 1) === (${options} >>> 3 & 1))`;
    this.#do(`if (${counted} && ${holds}) next = ${target};`);
  };
  linkIf = (lk: EmittedField) => this.#when(lk, () => this.#do(`${s(R.LR)} = pc + 4 | 0;`));
  trapIf = (condition: string) => this.#trap(condition, 'TRAP');
  trapCondition = (to: EmittedField, a: string, b: string) => this.#bind(`trapCondition(${to}, ${a}, ${b})`);
  systemCall = (level: EmittedField) => {
    const { publish, abort } = this.surroundings;
    this.#do(
      `${publish} ${s(R.PC)} = pc + 4; ${s(R.COUNT)} = ${s(R.COUNT)} + 1; core.raise({ kind: 'system-call', level: ${level} }); ${abort}`,
    );
  };
  illegal = () => this.#trap('true', 'ILLEGAL_INSTRUCTION');
  floatingPoint = () => this.#trap('(core.system.msr & 0x2000) === 0', 'FP_UNAVAILABLE');
  floatArithmetic = (
    name: FloatArithmetic,
    single: boolean,
    ft: EmittedField,
    fa: EmittedField,
    fb: EmittedField,
    fc: EmittedField,
  ) => this.#attempt(`ops.floatArithmetic(core, '${name}', ${single}, ${ft}, ${fa}, ${fb}, ${fc});`);
  floatMove = (name: FloatMove, ft: EmittedField, fb: EmittedField) =>
    this.#do(`ops.floatMove(core, '${name}', ${ft}, ${fb});`);
  floatSelect = (ft: EmittedField, fa: EmittedField, fb: EmittedField, fc: EmittedField) =>
    this.#do(`ops.floatSelect(core, ${ft}, ${fa}, ${fb}, ${fc});`);
  floatToInteger = (towardZero: boolean, ft: EmittedField, fb: EmittedField) =>
    this.#attempt(`ops.floatToInteger(core, ${towardZero}, ${ft}, ${fb});`);
  floatCompare = (ordered: boolean, field: EmittedField, fa: EmittedField, fb: EmittedField) =>
    this.#attempt(`ops.floatCompare(core, ${ordered}, ${field}, ${fa}, ${fb});`);
  loadFloat = (width: 32 | 64, ft: EmittedField, address: string) =>
    this.#attempt(`ops.loadFloat(core, ${width}, ${ft}, ${address});`);
  storeFloat = (width: 32 | 64 | 'integer', fs: EmittedField, address: string) =>
    this.#attempt(`ops.storeFloat(core, ${width === 'integer' ? "'integer'" : width}, ${fs}, ${address});`);
  readFpscr = (ft: EmittedField) => this.#do(`ops.readFpscr(core, ${ft});`);
  writeFpscrFields = (fields: EmittedField, fb: EmittedField) =>
    this.#attempt(`ops.writeFpscrFrom(core, ${fields}, ${fb});`);
  writeFpscrImmediate = (field: EmittedField, value: EmittedField) =>
    this.#attempt(`ops.writeFpscrImmediate(core, ${field}, ${value});`);
  writeFpscrBit = (bit: EmittedField, set: boolean) => this.#attempt(`ops.writeFpscrBit(core, ${bit}, ${set});`);
  takeFpscrField = (crField: EmittedField, field: EmittedField) =>
    this.#do(`ops.moveFpscrField(core, ${crField}, ${field});`);
  recordFloatIf = (rc: EmittedField) => this.#when(rc, () => this.#do('ops.recordFloat(core);'));

  privileged = () => this.#trap('(core.system.msr & 0x4000) !== 0', 'PRIVILEGED');
  readMsr = () => this.#bind('core.system.msr');
  writeMsr = (v: string) => this.#attempt(`ops.writeMsr(core, ${v});`);
  readSpr = (number: EmittedField) => this.#obtain(`ops.readSpr(core, ${number})`);
  writeSpr = (number: EmittedField, v: string) => this.#attempt(`ops.writeSpr(core, ${number}, ${v});`);
  readDcr = (number: EmittedField) => this.#obtain(`ops.readDcr(core, ${number})`);
  writeDcr = (number: EmittedField, v: string) => this.#attempt(`ops.writeDcr(core, ${number}, ${v});`);
  readTlb = (entry: string, word: EmittedField) => this.#obtain(`ops.readTlb(core, ${entry}, ${word})`);
  writeTlb = (entry: string, word: EmittedField, v: string) =>
    this.#attempt(`ops.writeTlb(core, ${entry}, ${word}, ${v});`);
  searchTlb = (address: string, target: EmittedField, record: EmittedField) => {
    const found = this.#obtain(`ops.searchTlb(core, ${address})`);
    this.#do(`if (${found} >= 0) s[${target}] = ${found};`);
    this.#when(record, () => this.#do(`ops.recordSearch(core, ${found} >= 0);`));
  };
  returnFrom = (level: 'base' | 'critical' | 'machine-check') => {
    this.branches = true;
    const target = this.#obtain(`ops.returnFrom(core, '${level}')`);
    this.#do(`next = ${target};`);
  };
}

/** What an address must have in common with a tag: its page, and alignment to the access's width. */
const pageAndAlignment = (width: 8 | 16 | 32): number => ~0xfff | (width / 8 - 1);

/** The element of the shared memory for a byte address in guest order. */
function memoryAt(width: 8 | 16 | 32, place: string): string {
  if (width === 32) return `words[(${place}) >>> 2]`;
  return width === 16 ? `halves[(${place} ^ 2) >>> 1]` : `bytes[(${place} ^ 3) >>> 0]`;
}
