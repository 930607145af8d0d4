import { op, type Body } from './wasm-encoder.js';

/** Bits of a CR field, the leftmost first. */
export const [LT, GT, EQ, SO] = [0, 1, 2, 3] as const;

/**
 * CR fields in locals of 64 bits, a form that any comparison gives with one subtraction and that can stand for all sixteen
 * values: LT is bit 62, GT that without its three top bits it is above 0, EQ that its low word is 0, SO that bits 61 and 63
 * differ.
 */
export class ConditionFields {
  constructor(
    private readonly body: Body,
    /** The local of a field. */
    private readonly local: (field: number) => number,
    /** A local that nothing else uses. */
    private readonly temporary: () => number,
  ) {}

  /** A bit of a field, on the stack. */
  bit(field: number, bit: number): void {
    const { body } = this;
    const local = this.local(field);
    body.getLong(local);
    if (bit === GT) return this.#greater();
    if (bit === EQ) return body.op(op.wrap, op.eqz);
    body.const64(bit === LT ? 62 : 61);
    body.op(op.shru64, op.wrap);
    if (bit !== LT) {
      body.getLong(local);
      body.const64(63);
      body.op(op.shru64, op.wrap, op.xor);
    }
    body.const(1);
    body.op(op.and);
  }

  /** Whether GT is set in the CR field on the stack. */
  #greater(): void {
    const { body } = this;
    body.const64(3);
    body.op(op.shl64);
    body.const64(0);
    body.op(op.gts64);
  }

  /** A CR field as a number, on the stack. */
  field(field: number): void {
    const { body } = this;
    const long = this.local(field);
    const high = this.temporary();
    body.getLong(long);
    body.const64(32);
    body.op(op.shru64, op.wrap);
    body.tee(high);
    body.const(27);
    body.op(op.shru);
    body.const(8);
    body.op(op.and);
    body.getLong(long);
    this.#greater();
    body.const(2);
    body.op(op.shl, op.or);
    body.getLong(long);
    body.op(op.wrap, op.eqz);
    body.const(1);
    body.op(op.shl, op.or);
    body.get(high);
    body.const(29);
    body.op(op.shru);
    body.get(high);
    body.const(31);
    body.op(op.shru, op.xor);
    body.const(1);
    body.op(op.and, op.or);
  }

  /** The number on the stack into a CR field. */
  setField(field: number): void {
    const { body } = this;
    const number = this.temporary();
    const above = this.temporary(); // ¬GT
    body.tee(number);
    body.const(2);
    body.op(op.shru);
    body.const(1);
    body.op(op.and, op.eqz);
    body.tee(above);
    body.const(31);
    body.op(op.shl);
    body.get(number);
    body.const(8);
    body.op(op.and);
    body.const(27);
    body.op(op.shl, op.or);
    body.get(number);
    body.get(above);
    body.op(op.xor);
    body.const(1);
    body.op(op.and);
    body.const(29);
    body.op(op.shl, op.or);
    body.get(above);
    body.const(28);
    body.op(op.shl, op.or);
    body.const(1);
    body.op(op.or, op.extendu);
    body.const64(32);
    body.op(op.shl64);
    body.get(number);
    body.const(2);
    body.op(op.and, op.eqz, op.extendu, op.or64);
    body.setLong(this.local(field));
  }
}
