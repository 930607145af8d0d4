import { ESR, findSpr, isSupervisorNumber, MSR_BITS, type Spr } from '../../isa/registers.js';
import type { Machine } from '../../isa/spec.js';
import { kept } from '../deliver.js';
import { DELIVERED, R, S, userWords } from '../state.js';
import { saved } from '../supervisor.js';
import { vectors } from '../trap.js';
import { countUse, INTERPRET, operandsOf, type Assumptions, type Effect, type Lowered } from './effects.js';
import { Arithmetic, CONTEXT, QUIET } from './arithmetic.js';
import { placesOf } from './flow-facts.js';
import { mask } from './mask.js';
import { living, plain, systemWord } from './spr-tables.js';
import { PLACE, type Value } from './value.js';

/** Reads meanings, with all fields known, as effects. */
export function lowering(
  assumptions: Assumptions,
): (
  meaning: (m: Machine<Value, number>, fields: Readonly<Record<string, number>>) => void,
  fields: Readonly<Record<string, number>>,
  pc: number,
) => Lowered {
  const reader = new Lowering(assumptions);
  return (meaning, fields, pc) => {
    reader.begin(pc);
    meaning(reader, fields);
    reader.end();
    if (reader.flow === 'interpret') return INTERPRET;
    const { effects, flow, cycles, call } = reader;
    for (const effect of effects) operandsOf(effect).forEach(countUse);
    return { effects, flow, cycles, call, ...placesOf(effects) };
  };
}

class Lowering extends Arithmetic<number> implements Machine<Value, number> {
  #address = 0;

  constructor(private readonly assumptions: Assumptions) {
    super();
  }

  /** The next instruction: making a reader takes longer than reading. */
  begin(pc: number): void {
    this.reset();
    this.#address = pc;
    this.#after = undefined;
  }

  literal = (n: number) => n;

  imm = (f: number) => this.constant(f);
  immHigh = (f: number) => this.constant(f << 16);
  pc = () => this.constant(this.#address);

  #place = (n: number) => this.values.leaf('place', n);
  #set = (place: number, value: Value): void => this.do({ kind: 'set', place, value });
  gpr = (r: number) => this.#place(r);
  gprOrZero = (r: number) => (r === 0 ? this.constant(0) : this.#place(r));
  setGpr = (r: number, v: Value) => this.#set(r, v);
  crBit = (bit: number) => this.values.leaf('crbit', bit);
  crField = (f: number) => this.values.leaf('crfield', f);
  cr = () => this.values.leaf('cr', 0);
  setCr = (fields: number, v: Value) => {
    for (let f = 0; f < 8; f++) {
      if (fields & (0x80 >> f))
        this.setCrField(f, this.and(this.shiftRight(v, this.constant(28 - 4 * f)), this.constant(15)));
    }
  };
  setCrField = (field: number, value: Value) => this.do({ kind: 'field', field, value });
  setCrBit = (bit: number, value: Value) => this.do({ kind: 'bit', bit, value });
  carry = () => this.#place(PLACE.CARRY);
  setCarry = (bit: Value) => this.#set(PLACE.CARRY, bit);
  xer = () =>
    this.or(this.and(this.word(R.XER), this.constant(~0x20000000)), this.shiftLeft(this.carry(), this.constant(29)));
  setXer = (value: Value) => {
    this.setCarry(this.and(this.shiftRight(value, this.constant(29)), this.constant(1)));
    this.do({ kind: 'word', word: R.XER, value });
    if (this.flow === 'next') this.flow = 'look';
  };
  summaryOverflow = () =>
    this.assumptions.noOverflow ? this.constant(0) : this.shiftRight(this.word(R.XER), this.constant(31));
  lr = () => this.#place(PLACE.LR);
  setLr = (v: Value) => this.#set(PLACE.LR, v);
  ctr = () => this.#place(PLACE.CTR);
  compareSigned = (field: number, a: Value, b: Value) => this.do({ kind: 'compare', field, signed: true, a, b });
  compareUnsigned = (field: number, a: Value, b: Value) => this.do({ kind: 'compare', field, signed: false, a, b });
  record = (v: Value) => this.compareSigned(0, v, this.constant(0));
  recordIf = (rc: number, v: Value) => {
    if (rc) this.record(v);
  };
  setCr0If = (rc: number, v: Value) => {
    if (rc) this.setCrField(0, v);
  };
  overflowIf = (oe: number, overflow: Value) => {
    if (!oe) return;
    if (this.assumptions.noOverflow) return this.interpret();
    const xer = this.word(R.XER);
    const value = this.select(
      overflow,
      this.or(xer, this.constant(0xc0000000)),
      this.and(xer, this.constant(~0x40000000)),
    );
    this.do({ kind: 'word', word: R.XER, value });
  };

  mask = (begin: number, end: number) => this.constant(mask(begin, end));
  loadMultiple = (first: number, address: Value) => this.do({ kind: 'loadMultiple', first, address });
  storeMultiple = (first: number, address: Value) => this.do({ kind: 'storeMultiple', first, address });
  #branch(target: Value, condition: Value | undefined, repeats: boolean): void {
    const isSelf = target.op === 'const' && target.n === (this.#address | 0);
    if ((isSelf && repeats) || target.born > 0) return this.interpret();
    this.do({ kind: 'branch', target, condition, repeats: this.constant(repeats ? 1 : 0) });
    this.flow = 'branch';
  }
  branch = (target: Value) => this.#branch(target, undefined, true);
  branchIf = (bo: number, bi: number, target: Value) => {
    const counts = (bo & 4) === 0;
    let condition: Value | undefined;
    if (counts) {
      const left = this.subtract(this.ctr(), this.constant(1));
      this.#set(PLACE.CTR, left);
      const isZero = this.values.unary('eqz', this.ctr());
      condition = bo & 2 ? isZero : this.values.binary('ne', this.ctr(), this.constant(0));
    }
    if ((bo & 16) === 0) {
      const bit = this.crBit(bi);
      const holds = bo & 8 ? bit : this.values.unary('eqz', bit);
      condition = condition ? this.and(condition, holds) : holds;
    }
    this.#branch(target, condition, !counts);
  };
  linkIf = (lk: number) => {
    if (!lk) return;
    this.call = true;
    this.setLr(this.constant(this.#address + 4));
  };
  trapCondition = (to: number, a: Value, b: Value) =>
    (
      [
        [16, () => this.lessSigned(a, b)],
        [8, () => this.lessSigned(b, a)],
        [4, () => this.equal(a, b)],
        [2, () => this.lessUnsigned(a, b)],
        [1, () => this.lessUnsigned(b, a)],
      ] as const
    ).reduce((any, [bit, test]) => (to & bit ? this.or(any, test()) : any), this.constant(0));
  systemCall = (level: number) => {
    this.cycles = 2;
    this.#deliver(DELIVERED.CALL, R.CALLS, vectors['system-call'].ivor, 4);
    this.do({ kind: 'word', word: R.TRAP_LEVEL, value: this.constant(level) });
    this.trapped = true;
  };
  privileged = () => {
    if (!this.assumptions.user) return;
    const esr = this.or(this.and(this.system(S.esr), this.constant(ESR.MCI)), this.constant(ESR.PPR));
    this.#deliver(DELIVERED.DENIAL, R.DENIALS, vectors.program.ivor, 0);
    this.do({ kind: 'system', word: S.esr, value: esr });
    this.trapped = true;
  };

  /** Enter the handler of a trap of the base level, as `deliver` does; where that is not for us, the interpreter does it. */
  #deliver(kind: number, counter: number, ivor: number, behind: number): void {
    const condition = this.values.unary('eqz', this.word(R.DIRECT));
    this.do(kind === DELIVERED.DENIAL ? { kind: 'refuse', condition, denied: true } : { kind: 'refuse', condition });
    const msr = this.readMsr();
    const pc = this.constant(this.#address + behind);
    const set = (word: number, value: Value): void => this.do({ kind: 'word', word, value });
    const vector = this.or(
      this.and(this.system(S.ivpr), this.constant(0xffff0000)),
      this.and(this.system(S.ivor0 + ivor), this.constant(0xfff0)),
    );
    set(counter, this.add(this.word(counter), this.constant(1)));
    set(R.TRAP_KIND, this.constant(kind));
    set(R.TRAP_FIRST, this.select(this.word(R.TRAP_FIRST), this.word(R.TRAP_FIRST), this.constant(kind)));
    set(R.TRAP_PC, pc);
    set(R.TRAP_MSR, msr);
    set(R.TRAP_PID, this.system(S.pid));
    this.do({ kind: 'system', word: S.srr0, value: pc });
    this.do({ kind: 'system', word: S.srr1, value: msr });
    set(R.TRAP_COUNT, this.subtract(this.word(R.LIMIT), this.values.leaf('left', 0)));
    this.setMsr(this.and(msr, this.constant(kept.base)));
    this.call = true; // handlers come back
    this.#goOn(vector);
  }

  /** On at an address that is known at run time only. */
  #goOn(target: Value): void {
    if (this.trapped) return;
    this.#after = { kind: 'branch', target, condition: undefined, repeats: this.constant(0) };
    this.flow = 'branch';
  }
  #after: Effect | undefined;

  /** The last effect of all. */
  end(): void {
    this.trapped = false;
    if (this.#after) this.do(this.#after);
  }

  readSpr = (number: number) => {
    const spr = this.#accessible(number, 'read');
    if (!spr || living.has(spr.name)) return this.unknown();
    if (spr.name === 'XER') return this.xer();
    if (spr.name === 'LR') return this.lr();
    if (spr.name === 'CTR') return this.ctr();
    const word = userWords[spr.name];
    return word === undefined ? this.system(systemWord(spr)) : this.word(word);
  };
  writeSpr = (number: number, v: Value) => {
    const spr = this.#accessible(number, 'write');
    if (!spr) return this.interpret();
    const value = this.and(v, this.constant(spr.bits));
    if (spr.name === 'XER') return this.setXer(value);
    if (spr.name === 'LR') return this.setLr(value);
    if (spr.name === 'CTR') return this.#set(PLACE.CTR, value);
    const word = userWords[spr.name];
    if (word !== undefined) return this.do({ kind: 'word', word, value });
    if (!plain.has(spr.name)) return this.interpret();
    return this.do({ kind: 'system', word: systemWord(spr), value });
  };
  /** The register, if this program may use it. */
  #accessible(number: number, way: 'read' | 'write'): Spr | undefined {
    const spr = findSpr(number);
    if (this.assumptions.user && spr?.[way] !== 'u') {
      if (spr || isSupervisorNumber(number)) this.privileged();
      return undefined;
    }
    return spr?.[way] === '-' ? undefined : spr;
  }
  writeTlb = (entry: Value, word: number, value: Value) => {
    if ((this.#address & 0xffc) === 0xffc) return this.interpret(); // what comes behind it may not be mapped
    this.do({ kind: 'tlb', entry, word: this.constant(word), value });
  };
  returnFrom = (level: 'base' | 'critical' | 'machine-check') => {
    const [pc, msr] = saved[level];
    const target = this.and(this.system(pc), this.constant(-4));
    this.replaceMsr(this.and(this.system(msr), this.constant(MSR_BITS)), QUIET | CONTEXT);
    this.#goOn(target);
  };
}
