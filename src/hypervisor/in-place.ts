import { stopsHere } from '../board/machine.js';
import { E, Emulation, NOWHERE } from '../cpu/emulation.js';
import type { Trap } from '../cpu/trap.js';
import { MSR } from '../isa/registers.js';
import { contextOf } from '../mmu/lookaside.js';
import { instructionDetail } from './exit-detail.js';
import { classify, type Outcome } from './exit.js';
import { aheadDetail, foreseenAccess, NOT_AHEAD, runsAhead } from './run-ahead.js';
import { hasLeft, settle, type Costs, type Observer } from './settle.js';
import type { Vcpu } from './vcpu.js';

/** Of the real MSR the guest's own: what its instructions, and the bus errors of a device that was passed through, go by. */
export const KEPT_MSR = MSR.IS | MSR.DS | MSR.FP | MSR.FE0 | MSR.FE1 | MSR.ME;

/** What the real MSR has whatever the guest's is. */
export const FORCED_MSR = MSR.PR | MSR.EE | MSR.CE;

const NOBODY: readonly Observer[] = [];

/** What an exit may cost that an engine counts, in cycles. */
const MOST_CYCLES = 2 ** 24;

/**
 * Exits that are dealt with where the guest stands, as `run.ts` would: the engine's are privileged instructions that read or write
 * the guest's own registers and TLB, and returns from its interrupts; the hypervisor's, when the engine calls, accesses to the
 * guest's own devices. They cost and count the same; only the time is saved that it takes to leave generated code and come back.
 */
export class InPlace {
  /** What the core has while the guest is on it. */
  readonly emulation: Emulation;
  /** What came of the last access to a device. */
  outcome: Outcome = 'resume';
  /** What exits cost is the same for ever. */
  #costs: Costs | undefined;
  #isDear = false;

  constructor(private readonly vcpu: Vcpu) {
    const { core, machine } = vcpu;
    this.emulation = new Emulation(core.memory, machine, {
      told: (...emulated) => this.#charge(...emulated),
      access: (trap) => this.#access(trap),
    });
    const { words } = this.emulation;
    words[E.FORCED] = FORCED_MSR;
    words[E.KEPT] = KEPT_MSR;
  }

  #know(costs: Costs): void {
    const { words } = this.emulation;
    this.#costs = costs;
    this.#isDear = costs.exitCycles('emulate') > MOST_CYCLES || costs.runAheadCycles > MOST_CYCLES;
    words[E.EXIT_CYCLES] = costs.exitCycles('emulate');
    words[E.AHEAD_CYCLES] = costs.runAheadCycles;
    words[E.AHEAD_MOST] = costs.runAhead;
  }

  /** The guest is about to have the core. Whoever looks at each exit, or at what lies between two, has them all to himself. */
  begin(costs: Costs, isWatched: boolean): void {
    const { machine, witness, timeline, magicPage, awaited } = this.vcpu;
    if (costs !== this.#costs) this.#know(costs);
    this.outcome = 'resume';
    const isAllowed = !isWatched && !witness && !timeline && !magicPage && !machine.watchesData && !this.#isDear;
    const { words } = this.emulation;
    words[E.ALLOWED] = isAllowed ? 1 : 0;
    words[E.STOPPED] = 0;
    words[E.AWAITED] = awaited?.pc ?? NOWHERE;
  }

  /**
   * Amid an exit, with `ahead` as it was before the next instruction, which is to be emulated along: have the engine do it, and those
   * behind it, for at most so many cycles. Whether it has done any.
   */
  goesOn(cycles: number, ahead: number, costs: Costs, isWatched: boolean): boolean {
    const { vcpu } = this;
    const { core, machine, account } = vcpu;
    this.begin(costs, isWatched);
    const { words } = this.emulation;
    if (words[E.ALLOWED] === 0 || vcpu.user) return false;
    const { msr, pid } = machine.system;
    const at = machine.lookaside.find('execute', machine.regs.pc, contextOf(pid, msr & MSR.IS ? 1 : 0, false));
    if (at < 0) return false; // its page may be mapped in parts
    words[E.LEFT] = vcpu.aheadLeft;
    words[E.AHEAD] = ahead;
    const cycle = core.clock.now;
    if (!core.emulateAhead(Math.min(cycles, vcpu.stopAt - vcpu.steps), at)) return false;
    account.guestCycles += core.clock.now - cycle; // which `#charge` has taken off
    if (!this.end()) vcpu.aheadLeft = vcpu.ahead = 0; // the guest has the core back
    return true;
  }

  /** The guest has left the core: whether it is amid an exit, or at its end. */
  end(): boolean {
    const { vcpu } = this;
    if (!this.emulation.stopped) return false;
    const { words } = this.emulation;
    vcpu.aheadLeft = words[E.LEFT]!;
    vcpu.ahead = words[E.AHEAD]!;
    return true;
  }

  /** An access of the guest's that the real core does not do: if it is to a device of its own, it is done here. */
  #access(trap: Trap | null): boolean {
    const { vcpu, emulation } = this;
    const exit = trap ? classify({ kind: 'trap', trap }, vcpu, false) : foreseenAccess(vcpu);
    if (exit?.kind !== 'device') return false;
    const { account, events, core } = vcpu;
    const { clock } = core;
    const costs = this.#costs!;
    const cycle = clock.now;
    hasLeft(vcpu, undefined);
    vcpu.stoppedBehindCall = false;
    this.outcome = settle(exit, vcpu, costs, NOBODY);
    account.guestCycles -= clock.now - cycle; // those that it had the core for have them too
    emulation.words[E.LEFT] = vcpu.aheadLeft;
    emulation.words[E.AHEAD] = vcpu.ahead;
    if (vcpu.events !== events || !this.#mayGoOn()) emulation.stop();
    vcpu.aheadLeft = vcpu.ahead = 0;
    return true;
  }

  /** Has the guest the core back behind an access, as nothing has happened, and nothing is emulated along with it? */
  #mayGoOn(): boolean {
    const { vcpu } = this;
    const { machine, partition } = vcpu;
    if (!partition.running || machine.resetRequest || vcpu.awaited) return false;
    if (stopsHere(vcpu) || machine.pendingInterrupt() !== null) return false;
    return vcpu.aheadLeft === 0 || runsAhead(vcpu) === NOT_AHEAD;
  }

  #charge(word: number, pc: number, cycle: number, ahead: boolean): void {
    const { account, machine, recent } = this.vcpu;
    const { words } = this.emulation;
    const cycles = (ahead ? words[E.AHEAD_CYCLES]! : words[E.EXIT_CYCLES]!) + 1;
    account.guestCycles -= cycles; // those that it had the core for have them too
    machine.retired += 1;
    this.vcpu.fruitless = 0;
    if (ahead) return account.chargeAhead(aheadDetail(word), cycles);
    this.vcpu.stoppedBehindCall = false;
    const detail = instructionDetail(word);
    recent.record('emulate', detail, pc, cycle);
    account.charge('emulate', detail, cycles);
  }
}
