/** A number of `#if`: 64 bits, unsigned by its suffix or because its other operand is (C11, 6.10.1). */
interface Value {
  readonly bits: bigint;
  readonly unsigned: boolean;
}

/** What is wrong with the condition of an `#if`. */
export class BadCondition extends Error {}

interface Word {
  readonly kind: string;
  readonly text: string;
}

const fit = (bits: bigint, unsigned: boolean): Value => ({
  bits: unsigned ? BigInt.asUintN(64, bits) : BigInt.asIntN(64, bits),
  unsigned,
});
const truth = (value: boolean): Value => fit(value ? 1n : 0n, false);

type Operation = (left: bigint, right: bigint) => bigint | boolean;

// prettier-ignore
const rows: readonly Readonly<Record<string, Operation>>[] = [
  { '||': (a, b) => a !== 0n || b !== 0n },
  { '&&': (a, b) => a !== 0n && b !== 0n },
  { '|':  (a, b) => a | b },
  { '^':  (a, b) => a ^ b },
  { '&':  (a, b) => a & b },
  { '==': (a, b) => a === b, '!=': (a, b) => a !== b },
  { '<':  (a, b) => a < b,   '>':  (a, b) => a > b,   '<=': (a, b) => a <= b, '>=': (a, b) => a >= b },
  { '<<': (a, b) => (b > 63n || b < 0n ? 0n : a << b), '>>': (a, b) => (b > 63n || b < 0n ? (a < 0n ? -1n : 0n) : a >> b) },
  { '+':  (a, b) => a + b,   '-':  (a, b) => a - b },
  { '*':  (a, b) => a * b,   '/':  (a, b) => a / b,   '%':  (a, b) => a % b },
];

const operators = new Map(
  rows.flatMap((row, level) => Object.entries(row).map(([sign, run]) => [sign, { level, run }])),
);

const MAX_DEPTH = 200;

/**
 * Whether the condition of an `#if` holds. Names that are no macros are 0; what `&&`, `||` and `?:` do not need is not
 * worked out, so that it may divide by zero. Throws {@link BadCondition} where it is none.
 */
export function holds(words: readonly Word[]): boolean {
  const reader = new Reader(words);
  const { bits } = reader.conditional(true, 0);
  reader.finish();
  return bits !== 0n;
}

class Reader {
  #next = 0;

  constructor(readonly words: readonly Word[]) {}

  finish(): void {
    const word = this.words[this.#next];
    if (word) throw new BadCondition(`'${word.text}' stands behind its end`);
  }

  #accept(sign: string): boolean {
    const found = this.words[this.#next]?.text === sign;
    if (found) this.#next++;
    return found;
  }

  #expect(sign: string): void {
    if (!this.#accept(sign)) throw new BadCondition(`it lacks a '${sign}'`);
  }

  conditional(needed: boolean, depth: number): Value {
    if (depth > MAX_DEPTH) throw new BadCondition(`it is more than ${MAX_DEPTH} levels deep`);
    const condition = this.#binary(0, needed, depth);
    if (!this.#accept('?')) return condition;
    const chosen = condition.bits !== 0n;
    const yes = this.conditional(needed && chosen, depth + 1);
    this.#expect(':');
    const no = this.conditional(needed && !chosen, depth + 1);
    return fit((chosen ? yes : no).bits, yes.unsigned || no.unsigned);
  }

  #binary(least: number, needed: boolean, depth: number): Value {
    let left = this.#unary(needed, depth);
    for (;;) {
      const sign = this.words[this.#next]?.text ?? '';
      const operator = operators.get(sign);
      if (!operator || operator.level < least) return left;
      this.#next++;
      const skipped = (sign === '&&' && left.bits === 0n) || (sign === '||' && left.bits !== 0n);
      const right = this.#binary(operator.level + 1, needed && !skipped, depth);
      left = this.#apply(sign, operator.run, left, right, needed);
    }
  }

  #apply(sign: string, run: Operation, left: Value, right: Value, needed: boolean): Value {
    if ((sign === '/' || sign === '%') && right.bits === 0n) {
      if (needed) throw new BadCondition('it divides by zero');
      return left;
    }
    const shifts = sign === '<<' || sign === '>>';
    const unsigned = left.unsigned || (right.unsigned && !shifts);
    const logical = sign === '&&' || sign === '||';
    const [a, b] = logical
      ? [left.bits, right.bits]
      : [fit(left.bits, unsigned).bits, shifts ? right.bits : fit(right.bits, unsigned).bits];
    const result = run(a, b);
    return typeof result === 'boolean' ? truth(result) : fit(result, unsigned);
  }

  #unary(needed: boolean, depth: number): Value {
    const signs: string[] = [];
    while (/^[-+~!]$/.test(this.words[this.#next]?.text ?? '')) signs.push(this.words[this.#next++]!.text);
    const value = this.#primary(needed, depth);
    return signs.reduceRight((inner, sign) => {
      if (sign === '!') return truth(inner.bits === 0n);
      return fit(sign === '-' ? -inner.bits : sign === '~' ? ~inner.bits : inner.bits, inner.unsigned);
    }, value);
  }

  #primary(needed: boolean, depth: number): Value {
    const word = this.words[this.#next++];
    if (!word) throw new BadCondition('a number is missing at its end');
    if (word.kind === 'name') return truth(false);
    if (word.kind === 'number') return number(word.text);
    if (word.kind === 'character' && /^'(?:[^\\]|\\[^])'$/u.test(word.text)) return character(word.text);
    if (word.text !== '(') throw new BadCondition(`'${word.text}' is no number`);
    const value = this.conditional(needed, depth + 1);
    this.#expect(')');
    return value;
  }
}

function number(text: string): Value {
  const [, digits = '', suffix = ''] = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uUlL]*)$/.exec(text) ?? [];
  if (digits === '' || /^0[0-9]*[89]/.test(digits)) throw new BadCondition(`'${text}' is no whole number`);
  const significant = digits.replace(/^0+(?=[0-9])/, '');
  const octal = /^0[0-9]/.test(digits);
  if (significant.length > 70) throw new BadCondition(`'${text}' needs more than 64 bits`);
  const bits = BigInt(octal ? `0o${significant}` : digits);
  if (bits >> 64n !== 0n) throw new BadCondition(`'${text}' needs more than 64 bits`);
  return fit(bits, /u/i.test(suffix) || bits >> 63n !== 0n);
}

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11, '0': 0 };

function character(text: string): Value {
  const inner = text.slice(1, -1);
  const code = inner.startsWith('\\') ? (escapes[inner.charAt(1)] ?? inner.codePointAt(1)!) : inner.codePointAt(0)!;
  return fit(BigInt(code), false);
}
