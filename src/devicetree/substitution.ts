import type { Macro } from './macros.js';
import type { Origin } from './origin.js';
import { type Piece, pieceAt } from './preprocessing-token.js';

/** A place where an argument is empty: `##` needs something there. */
const isMark = ({ kind, text }: Piece): boolean => kind === 'sign' && text === '';

/** The body of a macro with its arguments in it: `#` and `##` take them as they are written, all else with macros replaced. */
export function substitute(
  macro: Macro,
  use: Piece,
  args: readonly (readonly Piece[])[],
  expand: (list: readonly Piece[]) => Piece[],
): Piece[] {
  const made = new Substitution(macro, use, args, expand).run();
  const [first] = made;
  if (first) made[0] = { ...first, space: use.space };
  return made;
}

class Substitution {
  readonly #out: Piece[] = [];
  readonly #expanded = new Map<number, Piece[]>();
  readonly #via: Origin;
  #next = 0;

  constructor(
    readonly macro: Macro,
    readonly use: Piece,
    readonly args: readonly (readonly Piece[])[],
    readonly expand: (list: readonly Piece[]) => Piece[],
  ) {
    const { name, at } = macro;
    this.#via = { kind: 'macro', name, at, outer: use.via ?? use.view.via };
  }

  run(): Piece[] {
    const { body } = this.macro;
    while (this.#next < body.length) {
      if (body[this.#next]!.text === '##' && this.#out.length > 0 && this.#next + 1 < body.length) {
        this.#next++;
        this.#paste();
      } else {
        const raw = body[this.#next + 1]?.text === '##';
        this.#out.push(...this.#operand(raw));
      }
    }
    return this.#out.filter((piece) => !isMark(piece));
  }

  /** The next word of the body, or what it stands for. */
  #operand(raw: boolean): Piece[] {
    const { body } = this.macro;
    const piece = body[this.#next++]!;
    if (piece.text === '#' && this.macro.parameters) {
      const parameter = this.#parameter(body[this.#next]);
      if (parameter >= 0) {
        this.#next++;
        return [this.#own(piece, { kind: 'string', text: stringified(this.args[parameter] ?? []) })];
      }
    }
    const parameter = this.#parameter(piece);
    const behindArgument = this.#parameter(body[this.#next - 2]) >= 0;
    if (parameter < 0) return [this.#own(piece, behindArgument ? { edge: true } : {})];
    return this.#argument(parameter, piece, raw);
  }

  #parameter(piece: Piece | undefined): number {
    return piece?.kind === 'name' ? (this.macro.parameters?.indexOf(piece.text) ?? -1) : -1;
  }

  #own(piece: Piece, other: Partial<Piece> = {}): Piece {
    const { view, offset } = this.use;
    return { ...piece, ...other, view, offset, fresh: false, via: this.#via };
  }

  #argument(index: number, parameter: Piece, raw: boolean): Piece[] {
    const given = this.args[index] ?? [];
    let list: readonly Piece[] = given;
    if (!raw) {
      list = this.#expanded.get(index) ?? this.expand(given);
      this.#expanded.set(index, [...list]);
    }
    if (list.length === 0) return [this.#own(parameter, { kind: 'sign', text: '' })];
    return list.map((piece, i) =>
      i === 0 ? { ...piece, fresh: false, edge: true, space: parameter.space } : { ...piece, fresh: false },
    );
  }

  /** Joins the last word so far and the next one; two that make no word stay two, as in assembler. */
  #paste(): void {
    const { macro } = this;
    const left = this.#out.pop()!;
    const index = this.#parameter(macro.body[this.#next]);
    const [right, ...more] = this.#operand(true);
    const rest = index === (macro.parameters?.length ?? 0) - 1 && macro.variadic && left.text === ',';
    if (rest) {
      // GNU C: a comma before no further arguments goes with them.
      if (right && !isMark(right)) this.#out.push(left, right, ...more);
      return;
    }
    if (!right || isMark(right)) this.#out.push(left);
    else if (isMark(left)) this.#out.push(right);
    else {
      const text = left.text + right.text;
      const joined = pieceAt(text, 0);
      if (joined.text === text) this.#out.push({ ...left, ...joined, painted: false });
      else this.#out.push(left, { ...right, space: false, edge: false });
    }
    this.#out.push(...more);
  }
}

function stringified(list: readonly Piece[]): string {
  const text = list.map(({ kind, text: word, space }, i) => {
    const shown = kind === 'string' || kind === 'character' ? word.replaceAll(/["\\]/g, String.raw`\$&`) : word;
    return i > 0 && space ? ` ${shown}` : shown;
  });
  return `"${text.join('')}"`;
}
