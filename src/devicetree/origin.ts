import type { Position } from './tree.js';

/** How text came to stand where it stands: by an include, or out of a macro. */
export interface Origin {
  readonly kind: 'include' | 'macro';
  /** The path of the file, or the macro's name. */
  readonly name: string;
  /** The line that includes the file, or the place where the macro is defined. */
  readonly at: Position;
  /** What that is in itself: the include of the including file, or the macro that this one was used by. */
  readonly outer?: Origin | undefined;
}

/** A text as it was read, from a line marker on with the name and the lines that the marker gives. */
export interface View {
  /** The path it was read from: includes are relative to it. */
  readonly path: string;
  /** The name that positions show. */
  readonly name: string;
  readonly text: string;
  /** The offset of each line's first character. */
  readonly starts: readonly number[];
  /** What is added to a line's number. */
  readonly shift: number;
  readonly via: Origin | undefined;
}

/** A text by itself. */
export function viewOf(path: string, text: string, via?: Origin): View {
  const starts = [0];
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return { path, name: path, text, starts, shift: 0, via };
}

/** The last index whose value is at most `limit`, of values that ascend; -1 where all are above it. */
export function lastAtMost(count: number, value: (index: number) => number, limit: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value(middle) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The line of an offset, as it is in the file: the first is 0. */
export const lineIndex = ({ starts }: View, offset: number): number =>
  lastAtMost(starts.length, (i) => starts[i]!, offset);

/** Where an offset of a text stands. */
export function positionIn(view: View, offset: number, via: Origin | undefined = view.via): Position {
  const index = lineIndex(view, offset);
  const place = { file: view.name, line: index + 1 + view.shift, col: offset - view.starts[index]! + 1 };
  return via ? { ...place, via } : place;
}

/** How a place came to be, the innermost first, as lines for a message. */
export function provenance({ via }: Position): string[] {
  const lines: string[] = [];
  for (let origin = via; origin; origin = origin.outer) {
    const { file, line, col } = origin.at;
    const how = origin.kind === 'macro' ? `from the macro '${origin.name}', defined at` : 'included at';
    lines.push(`${how} ${file}:${line}:${col}`);
  }
  return lines;
}
