import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { BareMachine } from '../../board/bare.js';
import type { Debuggable } from '../../board/machine.js';
import { withListener, withoutListener, type Timeline } from '../../board/timeline.js';
import type { Trap } from '../../cpu/trap.js';
import type { DebuggedMachine } from '../../debug/processes.js';
import type { Target } from '../../debug/target.js';

/** Stops programs at the first instruction of their handlers, for the kinds of traps that are wanted. */
export class TrapCatcher implements Timeline {
  #wanted: ReadonlySet<string> = new Set();
  readonly #caught = new Map<Debuggable, { readonly trap: Trap; readonly pc: number; readonly steps: number }>();

  constructor(private readonly machine: DebuggedMachine) {}

  catch(kinds: readonly string[]): void {
    this.#wanted = new Set(kinds);
    const change = kinds.length > 0 ? withListener : withoutListener;
    const { machine } = this;
    for (const each of machine instanceof BareMachine ? [machine] : machine.debuggables)
      each.timeline = change(each.timeline, this);
  }

  turns(): void {}

  delivers(trap: Trap, program: Debuggable): void {
    if (!this.#wanted.has(trap.kind)) return;
    const steps = program.steps + 1;
    if (steps > program.stopAt) return;
    this.#caught.set(program, { trap, pc: program.machine.regs.pc, steps });
    program.stopAt = steps;
  }

  forget(): void {
    this.#caught.clear();
  }

  /** The trap whose handler a target stands at the beginning of, if it was stopped for that. */
  caught(target: Target): Trap | undefined {
    const found = this.#caught.get(target.runs!);
    return found?.steps === target.runs!.steps ? found.trap : undefined;
  }

  info(target: Target): Dap.ExceptionInfoResponse['body'] {
    const found = this.#caught.get(target.runs!);
    if (!found || !this.caught(target)) throw new Error(`${target.name} was not stopped for a trap`);
    const { trap, pc } = found;
    const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
    const about = Object.entries(trap).filter(([key]) => key !== 'kind');
    const facts = about.map(([key, value]) => `${key} ${typeof value === 'number' ? hex(value) : String(value)}`);
    return {
      exceptionId: trap.kind,
      description: [`${trap.kind} at ${hex(pc)}`, ...facts].join(', '),
      breakMode: 'always',
    };
  }
}
