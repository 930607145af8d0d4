import { stopsHere } from '../board/machine.js';
import type { Core, Stop } from '../cpu/core.js';
import { classify, type Exit } from './exit.js';
import { inject } from './inject.js';
import { NOT_AHEAD, runsAhead } from './run-ahead.js';
import { EMULATE, emulateAhead, hasLeft, settle, type Costs, type Observer } from './settle.js';
import type { Vcpu } from './vcpu.js';

/** When a guest has to give the core up: at the end of its quantum, or only for us to look outside. */
export interface Bounds {
  readonly end: number;
  readonly pause: number;
}

/** Have a guest's registers on the core, or, where there is none, the core's own. */
export function showOnCore(core: Core, vcpu: Vcpu | undefined): void {
  const { regs, timers } = vcpu?.machine ?? core.own;
  core.switchTo(regs, vcpu?.shadow ?? core.own.system, timers);
  core.wantedBack = vcpu?.wantsCore ?? (() => false);
  core.emulation = vcpu?.inPlace.emulation;
  core.probes = vcpu?.machine.probes;
}

/** Give the core to a guest: a world switch. */
export function beginTurn(vcpu: Vcpu): void {
  vcpu.timeline?.turns('hypervisor', vcpu);
  showOnCore(vcpu.core, vcpu);
  vcpu.watchSelfBranch = true;
  vcpu.leave();
}

/**
 * Let a guest run until its quantum ends, or it waits, or it has ended (then the result is true), or until `pause` or a
 * debugger's stop. Exits do not start the quantum again: they use it up, and so does every interrupt that is injected.
 */
export function runGuest(vcpu: Vcpu, { end, pause }: Bounds, costs: Costs, observers: readonly Observer[]): boolean {
  const { machine, partition } = vcpu;
  const { clock } = machine;
  for (;;) {
    if (stopsHere(vcpu)) return false;
    if (vcpu.exit) {
      if (settle(vcpu.exit, vcpu, costs, observers) === 'reschedule') return true;
      continue;
    }
    let alarm = clock.next;
    if (alarm <= clock.now) {
      vcpu.leave();
      alarm = clock.ring();
    }
    if (clock.held) return false;
    if (machine.resetRequest) partition.resetRequested();
    if (!partition.running) return true;
    if (partition.lifecycle === 'starting') {
      if (clock.now >= end) return true;
      if (clock.now >= pause) return false;
      partition.load(Math.min(end, pause, clock.next) - clock.now, clock);
      continue;
    }
    if (!vcpu.inside) {
      vcpu.magicPage?.sync();
      const interrupt = vcpu.takeInterrupt();
      if (interrupt) {
        inject(interrupt, vcpu);
        vcpu.idle = false;
        continue; // entering a handler may be a debug event
      }
      if (vcpu.waits && !vcpu.wakes) return halts(vcpu);
      if (vcpu.magicPage) alarm = clock.next; // which it may have written registers of
    }
    if (clock.now >= end || !partition.running) return true;
    if (clock.now >= pause) return false;

    if (machine.breaksHere()) return false;
    vcpu.idle = false;
    if (machine.observed) {
      if (leaves(EMULATE, vcpu)) continue;
      if (settle(EMULATE, vcpu, costs, observers) === 'reschedule') return true;
      continue;
    }
    const left = Math.min(end, pause, alarm, vcpu.retryAt) - clock.now;
    const { ahead } = vcpu;
    const word = vcpu.aheadLeft > 0 ? runsAhead(vcpu) : NOT_AHEAD;
    if (word !== NOT_AHEAD) {
      if (vcpu.inPlace.goesOn(left, ahead, costs, observers.length > 0)) continue;
      if (emulateAhead(word, vcpu, costs) === 'reschedule') return true;
      continue;
    }
    vcpu.witness?.resumes();
    if (vcpu.witness?.stop) return false;
    vcpu.enterContext();
    vcpu.inPlace.begin(costs, observers.length > 0);
    const stop = execute(vcpu, left);
    if (vcpu.inPlace.end()) {
      vcpu.leave();
      if (vcpu.inPlace.outcome === 'reschedule') return true;
      continue;
    }
    if (stop.kind === 'breakpoint') return false; // as if it had not been run
    // Alarms may have come nearer, or gone, by what the guest did at a device of its own; where they had before, `wantsCore` has noticed
    const ran = stop.kind === 'quantum' || stop.kind === 'watchpoint';
    const early = ran && clock.now < end && clock.now < Math.min(clock.next, vcpu.retryAt);
    if (early && (stopsHere(vcpu) || !vcpu.wantsCore(clock.next))) continue; // as if it had never stopped
    vcpu.leave();
    if (early) continue;
    if (stop.kind === 'self-branch') {
      if (!machine.canBeInterrupted) partition.end({ kind: 'halted' });
      vcpu.watchSelfBranch = false; // something may yet interrupt it
      continue;
    }
    const exit = classify(stop, vcpu, clock.now >= end);
    if (leaves(exit, vcpu)) continue;
    if (calls(exit, vcpu) && vcpu.steps >= vcpu.stopAt) {
      vcpu.exit = exit; // the call itself was the last step
      continue;
    }
    if (settle(exit, vcpu, costs, observers) === 'reschedule') return true;
  }
}

/** Has the guest left by a system call, which is a step of its own? */
const calls = (exit: Exit, vcpu: Vcpu): boolean =>
  vcpu.stoppedBehindCall && (exit.kind === 'reflect' || exit.kind === 'hypercall');

/** Would a guest that goes on with its turn find that it is over? */
export function isOver({ vcpu, end }: { readonly vcpu: Vcpu; readonly end: number }): boolean {
  if (vcpu.exit || vcpu.partition.lifecycle === 'starting') return false;
  if (vcpu.waits && !vcpu.wakes) return halts(vcpu);
  return vcpu.machine.clock.now >= end || !vcpu.partition.running;
}

/** Tell who looks on of an exit; true if it is to stay as it is until he has seen it. */
function leaves(exit: Exit, vcpu: Vcpu): boolean {
  vcpu.witness?.left(exit);
  if (!vcpu.witness?.stop) return false;
  vcpu.exit = exit;
  return true;
}

/** Run the guest's own instructions. */
function execute(vcpu: Vcpu, cycles: number): Stop {
  const { core } = vcpu;
  const { clock } = core;
  const cycle = clock.now;
  vcpu.aheadLeft = 0;
  vcpu.ahead = 0;
  vcpu.gotOnAt = core.retired;
  vcpu.inside = true;
  core.watchSelfBranch = vcpu.watchSelfBranch;
  vcpu.timeline?.turns('guest', vcpu);
  const stop = vcpu.onCore(() => core.run(Math.min(cycles, vcpu.stopAt - vcpu.steps)));
  vcpu.timeline?.turns('hypervisor', vcpu);
  vcpu.account.guestCycles += clock.now - cycle;
  hasLeft(vcpu, stop.kind === 'trap' ? stop.trap : undefined);
  return stop;
}

/** A guest that waits by MSR[WE] while it lets none through that could come waits for ever. */
function halts(vcpu: Vcpu): true {
  vcpu.witness?.rests();
  if (!vcpu.idle && !vcpu.machine.canBeInterrupted) vcpu.partition.end({ kind: 'halted' });
  return true;
}
