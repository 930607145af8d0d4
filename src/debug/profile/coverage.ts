import type { Debuggable } from '../../board/machine.js';
import type { Probes } from '../../cpu/probes.js';
import type { Use } from '../../mmu/tlb.js';
import type { ImageSymbol } from '../../loader/image.js';
import type { LineTable } from '../lines.js';
import type { DebuggedMachine } from '../processes.js';
import { retiredOf } from './sampler.js';

/** Counts every instruction that a processor retires, by effective address. It only listens. */
export class InstructionCounts implements Probes {
  readonly stop = undefined;
  readonly #counts = new Map<number, number>();
  /** The instruction that was begun last, and how many had been retired then. */
  #begun = -1;
  #retired = 0;

  constructor(
    private readonly machine: DebuggedMachine,
    private readonly program: Debuggable,
  ) {
    program.probes = this;
  }

  guards(use: Use): boolean {
    return use === 'execute';
  }

  meetsInstruction(address: number): void {
    this.settle();
    this.#begun = address;
  }

  meetsAccess(): void {}

  /** Count the last instruction that was begun, if it is done: one that traps is not. */
  settle(): void {
    const retired = retiredOf(this.machine, this.program);
    if (retired > this.#retired && this.#begun >= 0) {
      this.#counts.set(this.#begun, (this.#counts.get(this.#begun) ?? 0) + (retired - this.#retired));
    }
    this.#retired = retired;
  }

  of(address: number): number {
    return this.#counts.get(address) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }
}

interface Covered {
  /** How often each line was run, by line. */
  readonly lines: Map<number, number>;
  readonly functions: { readonly name: string; readonly line: number; readonly count: number }[];
}

/**
 * Which lines and functions were run how often, as lcov's tracefile (geninfo(1)). A line counts as often as the most frequent
 * of its instructions. Where there is no debug information, the addresses of the functions stand for lines of `name`.
 */
export function lcov(
  name: string,
  counts: (address: number) => number,
  symbols: readonly ImageSymbol[],
  table: LineTable | undefined,
): string {
  const files = new Map<string, Covered>();
  const covered = (file: string): Covered => {
    const known = files.get(file) ?? { lines: new Map<number, number>(), functions: [] };
    files.set(file, known);
    return known;
  };
  for (const { file, line, from, to } of table ?? []) {
    const { lines } = covered(file);
    let most = lines.get(line) ?? 0;
    for (let address = from; address < to; address += 4) most = Math.max(most, counts(address));
    lines.set(line, most);
  }
  const functions = symbols.filter(({ kind }) => kind === 'function');
  const seen = new Set<number>();
  for (const { address, name: called } of functions) {
    if (seen.has(address)) continue;
    seen.add(address);
    const at = table?.at(address);
    const { lines, functions: own } = covered(at?.file ?? name);
    const count = counts(address);
    own.push({ name: called, line: at?.line ?? address, count });
    if (!at) lines.set(address, count);
  }
  return [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, own]) => record(name, file, own))
    .join('');
}

function record(test: string, file: string, { lines, functions }: Covered): string {
  const sorted = [...lines].toSorted(([a], [b]) => a - b);
  const hit = (counts: readonly number[]): number => counts.filter((count) => count > 0).length;
  return [
    `TN:${test.replaceAll(/\W/g, '_')}`,
    `SF:${file}`,
    ...functions.map(({ line, name }) => `FN:${line},${name}`),
    ...functions.map(({ count, name }) => `FNDA:${count},${name}`),
    `FNF:${functions.length}`,
    `FNH:${hit(functions.map(({ count }) => count))}`,
    ...sorted.map(([line, count]) => `DA:${line},${count}`),
    `LF:${sorted.length}`,
    `LH:${hit(sorted.map(([, count]) => count))}`,
    'end_of_record\n',
  ].join('\n');
}
