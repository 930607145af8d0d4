// What somebody who is not the processor does to a machine while it stands.

import { TargetProbes, type Breakpoint } from '../../../src/debug/breakpoints.js';
import { targetOf } from '../../../src/debug/target.js';
import { MSR } from '../../../src/isa/registers.js';
import type { Dice } from '../../hypervisor/fuzz.js';
import { ALIAS, CODE, CODE_PAGES, DATA, DATA_PAGES } from './author.js';
import { otherWord } from './programs.js';
import type { EngineName, Place, Side } from './sides.js';

/** Done to every machine alike; `passOn` replaces one that is not the first by another with that engine. */
export interface Deed {
  readonly act?: (side: Side) => void;
  readonly passOn?: EngineName;
  /** Done to all but the first: it is to leave no trace. */
  readonly watch?: (side: Side) => void;
}

/** The first instruction, which sets up the TLB and the vectors. */
const BEGIN = 0x1000;

/** A loader or another processor: writes to code and data, and on a board also begins again. */
export function deed(dice: Dice, place: Place, slots: readonly number[]): Deed {
  const word = otherWord(dice);
  const [at, data] = [dice.of(slots), DATA + dice.below(0x1000 * DATA_PAGES - 4)];
  const value = dice.word();
  switch (dice.below(6)) {
    case 0:
      return { act: ({ ram }) => ram.write(at, 4, word) };
    case 1:
      return { act: ({ ram }) => slots.slice(0, 20).forEach((slot) => ram.write(slot, 4, word)) };
    case 2:
      return { act: ({ ram }) => ram.write(data, 4, value) };
    case 3:
      return place === 'board' ? { act: begin } : {};
    default:
      return {};
  }
}

function begin({ core }: Side): void {
  core.system.msr = MSR.ME;
  core.regs.pc = BEGIN;
  core.contextChanged();
}

/** A debugger: breakpoints and watchpoints, single steps, looking on, and going on from a snapshot with another engine. */
export function debugging(dice: Dice, place: Place, slots: readonly number[]): Deed {
  const breakpoints = Array.from({ length: 1 + dice.below(3) }, () => breakpoint(dice));
  const steps = 1 + dice.below(2000);
  const engine = dice.of(['reference', 'interpreter', 'eager', 'eager', 'warm', 'default'] as const);
  switch (dice.below(7)) {
    case 0:
    case 1:
      return { act: (side) => watchFor(side, breakpoints) };
    case 2:
      return { act: clear };
    case 3:
      return { act: ({ debuggable }) => void (debuggable.stopAt = debuggable.steps + steps) };
    case 4:
      return { act: clear, passOn: engine };
    case 5:
      return { watch: place === 'board' ? lookOn : () => {} };
    default:
      return deed(dice, place, slots);
  }
}

function breakpoint(dice: Dice): Breakpoint {
  const space = dice.of(['effective', 'physical'] as const);
  const far = space === 'effective' && dice.below(4) === 0 ? ALIAS : 0;
  if (dice.below(2) === 0)
    return { kind: 'execute', space, address: CODE + far + 4 * dice.below(1024 * CODE_PAGES), length: 4 };
  const kind = dice.of(['write', 'read', 'access'] as const);
  return {
    kind,
    space,
    address: DATA + far + dice.below(0x1000 * DATA_PAGES),
    length: 1 + dice.below(dice.of([4, 64])),
  };
}

function watchFor({ debuggable, core, name }: Side, breakpoints: readonly Breakpoint[]): void {
  const process = { number: 1, name, kind: 'board', targets: [], ending: undefined } as const;
  const target = targetOf({ name, process, thread: 1, core, runs: debuggable, hasFloats: true });
  debuggable.probes = new TargetProbes(target, debuggable, breakpoints);
}

function clear({ debuggable }: Side): void {
  debuggable.probes = undefined;
  debuggable.stopAt = Infinity;
}

const nobody = (): void => {};

/** Somebody hears of every trap and of how time is spent, or no longer. */
function lookOn({ machine }: Side): void {
  const watched = machine as { witness?: unknown; timeline?: unknown };
  if (watched.timeline) watched.timeline = watched.witness = undefined;
  else {
    watched.timeline = { turns: nobody, delivers: nobody };
    watched.witness = { stop: false, meets: nobody, delivers: nobody, delivered: nobody, resumes: nobody };
  }
}
