import type { LinePlace, LineTable, SourceLine } from '../../debug/lines.js';
import { parseExpression } from '../../debug/expression.js';
import type { Process, Target } from '../../debug/target.js';
import { Program as Plain } from '../../debug/program.js';

/** What is known of a process's program: names of addresses, and lines of its source. */
export class Program {
  /** The same without a map of directories. */
  readonly plain: Plain;

  /** `map`: directories as the compiler knew them, and where they are here. */
  constructor(
    bytes: Uint8Array,
    private readonly map: Readonly<Record<string, string>>,
  ) {
    this.plain = Plain.of(bytes);
  }

  get lines(): LineTable | undefined {
    return this.plain.lines;
  }

  find(name: string): number | undefined {
    return this.plain.find(name)?.address;
  }

  nameOf(address: number): string {
    const found = this.plain.around(address);
    if (!found) return `0x${(address >>> 0).toString(16).padStart(8, '0')}`;
    return found.offset === 0 ? found.name : `${found.name}+0x${found.offset.toString(16)}`;
  }

  /** The function that an address lies in: where it begins. */
  functionOf(address: number): number | undefined {
    const found = this.plain.around(address);
    return found && address - found.offset;
  }

  sourceOf(address: number): SourceLine | undefined {
    const found = this.lines?.at(address);
    return found && { ...found, file: this.#here(found.file) };
  }

  /** A file's path on this computer. */
  #here(file: string): string {
    for (const [there, here] of Object.entries(this.map))
      if (file === there || file.startsWith(`${there}/`)) return here + file.slice(there.length);
    return file;
  }

  get files(): readonly string[] {
    return (this.lines?.files ?? []).map((file) => this.#here(file));
  }

  /** Where a line's code begins; the file by its path here, or else by as many of its last steps as only one file has. */
  places(path: string, line: number): LinePlace | undefined {
    const { lines } = this;
    if (!lines) return undefined;
    const exact = lines.files.find((file) => this.#here(file) === path);
    if (exact !== undefined) return lines.places(exact, line);
    const steps = path.split(/[/\\]/);
    for (let count = steps.length - 1; count > 0; count--) {
      const [file] = lines.find(steps.slice(-count).join('/'));
      if (file !== undefined) return lines.places(file, line);
    }
    return undefined;
  }
}

/** The programs of processes, by their number; one of which nothing is known has no names and no lines. */
export class Programs {
  readonly #known: ReadonlyMap<string, Program>;
  readonly #nothing = new Program(new Uint8Array(), {});

  constructor(files: ReadonlyMap<string, Uint8Array>, map: Readonly<Record<string, string>>) {
    this.#known = new Map([...files].map(([name, bytes]) => [name, new Program(bytes, map)]));
  }

  of({ name }: Process): Program {
    return this.#known.get(name) ?? this.#nothing;
  }
}

/** An expression's value; an ExpressionError says why it has none. */
export const evaluate = (text: string, target: Target, program: Program): number =>
  parseExpression(text)({ target, program: program.plain });
