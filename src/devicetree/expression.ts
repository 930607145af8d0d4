import { type Cursor, Unreadable } from './cursor.js';
import type { Token } from './tokens.js';

/** Numbers are 64 bits wide and unsigned, as dtc's are. */
const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const truth = (value: boolean): bigint => (value ? 1n : 0n);
const shift = (value: bigint, by: bigint): bigint => (by < 64n ? wrap(value << by) : 0n);

type Operation = (left: bigint, right: bigint) => bigint;

/** The binary operators, those that bind least first; a row's associate to the left (as in C). */
// prettier-ignore
const operators: readonly Readonly<Record<string, Operation>>[] = [
  { '||': (a, b) => truth(a !== 0n || b !== 0n) },
  { '&&': (a, b) => truth(a !== 0n && b !== 0n) },
  { '|':  (a, b) => a | b },
  { '^':  (a, b) => a ^ b },
  { '&':  (a, b) => a & b },
  { '==': (a, b) => truth(a === b), '!=': (a, b) => truth(a !== b) },
  { '<':  (a, b) => truth(a < b),   '>':  (a, b) => truth(a > b),
    '<=': (a, b) => truth(a <= b),  '>=': (a, b) => truth(a >= b) },
  { '<<': shift,                    '>>': (a, b) => (b < 64n ? a >> b : 0n) },
  { '+':  (a, b) => wrap(a + b),    '-':  (a, b) => wrap(a - b) },
  { '*':  (a, b) => wrap(a * b),    '/':  (a, b) => a / b,           '%': (a, b) => a % b },
];

const unary: Readonly<Record<string, (value: bigint) => bigint>> = {
  '-': (value) => wrap(-value),
  '~': (value) => wrap(~value),
  '!': (value) => truth(value === 0n),
};

/** What each binary operator does, and how strongly it binds. */
const binary = new Map(
  operators.flatMap((row, binding) => Object.entries(row).map(([sign, run]) => [sign, { binding, run }] as const)),
);

const MAX_DEPTH = 256;

/** A number, a character, or an expression in parentheses, as it may stand in a value. */
export function integer(cursor: Cursor, what: string, depth = 0): bigint {
  const number = cursor.acceptKind('number');
  if (number) return number.value;
  const open = cursor.accept('(');
  if (!open) {
    const sign =
      cursor.token.text === '-' ? 'put an expression in parentheses: (-1)' : 'write a number or (expression)';
    return cursor.fail(what, sign);
  }
  checkDepth(cursor, open, depth);
  const value = expression(cursor, depth + 1);
  cursor.expect(')', 'to close the expression');
  return value;
}

function checkDepth(cursor: Cursor, { at }: Token, depth: number): void {
  if (depth < MAX_DEPTH) return;
  const message = `this expression is more than ${MAX_DEPTH} levels deep`;
  cursor.report.error('dts-too-deep', at, message, 'take parts of it out');
  throw new Unreadable();
}

function expression(cursor: Cursor, depth: number): bigint {
  const condition = binaryExpression(cursor, 0, depth);
  const question = cursor.accept('?');
  if (!question) return condition;
  checkDepth(cursor, question, depth);
  const yes = expression(cursor, depth + 1);
  cursor.expect(':', "between the two results of '?'");
  const no = expression(cursor, depth + 1);
  return condition !== 0n ? yes : no;
}

/** Operators that bind at least as strongly as `least`. Both sides are always worked out, as dtc does. */
function binaryExpression(cursor: Cursor, least: number, depth: number): bigint {
  let left = unaryExpression(cursor, depth);
  for (;;) {
    const operator = cursor.token.kind === 'punctuation' ? binary.get(cursor.token.text) : undefined;
    if (!operator || operator.binding < least) return left;
    const sign = cursor.advance();
    const right = binaryExpression(cursor, operator.binding + 1, depth);
    left = apply(cursor, sign, operator.run, left, right);
  }
}

function apply(cursor: Cursor, sign: Token, run: Operation, left: bigint, right: bigint): bigint {
  if (right !== 0n || (sign.text !== '/' && sign.text !== '%')) return run(left, right);
  const message = `${left} ${sign.text} 0 divides by zero`;
  cursor.report.error(
    'dts-division-by-zero',
    sign.at,
    message,
    'divide by something else; both sides of ?:, && and || count',
  );
  return 0n;
}

function unaryExpression(cursor: Cursor, depth: number): bigint {
  const signs: Token[] = [];
  while (cursor.token.kind === 'punctuation' && unary[cursor.token.text]) signs.push(cursor.advance());
  const value = integer(cursor, 'a number or an expression in parentheses', depth);
  return signs.reduceRight((inner, sign) => unary[sign.text]!(inner), value);
}
