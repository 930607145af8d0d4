import type { Debuggable, Ending } from '../board/machine.js';
import type { Core } from '../cpu/core.js';
import { EffectiveMemory, PhysicalMemory } from './memory.js';
import { RegisterFile } from './registers.js';

/** Memory by address, for a debugger: reading has no side effects, and both give as much as there is from the first byte on. */
export interface Memory {
  read(address: number, length: number): Uint8Array;
  /** How many bytes could be written. */
  write(address: number, bytes: Uint8Array): number;
}

/**
 * What a debugger looks at: one processor. A bare board's core and a partition's vcpu are targets with a program that can be
 * run and stopped; the board's core under the hypervisor is one to look at, and has the vcpus for its runs.
 */
export interface Target {
  /** `board/cpu0`, `linux/cpu0`. */
  readonly name: string;
  /** The process that it belongs to, numbered from 1. */
  readonly process: Process;
  /** Its number within the process, from 1. */
  readonly thread: number;
  readonly registers: RegisterFile;
  /** By effective address: as the program sees memory now. */
  readonly effective: Memory;
  /** By physical address: a partition's as its guest numbers them, the board's as its bus does. */
  readonly physical: Memory;
  /** The processor itself: TLB, timers, bus. */
  readonly core: Core;
  /** What it runs; undefined for the board's core under the hypervisor, which runs whoever's turn it is. */
  readonly runs: Debuggable | undefined;
}

/** A program with processors and memory of its own: the board or the hypervisor on it (number 1), and each partition. */
export interface Process {
  readonly number: number;
  /** `board`, `hypervisor`, or the partition's name. */
  readonly name: string;
  readonly kind: 'board' | 'hypervisor' | 'partition';
  readonly targets: readonly Target[];
  /** What became of it, once it is over. */
  readonly ending: Ending | undefined;
}

interface TargetOptions {
  readonly name: string;
  readonly process: Process;
  readonly thread: number;
  readonly core: Core;
  readonly runs?: Debuggable;
  /** Its effective addresses are the physical ones: the board's core under the hypervisor. */
  readonly flat?: boolean;
  readonly hasFloats: boolean;
}

/** A target over a core. */
export function targetOf({ name, process, thread, core, runs, flat = false, hasFloats }: TargetOptions): Target {
  const physical = new PhysicalMemory(core.bus);
  return {
    name,
    process,
    thread,
    registers: new RegisterFile(core, hasFloats, runs),
    effective: flat ? physical : new EffectiveMemory(core),
    physical,
    core,
    runs,
  };
}
