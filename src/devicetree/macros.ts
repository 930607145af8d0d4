import { type Piece, pieceAt, placeOfPiece } from './preprocessing-token.js';
import type { Report } from './report.js';
import { substitute } from './substitution.js';
import type { Position } from './tree.js';

/** A macro, by its `#define`, or one that is there from the start. */
export interface Macro {
  readonly name: string;
  readonly at: Position;
  /** The names of its parameters; undefined of one that takes none, not even parentheses. */
  readonly parameters: readonly string[] | undefined;
  /** Its last parameter takes all further arguments. */
  readonly variadic: boolean;
  readonly body: readonly Piece[];
  /** What it stands for where it is used, of one that changes. */
  readonly value?: (use: Piece) => string;
}

interface Context {
  readonly pieces: readonly Piece[];
  next: number;
  /** The macro that is not replaced within. */
  readonly macro: Macro | undefined;
  /** It ends there, whatever is below. */
  readonly closed: boolean;
}

/** As many words as macros may make of one source: a bound for macros that double each other. */
const MAX_PIECES = 1 << 18;
const MAX_DEPTH = 200;

/** Replaces macros in a stream of words, as C11, 6.10.3 says. */
export class Expander {
  readonly macros = new Map<string, Macro>();
  readonly #contexts: Context[] = [];
  readonly #busy = new Set<Macro>();
  #edge = false;
  #space = false;
  #made = 0;
  #depth = 0;
  #exhausted = false;

  constructor(
    readonly source: () => Piece,
    readonly report: Report,
  ) {}

  /** Macros have made more than they may: what follows is not what the source means. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  /** It is between words of the source, with no macro begun or just ended. */
  get idle(): boolean {
    return this.#contexts.length === 0 && !this.#edge && !this.#space;
  }

  /** The next word, with macros replaced. */
  next(): Piece {
    for (;;) {
      const piece = this.#pull();
      if (piece.kind !== 'name' || piece.painted) return piece;
      const macro = this.macros.get(piece.text);
      if (!macro) return piece;
      if (this.#busy.has(macro)) return { ...piece, painted: true };
      if (!this.#enter(macro, piece)) return piece;
    }
  }

  /** A list of words, with macros replaced. */
  expand(list: readonly Piece[]): Piece[] {
    if (this.#depth >= MAX_DEPTH) {
      if (list[0]) this.#tooMuch(list[0]);
      return [...list];
    }
    this.#depth++;
    this.#contexts.push({ pieces: list, next: 0, macro: undefined, closed: true });
    const expanded: Piece[] = [];
    for (let piece = this.next(); piece.kind !== 'end'; piece = this.next()) expanded.push(piece);
    this.#contexts.pop();
    this.#depth--;
    return expanded;
  }

  #pull(): Piece {
    for (;;) {
      const context = this.#contexts.at(-1);
      if (!context) return this.#marked(this.source());
      const piece = context.pieces[context.next];
      if (piece) {
        context.next++;
        return this.#marked(piece);
      }
      if (context.closed) return END;
      this.#contexts.pop();
      if (context.macro) this.#busy.delete(context.macro);
      this.#edge = true;
    }
  }

  #marked(piece: Piece): Piece {
    if (!this.#edge && !this.#space) return piece;
    const marked = { ...piece, edge: true, space: piece.space || this.#space };
    this.#edge = false;
    this.#space = false;
    return marked;
  }

  #push(pieces: readonly Piece[], macro: Macro | undefined): void {
    this.#contexts.push({ pieces, next: 0, macro, closed: false });
    if (macro) this.#busy.add(macro);
  }

  /** Begins to replace a macro; false where it is not used here, for want of arguments, or can be no more. */
  #enter(macro: Macro, use: Piece): boolean {
    if (this.#made >= MAX_PIECES) {
      this.#tooMuch(use);
      return false;
    }
    let args: Piece[][] = [];
    if (macro.parameters) {
      const open = this.#pull();
      if (open.text !== '(') {
        this.#push([open], undefined);
        return false;
      }
      const collected = this.#arguments(macro, use);
      if (!collected) return true;
      args = collected;
    }
    const made = macro.value ? [valued(macro, use)] : substitute(macro, use, args, (list) => this.expand(list));
    this.#made += made.length + 1;
    if (made.length === 0) this.#space ||= use.space;
    this.#edge = true;
    this.#push(made, macro);
    return true;
  }

  #tooMuch(use: Piece): void {
    if (this.#exhausted) return;
    this.#exhausted = true;
    this.#made = MAX_PIECES;
    const message = `the macros of this source make more than ${MAX_PIECES} words, or are used ${MAX_DEPTH} levels deep`;
    this.report.error('dts-macro-limit', placeOfPiece(use), message, 'define macros that do not multiply each other');
  }

  /** What stands in the parentheses, at its commas; undefined where that is not what the macro takes. */
  #arguments(macro: Macro, use: Piece): Piece[][] | undefined {
    const count = macro.parameters!.length;
    const args: Piece[][] = [[]];
    for (let depth = 1; ;) {
      const piece = this.#pull();
      if (piece.kind === 'end') {
        const message = `the arguments of macro '${macro.name}' have no end`;
        this.report.error('dts-macro', placeOfPiece(use), message, "close them with ')'");
        if (piece !== END) this.#push([piece], undefined);
        return undefined;
      }
      if (piece.text === '(') depth++;
      if (piece.text === ')' && --depth === 0) break;
      const next = piece.text === ',' && depth === 1 && !(macro.variadic && args.length === count);
      if (next) args.push([]);
      else args.at(-1)!.push(piece);
      this.#made++;
    }
    return this.#counted(macro, use, args);
  }

  #counted(macro: Macro, use: Piece, args: Piece[][]): Piece[][] | undefined {
    const count = macro.parameters!.length;
    if (count === 0 && args.length === 1 && args[0]!.length === 0) return [];
    if (macro.variadic && args.length === count - 1) return args;
    if (args.length === count) return args;
    const message = `macro '${macro.name}' takes ${count} argument${count === 1 ? '' : 's'}, but is given ${args.length}`;
    const { file, line } = macro.at;
    this.report.error('dts-macro', placeOfPiece(use), message, `see its definition, ${file}:${line}`);
    return undefined;
  }
}

const NOWHERE = { path: '', name: '', text: '', starts: [0], shift: 0, via: undefined };

/** The end of a list of words. */
const END: Piece = { kind: 'end', text: '', view: NOWHERE, offset: 0, gap: 0, end: 0, space: false, fresh: false };

function valued(macro: Macro, use: Piece): Piece {
  const text = macro.value!(use);
  return { ...use, ...pieceAt(text, 0), text, fresh: false, painted: true };
}
