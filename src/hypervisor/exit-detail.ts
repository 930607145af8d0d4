import { decodeIndex, decodeTable, ILLEGAL } from '../isa/decode.js';
import { instructions } from '../isa/instructions.js';
import { findSpr } from '../isa/registers.js';
import { R } from '../cpu/state.js';
import { vectors, type Trap, type TrapKind } from '../cpu/trap.js';
import type { Exit } from './exit.js';
import { hypercallName } from './hypercalls.js';
import type { Vcpu } from './vcpu.js';

/**
 * What exactly an exit was about, as a small integer, so that counting it allocates nothing: which instruction or register,
 * which call, which trap, which register of which device. The upper bits say which of these, the lower 26 hold it.
 */
export type Detail = number;

// prettier-ignore
const field = { instruction: 0, mfspr: 1, mtspr: 2, mfdcr: 3, mtdcr: 4, hypercall: 5, trap: 6, device: 7 } as const;
const SHIFT = 26;
const REST = (1 << SHIFT) - 1;

/** Nothing more is known of it, or nothing more is to be known: no instruction has this number. */
export const NO_DETAIL: Detail = REST;

const WRITE = 1;
const OFFSET = 0x1ffff;
const NO_DEVICE = 0xff;

const byName = new Map(instructions.map((instruction, number) => [instruction.name, number]));
// prettier-ignore
const [MFSPR, MTSPR, MFDCR, MTDCR] = [byName.get('mfspr'), byName.get('mtspr'), byName.get('mfdcr'), byName.get('mtdcr')];

/** Tells what an exit is about. Asked before it is handled, since the instruction is the one at the pc. */
export function detailOf(exit: Exit, vcpu: Vcpu): Detail {
  switch (exit.kind) {
    case 'emulate':
      return instructionDetail(instructionAt(vcpu));
    case 'device':
      return deviceDetail(exit.physical, exit.use === 'write', vcpu);
    case 'hypercall':
      return hypercallDetail(vcpu.machine.regs.gpr[11]! >>> 0);
    case 'reflect':
      return trapDetail(exit.trap);
    case 'preempted':
    case 'host-interrupt':
    case 'shadow-miss':
      return NO_DETAIL;
    default:
      return exit satisfies never;
  }
}

/** The word at the pc: where the core has just fetched it from, or else where the guest's own translation has it. */
function instructionAt({ core, machine, shadowTlb }: Vcpu): number {
  const { regs } = machine;
  const host = core.lookaside.find('execute', regs.pc, regs.words[R.CODE_CONTEXT]!);
  if (host >= 0) return core.memory.read(host, 4);
  const guest = shadowTlb.translate(regs.pc, 'execute');
  const region = guest.kind === 'hit' ? machine.bus.ram.find(guest.physical) : undefined;
  return region && guest.kind === 'hit' ? region.target.read(guest.physical - region.base, 4) : 0;
}

/** Tells what an instruction is, and of those that name a special register or a DCR, which. */
export function instructionDetail(word: number): Detail {
  const number = decodeTable[decodeIndex(word)]!;
  const register = ((word >>> 16) & 31) | ((word >>> 6) & 0x3e0); // SPRF and DCRF: the halves are swapped
  switch (number) {
    case ILLEGAL:
      return NO_DETAIL;
    case MFSPR:
      return (field.mfspr << SHIFT) | register;
    case MTSPR:
      return (field.mtspr << SHIFT) | register;
    case MFDCR:
      return (field.mfdcr << SHIFT) | register;
    case MTDCR:
      return (field.mtdcr << SHIFT) | register;
    default:
      return number;
  }
}

function deviceDetail(physical: number, write: boolean, { machine }: Vcpu): Detail {
  const { devices } = machine.bus;
  const region = devices.find(physical);
  const number = region ? Math.min(devices.regions.indexOf(region), NO_DEVICE - 1) : NO_DEVICE;
  const offset = region ? Math.min(physical - region.base, OFFSET) : 0;
  return (field.device << SHIFT) | (number << 18) | (offset << 1) | (write ? WRITE : 0);
}

/** Vendors above 1023 share what is left: ePAPR has 1, KVM 42. */
const hypercallDetail = (token: number): Detail => (field.hypercall << SHIFT) | Math.min(token, REST);

const trapDetail = ({ kind }: Trap): Detail => (field.trap << SHIFT) | vectors[kind].ivor;

/** An interrupt's name by its IVOR. */
export const trapNames: readonly TrapKind[] = (Object.keys(vectors) as TrapKind[]).toSorted(
  (a, b) => vectors[a].ivor - vectors[b].ivor,
);

/** The guest's own TLB has no entry, which is its own business to mend. */
const guestMisses: readonly string[] = ['data-tlb-miss', 'instruction-tlb-miss'] satisfies TrapKind[];

/** Is it a TLB miss of the guest's own, as against one of its shadow? */
export const isGuestMiss = (trap: TrapKind): boolean => guestMisses.includes(trap);

/**
 * What an exit was about, for a person: `mfspr SRR0`, `mtdcr UIC0+2`, `write serial@ef600300+0`, `EV_IDLE`,
 * `data-tlb-miss`. `others` are instructions that are not privileged, or that
 * could not be decoded.
 */
export function detailName(detail: Detail, { machine }: Vcpu): string {
  const rest = detail & REST;
  switch (detail >>> SHIFT) {
    case field.mfspr:
      return `mfspr ${sprName(rest)}`;
    case field.mtspr:
      return `mtspr ${sprName(rest)}`;
    case field.mfdcr:
      return `mfdcr ${dcrName(rest, machine)}`;
    case field.mtdcr:
      return `mtdcr ${dcrName(rest, machine)}`;
    case field.hypercall:
      return rest === REST ? 'calls of other vendors' : hypercallName(rest);
    case field.trap:
      return trapNames[rest]!;
    case field.device:
      return deviceName(rest, machine);
    default:
      return instructions[rest]?.name ?? 'others';
  }
}

const sprName = (number: number): string => findSpr(number)?.name ?? String(number);

function dcrName(number: number, { bus }: Vcpu['machine']): string {
  const region = bus.dcrs.find(number);
  return region ? `${region.name}+${number - region.base}` : `0x${number.toString(16)}`;
}

function deviceName(rest: number, { bus }: Vcpu['machine']): string {
  const access = rest & WRITE ? 'write' : 'read';
  const number = rest >>> 18;
  const region = bus.devices.regions[number];
  if (!region) return `${access} where nothing answers`;
  return `${access} ${region.name}+${(rest >>> 1) & OFFSET}`;
}
