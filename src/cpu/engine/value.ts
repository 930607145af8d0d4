/**
 * Values that an instruction computes, as trees: 32-bit words, and truths of 0 or 1. The constructors fold constants and know
 * the idioms of the definitions (a rotate and a mask that are a shift, a shift up and down that extends a sign).
 */

/** What is kept in locals of generated code: general purpose registers by number, and these. */
export const PLACE = { LR: 32, CTR: 33, CARRY: 34, CR: 35 } as const;
/** CR fields 0 to 7 are the places from PLACE.CR on. */
export const PLACES = PLACE.CR + 8;

type Binary =
  | 'add'
  | 'sub'
  | 'mul'
  | 'divs'
  | 'divu'
  | 'highs'
  | 'highu'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shru'
  | 'shrs'
  | 'rotl'
  | 'eq'
  | 'ne'
  | 'lts'
  | 'ltu';
type Unary =
  | 'clz'
  | 'ext8'
  | 'ext16'
  | 'eqz'
  | 'register' // the general purpose register of this number
  | 'memory'; // the word at this place of the shared memory
type Leaf =
  | 'const' // n
  | 'place' // what place n holds: a register, or the carry as 0 or 1
  | 'crbit' // bit n (0 to 31) of the condition register
  | 'crfield' // field n (0 to 7) of it, as a number
  | 'cr' // all of it
  | 'word' // word n of the registers in memory
  | 'system' // word n of the supervisor's registers
  | 'registers' // where the registers lie in the shared memory
  | 'pc' // the address of the instruction, where it is not known
  | 'code' // its word
  | 'left' // cycles that may still be spent
  | 'count' // what has been retired in this run, where that is known
  | 'result'; // what effect n gives

export type Op = Leaf | Unary | Binary | 'select';

export interface Value {
  readonly op: Op;
  readonly n: number;
  /** Operands; `select` is a (not zero) ? b : c. */
  readonly a: Value | undefined;
  readonly b: Value | undefined;
  readonly c: Value | undefined;
  /** How many effects came before it. */
  readonly born: number;
  /** How often values and effects use it: counted once an instruction is complete. */
  uses: number;
  /** The local in which generated code keeps it, once it does; -1 before. */
  kept: number;
}

const isConst = (v: Value, n?: number): boolean => v.op === 'const' && (n === undefined || v.n === (n | 0));

/** What a binary operation gives for constants; undefined where that is left to run time. */
function compute(op: Binary, a: number, b: number): number | undefined {
  switch (op) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return Math.imul(a, b);
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'shl':
      return a << b;
    case 'shru':
      return a >>> b;
    case 'shrs':
      return a >> b;
    case 'rotl':
      return (a << b) | (a >>> -b);
    case 'eq':
      return a === b ? 1 : 0;
    case 'ne':
      return a !== b ? 1 : 0;
    case 'lts':
      return a < b ? 1 : 0;
    case 'ltu':
      return a >>> 0 < b >>> 0 ? 1 : 0;
    default:
      return undefined;
  }
}

/** Operations that give their first operand when the second is 0. */
const neutralAtZero: ReadonlySet<Op> = new Set(['add', 'sub', 'or', 'xor', 'shl', 'shru', 'shrs', 'rotl']);
const commutative: ReadonlySet<Op> = new Set(['add', 'mul', 'and', 'or', 'xor']);

/** Makes the values of one instruction. */
export class Values {
  /** Effects so far: when a value is made. */
  effects = 0;

  leaf(op: Leaf, n: number): Value {
    return { op, n, a: undefined, b: undefined, c: undefined, born: this.effects, uses: 0, kept: -1 };
  }

  constant = (n: number): Value => this.leaf('const', n | 0);

  #make(op: Op, a: Value, b?: Value, c?: Value): Value {
    return { op, n: 0, a, b, c, born: this.effects, uses: 0, kept: -1 };
  }

  unary(op: Unary, a: Value): Value {
    if (op === 'eqz' && isConst(a)) return this.constant(a.n === 0 ? 1 : 0);
    return this.#make(op, a);
  }

  binary(op: Binary, left: Value, right: Value): Value {
    const swapped = commutative.has(op) && isConst(left);
    const [a, b] = swapped ? [right, left] : [left, right];
    if (isConst(a) && isConst(b)) {
      const n = compute(op, a.n, b.n);
      if (n !== undefined) return this.constant(n);
    }
    if (isConst(b, 0) && neutralAtZero.has(op)) return a;
    if (op === 'shl' || op === 'shru' || op === 'shrs' || op === 'rotl') return this.#shift(op, a, b);
    if ((op === 'or' || op === 'and') && sameLeaf(a, b)) return a;
    if (op === 'and') return this.#and(a, b);
    if (op === 'add' && isConst(b) && a.op === 'add' && a.b && isConst(a.b))
      return this.binary('add', a.a!, this.constant(a.b.n + b.n));
    if (op === 'xor' && isConst(b, -1) && a.op === 'xor' && a.b && isConst(a.b, -1)) return a.a!;
    return this.#make(op, a, b);
  }

  select(condition: Value, yes: Value, no: Value): Value {
    if (isConst(condition)) return condition.n === 0 ? no : yes;
    return this.#make('select', condition, yes, no);
  }

  /** Machines shift by the last five bits of a number, as the definitions ask for. */
  #shift(op: 'shl' | 'shru' | 'shrs' | 'rotl', a: Value, b: Value): Value {
    if (b.op === 'and' && b.b && isConst(b.b, 31)) return this.#shift(op, a, b.a!);
    if (op === 'shrs' && a.op === 'shl' && a.b && isConst(b) && isConst(a.b, b.n)) {
      if (b.n === 24) return this.unary('ext8', a.a!);
      if (b.n === 16) return this.unary('ext16', a.a!);
    }
    return this.#make(op, a, b);
  }

  #and(a: Value, b: Value): Value {
    if (isConst(b, -1)) return a;
    if (isConst(b, 0)) return b;
    if (a.op !== 'rotl' || !isConst(b) || !a.b || !isConst(a.b)) return this.#make('and', a, b);
    const by = a.b.n & 31;
    const wrapped = (1 << by) - 1; // where the bits are that came round
    if ((b.n & wrapped) === 0) {
      const shifted = this.#shift('shl', a.a!, this.constant(by));
      return b.n === ~wrapped ? shifted : this.#make('and', shifted, b);
    }
    if ((b.n & ~wrapped) === 0) {
      const shifted = this.#shift('shru', a.a!, this.constant(32 - by));
      return b.n === wrapped ? shifted : this.#make('and', shifted, b);
    }
    return this.#make('and', a, b);
  }
}

const sameLeaf = (a: Value, b: Value): boolean =>
  a.op === 'place' && b.op === 'place' && a.n === b.n && a.born === b.born;
