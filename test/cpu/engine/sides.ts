// Machines that differ in their engine alone, and how they are compared.

import type { Debuggable, Machine } from '../../../src/board/machine.js';
import { snapshotOf, Snapshots, type Snapshotable } from '../../../src/board/snapshot.js';
import { encodeState } from '../../../src/board/state-text.js';
import type { Ram } from '../../../src/bus/memory.js';
import type { Core } from '../../../src/cpu/core.js';
import type { Engine } from '../../../src/cpu/engine/engine.js';
import { Interpreter } from '../../../src/cpu/engine/interpreter.js';
import { Translator } from '../../../src/cpu/engine/translator.js';
import type { TargetProbes } from '../../../src/debug/breakpoints.js';
import { bareBoard, hypervisor, type Output } from '../../hypervisor/guest.js';
import { features } from './author.js';
import type { Program } from './programs.js';

/** Every engine there is, and every way of the translator to be another one: how early it translates, how little it keeps. */
export const engines = {
  reference: new Interpreter({ features, inline: false }),
  interpreter: new Interpreter({ features }),
  eager: new Translator({ features, eager: true }),
  warm: new Translator({ features, hot: 16 }),
  tiny: new Translator({ features, hot: 2, cache: 600 }),
  default: new Translator({ features }),
} as const satisfies Record<string, Engine>;
export type EngineName = keyof typeof engines;

/** On the bare board, as a partition that has the board for itself, or as one of two that take turns. */
export type Place = 'board' | 'partition' | 'partitions';

export interface Side {
  readonly name: EngineName;
  readonly machine: Machine & Snapshotable;
  /** All there is, and the program's. */
  readonly memory: Ram;
  readonly ram: Ram;
  readonly core: Core;
  readonly output: Output;
  /** Whom a debugger stops. */
  readonly debuggable: Debuggable;
  /** Where it stopped, when and why. */
  readonly stops: string[];
}

const PROCESSOR = '&cpu0 { hv440,fpu; hv440,isel; };';
const memory = (megabytes: number): string => `&memory0 { reg = <0x0 0x0 0x00${megabytes}00000>; };`;

export function build(name: EngineName, programs: readonly Program[], place: Place): Side {
  const engine = engines[name];
  const [{ code }, neighbour] = programs as [Program, Program];
  if (place === 'board') {
    const { machine, core, output } = bareBoard(code, { engine, board: `${memory(1)} ${PROCESSOR}`, restart: true });
    const ram = machine.board.bus.ram.regions[0]!.target;
    return { name, machine, core, memory: ram, ram, output, debuggable: machine, stops: [] };
  }
  const node = 'on-reset = "restart";';
  const guests = {
    guest: { program: code, node },
    ...(place === 'partitions' && { other: { program: neighbour.code, node } }),
  };
  const setting = { engine, board: `${memory(4)} ${PROCESSOR}`, partitions: 'quantum = <3000>;', trusting: true };
  const { hv, partition, output } = hypervisor(guests, setting);
  const { vcpus, board } = partition('guest');
  return {
    name,
    machine: hv,
    core: vcpus[0]!.machine,
    memory: hv.board.bus.ram.regions[0]!.target,
    ram: board.bus.ram.regions[0]!.target,
    output,
    debuggable: vcpus[0]!,
    stops: [],
  };
}

/** A machine with another engine that goes on from where one is: a snapshot of it, restored. */
export function passOn(side: Side, name: EngineName, programs: readonly Program[], place: Place): Side {
  const next = build(name, programs, place);
  new Snapshots(next.machine).restore(snapshotOf(side.machine));
  for (const [stream, sent] of side.output.streams) next.output.streams.get(stream)!.push(...sent);
  next.stops.push(...side.stops);
  return next;
}

/** Run as far as cycle `end`, so many cycles at a time; a debugger who stops it notes that and has it run on. False if it ended. */
export function runTo({ machine, debuggable, stops }: Side, end: number, quantum: number): boolean {
  while (machine.clock.now < end) {
    const progress = machine.run(Math.min(quantum, end - machine.clock.now));
    if (progress.kind === 'ended') return false;
    if (progress.kind === 'stopped') {
      const probes = debuggable.probes as TargetProbes | undefined;
      stops.push(`${machine.clock.now} ${debuggable.steps} ${JSON.stringify(probes?.stop)}`);
      debuggable.stopAt = Infinity;
      probes?.pass();
    }
    if (progress.kind === 'idle') machine.skip(Math.min(progress.until, end));
  }
  return true;
}

/** Everything but memory. */
export const stateOf = ({ machine, output, stops }: Side): string =>
  encodeState({ machine: machine.save(), sent: [...output.streams.values()].map((s) => s.join()), stops });

const sameMemory = (a: Ram, b: Ram): boolean => Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
const bytesOf = ({ memory, offset, size }: Ram): Uint8Array => new Uint8Array(memory.buffer, offset, size);

export const same = (a: Side, b: Side): boolean => sameMemory(a.memory, b.memory) && stateOf(a) === stateOf(b);
