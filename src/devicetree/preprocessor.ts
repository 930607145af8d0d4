import { Directives } from './directives.js';
import { ExpandedText } from './expanded-text.js';
import { Expander, type Macro } from './macros.js';
import { lineIndex, positionIn, viewOf } from './origin.js';
import { Inclusion } from './inclusion.js';
import { type Piece, wouldJoin } from './preprocessing-token.js';
import type { Report } from './report.js';
import type { ReadFile } from './tokens.js';

/** What a source is read with beside its text. */
export interface Preprocessing {
  /** Folders in which included files are looked for, after the folder of the file that names them. */
  readonly includePaths?: readonly string[];
  /** Macros that are there from the start, as `NAME` (which is 1), `NAME=VALUE` or `NAME(PARAMETERS)=VALUE`. */
  readonly defines?: readonly string[];
}

/** As much text as a source may become. */
const MAX_TEXT = 1 << 26;

/**
 * Takes the C preprocessor's directives out of device-tree source, opens the files that it includes, and replaces macros
 * (C11, 6.10, as GNU cpp reads assembler: `cpp -undef -D__DTS__ -x assembler-with-cpp`). Every character of the result
 * keeps its place. Files of `/include/` are read the same way; what is no directive, such as `#address-cells`, stays.
 */
export function preprocess(
  text: string,
  file: string,
  readFile: ReadFile,
  report: Report,
  options: Preprocessing = {},
): ExpandedText {
  const inclusion = new Inclusion(readFile, report, options.includePaths ?? []);
  const directives = new Directives(inclusion, report);
  const expander = new Expander(() => directives.next(), report);
  directives.expander = expander;
  for (const macro of builtIn()) expander.macros.set(macro.name, macro);
  const main = viewOf(file, text);
  inclusion.open(main, 'main');
  const defines = (options.defines ?? []).map(defineLine).join('');
  if (defines !== '') inclusion.open(viewOf('<command line>', defines), 'header');
  const out = new ExpandedText();
  let previous: Piece | undefined;
  const next = (): Piece => (expander.idle ? directives.plain() : undefined) ?? expander.next();
  for (let piece = next(); piece.kind !== 'end'; piece = next()) {
    if (expander.exhausted) break;
    emit(out, piece, previous);
    previous = piece;
    if (out.length <= MAX_TEXT) continue;
    const message = `this source becomes more than ${MAX_TEXT} characters`;
    report.error('dts-macro-limit', positionIn(main, 0), message, 'include less, and define macros that make less');
    break;
  }
  out.end();
  const last = inclusion.main;
  out.verbatim(last, last.text.length, last.text.length);
  return out;
}

/** `NAME=VALUE` as a directive; a line's end in it would begin another line. */
function defineLine(define: string): string {
  const equals = define.indexOf('=');
  const [name, value] = equals < 0 ? [define, '1'] : [define.slice(0, equals), define.slice(equals + 1)];
  return `#define ${name} ${value}`.replaceAll('\n', ' ') + '\n';
}

function emit(out: ExpandedText, piece: Piece, previous: Piece | undefined): void {
  const { view, offset, gap, end, via, text } = piece;
  const joins = piece.edge === true && !piece.space && previous !== undefined && wouldJoin(previous, piece);
  if (piece.apart) {
    out.end();
    out.word('\n', view, offset, via);
  }
  if (!piece.fresh) {
    out.word(piece.space || joins ? ` ${text}` : text, view, offset, via);
    return;
  }
  const between = view.text.slice(gap, offset);
  if (joins || (piece.space && gap === offset)) out.word(' ', view, offset, via);
  if (!/\\\r?\n/.test(between)) return out.verbatim(view, gap, end);
  // Lines joined by a backslash.
  if (/[ \t\v\f]|\*\//.test(between)) out.word(' ', view, offset, via);
  out.verbatim(view, offset, end);
}

/** What GNU cpp knows of the place where it is; not the time of day: the same source gives the same tree. */
function builtIn(): Macro[] {
  let counter = 0;
  const at = { file: '<built-in>', line: 1, col: 1 };
  const macro = (name: string, value: (use: Piece) => string): Macro => ({
    name,
    at,
    parameters: undefined,
    variadic: false,
    body: [],
    value,
  });
  return [
    macro('__DTS__', () => '1'),
    macro('__ASSEMBLER__', () => '1'),
    macro('__LINE__', ({ view, offset }) => `${lineIndex(view, offset) + 1 + view.shift}`),
    macro('__FILE__', ({ view }) => JSON.stringify(view.name)),
    macro('__COUNTER__', () => `${counter++}`),
  ];
}
