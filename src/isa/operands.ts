/** How operands are written, by the name of their field. */

/** What an operand's text depends on besides its value. */
export interface OperandContext {
  /** The address of the word. */
  readonly address: number;
  /** Whether the word's branch target does not count from its own address. */
  readonly absolute: boolean;
  /** The text of a branch target. */
  readonly target: (address: number) => string;
}

const register = (value: number): string => `r${value}`;
const registerOrZero = (value: number): string => (value === 0 ? '0' : `r${value}`);
const floating = (value: number): string => `f${value}`;
const crField = (value: number): string => `cr${value}`;

const crBitNames = ['lt', 'gt', 'eq', 'so'];
const crBit = (value: number): string => `${value < 4 ? '' : `4*cr${value >>> 2}+`}${crBitNames[value & 3]!}`;

const target = (value: number, { address, absolute, target: text }: OperandContext): string =>
  text(((absolute ? 0 : address) + value * 4) >>> 0);

// prettier-ignore
const writers: Readonly<Record<string, (value: number, context: OperandContext) => string>> = {
  rt: register, rs: register, ra: register, rb: register,
  ra0: registerOrZero, // a base register: (ra|0)
  frt: floating, fra: floating, frb: floating, frc: floating,
  bf: crField, bfa: crField, cr: crField,
  bt: crBit, ba: crBit, bb: crBit, bi: crBit, bc: crBit,
  li: target, bd: target,
  nb: (value) => `${value || 32}`, // bytes of a string
};

type Values = Readonly<Record<string, number>>;
type Writer = (values: Values, context: OperandContext) => string;

/** What writes the operands that a syntax such as `[cr, ]bd` asks for. A field without a rule of its own is a number. */
export function operandWriter(syntax: string): Writer {
  const group = /\[([^[\]]*(?:\[.*\])?[^[\]]*)\]/.exec(syntax);
  if (!group) return plainWriter(syntax);
  const before = plainWriter(syntax.slice(0, group.index));
  const inside = operandWriter(group[1]!);
  const behind = plainWriter(syntax.slice(group.index + group[0].length));
  const names = group[1]!.match(/[a-z]\w*/g) ?? [];
  return (values, context) => {
    const isShown = names.some((name) => values[name] !== 0);
    return before(values, context) + (isShown ? inside(values, context) : '') + behind(values, context);
  };
}

/** The same for a syntax without brackets. */
function plainWriter(syntax: string): Writer {
  const parts = syntax.replaceAll(', ', ',').split(/((?:\d+-)?[a-z]\w*)/);
  const writer = parts.map((part, i): Writer => (i % 2 === 0 ? () => part : operand(part)));
  return (values, context) => {
    let text = '';
    for (const write of writer) text += write(values, context);
    return text;
  };
}

function operand(text: string): Writer {
  const [, from, name = ''] = /^(?:(\d+)-)?(\w+)$/.exec(text)!;
  const write = writers[name] ?? ((value) => `${value}`);
  return from === undefined
    ? (values, context) => write(values[name]!, context)
    : (values) => `${Number(from) - values[name]!}`;
}
