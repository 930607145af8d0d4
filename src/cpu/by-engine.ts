import type { Core } from './core.js';
import { DELIVERED, R, S } from './state.js';
import type { Trap } from './trap.js';

/** What an engine does by itself in a run, beside instructions of its core: it delivers traps, or emulates for a guest. */
export class ByEngine {
  /** Cycles of this run, so far, that were no instructions of the core's. */
  #cycles = 0;

  constructor(private readonly core: Core) {}

  /** A run begins: say what the engine may. Nothing where it only makes a step, and looks at none of this. */
  begin(alone: boolean): void {
    const { regs, system, onDelivered, emulation, probes } = this.core;
    const { words } = regs;
    words[R.CALLS] = words[R.DENIALS] = words[R.TRAP_KIND] = words[R.TRAP_FIRST] = 0;
    words[R.EMULATION] = this.#cycles = 0;
    if (alone) return;
    const direct = onDelivered !== undefined && system.words[S.dbcr0] === 0 && !probes;
    words[R.DIRECT] = direct ? 1 : 0;
    if (probes || !emulation?.begin(regs, system)) words[R.WAITING] = this.core.waiting;
  }

  /** The clock is brought up to date, which said `zero` when COUNT was 0. Gives the cycles since that were no instructions of the core's. */
  passed(zero: number): number {
    const { words } = this.core.regs;
    const spent = words[R.EMULATION] === 0 ? 0 : this.core.emulation!.tell(zero);
    const all = words[R.CALLS]! + words[R.DENIALS]! + spent; // those that were delivered took a cycle each
    const since = all - this.#cycles;
    this.#cycles = all;
    return since;
  }

  /** An instruction has trapped, or, without a trap, is about to be done: whether that was an exit that has been dealt with, and it is done. */
  deals(trap: Trap | null): boolean {
    const { core } = this;
    const { emulation, clock } = core;
    const { words } = core.regs;
    if (words[R.EMULATION] === 0 || !emulation) return false;
    if (trap && trap.kind !== 'data-tlb-miss' && trap.kind !== 'data-storage') return false;
    core.syncClock();
    // The guest's own machine has the same words
    const count = words[R.COUNT]!;
    const limit = words[R.LIMIT]!;
    const told = words[R.EMULATION]!;
    const cycle = clock.now;
    if (!emulation.access(trap)) return false;
    const isAsked = words[R.LIMIT] === 0; // for attention
    core.trap = null;
    const spent = clock.now - cycle;
    clock.now = cycle;
    words[R.COUNT] = count + spent;
    words[R.LIMIT] = limit;
    words[R.EMULATION] = told;
    emulation.goesOn(core.regs, spent);
    core.publishContext();
    core.syncClock();
    core.alarmsChanged();
    if (isAsked || words[R.COUNT]! >= words[R.LIMIT]!) emulation.stop();
    if (emulation.stopped) core.attention();
    return true;
  }

  /** A run is over: tell what it has delivered. */
  end(): void {
    const { words } = this.core.regs;
    if (words[R.TRAP_KIND] === 0) return;
    const isCall = words[R.TRAP_KIND] === DELIVERED.CALL;
    const calls = ['system-call', words[R.CALLS]!] as const;
    const denials = ['program', words[R.DENIALS]!] as const;
    const counts = words[R.TRAP_FIRST] === DELIVERED.CALL ? [calls, denials] : [denials, calls];
    words[R.TRAP_KIND] = 0;
    this.core.onDelivered?.({
      counts: counts.filter(([, count]) => count > 0),
      trap: isCall ? { kind: 'system-call', level: words[R.TRAP_LEVEL]! } : { kind: 'program', cause: 'privileged' },
      pc: words[R.TRAP_PC]! >>> 0,
      msr: words[R.TRAP_MSR]!,
      pid: words[R.TRAP_PID]!,
      fruitless: words[R.TRAP_COUNT] === words[R.COUNT],
    });
  }
}
