import { lastAtMost, lineIndex, type Origin, positionIn, type View } from './origin.js';
import type { Position } from './tree.js';

/** A run of text from one place: as it was read, or, where it is `fixed`, all of it from one offset. */
interface Segment {
  readonly start: number;
  readonly view: View;
  readonly offset: number;
  readonly fixed: boolean;
  readonly via: Origin | undefined;
}

/** Text that was put together from files and macros, each character with its place. */
export class ExpandedText {
  readonly #parts: string[] = [];
  readonly #segments: Segment[] = [];
  /** Ends of files: no comment and no string goes on behind one. */
  readonly #ends: number[] = [];
  #length = 0;
  #run: { readonly view: View; readonly from: number; to: number } | undefined;
  #text: string | undefined;

  get length(): number {
    return this.#length + (this.#run ? this.#run.to - this.#run.from : 0);
  }

  /** All of it; nothing can be added afterwards. */
  get text(): string {
    this.#flush();
    this.#text ??= this.#parts.join('');
    return this.#text;
  }

  /** Adds text as it stands in a file. */
  verbatim(view: View, from: number, to: number): void {
    if (this.#run && this.#run.view === view && this.#run.to === from) {
      this.#run.to = to;
      return;
    }
    this.#flush();
    this.#run = { view, from, to };
  }

  /** Adds text that stands for what is at an offset. */
  word(text: string, view: View, offset: number, via: Origin | undefined): void {
    this.#flush();
    this.#segments.push({ start: this.#length, view, offset, fixed: true, via });
    this.#parts.push(text);
    this.#length += text.length;
  }

  /** Marks the end of a file. */
  end(): void {
    this.#flush();
    this.#ends.push(this.#length);
  }

  #flush(): void {
    const run = this.#run;
    if (!run) return;
    this.#run = undefined;
    const { view, from, to } = run;
    this.#segments.push({ start: this.#length, view, offset: from, fixed: false, via: view.via });
    this.#parts.push(view.text.slice(from, to));
    this.#length += to - from;
  }

  /** The end of the file in which an offset stands. */
  limit(offset: number): number {
    const next = lastAtMost(this.#ends.length, (i) => this.#ends[i]!, offset) + 1;
    return this.#ends[next] ?? this.#length;
  }

  /** The number of the segment that was asked for last: most questions are about the same one again. */
  #last = 0;

  #segment(offset: number): Segment {
    const segments = this.#segments;
    const begins = (i: number): number => segments[i]?.start ?? Infinity;
    if (begins(this.#last) > offset || begins(this.#last + 1) <= offset)
      this.#last = lastAtMost(segments.length, begins, offset);
    return segments[this.#last]!;
  }

  /** The path of the file that the text at an offset is from. */
  path(offset: number): string {
    return this.#segment(offset).view.path;
  }

  at(offset: number): Position {
    const { start, view, offset: from, fixed, via } = this.#segment(offset);
    return positionIn(view, fixed ? from : from + offset - start, via);
  }

  /** The line in which an offset stands, without the rest of its place. */
  line(offset: number): number {
    const { start, view, offset: from, fixed } = this.#segment(offset);
    return lineIndex(view, fixed ? from : from + offset - start) + 1 + view.shift;
  }
}
