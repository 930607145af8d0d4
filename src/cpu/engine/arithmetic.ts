import { MSR, MSR_BITS } from '../../isa/registers.js';
import { contextOf, NO_PAGE } from '../../mmu/lookaside.js';
import { R, S } from '../state.js';
import type { Effect, Lowered } from './effects.js';
import { Values, type Value } from './value.js';

/** MSR bits that say nothing about where addresses go, and let nothing happen by themselves. */
export const QUIET = MSR.EE | MSR.CE | MSR.ME | MSR.FP | MSR.FE0 | MSR.FE1;
/** Those that the contexts of the lookaside depend on. */
export const CONTEXT = MSR.PR | MSR.IS | MSR.DS;

/** What meanings come to whether or not an instruction's fields are known: values, storage, and the MSR. */
export abstract class Arithmetic<F> {
  effects: Effect[] = [];
  flow: Lowered['flow'] = 'next';
  cycles = 1;
  call = false;
  /** It has trapped: nothing of it comes any more. */
  protected trapped = false;
  protected readonly values = new Values();

  abstract literal(n: number): F;
  abstract setCrField(field: F, value: Value): void;
  abstract summaryOverflow(): Value;

  /** As if nothing had been read yet. */
  protected reset(): void {
    this.effects = [];
    this.flow = 'next';
    this.cycles = 1;
    this.call = false;
    this.trapped = false;
    this.values.effects = 0;
  }

  protected do(effect: Effect): void {
    if (this.trapped) return;
    this.effects.push(effect);
    this.values.effects = this.effects.length;
  }

  protected interpret = (): void => {
    if (!this.trapped) this.flow = 'interpret';
  };
  protected unknown = (): Value => {
    this.interpret();
    return this.constant(0);
  };

  constant = (n: number) => this.values.constant(n);
  protected word = (n: number) => this.values.leaf('word', n);
  protected system = (n: number) => this.values.leaf('system', n);

  add = (a: Value, b: Value) => this.values.binary('add', a, b);
  subtract = (a: Value, b: Value) => this.values.binary('sub', a, b);
  multiply = (a: Value, b: Value) => this.values.binary('mul', a, b);
  multiplyHighSigned = (a: Value, b: Value) => this.values.binary('highs', a, b);
  multiplyHighUnsigned = (a: Value, b: Value) => this.values.binary('highu', a, b);
  divideSigned = (a: Value, b: Value) => this.values.binary('divs', a, b);
  divideUnsigned = (a: Value, b: Value) => this.values.binary('divu', a, b);
  and = (a: Value, b: Value) => this.values.binary('and', a, b);
  or = (a: Value, b: Value) => this.values.binary('or', a, b);
  xor = (a: Value, b: Value) => this.values.binary('xor', a, b);
  not = (a: Value) => this.xor(a, this.constant(-1));
  shiftLeft = (a: Value, by: Value) => this.values.binary('shl', a, by);
  shiftRight = (a: Value, by: Value) => this.values.binary('shru', a, by);
  shiftRightSigned = (a: Value, by: Value) => this.values.binary('shrs', a, by);
  rotateLeft = (a: Value, by: Value) => this.values.binary('rotl', a, by);
  countLeadingZeros = (a: Value) => this.values.unary('clz', a);
  equal = (a: Value, b: Value) => this.values.binary('eq', a, b);
  lessSigned = (a: Value, b: Value) => this.values.binary('lts', a, b);
  lessUnsigned = (a: Value, b: Value) => this.values.binary('ltu', a, b);
  select = (condition: Value, yes: Value, no: Value) => this.values.select(condition, yes, no);

  load = (width: 8 | 16 | 32, address: Value) => {
    this.do({ kind: 'load', width, address });
    return this.values.leaf('result', this.effects.length - 1);
  };
  store = (width: 8 | 16 | 32, address: Value, value: Value) => this.do({ kind: 'store', width, address, value });
  protected unlessAligned = (address: Value): void =>
    this.do({ kind: 'refuse', condition: this.and(address, this.constant(3)) });
  loadReserve = (address: Value) => {
    this.unlessAligned(address);
    const value = this.load(32, address);
    this.do({ kind: 'word', word: R.RESERVED, value: this.constant(1) });
    return value;
  };
  storeConditional = (address: Value, value: Value) => {
    this.unlessAligned(address);
    this.do({ kind: 'storeConditional', address, value });
    const held = this.shiftLeft(this.word(R.RESERVED), this.constant(1));
    this.setCrField(this.literal(0), this.or(held, this.summaryOverflow()));
    this.do({ kind: 'word', word: R.RESERVED, value: this.constant(0) });
  };
  loadString = this.interpret;
  storeString = this.interpret;
  zeroBlock = (address: Value) => this.do({ kind: 'zero', address });
  touchBlock = (access: 'read' | 'write', address: Value) => this.do({ kind: 'touch', access, address });

  trapIf = (condition: Value) => this.do({ kind: 'refuse', condition });
  illegal = this.interpret;

  floatingPoint = this.interpret;
  floatArithmetic = this.interpret;
  floatMove = this.interpret;
  floatSelect = this.interpret;
  floatToInteger = this.interpret;
  floatCompare = this.interpret;
  loadFloat = this.interpret;
  storeFloat = this.interpret;
  readFpscr = this.interpret;
  writeFpscrFields = this.interpret;
  writeFpscrImmediate = this.interpret;
  writeFpscrBit = this.interpret;
  takeFpscrField = this.interpret;
  recordFloatIf = this.interpret;

  readMsr = () => this.system(S.msr);
  writeMsr = (v: Value) => this.replaceMsr(this.and(v, this.constant(MSR_BITS)), QUIET);
  /** Only of these bits the value may differ; and no interrupt may be let through that waits. */
  protected replaceMsr(value: Value, mayDiffer: number): void {
    const other = this.and(this.xor(value, this.readMsr()), this.constant(~mayDiffer));
    const lets = this.and(value, this.word(R.WAITING));
    this.do({ kind: 'refuse', condition: this.or(other, lets) });
    if (mayDiffer === QUIET) this.do({ kind: 'system', word: S.msr, value });
    else this.setMsr(value);
  }
  /** With the lookaside's contexts that follow from it: see `contextOf`. */
  protected setMsr(msr: Value): void {
    const bit = (from: number, to: number): Value => {
      const by = Math.clz32(from) - Math.clz32(to);
      const alone = this.and(msr, this.constant(from));
      return by > 0 ? this.shiftLeft(alone, this.constant(by)) : this.shiftRight(alone, this.constant(-by));
    };
    const process = this.shiftLeft(this.system(S.pid), this.constant(2));
    const common = this.or(process, bit(MSR.PR, contextOf(0, 0, true)));
    const unremembered = this.and(this.word(R.DATA_CONTEXT), this.constant(NO_PAGE));
    const data = this.or(this.or(common, bit(MSR.DS, contextOf(0, 1, false))), unremembered);
    this.do({ kind: 'word', word: R.DATA_CONTEXT, value: data });
    const code = this.or(common, bit(MSR.IS, contextOf(0, 1, false)));
    this.do({ kind: 'word', word: R.CODE_CONTEXT, value: code });
    this.do({ kind: 'system', word: S.msr, value: msr });
  }
  readDcr = this.unknown;
  writeDcr = this.interpret;
  readTlb = this.unknown;
  searchTlb = this.interpret;
}
