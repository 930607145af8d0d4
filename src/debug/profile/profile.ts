import type { Debuggable } from '../../board/machine.js';
import { MSR } from '../../isa/registers.js';
import { symbolAt, type ImageSymbol } from '../../loader/image.js';
import { callStack } from './call-stack.js';

/** The instructions of one function, in one state of a program. */
export interface ProfileRow {
  readonly program: string;
  readonly state: 'user' | 'supervisor';
  readonly name: string;
  /** Instructions of the function itself, and with those of the functions that it called. */
  readonly self: number;
  readonly total: number;
}

const partOf = (name: string): string => name.replace(/\/.*/, '');

/** Where instructions were spent: call stacks, each with how many. */
export class Profile {
  /** By stack: program, state, then functions, the outermost first. */
  readonly #stacks = new Map<string, number>();

  /** `symbols` by program. */
  constructor(private readonly symbols: ReadonlyMap<string, readonly ImageSymbol[]>) {}

  /** The stack that a processor is at. */
  stackOf({ name, machine }: Debuggable): string {
    const program = partOf(name);
    const symbols = this.symbols.get(program) ?? [];
    if (machine.system.msr & MSR.PR && !symbolAt(symbols, machine.regs.pc))
      return `${program};user;process ${machine.system.pid}`; // its stack is of a program that nobody knows
    const state = machine.system.msr & MSR.PR ? 'user' : 'supervisor';
    const names = callStack(machine, symbols).map(({ pc, interrupted }, i) => {
      const found = symbolAt(symbols, i > 0 && !interrupted ? pc - 4 : pc);
      return found?.name ?? `0x${((pc & ~0xfff) >>> 0).toString(16).padStart(8, '0')}`;
    });
    return [program, state, ...names.toReversed()].join(';');
  }

  add(stack: string, instructions: number): void {
    if (instructions > 0) this.#stacks.set(stack, (this.#stacks.get(stack) ?? 0) + instructions);
  }

  /** All instructions. */
  get instructions(): number {
    return [...this.#stacks.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Stacks as flamegraph.pl, speedscope and others read them: frames by semicolons, a space, the instructions. */
  collapsed(): string {
    const lines = [...this.#stacks].map(([stack, count]) => `${stack.replaceAll(' ', '_')} ${count}\n`);
    return lines.toSorted().join('');
  }

  /** By function, the most instructions of its own first. */
  rows(): readonly ProfileRow[] {
    const rows = new Map<
      string,
      { program: string; state: ProfileRow['state']; name: string; self: number; total: number }
    >();
    for (const [stack, count] of this.#stacks) {
      const [program = '', state, ...names] = stack.split(';');
      const own = names.at(-1);
      for (const name of new Set(names)) {
        const key = `${program};${state};${name}`;
        const row = rows.get(key) ?? { program, state: state as ProfileRow['state'], name, self: 0, total: 0 };
        row.total += count;
        if (name === own) row.self += count;
        rows.set(key, row);
      }
    }
    return [...rows.values()].toSorted((a, b) => b.self - a.self || b.total - a.total || (a.name < b.name ? -1 : 1));
  }
}
