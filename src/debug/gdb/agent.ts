/**
 * GDB's agent expressions: conditions and commands of breakpoints as bytecode (Debugging with GDB, appendix F). Values are
 * 64 bits. An expression that is wrong, too long, or reads what is not there has no value.
 */

/** What an expression is evaluated in. */
export interface AgentContext {
  /** A register by GDB's number, unsigned; undefined where there is none. */
  register(number: number): bigint | undefined;
  memory(address: number, length: number): Uint8Array;
  print(text: string): void;
}

const MOST_STEPS = 10_000;
const MOST_VALUES = 256;
const END = 0x27;

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const truth = (value: boolean): bigint => (value ? 1n : 0n);

/** There is no value: caught where the expression was begun. */
class NoValue extends Error {}

function nonZero(value: bigint): bigint {
  if (value === 0n) throw new NoValue();
  return value;
}

/** Two values to one, by opcode. */
// prettier-ignore
const binary: Readonly<Record<number, (a: bigint, b: bigint) => bigint>> = {
  0x02: (a, b) => a + b,
  0x03: (a, b) => a - b,
  0x04: (a, b) => a * b,
  0x05: (a, b) => signed(a) / signed(nonZero(b)),
  0x06: (a, b) => unsigned(a) / unsigned(nonZero(b)),
  0x07: (a, b) => signed(a) % signed(nonZero(b)),
  0x08: (a, b) => unsigned(a) % unsigned(nonZero(b)),
  0x09: (a, b) => a << (unsigned(b) & 63n),
  0x0a: (a, b) => signed(a) >> (unsigned(b) & 63n),
  0x0b: (a, b) => unsigned(a) >> (unsigned(b) & 63n),
  0x0f: (a, b) => a & b,
  0x10: (a, b) => a | b,
  0x11: (a, b) => a ^ b,
  0x13: (a, b) => truth(signed(a) === signed(b)),
  0x14: (a, b) => truth(signed(a) < signed(b)),
  0x15: (a, b) => truth(unsigned(a) < unsigned(b)),
};

/** Everything else that neither ends nor prints. */
// prettier-ignore
const others: Readonly<Record<number, (run: Run) => void>> = {
  0x0e: (run) => run.push(truth(signed(run.pop()) === 0n)),                   // log_not
  0x12: (run) => run.push(~run.pop()),                                        // bit_not
  0x16: (run) => run.push(BigInt.asIntN(Number(run.operand(1)), run.pop())),  // ext
  0x17: (run) => run.reference(1),
  0x18: (run) => run.reference(2),
  0x19: (run) => run.reference(4),
  0x1a: (run) => run.reference(8),
  0x20: (run) => run.jump(run.pop() !== 0n),                                  // if_goto
  0x21: (run) => run.jump(true),                                              // goto
  0x22: (run) => run.push(run.operand(1)),
  0x23: (run) => run.push(run.operand(2)),
  0x24: (run) => run.push(run.operand(4)),
  0x25: (run) => run.push(run.operand(8)),
  0x26: (run) => run.register(),
  0x28: (run) => run.push(run.peek(0)),                                       // dup
  0x29: (run) => void run.pop(),
  0x2a: (run) => run.push(BigInt.asUintN(Number(run.operand(1)), run.pop())), // zero_ext
  0x2b: (run) => { const [b, a] = [run.pop(), run.pop()]; run.push(b, a); },  // swap
  0x32: (run) => run.push(run.peek(Number(run.operand(1)))),                  // pick
  0x33: (run) => { const [c, b, a] = [run.pop(), run.pop(), run.pop()]; run.push(c, a, b); }, // rot
  0x34: (run) => run.print(),
};

/** One evaluation. */
class Run {
  #at = 0;
  readonly #stack: bigint[] = [];

  constructor(
    private readonly code: Uint8Array,
    private readonly context: AgentContext,
  ) {}

  toEnd(): bigint {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const op = Number(this.operand(1));
      if (op === END) return signed(this.#stack.at(-1) ?? 0n);
      const two = binary[op];
      const other = others[op];
      if (two) {
        const [b, a] = [this.pop(), this.pop()];
        this.push(two(a, b));
      } else if (other) other(this);
      else break;
    }
    throw new NoValue();
  }

  /** The next bytes of the code, as an unsigned number. */
  operand(bytes: number): bigint {
    if (this.#at + bytes > this.code.length) throw new NoValue();
    let value = 0n;
    for (let i = 0; i < bytes; i++) value = (value << 8n) | BigInt(this.code[this.#at++]!);
    return value;
  }

  push(...values: readonly bigint[]): void {
    this.#stack.push(...values);
    if (this.#stack.length > MOST_VALUES) throw new NoValue();
  }

  pop(): bigint {
    const value = this.#stack.pop();
    if (value === undefined) throw new NoValue();
    return value;
  }

  peek(depth: number): bigint {
    const value = this.#stack.at(-1 - depth);
    if (value === undefined) throw new NoValue();
    return value;
  }

  jump(taken: boolean): void {
    const target = Number(this.operand(2));
    if (taken) this.#at = target;
  }

  reference(bytes: number): void {
    const read = this.context.memory(Number(BigInt.asUintN(32, this.pop())), bytes);
    if (read.length < bytes) throw new NoValue();
    this.push(read.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n));
  }

  register(): void {
    const value = this.context.register(Number(this.operand(2)));
    if (value === undefined) throw new NoValue();
    this.push(value);
  }

  /** printf: the function and the channel lie on top of the arguments, and are nobody's business here. */
  print(): void {
    const count = Number(this.operand(1));
    const length = Number(this.operand(2));
    const format = String.fromCharCode(...Array.from({ length }, () => Number(this.operand(1)))).replace(/\0.*$/s, '');
    this.pop();
    this.pop();
    const values = Array.from({ length: count }, () => this.pop());
    this.context.print(formatted(unescaped(format), values, this.context));
  }
}

/** GDB sends the format as it was typed, so escapes are still to be read. */
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\x1b',
};
const unescaped = (text: string): string => text.replace(/\\(.)/gs, (_, c: string) => escapes[c] ?? c);

/** C's printf, with conversions of integers, characters and strings in memory. */
function formatted(format: string, values: readonly bigint[], context: AgentContext): string {
  let next = 0;
  const conversion = /%([-0 +#]*)(\d*)(?:\.\d+)?(?:hh|h|ll|l|z|t|j)?([diuxXocsp%])/g;
  return format.replace(conversion, (_, flags: string, width: string, kind: string) => {
    if (kind === '%') return '%';
    const text = converted(kind, values[next++] ?? 0n, context);
    const [left, zero] = [flags.includes('-'), flags.includes('0')];
    return left ? text.padEnd(Number(width)) : text.padStart(Number(width), zero && kind !== 's' ? '0' : ' ');
  });
}

function converted(kind: string, value: bigint, context: AgentContext): string {
  const word = BigInt.asUintN(32, value);
  if (kind === 'd' || kind === 'i') return BigInt.asIntN(32, value).toString();
  if (kind === 'u') return word.toString();
  if (kind === 'o') return word.toString(8);
  if (kind === 'c') return String.fromCharCode(Number(word & 0xffn));
  if (kind === 's') return stringAt(Number(word), context);
  const digits = word.toString(16);
  return kind === 'p' ? `0x${digits}` : kind === 'X' ? digits.toUpperCase() : digits;
}

const LONGEST_STRING = 1024;

function stringAt(address: number, context: AgentContext): string {
  const bytes = context.memory(address, LONGEST_STRING);
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}

/** The value on top of the stack at the end, signed; undefined where there is none. */
export function evaluate(code: Uint8Array, context: AgentContext): bigint | undefined {
  try {
    return new Run(code, context).toEnd();
  } catch (error) {
    if (error instanceof NoValue) return undefined;
    throw error;
  }
}
