import type { Field, Instruction, InvalidForm, Machine } from '../../isa/spec.js';
import { MSR, MSR_BITS } from '../../isa/registers.js';
import { R } from '../state.js';
import { PLACED, type SprTables } from './spr-tables.js';
import { saved } from '../supervisor.js';
import { Arithmetic, CONTEXT, QUIET } from './arithmetic.js';
import { countUse, operandsOf, type Lowered } from './effects.js';
import type { Value } from './value.js';

/**
 * Reads an instruction's meaning as effects where its word is not known: registers are found by their numbers, and everything
 * is in memory. Only one-bit options are known. Words of invalid forms are refused, and reads of the time base without `hasTime`.
 */
export function lowerCold(
  instruction: Instruction,
  options: Readonly<Record<string, number>>,
  sprs: SprTables,
  hasTime = true,
): Pick<Lowered, 'effects' | 'flow'> {
  const { fields, match, mask, invalid, meaning } = instruction;
  const reader = new ColdLowering(sprs, hasTime);
  const values = Object.fromEntries(fields.map((f): [string, Value] => [f.name, reader.field(f, options[f.name])]));
  reader.refuseUnless(mask & OUTSIDE_INDEX, match & OUTSIDE_INDEX);
  for (const form of invalid) reader.refuseInvalid(form, values);
  meaning(reader, values);
  const { effects, flow } = reader;
  effects.forEach((effect) => operandsOf(effect).forEach(countUse));
  return { effects, flow };
}

/** Bits that finding the instruction does not look at. */
const OUTSIDE_INDEX = 0x03fff800;

class ColdLowering extends Arithmetic<Value> implements Machine<Value, Value> {
  constructor(
    private readonly sprs: SprTables,
    private readonly hasTime: boolean,
  ) {
    super();
  }

  /** A field's value out of the word, unless it is known. */
  field({ shift, width, kind }: Field, known: number | undefined): Value {
    if (known !== undefined) return this.constant(known);
    const code = this.values.leaf('code', 0);
    const left = 32 - shift - width;
    if (kind === 'signed')
      return this.shiftRightSigned(this.shiftLeft(code, this.constant(left)), this.constant(left + shift));
    const bits = (from: number, count: number): Value =>
      this.and(this.shiftRight(code, this.constant(from)), this.constant(2 ** count - 1));
    if (kind === 'unsigned') return bits(shift, width);
    return this.or(this.shiftLeft(bits(shift, 5), this.constant(5)), bits(shift + 5, 5));
  }

  refuseUnless(mask: number, match: number): void {
    if (mask === 0) return;
    const fixed = this.and(this.values.leaf('code', 0), this.constant(mask));
    this.do({ kind: 'refuse', condition: this.values.binary('ne', fixed, this.constant(match)) });
  }

  refuseInvalid(form: InvalidForm, values: Readonly<Record<string, Value>>): void {
    if (form.kind === 'loaded') return this.interpret();
    const condition =
      form.kind === 'clear'
        ? this.values.unary('eqz', this.and(values[form.field]!, this.constant(form.bits)))
        : this.equal(values[form.fields[0]]!, values[form.fields[1]]!);
    this.do({ kind: 'refuse', condition });
  }

  literal = (n: number) => this.constant(n);
  imm = (f: Value) => f;
  immHigh = (f: Value) => this.shiftLeft(f, this.constant(16));
  pc = () => this.values.leaf('pc', 0);

  #setWord = (word: number, value: Value): void => this.do({ kind: 'word', word, value });
  gpr = (r: Value) => this.values.unary('register', r);
  gprOrZero = (r: Value) => this.select(r, this.gpr(r), this.constant(0));
  setGpr = (number: Value, value: Value) => this.do({ kind: 'register', number, value });

  cr = () => this.word(R.CR);
  /** The bits of a mask replaced in the CR. */
  #merge = (mask: Value, value: Value): void =>
    this.#setWord(R.CR, this.or(this.and(this.cr(), this.not(mask)), this.and(value, mask)));
  setCr = (fields: Value, v: Value) => {
    // Each bit of the field becomes four
    const spread = (x: Value, by: number, mask: number): Value =>
      this.and(this.or(x, this.shiftLeft(x, this.constant(by))), this.constant(mask));
    const ones = spread(spread(spread(fields, 12, 0x000f000f), 6, 0x03030303), 3, 0x11111111);
    this.#merge(this.multiply(ones, this.constant(15)), v);
  };
  #shiftOf = (f: Value): Value => this.subtract(this.constant(28), this.shiftLeft(f, this.constant(2)));
  crField = (f: Value) => this.and(this.shiftRight(this.cr(), this.#shiftOf(f)), this.constant(15));
  setCrField = (f: Value, v: Value) =>
    this.#merge(this.shiftLeft(this.constant(15), this.#shiftOf(f)), this.shiftLeft(v, this.#shiftOf(f)));
  #bitShift = (bit: Value): Value => this.xor(bit, this.constant(31));
  crBit = (bit: Value) => this.and(this.shiftRight(this.cr(), this.#bitShift(bit)), this.constant(1));
  setCrBit = (bit: Value, v: Value) =>
    this.#merge(this.shiftLeft(this.constant(1), this.#bitShift(bit)), this.shiftLeft(v, this.#bitShift(bit)));
  xer = () => this.word(R.XER);
  setXer = (v: Value) => this.#setWord(R.XER, v);
  carry = () => this.and(this.shiftRight(this.xer(), this.constant(29)), this.constant(1));
  setCarry = (bit: Value) =>
    this.setXer(this.or(this.and(this.xer(), this.constant(~0x20000000)), this.shiftLeft(bit, this.constant(29))));
  summaryOverflow = () => this.shiftRight(this.xer(), this.constant(31));
  lr = () => this.word(R.LR);
  setLr = (v: Value) => this.#setWord(R.LR, v);
  ctr = () => this.word(R.CTR);

  #compare(f: Value, less: Value, greater: Value): void {
    const order = this.select(less, this.constant(8), this.select(greater, this.constant(4), this.constant(2)));
    this.setCrField(f, this.or(order, this.summaryOverflow()));
  }
  compareSigned = (f: Value, a: Value, b: Value) => this.#compare(f, this.lessSigned(a, b), this.lessSigned(b, a));
  compareUnsigned = (f: Value, a: Value, b: Value) =>
    this.#compare(f, this.lessUnsigned(a, b), this.lessUnsigned(b, a));
  record = (v: Value) => this.compareSigned(this.constant(0), v, this.constant(0));
  recordIf = (rc: Value, v: Value) => {
    if (rc.n) this.record(v);
  };
  setCr0If = (rc: Value, v: Value) => {
    if (rc.n) this.setCrField(this.constant(0), v);
  };
  overflowIf = (oe: Value, overflow: Value) => {
    if (!oe.n) return;
    const xer = this.xer();
    const [set, clear] = [this.constant(0xc0000000), this.constant(~0x40000000)];
    this.setXer(this.select(overflow, this.or(xer, set), this.and(xer, clear)));
  };

  /** Ones from `begin` on, less those behind `end`; where that wraps, the bits between are the ones that are missing. */
  mask = (begin: Value, end: Value) => {
    const ones = this.constant(-1);
    const behind = this.shiftRight(this.shiftRight(ones, end), this.constant(1));
    const between = this.xor(this.shiftRight(ones, begin), behind);
    return this.xor(between, this.subtract(this.constant(0), this.lessUnsigned(end, begin)));
  };

  loadMultiple = (first: Value, address: Value) => this.do({ kind: 'transfer', access: 'read', first, address });
  storeMultiple = (first: Value, address: Value) => this.do({ kind: 'transfer', access: 'write', first, address });

  branch = (target: Value) => this.#branch(target, undefined, this.constant(1));
  #branch(target: Value, condition: Value | undefined, repeats: Value): void {
    this.do({ kind: 'branch', target, condition, repeats });
    this.flow = 'branch';
  }
  branchIf = (bo: Value, bi: Value, target: Value) => {
    if (bo.op === 'const') return this.#branchIfKnown(bo.n, bi, target);
    const option = (bit: number): Value => this.and(this.shiftRight(bo, this.constant(bit)), this.constant(1));
    const uncounted = option(2);
    this.#setWord(R.CTR, this.subtract(this.ctr(), this.xor(uncounted, this.constant(1))));
    const isZero = this.equal(this.ctr(), this.constant(0));
    const counted = this.or(uncounted, this.equal(isZero, option(1)));
    const holds = this.or(option(4), this.equal(this.crBit(bi), option(3)));
    this.#branch(target, this.and(counted, holds), uncounted);
  };
  /** The same, where the meaning of BO is known. */
  #branchIfKnown(bo: number, bi: Value, target: Value): void {
    const conditions: Value[] = [];
    const unless = (value: Value): Value => this.values.unary('eqz', value);
    if (!(bo & 4)) {
      this.#setWord(R.CTR, this.subtract(this.ctr(), this.constant(1)));
      conditions.push(bo & 2 ? unless(this.ctr()) : this.ctr());
    }
    if (!(bo & 16)) {
      const isSet = this.lessSigned(this.shiftLeft(this.cr(), bi), this.constant(0));
      conditions.push(bo & 8 ? isSet : unless(isSet));
    }
    const [first, second] = conditions;
    const both = first && second ? this.select(first, second, this.constant(0)) : first;
    this.#branch(target, both, this.constant(bo & 4 ? 1 : 0));
  }
  linkIf = (lk: Value) => {
    if (lk.n) this.setLr(this.add(this.pc(), this.constant(4)));
  };
  trapCondition = (to: Value, a: Value, b: Value) =>
    [
      this.lessSigned(a, b),
      this.lessSigned(b, a),
      this.equal(a, b),
      this.lessUnsigned(a, b),
      this.lessUnsigned(b, a),
    ].reduce(
      (any, holds, i) => this.or(any, this.and(holds, this.shiftRight(to, this.constant(4 - i)))),
      this.constant(0),
    );
  systemCall = this.interpret;

  privileged = () =>
    this.do({ kind: 'refuse', condition: this.and(this.readMsr(), this.constant(MSR.PR)), denied: true });
  /** What the table says of a register; refuses what is not in it, or not for this program. */
  #find(table: number, number: Value): Value {
    const at = this.add(this.shiftLeft(number, this.constant(3)), this.constant(table));
    const found = this.values.unary('memory', at);
    const forbidden = this.values.unary('eqz', this.and(found, this.constant(PLACED.ANYBODY)));
    const user = this.and(this.readMsr(), this.constant(MSR.PR));
    this.do({ kind: 'refuse', condition: this.values.unary('eqz', found) });
    this.do({
      kind: 'refuse',
      condition: this.and(this.shiftRight(user, this.constant(14)), forbidden),
      denied: true,
    });
    return found;
  }
  /** The number that its word would have as a general purpose register. */
  #wordOf(found: Value): Value {
    const distance = this.subtract(this.word(R.SYSTEM), this.values.leaf('registers', 0));
    const system = this.and(found, this.constant(PLACED.SYSTEM));
    const words = this.select(system, this.shiftRightSigned(distance, this.constant(2)), this.constant(0));
    return this.add(words, this.and(found, this.constant(PLACED.WORD)));
  }
  readSpr = (number: Value) => {
    const found = this.#find(this.sprs.read, number);
    const isTime = this.and(found, this.constant(PLACED.TIME));
    const refused = this.hasTime ? this.and(isTime, this.word(R.ASK_TIME)) : isTime;
    this.do({ kind: 'refuse', condition: refused });
    const stored = this.gpr(this.#wordOf(found));
    return this.hasTime ? this.select(isTime, this.#timeBase(found), stored) : stored;
  };
  #timeBase(found: Value): Value {
    const low = this.add(this.word(R.TBL), this.values.leaf('count', 0));
    const high = this.add(this.word(R.TBU), this.lessUnsigned(low, this.word(R.TBL)));
    return this.select(this.and(found, this.constant(PLACED.HIGH)), high, low);
  }
  writeSpr = (number: Value, v: Value) => {
    const found = this.#find(this.sprs.write, number);
    const mask = this.add(this.shiftLeft(number, this.constant(3)), this.constant(this.sprs.write + 4));
    this.setGpr(this.#wordOf(found), this.and(v, this.values.unary('memory', mask)));
  };
  writeTlb = (entry: Value, word: Value, value: Value) => this.do({ kind: 'tlb', entry, word, value });
  returnFrom = (level: 'base' | 'critical' | 'machine-check') => {
    const [pc, msr] = saved[level];
    const target = this.and(this.system(pc), this.constant(-4));
    this.replaceMsr(this.and(this.system(msr), this.constant(MSR_BITS)), QUIET | CONTEXT);
    this.#branch(target, undefined, this.constant(0));
  };
}
