import type { Program } from './program.js';
import type { Target } from './target.js';

/** Where names and addresses of an expression are looked up. */
export interface Scope {
  readonly target: Target;
  readonly program: Program;
  /** Further names behind a `$`, before the registers. */
  readonly names?: (name: string) => number | undefined;
}

/** An expression that can be asked again and again. Values are 32 bits, unsigned. */
export type Expression = (scope: Scope) => number;

/** What is wrong with an expression, as a sentence. */
export class ExpressionError extends Error {}

/** Binary operators, those that bind least first. */
// prettier-ignore
const operators: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { '||': (a, b) => (a || b ? 1 : 0) },
  { '&&': (a, b) => (a && b ? 1 : 0) },
  { '|': (a, b) => a | b },
  { '^': (a, b) => a ^ b },
  { '&': (a, b) => a & b },
  { '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b) },
  { '<': (a, b) => Number(a < b), '<=': (a, b) => Number(a <= b), '>': (a, b) => Number(a > b), '>=': (a, b) => Number(a >= b) },
  { '<<': (a, b) => (b > 31 ? 0 : a << b), '>>': (a, b) => (b > 31 ? 0 : a >>> b) },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => Math.imul(a, b), '/': divide, '%': remainder },
];

function divide(a: number, b: number): number {
  if (b === 0) throw new ExpressionError('division by zero');
  return Math.floor(a / b);
}

function remainder(a: number, b: number): number {
  if (b === 0) throw new ExpressionError('division by zero');
  return a % b;
}

const TOKEN =
  /\s*(?:(0[xX][0-9a-fA-F]+|\d+)|(\$[A-Za-z_]\w*)|([A-Za-z_.][\w.$]*)|(\|\||&&|==|!=|<=|>=|<<|>>|[-+*/%&|^~!<>().]))/y;

interface Token {
  readonly kind: 'number' | 'register' | 'name' | 'sign';
  readonly text: string;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [, number, register, name, sign] = match;
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (register !== undefined) tokens.push({ kind: 'register', text: register });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else tokens.push({ kind: 'sign', text: sign! });
    end = TOKEN.lastIndex;
  }
  const rest = text.slice(end).trim();
  if (rest !== '') throw new ExpressionError(`'${rest}' is no part of an expression`);
  return tokens;
}

/**
 * Understand an expression: numbers, `$pc` and other registers, `$msr.EE` for a field, names of symbols, `*ADDRESS` for the
 * word there, `byte(A)`, `half(A)`, `word(A)`, and C's operators with C's precedence. Throws an ExpressionError.
 */
export function parseExpression(text: string): Expression {
  const parser = new Parser(tokensOf(text));
  const expression = parser.binary(0);
  if (parser.peek) throw new ExpressionError(`'${parser.peek.text}' is unexpected`);
  return (scope) => expression(scope) >>> 0;
}

const reads: Readonly<Record<string, number>> = { byte: 1, half: 2, word: 4 };

class Parser {
  #at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get peek(): Token | undefined {
    return this.tokens[this.#at];
  }

  binary(level: number): Expression {
    const own = operators[level];
    if (!own) return this.#unary();
    let left = this.binary(level + 1);
    for (;;) {
      const sign = this.peek?.kind === 'sign' ? this.peek.text : '';
      const apply = Object.hasOwn(own, sign) ? own[sign] : undefined;
      if (!apply) return left;
      this.#at += 1;
      const [before, right] = [left, this.binary(level + 1)];
      left = (scope) => apply(before(scope) >>> 0, right(scope) >>> 0) >>> 0;
    }
  }

  #unary(): Expression {
    const token = this.tokens[this.#at++];
    if (!token) throw new ExpressionError('something is missing at its end');
    if (token.kind === 'number') {
      const value = Number(token.text);
      if (value > 0xffffffff) throw new ExpressionError(`${token.text} has more than 32 bits`);
      return () => value;
    }
    if (token.kind === 'register') return this.#field(token.text.slice(1));
    if (token.kind === 'name') return this.#name(token.text);
    return this.#sign(token.text);
  }

  #sign(sign: string): Expression {
    if (sign === '(') return this.#closed();
    if (!'-+~!*&'.includes(sign)) throw new ExpressionError(`'${sign}' is unexpected`);
    const of = this.#unary();
    if (sign === '*') return (scope) => load(scope, of(scope) >>> 0, 4);
    if (sign === '-') return (scope) => -of(scope);
    if (sign === '~') return (scope) => ~of(scope);
    if (sign === '!') return (scope) => (of(scope) ? 0 : 1);
    return of; // a symbol is its address already
  }

  #closed(): Expression {
    const inner = this.binary(0);
    if (this.tokens[this.#at++]?.text !== ')') throw new ExpressionError("a ')' is missing");
    return inner;
  }

  #name(name: string): Expression {
    const bytes = Object.hasOwn(reads, name) ? reads[name] : undefined;
    if (bytes !== undefined && this.peek?.text === '(') {
      this.#at += 1;
      const address = this.#closed();
      return (scope) => load(scope, address(scope) >>> 0, bytes);
    }
    return ({ program }) => {
      const symbol = program.find(name);
      if (!symbol) throw new ExpressionError(`there is no symbol '${name}'`);
      return symbol.address;
    };
  }

  #field(register: string): Expression {
    const value: Expression = (scope) => {
      const special = scope.names?.(register);
      if (special !== undefined) return special;
      const name = register === 'sp' ? 'r1' : register.toLowerCase();
      const found = scope.target.registers.find(name);
      if (!found) throw new ExpressionError(`there is no register '$${register}'`);
      return Number(BigInt.asUintN(32, scope.target.registers.read(found)));
    };
    if (this.peek?.text !== '.' && !(this.peek?.kind === 'name' && this.peek.text.startsWith('.'))) return value;
    const token = this.tokens[this.#at++]!;
    const name = token.text === '.' ? (this.tokens[this.#at++]?.text ?? '') : token.text.slice(1);
    return (scope) => {
      const described = scope.target.registers.find(register.toLowerCase());
      const field = described?.fields.find((each) => each.name.toLowerCase() === name.toLowerCase());
      if (!field) throw new ExpressionError(`$${register} has no field '${name}'`);
      return (value(scope) >>> field.low) & (2 ** (field.high - field.low + 1) - 1);
    };
  }
}

function load({ target }: Scope, address: number, bytes: number): number {
  const found = target.effective.read(address, bytes);
  if (found.length < bytes) throw new ExpressionError(`nothing can be read at 0x${address.toString(16)}`);
  return found.reduce((value, byte) => value * 256 + byte, 0);
}
