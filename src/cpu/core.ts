import type { Bus, Line } from '../bus/bus.js';
import type { Clock } from '../bus/clock.js';
import type { SharedMemory } from '../bus/memory.js';
import { MSR, TCR, TSR } from '../isa/registers.js';
import { contextOf, Lookaside, NO_PAGE } from '../mmu/lookaside.js';
import { breaksAt } from './access.js';
import { ByEngine } from './by-engine.js';
import { executeObserved } from './debug-events.js';
import { debugExceptionExists } from './debug-record.js';
import { DATA_EVENTS, INSTRUCTION_EVENTS, mostRecentReset } from './debug-registers.js';
import type { CoreModel, Delivered, FixedPage } from './core-facts.js';
import type { Emulation } from './emulation.js';
import type { Engine } from './engine/engine.js';
import type { Probes, ProbeStop } from './probes.js';
import { R, Registers, S, System } from './state.js';
import { Timers, type ResetKind } from './timers.js';
import { machineCheckSyndrome, type Trap } from './trap.js';

export type { CoreModel, Delivered, FixedPage } from './core-facts.js';

/** Why the core stopped running. What happens next is the caller's business. */
export type Stop =
  | { readonly kind: 'quantum' } // it ran as many cycles as it was given
  | { readonly kind: 'trap'; readonly trap: Trap }
  | { readonly kind: 'idle' } // MSR[WE]: nothing to do until an interrupt
  | { readonly kind: 'self-branch' } // about to branch to itself for ever, as far as the program is concerned
  | { readonly kind: 'reset'; readonly reset: ResetKind } // DBCR0[RST] or the watchdog asks for one
  | { readonly kind: 'checkstop' } // a machine check while MSR[ME] forbids it
  | ProbeStop; // a debugger's breakpoint or watchpoint

const QUANTUM: Stop = { kind: 'quantum' };
const IDLE: Stop = { kind: 'idle' };
const SELF_BRANCH: Stop = { kind: 'self-branch' };
const CHECKSTOP: Stop = { kind: 'checkstop' };

/** A 440 core: registers, TLB and timers, run by an engine against a bus. It stops at whatever needs a decision. */
export class Core {
  regs: Registers;
  system: System;
  timers: Timers;
  readonly lookaside: Lookaside;
  /** The trap that the instruction just run raised. */
  trap: Trap | null = null;
  /** What it has by itself; a world switch has it run others. */
  readonly own: { readonly regs: Registers; readonly system: System; readonly timers: Timers };
  /** Instructions retired since power-on. */
  retired = 0;
  /** Levels of the two interrupt inputs. */
  readonly inputs = { external: false, critical: false };
  /** Whether some source behind an input could still assert it; tells a halted core from a waiting one. */
  canRise: (input: 'external' | 'critical') => boolean = () => true;
  /** Does whoever shares this core out want it back, the next alarm being at this cycle? Asked between two runs of the engine. */
  wantedBack: (alarm: number) => boolean = () => false;
  /** Called before a valid TLB entry changes, and after it has come to map other addresses: whoever keeps copies of it lets go of them. */
  onTlbChange: (entry: number) => void = () => {};
  /** None on a board. */
  fixedPage: FixedPage | undefined;
  /**
   * Set by whoever would do nothing with a system call or a privileged instruction but deliver it: the engine may do that by
   * itself then, in a cycle each, and this is told afterwards.
   */
  onDelivered: ((delivered: Delivered) => void) | undefined;
  /** Where the engine may deal with exits of the guest that runs. */
  emulation: Emulation | undefined;
  /** A debugger's breakpoints and watchpoints. To be set by `probeWith`. */
  probes: Probes | undefined;
  /** Set to have `run` stop once at a branch to itself. */
  watchSelfBranch = false;
  /** The engine found a branch to itself. */
  selfBranch = false;
  /** DBCR0[RST] has asked for a reset. */
  #resetRequest: ResetKind | undefined;
  #counted = 0;
  readonly #byEngine = new ByEngine(this);

  constructor(
    readonly memory: SharedMemory,
    readonly bus: Bus,
    readonly clock: Clock,
    readonly engine: Engine,
    readonly model: CoreModel,
    regs?: Registers,
  ) {
    this.lookaside = new Lookaside(memory);
    this.regs = regs ?? new Registers(memory);
    this.system = new System(memory);
    this.timers = new Timers(clock, this.system, model.rate);
    this.own = { regs: this.regs, system: this.system, timers: this.timers };
    clock.add(this.timers);
    engine.attach?.(this);
    this.reset();
  }

  /** The state after a reset: all zero but the version, the number and, in DBSR and TSR, what asked for it; the TLB empty. */
  reset(): void {
    const kind = this.resetRequest ?? 'system'; // as power-on is
    const watchdogReset = this.timers.resetRequest ? this.system.get('tsr') & TSR.WRS : 0;
    this.regs.reset();
    this.system.reset();
    this.system.set('tsr', watchdogReset);
    this.system.set('dbsr', mostRecentReset[kind]);
    this.system.set('pvr', this.model.pvr);
    this.system.set('pir', this.model.number);
    this.timers.reset();
    this.lookaside.flush();
    this.trap = null;
    this.#resetRequest = undefined;
    this.contextChanged();
  }

  /** Its state between two runs; registers, system and timers are its own. */
  save() {
    const { regs, system, timers } = this.own;
    return {
      regs: regs.save(),
      system: system.save(),
      timers: timers.save(),
      inputs: { ...this.inputs },
      retired: this.retired,
      watchSelfBranch: this.watchSelfBranch,
      resetRequest: this.#resetRequest,
    };
  }

  /** Take over a saved state. What runs on it is not touched: `switchTo` comes before. */
  restore(saved: ReturnType<Core['save']>): void {
    this.own.regs.restore(saved.regs);
    this.own.system.restore(saved.system);
    this.own.timers.restore(saved.timers);
    Object.assign(this.inputs, saved.inputs);
    this.retired = saved.retired;
    this.watchSelfBranch = saved.watchSelfBranch;
    this.#resetRequest = saved.resetRequest;
    this.trap = null;
    this.lookaside.flush();
  }

  /** One end of the external or critical interrupt input. */
  input(which: 'external' | 'critical'): Line {
    return {
      set: (asserted) => {
        if (this.inputs[which] === asserted) return;
        this.inputs[which] = asserted;
        this.attention();
      },
    };
  }

  /** Run other registers from now on: a world switch. The reservation is lost. */
  switchTo(regs: Registers, system: System, timers: Timers): void {
    this.regs = regs;
    this.system = system;
    this.timers = timers;
    this.regs.words[R.RESERVED] = 0;
    this.contextChanged();
  }

  /** Run for at most so many cycles, or until something needs a decision. */
  run(cycles: number): Stop {
    const end = this.clock.now + cycles;
    for (;;) {
      if (this.probes?.stop) return this.probes.stop;
      let alarm = this.clock.next;
      if (this.wantedBack(alarm)) return QUANTUM;
      if (alarm <= this.clock.now) alarm = this.clock.ring();
      if (this.clock.held) return QUANTUM;
      const reset = this.resetRequest;
      if (reset) return { kind: 'reset', reset };
      const interrupt = this.pendingInterrupt();
      if (interrupt) return { kind: 'trap', trap: interrupt };
      if (this.system.msr & MSR.WE) return IDLE;
      if (this.clock.now >= end) return QUANTUM;
      this.#execute(Math.min(end, alarm) - this.clock.now);
      if (this.trap !== null) return this.#trapped(this.trap);
      if (this.selfBranch && this.watchSelfBranch) return SELF_BRANCH;
      if (this.emulation?.stopped) return QUANTUM;
    }
  }

  /** Have these breakpoints and watchpoints from now on; to be called again whenever they are others. */
  probeWith(probes: Probes | undefined): void {
    this.probes = probes;
    this.lookaside.flush();
  }

  /**
   * One instruction, whatever is pending. Null if it was retired, and the clock has then advanced by a cycle, or if
   * `probes.stop` says that it is not to be run yet.
   */
  step(): Trap | null {
    this.#execute(1, true);
    return this.trap;
  }

  /**
   * Between two runs, amid an exit of the guest whose registers it has: emulate for it for at most so many cycles, beginning with the
   * instruction that lies at this place of the shared memory, as far as the engine does that. Whether anything was done.
   */
  emulateAhead(cycles: number, at: number): boolean {
    if (!this.engine.emulate) return false;
    const { words } = this.regs;
    this.#beginRun(cycles);
    if (words[R.EMULATION] !== 0) this.engine.emulate(this, at);
    this.syncClock();
    return words[R.COUNT] !== 0;
  }

  #execute(cycles: number, alone = false): void {
    if (!this.observed) this.#runEngine(cycles, alone);
    else if (!this.breaksHere()) executeObserved(this, () => this.#runEngine(1));
    if (this.probes?.stop?.kind === 'breakpoint') this.trap = null;
  }

  /** Does a debugger's breakpoint stop it before the next instruction? Debug events, and what costs cycles, come after that. */
  breaksHere(): boolean {
    if (!this.probes) return false;
    this.publishContext();
    return breaksAt(this);
  }

  #beginRun(cycles: number, alone = false): void {
    const { words } = this.regs;
    this.#counted = 0;
    words[R.COUNT] = 0;
    words[R.LIMIT] = Math.min(cycles, 0x3fffffff);
    this.publishContext();
    if (!alone) this.timers.show(this.regs);
    this.#byEngine.begin(alone);
  }

  #runEngine(cycles: number, alone = false): void {
    this.trap = null;
    this.selfBranch = false;
    this.#beginRun(cycles, alone);
    if (alone) this.engine.step(this);
    else this.engine.run(this);
    this.syncClock();
    this.#byEngine.end();
  }

  #trapped(trap: Trap): Stop {
    if (trap.kind === 'machine-check' && !(this.system.msr & MSR.ME)) return CHECKSTOP;
    return { kind: 'trap', trap };
  }

  /** Whether the trap that the engine has met, or the instruction that it is about to do, is an exit, and has been dealt with in place. */
  dealsInPlace(): boolean {
    return this.#byEngine.deals(this.trap);
  }

  /** Bring the clock up to the instruction that is running. Whatever looks at time calls it first. */
  syncClock(): void {
    const count = this.regs.words[R.COUNT]!;
    const passed = count - this.#counted;
    this.#counted = count;
    this.clock.now += passed;
    this.retired += passed - this.#byEngine.passed(this.clock.now - count);
  }

  /** The one way an instruction traps. Gives 0, for the value that is not there. */
  raise(trap: Trap): number {
    this.trap = trap;
    return 0;
  }

  /** No device answers. With MSR[ME] clear the machine check waits, reads give 0 and writes go nowhere. */
  busError(cause: 'data-read' | 'data-write', address: number): number {
    if (this.system.msr & MSR.ME) return this.raise({ kind: 'machine-check', cause, address: address >>> 0 });
    this.system.words[S.mcsr]! |= machineCheckSyndrome(cause);
    this.system.set('waitingMachineCheck', cause === 'data-read' ? 1 : 2);
    this.attention(); // setting MSR[ME] lets something through from here on
    return 0;
  }

  /** The interrupt that would be taken now, the most urgent first (PPC440x5 User's Manual, "Interrupt Ordering"). */
  pendingInterrupt(): Trap | null {
    const { msr } = this.system;
    const waiting = this.system.words[S.waitingMachineCheck]!;
    if (waiting && msr & MSR.ME)
      return { kind: 'machine-check', cause: waiting === 1 ? 'data-read' : 'data-write', address: 0 };
    if (msr & MSR.DE && debugExceptionExists(this.system)) return { kind: 'debug' };
    if (msr & MSR.CE) {
      if (this.inputs.critical) return { kind: 'critical-input' };
      if (this.system.words[S.tcr]! & TCR.WIE && this.system.words[S.tsr]! & TSR.WIS) return { kind: 'watchdog' };
    }
    return msr & MSR.EE ? this.noncriticalInterrupt() : null;
  }

  /** The most urgent interrupt of those that MSR[EE] lets through or holds back. */
  noncriticalInterrupt(): Trap | null {
    const tcr = this.system.words[S.tcr]!;
    const tsr = this.system.words[S.tsr]!;
    if (this.inputs.external) return { kind: 'external-input' };
    if (tcr & TCR.FIE && tsr & TSR.FIS) return { kind: 'fixed-interval' };
    if (tcr & TCR.DIE && tsr & TSR.DIS) return { kind: 'decrementer' };
    return null;
  }

  /** The MSR bits of which any lets an interrupt through that is there now. */
  get waiting(): number {
    const { words } = this.system;
    const decrementer = words[S.tcr]! & TCR.DIE && words[S.tsr]! & TSR.DIS;
    const external = this.inputs.external || decrementer || this.#fixedIntervalWaits;
    const machineCheck = words[S.waitingMachineCheck] ? MSR.ME : 0;
    const debug = debugExceptionExists(this.system) ? MSR.DE : 0;
    const critical = this.inputs.critical || this.#watchdogWaits ? MSR.CE : 0;
    return (external ? MSR.EE : 0) | critical | debug | machineCheck;
  }

  get #fixedIntervalWaits(): boolean {
    return (this.system.words[S.tcr]! & TCR.FIE) !== 0 && (this.system.words[S.tsr]! & TSR.FIS) !== 0;
  }

  get #watchdogWaits(): boolean {
    return (this.system.words[S.tcr]! & TCR.WIE) !== 0 && (this.system.words[S.tsr]! & TSR.WIS) !== 0;
  }

  /** Does an interrupt wait, whether or not the MSR lets it through? */
  get interruptWaits(): boolean {
    const enabled = this.system.words[S.tcr]!;
    const status = this.system.words[S.tsr]!;
    const timers =
      (enabled & TCR.DIE && status & TSR.DIS) ||
      (enabled & TCR.FIE && status & TSR.FIS) ||
      (enabled & TCR.WIE && status & TSR.WIS);
    return this.inputs.external || this.inputs.critical || timers !== 0 || debugExceptionExists(this.system);
  }

  /** Does it wait for an interrupt, by MSR[WE]? */
  get waits(): boolean {
    return (this.system.msr & MSR.WE) !== 0;
  }

  /** Are debug events enabled that each instruction must be looked at for? */
  get observed(): boolean {
    return (this.system.words[S.dbcr0]! & INSTRUCTION_EVENTS) !== 0;
  }

  /** Are debug events enabled that loads, stores and cache operations must be looked at for? */
  get watchesData(): boolean {
    return (this.system.words[S.dbcr0]! & DATA_EVENTS) !== 0;
  }

  /** Could any interrupt that the MSR lets through still come? If not, a core that waits or branches to itself has halted. */
  get canBeInterrupted(): boolean {
    const { msr } = this.system;
    const tcr = this.system.words[S.tcr]!;
    if (this.timers.state.watchdogReset) return true;
    if (msr & MSR.CE && (this.canRise('critical') || tcr & TCR.WIE)) return true;
    return (msr & MSR.EE) !== 0 && (this.canRise('external') || (tcr & (TCR.DIE | TCR.FIE)) !== 0);
  }

  /** The reset that DBCR0[RST] or the watchdog has asked for. */
  get resetRequest(): ResetKind | undefined {
    return this.#resetRequest ?? this.timers.resetRequest;
  }

  requestReset(reset: ResetKind | undefined): void {
    if (reset) this.attention();
    this.#resetRequest = reset ?? this.#resetRequest;
  }

  /** Have the engine come back after this instruction: something outside it may have changed. */
  attention(): void {
    this.regs.words[R.LIMIT] = 0;
  }

  /** A device was accessed: have the engine come back for an alarm that is now due sooner, or because time is held. */
  alarmsChanged(): void {
    const { words } = this.regs;
    const left = this.clock.held ? 0 : Math.max(0, this.clock.next - this.clock.now);
    words[R.LIMIT] = Math.min(words[R.LIMIT]!, words[R.COUNT]! + left);
  }

  /** The MSR, the PID, DBCR0 or the DBSR is another one. The engine has to come back only if that lets something happen. */
  contextChanged(): void {
    this.publishContext();
    this.regs.words[R.ASK_TIME] = -1;
    this.timers.debugChanged();
    if (this.system.msr & MSR.WE || this.pendingInterrupt() !== null) this.attention();
  }

  publishContext(): void {
    const { msr, pid } = this.system;
    const { words } = this.regs;
    const user = (msr & MSR.PR) !== 0;
    words[R.DATA_CONTEXT] = contextOf(pid, msr & MSR.DS ? 1 : 0, user) | (this.watchesData ? NO_PAGE : 0);
    words[R.CODE_CONTEXT] = contextOf(pid, msr & MSR.IS ? 1 : 0, user);
    words[R.SYSTEM] = this.system.at;
  }

  /** A TLB entry is about to change, or has changed: forget what was remembered of its pages. */
  forgetEntry(entry: number): void {
    const { tlb } = this.system;
    if (!tlb.valid(entry)) return;
    this.lookaside.invalidate(tlb.base(entry), tlb.bytes(entry));
    this.onTlbChange(entry);
  }
}
