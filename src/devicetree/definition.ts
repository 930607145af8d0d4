import type { Macro } from './macros.js';
import type { Piece } from './preprocessing-token.js';
import type { Position } from './tree.js';

/** A macro from the words behind `#define`, or what is wrong with them. */
export function parseDefinition(line: readonly Piece[], at: Position): Macro | string {
  const [name, open] = line;
  if (name?.kind !== 'name') return "'#define' names no macro";
  if (name.text === 'defined') return "no macro can be called 'defined'";
  if (open?.text !== '(' || open.space) {
    return checked({ name: name.text, at, parameters: undefined, variadic: false, body: line.slice(1) });
  }
  const close = line.findIndex(({ text }) => text === ')');
  if (close < 0) return `the parameters of macro '${name.text}' have no ')'`;
  const parameters: string[] = [];
  let variadic = false;
  for (let i = 2; i < close; i++) {
    const word = line[i]!;
    const named = word.kind === 'name';
    if (variadic || (!named && word.text !== '...')) return `'${word.text}' is no parameter of macro '${name.text}'`;
    if (parameters.includes(word.text)) return `macro '${name.text}' has two parameters '${word.text}'`;
    const dots = named && line[i + 1]?.text === '...';
    variadic = dots || !named;
    parameters.push(named ? word.text : '__VA_ARGS__');
    if (dots) i++;
    const comma = line[i + 1]?.text === ',' && i + 2 < close;
    if (!comma && i + 1 !== close) return `the parameters of macro '${name.text}' are not separated by commas`;
    if (comma) i++;
  }
  return checked({ name: name.text, at, parameters, variadic, body: line.slice(close + 1) });
}

function checked(macro: Macro): Macro | string {
  const ends = [macro.body[0], macro.body.at(-1)];
  return ends.some((piece) => piece?.text === '##') ? `macro '${macro.name}' begins or ends with '##'` : macro;
}

/** Whether a macro is defined the same way again, which is no mistake (C11, 6.10.3). */
export function sameMacro(one: Macro, other: Macro): boolean {
  const words = ({ parameters, variadic, body }: Macro): string =>
    JSON.stringify([parameters, variadic, body.map(({ text, space }, i) => [text, space && i > 0])]);
  return !one.value && words(one) === words(other);
}
