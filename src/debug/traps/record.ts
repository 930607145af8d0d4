import type { Trap } from '../../cpu/trap.js';
import type { Exit } from '../../hypervisor/exit.js';
import type { Target } from '../target.js';
import type { Changes, EntryChange } from './changes.js';

/** An instruction was run on the guest's own machine. */
export interface EmulateStage {
  readonly kind: 'emulate';
  readonly pc: number;
  readonly word: number | undefined;
  /** It was emulated along with the one before it, in the same exit. */
  readonly ahead: boolean;
  readonly changes: Changes;
  /** A device control register that it wrote. */
  readonly dcr?: { readonly name: string; readonly before: number; readonly after: number };
  /** What it raised instead: the guest was not entitled to it, or could not do it. */
  readonly raised?: Trap;
}

/** A load or store of a device's registers was run on the guest's own machine. */
export interface DeviceStage {
  readonly kind: 'device';
  readonly use: 'read' | 'write' | 'execute';
  readonly physical: number;
  /** `serial@ef600300+0`; undefined where nothing answers. */
  readonly register: string | undefined;
  /** What was read or written, and how many bytes of it; undefined for instructions that move more than one. */
  readonly value?: { readonly bytes: number; readonly value: number };
  readonly pc: number;
  readonly word: number | undefined;
  readonly changes: Changes;
  readonly raised?: Trap;
}

/** The shadow TLB got what the guest's own TLB says. */
export interface FillStage {
  readonly kind: 'fill';
  readonly address: number;
  /** Of the guest's own TLB. */
  readonly origin: number;
  readonly entries: readonly EntryChange[];
}

/** A hypercall was answered. */
export interface HypercallStage {
  readonly kind: 'hypercall';
  readonly token: number;
  /** r3 to r10 as they were, unsigned. */
  readonly args: readonly number[];
  /** r3 to r8 as they are. */
  readonly results: readonly number[];
}

/** The program was sent to its handler: by the hypervisor, or by the board itself. */
export interface DeliverStage {
  readonly kind: 'deliver';
  readonly trap: Trap;
  /** What waited, of an interrupt of a device: `UIC0 line 0 (serial@ef600300)`. */
  readonly source?: string;
  /** Where it was, as the save register has it, and its MSR. */
  readonly pc: number;
  readonly msr: number;
  /** What it finds in ESR and DEAR, where its trap sets them. */
  readonly esr?: number;
  readonly dear?: number;
  readonly handler: number;
}

/** One thing that was done about a trap. */
export type TrapStage = EmulateStage | DeviceStage | FillStage | HypercallStage | DeliverStage;

/** Where the program went on. */
export interface Resume {
  readonly kind: 'runs' | 'waits' | 'ended';
  readonly pc: number;
  readonly msr: number;
  readonly cycle: number;
}

/** Where the program was when it entered a handler that it has not returned from. */
export interface Interrupted {
  readonly trap: Trap;
  readonly pc: number;
  readonly msr: number;
  readonly sp: number;
  readonly lr: number;
}

/** A trap, from the program's instruction to where it goes on. */
export interface TrapRecord {
  /** From 1, over all processors. */
  readonly number: number;
  readonly target: Target;
  /** The instruction that trapped, or before which an interrupt came. */
  readonly pc: number;
  readonly word: number | undefined;
  /** Of the program, before anything was done. */
  readonly msr: number;
  readonly pid: number;
  /** Its steps up to here, as `Debuggable` numbers them. */
  readonly steps: number;
  readonly cycle: number;
  /** Steps of the whole machine: what a history goes to. */
  readonly moment: number;
  /** Cycles since its last trap; undefined for the first. */
  readonly since: number | undefined;
  /** Why the guest left the core; undefined on the bare board, and for an interrupt that found it outside. */
  readonly exit: Exit | undefined;
  /** What the processor that ran it raised; undefined where an interrupt came. */
  readonly cause: Trap | undefined;
  readonly stages: readonly TrapStage[];
  /** The handlers that the program is in, the outermost first, once it has been dealt with. */
  readonly handlers: readonly Interrupted[];
  /** Undefined while it is being dealt with. */
  readonly resume: Resume | undefined;
}

/** Did it leave for something that it did, or was anything done to it? Else it was only out of the core for a while. */
export const isTrap = ({ exit, stages }: TrapRecord): boolean =>
  stages.length > 0 || (exit?.kind !== 'preempted' && exit?.kind !== 'host-interrupt');

/** Names by which a person asks for traps: exit kinds, trap kinds, and what was done. */
export function kindsOf({ exit, cause, stages }: TrapRecord): readonly string[] {
  const done = stages.flatMap((stage) => {
    if (stage.kind === 'deliver') return [stage.trap.kind, 'inject'];
    return stage.kind === 'fill' ? ['shadow-miss'] : [stage.kind];
  });
  return [...(exit ? [exit.kind] : []), ...(cause && exit?.kind === 'reflect' ? [cause.kind] : []), ...done];
}
