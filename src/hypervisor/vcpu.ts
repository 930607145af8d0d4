import { assert } from '../bus/assert.js';
import type { Board } from '../board/board.js';
import type { Debuggable } from '../board/machine.js';
import type { Timeline } from '../board/timeline.js';
import { TrapWatch } from '../board/trap-watch.js';
import type { Core, Stop } from '../cpu/core.js';
import type { Probes } from '../cpu/probes.js';
import { S, System } from '../cpu/state.js';
import type { Trap } from '../cpu/trap.js';
import { MSR } from '../isa/registers.js';
import type { Use } from '../mmu/tlb.js';
import type { ExitAccount } from './accounting.js';
import type { Exit } from './exit.js';
import { ExitRing } from './exit-ring.js';
import type { ExitWitness } from './exit-witness.js';
import type { Partition } from './partition.js';
import { FORCED_MSR, InPlace, KEPT_MSR } from './in-place.js';
import { MagicPage, magicPageAt } from './magic-page.js';
import type { Placed } from './placement.js';
import { ShadowTlb } from './shadow-tlb.js';
import type { PidPool } from './pid-pool.js';

/** What a snapshot has as it is. */
const PLAIN = [
  'inside',
  'repeats',
  'idle',
  'watchSelfBranch',
  'stoppedBehindCall',
  'fruitless',
  'aheadLeft',
  'ahead',
  'awaited',
  'exit',
  'events',
  'held',
] as const;

/** A guest's processor: the machine that it believes it has, and what the real core holds while it runs. */
export class Vcpu implements Debuggable {
  /** The guest's own view: its MSR, its TLB, its guest-physical bus. Its registers are the ones that the real core runs. */
  readonly machine: Core;
  /** The real core's supervisor registers while this guest runs: user mode, shadow translations. */
  readonly shadow: System;
  readonly shadowTlb: ShadowTlb;
  /** Exits that need not leave the core. */
  readonly inPlace: InPlace;
  /** Registers as memory, where the partition is offered that. */
  readonly magicPage: MagicPage | undefined;
  /** The guest is amid its own instructions: its magic page may say what its registers do not yet. */
  inside = false;
  /** The traps that the guest itself has seen; for a person who wonders. */
  readonly traps = new TrapWatch();
  /** Its last exits. */
  readonly recent = new ExitRing();
  /** It faults in a loop: the same translation fails again and again. */
  repeats = false;
  /** It asked by EV_IDLE to wait for an interrupt. */
  idle = false;
  /** Whether the core is to stop at a branch to itself: once, and again after anything that may have changed its meaning. */
  watchSelfBranch = true;
  /** The core stopped at a system call, so the pc is behind it. */
  stoppedBehindCall = false;
  /** Interrupts injected since an instruction was last retired. */
  fruitless = 0;
  /** How many instructions more may be emulated in its last exit; 0 once the guest has had the core back. */
  aheadLeft = 0;
  /** Instructions up to the next privileged one that are emulated along with it. */
  ahead = 0;
  /** A page that its own handler is about to map: where the guest will come back to, and what it will do there. */
  awaited: { readonly pc: number; readonly address: number; readonly use: Use } | undefined;
  /** What the core had retired when the guest began to run its own instructions, or was last seen to get on with them. */
  gotOnAt = 0;
  /** Where the machine as a whole stops it. */
  lastStep = Infinity;
  #stopAt = Infinity;
  held = false;
  /** Hears how its time is spent. */
  timeline: Timeline | undefined;
  witness: ExitWitness | undefined;
  /** An exit that a debugger wanted to look at before it is handled. */
  exit: Exit | undefined;
  /** Interrupts taken, hypercalls and resets. */
  events = 0;
  /** Instructions retired on the real core in earlier stays there; in this one, what the core had retired when it began. */
  #retired = 0;
  #enteredAt: number | undefined;

  constructor(
    readonly partition: Partition,
    readonly index: number,
    board: Board,
    /** The real core that runs it. */
    readonly core: Core,
    pids: PidPool,
    readonly account: ExitAccount,
    /** Memory for its magic page. */
    page?: Placed,
  ) {
    const machine = board.cores[index];
    assert(machine !== undefined, `${partition.name} has a processor ${index}`);
    this.machine = machine;
    this.shadow = new System(core.memory);
    this.shadowTlb = new ShadowTlb(this, pids);
    this.inPlace = new InPlace(this);
    machine.onTlbChange = (entry) => this.shadowTlb.guestChanged(entry);
    const place = page && { physical: magicPageAt(index), real: page.physical };
    this.magicPage = page && place && new MagicPage(machine, this.shadowTlb, page.ram, place);
  }

  get name(): string {
    return `${this.partition.name}/cpu${this.index}`;
  }

  /** Is the guest's own program, not its supervisor, running? */
  get user(): boolean {
    return (this.machine.system.msr & MSR.PR) !== 0;
  }

  /** May it make KVM's hypercalls? */
  get offersKvm(): boolean {
    return this.partition.config.paravirtualization.kvm;
  }

  /** Does it wait for an interrupt: by MSR[WE], or by EV_IDLE? */
  get waits(): boolean {
    return this.idle || (this.machine.system.msr & MSR.WE) !== 0;
  }

  /** EV_IDLE ends at any interrupt, MSR[WE] only at one that the MSR lets through. */
  get wakes(): boolean {
    return this.idle ? this.machine.interruptWaits : this.machine.pendingInterrupt() !== null;
  }

  /** Could it use the core now? The watchdog's reset comes to one that waits as well. */
  get runnable(): boolean {
    if (!this.partition.running || this.held) return false;
    if (this.partition.lifecycle === 'starting') return true;
    return !this.waits || this.wakes || this.machine.resetRequest !== undefined;
  }

  /** Of the core's time, in per cent, while it wants it; undefined: none. */
  get guarantee(): number | undefined {
    return this.partition.config.guarantee;
  }

  /** Of whoever stops it first. */
  get stopAt(): number {
    return Math.min(this.#stopAt, this.lastStep);
  }
  set stopAt(steps: number) {
    this.#stopAt = steps;
  }

  /** Run on the real core, counting what is retired there. */
  onCore(run: () => Stop): Stop {
    this.#enteredAt = this.core.retired;
    const stop = run();
    this.#retired += this.core.retired - this.#enteredAt;
    this.#enteredAt = undefined;
    return stop;
  }

  get steps(): number {
    const now = this.#enteredAt === undefined ? 0 : this.core.retired - this.#enteredAt;
    return this.#retired + now + this.machine.retired + this.events;
  }

  get elsewhere(): MagicPage | undefined {
    return this.magicPage;
  }

  get probes(): Probes | undefined {
    return this.machine.probes;
  }
  set probes(probes: Probes | undefined) {
    this.machine.probeWith(probes);
    this.core.probeWith(this.core.regs === this.machine.regs ? probes : this.core.probes);
  }

  /** Has something happened, while the guest runs, that its own machine has to see, or an alarm come due, or is it to stop? */
  readonly wantsCore = (alarm: number): boolean => {
    const { machine } = this;
    if (this.steps >= this.stopAt) return true;
    if (alarm <= machine.clock.now || machine.resetRequest !== undefined) return true;
    return this.magicPage?.mapped ? this.magicPage.isBehind : machine.pendingInterrupt() !== null;
  };

  /** A bus error that MSR[ME] held back on the real core is held back on the guest's machine. */
  takeBusError(): void {
    const { shadow, machine } = this;
    const waiting = shadow.words[S.waitingMachineCheck]!;
    if (waiting === 0) return;
    machine.system.words[S.mcsr]! |= shadow.words[S.mcsr]!;
    machine.system.words[S.waitingMachineCheck] = waiting;
    shadow.words[S.mcsr] = shadow.words[S.waitingMachineCheck] = 0;
  }

  /** The interrupt that comes to the guest now: none comes into a critical section of its magic page. */
  takeInterrupt(): Trap | null {
    const trap = this.machine.pendingInterrupt();
    if (!this.magicPage) return trap;
    const waits = trap !== null && !this.waits && this.magicPage.critical;
    this.magicPage.interruptWaits = waits;
    return waits ? null : trap;
  }

  /** The cycle at which an interrupt is tried again that found the guest in a critical section. */
  get retryAt(): number {
    return this.magicPage?.state.retryAt ?? Infinity;
  }

  /** The guest has left the core, and its registers are to be what it thinks they are. */
  leave(): void {
    if (!this.inside) return;
    this.inside = false;
    this.magicPage?.sync();
  }

  /** The core stopped at a trap. */
  stopped(trap: Trap): void {
    this.stoppedBehindCall = trap.kind === 'system-call';
  }

  retry(): void {
    const asIsElse = this.exit?.kind === 'preempted' || this.exit?.kind === 'host-interrupt';
    if (!asIsElse && !this.stoppedBehindCall) this.exit = undefined;
    this.aheadLeft = 0;
  }

  /** As after the guest's power-on. */
  reset(): void {
    this.magicPage?.reset();
    this.shadowTlb.flush();
    this.shadow.reset();
    this.inside = false;
    this.traps.reset();
    this.recent.clear();
    this.repeats = false;
    this.idle = false;
    this.watchSelfBranch = true;
    this.fruitless = 0;
    this.aheadLeft = 0;
    this.ahead = 0;
    this.awaited = undefined;
    this.exit = undefined;
    this.events += 1;
  }

  /** All but its machine and what a debugger wants of it; it is between two stays on the core. */
  save() {
    const plain = Object.fromEntries(PLAIN.map((name) => [name, this[name]])) as Pick<Vcpu, (typeof PLAIN)[number]>;
    return {
      plain,
      retired: this.#retired,
      shadow: this.shadow.save(),
      shadowTlb: this.shadowTlb.save(),
      magicPage: this.magicPage?.save(),
      traps: this.traps.save(),
      recent: this.recent.save(),
      account: this.account.save(),
    };
  }

  restore(saved: ReturnType<Vcpu['save']>): void {
    Object.assign(this, saved.plain, { awaited: saved.plain.awaited, exit: saved.plain.exit });
    this.#retired = saved.retired;
    this.shadow.restore(saved.shadow);
    this.shadowTlb.restore(saved.shadowTlb);
    if (saved.magicPage) this.magicPage?.restore(saved.magicPage);
    this.traps.restore(saved.traps);
    this.recent.restore(saved.recent);
    this.account.restore(saved.account);
  }

  /**
   * Set up what the real core holds for the guest's present state. Everything of a guest runs as a user program; which of
   * its translations the real core sees is a matter of the PID. Nothing is flushed.
   */
  enterContext(): void {
    const guest = this.machine.system.msr;
    this.shadow.msr = FORCED_MSR | (guest & KEPT_MSR);
    const pid = this.shadowTlb.pidFor(this.user, this.machine.system.pid);
    this.shadow.set('pid', pid);
    if (!this.user) this.shadowTlb.showPinned(pid);
    if (this.awaited && !this.inside && this.awaited.pc === this.machine.regs.pc) {
      this.shadowTlb.foresee(this.awaited.address, this.awaited.use);
      this.awaited = undefined;
    }
  }
}
