import type { Core } from '../cpu/core.js';
import { MSR } from '../isa/registers.js';
import { TLB_ENTRIES, word0, word2, type Tlb, type Use } from '../mmu/tlb.js';

/** How a processor looked at an address: what its translation went by. */
export interface View {
  readonly use: Use;
  readonly msr: number;
  readonly pid: number;
}

/** An entry of the guest's own TLB. Addresses are the guest's. */
export interface PathEntry {
  readonly entry: number;
  /** Effective. */
  readonly base: number;
  readonly size: number;
  readonly physical: number;
  /** `SX SW SR UR`. */
  readonly permissions: string;
  readonly tid: number;
  readonly space: number;
}

/** Who has a range of physical addresses of the board. */
export interface BoardRange {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  /** The partition that it was given to; undefined: nobody, or several. */
  readonly owner?: string;
  /** What is shared between partitions, by its name in the configuration. */
  readonly shared?: string;
}

/** What answers at a physical address, or the nearest that there is, as a sentence's end. */
export interface Destination {
  /** Whether it is something that the program has. */
  readonly reached: boolean;
  readonly text: string;
}

/** What became of an address: effective -> guest-physical -> physical, or how far it came. */
export interface AddressPath extends View {
  readonly effective: number;
  readonly user: boolean;
  readonly space: number;
  readonly outcome: 'hit' | 'miss' | 'forbidden';
  readonly entry?: PathEntry;
  /** Of a miss: why entries that nearly fit do not. */
  readonly near?: string;
  /** The program's physical address, where the TLB gives one. */
  readonly physical?: number;
  readonly destination?: Destination;
  /** Where it is on the board; only of a partition's memory. */
  readonly real?: number;
}

/** What is needed of the machine to follow an address. */
export interface Surroundings {
  readonly core: Core;
  /** The partition that it is; undefined on the bare board. */
  readonly partition?: string;
  /** Where a physical address of the program's lies on the board. */
  realAddress(physical: number): number | undefined;
  /** What the board has, where it is not the program's own. */
  readonly board: readonly BoardRange[];
}

/** Follow an address through the program's own TLB to what answers there. */
export function follow(effective: number, view: View, surroundings: Surroundings): AddressPath {
  const { tlb } = surroundings.core.system;
  const { use, msr, pid } = view;
  const space = msr & (use === 'execute' ? MSR.IS : MSR.DS) ? 1 : 0;
  const user = (msr & MSR.PR) !== 0;
  const head = { ...view, effective, space, user };
  const entry = tlb.find(effective, space, pid);
  if (entry < 0) return { ...head, outcome: 'miss', near: nearMiss(tlb, effective, space, pid) };
  const physical = tlb.real(entry, effective);
  const real = surroundings.realAddress(physical);
  return {
    ...head,
    outcome: tlb.allows(entry, use, user) ? 'hit' : 'forbidden',
    entry: describeEntry(tlb, entry),
    physical,
    destination: destinationOf(physical, use, surroundings),
    ...(real !== undefined && { real }),
  };
}

const permissionNames = ['UX', 'UW', 'UR', 'SX', 'SW', 'SR'] as const;

function describeEntry(tlb: Tlb, entry: number): PathEntry {
  const bits = tlb.read(entry, 2);
  return {
    entry,
    base: tlb.base(entry),
    size: tlb.bytes(entry),
    physical: tlb.realBase(entry),
    permissions: permissionNames.filter((name) => bits & word2[name]).join(' ') || 'none',
    tid: tlb.tid(entry),
    space: tlb.read(entry, 0) & word0.TS ? 1 : 0,
  };
}

/** Why no entry matches: one is of another process or space, or the nearest ends before or begins behind. */
function nearMiss(tlb: Tlb, address: number, space: number, pid: number): string {
  const entries = Array.from({ length: TLB_ENTRIES }, (_, i) => i).filter((i) => tlb.valid(i) && tlb.bytes(i) > 0);
  if (entries.length === 0) return 'the TLB has no valid entry at all';
  const covering = entries.map((i) => describeEntry(tlb, i)).filter((e) => distance(e, address) === 0);
  const [other] = covering;
  if (other && other.space !== space)
    return `entry ${other.entry} maps it in address space ${other.space}, not ${space}`;
  if (other) return `entry ${other.entry} maps it for process ${other.tid}, and the PID is ${pid}`;
  const ranked = entries.map((i) => describeEntry(tlb, i));
  const nearest = ranked.reduce((a, b) => (distance(b, address) < distance(a, address) ? b : a));
  return `the nearest of ${entries.length} entries is ${nearest.entry}, ${apart(nearest, address)} ${hex(nearest.base)}–${hex(nearest.base + nearest.size - 1)}`;
}

/** Bytes from a range to an address; 0 within it. */
const distance = ({ base, size }: { base: number; size: number }, address: number): number =>
  address < base ? base - address : Math.max(0, address - (base + size) + 1);

/** Where the nearest range begins or ends, seen from an address outside of it. */
function apart({ base, size }: { base: number; size: number }, address: number): string {
  if (address < base) return `which begins ${hex(base - address)} above:`;
  const gap = address - base - size;
  return `which ends ${gap === 0 ? 'just' : hex(gap)} below:`;
}

/** Who answers at a physical address. Devices and memory of the program first, then what the board has there. */
function destinationOf(physical: number, use: Use, { core, partition, board }: Surroundings): Destination {
  const own = [...core.bus.ram.regions, ...core.bus.devices.regions];
  const whose = partition === undefined ? "the board's" : "the guest's";
  const readable = use === 'write' && core.bus.writable(physical) === undefined && core.bus.ram.find(physical);
  if (readable)
    return { reached: false, text: `${whose} ${readable.name}${offset(physical - readable.base)}, which is only read` };
  const at = own.find((region) => distance(region, physical) === 0);
  if (at) return { reached: true, text: `${whose} ${at.name}${offset(physical - at.base)}` };
  const nearest = own.reduce<(typeof own)[number] | undefined>(
    (a, b) => (a && distance(a, physical) <= distance(b, physical) ? a : b),
    undefined,
  );
  const gap = nearest && (physical < nearest.base ? nearest.base - physical : physical - nearest.base - nearest.size);
  const beside = nearest
    ? `, ${physical < nearest.base ? `${hex(gap!)} below the start` : `${hex(gap!)} beyond the end`} of ${whose} ${nearest.name}`
    : '';
  const text = `nothing${partition === undefined ? '' : ' of this partition'}${beside}`;
  const there = partition === undefined ? undefined : board.find((range) => distance(range, physical) === 0);
  return { reached: false, text: there ? `${text}; ${boardText(there, partition)}` : text };
}

function boardText({ name, owner, shared }: BoardRange, partition: string | undefined): string {
  if (shared !== undefined) return `on the board this address is ${name}, where the shared memory '${shared}' lies`;
  const whose =
    owner === undefined || owner === partition ? 'is not given to this partition' : `belongs to partition '${owner}'`;
  return `on the board this address is ${name}, which ${whose}`;
}

const offset = (bytes: number): string => (bytes === 0 ? '' : `+${hex(bytes)}`);

const hex = (value: number): string => `0x${value.toString(16)}`;
